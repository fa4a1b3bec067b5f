"""Langfuse on the wire: projects, prompts, traces over OTLP (decoded), scores."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from marketing_agents_tests.wire.server import Answer, Reply, Request, WireServer

PROJECT_ID = "project-1"
TRACES_PATH = "/api/public/otel/v1/traces"
SCORES_PATH = "/api/public/scores"
PROMPTS_PATH = "/api/public/v2/prompts/"
PROJECTS_PATH = "/api/public/projects"


@dataclass(frozen=True)
class Span:
    """A decoded span. Attributes are plain values; what Langfuse encodes as JSON is left encoded."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    attributes: dict[str, Any]

    def json(self, key: str) -> Any:
        return json.loads(self.attributes[key])


class FakeLangfuse(WireServer):
    """Lets in one pair of keys; `prompts` maps (name, label) to (version, text, config)."""

    def __init__(
        self, public_key: str, secret_key: str, prompts: dict[tuple[str, str], tuple[int, Any, dict[str, Any]]] | None = None
    ) -> None:
        super().__init__()
        self._authorization = "Basic " + base64.b64encode(f"{public_key}:{secret_key}".encode()).decode()
        self._prompts = prompts or {}

    def respond(self, request: Request) -> Answer:
        if request.headers.get("authorization") != self._authorization:
            return Reply.of({"message": "Invalid credentials"}, 401)
        if request.path == PROJECTS_PATH:
            organization = {"id": "org-1", "name": "org"}
            return Reply.of({"data": [{"id": PROJECT_ID, "name": "test", "organization": organization, "metadata": {}}]})
        if request.path.startswith(PROMPTS_PATH):
            return self._prompt(unquote(request.path.removeprefix(PROMPTS_PATH)), request.query.get("label", ["production"])[0])
        if request.path == TRACES_PATH:
            return Reply(200, b"", content_type="application/x-protobuf")
        if request.path == SCORES_PATH:
            return Reply.of({"message": "Accepted"}, 202)
        return Reply.of({"message": f"no such path {request.path}"}, 404)

    def _prompt(self, name: str, label: str) -> Reply:
        if (name, label) not in self._prompts:
            return Reply.of({"message": f"Prompt not found: '{name}' with label '{label}'", "error": "LangfuseNotFoundError"}, 404)
        version, text, config = self._prompts[(name, label)]
        kind = "text" if isinstance(text, str) else "chat"
        common = {"id": f"{name}-{version}", "name": name, "version": version, "labels": [label], "tags": []}
        return Reply.of({**common, "type": kind, "prompt": text, "config": config})

    def asked_for(self, path: str) -> list[Request]:
        return [r for r in self.requests if r.path.startswith(path)]

    @property
    def scores(self) -> list[dict[str, Any]]:
        return [score for request in self.asked_for(SCORES_PATH) for score in request.json()]

    @property
    def spans(self) -> list[Span]:
        return [span for request in self.asked_for(TRACES_PATH) for span in _decode(request)]


def _decode(request: Request) -> list[Span]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
    message = ExportTraceServiceRequest.FromString(body)
    return [
        Span(s.trace_id.hex(), s.span_id.hex(), s.parent_span_id.hex(), s.name, {a.key: _value(a.value) for a in s.attributes})
        for resource in message.resource_spans
        for scope in resource.scope_spans
        for s in scope.spans
    ]


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None
