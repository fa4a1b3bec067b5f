"""Prompts and traces with the real Langfuse client against a wire server: what arrives, and what a broken Langfuse costs (nothing)."""

from __future__ import annotations

import itertools
import json
import logging
import subprocess
import sys
import time

import pytest

from marketing_agents.llm.port import FailureKind, LLMError, ModelReply, ModelRequest, Prompt
from marketing_agents.llm.prompts import PackagedPrompts, open_prompts
from marketing_agents.llm.tracing import NoTracer, open_tracer
from marketing_agents.settings import Settings
from marketing_agents_tests.wire.fake_langfuse import PROJECT_ID, PROJECTS_PATH, PROMPTS_PATH, SCORES_PATH, TRACES_PATH, FakeLangfuse
from marketing_agents_tests.wire.server import Answer, Break, Reply, refused_url

SECRET = "sk-lf-11111111-2222-3333-4444-555555555555"
_numbers = itertools.count(1)

REQUEST = ModelRequest(model="gemini-3.8-flash", system="You write.", user="Mail jane.doe@example.com", schema_={}, max_output_tokens=512)
REPLY = ModelReply(
    text="{}", model="gemini-3.8-flash", input_tokens=1000, cached_tokens=200, output_tokens=150, thought_tokens=50, cost_usd=0.0012
)
PACKAGED = "Packaged text."


def new_key() -> str:
    """The SDK keeps a client per public key for the whole process, so every test has its own."""
    return f"pk-lf-test-{next(_numbers):04d}"


def settings_of(url: str, public_key: str) -> Settings:
    return Settings(langfuse_public_key=public_key, langfuse_secret_key=SECRET, langfuse_base_url=url)


def trace_one(
    settings: Settings, *, run_id: str = "run-1", prompt: Prompt | None = None, failure: LLMError | None = None
) -> tuple[str | None, str | None]:
    prompt = prompt or PackagedPrompts().get("budget_analysis_prompt", label=None, packaged=PACKAGED)
    with (
        open_tracer(settings, run_id) as tracer,
        tracer.agent(domain="budget", advertiser_id="acme", day="2026-11-20", run_id=run_id, tags=("daily",)) as span,
    ):
        with span.generation(REQUEST, prompt) as generation:
            if failure is None:
                generation.record(REPLY)
            else:
                generation.fail(failure)
        span.score("grounded", 1.0, "asked by jane.doe@example.com")
        span.finish({"writer": "model", "note": f"token {SECRET}"})
        return span.trace_id, span.trace_url


def test_a_trace_carries_run_advertiser_usage_cost_and_prompt() -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET) as server:
        prompt = Prompt(name="budget_analysis_prompt", version="langfuse:7", text="Live text.")
        trace_id, trace_url = trace_one(settings_of(server.url, key), prompt=prompt)
        spans = {span.name: span for span in server.spans}
        scores = server.scores
        url = server.url
    root, generation = spans["budget_agent"], spans["gemini.generate"]
    assert trace_url == f"{url}/project/{PROJECT_ID}/traces/{trace_id}"
    assert {root.trace_id, generation.trace_id} == {trace_id}
    assert generation.parent_id == root.span_id
    for span in (root, generation):
        assert span.attributes["user.id"] == "acme"
        assert span.attributes["session.id"] == "run-1"
        assert set(span.attributes["langfuse.trace.tags"]) == {"budget", "daily"}
    attributes = generation.attributes
    assert attributes["langfuse.observation.prompt.name"] == "budget_analysis_prompt"
    assert attributes["langfuse.observation.prompt.version"] == 7
    assert generation.json("langfuse.observation.usage_details") == {
        "input": 800,
        "input_cached_tokens": 200,
        "output": 100,
        "output_reasoning_tokens": 50,
        "total": 1150,
    }
    assert generation.json("langfuse.observation.cost_details") == {"total": 0.0012}
    assert [(s["name"], s["value"], s["traceId"]) for s in scores] == [("grounded", 1.0, trace_id)]


def test_the_trace_id_follows_from_run_partition_and_domain() -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET) as server:
        ids = [trace_one(settings_of(server.url, key), run_id=run)[0] for run in ("run-1", "run-1", "run-2")]
    assert ids[0] == ids[1] != ids[2]


