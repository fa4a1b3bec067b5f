"""What went wrong with a model call, in the classes of `port.FailureKind`. The only place that knows how Google says it.

Two ways to fail: an exception (no usable HTTP answer) and a 200 whose content is no answer. Facts behind every line: wire measurements with
google-genai 3.4 (attempts=1, httpx2 transport). Retry, breaker and limits will act on the kinds; none of that lives here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from marketing_agents.llm.port import FailureKind, LLMError

if TYPE_CHECKING:
    from google.genai.errors import APIError
    from google.genai.types import GenerateContentResponse

    from marketing_agents.llm.masking import Masker

_LONGEST_DETAIL = 300

_BLOCKED = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "LANGUAGE", "IMAGE_SAFETY", "ESCALATION"},
)
_NEXT_STEP = {
    FailureKind.AUTH: "check GEMINI_API_KEY, or for Vertex AI the credentials and their role `roles/aiplatform.user`",
    FailureKind.QUOTA_DAY: "the quota of the day is used up; raise it or wait for its reset",
    FailureKind.BAD_REQUEST: "check the model's name and settings in domain.yaml or the prompt's config",
}


def call_errors() -> tuple[type[Exception], ...]:
    """What a call may raise without a bug of ours: Google's answers, transport, credentials, and answers the SDK cannot read."""
    import httpx2
    from google.auth.exceptions import GoogleAuthError
    from google.genai.errors import APIError
    from pydantic import ValidationError

    # ValidationError: the request is built before the call, so inside the call it can only be the answer that does not fit.
    return APIError, httpx2.HTTPError, TimeoutError, ConnectionError, json.JSONDecodeError, GoogleAuthError, ValidationError


def classify_failure(error: Exception, *, model: str, masker: Masker) -> LLMError:
    """The LLMError for an exception of `call_errors()`. The message names model, cause and next step, and holds no secret."""
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.genai.errors import APIError

    if isinstance(error, APIError):
        kind, retry_after_s = _kind_of_answer(error)
        cause = f"{error.code} {error.status or ''}".strip() + f": {error.message or 'no message'}"
    else:
        retry_after_s = None
        # Token endpoint out of reach is a matter of the network; anything else about credentials is a matter of credentials.
        is_auth = isinstance(error, GoogleAuthError) and not isinstance(error, TransportError) and not error.retryable
        kind = FailureKind.AUTH if is_auth else FailureKind.UNAVAILABLE
        cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if isinstance(error, TimeoutError):
            cause = "no answer within the time limit"
    step = _NEXT_STEP.get(kind)
    cause = masker.text(" ".join(cause.split())[:_LONGEST_DETAIL])
    return LLMError(kind, f"{model}: {cause}" + (f" ({step})" if step else ""), retry_after_s=retry_after_s)


def _kind_of_answer(error: APIError) -> tuple[FailureKind, float | None]:
    details = list(_details(error))
    if error.code in (401, 403) or any(d.get("reason") == "API_KEY_INVALID" for d in details):
        return FailureKind.AUTH, None
    if error.code == 429:
        quotas = [str(v.get("quotaId", "")) for d in details for v in _dicts(d.get("violations"))]
        if any("PerDay" in quota for quota in quotas):
            return FailureKind.QUOTA_DAY, None
        return FailureKind.RATE_LIMITED, _retry_hint(error, details)
    if error.code in (408, 499) or error.code >= 500:
        return FailureKind.UNAVAILABLE, _retry_hint(error, details)
    return FailureKind.BAD_REQUEST, None


def _details(error: APIError) -> Iterator[Mapping[str, Any]]:
    body = error.details
    inner = body.get("error") if isinstance(body, Mapping) else None
    return _dicts(inner.get("details") if isinstance(inner, Mapping) else None)


def _dicts(value: object) -> Iterator[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())


def _retry_hint(error: APIError, details: list[Mapping[str, Any]]) -> float | None:
    """Seconds that the server asks to wait: RetryInfo in the body first, then Retry-After (seconds, or a date against the answer's own)."""
    for detail in details:
        delay = str(detail.get("retryDelay", ""))
        if delay.endswith("s"):
            return _seconds(delay[:-1])
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    after = headers.get("Retry-After", "")
    seconds = _seconds(after)
    if seconds is not None or not after:
        return seconds
    try:
        return max(0.0, (parsedate_to_datetime(after) - parsedate_to_datetime(headers.get("Date", ""))).total_seconds())
    except (TypeError, ValueError):
        return None


def _seconds(text: str) -> float | None:
    try:
        return max(0.0, float(text))
    except ValueError:
        return None


def usable_text(response: GenerateContentResponse, *, model: str) -> str:
    """The answer's text. Whether it is the JSON that was asked for is the caller's check, since a repair needs its text.

    Raises:
        LLMError: BLOCKED, TRUNCATED, or BAD_OUTPUT when there is no text.
    """
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason is not None:
        raise LLMError(FailureKind.BLOCKED, f"{model}: the prompt was blocked ({_name(feedback.block_reason)})")
    candidate = response.candidates[0] if response.candidates else None
    if candidate is None:
        raise LLMError(FailureKind.BAD_OUTPUT, f"{model}: answered without a candidate")
    finish = _name(candidate.finish_reason) if candidate.finish_reason is not None else "STOP"
    if finish in _BLOCKED:
        raise LLMError(FailureKind.BLOCKED, f"{model}: the answer was blocked ({finish})")
    if finish == "MAX_TOKENS":
        raise LLMError(FailureKind.TRUNCATED, f"{model}: the answer did not fit into max_output_tokens")
    parts = (candidate.content.parts or []) if candidate.content is not None else []
    text = "".join(part.text for part in parts if part.text and not part.thought).strip()
    if not text:
        raise LLMError(FailureKind.BAD_OUTPUT, f"{model}: answered without text (finish reason {finish})")
    return _unfenced(text)


def _name(value: object) -> str:
    return str(getattr(value, "value", value))


def _unfenced(text: str) -> str:
    """Models wrap JSON in a Markdown fence now and then, also when asked for JSON."""
    if not (text.startswith("```") and text.endswith("```")):
        return text
    first_line, _, rest = text.partition("\n")
    return rest[: -len("```")].strip() if first_line in ("```", "```json", "```JSON") else text
