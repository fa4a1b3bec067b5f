"""Rules on trial: judged, counted and stored like any other, and without any effect on what is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from marketing_agents.rules.evaluate import Evaluation
from marketing_agents.rules.tables import (
    findings_from_table,
    findings_table,
    outcomes_from_table,
    outcomes_table,
    told_findings,
    told_outcomes,
)
from marketing_agents_tests.rules.builders import features, outcomes_of, row
from marketing_agents_tests.rules.small_rules import TODAY, catalogue_of, evaluated, found, on_accounts, on_adgroups, rule

GATE = on_accounts("PLAT-900", order="gate", gate={"severity": "medium", "table": "table_name"}, requires=[], category="PLATFORM")


def world() -> Any:
    return features(
        ("campaign_features", [row("campaign_features", spend_w7=1500.0)]),
        ("adgroup_features", [row("adgroup_features", spend_w7=1400.0)]),
        ("platform_account_features", [row("platform_account_features", spend_per_day_w28=1500.0)]),
    )


def evaluate_in(folder: Path, *rules: dict[str, Any]) -> Evaluation:
    return evaluated(catalogue_of(folder, *rules), world())


def test_it_fires_as_it_would_and_is_marked(tmp_path: Path) -> None:
    real = evaluate_in(tmp_path / "real", rule("MEDIA-900"))
    trial = evaluate_in(tmp_path / "trial", rule("MEDIA-900", shadow=True))
    finding = found(trial)["MEDIA-900 c1"]
    assert finding.is_shadow
    plain = {"catalogue_hash": "", "is_shadow": False}
    assert finding.model_copy(update=plain) == found(real)["MEDIA-900 c1"].model_copy(update=plain)
    assert [(o.outcome, o.entities, o.is_shadow) for o in outcomes_of(trial, "MEDIA-900")] == [("fired", 1, True)]


@pytest.mark.parametrize(
    ("case", "on_trial", "other"),
    [
        ("explains nothing", rule("MEDIA-900"), rule("MEDIA-901", suppressed_by=["MEDIA-900"])),
        ("explains nothing on its entity", rule("MEDIA-900"), rule("MEDIA-901", suppressed_on_entity_by=["MEDIA-900"])),
        ("limits nothing", rule("MEDIA-900", limits_actions_from="low"), rule("MEDIA-901", limited_by=["MEDIA-900"])),
        ("blocks nothing", GATE, rule("MEDIA-901")),
        ("takes nobody's place", on_adgroups("MEDIA-900"), rule("MEDIA-901")),
    ],
)
def test_the_others_say_what_they_would_say_without_it(case: str, on_trial: dict[str, Any], other: dict[str, Any], tmp_path: Path) -> None:
    alone = {key: value for key, value in other.items() if key not in ("suppressed_by", "suppressed_on_entity_by", "limited_by")}
    without = found(evaluate_in(tmp_path / "without", alone))["MEDIA-901 c1"]
    with_real = found(evaluate_in(tmp_path / "real", on_trial, other)).get("MEDIA-901 c1")
    beside = found(evaluate_in(tmp_path / "beside", on_trial | {"shadow": True}, other))["MEDIA-901 c1"]
    plain = {"catalogue_hash": ""}
    assert beside.model_copy(update=plain) == without.model_copy(update=plain), case
    assert with_real is None or with_real.model_copy(update=plain) != without.model_copy(update=plain), f"{case}: the test shows nothing"


def test_nothing_explains_it(tmp_path: Path) -> None:
    findings = found(evaluate_in(tmp_path, rule("MEDIA-900"), rule("MEDIA-901", shadow=True, suppressed_by=["MEDIA-900"])))
    assert findings["MEDIA-901 c1"].suppressed_by == ()


def test_readers_are_told_without_it(tmp_path: Path) -> None:
    evaluation = evaluate_in(tmp_path, rule("MEDIA-900"), rule("MEDIA-901", shadow=True))
    findings, outcomes = findings_table(evaluation.findings[TODAY]), outcomes_table(evaluation.outcomes[TODAY])
    assert [f.rule_id for f in told_findings(findings)] == ["MEDIA-900"]
    assert [o.rule_id for o in told_outcomes(outcomes)] == ["MEDIA-900"]
    assert sorted(f.rule_id for f in findings_from_table(findings)) == ["MEDIA-900", "MEDIA-901"]
    assert sorted(zip(*(findings.column(name).to_pylist() for name in ("rule_id", "is_shadow")), strict=True)) == [
        ("MEDIA-900", False),
        ("MEDIA-901", True),
    ]


def test_outcomes_from_before_the_column_are_read(tmp_path: Path) -> None:
    table = outcomes_table(evaluate_in(tmp_path, rule("MEDIA-900")).outcomes[TODAY])
    old = table.set_column(table.schema.get_field_index("is_shadow"), table.schema.field("is_shadow"), pa.nulls(table.num_rows, pa.bool_()))
    assert [o.is_shadow for o in outcomes_from_table(old)] == [False]
