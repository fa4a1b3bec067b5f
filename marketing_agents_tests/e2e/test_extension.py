"""Extending without touching code: a domain is a folder, a rule is an entry. And the other side: a clean agency stays quiet."""

from __future__ import annotations

import html
import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from marketing_agents.assets.catalogue import label_rules, read_catalogue
from marketing_agents.days import LocalDay
from marketing_agents.rules.tables import findings_from_table
from marketing_agents.sample.agency import write_agency
from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.settings import PROJECT_DIR, Settings
from marketing_agents_tests.e2e.pipeline import ANCHOR, Pipeline, materializations
from marketing_agents_tests.e2e.small_agency import small_spec

ADVERTISER = "harbour-thread"
DAY = LocalDay(ADVERTISER, ANCHOR)
DOMAINS = PROJECT_DIR / "marketing_agents" / "domains"
CATALOGUE = PROJECT_DIR / "marketing_agents" / "rules" / "catalogue"

SEASONAL = """\
title: Seasonal peaks
description: What the calendar brings and whether plans are ready for it.
categories: [SEASONALITY]
is_default: false
allowed_actions: [INCREASE_BUDGET, REFRESH_CREATIVE, NOTIFY_ACCOUNT_OWNER]
"""

EIGHTH_RULE = """\
  - id: MEDIA-900
    title: One campaign carries the week
    description: The campaign spends so much that a mistake in it would cost the month.
    entity: {type: campaign, id: campaign_id, name: campaign_name, platform: platform, account: account_id, campaign: campaign_id}
    mart: campaign_features
    requires: [ad_performance_daily]
    min_history_days: 28
    window_days: 28
    values:
      week_idx: spend_w7 / (spend_w28 / 4)
    applies: coalesce(campaign_status, 'enabled') == 'enabled'
    floor: spend_w28 >= 500
    when:
      low: spend_w7 >= 1000
      medium: spend_w7 >= 5000
    observed: spend_w7
    impact: spend_w7 * 0.1
    facts:
      spend_w7: {label: "spend, last 7 days", unit: money}
      week_idx: {label: the week against the four weeks, unit: multiple}
    causes:
      - {id: concentration, text: Money was moved into one campaign}
    playbook:
      - action: DECREASE_BUDGET
        parameters: {step_pct: 10}
        effect: spend_w7 * 0.01
        rationale: Spreads the risk in a small step.
    trend_metric: spend
    sources: ["an agency's own rule"]
"""


def found_on(pipeline: Pipeline):
    return [f for f in findings_from_table(pipeline.warehouse.read_slices("findings", [DAY])) if f.is_open]


def recommendations_of(pipeline: Pipeline):
    return [json.loads(r["body"]) for r in pipeline.warehouse.read_slices("recommendations", [DAY]).to_pylist()]


