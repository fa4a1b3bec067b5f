"""Gemini's generateContent on the wire, for the Developer API and Vertex AI, with every fault that research has seen.

The answer text comes from `answer`, a function of the request, so that a test can say what the model writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from marketing_agents_tests.wire.server import Answer, Break, Reply, Request, WireServer

DEVELOPER_PATH = re.compile(r"^/v1(?:beta)?/models/(?P<model>[^/:]+):generateContent$")
VERTEX_PATH = re.compile(r"^/v1beta1/projects/[^/]+/locations/[^/]+/publishers/google/models/(?P<model>[^/:]+):generateContent$")
EXPRESS_PATH = re.compile(r"^/v1beta1/publishers/google/models/(?P<model>[^/:]+):generateContent$")

USAGE = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 200,
    "candidatesTokenCount": 100,
    "thoughtsTokenCount": 50,
    "totalTokenCount": 1150,
}


class FakeGemini(WireServer):
    """Answers like Gemini. `accepts_key` and `accepts_token` are the credentials it lets in (None = any)."""

    def __init__(
        self,
        answer: Callable[[dict[str, Any]], str] = lambda _: "{}",
        *,
        accepts_key: str | None = None,
        accepts_token: str | None = None,
        delay_s: float = 0.0,
    ) -> None:
        super().__init__()
        self._text = answer
        self._key = accepts_key
        self._token = accepts_token
        self._delay_s = delay_s

    def respond(self, request: Request) -> Answer:
        if request.path == "/token":
            # Where credentials of a Vertex test point to, in place of oauth2.googleapis.com.
            return Reply.of({"access_token": self._token or "ya29.fake-token", "expires_in": 3600, "token_type": "Bearer"})
        developer, vertex, express = (p.match(request.path) for p in (DEVELOPER_PATH, VERTEX_PATH, EXPRESS_PATH))
        match = developer or vertex or express
        if match is None:
            return error(404, "NOT_FOUND", f"no such method: {request.path}")
        if (developer or express) and not self._is_key(request):
            return error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [_reason("API_KEY_INVALID")])
        if vertex and not self._is_token(request):
            return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        body = answer_body(self._text(request.json()), model=match["model"])
        return Reply(200, json.dumps(body).encode(), {"x-gemini-service-tier": "standard"}, delay_s=self._delay_s)

    def _is_key(self, request: Request) -> bool:
        key = request.headers.get("x-goog-api-key")
        return key is not None and self._key in (None, key)

    def _is_token(self, request: Request) -> bool:
        token = request.headers.get("authorization", "")
        return token.startswith("Bearer ") and self._token in (None, token.removeprefix("Bearer "))


def answer_body(
    text: str | None, *, model: str = "gemini-3.8-flash", finish: str = "STOP", usage: dict[str, int] | None = None
) -> dict[str, Any]:
    """A 200 body with one candidate; `text=None` = a candidate without content."""
    content = {} if text is None else {"content": {"role": "model", "parts": [{"text": text}]}}
    return {
        "candidates": [{**content, "finishReason": finish, "index": 0}],
        "usageMetadata": USAGE if usage is None else usage,
        "modelVersion": model,
        "responseId": "response-1",
    }


def error(code: int, status: str, message: str, details: list[dict[str, Any]] | None = None, **headers: str) -> Reply:
    """Google's error body."""
    return Reply.of({"error": {"code": code, "status": status, "message": message, "details": details or []}}, code, **headers)


def _reason(reason: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def _retry_info(delay: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def _quota(quota_id: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota_id, "quotaValue": "250"}]}


_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel"
_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
HTML = Reply(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", content_type="text/html")


def _ok(text: str | None, finish: str = "STOP") -> Reply:
    return Reply.of(answer_body(text, finish=finish))


FAULTS: dict[str, Answer] = {
    "400": error(400, "INVALID_ARGUMENT", "Unknown name in generation_config"),
    "400_key": error(400, "INVALID_ARGUMENT", "API key not valid.", [_reason("API_KEY_INVALID")]),
    "401": error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    "403": error(403, "PERMISSION_DENIED", "The caller does not have permission"),
    "404": error(404, "NOT_FOUND", "models/gemini-9 is not found"),
    "429_hint": error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", [_quota(_MINUTE), _retry_info("7s")]),
    "429_header": error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", **{"Retry-After": "11"}),
    "429_bare": error(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later."),
    "429_day": error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", [_quota(_DAY), _retry_info("34s")]),
    "499": error(499, "CANCELLED", "The operation was cancelled."),
    "500": error(500, "INTERNAL", "An internal error has occurred."),
    "503": error(503, "UNAVAILABLE", "The model is overloaded."),
    "504": error(504, "DEADLINE_EXCEEDED", "Deadline expired."),
    "redirect": Reply(302, b"", {"Location": "https://example.invalid/"}),
    "html": HTML,
    "hang": Break("hang"),
    "reset": Break("reset"),
    "drip": Reply(200, json.dumps(answer_body("{}")).encode(), drip_s=8.0),
    "body_not_json": Reply(200, b"<html>maintenance</html>", content_type="text/html"),
    "body_number": Reply(200, b"3"),
    "body_binary": Reply(200, b"\xff\xfe\x00"),
    "body_wrong_types": Reply.of({"candidates": [{"content": {"parts": "text"}}]}),
    "empty_object": Reply.of({}),
    "empty_text": _ok(""),
    "no_content": _ok(None),
    "truncated": _ok('{"headline": "Cost per conv', "MAX_TOKENS"),
    "thoughts_ate_it": Reply.of(
        answer_body(None, finish="MAX_TOKENS", usage={"promptTokenCount": 10, "thoughtsTokenCount": 90, "totalTokenCount": 100})
    ),
    "safety": _ok(None, "SAFETY"),
    "recitation": _ok(None, "RECITATION"),
    "blocked_prompt": Reply.of(
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10}}
    ),
    "malformed": _ok(None, "MALFORMED_RESPONSE"),
    "answer_not_json": _ok("Sorry, I cannot help with that."),
    "answer_fenced": _ok('```json\n{"headline": "x"}\n```'),
    "answer_wrong_shape": _ok('{"headlines": 3}'),
}
