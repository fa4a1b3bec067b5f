"""The six analysis assets in one step: concurrent, selectable alone, and one broken domain takes nothing with it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import yaml

from marketing_agents.agents.request import AgentDeps
from marketing_agents.days import LocalDay
from marketing_agents.llm.port import FailureKind, LLMError
from marketing_agents.llm.prompts import PackagedPrompts
from marketing_agents.llm.tracing import NoTracer
from marketing_agents.sample.spec import AgencySpec
from marketing_agents_tests.e2e.pipeline import ANCHOR, Pipeline, check_evaluations, make_pipeline, materializations

DOMAINS = ("audience", "budget", "conversion", "creative", "media_performance", "platform")


class Writers:
    """Stands where `AgentRuntime` stands and hands out one artificial model."""

    def __init__(self, model):
        self.model = model

    @asynccontextmanager
    async def open(self, run_id):
        yield AgentDeps(writer_model=self.model, prompts=PackagedPrompts(), tracer=NoTracer(), run_id=run_id)


class SlowModel:
    """Takes a while, counts how many are at work at once, and then fails as an unreachable model does."""

    def __init__(self):
        self.now = 0
        self.peak = 0

    async def generate(self, request):
        self.now += 1
        self.peak = max(self.peak, self.now)
        await asyncio.sleep(0.3)
        self.now -= 1
        raise LLMError(FailureKind.UNAVAILABLE, "artificial")


class FailsFor:
    """Raises `error` for the system prompt of one domain, says it is unreachable for the others' sake of a template."""

    def __init__(self, marker, error):
        self.marker = marker
        self.error = error
        self.seen = 0

    async def generate(self, request):
        self.seen += 1
        raise self.error


def analyses(pipeline, days):
    rows = pipeline.warehouse.read_slices("analyses", days).to_pylist()
    return {(r["advertiser_id"], r["date"], r["domain"]): r for r in rows}


@pytest.fixture
def busy(morning):
    """The advertiser with findings in most domains."""
    pipeline, _ = morning
    return pipeline, LocalDay("harbour-thread", ANCHOR)


def test_agents_with_something_to_say_work_at_the_same_time_for_a_chunk(morning):
    pipeline, _ = morning
    model = SlowModel()
    days = [LocalDay(a, ANCHOR) for a in pipeline.ids]
    results = pipeline.run(days, assets=[f"analysis/{d}" for d in DOMAINS], agents=Writers(model))
    assert all(r.success for r in results)
    with_findings = {
        (f["advertiser_id"])
        for f in pipeline.warehouse.read_slices("findings", days).to_pylist()
        if f["episode_state"] in ("opened", "worsened", "ongoing", "improved")
    }
    # One call per partition and domain with findings, all in flight together (the bound is 16).
    assert model.peak >= len(with_findings) >= 4
    pipeline.run(days, assets=[f"analysis/{d}" for d in DOMAINS])  # back to templates


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_analysis_is_selectable_and_re_runnable_alone(busy, domain):
    pipeline, day = busy
    before = analyses(pipeline, [day])
    results = pipeline.run([day], assets=[f"analysis/{domain}"])
    assert [(a, p) for a, p, _ in materializations(results)] == [(f"analysis/{domain}", day.key)]
    assert analyses(pipeline, [day]) == before


@pytest.mark.parametrize(
    "error", [LLMError(FailureKind.UNAVAILABLE, "model is down"), ConnectionResetError("peer went away"), RuntimeError("artificial")]
)
def test_a_failing_domain_is_answered_by_the_template_and_leaves_the_others_alone(busy, error):
    pipeline, day = busy
    pipeline.run([day], assets=[f"analysis/{d}" for d in DOMAINS])
    before = analyses(pipeline, [day])
    results = pipeline.run([day], assets=["analysis/creative"], agents=Writers(FailsFor("creative", error)))
    results += pipeline.run([day], assets=["recommendations"])
    assert all(r.success for r in results)
    after = analyses(pipeline, [day])
    writers = {domain: row["writer"] for (_, _, domain), row in after.items()}
    assert writers.pop("creative") == "template_after_error"
    assert set(writers.values()) <= {"template", "quiet"}
    assert {k: v for k, v in after.items() if k[2] != "creative"} == {k: v for k, v in before.items() if k[2] != "creative"}
    warnings = [e for e in check_evaluations(results) if e.check_name == "writer" and not e.passed]
    assert [(e.asset_key.to_user_string(), str(e.partition), e.severity) for e in warnings] == [
        ("analysis/creative", day.key, dg.AssetCheckSeverity.WARN)
    ]
    actions = {(r["action"], r["entity_id"]) for r in pipeline.warehouse.read_slices("recommendations", [day]).to_pylist()}
    assert any(action == "ROTATE_IN_NEW_VARIANT" for action, _ in actions)
    pipeline.run([day], assets=["analysis/creative", "recommendations"])


