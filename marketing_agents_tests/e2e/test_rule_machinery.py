"""Overrides, rules on trial, feedback, coverage and diff in the real pipeline: one advertiser, one day, one run."""

from __future__ import annotations

import html
import json
import shutil
import sys
from datetime import date

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from marketing_agents.assets.coverage import coverage_of
from marketing_agents.days import LocalDay
from marketing_agents.rules.catalogue_file import PACKAGED_CATALOGUE
from marketing_agents.rules.tables import findings_from_table
from marketing_agents.sample.agency import write_agency
from marketing_agents.settings import Settings
from marketing_agents_tests.e2e.pipeline import ANCHOR, Pipeline, materializations
from marketing_agents_tests.e2e.small_agency import small_spec

ADVERTISER = "harbour-thread"
DAY = LocalDay(ADVERTISER, ANCHOR)
RULE, TRIAL = "CREATIVE-004", "CREATIVE-904"
WHO = {"owner": "jane@acme.example", "reason": "Test."}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A day on which the planted finding is muted, its rule is on trial a second time, and two overrides exist, one of them expired."""
    folder = tmp_path_factory.mktemp("machinery")
    truth = write_agency(folder / "sample", small_spec(ADVERTISER))
    [incident] = [i for i in truth.incidents if RULE in i.rule_ids]

    notes = folder / "sample" / "input" / "feedback.parquet"
    stored = pq.read_table(notes)
    note = {"advertiser_id": ADVERTISER, "feedback_id": "n9", "given_on": ANCHOR, "rule_id": RULE, "verdict": "mute", "author": "jane"}
    pq.write_table(pa.concat_tables([stored, pa.Table.from_pylist([note], schema=stored.schema)]), notes)

    catalogue = shutil.copytree(PACKAGED_CATALOGUE, folder / "catalogue")
    [written] = [r for r in yaml.safe_load((catalogue / "creative.yaml").read_text())["rules"] if r["id"] == RULE]
    on_trial = {"category": "CREATIVE", "rules": [written | {"id": TRIAL, "shadow": True}]}
    (catalogue / "trial.yaml").write_text(yaml.safe_dump(on_trial))
    entries = [
        {"rule": "SEAS-001", "advertiser": ADVERTISER, "disabled": True, "expires": date(2026, 12, 31), **WHO},
        {"rule": "AUD-006", "disabled": True, "expires": date(2026, 10, 1), **WHO},
    ]
    (folder / "overrides.yaml").write_text(yaml.safe_dump({"overrides": entries}))
    settings = Settings(
        data_dir=folder,
        advertisers=folder / "sample" / "advertisers.yaml",
        writer="template",
        charts="never",
        catalogue_dir=catalogue,
        overrides=folder / "overrides.yaml",
    )
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(settings, instance, truth)
        results = pipeline.run([DAY])
        assert all(r.success for r in results), [e for r in results for e in r.all_events if e.is_failure]
        made = {asset: metadata for asset, partition, metadata in materializations(results) if partition == DAY.key}
        yield pipeline, made, incident


def findings(pipeline):
    return {f"{f.rule_id} {f.entity.id}": f for f in findings_from_table(pipeline.warehouse.read_slices("findings", [DAY]))}


def test_findings_are_stored_as_muted_and_on_trial(ran):
    pipeline, made, incident = ran
    found = findings(pipeline)
    [muted] = [f for key, f in found.items() if key.startswith(RULE) and incident.entity_id in key]
    [trial] = [f for key, f in found.items() if key.startswith(TRIAL) and incident.entity_id in key]
    assert (muted.episode_state, muted.muted.author) == ("muted", "jane")
    assert trial.is_shadow
    assert trial.is_open
    details = made["rules/findings"]
    assert (details["muted"], details["on_trial"]) == (1, sum(f.is_shadow for f in found.values()))


def test_nobody_is_told(ran):
    pipeline, _, incident = ran
    [muted] = [f for key, f in findings(pipeline).items() if key.startswith(RULE) and incident.entity_id in key]
    for table in ("analyses", "recommendations"):
        bodies = json.dumps(pipeline.warehouse.read_slices(table, [DAY]).column("body").to_pylist())
        assert TRIAL not in bodies
        assert muted.finding_id not in bodies
    page = html.unescape((pipeline.settings.data_dir / "reports" / ADVERTISER / f"{ANCHOR}.html").read_text(encoding="utf-8"))
    assert TRIAL not in page


def test_overrides_are_in_force_until_they_expire(ran):
    pipeline, made, _ = ran
    outcomes = {r["rule_id"]: r for r in pipeline.warehouse.read_slices("rule_evaluations", [DAY]).to_pylist()}
    assert outcomes["SEAS-001"]["reason"] == "disabled"
    assert outcomes["AUD-006"]["reason"] != "disabled"
    assert made["rules/findings"]["overrides_expired"] == "AUD-006 (jane@acme.example, until 2026-10-01)"


def test_coverage_of_an_advertiser_with_everything(ran):
    pipeline, _, _ = ran
    [found] = coverage_of(pipeline.settings, pipeline.warehouse, [ADVERTISER])
    assert {rule.state for rule in found.rules} <= {"full", "reduced"}
    definitions = pipeline.definitions()
    made = dg.materialize(
        [a for a in definitions.assets if "rules/coverage" in {k.to_user_string() for k in a.keys}],
        resources=definitions.resources,
        instance=pipeline.instance,
    )
    assert made.success


def test_the_diff_against_the_packaged_rules(ran, monkeypatch, capsys):
    from marketing_agents.cli.app import main

    pipeline, _, _ = ran
    for name in ("data_dir", "advertisers", "catalogue_dir"):
        monkeypatch.setenv(f"MARKETING_AGENTS_{name.upper()}", str(getattr(pipeline.settings, name)))
    monkeypatch.setattr(sys, "argv", ["marketing-agents", "rules", "diff", "--against", str(PACKAGED_CATALOGUE), "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    told = json.loads(capsys.readouterr().out)
    assert told["rules"] == {"added": [TRIAL], "removed": [], "changed": []}
    assert (told["advertiser_days"], told["changes"]) == (1, [])  # a rule on trial changes nothing that is told
