"""A small HTTP server on loopback that fakes of cloud services are made of: it answers, records, and breaks on demand.

Real clients talk to it over real sockets. Scripted faults come first: each has a condition and a number of times; what no fault answers goes to
the fake's own `respond`. Every hang ends when the server stops, so a test never waits for one.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Reply:
    """What goes back. `drip_s` spreads the body over that many seconds; `delay_s` waits before the first byte."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    delay_s: float = 0.0
    drip_s: float = 0.0

    @classmethod
    def of(cls, data: object, status: int = 200, **headers: str) -> Reply:
        return cls(status, json.dumps(data).encode(), headers)


@dataclass(frozen=True)
class Break:
    """No HTTP answer at all: `hang` keeps the connection open in silence, `reset` cuts it."""

    kind: Literal["hang", "reset"]


Answer = Reply | Break


@dataclass
class _Scripted:
    answer: Answer
    when: Callable[[Request], bool]
    times: int


class WireServer:
    """Base of the fakes. Use as a context manager; `url` is where it listens (the operating system picks the port)."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._script: list[_Scripted] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                # A client that gives up is what many tests are about: not worth a traceback.
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError):
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                """Silent: the recorded requests are the log."""

            def _serve(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, parts.path, parse_qs(parts.query), headers, self.rfile.read(length))
                outer._send(self, outer._answer(request))

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - names of the base class

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self._http = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def script(self, answer: Answer, *, times: int = 1_000_000, path: str = "", contains: str = "") -> None:
        """Answer the next `times` requests whose path and body contain the given text with `answer`."""
        self._script.append(_Scripted(answer, lambda r: path in r.path and contains in r.text, times))

    def respond(self, request: Request) -> Answer:
        """What the fake answers when no fault is scripted."""
        raise NotImplementedError

    def _answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            for entry in self._script:
                if entry.times > 0 and entry.when(request):
                    entry.times -= 1
                    return entry.answer
        return self.respond(request)

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        if isinstance(answer, Break):
            if answer.kind == "hang":
                self.stopping.wait(60)
            else:
                # Linger 0 makes close() send RST in place of FIN.
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.connection.close()
            handler.close_connection = True
            return
        if answer.delay_s:
            self.stopping.wait(answer.delay_s)
        handler.send_response(answer.status)
        for name, value in {"content-type": answer.content_type, **answer.headers}.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(answer.body)))
        handler.end_headers()
        if not answer.drip_s:
            handler.wfile.write(answer.body)
            return
        pieces = 20
        size = max(1, -(-len(answer.body) // pieces))
        for start in range(0, len(answer.body), size):
            if self.stopping.wait(answer.drip_s / pieces):
                break
            handler.wfile.write(answer.body[start : start + size])
            handler.wfile.flush()


def refused_url() -> str:
    """An address on loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
