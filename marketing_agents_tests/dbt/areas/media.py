"""Changes of campaigns, and orders with discounts, for the media marts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from marketing_agents_tests.dbt.raw_database import Raw, Row


def add(raw: Raw, advertiser_id: str, accounts: Sequence[dict[str, Any]], days: Sequence[date], end: date, rng: random.Random) -> None:
    for day in days[-70:]:
        if rng.random() < 0.4:
            continue
        raw.add("change_events", advertiser_id, day, _changes(day, accounts, rng))
        if rng.random() < 0.3:
            raw.add(
                "change_events", advertiser_id, day, _changes(day, accounts, rng), as_of=min(day + timedelta(days=rng.choice((1, 3))), end)
            )


def _changes(day: date, accounts: Sequence[dict[str, Any]], rng: random.Random) -> list[Row]:
    return [
        {
            "event_id": f"{account['account_id']}-{day}-{n}",
            "platform": account["platform"],
            "account_id": account["account_id"],
            "occurred_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            "resource_type": rng.choice(("campaign", "budget", "ad")),
            "entity_id": f"c{rng.randint(0, 2)}",
            "field": rng.choice(("status", "daily_budget", "headline")),
        }
        for account in accounts
        for n in range(rng.randint(0, 2))
    ]
