"""Where the agents' prompts come from: Langfuse by name and label when it is configured, else the text in the package.

A prompt is fetched once per run and pinned, so that all partitions of a run are written by the same version. What fails is answered by the
packaged text with a line in the log. Pushing, comparing and checking prompts, and A/B labels, will stand beside this file.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from marketing_agents.llm.langfuse_session import REQUEST_TIMEOUT_S, LangfuseSession, open_langfuse
from marketing_agents.llm.port import Prompt, PromptSource
from marketing_agents.llm.prices import PRICES

if TYPE_CHECKING:
    from langfuse.api.core import RequestOptions

    from marketing_agents.settings import Settings

log = logging.getLogger(__name__)

# A prompt's config is edited by people who see no bill: it may choose, but only inside these.
OUTPUT_TOKENS = (256, 8192)
THINKING_LEVELS = ("minimal", "low", "medium", "high")


class PackagedPrompts:
    """The prompts of the package. Version is `packaged:` and the first 8 digits of the text's SHA-256."""

    def get(self, name: str, *, label: str | None, packaged: str) -> Prompt:  # noqa: ARG002 - labels exist in a prompt store only
        return Prompt(name=name, version=f"packaged:{hashlib.sha256(packaged.encode()).hexdigest()[:8]}", text=packaged)


class LangfusePrompts:
    """Prompts of a Langfuse project, pinned for the life of this object. Version is `langfuse:<n>`.

    `allowed_models`: models that a prompt's config may choose. The first `get` of a name makes one request (2 s at most); once the host
    does not answer or is broken, no further request is made.
    """

    def __init__(self, session: LangfuseSession, *, allowed_models: frozenset[str]) -> None:
        self._session = session
        self._allowed_models = allowed_models
        self._packaged = PackagedPrompts()
        self._pinned: dict[tuple[str, str | None], Prompt] = {}
        self._lock = threading.Lock()
        self._is_down = False

    def get(self, name: str, *, label: str | None, packaged: str) -> Prompt:
        with self._lock:
            key = (name, label)
            if key not in self._pinned:
                self._pinned[key] = self._fetch(name, label) or self._packaged.get(name, label=label, packaged=packaged)
            return self._pinned[key]

    def _fetch(self, name: str, label: str | None) -> Prompt | None:
        if self._is_down:
            return None
        try:
            # Not `client.get_prompt(max_retries=0)`: below it the API client still tries a 5xx three times (3 s per prompt, measured with
            # langfuse 5.0.4), and its cache is of no use to prompts that are pinned here.
            options: RequestOptions = {"timeout_in_seconds": REQUEST_TIMEOUT_S, "max_retries": 0}
            found = self._session.client.api.prompts.get(quote(name, safe=""), label=label, request_options=options)
            text, version, config = found.prompt, found.version, found.config
        except Exception as error:  # noqa: BLE001 - the SDK raises what its transport raises; the packaged text answers all of it
            status = getattr(error, "status_code", None)
            self._is_down = status is None or status >= 500
            cause = f"answered {status}" if status is not None else type(error).__name__
            log.warning("prompt %s (label %s): Langfuse %s; the packaged text is used", name, label, cause)
            return None
        if not isinstance(text, str) or not text.strip():
            log.warning("prompt %s (label %s): version %s is no text prompt; the packaged text is used", name, label, version)
            return None
        return Prompt(name=name, version=f"langfuse:{version}", text=text, **self._clamped(name, config))

    def _clamped(self, name: str, config: object) -> dict[str, Any]:
        """The settings of a prompt's config that are known and allowed; the rest is said in the log and left out."""
        if not isinstance(config, Mapping):
            return {}
        model, tokens, level = config.get("model"), config.get("max_output_tokens"), config.get("thinking_level")
        clamped: dict[str, Any] = {}
        if isinstance(model, str) and model in self._allowed_models:
            clamped["model"] = model
        elif model is not None:
            log.warning("prompt %s: model %r of its config is not allowed and is ignored", name, model)
        if isinstance(tokens, int) and not isinstance(tokens, bool):
            clamped["max_output_tokens"] = min(max(tokens, OUTPUT_TOKENS[0]), OUTPUT_TOKENS[1])
        elif tokens is not None:
            log.warning("prompt %s: max_output_tokens %r of its config is no whole number and is ignored", name, tokens)
        if isinstance(level, str) and level.lower() in THINKING_LEVELS:
            clamped["thinking_level"] = level.lower()
        elif level is not None:
            log.warning(
                "prompt %s: thinking_level %r of its config is not one of %s and is ignored", name, level, ", ".join(THINKING_LEVELS)
            )
        return clamped


@contextmanager
def open_prompts(settings: Settings) -> Iterator[PromptSource]:
    """The prompt source of a run: Langfuse with keys, else the package. Never fails for Langfuse's sake."""
    with open_langfuse(settings) as session:
        yield PackagedPrompts() if session is None else LangfusePrompts(session, allowed_models=frozenset({*PRICES, settings.model}))
