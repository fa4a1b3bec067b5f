"""Asking the model: the request, the call with its deadline, and what it used. One attempt; retries belong to the port."""

from __future__ import annotations

import asyncio
import hashlib

from marketing_agents.agents.analysis import ModelUse
from marketing_agents.agents.evidence import Evidence
from marketing_agents.agents.failure import Failure, operational_failure
from marketing_agents.agents.request import AgentContext
from marketing_agents.agents.state import Draft
from marketing_agents.agents.user_content import findings_to_show, repair_content, user_content
from marketing_agents.agents.wire_answer import answer_schema
from marketing_agents.domains.prompt import PromptError, render_prompt
from marketing_agents.llm.port import FailureKind, LLMError, ModelReply, ModelRequest, Prompt, TextModel

# The port has its own deadline (`timeout_s`) and knows what a cut call cost; ours is for a port that does not keep it.
_DEADLINE_GRACE = 1.1


def first_request(context: AgentContext, evidence: Evidence) -> tuple[Draft, tuple[str, ...]]:
    """The request for this evidence, as a draft without an answer, and problems with the prompt store's prompt.

    A prompt of the store whose variables do not fit is replaced by the packaged one: a mistyped variable costs the new wording, not the text.
    """
    domain, deps = context.request.domain, context.deps
    values = {"domain_title": domain.title, "allowed_actions": ", ".join(domain.allowed_actions)}
    prompt = deps.prompts.get(domain.prompt_name, label=context.request.advertiser.prompt_label, packaged=domain.prompt)
    problems: tuple[str, ...] = ()
    try:
        system = render_prompt(prompt.text, values)
    except PromptError as error:
        problem = f"prompt {prompt.name} ({prompt.version}): {error}; the packaged prompt was used"
        prompt, problems = Prompt(name=prompt.name, version=packaged_version(domain.prompt), text=domain.prompt), (problem,)
        system = render_prompt(prompt.text, values)
    shown = findings_to_show(evidence)
    request = ModelRequest(
        model=prompt.model or domain.model or deps.default_model,
        system=system,
        user=user_content(evidence, shown),
        schema_=answer_schema(evidence, shown),
        max_output_tokens=prompt.max_output_tokens or domain.max_output_tokens,
        thinking_level=prompt.thinking_level or domain.thinking_level,
        timeout_s=deps.model_timeout_s,
    )
    return Draft(request=request, prompt=prompt, shown=shown, text=""), problems


def packaged_version(text: str) -> str:
    """The version that the prompt source gives to a packaged text."""
    return f"packaged:{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def repair_request(draft: Draft, reasons: tuple[str, ...]) -> ModelRequest:
    """The same request with the refused answer and the reasons."""
    return draft.request.model_copy(update={"user": repair_content(draft.request.user, draft.text, reasons)})


async def ask(
    model: TextModel, request: ModelRequest, draft: Draft, context: AgentContext
) -> tuple[ModelReply | Failure, ModelReply | None]:
    """The reply, or why there is none; and what to book as used (an unusable answer costs money too).

    Raises:
        Exception: a bug, see `failure.py`.
    """
    with context.span.generation(request, draft.prompt) as generation:
        try:
            async with asyncio.timeout(request.timeout_s * _DEADLINE_GRACE):
                reply = await model.generate(request)
        except Exception as error:  # noqa: BLE001 - the port may raise anything; bugs are raised again by operational_failure
            failure = operational_failure(error)
            generation.fail(error if isinstance(error, LLMError) else _as_llm_error(failure))
            return failure, getattr(error, "reply", None)
        generation.record(reply)
        return reply, reply


def add_use(use: ModelUse, request: ModelRequest, prompt: Prompt, reply: ModelReply | None) -> ModelUse:
    """The use with one more call. Cost is unknown as soon as one reply's is; a call without any reply is taken as free."""
    added = reply.cost_usd if reply else 0.0
    cost = None if use.cost_usd is None or added is None else use.cost_usd + added
    return ModelUse(
        model=reply.model if reply else use.model or request.model,
        prompt_name=prompt.name,
        prompt_version=prompt.version,
        input_tokens=use.input_tokens + (reply.input_tokens if reply else 0),
        output_tokens=use.output_tokens + (reply.output_tokens if reply else 0),
        calls=use.calls + 1,
        cost_usd=cost,
        latency_s=use.latency_s + (reply.latency_s if reply else 0.0),
    )


def _as_llm_error(failure: Failure) -> LLMError:
    return LLMError(FailureKind.UNAVAILABLE, str(failure))
