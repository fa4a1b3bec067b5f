"""What restated history and broken connectors block, and what they do not."""

from __future__ import annotations

from typing import Any

import pytest

from marketing_agents_tests.rules.areas.platform import doubled, restated
from marketing_agents_tests.rules.builders import features, outcomes_of, row, run, verdict

DEAR = {"spend_w14m": 3300.0}
DOWN = {"connector_status": "failed", "consecutive_failures": 3}


def campaign_beside(mart: str, **gate: Any) -> Any:
    return run(features((mart, [row(mart, **gate)]), ("campaign_features", [row("campaign_features", **DEAR)])))


@pytest.mark.parametrize(
    ("case", "gate", "expected"),
    [
        ("3 % restated", restated(1000.0, 1030.0), "critical"),
        ("10 % restated", restated(1000.0, 1100.0), "blocked_by_data"),
        ("loaded twice", doubled(2000.0), "blocked_by_data"),
        ("another account", doubled(2000.0) | {"account_id": "222"}, "critical"),
    ],
)
def test_restated_history_blocks_from_high(case: str, gate: dict[str, Any], expected: str) -> None:
    assert verdict(campaign_beside("account_features", **gate), "MEDIA-001") == expected, case


@pytest.mark.parametrize(
    ("case", "gate", "expected"),
    [
        ("the token ends in five days", {"days_to_token_expiry": 5.0}, "critical"),
        ("the token has expired, the day was loaded before", {"days_to_token_expiry": -1.0}, "critical"),
        ("failed twice", DOWN | {"consecutive_failures": 2, "has_loaded_evaluated_day": False}, "critical"),
        ("down, but the day was loaded before", DOWN, "critical"),
        ("down since before the day was over", DOWN | {"has_loaded_evaluated_day": False}, "blocked_by_data"),
        ("down, and nobody knows since when", DOWN | {"has_loaded_evaluated_day": None}, "blocked_by_data"),
    ],
)
def test_a_connector_blocks_only_what_it_cannot_have_loaded(case: str, gate: dict[str, Any], expected: str) -> None:
    assert verdict(campaign_beside("connector_features", **gate), "MEDIA-001") == expected, case


def test_the_reason_says_what_is_wrong() -> None:
    evaluation = campaign_beside("account_features", **doubled(2000.0))
    assert [o.detail for o in outcomes_of(evaluation, "MEDIA-001")] == [
        "google_ads 111: ad_performance_daily restated or loaded twice (PLAT-005 critical)"
    ]
