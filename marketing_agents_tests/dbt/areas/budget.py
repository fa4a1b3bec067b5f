"""Random budgets, flights, changes of budgets, and answers to the consent banner."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from marketing_agents_tests.dbt.raw_database import Raw

REGIONS = ("DE", "gb", "US-West", "EEA", "Elsewhere")


def add(raw: Raw, advertiser_id: str, accounts: Sequence[dict[str, Any]], days: Sequence[date], end: date, rng: random.Random) -> None:
    has_consent, has_changes = rng.random() < 0.7, rng.random() < 0.8
    _flights(raw, advertiser_id, days, rng)
    for day in days:
        _versions(raw, "campaign_metrics_daily", advertiser_id, day, end, rng, _metrics(accounts, rng))
        if has_changes:
            _versions(raw, "change_events", advertiser_id, day, end, rng, _changes(accounts, day, rng))
        if has_consent:
            _versions(raw, "consent_daily", advertiser_id, day, end, rng, _answers(rng))


def _versions(raw: Raw, table: str, advertiser_id: str, day: date, end: date, rng: random.Random, rows: list[dict[str, Any]]) -> None:
    """The day's rows, sometimes absent, late, or with rows that go in a later version."""
    if rng.random() < 0.08:
        return
    as_of = day if rng.random() < 0.9 else day + timedelta(days=4)
    raw.add(table, advertiser_id, day, rows, as_of=as_of)
    if rng.random() < 0.2 and as_of + timedelta(days=2) <= end:
        raw.add(table, advertiser_id, day, [row for row in rows if rng.random() < 0.7], as_of=as_of + timedelta(days=2))


def _flights(raw: Raw, advertiser_id: str, days: Sequence[date], rng: random.Random) -> None:
    """Campaigns c0 are flights, as the lists tell on each day; some began before the look-back or the data."""
    start = rng.choice(
        (days[0] - timedelta(days=3), days[0] + timedelta(days=10), days[-1] - timedelta(days=60), days[-1] - timedelta(days=9))
    )
    for (table, advertiser, _), versions in raw.versions.items():
        if (table, advertiser) != ("campaigns", advertiser_id):
            continue
        for rows in versions.values():
            for row in rows:
                row["budget_id"] = f"b-{row['campaign_id']}" if rng.random() < 0.8 else None  # type: ignore[index]
                if row["campaign_id"] == "c0" and rng.random() < 0.8:
                    row |= {"start_date": start, "end_date": days[-1] + timedelta(days=12), "lifetime_budget": Decimal(9000)}  # type: ignore[operator]


def _metrics(accounts: Sequence[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "platform": account["platform"],
            "account_id": account["account_id"],
            "campaign_id": campaign,
            "search_budget_lost_impression_share": rng.choice((None, 0.25, 0.01)),
            "daily_budget_effective": rng.choice((None, Decimal(0), Decimal(50), Decimal("110.5"))),
            "learning_status": rng.choice((None, "learning", "learned")),
            "currency_code": account["currency_code"],
        }
        for account in accounts
        for campaign in ("c0", "c1")
        if rng.random() < 0.8
    ]


def _changes(accounts: Sequence[dict[str, Any]], day: date, rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "event_id": f"{account['account_id']}-{day}-{n}",
            "platform": account["platform"],
            "account_id": account["account_id"],
            "occurred_at": datetime(day.year, day.month, day.day, rng.choice((9, 15)), tzinfo=UTC),
            "resource_type": "budget",
            "entity_id": rng.choice(("c0", "c1", "b-c1", "b-c0", "g1")),
            "field": rng.choice(("daily_budget", "daily_budget", "amount_micros", "headline")),
            "old_value": rng.choice(("50", "100.5", "unlimited", "0", None)),
            "new_value": rng.choice(("60", "55", "120.25", "none", None)),
        }
        for account in accounts
        for n in range(2)
        if rng.random() < 0.12
    ]


def _answers(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {"region": region, "granted": rng.randint(0, 900), "denied": rng.randint(0, 400), "unset": rng.randint(0, 50)}
        for region in REGIONS
        if rng.random() < 0.7
    ]