def test_a_bug_of_ours_fails_the_run(busy):
    pipeline, day = busy
    results = pipeline.run([day], assets=["analysis/creative"], agents=Writers(FailsFor("creative", TypeError("a bug"))))
    assert not results[0].success
    pipeline.run([day], assets=["analysis/creative"])


def test_a_partition_that_was_never_loaded_is_blocked_and_does_not_raise(tmp_path, instance):
    pipeline = make_pipeline(tmp_path, instance)
    day = LocalDay("harbour-thread", ANCHOR)
    results = pipeline.run([day], assets=["recommendations"])
    assert results[0].success
    [(_, partition, metadata)] = materializations(results)
    assert partition == day.key
    assert metadata["status"] == "blocked"
    assert "findings was never run" in metadata["reason"]


def test_an_unfinished_day_is_refused_and_its_neighbour_is_whole(tmp_path, instance):
    today = datetime.now(UTC).date()
    over, unfinished = today - timedelta(days=2), today  # over everywhere; unfinished in London or, at the latest, begun
    pipeline = make_pipeline(tmp_path, instance, spec=AgencySpec(end=over))
    days = [LocalDay("harbour-thread", over + timedelta(days=n)) for n in range(3)]
    results = pipeline.run(days)
    assert all(r.success for r in results)
    for asset, partition, metadata in materializations(results):
        if partition.endswith(unfinished.isoformat()):
            assert metadata["status"] == "refused", asset
            assert "not over" in metadata["reason"]
        if partition.endswith(over.isoformat()):
            assert metadata["status"] == "ok", (asset, metadata)


def test_outcomes_survive_partial_reruns_pauses_and_a_shrinking_registry(tmp_path, instance):
    pipeline = make_pipeline(tmp_path, instance)
    days = [LocalDay(a, ANCHOR) for a in ("harbour-thread", "ledgerline")]
    (tmp_path / "sample" / "input" / "consent_daily.parquet").unlink()
    assert all(r.success for r in pipeline.run(days))
    ingestion = pipeline.state.statuses("ingestion", days)
    assert {s.reason for s in ingestion.values()} == {"missing tables: consent_daily"}
    # Nothing is said about a writer because a table's name holds a domain's.
    assert {s.reason for s in pipeline.state.statuses("recommendations", days).values()} == {"missing tables: consent_daily"}

    # When one table alone is loaded again, then the day is still judged by all of them.
    pipeline.run(days, assets=["raw/fx_rates"])
    assert pipeline.state.statuses("ingestion", days) == ingestion

    # When one advertiser is paused and another leaves the registry, then neither fails the run nor rewrites the past.
    registry = yaml.safe_load((tmp_path / "sample" / "advertisers.yaml").read_text(encoding="utf-8"))
    kept = [{**a, "paused": True} if a["id"] == "ledgerline" else a for a in registry["advertisers"] if a["id"] != "harbour-thread"]
    (tmp_path / "fewer.yaml").write_text(yaml.safe_dump({"advertisers": kept}), encoding="utf-8")
    fewer = Pipeline(pipeline.settings.model_copy(update={"advertisers": tmp_path / "fewer.yaml"}), instance, None)
    results = fewer.run(days)
    assert all(r.success for r in results)
    shown = {(p.split("|")[0], m["status"]) for _, p, m in materializations(results)}
    assert shown == {("harbour-thread", "blocked"), ("ledgerline", "paused")}
    assert fewer.state.statuses("recommendations", days)[days[1]].status == "degraded"
