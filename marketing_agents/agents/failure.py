"""Which exceptions of a domain are operational (answered by the template, recorded) and which are bugs (they fail the run).

The one place that decides. Operational: `LLMError`, and from a port everything that says "the outside did not answer": OSError, TimeoutError,
RuntimeError, ValueError, exceptions of client libraries. Bugs: exceptions that say "this code is wrong". Cancellation is neither; it is a
BaseException and passes through.
"""

from __future__ import annotations

from dataclasses import dataclass

from marketing_agents.llm.masking import Masker
from marketing_agents.llm.port import FailureKind, LLMError

# NotImplementedError and RecursionError are RuntimeErrors, UnboundLocalError is a NameError, KeyError and IndexError are LookupErrors.
PROGRAMMING_ERRORS: tuple[type[Exception], ...] = (
    TypeError,
    AttributeError,
    NameError,
    LookupError,
    AssertionError,
    ImportError,
    NotImplementedError,
    RecursionError,
    ArithmeticError,
    SyntaxError,
    MemoryError,
)
MAX_MESSAGE_CHARS = 300
_MASKER = Masker()


@dataclass(frozen=True)
class Failure:
    """An operational failure: its kind (`unavailable`, `timeout`, or the exception's name) and what it said, secrets masked."""

    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


def operational_failure(error: Exception) -> Failure:
    """The failure that an exception of a port stands for.

    Raises:
        Exception: the error itself, when it is a bug.
    """
    if isinstance(error, LLMError):
        return Failure(error.kind.value, _message(error))
    if isinstance(error, PROGRAMMING_ERRORS):
        raise error
    if isinstance(error, TimeoutError):
        return Failure(FailureKind.UNAVAILABLE.value, _message(error) or "no answer in time")
    return Failure(type(error).__name__, _message(error))


def _message(error: Exception) -> str:
    text = " ".join(_MASKER.text(str(error)).split())
    return text if len(text) <= MAX_MESSAGE_CHARS else text[: MAX_MESSAGE_CHARS - 1] + "…"
