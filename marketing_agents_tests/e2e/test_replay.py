"""Promise 2: a day has one answer. Alone, in either shape of chunk, in any order, in another process, years later from stored versions.

Few runs serve many comparisons, because each pays for dbt: `Refreshed` holds what differently cut runs over one unchanged source wrote,
`Lived` an advertiser whose source grew and was restated from morning to morning.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from marketing_agents.agents.request import AgentDeps
from marketing_agents.days import LocalDay
from marketing_agents.llm.port import FailureKind, LLMError
from marketing_agents.llm.prompts import PackagedPrompts
from marketing_agents.llm.tracing import NoTracer
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.sample.agency import write_agency
from marketing_agents.settings import PROJECT_DIR
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.marts import load_marts
from marketing_agents_tests.e2e.one_answer import RESTATEMENT_DAYS, answer, assert_same, open_pipeline, raw_view, run
from marketing_agents_tests.e2e.pipeline import ANCHOR, Pipeline
from marketing_agents_tests.e2e.small_agency import small_spec

HARBOUR, KOWHAI = "harbour-thread", "kowhai-outdoors"
D1, D2, D3 = (ANCHOR - timedelta(days=n) for n in (2, 1, 0))
RAW_TABLES = ("ad_performance_daily", "conversions_by_action_daily", "campaigns", "budget_plans")


# --- one unchanged source, cut into runs in different ways -------------------------------------------------------------------------------

IN_ANOTHER_PROCESS = f"""
import sys
from datetime import date
from pathlib import Path
import dagster as dg
from marketing_agents.days import LocalDay
from marketing_agents_tests.e2e.one_answer import open_pipeline, run
with dg.DagsterInstance.ephemeral() as instance:
    run(open_pipeline(Path(sys.argv[1]), Path(sys.argv[2]), instance), [LocalDay("{HARBOUR}", date.fromisoformat("{D1}"))])
