"""A morning of the whole agency: every partition reported, every planted incident found, nothing raised on the clean advertiser."""

from __future__ import annotations

import json

from marketing_agents.days import LocalDay
from marketing_agents.rules.tables import findings_from_table
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents_tests.e2e.pipeline import ANCHOR, check_evaluations, materializations

DOMAINS = ("audience", "budget", "conversion", "creative", "media_performance", "platform")


def open_findings(pipeline):
    days = [LocalDay(a, ANCHOR) for a in pipeline.ids]
    return [f for f in findings_from_table(pipeline.warehouse.read_slices("findings", days)) if f.is_open]


def test_every_run_succeeds_and_every_partition_of_every_asset_is_materialized_once(morning):
    pipeline, results = morning
    assert all(r.success for r in results)
    made = [(asset, partition) for asset, partition, _ in materializations(results)]
    assert len(made) == len(set(made))
    wanted_assets = (
        {f"raw/{t}" for t in INPUT_TABLES} | {"rules/findings", "recommendations", "daily_report"} | {f"analysis/{d}" for d in DOMAINS}
    )
    partitions = {f"{a}|{ANCHOR}" for a in pipeline.ids}
    assert {(a, p) for a in wanted_assets for p in partitions} <= set(made)


def test_every_materialization_has_row_count_and_status(morning):
    _, results = morning
    for asset, partition, metadata in materializations(results):
        assert metadata["status"] in ("ok", "degraded"), (asset, partition, metadata)
        assert isinstance(metadata["dagster/partition_row_count"], int), (asset, partition)


def test_metadata_belongs_to_its_own_partition(morning):
    pipeline, results = morning
    shown = {(a, p): m for a, p, m in materializations(results)}
    for advertiser in pipeline.ids:
        rows = pipeline.warehouse.read_slices("recommendations", [LocalDay(advertiser, ANCHOR)]).num_rows
        assert shown["recommendations", f"{advertiser}|{ANCHOR}"]["dagster/partition_row_count"] == rows
    assert len({m["recommendations"] for (a, _), m in shown.items() if a == "recommendations"}) > 3


def test_every_check_evaluation_names_its_partition(morning):
    pipeline, results = morning
    evaluations = check_evaluations(results)
    assert {str(e.partition) for e in evaluations} == {f"{a}|{ANCHOR}" for a in pipeline.ids}
    assert {e.check_name for e in evaluations} == {"partition_status", "dbt_tests", "writer"}


def test_planted_incidents_are_found_on_the_right_entity(morning):
    pipeline, _ = morning
    found = {(f.rule_id, f.advertiser_id, f.entity.id) for f in open_findings(pipeline)}
    missed = []
    for incident in pipeline.truth.incidents:
        for rule_id in incident.rule_ids:
            hit = any(r == rule_id and a == incident.advertiser_id and incident.entity_id in entity.split("/") for r, a, entity in found)
            if not hit:
                missed.append((rule_id, incident.advertiser_id, incident.entity_type, incident.entity_id))
    assert not missed, f"missed {missed}; found {sorted(found)}"


def test_a_clean_advertiser_in_utc_plus_14_with_a_utc_account_raises_nothing(morning):
    pipeline, _ = morning
    assert [f for f in open_findings(pipeline) if f.advertiser_id == "kiritimati-bonefish"] == []


def test_nothing_else_is_raised_beside_the_incidents(morning):
    """False alarms on the default agency: none may appear unnoticed."""
    pipeline, _ = morning
    planted = {(rule, i.advertiser_id, i.entity_id) for i in pipeline.truth.incidents for rule in i.rule_ids}
    consequences = {(rule, i.advertiser_id) for i in pipeline.truth.incidents for rule in i.consequences}
    extra = [
        (f.rule_id, f.advertiser_id, f.entity.id, f.severity)
        for f in open_findings(pipeline)
        if not any(f.rule_id == r and f.advertiser_id == a and e in f.entity.id.split("/") for r, a, e in planted)
        and (f.rule_id, f.advertiser_id) not in consequences
    ]
    assert extra == []


def test_a_broken_tag_holds_actions_on_its_account(morning):
    pipeline, _ = morning
    incident = next(i for i in pipeline.truth.incidents if "CONV-001" in i.rule_ids)
    rows = pipeline.warehouse.read_slices("recommendations", [LocalDay(incident.advertiser_id, ANCHOR)]).to_pylist()
    assert any(r["action"] == "FIX_TAG" and r["rank"] is not None for r in rows)


def test_reports_are_pages_without_outside_requests(morning):
    pipeline, _ = morning
    for advertiser in pipeline.ids:
        page = (pipeline.settings.data_dir / "reports" / advertiser / f"{ANCHOR}.html").read_text(encoding="utf-8")
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert "https://" not in page
        assert "<script" not in page


def test_the_body_of_a_recommendation_is_whole(morning):
    pipeline, _ = morning
    rows = pipeline.warehouse.read_slices("recommendations", [LocalDay(a, ANCHOR) for a in pipeline.ids]).to_pylist()
    assert rows
    for row in rows:
        body = json.loads(row["body"])
        assert body["recommendation_id"] == row["recommendation_id"]
        assert json.loads(row["finding_ids"])
