"""Every rule on changed healthy rows: it fires where it should, at the exact boundary, and says why when it cannot be evaluated."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from marketing_agents.rules.availability import InputAvailability
from marketing_agents.rules.evaluate import Evaluation
from marketing_agents_tests.rules.areas import RuleCases, cases
from marketing_agents_tests.rules.builders import (
    DAY,
    all_loaded,
    catalogue,
    findings_of,
    marts,
    outcomes_of,
    row,
    run_rule,
    verdict,
)

RULES = {rule.id: rule for rule in catalogue().rules}
ELSEWHERE = {"MEDIA-001", "CREATIVE-004", "BUDGET-001", "AUD-006", "CONV-001", "PLAT-004", "SEAS-001"}
"""Their cases are in test_the_seven_rules.py."""

each_rule = pytest.mark.parametrize("case", cases(), ids=lambda case: case.rule_id)


def judged(rule_id: str, changes: Any, inputs: InputAvailability | None = None) -> Evaluation:
    return run_rule(rule_id, [row(RULES[rule_id].mart, **changes)], inputs)


def test_every_rule_has_every_kind_of_case() -> None:
    written = {case.rule_id: case for case in cases()}
    assert set(written) | ELSEWHERE == set(RULES)
    for rule_id, case in written.items():
        assert case.fires, rule_id
        assert len(case.boundary) >= 2, rule_id
        assert case.missing, rule_id
        assert {expected for _, _, expected in case.missing} == {"missing_input"}, rule_id
        assert bool(case.below_floor) == (RULES[rule_id].floor is not None), rule_id
        assert {expected for _, _, expected in case.below_floor} <= {"below_minimum_volume"}, rule_id
        assert {expected for _, _, expected in case.fires} <= {"low", "medium", "high", "critical"}, rule_id


@pytest.mark.parametrize(
    ("rule_id", "changes", "expected"),
    [pytest.param(c.rule_id, changes, expected, id=f"{c.rule_id}: {name}") for c in cases() for name, changes, expected in c.all],
)
def test_case(rule_id: str, changes: Any, expected: str) -> None:
    assert verdict(judged(rule_id, changes), rule_id) == expected


@each_rule
def test_a_table_that_was_never_loaded_is_named(case: RuleCases) -> None:
    for table in RULES[case.rule_id].requires:
        evaluation = judged(case.rule_id, case.certain, all_loaded(missing=[table]))
        (outcome,) = outcomes_of(evaluation, case.rule_id)
        assert (outcome.outcome, outcome.reason) == ("not_evaluable", "missing_input")
        assert table in outcome.detail


@each_rule
def test_a_table_that_has_not_arrived_blocks(case: RuleCases) -> None:
    for table in RULES[case.rule_id].requires:
        evaluation = judged(case.rule_id, case.certain, all_loaded(absent_on={table: [DAY]}))
        (outcome,) = outcomes_of(evaluation, case.rule_id)
        assert (outcome.outcome, outcome.reason) == ("not_evaluable", "blocked_by_data")
        assert table in outcome.detail
        assert findings_of(evaluation, case.rule_id) == []


@each_rule
def test_a_finding_can_be_told(case: RuleCases) -> None:
    (finding,) = findings_of(judged(case.rule_id, case.certain), case.rule_id)
    facts = {fact.id: fact for fact in finding.facts}
    assert {finding.observed, finding.threshold} <= set(facts)
    assert finding.baseline is None or finding.baseline in facts
    assert finding.money_at_stake is None or finding.money_at_stake >= 0
    assert 0 < finding.confidence <= 1
    assert finding.playbook
    assert finding.causes
    assert all(fact.display for fact in finding.facts)


@each_rule
def test_more_of_all_money_changes_nothing_but_the_money(case: RuleCases) -> None:
    """Floors are the least of what is worth telling, so all money is multiplied, never divided."""
    mart = RULES[case.rule_id].mart
    money = {column.name for column in marts()[mart].columns if column.unit == "money"}
    plain = row(mart, **case.certain)
    dear = {name: value * 64 if name in money and value is not None else value for name, value in plain.items()}
    (before,) = findings_of(run_rule(case.rule_id, [plain]), case.rule_id)
    (after,) = findings_of(run_rule(case.rule_id, [dear]), case.rule_id)
    assert (after.severity, after.p_value, after.sample_size) == (before.severity, before.p_value, before.sample_size)
    if before.money_at_stake is not None:
        assert after.money_at_stake == pytest.approx(64 * before.money_at_stake, abs=0.02 * 64)


@each_rule
def test_order_of_rows_and_later_days_change_nothing(case: RuleCases) -> None:
    mart = RULES[case.rule_id].mart
    key = RULES[case.rule_id].entity.id[-1]
    odd = row(mart, **case.certain)
    other = row(mart, **({key: "zz"} if isinstance(odd[key], str) else {}))
    later = row(mart, DAY + timedelta(days=1), **case.certain)
    rows = [odd, other, later] if isinstance(odd[key], str) else [odd, later]
    first = findings_of(run_rule(case.rule_id, rows), case.rule_id)
    second = findings_of(run_rule(case.rule_id, rows[::-1]), case.rule_id)
    assert [f.model_dump() for f in first] == [f.model_dump() for f in second]
    alone = findings_of(run_rule(case.rule_id, [row for row in rows if row is not later]), case.rule_id)
    assert [f.model_dump() for f in first] == [f.model_dump() for f in alone]


def test_cases_are_about_columns_that_exist() -> None:
    for case in cases():
        columns = set(marts()[RULES[case.rule_id].mart].column_names)
        for name, changes, _ in case.all:
            assert set(changes) <= columns, (case.rule_id, name)
