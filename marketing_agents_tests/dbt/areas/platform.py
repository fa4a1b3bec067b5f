"""Account settings, change history, connectors, and days that are loaded twice and repaired."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from marketing_agents_tests.dbt.raw_database import Raw, Row

ACTORS = ("maya@agency.example", "Script", "stranger@elsewhere.example", " Script ", None)
CLIENTS = ("WEB", "API", "google_ads_recommendations_subscription", None)
CHANGES = (
    ("budget", "daily_budget"),
    ("campaign", "status"),
    ("campaign", "geo_targets"),
    ("adgroup", "target_cpa"),
    ("ad", "status"),
    ("ad", "headline"),
    ("audience", "size"),
    ("campaign", "name"),
    ("bid", "cpc"),
)


def add(raw: Raw, advertiser_id: str, accounts: Sequence[dict[str, Any]], days: Sequence[date], end: date, rng: random.Random) -> None:
    actors = rng.choice(((), ("@agency.example", "script"), ("script",)))
    raw.advertisers[:] = [replace(a, trusted_actors=actors) if a.advertiser_id == advertiser_id else a for a in raw.advertisers]
    _settings(raw, advertiser_id, rng)
    no_changes = end - timedelta(days=rng.randint(3, 40))
    for day in days[-100:]:
        if not no_changes <= day <= no_changes + timedelta(days=4):
            raw.add("change_events", advertiser_id, day, [*_changes(accounts, day, rng), *_automatic(accounts, day)])
            if rng.random() < 0.1:
                raw.add("change_events", advertiser_id, day, _changes(accounts, day, rng), as_of=day + timedelta(days=rng.randint(1, 4)))
        if rng.random() < 0.6:
            raw.add("connector_runs", advertiser_id, day, _connectors(accounts, day, rng))
    if rng.random() < 0.3:
        _without_conversions(raw, advertiser_id, accounts[0])
    for back in (4, 9, 17, 33):
        _load_twice(raw, advertiser_id, end - timedelta(days=back), end, rng)


def _settings(raw: Raw, advertiser_id: str, rng: random.Random) -> None:
    for (table, advertiser, _), versions in raw.versions.items():
        if (table, advertiser) == ("platform_accounts", advertiser_id):
            for rows in versions.values():
                rows[:] = [
                    {
                        **row,
                        "spend_cap": rng.choice((None, Decimal(5000))),
                        "amount_spent": rng.choice((None, Decimal(0), Decimal("1234.5"))),
                        "payment_failed": rng.choice((None, True, False)),
                        "is_test": rng.choice((None, False)),
                        "funding_type": rng.choice((None, "prepaid", "postpaid")),
                        "balance": rng.choice((None, Decimal("-3.25"), Decimal(0), Decimal("812.123456"))),
                        "auto_top_up": rng.choice((None, True, False)),
                    }
                    for row in rows
                ]


def _changes(accounts: Sequence[dict[str, Any]], day: date, rng: random.Random) -> list[Row]:
    return [
        {
            "event_id": f"{day:%m%d}-{account['account_id']}-{number}",
            "platform": account["platform"],
            "account_id": account["account_id"],
            "occurred_at": datetime(day.year, day.month, day.day, rng.randint(0, 23), tzinfo=UTC),
            "actor": rng.choice(ACTORS),
            "client_type": rng.choice(CLIENTS),
            "resource_type": resource,
            "entity_id": rng.choice(("c0", "c1", "g0", "g1", "ad-0", "ad-2", "nothing")),
            "field": field,
            "old_value": rng.choice((None, "0", "100", "100.5", "on")),
            "new_value": rng.choice((None, "120", "250", "off")),
        }
        for account in accounts
        for number in range(rng.choice((0, 0, 1, 2, 4)))
        for resource, field in (rng.choice(CHANGES),)
    ]


def _automatic(accounts: Sequence[dict[str, Any]], day: date) -> list[Row]:
    """Every fifth day the platform itself switches both campaigns and raises a budget: what random rows seldom do together."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    changes = (
        ("c0", "campaign", "status", "on", "off"),
        ("c1", "campaign", "status", "on", "off"),
        ("c0", "budget", "daily_budget", "100", "250"),
    )
    return [
        {
            "event_id": f"{day:%m%d}-{account['account_id']}-automatic-{number}",
            "platform": account["platform"],
            "account_id": account["account_id"],
            "occurred_at": noon,
            "client_type": CLIENTS[2],
            **dict(zip(("entity_id", "resource_type", "field", "old_value", "new_value"), change, strict=True)),
        }
        for account in accounts
        if day.toordinal() % 5 == 0
        for number, change in enumerate(changes)
    ]


def _connectors(accounts: Sequence[dict[str, Any]], day: date, rng: random.Random) -> list[Row]:
    morning = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=rng.randint(-30, 40), minutes=rng.randint(0, 59))
    return [
        {
            "platform": account["platform"],
            "account_id": account["account_id"],
            "connector_id": f"transfer-{number}",
            "name": "Transfer",
            "status": rng.choice(("succeeded", "failed")),
            "error_code": rng.choice((None, "429")),
            "consecutive_failures": rng.randint(0, 3),
            "last_success_at": rng.choice((None, morning)),
            "token_expires_at": rng.choice((None, morning + timedelta(days=9, minutes=7))),
            "quota_429_rate": rng.choice((None, 0.125)),
        }
        for number, account in enumerate((*accounts, {"platform": "other", "account_id": "acc-9"}))
    ]


def _load_twice(raw: Raw, advertiser_id: str, day: date, end: date, rng: random.Random) -> None:
    """A settled day is appended once more, and some days later it is as it was."""
    settled = raw.known("ad_performance_daily", advertiser_id, day, day + timedelta(days=2))
    if not settled:
        return
    versions = raw.versions["ad_performance_daily", advertiser_id, day]
    for as_of in [as_of for as_of in versions if as_of > day + timedelta(days=2)]:
        del versions[as_of]
    twice = day + timedelta(days=3)
    repaired = twice + timedelta(days=rng.choice((2, 5, 90)))
    raw.add("ad_performance_daily", advertiser_id, day, [{**row, "spend": row["spend"] * 2} for row in settled], as_of=twice)  # type: ignore[operator]
    if repaired <= end:
        raw.add("ad_performance_daily", advertiser_id, day, settled, as_of=repaired)


def _without_conversions(raw: Raw, advertiser_id: str, account: dict[str, Any]) -> None:
    """The source does not have them for one account."""
    for (table, advertiser, _), versions in raw.versions.items():
        if (table, advertiser) == ("ad_performance_daily", advertiser_id):
            for rows in versions.values():
                rows[:] = [
                    {**row, "conversions": None}
                    if (row["platform"], row["account_id"]) == (account["platform"], account["account_id"])
                    else row
                    for row in rows
                ]
