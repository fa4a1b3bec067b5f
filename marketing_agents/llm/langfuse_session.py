"""One Langfuse client per run, shared by prompts and tracing, that can neither break a run nor hold it up.

Measured with langfuse 5.0.4: with default settings a host that hangs blocks the end of the process for 107 s. Hence one question at the start
(is the host there, do the keys fit?) which switches Langfuse off for the run when the answer is no, large batches, and an end that waits 3 s at
most in a thread that the process does not wait for. Without keys langfuse is not even imported.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketing_agents.llm.masking import Masker, masker_of

if TYPE_CHECKING:
    from langfuse import Langfuse
    from opentelemetry.sdk.trace import TracerProvider

    from marketing_agents.settings import Settings

log = logging.getLogger(__name__)

CLOUD_URL = "https://cloud.langfuse.com"
REQUEST_TIMEOUT_S = 2
CLOSE_TIMEOUT_S = 3.0
# Also the batch size of scores: with the default of 15, a host that hangs is tried once per 15 scores.
_FLUSH_AT = 512


@dataclass(frozen=True)
class LangfuseSession:
    """A working connection to Langfuse. `project_id` is needed for links to traces; None when the host does not tell."""

    client: Langfuse
    provider: TracerProvider
    base_url: str
    project_id: str | None
    masker: Masker

    def trace_url(self, trace_id: str) -> str | None:
        """Address of a trace in the Langfuse UI; no request is made."""
        return f"{self.base_url.rstrip('/')}/project/{self.project_id}/traces/{trace_id}" if self.project_id else None


class _Shared:
    """The session of one public key and how many users it has. The SDK keeps one client per public key and process, so we must too."""

    def __init__(self) -> None:
        self.session: LangfuseSession | None = None
        self.users = 0


_shared: dict[str, _Shared] = {}
_lock = threading.Lock()


@contextmanager
def open_langfuse(settings: Settings) -> Iterator[LangfuseSession | None]:
    """The run's Langfuse session, or None without keys or when the host does not answer (said once in the log). Never raises for that.

    Opened twice at the same time (prompts and tracing) it is the same session; the last one out closes it.
    """
    if settings.langfuse_public_key is None or settings.langfuse_secret_key is None:
        yield None
        return
    key = settings.langfuse_public_key.get_secret_value()
    with _lock:
        shared = _shared.setdefault(key, _Shared())
        if shared.users == 0:
            shared.session = _connect(settings)
        shared.users += 1
    try:
        yield shared.session
    finally:
        with _lock:
            shared.users -= 1
            if shared.users == 0:
                del _shared[key]
                if shared.session is not None:
                    _close(shared.session, key)


def _connect(settings: Settings) -> LangfuseSession | None:
    from langfuse import Langfuse
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    assert settings.langfuse_public_key is not None
    assert settings.langfuse_secret_key is not None
    masker = masker_of(settings)
    base_url = settings.langfuse_base_url or CLOUD_URL
    provider = TracerProvider(resource=Resource.create({"service.name": "marketing-agents"}), shutdown_on_exit=False)
    public_key = settings.langfuse_public_key.get_secret_value()
    try:
        client = Langfuse(
            public_key=public_key,
            secret_key=settings.langfuse_secret_key.get_secret_value(),
            base_url=base_url,
            timeout=REQUEST_TIMEOUT_S,
            flush_at=_FLUSH_AT,
            flush_interval=2.0,
            mask=lambda *, data, **_: masker.data(data),
            tracer_provider=provider,
        )
    except Exception as error:  # noqa: BLE001 - whatever the SDK does not like about keys, address or environment, the run goes on
        log.warning("Langfuse is off for this run: %s", masker.text(f"{type(error).__name__}: {error}"))
        return None
    try:
        projects = client.api.projects.get(request_options={"timeout_in_seconds": REQUEST_TIMEOUT_S, "max_retries": 0})
    except Exception as error:  # noqa: BLE001 - the SDK raises what its transport raises; none of it may reach the run
        status = getattr(error, "status_code", None)
        cause = f"answered {status}" if status is not None else type(error).__name__
        log.warning("Langfuse is off for this run: %s %s; check LANGFUSE_BASE_URL and the keys", masker.text(base_url), cause)
        _close(LangfuseSession(client, provider, base_url, None, masker), public_key)
        return None
    project_id = projects.data[0].id if projects.data else None
    return LangfuseSession(client, provider, base_url, project_id, masker)


def _close(session: LangfuseSession, public_key: str) -> None:
    """Send what is left, for 3 s at most. What a host does not take in that time is dropped: our own records do not depend on it."""

    def finish() -> None:
        session.client.shutdown()
        session.provider.shutdown()

    thread = threading.Thread(target=finish, name="langfuse-close", daemon=True)
    thread.start()
    thread.join(CLOSE_TIMEOUT_S)
    if thread.is_alive():
        log.warning("Langfuse did not take all traces within %.0f s; the rest is dropped", CLOSE_TIMEOUT_S)
    _forget(public_key)


def _forget(public_key: str) -> None:
    """Take the closed client out of the SDK's registry: a later run in this process would get it back, closed, with its old address."""
    from langfuse._client.resource_manager import LangfuseResourceManager

    # No public call does this for one client only; `reset()` waits for every client while it holds the registry's lock.
    LangfuseResourceManager._instances.pop(public_key, None)  # noqa: SLF001
