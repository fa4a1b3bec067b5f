"""Conversions that arrive late: a finding told on one morning is retracted on the next, and gone on the one after."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg
import pytest
import yaml

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.assets.dbt_build import DbtError, build
from marketing_agents.days import LocalDay
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.rules.catalogue_file import PACKAGED_CATALOGUE
from marketing_agents.sample.agency import write_agency
from marketing_agents.settings import Settings
from marketing_agents.warehouse.marts import load_marts
from marketing_agents_tests.e2e.one_answer import RESTATEMENT_DAYS, answer, assert_same, change_source, run
from marketing_agents_tests.e2e.pipeline import ANCHOR, Pipeline, materializations
from marketing_agents_tests.e2e.small_agency import small_spec
from marketing_agents_tests.rules.small_rules import rule

SOL = "sol-and-sage"
TOLD, RETRACTED, AFTER = (LocalDay(SOL, ANCHOR - timedelta(days=n)) for n in (12, 11, 10))  # conversions of the sample are complete by then
DAYS = (TOLD, RETRACTED, AFTER)
LATE = {TOLD.day - timedelta(days=n) for n in range(RESTATEMENT_DAYS)}
RULE = "MEDIA-990"
FEWER_CONVERSIONS = rule(
    RULE,
    values={"conversions_idx": "4 * conversions_w7 / conversions_b28"},
    when={"medium": "conversions_idx <= 0.7"},
    floor="conversions_b28 >= 40",
    observed="conversions_idx",
    facts={"conversions_idx": {"label": "conversions of 7 days against the 28 days before", "unit": "multiple"}},
)


@dataclass
class Told:
    """Answers of three mornings, and the campaign whose conversions came late."""

    pipeline: Pipeline
    campaign_id: str
    mornings: dict[LocalDay, dict]
    metadata: dict[LocalDay, dict]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retraction")
    source = folder / "source"
    write_agency(source, small_spec(SOL, days=60))
    campaign_id = busiest_campaign(source)
    catalogue = shutil.copytree(PACKAGED_CATALOGUE, folder / "catalogue")
    (catalogue / "late.yaml").write_text(yaml.safe_dump({"category": "MEDIA", "rules": [FEWER_CONVERSIONS]}))
    settings = Settings(
        data_dir=folder / "store",
        source_dir=source / "input",
        advertisers=source / "advertisers.yaml",
        catalogue_dir=catalogue,
        writer="template",
        charts="never",
        restatement_days=RESTATEMENT_DAYS,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(settings, instance, None)
        metadata = {}
        for day in DAYS:
            write_agency(source, small_spec(SOL, days=60))
            if day == TOLD:
                change_source(source, "ad_performance_daily", lambda row: without_late_conversions(row, campaign_id))
            results = pipeline.run([day])
            assert all(r.success for r in results)
            metadata[day] = findings_metadata(results)
        yield Told(pipeline, campaign_id, {day: answer(pipeline, day) for day in DAYS}, metadata)


def findings_metadata(results):
    [metadata] = [found for asset, _, found in materializations(results) if asset == "rules/findings"]
    return metadata


def busiest_campaign(source) -> str:
    conversions: dict[str, float] = {}

    def count(row):
        if TOLD.day - timedelta(days=28) <= row["date"] <= TOLD.day:
            conversions[row["campaign_id"]] = conversions.get(row["campaign_id"], 0.0) + (row["conversions"] or 0.0)
        return row

    change_source(source, "ad_performance_daily", count)
    return max(sorted(conversions), key=conversions.__getitem__)


def without_late_conversions(row, campaign_id: str):
    is_late = row["campaign_id"] == campaign_id and row["date"] in LATE
    return {**row, "conversions": 0.0, "conversion_value": 0} if is_late else row


def ours(told, day):
    return [f for f in told.mornings[day]["findings"] if f["rule_id"] == RULE and f["body"]["entity"]["id"] == told.campaign_id]


def given_to_agents_and_lists(told, day) -> str:
    return json.dumps([told.mornings[day][table] for table in ("analyses", "recommendations")], default=str)


def pages(told, day) -> list[str]:
    folder = told.pipeline.settings.data_dir / "reports" / SOL
    return [(folder / f"{day.day}.{suffix}").read_text(encoding="utf-8") for suffix in ("html", "md")]


def test_the_finding_is_told_on_the_first_morning(told):
    [finding] = ours(told, TOLD)
    assert finding["body"]["episode_state"] in ("opened", "ongoing")
    assert finding["finding_id"] in given_to_agents_and_lists(told, TOLD)


def test_the_finding_is_retracted_on_the_second(told):
    [finding] = ours(told, RETRACTED)
    assert finding["episode_state"] == "superseded"
    facts = {fact["name"]: fact["display"] for fact in finding["body"]["facts"]}
    assert facts["retracted"] == f"data restated since then show that it did not hold on {TOLD.day}"
    assert told.metadata[RETRACTED]["retracted"] == 1


def test_nobody_is_asked_to_act_on_it(told):
    [finding] = ours(told, RETRACTED)
    assert finding["finding_id"] not in given_to_agents_and_lists(told, RETRACTED)


def test_the_report_says_that_it_is_retracted(told):
    for page in pages(told, RETRACTED):
        assert "Retracted" in page
        assert f"it did not hold on {TOLD.day}" in page.replace("\\", "")
    for day in (TOLD, AFTER):
        assert not any("Retracted" in page for page in pages(told, day))


def test_the_third_morning_does_not_know_it_any_more(told):
    assert ours(told, AFTER) == []


def test_a_chunk_gives_what_the_mornings_said(told):
    made = told.pipeline.definitions().resolve_asset_graph().get_all_asset_keys()
    again = sorted(key.to_user_string() for key in made if key.path[0] in ("marts", "analysis", "recommendations"))
    run(told.pipeline, list(DAYS), assets=[*again, "rules/findings"])
    for day in DAYS:
        assert_same(answer(told.pipeline, day), told.mornings[day])


def test_a_second_look_at_a_day_of_which_nothing_was_restated_sees_the_published_features(told):
    """Whatever the id of a stand-in, and though it asks for one day only."""
    pipeline = told.pipeline
    marts = [name for name, mart in load_marts(dbt_project_dir()).items() if mart.layer == "marts"]
    registry = load_registry(pipeline.settings.resolved_advertisers)
    with pipeline.warehouse.second_look(registry, [AFTER], run_id="second-look") as look:
        build(dbt_project_dir(), look.dbt_environment, cache_dir=pipeline.settings.data_dir / "cache" / "dbt", marts=marts)
        features = look.features(marts)
    for mart in marts:
        seen, published = (sorted(map(str, rows.to_pylist())) for rows in (features[mart], pipeline.warehouse.read_slices(mart, [AFTER])))
        assert seen == published, mart
    assert sum(rows.num_rows for rows in features.values())


def test_findings_do_not_wait_for_a_second_look_that_fails(told, monkeypatch):
    def broken(*_args, **_options):
        raise DbtError("second look: dbt failed: no such thing")

    monkeypatch.setattr("marketing_agents.assets.retraction.build", broken)
    results = told.pipeline.run([RETRACTED], assets=["rules/findings"])
    assert all(r.success for r in results)
    metadata = findings_metadata(results)
    assert metadata["status"] == "degraded"
    assert "not judged again" in metadata["reason"]
    assert "no such thing" in metadata["told_days_judged_again"]
    states = {f["episode_state"] for f in answer(told.pipeline, RETRACTED)["findings"] if f["rule_id"] == RULE}
    assert "superseded" not in states
    assert states
