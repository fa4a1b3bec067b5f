"""The agent graph from the outside: who writes when, what a failure costs, what propagates, what is concurrent."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from marketing_agents.agents.graph import agent_graph, analyse, analyse_all
from marketing_agents.llm.port import FailureKind, LLMError, ModelReply, Prompt
from marketing_agents_tests.agents.scenes import (
    DOMAINS,
    ScriptedModel,
    SilentTracer,
    answer,
    campaign,
    cpa_finding,
    deps,
    good_group,
    request,
    tag_finding,
)

BAD_TEXT = good_group(text="Cost per conversion is 99.90 GBP.")


def always(value):
    return ScriptedModel(lambda _request, _number: value)


async def test_without_findings_the_domain_is_quiet_and_no_model_is_asked() -> None:
    model = always(answer(good_group()))
    for findings in ((), (cpa_finding(episode_state="muted"),), (cpa_finding(episode_state="superseded"),)):
        analysis = await analyse(request(*findings), deps(model))
        assert (analysis.writer, analysis.status, analysis.insights, analysis.proposals) == ("quiet", "ok", (), ())
    assert model.requests == []


async def test_without_a_model_the_template_writes_and_nothing_is_degraded() -> None:
    analysis = await analyse(request(cpa_finding()), deps())
    assert (analysis.writer, analysis.status, analysis.problems) == ("template", "ok", ())
    assert [p.action for p in analysis.proposals] == ["ADJUST_BID_TARGET", "DECREASE_BUDGET"]
    assert analysis.model_use.calls == 0


async def test_a_good_answer_is_taken_with_its_use() -> None:
    analysis = await analyse(request(cpa_finding()), deps(always(answer(good_group()))))
    assert (analysis.writer, analysis.status, analysis.problems) == ("model", "ok", ())
    assert analysis.insights[0].cause == "audience or query drift"
    assert (analysis.model_use.calls, analysis.model_use.cost_usd, analysis.model_use.prompt_version) == (1, 0.01, "packaged:test")


async def test_a_refused_answer_is_repaired_once_with_the_reasons() -> None:
    model = ScriptedModel(lambda _request, number: answer(BAD_TEXT if number == 1 else good_group()))
    analysis = await analyse(request(cpa_finding()), deps(model))
    assert (analysis.writer, analysis.status, analysis.model_use.calls) == ("model_repaired", "ok", 2)
    assert "99.90 GBP" in model.requests[1].user
    assert any("99.90 GBP" in problem for problem in analysis.problems)


async def test_an_answer_refused_twice_is_replaced_by_the_template() -> None:
    model = always(answer(BAD_TEXT))
    analysis = await analyse(request(cpa_finding()), deps(model))
    assert (analysis.writer, analysis.status, len(model.requests)) == ("template_after_error", "degraded", 2)
    assert "99.90" not in analysis.insights[0].text
    assert analysis.model_use.cost_usd == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        *((LLMError(kind, "went wrong"), f"{kind.value}: went wrong") for kind in FailureKind),
        (RuntimeError("injected"), "RuntimeError: injected"),
        (ValueError("odd"), "ValueError: odd"),
        (ConnectionResetError("reset"), "ConnectionResetError: reset"),
        (TimeoutError(), "unavailable: no answer in time"),
    ],
    ids=str,
)
@pytest.mark.parametrize("at", [1, 2])
async def test_a_failing_model_is_answered_by_the_template(error: Exception, said: str, at: int) -> None:
    model = ScriptedModel(lambda _request, number: error if number == at else answer(BAD_TEXT))
    analysis = await analyse(request(cpa_finding()), deps(model))
    assert (analysis.writer, analysis.status, analysis.model_use.calls) == ("template_after_error", "degraded", at)
    assert any(problem.endswith(said) for problem in analysis.problems)
    assert len(analysis.proposals) == 2


@pytest.mark.parametrize(
    "bug",
    [
        TypeError,
        AttributeError,
        NameError,
        KeyError,
        IndexError,
        AssertionError,
        ImportError,
        NotImplementedError,
        RecursionError,
        ZeroDivisionError,
    ],
)
@pytest.mark.parametrize("at", [1, 2])
async def test_a_bug_is_not_swallowed(bug: type[Exception], at: int) -> None:
    model = ScriptedModel(lambda _request, number: bug("a bug") if number == at else answer(BAD_TEXT))
    with pytest.raises(bug):
        await analyse(request(cpa_finding()), deps(model))


async def test_a_wrong_context_is_a_bug_and_not_a_silent_template() -> None:
    with pytest.raises(AttributeError):
        await analyse(request(cpa_finding()), replace(deps(), prompts=None, writer_model=always("{}")))


async def test_a_secret_in_an_error_does_not_reach_the_result() -> None:
    secret = "AIza" + "a1B2" * 9
    analysis = await analyse(request(cpa_finding()), deps(always(RuntimeError(f"key {secret} refused for jo@example.com"))))
    assert secret not in analysis.model_dump_json()
    assert "jo@example.com" not in analysis.model_dump_json()


async def test_what_a_cut_answer_cost_is_booked() -> None:
    reply = ModelReply(text="", model="m", input_tokens=7, output_tokens=3, cost_usd=0.5)
    analysis = await analyse(request(cpa_finding()), deps(always(LLMError(FailureKind.TRUNCATED, "cut", reply=reply))))
    assert (analysis.model_use.input_tokens, analysis.model_use.cost_usd) == (7, 0.5)


async def test_an_unknown_price_stays_unknown() -> None:
    class Unpriced:
        async def generate(self, request):
            return ModelReply(text=answer(good_group()), model="m", cost_usd=None)

    assert (await analyse(request(cpa_finding()), deps(Unpriced()))).model_use.cost_usd is None


async def test_a_hanging_model_is_cut_at_the_deadline() -> None:
    class Hanging:
        async def generate(self, request):
            await asyncio.Event().wait()

    analysis = await analyse(request(cpa_finding()), deps(Hanging(), model_timeout_s=0.1))
    assert analysis.writer == "template_after_error"


async def test_cancellation_passes_through() -> None:
    class Hanging:
        async def generate(self, request):
            await asyncio.sleep(30)

    task = asyncio.create_task(analyse(request(cpa_finding()), deps(Hanging())))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_failing_domain_leaves_five_normal_answers() -> None:
    def reply(model_request, _number):
        plain = good_group(text="It is open since 14 Nov 2026.", cited_facts=["f-cpa.cpa", "f-cpa.target_cpa", "f-cpa#opened_on"])
        return RuntimeError("injected") if "Creative" in model_request.system.splitlines()[0] else answer(plain)

    analyses = await analyse_all([request(cpa_finding(), domain=name) for name in DOMAINS], deps(ScriptedModel(reply)), max_concurrent=6)
    assert [a.domain for a in analyses] == list(DOMAINS)
    assert {a.domain: a.writer for a in analyses} == {name: "template_after_error" if name == "creative" else "model" for name in DOMAINS}


async def test_a_bug_in_one_of_many_cancels_the_others_and_is_raised_itself() -> None:
    finished = []

    class Mixed:
        async def generate(self, model_request):
            if "Creative" in model_request.system.splitlines()[0]:
                raise TypeError("a bug")
            await asyncio.sleep(5)
            finished.append(model_request)

    with pytest.raises(TypeError, match="a bug"):
        await analyse_all([request(cpa_finding(), domain=name) for name in DOMAINS], deps(Mixed()), max_concurrent=6)
    assert finished == []


async def test_agents_run_together_within_the_bound_and_in_order() -> None:
    running, most = 0, 0

    class Slow:
        async def generate(self, model_request):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.2)
            running -= 1
            return ModelReply(text=answer(good_group()), model="m", cost_usd=0.0)

    requests = [request(replace_day(day), domain="media_performance") for day in range(12)]
    analyses = await analyse_all(requests, deps(Slow()), max_concurrent=6)
    assert most == 6
    assert [a.insights[0].finding_ids for a in analyses] == [r.findings and ("f-cpa",) for r in requests]
    with pytest.raises(ValueError, match="max_concurrent is 0"):
        await analyse_all(requests, deps(), max_concurrent=0)


def replace_day(number: int):
    return cpa_finding(days_open=number + 1)


async def test_the_event_loop_is_not_starved() -> None:
    """Given 40 analyses of 20 findings each, when templates write them, then another coroutine of the loop is served all the while."""
    gaps = []

    async def ticker() -> None:
        last = time.process_time()
        while True:
            await asyncio.sleep(0)
            now = time.process_time()
            gaps.append(now - last)
            last = now

    requests = [request(*(cpa_finding(f"f{n}", campaign(f"Name {n}", f"c{n}")) for n in range(20))) for _ in range(40)]
    await analyse(request(), deps())
    task = asyncio.create_task(ticker())
    await analyse_all(requests, deps(), max_concurrent=16)
    task.cancel()
    # Processor time, so that a busy machine does not matter. 16 agents at once, some 3 ms for the longest piece of each.
    assert max(gaps) < 0.4
    assert len(gaps) > 40


async def test_the_request_pins_ids_and_uses_the_domain_and_prompt_settings() -> None:
    model = always(answer(good_group()))
    await analyse(request(cpa_finding()), deps(model, default_model="gemini-x", model_timeout_s=12))
    sent = model.requests[0]
    assert (sent.model, sent.timeout_s, sent.max_output_tokens, sent.thinking_level) == ("gemini-x", 12, 4096, "LOW")
    assert "{{" not in sent.system
    assert "ADJUST_BID_TARGET" in sent.system
    group = sent.schema_["properties"]["groups"]["items"]["properties"]
    assert group["finding_ids"]["items"]["enum"] == ["f-cpa"]
    assert group["cause_id"]["enum"] == ["drift", "bid", "unknown"]
    assert "f-cpa.cpa" in group["cited_facts"]["items"]["enum"]


class StorePrompts:
    def __init__(self, text: str, **fields: object) -> None:
        self._text, self._fields = text, fields
        self.labels: list[str | None] = []

    def get(self, name: str, *, label: str | None, packaged: str) -> Prompt:
        self.labels.append(label)
        return Prompt(name=name, version="langfuse:3", text=self._text, **self._fields)


async def test_a_prompt_of_the_store_overrides_model_and_limits() -> None:
    model, store = (
        always(answer(good_group())),
        StorePrompts("{{domain_title}} {{allowed_actions}}", model="m-2", max_output_tokens=999, thinking_level="high"),
    )
    base = request(cpa_finding())
    labelled = replace(base, advertiser=base.advertiser.model_copy(update={"prompt_label": "prod-b"}))
    analysis = await analyse(labelled, deps(model, prompts=store))
    sent = model.requests[0]
    assert (sent.model, sent.max_output_tokens, sent.thinking_level) == ("m-2", 999, "high")
    assert (analysis.model_use.prompt_version, store.labels) == ("langfuse:3", ["prod-b"])


@pytest.mark.parametrize("text", ["{{domain_title}} only", "{{domain_title}} {{allowed_actions}} {{tone}}", "none"])
async def test_a_prompt_with_wrong_variables_costs_the_wording_and_not_the_text(text: str) -> None:
    model = always(answer(good_group()))
    analysis = await analyse(request(cpa_finding()), deps(model, prompts=StorePrompts(text)))
    assert (analysis.writer, analysis.status) == ("model", "ok")
    assert analysis.model_use.prompt_version.startswith("packaged:")
    assert "langfuse:3" in analysis.problems[0]
    assert "{{" not in model.requests[0].system


async def test_the_model_never_changes_proposals_order_severity_or_money() -> None:
    findings = (cpa_finding(), cpa_finding("f2", campaign("Other", "c-2"), severity="critical", money_at_stake=9.0))
    split = answer(good_group(), good_group("f2", headline="“Other” is too dear.", text="It is open."))
    joined = answer({**good_group(), "finding_ids": ["f-cpa", "f2"], "headline": "Two campaigns are too dear.", "text": "“Other” too."})
    template, one, other = [await analyse(request(*findings), deps(model)) for model in (None, always(split), always(joined))]
    assert (one.writer, other.writer) == ("model", "model"), (one.problems, other.problems)
    assert template.proposals == one.proposals == other.proposals
    assert [i.finding_ids for i in one.insights] == [("f2",), ("f-cpa",)]
    assert (other.insights[0].finding_ids, other.insights[0].severity, other.insights[0].money_at_stake) == (
        ("f2", "f-cpa"),
        "critical",
        1501.4,
    )


async def test_findings_that_the_model_was_not_shown_are_told_by_the_template() -> None:
    findings = [cpa_finding(f"f{n:02}", campaign(f"Name {chr(97 + n)}", f"c{n}"), money_at_stake=100.0 - n) for n in range(24)]

    def reply(model_request, _number):
        shown = json.loads(model_request.user.split("\n")[1])
        assert shown["findings_left_out"] == 4
        return answer(
            *({**good_group(f["finding_id"]), "headline": "Too dear.", "text": "It is open."} for f in shown["findings"]),
            summary="Too dear.",
        )

    analysis = await analyse(request(*findings), deps(ScriptedModel(reply)))
    assert analysis.writer == "model", analysis.problems
    assert sorted(fid for insight in analysis.insights for fid in insight.finding_ids) == [f.finding_id for f in findings]


async def test_the_trace_gets_reply_score_and_result() -> None:
    tracer = SilentTracer()
    await analyse(request(cpa_finding()), deps(always(answer(good_group())), tracer=tracer))
    assert [name for name, _ in tracer.log] == ["record", "grounded", "finish"]
    tracer = SilentTracer()
    await analyse(request(cpa_finding()), deps(always(RuntimeError("x")), tracer=tracer))
    assert [name for name, _ in tracer.log] == ["fail", "finish"]


async def test_the_same_request_gives_the_same_analysis() -> None:
    findings = (cpa_finding(), cpa_finding("f2", campaign("Other", "c-2")), tag_finding())
    first = await analyse(request(*findings), deps())
    second = await analyse(request(*reversed(findings)), deps())
    assert first == second


def test_the_graph_is_compiled_once() -> None:
    assert agent_graph() is agent_graph()


def test_a_stray_tracing_variable_sends_nothing() -> None:
    """Given LANGSMITH_TRACING=true, when an analysis runs in a fresh process, then tracing is off and no socket is opened."""
    code = (
        "import asyncio, socket\n"
        "def refuse(*a, **k): raise SystemExit('a connection was opened')\n"
        "socket.socket.connect = refuse; socket.create_connection = refuse\n"
        "from marketing_agents_tests.agents.scenes import *\n"
        "from marketing_agents.agents.graph import analyse\n"
        "print(asyncio.run(analyse(request(cpa_finding()), deps())).writer)\n"
        "from langsmith.utils import tracing_is_enabled\n"
        "assert not tracing_is_enabled()\n"
    )
    env = {
        **os.environ,
        "LANGSMITH_TRACING": "true",
        "LANGCHAIN_TRACING_V2": "true",
        "LANGSMITH_API_KEY": "x",
        "LANGSMITH_ENDPOINT": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=Path(__file__).parents[2], timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "template"), done.stderr
