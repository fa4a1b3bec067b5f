"""What agents ask of a model, a prompt store and a tracer, and how a model call fails."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol

from marketing_agents.rules.finding import Frozen


class FailureKind(StrEnum):
    """Classes of failure; what each means is decided in one place (research llm.md 1.3)."""

    NOT_CONFIGURED = "not_configured"
    AUTH = "auth"
    BAD_REQUEST = "bad_request"
    RATE_LIMITED = "rate_limited"
    QUOTA_DAY = "quota_day"
    UNAVAILABLE = "unavailable"
    BAD_OUTPUT = "bad_output"
    TRUNCATED = "truncated"
    BLOCKED = "blocked"
    OVER_BUDGET = "over_budget"


class LLMError(Exception):
    """A model call that did not give a usable answer. Never a bug of ours: those keep their own types and fail the run.

    `reply`: what an answer that came but is of no use has cost (cut off, blocked, empty); None when nothing came.
    """

    def __init__(self, kind: FailureKind, message: str, *, retry_after_s: float | None = None, reply: ModelReply | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_s = retry_after_s
        self.reply = reply


class Prompt(Frozen):
    """A prompt as pinned for a run. `version` is 'packaged:<hash>' or 'langfuse:<n>'."""

    name: str
    version: str
    text: str
    model: str | None = None
    max_output_tokens: int | None = None
    thinking_level: str | None = None


class ModelRequest(Frozen):
    """One structured request. `schema_` is a sanitised JSON schema with this request's ids pinned as enums."""

    model: str
    system: str
    user: str
    schema_: dict[str, object]
    max_output_tokens: int
    thinking_level: str | None = None
    timeout_s: float = 60.0


class ModelReply(Frozen):
    """Text of the answer (JSON) and what it used. `input_tokens` includes cached ones; `output_tokens` includes thoughts."""

    text: str
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    thought_tokens: int = 0
    cost_usd: float | None = None
    latency_s: float = 0.0
    finish_reason: str = "STOP"


class TextModel(Protocol):
    async def generate(self, request: ModelRequest) -> ModelReply:
        """Raises LLMError when there is no usable answer."""
        ...


class PromptSource(Protocol):
    def get(self, name: str, *, label: str | None, packaged: str) -> Prompt:
        """The prompt by name and label, or the packaged text when there is no prompt store or it fails. Never raises for that."""
        ...


class Generation(Protocol):
    def record(self, reply: ModelReply) -> None: ...
    def fail(self, error: LLMError) -> None: ...


class AgentSpan(Protocol):
    trace_id: str | None
    trace_url: str | None

    def generation(self, request: ModelRequest, prompt: Prompt) -> AbstractContextManager[Generation]: ...
    def score(self, name: str, value: float, comment: str = "") -> None: ...
    def finish(self, output: Mapping[str, object]) -> None: ...


class AgentTracer(Protocol):
    def agent(
        self, *, domain: str, advertiser_id: str, day: str, run_id: str, tags: tuple[str, ...] = ()
    ) -> AbstractContextManager[AgentSpan]:
        """One trace per partition and domain. A tracer that fails never raises and never delays exit by more than 3 s."""
        ...