def missed(pipeline: Pipeline):
    """Planted incidents that no open finding of their rule names."""
    found = {(f.rule_id, f.entity.id) for f in found_on(pipeline)}
    return [
        (rule, i.entity_id)
        for i in pipeline.truth.incidents
        for rule in i.rule_ids
        if not any(r == rule and i.entity_id in e.split("/") for r, e in found)
    ]


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """The agency with a seventh domain; labels of the six-domain days are already stored, as they would be."""
    folder = tmp_path_factory.mktemp("grown")
    domains = folder / "domains"
    shutil.copytree(DOMAINS, domains, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (domains / "seasonal").mkdir()
    (domains / "seasonal" / "domain.yaml").write_text(SEASONAL, encoding="utf-8")
    shutil.copy(DOMAINS / "budget" / "prompt.md", domains / "seasonal" / "prompt.md")
    truth = write_agency(folder / "sample", small_spec(ADVERTISER))
    before = Settings(data_dir=folder, advertisers=folder / "sample" / "advertisers.yaml", writer="template", charts="never")
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(before.model_copy(update={"domains_dir": domains}), instance, truth)
        old = {label.rule_id: label for label in label_rules(before, read_catalogue(before), pipeline.state)}
        results = pipeline.run([DAY])
        yield pipeline, results, old


def test_a_seventh_domain_is_a_folder(grown):
    pipeline, results, old = grown
    assert all(r.success for r in results)
    assert (old["SEAS-001"].domain, old["SEAS-001"].tier) != ("seasonal", 1)
    made = {asset: metadata for asset, partition, metadata in materializations(results) if partition == DAY.key}
    assert made["analysis/seasonal"]["status"] == "ok"
    specs = {s.key.to_user_string(): s for s in pipeline.definitions().resolve_all_asset_specs()}
    assert {d.asset_key.to_user_string() for d in specs["recommendations"].deps} >= {"analysis/seasonal", "analysis/budget"}
    assert specs["analysis/seasonal"].group_name == "analysis"


def test_the_seventh_domain_analyses_its_rule_and_its_recommendation_survives(grown):
    pipeline, _, _ = grown
    [finding] = [f for f in found_on(pipeline) if f.rule_id == "SEAS-001"]
    analyses = {r["domain"]: json.loads(r["body"]) for r in pipeline.warehouse.read_slices("analyses", [DAY]).to_pylist()}
    assert set(analyses) == {"audience", "budget", "conversion", "creative", "media_performance", "platform", "seasonal"}
    told = {domain: {f for insight in a["insights"] for f in insight["finding_ids"]} for domain, a in analyses.items()}
    assert [domain for domain, ids in told.items() if finding.finding_id in ids] == ["seasonal"]
    own = [r for r in recommendations_of(pipeline) if "SEAS-001" in r["rule_ids"]]
    assert own
    assert all(r["domains"] == ["seasonal"] for r in own)
    assert any(r["rank"] is not None for r in own)
    page = (pipeline.settings.data_dir / "reports" / ADVERTISER / f"{ANCHOR}.html").read_text(encoding="utf-8")
    assert finding.entity.name in html.unescape(page)
    assert missed(pipeline) == []


def test_without_the_folder_the_rule_is_analysed_by_another_domain(grown):
    pipeline, _, old = grown
    packaged = pipeline.settings.model_copy(update={"domains_dir": None})
    [label] = [x for x in label_rules(packaged, read_catalogue(packaged), pipeline.state) if x.rule_id == "SEAS-001"]
    assert label == old["SEAS-001"]


def test_an_eighth_rule_is_one_entry(grown, tmp_path):
    pipeline, _, _ = grown
    before = {(f.rule_id, f.entity.key, f.severity, f.episode_state) for f in found_on(pipeline)}
    shutil.copytree(CATALOGUE, tmp_path / "catalogue")
    with (tmp_path / "catalogue" / "media.yaml").open("a", encoding="utf-8") as file:
        file.write(EIGHTH_RULE)
    extended = replace(
        pipeline, settings=pipeline.settings.model_copy(update={"catalogue_dir": tmp_path / "catalogue", "domains_dir": None})
    )
    results = extended.run([DAY], assets=["rules/findings", "analysis/media_performance", "recommendations", "daily_report"])
    assert all(r.success for r in results), [e for r in results for e in r.all_events if e.is_failure]
    after = found_on(extended)
    assert {(f.rule_id, f.entity.key, f.severity, f.episode_state) for f in after if f.rule_id != "MEDIA-900"} == before
    assert missed(extended) == []

    mine = [f for f in after if f.rule_id == "MEDIA-900"]
    spend = {row["campaign_id"]: float(row["spend_w7"]) for row in extended.warehouse.read_slices("campaign_features", [DAY]).to_pylist()}
    assert mine
    for finding in mine:
        assert finding.fact(finding.observed).number == pytest.approx(spend[finding.entity.id])
        assert finding.severity == ("medium" if spend[finding.entity.id] >= 5000 else "low")
        assert {fact.name for fact in finding.facts} >= {"spend_w7", "week_idx"}
    assert len(mine) == len({f.entity.id for f in mine})

    [analysis] = [json.loads(r["body"]) for r in extended.warehouse.read_slices("analyses", [DAY], part="media_performance").to_pylist()]
    told = [i for i in analysis["insights"] if {f.finding_id for f in mine} & set(i["finding_ids"])]
    assert told
    assert all(i["headline"] and len(i["text"]) > 40 for i in told)
    assert all(any(f.fact(f.observed).display in i["text"] for f in mine if f.finding_id in i["finding_ids"]) for i in told)
    own = [r for r in recommendations_of(extended) if "MEDIA-900" in r["rule_ids"]]
    parents = {f.finding_id for f in mine if f.rolled_up_to}  # one ad group carries most of their money, and is where to act
    assert {r["action"] for r in own if not parents & set(r["finding_ids"])} == {"DECREASE_BUDGET"}
    assert {r["action"] for r in own if parents & set(r["finding_ids"])} <= {"NO_ACTION_MONITOR"}
    assert all(set(r["finding_ids"]) & {f.finding_id for f in mine} and r["text"] for r in own)


def test_a_clean_agency_is_quiet(tmp_path, instance):
    """All six without incidents. Reported: 0 episodes in 60 advertiser-days (10 days of each), from about 4,000 evaluated entities.

    Zero of 60 allows, at 95 %, up to 5 per 100 advertiser-days (rule of three); for six that is 0.3, so one is within chance and two are not
    (4 %). What must not happen is quiet because nothing was judged.
    """
    six = [p.advertiser.id for p in sample_profiles()]
    truth = write_agency(tmp_path / "sample", small_spec(*six, incidents=False))
    assert set(truth.clean_advertisers) == set(six)
    settings = Settings(data_dir=Path(tmp_path), advertisers=tmp_path / "sample" / "advertisers.yaml", writer="template", charts="never")
    pipeline = Pipeline(settings, instance, truth)
    days = [LocalDay(a, ANCHOR) for a in pipeline.ids]
    raw_and_marts = [s.key.to_user_string() for s in pipeline.definitions().resolve_all_asset_specs() if s.key.path[0] in ("raw", "marts")]
    results = pipeline.run(days, assets=[*raw_and_marts, "rules/findings"])
    assert all(r.success for r in results)
    judged: Counter = Counter()
    for row in pipeline.warehouse.read_slices("rule_evaluations", days).to_pylist():
        judged[row["rule_id"], row["outcome"]] += row["entities"]
        assert row["reason"] != "blocked_by_data", row
    for rule in ("MEDIA-001", "CREATIVE-004", "BUDGET-001", "AUD-006", "CONV-001", "PLAT-004"):
        assert judged[rule, "clear"] >= 5, (rule, judged)
    alarms = [(f["rule_id"], f["advertiser_id"], f["entity_name"]) for f in pipeline.warehouse.read_slices("findings", days).to_pylist()]
    assert len(alarms) <= 1, alarms
