"""Traces of the domain agents: nothing without keys, else Langfuse, one trace per partition and domain.

Spans are started and ended by hand with explicit parents: no context variables, so concurrent agents cannot mix. Every touch of the SDK is
guarded: tracing may lose a span, never a result. Text is masked before it leaves (inputs and outputs by the client's mask, the rest here).
OpenTelemetry GenAI attributes and an OTLP exporter for other collectors belong on `LangfuseSession.provider`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from marketing_agents.llm.langfuse_session import LangfuseSession, open_langfuse
from marketing_agents.llm.port import AgentSpan, AgentTracer, Generation, LLMError, ModelReply, ModelRequest, Prompt

if TYPE_CHECKING:
    from marketing_agents.settings import Settings

log = logging.getLogger(__name__)


class NoTracer:
    """Records nothing and touches nothing."""

    def agent(self, **_: object) -> AbstractContextManager[AgentSpan]:
        return nullcontext(_NoSpan())


class _NoSpan:
    def __init__(self) -> None:
        self.trace_id: str | None = None
        self.trace_url: str | None = None

    def generation(self, request: ModelRequest, prompt: Prompt) -> AbstractContextManager[Generation]:  # noqa: ARG002
        return nullcontext(_NoGeneration())

    def score(self, name: str, value: float, comment: str = "") -> None: ...
    def finish(self, output: Mapping[str, object]) -> None: ...


class _NoGeneration:
    def record(self, reply: ModelReply) -> None: ...
    def fail(self, error: LLMError) -> None: ...


class LangfuseTracer:
    """Traces to a Langfuse session: session = run, user = advertiser, tags, prompt link, usage, cost, scores."""

    def __init__(self, session: LangfuseSession) -> None:
        self._session = session

    @contextmanager
    def agent(self, *, domain: str, advertiser_id: str, day: str, run_id: str, tags: tuple[str, ...] = ()) -> Iterator[AgentSpan]:
        span: _LangfuseSpan | None = None
        with _guarded():
            span = _LangfuseSpan(self._session, domain=domain, advertiser_id=advertiser_id, day=day, run_id=run_id, tags=tags)
        if span is None:
            yield _NoSpan()
            return
        try:
            yield span
        except BaseException as error:
            span.fail(error)
            raise
        finally:
            span.end()


class _LangfuseSpan:
    """The root of one trace. Its id follows from run, advertiser, day and domain, so it can be found without being stored."""

    def __init__(self, session: LangfuseSession, *, domain: str, advertiser_id: str, day: str, run_id: str, tags: tuple[str, ...]) -> None:
        self._session = session
        self.trace_id: str | None = session.client.create_trace_id(seed=f"{run_id}|{advertiser_id}|{day}|{domain}")
        self.trace_url: str | None = session.trace_url(self.trace_id)
        self._attributes: dict[str, Any] = {
            "user_id": advertiser_id,
            "session_id": run_id,
            "tags": [domain, *tags],
            "trace_name": f"{domain}_analysis",
            "metadata": {"advertiser": advertiser_id, "date": day, "domain": domain},
        }
        with self._propagated():
            self._root = session.client.start_observation(
                name=f"{domain}_agent",
                as_type="agent",
                trace_context={"trace_id": self.trace_id},
                input={"advertiser": advertiser_id, "date": day, "domain": domain},
            )

    def _propagated(self) -> AbstractContextManager[Any]:
        """What every span of the trace carries; read by the SDK when a span starts."""
        from langfuse import propagate_attributes

        manager: AbstractContextManager[Any] = propagate_attributes(**self._attributes)
        return manager

    @contextmanager
    def generation(self, request: ModelRequest, prompt: Prompt) -> Iterator[Generation]:
        observation = None
        with _guarded(), self._propagated():
            observation = self._root.start_observation(
                name="gemini.generate",
                as_type="generation",
                model=request.model,
                model_parameters={"max_output_tokens": request.max_output_tokens, "thinking_level": request.thinking_level or "default"},
                input=[{"role": "system", "content": request.system}, {"role": "user", "content": request.user}],
                metadata={"prompt_name": prompt.name, "prompt_version": prompt.version},
                prompt=_link(prompt),
            )
        if observation is None:
            yield _NoGeneration()
            return
        try:
            yield _LangfuseGeneration(observation, self._session)
        finally:
            with _guarded():
                observation.end()

    def score(self, name: str, value: float, comment: str = "") -> None:
        with _guarded():
            self._session.client.create_score(
                trace_id=self.trace_id, name=name, value=value, data_type="NUMERIC", comment=self._session.masker.text(comment) or None
            )

    def finish(self, output: Mapping[str, object]) -> None:
        with _guarded():
            self._root.update(output=dict(output))

    def fail(self, error: BaseException) -> None:
        with _guarded():
            self._root.update(level="ERROR", status_message=self._session.masker.text(f"{type(error).__name__}: {error}"))

    def end(self) -> None:
        with _guarded():
            self._root.end()


class _LangfuseGeneration:
    def __init__(self, observation: Any, session: LangfuseSession) -> None:
        self._observation = observation
        self._masker = session.masker

    def record(self, reply: ModelReply) -> None:
        with _guarded():
            self._observation.update(output=reply.text, **_use(reply))

    def fail(self, error: LLMError) -> None:
        with _guarded():
            use = _use(error.reply) if error.reply is not None else {}
            self._observation.update(level="ERROR", status_message=self._masker.text(f"{error.kind}: {error}"), **use)


def _use(reply: ModelReply) -> dict[str, Any]:
    """Usage with keys that exclude each other (Langfuse adds them up); cost only where it is known."""
    usage = {
        "input": reply.input_tokens - reply.cached_tokens,
        "input_cached_tokens": reply.cached_tokens,
        "output": reply.output_tokens - reply.thought_tokens,
        "output_reasoning_tokens": reply.thought_tokens,
        "total": reply.input_tokens + reply.output_tokens,
    }
    cost = {} if reply.cost_usd is None else {"cost_details": {"total": reply.cost_usd}}
    return {"model": reply.model, "usage_details": usage, "metadata": {"finish_reason": reply.finish_reason}, **cost}


def _link(prompt: Prompt) -> Any:
    """What the SDK wants to link a generation to a prompt's version; None for packaged prompts, which Langfuse does not know."""
    store, _, version = prompt.version.partition(":")
    if store != "langfuse":
        return None
    from langfuse.api import Prompt_Text
    from langfuse.model import TextPromptClient

    return TextPromptClient(Prompt_Text(name=prompt.name, version=int(version), prompt=prompt.text, config={}, labels=[], tags=[]))


@contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except Exception:
        # Around calls of the SDK only: whatever it raises costs a trace, never the analysis that is traced.
        log.warning("a trace to Langfuse was lost", exc_info=log.isEnabledFor(logging.DEBUG))


@contextmanager
def open_tracer(settings: Settings, run_id: str) -> Iterator[AgentTracer]:
    """The tracer of a run. What is left is sent at the end, for 3 s at most."""
    with open_langfuse(settings) as session:
        if session is not None:
            log.info("run %s is traced to %s", run_id, session.base_url)
        yield NoTracer() if session is None else LangfuseTracer(session)
