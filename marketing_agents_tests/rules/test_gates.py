"""Gates before rules: late data blocks exactly what depends on it, broken tracking limits what may be done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from marketing_agents.days import LocalDay
from marketing_agents.rules.availability import availability
from marketing_agents_tests.rules.builders import (
    ADVERTISER,
    DAY,
    all_loaded,
    features,
    findings_of,
    frame,
    outcomes_of,
    row,
    run,
    span,
    verdict,
    versions,
)

DEAR = {"spend_w14m": 3300.0}
LATE = {"last_day_with_rows": DAY - timedelta(days=1), "age_hours": 30.0, "rows_d": 0}
SILENT = {"zero_days": 3, "expected_conversions_zero_days": 12.0}


def world(gate: dict[str, Any], campaigns: list[dict[str, Any]]) -> Any:
    return run(
        features(
            ("platform_account_features", [row("platform_account_features", **gate)]),
            ("campaign_features", [row("campaign_features", **DEAR, **campaign) for campaign in campaigns]),
        )
    )


@pytest.mark.parametrize(
    ("case", "gate", "expected"),
    [
        ("on time", {}, "critical"),
        ("late, medium", LATE, "blocked_by_data"),
        ("another table of the account", LATE | {"table_name": "conversions_by_action_daily"}, "critical"),
        ("another account", LATE | {"account_id": "222"}, "critical"),
        ("the same account number on another platform", LATE | {"platform": "meta"}, "critical"),
    ],
)
def test_a_gate_blocks_rules_of_its_table_and_account(case: str, gate: dict[str, Any], expected: str) -> None:
    assert verdict(world(gate, [{}]), "MEDIA-001") == expected, case


def test_only_entities_of_the_account_are_blocked_and_the_reason_is_named() -> None:
    evaluation = world(LATE, [{}, {"campaign_id": "c2", "account_id": "222"}])
    assert [(o.outcome, o.reason, o.detail, o.entities) for o in outcomes_of(evaluation, "MEDIA-001")] == [
        ("fired", "", "", 1),
        ("not_evaluable", "blocked_by_data", "google_ads 111: ad_performance_daily late or incomplete (PLAT-004 medium)", 1),
    ]


def test_entities_without_account_are_blocked_by_any_account() -> None:
    evaluation = world(LATE | {"account_id": "999"}, [{}])
    assert verdict(evaluation, "BUDGET-001") == "blocked_by_data"


def test_the_gate_of_a_day_counts_for_that_day() -> None:
    # given a campaign that is too dear on three days, and data that was late on the middle one
    days = [DAY - timedelta(days=back) for back in (2, 1, 0)]
    gates = [row("platform_account_features", day) for day in days]
    gates[1] |= {"last_day_with_rows": days[0], "age_hours": 30.0, "rows_d": 0}
    evaluation = run(
        features(("platform_account_features", gates), ("campaign_features", [row("campaign_features", day, **DEAR) for day in days])),
        days=[LocalDay(ADVERTISER, day) for day in days],
    )
    # then the blocked day keeps the episode, shows the evidence of the day before, and proposes nothing but to wait
    states = [
        (finding.episode_state, finding.evaluated_day, finding.playbook[0].action)
        for day in days
        for finding in findings_of(evaluation, "MEDIA-001", day)
    ]
    assert states == [
        ("opened", days[0], "ADJUST_BID_TARGET"),
        ("ongoing", days[0], "NO_ACTION_MONITOR"),
        ("ongoing", days[2], "ADJUST_BID_TARGET"),
    ]
    assert findings_of(evaluation, "MEDIA-001", days[1])[0].data_age_days == 1


@pytest.mark.parametrize(
    ("case", "action", "limit", "is_suppressed"),
    [
        ("tracking works", {}, "none", False),
        ("a secondary action is silent: explains, does not limit", SILENT | {"is_primary": False}, "none", True),
        ("the primary action is silent", SILENT, "monitor_only", True),
        ("the primary action of another account is silent", SILENT | {"account_id": "222"}, "none", False),
    ],
)
def test_tracking_limits_what_may_be_done(case: str, action: dict[str, Any], limit: str, is_suppressed: bool) -> None:
    evaluation = run(
        features(
            ("conversion_action_features", [row("conversion_action_features", **action)]),
            ("campaign_features", [row("campaign_features", **DEAR)]),
        )
    )
    (finding,) = findings_of(evaluation, "MEDIA-001")
    tracking = tuple(other.finding_id for other in findings_of(evaluation, "CONV-001"))
    assert (finding.action_limit, finding.suppressed_by) == (limit, tracking if is_suppressed else ()), case


@pytest.mark.parametrize(
    ("case", "rows", "expected"),
    [
        ("no row at all", [], ("not_evaluable", "missing_input", "calendar_event_features has no row for this advertiser", 0)),
        (
            "rows before, none today",
            [row("calendar_event_features", DAY - timedelta(days=3))],
            ("clear", "", "nothing to evaluate: calendar_event_features has no row on this day", 0),
        ),
        ("out of scope", [row("calendar_event_features", days_until_start=25)], ("clear", "", "1 out of scope", 1)),
    ],
)
def test_a_mart_without_rows_says_so(case: str, rows: list[dict[str, Any]], expected: tuple[Any, ...]) -> None:
    (outcome,) = outcomes_of(run(features(("calendar_event_features", rows))), "SEAS-001")
    assert (outcome.outcome, outcome.reason, outcome.detail, outcome.entities) == expected, case


def test_a_mart_that_was_not_built_is_missing_input() -> None:
    everything = features()
    del everything["adgroup_features"]
    (outcome,) = outcomes_of(run(everything), "CREATIVE-004")
    assert (outcome.reason, outcome.entities) == ("missing_input", 0)


def test_availability_sees_what_was_known_on_the_day() -> None:
    day = LocalDay(ADVERTISER, DAY)
    before, on, later = DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)
    log = (
        versions([before], ["ad_performance_daily", "orders_daily"])
        + versions([on], ["ad_performance_daily"])
        + versions([later], ["web_sessions_daily"])
    )
    found = availability(log, [day])
    tables = ["ad_performance_daily", "orders_daily", "web_sessions_daily", "budget_plans"]
    assert found.not_loaded(day, tables) == ("orders_daily",)
    assert found.never_loaded(day, tables) == ("web_sessions_daily", "budget_plans")
    assert found.not_loaded(LocalDay("other", DAY), tables) == ()


def test_a_restatement_of_another_day_is_no_version_of_today() -> None:
    day = LocalDay(ADVERTISER, DAY)
    restated = [
        version.__class__(**{**version.__dict__, "as_of": DAY}) for version in versions([DAY - timedelta(days=1)], ["orders_daily"])
    ]
    found = availability(versions([DAY - timedelta(days=1)], ["orders_daily"]) + restated, [day])
    assert found.not_loaded(day, ["orders_daily"]) == ("orders_daily",)


def test_a_frame_without_a_promised_column_is_an_error_that_names_it() -> None:
    broken = features() | {"campaign_features": frame("campaign_features", [row("campaign_features")]).drop(columns="spend_w14m")}
    with pytest.raises(ValueError, match="features of 'campaign_features' have no column 'spend_w14m'"):
        run(broken)


def test_two_rows_for_one_entity_and_day_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"two rows for google_ads/111/c1 on acme\|2026-11-20"):
        run(features(("campaign_features", [row("campaign_features", **DEAR)] * 2)))


def test_all_loaded_covers_the_window() -> None:
    assert all(not all_loaded().not_loaded(LocalDay(ADVERTISER, day), ["orders_daily"]) for day in span(days=56))