def test_a_second_run_in_the_process_loses_neither_spans_nor_scores() -> None:
    """The SDK hands out a closed client again; the second run would lose its scores, and follow the first run's address."""
    key = new_key()
    with FakeLangfuse(key, SECRET) as first:
        trace_one(settings_of(first.url, key))
    with FakeLangfuse(key, SECRET) as second:
        trace_one(settings_of(second.url, key))
        assert len(second.spans) == 2
        assert len(second.scores) == 1


def test_packaged_prompts_are_not_linked() -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET) as server:
        trace_one(settings_of(server.url, key))
        assert not [span for span in server.spans if "langfuse.observation.prompt.name" in span.attributes]


def test_a_failed_generation_is_an_error_with_what_it_cost() -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET) as server:
        trace_one(settings_of(server.url, key), failure=LLMError(FailureKind.TRUNCATED, f"cut; {SECRET}", reply=REPLY))
        generation = next(span for span in server.spans if span.name == "gemini.generate")
    assert generation.attributes["langfuse.observation.level"] == "ERROR"
    assert generation.attributes["langfuse.observation.status_message"] == "truncated: cut; [secret]"
    assert generation.json("langfuse.observation.usage_details")["total"] == 1150


def test_an_exception_passes_through_and_marks_the_trace() -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET) as server:
        with (
            pytest.raises(ZeroDivisionError),
            open_tracer(settings_of(server.url, key), "r") as tracer,
            tracer.agent(domain="budget", advertiser_id="acme", day="2026-11-20", run_id="r"),
        ):
            raise ZeroDivisionError
        assert server.spans[0].attributes["langfuse.observation.level"] == "ERROR"


def test_secrets_and_personal_data_do_not_leave(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = new_key()
    with FakeLangfuse(key, SECRET) as server:
        trace_one(settings_of(server.url, key))
        sent = json.dumps([span.attributes for span in server.spans]) + json.dumps(server.scores)
    assert SECRET not in sent
    assert "jane.doe" not in sent
    assert "[email]" in sent
    assert SECRET not in caplog.text


BROKEN: dict[str, Answer] = {
    "401": Reply.of({"message": "Invalid credentials"}, 401),
    "404": Reply.of({"message": "not found"}, 404),
    "500": Reply.of({"message": "internal"}, 500),
    "html": Reply(502, b"<html>", content_type="text/html"),
    "not_json": Reply(200, b"<html>"),
    "hang": Break("hang"),
    "reset": Break("reset"),
}


@pytest.mark.parametrize("fault", [*BROKEN, "refused"])
def test_a_langfuse_that_is_down_from_the_start_costs_at_most_its_one_question(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET) as server:
        if fault != "refused":
            server.script(BROKEN[fault])
        settings = settings_of(refused_url() if fault == "refused" else server.url, key)
        started = time.perf_counter()
        trace_id, trace_url = trace_one(settings)
        took_s = time.perf_counter() - started
        asked = len(server.requests)
    assert (trace_id, trace_url) == (None, None)
    assert asked <= 1
    assert took_s < 3.5
    assert caplog.text.count("Langfuse is off for this run") == 1


@pytest.mark.parametrize("fault", ["401", "500", "reset"])
def test_a_langfuse_that_breaks_during_the_run_delays_its_end_by_3_s_at_most(fault: str) -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET) as server:
        server.script(BROKEN[fault], path=TRACES_PATH)
        server.script(BROKEN[fault], path=SCORES_PATH)
        started = time.perf_counter()
        trace_id, _ = trace_one(settings_of(server.url, key))
        took_s = time.perf_counter() - started
    assert trace_id is not None
    assert took_s < 3.9


def test_a_hanging_langfuse_does_not_hold_up_the_end_of_the_process() -> None:
    key = new_key()
    program = (
        "import sys, time\n"
        "from marketing_agents_tests.llm.test_langfuse import settings_of, trace_one\n"
        "start = time.perf_counter()\n"
        "import atexit; atexit.register(lambda: print(time.perf_counter() - start))\n"
        "trace_one(settings_of(sys.argv[1], sys.argv[2]))\n"
    )
    with FakeLangfuse(key, SECRET) as server:
        server.script(Break("hang"), path=TRACES_PATH)
        server.script(Break("hang"), path=SCORES_PATH)
        done = subprocess.run([sys.executable, "-c", program, server.url, key], capture_output=True, text=True, timeout=60, check=True)
    # From the first touch to the end of exit handlers: connect, import of the SDK (about 1 s) and the bounded end.
    assert float(done.stdout) < 6, done.stderr
    assert "did not take all traces" in done.stderr


