"""The Gemini adapter with the real google-genai client against a wire server: both APIs, every fault, no secret anywhere."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback
from datetime import date
from pathlib import Path

import pytest

from marketing_agents.llm.gemini import open_model
from marketing_agents.llm.port import FailureKind, LLMError, ModelReply, ModelRequest
from marketing_agents.settings import Settings, SettingsError
from marketing_agents_tests.wire.fake_gemini import FAULTS, FakeGemini, answer_body, error
from marketing_agents_tests.wire.server import Reply, refused_url

KEY = "AIzaSyTESTKEY-not-a-real-one-000000000000"
TODAY = date(2026, 11, 21)
REQUEST = ModelRequest(
    model="gemini-3.8-flash",
    system="You write.",
    user="Facts.",
    schema_={"type": "object", "properties": {"headline": {"type": "string"}}},
    max_output_tokens=512,
    thinking_level="low",
    timeout_s=0.5,
)


def developer(url: str, **overrides: object) -> Settings:
    return Settings(gemini_api_key=KEY, gemini_base_url=url, **overrides)


async def ask(settings: Settings, request: ModelRequest = REQUEST) -> ModelReply:
    async with open_model(settings, today=TODAY) as model:
        assert model is not None
        return await model.generate(request)


async def fail(settings: Settings, request: ModelRequest = REQUEST) -> LLMError:
    with pytest.raises(LLMError) as caught:
        await ask(settings, request)
    return caught.value


async def test_answer_usage_and_cost_of_the_developer_api() -> None:
    with FakeGemini(lambda _: '{"headline": "x"}', accepts_key=KEY) as server:
        reply = await ask(developer(server.url))
        sent = server.requests[0]
    assert json.loads(reply.text) == {"headline": "x"}
    assert (reply.input_tokens, reply.cached_tokens, reply.output_tokens, reply.thought_tokens) == (1000, 200, 150, 50)
    # 800 fresh at 0.75, 200 cached at 0.075, 150 out (thoughts included) at 3.75 per million.
    assert reply.cost_usd == pytest.approx((800 * 0.75 + 200 * 0.075 + 150 * 3.75) / 1e6)
    assert reply.model == "gemini-3.8-flash"
    body = sent.json()
    assert body["generationConfig"]["responseJsonSchema"] == REQUEST.schema_
    assert body["generationConfig"]["maxOutputTokens"] == 512
    assert body["systemInstruction"]["parts"][0]["text"] == "You write."
    assert json.dumps(body["generationConfig"]["thinkingConfig"]).upper().count('"LOW"') == 1


async def test_vertex_uses_application_default_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with FakeGemini(lambda _: '{"headline": "x"}', accepts_token="ya29.vertex-test-token") as server:
        credentials = tmp_path / "adc.json"
        secrets = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
        credentials.write_text(json.dumps({"type": "authorized_user", "token_uri": f"{server.url}/token", **secrets}))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(credentials))
        # A key in the environment must not turn a Vertex project into express mode or the Developer API.
        monkeypatch.setenv("GEMINI_API_KEY", KEY)
        # google-auth refreshes at oauth2.googleapis.com whatever the file says, so the endpoint is pointed at the server.
        monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{server.url}/token")
        settings = Settings(use_vertexai=True, google_cloud_project="p1", google_cloud_location="europe-west1", gemini_base_url=server.url)
        reply = await ask(settings, REQUEST.model_copy(update={"timeout_s": 5.0}))
        path = server.requests[-1].path
    assert path == "/v1beta1/projects/p1/locations/europe-west1/publishers/google/models/gemini-3.8-flash:generateContent"
    assert reply.cost_usd is None, "Vertex AI prices are not in the table"


async def test_vertex_express_uses_the_key() -> None:
    with FakeGemini(accepts_key=KEY) as server:
        await ask(developer(server.url, use_vertexai=True))
        assert server.requests[-1].path == "/v1beta1/publishers/google/models/gemini-3.8-flash:generateContent"


async def test_vertex_without_credentials_is_a_matter_of_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    failure = await fail(Settings(use_vertexai=True, google_cloud_project="p1", gemini_base_url=refused_url()))
    assert failure.kind is FailureKind.AUTH


KINDS = {
    "400": FailureKind.BAD_REQUEST,
    "400_key": FailureKind.AUTH,
    "401": FailureKind.AUTH,
    "403": FailureKind.AUTH,
    "404": FailureKind.BAD_REQUEST,
    "429_hint": FailureKind.RATE_LIMITED,
    "429_header": FailureKind.RATE_LIMITED,
    "429_bare": FailureKind.RATE_LIMITED,
    "429_day": FailureKind.QUOTA_DAY,
    "499": FailureKind.UNAVAILABLE,
    "500": FailureKind.UNAVAILABLE,
    "503": FailureKind.UNAVAILABLE,
    "504": FailureKind.UNAVAILABLE,
    "redirect": FailureKind.BAD_REQUEST,
    "html": FailureKind.UNAVAILABLE,
    "hang": FailureKind.UNAVAILABLE,
    "reset": FailureKind.UNAVAILABLE,
    "drip": FailureKind.UNAVAILABLE,
    "body_not_json": FailureKind.UNAVAILABLE,
    "body_number": FailureKind.UNAVAILABLE,
    "body_binary": FailureKind.UNAVAILABLE,
    "body_wrong_types": FailureKind.UNAVAILABLE,
    "empty_object": FailureKind.BAD_OUTPUT,
    "empty_text": FailureKind.BAD_OUTPUT,
    "no_content": FailureKind.BAD_OUTPUT,
    "malformed": FailureKind.BAD_OUTPUT,
    "truncated": FailureKind.TRUNCATED,
    "thoughts_ate_it": FailureKind.TRUNCATED,
    "safety": FailureKind.BLOCKED,
    "recitation": FailureKind.BLOCKED,
    "blocked_prompt": FailureKind.BLOCKED,
}
ANSWERED = {
    "answer_not_json": "Sorry, I cannot help with that.",
    "answer_fenced": '{"headline": "x"}',
    "answer_wrong_shape": '{"headlines": 3}',
}


def test_every_fault_of_the_fake_is_expected_here() -> None:
    assert set(FAULTS) == KINDS.keys() | ANSWERED.keys()


# The two APIs share the transport and the shape of errors, so Vertex AI needs only the faults that differ in meaning.
CASES = [
    *((fault, "developer") for fault in KINDS),
    *((fault, "express") for fault in ("401", "429_bare", "503", "truncated", "blocked_prompt")),
]


@pytest.mark.parametrize(("fault", "api"), CASES)
async def test_fault(fault: str, api: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeGemini() as server:
        server.script(FAULTS[fault])
        started = time.perf_counter()
        failure = await fail(developer(server.url, use_vertexai=api == "express"))
        took_s = time.perf_counter() - started
        asked = len(server.requests)
    assert failure.kind is KINDS[fault]
    assert asked == 1, "one attempt: retries belong to our own layer"
    assert took_s < 3
    assert "gemini-3.8-flash" in str(failure), "the message names the model"
    everything = "".join(traceback.format_exception(failure)) + caplog.text + repr(failure.__dict__)
    assert KEY not in everything


@pytest.mark.parametrize(("fault", "text"), ANSWERED.items())
async def test_an_answer_of_the_wrong_shape_is_left_to_the_agent(fault: str, text: str) -> None:
    """Validation and the repair prompt need the text, so it is no failure of the call; a Markdown fence is taken off."""
    with FakeGemini() as server:
        server.script(FAULTS[fault])
        assert (await ask(developer(server.url))).text == text


async def test_refused_connection_is_unavailable() -> None:
    assert (await fail(developer(refused_url()))).kind is FailureKind.UNAVAILABLE


@pytest.mark.parametrize(("fault", "seconds"), [("429_hint", 7.0), ("429_header", 11.0), ("429_bare", None), ("503", None)])
async def test_the_hint_of_the_server_is_kept(fault: str, seconds: float | None) -> None:
    with FakeGemini() as server:
        server.script(FAULTS[fault])
        assert (await fail(developer(server.url))).retry_after_s == seconds


async def test_retry_after_as_a_date_counts_from_the_answers_own_date() -> None:
    with FakeGemini() as server:
        later = error(503, "UNAVAILABLE", "busy", **{"Retry-After": "Sat, 21 Nov 2099 10:00:30 GMT"})
        server.script(later)
        failure = await fail(developer(server.url))
    assert failure.retry_after_s is not None
    assert failure.retry_after_s > 0


async def test_a_useless_answer_says_what_it_cost() -> None:
    with FakeGemini() as server:
        server.script(FAULTS["truncated"])
        failure = await fail(developer(server.url))
    assert failure.reply is not None
    assert failure.reply.cost_usd is not None
    assert failure.reply.finish_reason == "MAX_TOKENS"


async def test_an_echoed_key_and_personal_data_are_masked() -> None:
    with FakeGemini() as server:
        server.script(error(400, "INVALID_ARGUMENT", f"key {KEY} of jane.doe@example.com is wrong"))
        failure = await fail(developer(server.url))
    assert KEY not in "".join(traceback.format_exception(failure))
    assert "jane.doe" not in str(failure)
    assert "[secret]" in str(failure)


async def test_unknown_model_has_no_cost_and_the_served_version_is_recorded() -> None:
    with FakeGemini() as server:
        server.script(Reply.of(answer_body("{}", model="gemini-9-ultra")))
        reply = await ask(developer(server.url))
    assert reply.model == "gemini-9-ultra"
    assert reply.cost_usd is None


def test_many_event_loops_in_one_process() -> None:
    """A Dagster process runs `asyncio.run` per step: the second must not meet a client of the first."""
    with FakeGemini() as server:
        for _ in range(3):
            assert asyncio.run(ask(developer(server.url))).text == "{}"


async def test_cancelling_is_not_a_failure_of_the_model() -> None:
    with FakeGemini() as server:
        server.script(FAULTS["hang"])
        task = asyncio.create_task(ask(developer(server.url), REQUEST.model_copy(update={"timeout_s": 30.0})))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_calls_run_at_once_up_to_the_setting() -> None:
    with FakeGemini(delay_s=0.3) as server:
        async with open_model(developer(server.url, max_concurrent_agents=100), today=TODAY) as model:
            assert model is not None
            request = REQUEST.model_copy(update={"timeout_s": 20.0})
            started = time.perf_counter()
            await asyncio.gather(*(model.generate(request) for _ in range(100)))
            assert time.perf_counter() - started < 8, "one after another would take 40 s"


async def test_a_schema_that_is_not_json_is_a_bug_and_no_failure() -> None:
    with FakeGemini() as server, pytest.raises(TypeError):
        await ask(developer(server.url), REQUEST.model_copy(update={"schema_": {"type": object()}}))


async def test_without_a_key_there_is_no_model() -> None:
    async with open_model(Settings(), today=TODAY) as model:
        assert model is None
    async with open_model(Settings(writer="template", gemini_api_key=KEY), today=TODAY) as model:
        assert model is None


@pytest.mark.parametrize("settings", [{"writer": "gemini"}, {"writer": "gemini", "use_vertexai": True}])
async def test_a_model_asked_for_without_key_or_project_says_what_to_set(settings: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="set G"):
        await ask(Settings(**settings))
