"""The kill switch flipped while a run is at work: that advertiser stops at the next step, nobody else notices, and nothing is lost.

One story in runs that follow each other, because each pays for dbt: a chunk of two advertisers during whose ingestion one is paused, the same
day again with the switch flipped during analysis, what is left of it after a resume, and at last paused when everything was finished.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import dagster as dg
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.operations.why_missing import STEPS
from marketing_agents.resources.agents import AgentRuntime
from marketing_agents.resources.source import SourceOpener
from marketing_agents.settings import Settings
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents_tests.e2e.pipeline import ANCHOR, BUSY, Pipeline, check_evaluations, materializations
from marketing_agents_tests.e2e.results import identity

NEIGHBOUR = LocalDay("ledgerline", ANCHOR)
REASON = "paused by jo: wrong budgets"


class PausesWhileReading(SourceOpener):
    """Somebody flips the switch while ingestion reads the source."""

    def __init__(self, settings, switch):
        super().__init__(settings)
        self.switch = switch

    @contextmanager
    def open(self):
        self.switch.pause(BUSY.advertiser_id, who="jo", why="wrong budgets")
        with super().open() as adapter:
            yield adapter


class PausesWhileWriting(AgentRuntime):
    """Somebody flips the switch while the domain agents are at work."""

    def __init__(self, settings, switch):
        super().__init__(settings)
        self.switch = switch

    @asynccontextmanager
    async def open(self, run_id):
        self.switch.pause(BUSY.advertiser_id, who="jo", why="wrong budgets")
        async with super().open(run_id) as deps:
            yield deps


@dataclass
class Chapter:
    """What one run left behind: by step and day the status on record, by asset and day what its page shows, and the results."""

    results: list[dg.ExecuteInProcessResult]
    statuses: dict[tuple[str, LocalDay], tuple[str, str]]
    shown: dict[tuple[str, str], dict]
    identity: dict[LocalDay, dict]

    @property
    def success(self) -> bool:
        return all(r.success for r in self.results)


def chapter(pipeline: Pipeline, days: list[LocalDay], **options) -> Chapter:
    results = pipeline.run(days, **options)
    names = [s for s in STEPS if s != "analysis"] + ["analysis/budget", "analysis/media_performance"]
    return Chapter(
        results,
        {(name, d): (s.status, s.reason) for name in names for d, s in pipeline.state.statuses(name, [BUSY, NEIGHBOUR]).items()},
        {(asset, partition): metadata for asset, partition, metadata in materializations(results)},
        {day: identity(pipeline.warehouse, day) for day in (BUSY, NEIGHBOUR)},
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory, short_input):
    settings = Settings(data_dir=tmp_path_factory.mktemp("pause"), source_dir=short_input, writer="template", charts="never")
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(settings, instance, None)
        switch = KillSwitch(pipeline.state)
        told = {"while reading": chapter(pipeline, [NEIGHBOUR, BUSY], source=PausesWhileReading(settings, switch))}
        switch.resume(BUSY.advertiser_id, who="jo", why="corrected")
        told["while writing"] = chapter(pipeline, [BUSY], agents=PausesWhileWriting(settings, switch))
        switch.resume(BUSY.advertiser_id, who="jo", why="corrected")
        told["resumed"] = chapter(pipeline, [BUSY], assets=["recommendations", "daily_report"])
        switch.pause(BUSY.advertiser_id, who="jo", why="wrong budgets")
        told["paused when finished"] = chapter(pipeline, [BUSY])
        yield told


def test_a_pause_fails_no_run(story):
    assert {name: told.success for name, told in story.items()} == dict.fromkeys(story, True)


@pytest.mark.parametrize(
    ("name", "done", "stopped"),
    [
        ("while reading", ["ingestion"], ["marts", "findings", "analysis/budget", "recommendations", "daily_report"]),
        ("while writing", ["ingestion", "marts", "findings", "analysis/budget"], ["recommendations", "daily_report"]),
    ],
)
def test_a_run_at_work_stops_at_its_next_step(story, name, done, stopped):
    told = story[name]
    assert {step: told.statuses[step, BUSY][0] for step in done} == dict.fromkeys(done, "ok")
    assert {step: told.statuses[step, BUSY] for step in stopped} == dict.fromkeys(stopped, ("paused", REASON))


def test_every_asset_of_the_paused_partition_says_so_in_metadata_and_check(story):
    told = story["while reading"]
    of_busy = {asset: metadata for (asset, partition), metadata in told.shown.items() if partition == BUSY.key}
    assert {m["status"] for asset, m in of_busy.items() if asset.startswith("raw/")} == {"ok"}
    later = {asset: (m["status"], m["reason"]) for asset, m in of_busy.items() if not asset.startswith("raw/")}
    assert len(later) > 10
    assert set(later.values()) == {("paused", REASON)}
    checks = {
        e.asset_key.to_user_string(): e
        for e in check_evaluations(told.results)
        if e.check_name == "partition_status" and str(e.partition) == BUSY.key
    }
    judged = {asset for asset in later if not asset.startswith("marts/")} | {"marts/campaign_features"}
    assert set(checks) == judged | {"raw/ad_performance_daily"}
    assert all(not checks[asset].passed and checks[asset].severity is dg.AssetCheckSeverity.WARN for asset in judged)


def test_nothing_is_computed_for_the_paused_partition(story):
    assert not any(story["while reading"].identity[BUSY].values())
    assert story["while writing"].identity[BUSY]["analyses"]  # the step that was at work is finished
    assert not story["while writing"].identity[BUSY]["recommendations"]


def test_the_neighbour_in_the_same_chunk_is_whole(story):
    told = story["while reading"]
    assert {step: status for (step, day), (status, _) in told.statuses.items() if day == NEIGHBOUR} == dict.fromkeys(
        [s for s, d in told.statuses if d == NEIGHBOUR], "ok"
    )
    assert told.identity[NEIGHBOUR]["findings"]
    assert told.identity[NEIGHBOUR]["analyses"]
    assert told.identity[NEIGHBOUR]["rule_evaluations"]
    assert story["paused when finished"].identity[NEIGHBOUR] == told.identity[NEIGHBOUR]


def test_after_a_resume_the_day_equals_an_undisturbed_one(story, undisturbed):
    pipeline, _ = undisturbed
    resumed = story["resumed"]
    assert {status for (_, day), (status, _) in resumed.statuses.items() if day == BUSY} == {"ok"}
    assert resumed.identity[BUSY]["recommendations"]
    assert resumed.identity[BUSY] == identity(pipeline.warehouse, BUSY)


def test_a_day_that_was_finished_keeps_its_results_and_its_status(story):
    before, after = story["resumed"], story["paused when finished"]
    assert after.statuses == before.statuses
    assert after.identity == before.identity
    assert {m["status"] for m in after.shown.values()} == {"paused"}  # the run itself says what it did
