"""What people and other parts read: explanations, display forms, result tables."""

from __future__ import annotations

import json
from typing import Any

import pytest

from marketing_agents.days import LocalDay
from marketing_agents.rules.display import display_value
from marketing_agents.rules.explain import UnknownRuleError, explain
from marketing_agents.rules.finding import Unit
from marketing_agents.rules.tables import findings_from_table, findings_table, outcomes_from_table, outcomes_table
from marketing_agents_tests.rules.builders import ADVERTISER, DAY, all_loaded, catalogue, features, row, run

DEAR = {"spend_w14m": 3300.0}
LOCAL_DAY = LocalDay(ADVERTISER, DAY)


def explained(rule_id: str, *rows: dict[str, Any], inputs: Any = None) -> Any:
    return explain(catalogue(), features(("campaign_features", rows)), LOCAL_DAY, rule_id, inputs or all_loaded())


def test_it_says_why_a_rule_fired() -> None:
    (entity,) = explained("MEDIA-001", row("campaign_features", **DEAR)).entities
    assert (entity.outcome, entity.severity, entity.episode) == ("fired", "critical", f"opened, since {DAY}")
    checks = {line.name: line.answer for line in entity.checks}
    assert checks["floor"] == "yes"
    assert checks["when critical"] == "yes"
    assert "(must be below 0.01)" in checks["test"]
    values = {line.name: line.answer for line in entity.figures}
    assert (values["cpa_idx"], values["spend_w14m"], values["campaign_target_cpa"]) == ("3", "3300", "20")


@pytest.mark.parametrize(
    ("case", "changes", "inputs", "expected"),
    [
        ("clear", {}, {}, ("clear", "", "")),
        ("out of scope", {"campaign_role": "brand"}, {}, ("out of scope", "", "")),
        ("too little", {"orders_known_w28": 20}, {}, ("not_evaluable", "below_minimum_volume", "")),
        ("empty", {"campaign_role": None}, {}, ("not_evaluable", "missing_input", "campaign_role is empty")),
        ("never loaded", {}, {"missing": ["orders_daily"]}, ("not_evaluable", "missing_input", "orders_daily was never loaded")),
        (
            "not today",
            {},
            {"absent_on": {"orders_daily": [DAY]}},
            ("not_evaluable", "blocked_by_data", "orders_daily has not been loaded for the day"),
        ),
    ],
)
def test_it_says_why_a_rule_did_not_fire(case: str, changes: dict[str, Any], inputs: dict[str, Any], expected: tuple[str, ...]) -> None:
    (entity,) = explained("AUD-006", row("campaign_features", **changes), inputs=all_loaded(**inputs)).entities
    assert (entity.outcome, entity.reason, entity.detail) == expected, case


def test_both_forms_hold_the_same_and_outside_text_is_harmless() -> None:
    explanation = explained("MEDIA-001", row("campaign_features", campaign_name="<script>|`x`\n# gotcha [a](b)", **DEAR))
    markdown = explanation.markdown()
    assert "<script>" not in markdown
    assert "\n# gotcha" not in markdown
    assert json.loads(explanation.to_json())["entities"][0]["severity"] == "critical"
    assert "| when critical | `cpa_idx >= 2.0` | yes |" in markdown


def test_a_gate_and_an_unknown_rule() -> None:
    with pytest.raises(UnknownRuleError, match="did you mean 'MEDIA-01"):
        explained("MEDIA-01", row("campaign_features"))
    assert explained("PLAT-004", row("campaign_features")).gates[0].answer == "the rule requires none"


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1234.4, Unit.MONEY, "USD 1,234"),
        (12.345, Unit.MONEY, "USD 12.35"),
        (40.0, Unit.MONEY, "USD 40"),
        (-1234.0, Unit.MONEY, "-USD 1,234"),
        (-0.001, Unit.MONEY, "USD 0"),
        (0.3141, Unit.PERCENT, "31.4%"),
        (1.8, Unit.MULTIPLE, "1.8x"),
        (1.834, Unit.MULTIPLE, "1.83x"),
        (12.34, Unit.MULTIPLE, "12.3x"),
        (2.0, Unit.MULTIPLE, "2x"),
        (1.0, Unit.DAYS, "1 day"),
        (14.0, Unit.DAYS, "14 days"),
        (37.4, Unit.HOURS, "37 hours"),
        (0.0004, Unit.PROBABILITY, "< 0.001"),
        (0.0131, Unit.PROBABILITY, "0.013"),
        (0.26, Unit.PROBABILITY, "0.26"),
        (1234567.0, Unit.COUNT, "1,234,567"),
        (7.25, Unit.COUNT, "7.2"),
        (-0.001, Unit.RATIO, "0.00"),
        (DAY, Unit.DATE, "2026-11-20"),
        ("set", Unit.TEXT, "set"),
        (None, Unit.MONEY, "unknown"),
    ],
)
def test_display(value: Any, unit: Unit, expected: str) -> None:
    assert display_value(value, unit, "USD") == expected


def test_findings_survive_their_table() -> None:
    evaluation = run(
        features(
            (
                "campaign_features",
                [
                    row("campaign_features", campaign_id=f"c{n}", campaign_name="Übergrößen 👟 '; DROP TABLE x; --", **DEAR)
                    for n in range(3)
                ],
            )
        )
    )
    found = evaluation.findings[LOCAL_DAY]
    table = findings_table(found)
    assert sorted(findings_from_table(table), key=lambda f: f.finding_id) == sorted(found, key=lambda f: f.finding_id)
    assert table.num_rows == 3
    assert findings_table([]).schema == table.schema


def test_outcomes_have_one_row_per_reason() -> None:
    table = outcomes_table(run(features()).outcomes[LOCAL_DAY])
    assert table.num_rows == len(catalogue().rules)
    assert outcomes_table(outcomes_from_table(table)).equals(table)
    assert outcomes_table([]).schema == table.schema


def test_fact_ids_are_unique_within_a_partition() -> None:
    rows = [row("campaign_features", campaign_id=f"c{n}", has_purchaser_exclusion=False, **DEAR) for n in range(40)]
    facts = [fact.id for finding in run(features(("campaign_features", rows))).findings[LOCAL_DAY] for fact in finding.facts]
    assert len(facts) == len(set(facts))
    assert len(facts) > 400