PROMPTS = {
    ("budget_analysis_prompt", "production"): (
        12,
        "Live text.",
        {"model": "gemini-3.5-flash-lite", "max_output_tokens": 99_999, "thinking_level": "HIGH"},
    ),
    ("creative_analysis_prompt", "production"): (
        3,
        "Other.",
        {"model": "gpt-9", "max_output_tokens": "many", "thinking_level": "extreme", "x": 1},
    ),
    ("chat_prompt", "production"): (1, [{"role": "system", "content": "hi"}], {}),
    ("empty_prompt", "production"): (1, "  ", {}),
}


def test_a_prompt_comes_from_langfuse_once_and_its_config_is_clamped() -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET, PROMPTS) as server, open_prompts(settings_of(server.url, key)) as prompts:
        found = [prompts.get("budget_analysis_prompt", label="production", packaged=PACKAGED) for _ in range(5)]
        assert len(server.asked_for(PROMPTS_PATH)) == 1
    assert found[0] == Prompt(
        name="budget_analysis_prompt",
        version="langfuse:12",
        text="Live text.",
        model="gemini-3.5-flash-lite",
        max_output_tokens=8192,
        thinking_level="high",
    )
    assert all(prompt is found[0] for prompt in found)


def test_a_config_that_is_not_allowed_is_ignored_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET, PROMPTS) as server, open_prompts(settings_of(server.url, key)) as prompts:
        found = prompts.get("creative_analysis_prompt", label="production", packaged=PACKAGED)
    assert found == Prompt(name="creative_analysis_prompt", version="langfuse:3", text="Other.")
    assert all(word in caplog.text for word in ("gpt-9", "max_output_tokens", "thinking_level"))


@pytest.mark.parametrize("name", ["chat_prompt", "empty_prompt", "no_such_prompt"])
def test_a_prompt_that_is_no_use_is_replaced_by_the_packaged_text(name: str, caplog: pytest.LogCaptureFixture) -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET, PROMPTS) as server, open_prompts(settings_of(server.url, key)) as prompts:
        found = prompts.get(name, label="production", packaged=PACKAGED)
        # One prompt's fault is not the store's: the next is asked for.
        assert prompts.get("budget_analysis_prompt", label="production", packaged=PACKAGED).version == "langfuse:12"
    assert found == PackagedPrompts().get(name, label=None, packaged=PACKAGED)
    assert "the packaged text is used" in caplog.text


@pytest.mark.parametrize("fault", BROKEN)
def test_a_prompt_store_that_breaks_is_replaced_by_the_package(fault: str) -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET, PROMPTS) as server:
        server.script(BROKEN[fault], path=PROMPTS_PATH)
        with open_prompts(settings_of(server.url, key)) as prompts:
            started = time.perf_counter()
            names = ["budget_analysis_prompt", "creative_analysis_prompt", "x", "y"]
            found = [prompts.get(name, label="production", packaged=PACKAGED) for name in names]
            took_s = time.perf_counter() - started
    assert {prompt.version for prompt in found} == {PackagedPrompts().get("x", label=None, packaged=PACKAGED).version}
    assert took_s < 3.5, "a host that hangs is waited for once, not once per prompt"


def test_prompts_and_traces_share_one_client_and_its_one_question() -> None:
    key = new_key()
    with FakeLangfuse(key, SECRET, PROMPTS) as server:
        settings = settings_of(server.url, key)
        with open_prompts(settings) as prompts:
            prompt = prompts.get("budget_analysis_prompt", label="production", packaged=PACKAGED)
            trace_one(settings, prompt=prompt)
        assert len(server.asked_for(PROJECTS_PATH)) == 1
        assert len(server.spans) == 2


def test_without_keys_langfuse_is_not_even_imported() -> None:
    program = (
        "import sys\n"
        "from marketing_agents.llm.prompts import open_prompts\n"
        "from marketing_agents.llm.tracing import open_tracer\n"
        "from marketing_agents.settings import Settings\n"
        "with open_prompts(Settings()) as prompts, open_tracer(Settings(), 'r') as tracer:\n"
        "    assert prompts.get('n', label=None, packaged='t').version.startswith('packaged:')\n"
        "    with tracer.agent(domain='d', advertiser_id='a', day='2026-11-20', run_id='r') as span: span.score('s', 1.0)\n"
        "print([m for m in ('langfuse', 'opentelemetry', 'google.genai', 'httpx2') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_without_keys_nothing_is_traced() -> None:
    with open_tracer(Settings(), "r") as tracer:
        assert isinstance(tracer, NoTracer)
