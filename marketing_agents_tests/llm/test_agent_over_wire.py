"""A domain agent with the real Gemini and Langfuse clients over the wire: whatever breaks, the analysis is complete and says what happened."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import date

import pytest

from marketing_agents.agents.analysis import DomainAnalysis
from marketing_agents.agents.graph import analyse_all
from marketing_agents.agents.request import AgentDeps
from marketing_agents.llm.gemini import open_model
from marketing_agents.llm.prompts import open_prompts
from marketing_agents.llm.tracing import open_tracer
from marketing_agents.settings import Settings
from marketing_agents_tests.agents import scenes
from marketing_agents_tests.wire.fake_gemini import FAULTS, FakeGemini, answer_body
from marketing_agents_tests.wire.fake_langfuse import FakeLangfuse
from marketing_agents_tests.wire.server import Reply

KEY = "AIzaSyTESTKEY-not-a-real-one-000000000000"
SECRET = "sk-lf-99999999-2222-3333-4444-555555555555"
GOOD = scenes.answer(scenes.good_group())


def run(settings: Settings, copies: int = 1, *, timeout_s: float = 0.5) -> list[DomainAnalysis]:
    """What an asset does: open the ports, run the agents of the step, close."""

    async def agents() -> list[DomainAnalysis]:
        with open_prompts(settings) as prompts, open_tracer(settings, "run-1") as tracer:
            async with open_model(settings, today=date(2026, 11, 21)) as model:
                deps = AgentDeps(writer_model=model, prompts=prompts, tracer=tracer, model_timeout_s=timeout_s, run_id="run-1")
                requests = [scenes.request(scenes.cpa_finding()) for _ in range(copies)]
                return await analyse_all(requests, deps, max_concurrent=settings.max_concurrent_agents)

    return asyncio.run(agents())


def gemini_settings(url: str, **overrides: object) -> Settings:
    return Settings(gemini_api_key=KEY, gemini_base_url=url, **overrides)


def test_the_model_writes_under_a_prompt_of_langfuse_and_is_traced() -> None:
    public_key = "pk-lf-test-agent-over-wire"
    prompts = {
        ("media_performance_analysis_prompt", "production"): (
            5,
            "Write plainly for {{domain_title}}; propose only {{allowed_actions}}.",
            {"model": "gemini-3.5-flash-lite"},
        )
    }
    with FakeGemini(lambda _: GOOD) as gemini, FakeLangfuse(public_key, SECRET, prompts) as langfuse:
        settings = gemini_settings(gemini.url, langfuse_public_key=public_key, langfuse_secret_key=SECRET, langfuse_base_url=langfuse.url)
        (analysis,) = run(settings, timeout_s=10)
        (request,) = gemini.requests
        generation = next(span for span in langfuse.spans if span.name == "gemini.generate")
    assert (analysis.writer, analysis.problems) == ("model", ())
    assert analysis.model_use.prompt_version == "langfuse:5"
    assert analysis.model_use.cost_usd is not None
    assert "gemini-3.5-flash-lite:" in request.path, "the prompt's config chose the model"
    assert generation.attributes["langfuse.observation.prompt.version"] == 5
    assert analysis.trace_id == generation.trace_id
    finding_ids = request.json()["generationConfig"]["responseJsonSchema"]["properties"]["groups"]["items"]["properties"]["finding_ids"]
    assert finding_ids["items"]["enum"] == ["f-cpa"], "no other finding can be named"


# One of each kind; that every fault has its kind is test_gemini's matter.
ONE_OF_EACH = ("401", "404", "429_hint", "429_day", "503", "hang", "reset", "body_not_json", "empty_object", "truncated", "safety")


@pytest.mark.parametrize("fault", [*ONE_OF_EACH, "answer_not_json", "answer_wrong_shape"])
def test_whatever_the_model_does_the_analysis_is_complete(fault: str) -> None:
    with FakeGemini() as gemini:
        gemini.script(FAULTS[fault])
        started = time.perf_counter()
        (analysis,) = run(gemini_settings(gemini.url))
        took_s = time.perf_counter() - started
        asked = len(gemini.requests)
    assert (analysis.writer, analysis.status) == ("template_after_error", "degraded")
    assert analysis.insights
    assert analysis.proposals
    assert analysis.problems, "the analysis says what happened"
    assert KEY not in analysis.model_dump_json()
    assert asked <= 2, "one attempt, and one repair at most"
    assert took_s < 6


def test_an_answer_of_the_wrong_shape_is_repaired_once() -> None:
    with FakeGemini(lambda _: GOOD) as gemini:
        gemini.script(FAULTS["answer_wrong_shape"], times=1)
        (analysis,) = run(gemini_settings(gemini.url), timeout_s=10)
    assert analysis.writer == "model_repaired"
    assert analysis.model_use.calls == 2


def test_an_invented_number_is_refused() -> None:
    invented = scenes.answer(scenes.good_group(text="CPA is 99.99 GBP."))
    with FakeGemini() as gemini:
        gemini.script(Reply.of(answer_body(invented)))
        (analysis,) = run(gemini_settings(gemini.url), timeout_s=10)
    assert analysis.writer == "template_after_error"
    assert "99.99" not in json.dumps([insight.text for insight in analysis.insights])


def test_agents_of_a_step_wait_for_the_model_at_the_same_time() -> None:
    with FakeGemini(lambda _: GOOD, delay_s=1.0) as gemini:
        settings = gemini_settings(gemini.url, max_concurrent_agents=12)
        run(settings, timeout_s=20)  # imports and the first compilation are not what is measured
        started = time.perf_counter()
        analyses = run(settings, 12, timeout_s=20)
        took_s = time.perf_counter() - started
    assert {analysis.writer for analysis in analyses} == {"model"}
    assert took_s < 4, "one after another would take 12 s"
