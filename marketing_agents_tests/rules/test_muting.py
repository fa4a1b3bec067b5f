"""Notes on findings: which fit, when they hold, what a verdict means for the others, and which list a day knows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.rules.finding import Finding
from marketing_agents.rules.muting import Feedback, feedback_of_days
from marketing_agents.rules.rule import Catalogue
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.store import SliceVersion
from marketing_agents_tests.rules.builders import ADVERTISER, DAY, features, row
from marketing_agents_tests.rules.small_rules import TODAY, catalogue_of, evaluated, found, on_adgroups, rule

KEY = "campaign:google_ads:111:c1"


def note(**changes: Any) -> Feedback:
    return Feedback.model_validate(
        {"feedback_id": "n1", "given_on": DAY, "verdict": "mute", "author": "jane", "rule_id": "MEDIA-900"} | changes
    )


@pytest.fixture
def rules(tmp_path: Path) -> Catalogue:
    return catalogue_of(
        tmp_path, rule("MEDIA-900", limits_actions_from="low"), rule("MEDIA-901", suppressed_by=["MEDIA-900"], limited_by=["MEDIA-900"])
    )


def told(rules: Catalogue, *notes: Feedback) -> dict[str, Finding]:
    world = features(("campaign_features", [row("campaign_features", campaign_id=name, spend_w7=1500.0) for name in ("c1", "c2")]))
    return found(evaluated(rules, world, feedback={TODAY: notes}))


def muted_of(findings: dict[str, Finding]) -> set[str]:
    return {key for key, finding in findings.items() if finding.episode_state == "muted"}


@pytest.mark.parametrize(
    ("case", "changes", "expected"),
    [
        ("a rule", {}, {"MEDIA-900 c1", "MEDIA-900 c2"}),
        ("a rule on an entity", {"entity_key": KEY}, {"MEDIA-900 c1"}),
        ("an entity", {"rule_id": None, "entity_key": KEY}, {"MEDIA-900 c1", "MEDIA-901 c1"}),
        ("another entity", {"entity_key": "campaign:google_ads:111:c9"}, set()),
        ("a finding that is not there", {"rule_id": None, "finding_id": "0" * 16}, set()),
        ("a finding and another rule", {"rule_id": "MEDIA-999", "finding_id": "any"}, set()),
        ("nothing in particular", {"rule_id": None}, set()),
        ("empty texts state nothing", {"rule_id": "", "entity_key": ""}, set()),
    ],
)
def test_what_a_note_is_about(case: str, changes: dict[str, Any], expected: set[str], rules: Catalogue) -> None:
    assert muted_of(told(rules, note(**changes))) == expected, case


def test_a_finding_by_its_id(rules: Catalogue) -> None:
    wanted = told(rules)["MEDIA-901 c2"].finding_id
    assert muted_of(told(rules, note(rule_id=None, finding_id=wanted))) == {"MEDIA-901 c2"}


@pytest.mark.parametrize(
    ("case", "changes", "holds"),
    [
        ("from today", {}, True),
        ("from tomorrow", {"given_on": DAY + timedelta(days=1)}, False),
        ("until today", {"given_on": DAY - timedelta(days=30), "until": DAY}, True),
        ("until yesterday", {"given_on": DAY - timedelta(days=30), "until": DAY - timedelta(days=1)}, False),
        ("muted long ago, for good", {"given_on": DAY - timedelta(days=300)}, True),
        ("wrong, for good", {"verdict": "wrong", "given_on": DAY - timedelta(days=300)}, True),
        ("done 13 days ago", {"verdict": "done", "given_on": DAY - timedelta(days=13)}, True),
        ("done 14 days ago", {"verdict": "done", "given_on": DAY - timedelta(days=14)}, False),
        ("done, with an end", {"verdict": "done", "given_on": DAY - timedelta(days=14), "until": DAY}, True),
    ],
)
def test_when_a_note_holds(case: str, changes: dict[str, Any], holds: bool, rules: Catalogue) -> None:
    assert ("MEDIA-900 c1" in muted_of(told(rules, note(**changes)))) == holds, case


def test_the_finding_says_who_muted_it(rules: Catalogue) -> None:
    older = note(feedback_id="n0", given_on=DAY - timedelta(days=3), author="joe")
    finding = told(rules, note(until=DAY, reason="Known."), older)["MEDIA-900 c1"]
    assert finding.muted is not None
    assert (finding.muted.feedback_id, finding.muted.author, finding.muted.until, finding.muted.reason) == ("n1", "jane", DAY, "Known.")
    assert not finding.is_open


@pytest.mark.parametrize(("verdict", "holds"), [("mute", True), ("done", True), ("wrong", False)])
def test_what_is_true_holds_although_it_is_not_told(verdict: str, holds: bool, rules: Catalogue) -> None:
    finding = told(rules, note(verdict=verdict))["MEDIA-900 c1"]
    assert (finding.is_open, finding.holds) == (False, holds)


@pytest.mark.parametrize(("verdict", "explains"), [("mute", True), ("done", True), ("wrong", False)])
def test_what_is_true_still_explains_and_limits(verdict: str, explains: bool, rules: Catalogue) -> None:
    other = told(rules, note(verdict=verdict))["MEDIA-901 c1"]
    assert bool(other.suppressed_by) == explains
    assert (other.action_limit == "monitor_only") == explains
    assert other.is_open


@pytest.mark.parametrize(("verdict", "is_context"), [("mute", True), ("done", True), ("wrong", False)])
def test_what_is_known_still_stands_for_its_parent(verdict: str, is_context: bool, tmp_path: Path) -> None:
    rules = catalogue_of(tmp_path, rule("MEDIA-900"), on_adgroups("MEDIA-901"))
    world = features(
        ("campaign_features", [row("campaign_features", spend_w7=1500.0)]),
        ("adgroup_features", [row("adgroup_features", spend_w7=1400.0)]),
    )
    findings = found(evaluated(rules, world, feedback={TODAY: [note(rule_id="MEDIA-901", verdict=verdict)]}))
    assert (findings["MEDIA-900 c1"].rolled_up_to is not None) == is_context
    assert muted_of(findings) == {"MEDIA-901 g1"}


def test_the_episode_goes_on_behind_it(rules: Catalogue) -> None:
    days = [DAY - timedelta(days=back) for back in (2, 1, 0)]
    world = features(("campaign_features", [row("campaign_features", day, spend_w7=1500.0) for day in days]))
    notes = (note(given_on=days[1], until=days[1], rule_id="MEDIA-900"),)
    partitions = [LocalDay(ADVERTISER, day) for day in days]
    evaluation = evaluated(rules, world, partitions, feedback=dict.fromkeys(partitions, notes))
    states = [found(evaluation, day)["MEDIA-900 c1"] for day in partitions]
    assert [(f.episode_state, f.days_open) for f in states] == [("opened", 1), ("muted", 2), ("ongoing", 3)]


def version(day: date, as_of: date | None = None, rows: int = 1) -> SliceVersion:
    return SliceVersion("feedback", ADVERTISER, day, as_of or day, rows, "hash", datetime(2026, 11, 21, tzinfo=UTC), False)


def listed(*days: date) -> dict[str, pa.Table]:
    """One note per slice, named after its day."""
    schema = INPUT_TABLES["feedback"].arrow_schema().append(pa.field("date", pa.date32()))
    rows = [
        {"advertiser_id": ADVERTISER, "feedback_id": day.isoformat(), "given_on": day, "verdict": "mute", "author": "jane", "date": day}
        for day in days
    ]
    return {ADVERTISER: pa.Table.from_pylist(rows, schema=schema)}


@pytest.mark.parametrize(
    ("case", "back", "known"),
    [
        ("of the day", (0, 1, 5), 0),
        ("of the day before", (1, 5), 1),
        ("six days old", (6, 9), 6),
        ("seven days old", (7,), None),
        ("of tomorrow", (-1,), None),
        ("none", (), None),
    ],
)
def test_the_newest_list_of_a_week_is_read(case: str, back: tuple[int, ...], known: int | None) -> None:
    days = [DAY - timedelta(days=n) for n in back]
    notes = feedback_of_days([version(day) for day in days], listed(*days), [TODAY])[TODAY]
    assert [n.feedback_id for n in notes] == ([] if known is None else [(DAY - timedelta(days=known)).isoformat()]), case


def test_an_empty_list_takes_notes_back() -> None:
    yesterday = DAY - timedelta(days=1)
    assert feedback_of_days([version(yesterday), version(DAY, rows=0)], listed(yesterday), [TODAY])[TODAY] == ()


def test_a_list_is_that_of_its_own_day() -> None:
    late = [version(DAY - timedelta(days=1), as_of=DAY)]
    assert feedback_of_days(late, listed(DAY - timedelta(days=1)), [TODAY])[TODAY] == ()