"""


@dataclass
class Refreshed:
    """`chunk`: three days in one run. `wide`: the last day with a neighbour, afterwards the first day. `elsewhere`: the first day, alone, in
    another process.
    """

    chunk: Pipeline
    wide: Pipeline
    elsewhere: Pipeline


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refreshed")
    source = folder / "source"
    write_agency(source, small_spec(HARBOUR, KOWHAI))
    with dg.DagsterInstance.ephemeral() as instance:
        stores = {name: open_pipeline(folder / name, source, instance) for name in ("chunk", "wide", "elsewhere")}
        other = subprocess.Popen(  # another hash seed and another clock zone: nothing may depend on either
            [sys.executable, "-c", IN_ANOTHER_PROCESS, str(folder / "elsewhere"), str(source)],
            cwd=PROJECT_DIR,
            env={**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Pacific/Auckland"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            run(stores["chunk"], [LocalDay(HARBOUR, d) for d in (D1, D2, D3)])
            run(stores["wide"], [LocalDay(a, D3) for a in (HARBOUR, KOWHAI)])
            run(stores["wide"], [LocalDay(HARBOUR, D1)])
            _, errors = other.communicate(timeout=300)
        finally:
            other.kill()
        assert other.returncode == 0, errors[-3000:]
        yield Refreshed(**stores)


def test_there_is_something_to_compare(refreshed):
    for day in (D1, D2, D3):
        found = answer(refreshed.chunk, LocalDay(HARBOUR, day))
        assert len(found["findings"]) >= 3
        assert found["rule_evaluations"]
        assert len(found["analyses"]) == 6
        assert any(a["body"]["proposals"] for a in found["analyses"])
        assert found["recommendations"]
        assert all(found[f"marts/{mart}"] for mart in load_marts(dbt_project_dir()))


def test_a_day_alone_in_another_process_equals_the_same_day_in_a_chunk_of_days(refreshed):
    day = LocalDay(HARBOUR, D1)
    assert_same(answer(refreshed.elsewhere, day), answer(refreshed.chunk, day))


def test_a_day_in_a_chunk_of_advertisers_equals_the_same_day_in_a_chunk_of_days(refreshed):
    day = LocalDay(HARBOUR, D3)
    assert_same(answer(refreshed.wide, day), answer(refreshed.chunk, day))
    neighbour = answer(refreshed.wide, LocalDay(KOWHAI, D3))
    assert neighbour["findings"]
    assert not {f["finding_id"] for f in neighbour["findings"]} & {f["finding_id"] for f in answer(refreshed.wide, day)["findings"]}


def test_a_day_made_after_later_days_equals_the_same_day_made_before_them(refreshed):
    day = LocalDay(HARBOUR, D1)
    assert_same(answer(refreshed.wide, day), answer(refreshed.elsewhere, day))


@pytest.mark.parametrize("table", RAW_TABLES)
def test_what_a_day_may_know_does_not_depend_on_how_it_was_loaded(refreshed, table):
    for day, stores in (
        (LocalDay(HARBOUR, D1), (refreshed.wide, refreshed.elsewhere)),
        (LocalDay(HARBOUR, D3), (refreshed.wide,)),
    ):
        expected = raw_view(refreshed.chunk, table, day)
        assert expected
        for store in stores:
            assert raw_view(store, table, day) == expected


class Unreachable:
    """Stands where `AgentRuntime` stands, with a model that is down."""

    @asynccontextmanager
    async def open(self, run_id):
        yield AgentDeps(writer_model=self, prompts=PackagedPrompts(), tracer=NoTracer(), run_id=run_id)

    async def generate(self, request):
        await asyncio.sleep(0)
        raise LLMError(FailureKind.UNAVAILABLE, "model is down")


def test_who_writes_changes_no_action_and_no_rank(refreshed):
    pipeline, day = refreshed.wide, LocalDay(HARBOUR, D3)
    before = answer(pipeline, day)
    assets = [*(f"analysis/{a['domain']}" for a in before["analyses"]), "recommendations"]
    run(pipeline, [day], assets=assets, agents=Unreachable())
    after = answer(pipeline, day)
    writers = {row["writer"] for row in pipeline.warehouse.read_slices("analyses", [day]).to_pylist()}
    assert "template_after_error" in writers
    for found in (before, after):
        for row in found["analyses"]:
            row["body"].pop("status")  # `degraded` says that the writer failed; the column is free by contract
    assert_same(after, before)


# --- a source that grows and is restated -----------------------------------------------------------------------------------------------


@dataclass
class Lived:
    """What each morning said, then the same days from stored versions after the source was rewritten, then one of them
    again by the findings step alone after the other was refreshed.
    """

    pipeline: Pipeline
    mornings: dict
    frozen: dict
    views: dict
    views_after_refresh: dict
    alone: dict
    moved_in_source: set


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lived")
    source = folder / "source"
    facts = source / "input" / "ad_performance_daily.parquet"
    day2, day3 = LocalDay(KOWHAI, D2), LocalDay(KOWHAI, D3)
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = open_pipeline(folder / "store", source, instance)
        mornings = {}
        for day in (day2, day3):
            write_agency(source, small_spec(KOWHAI, end=day.day))
            run(pipeline, [day])
            mornings[day] = answer(pipeline, day)
        before = source_days(facts)
        write_agency(source, small_spec(KOWHAI, known_on=D3 + timedelta(days=12)))
        after = source_days(facts)
        run(pipeline, [day2, day3], ingest="frozen")
        frozen = {day: answer(pipeline, day) for day in (day2, day3)}
        views = {day: raw_view(pipeline, "ad_performance_daily", day) for day in (day2, day3)}
        run(pipeline, [day3], assets=[f"raw/{table}" for table in INPUT_TABLES], ingest="refresh")
        views_after = {day: raw_view(pipeline, "ad_performance_daily", day) for day in (day2, day3)}
        run(pipeline, [day2], assets=["rules/findings"])
        yield Lived(
            pipeline=pipeline,
            mornings=mornings,
            frozen=frozen,
            views=views,
            views_after_refresh=views_after,
            alone=answer(pipeline, day2),
            moved_in_source={d for d in before.keys() | after.keys() if before.get(d) != after.get(d)},
        )


def source_days(path: Path) -> dict:
    """Rows of a source file by day."""
    by_day = defaultdict(list)
    for row in pq.read_table(path).to_pylist():
        by_day[row["date"]].append(sorted((k, str(v)) for k, v in row.items()))
    return {d: sorted(rows) for d, rows in by_day.items()}


def test_frozen_gives_yesterdays_answer_from_a_source_that_says_something_else(lived):
    oldest_in_window = D3 - timedelta(days=RESTATEMENT_DAYS)
    assert D2 in lived.moved_in_source
    assert min(lived.moved_in_source) < oldest_in_window  # the restatement reaches further back than we look
    for day, morning in lived.mornings.items():
        assert morning["findings"], day
        assert_same(lived.frozen[day], morning)


def test_refresh_takes_restated_days_of_the_window_and_no_others(lived):
    day = LocalDay(KOWHAI, D3)
    before, after = lived.views[day], lived.views_after_refresh[day]
    changed = {d for d in before.keys() | after.keys() if before.get(d) != after.get(d)}
    window = {D3 - timedelta(days=n) for n in range(RESTATEMENT_DAYS + 1)}
    assert changed
    assert changed <= window
    assert changed == lived.moved_in_source & window


def test_a_refresh_of_one_day_leaves_what_earlier_days_knew(lived):
    day = LocalDay(KOWHAI, D2)
    assert lived.views_after_refresh[day] == lived.views[day]


def test_findings_made_again_alone_without_the_marts_step_are_the_same(lived):
    """After the refresh of the day after, and beside a source that was rewritten."""
    assert_same(lived.alone, lived.mornings[LocalDay(KOWHAI, D2)])
