"""Rows of tag_health_daily, web_sessions_daily and change_events: restated, absent, with empty columns and sources that come and go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from marketing_agents_tests.dbt.raw_database import Raw, Row

SOURCES = ("google_ads", "meta_ads", "Direct", "organic", "email", "all_other")
FIELDS = ("is_primary", "counting_type", "default_value", "Name", "budget")


def add(raw: Raw, advertiser_id: str, accounts: Sequence[dict[str, Any]], days: Sequence[date], end: date, rng: Random) -> None:
    # Older days are read by no feature that is compared.
    for day in days[-125:]:
        _versions(raw, "tag_health_daily", advertiser_id, day, end, rng, lambda: _tags(rng))
        _versions(raw, "web_sessions_daily", advertiser_id, day, end, rng, lambda: _sessions(rng))
        _versions(raw, "change_events", advertiser_id, day, end, rng, lambda day=day: _changes(day, accounts, rng))


def _versions(raw: Raw, table: str, advertiser_id: str, day: date, end: date, rng: Random, rows: Callable[[], list[Row]]) -> None:
    if rng.random() < 0.08:
        return
    as_of = day if rng.random() < 0.9 else day + timedelta(days=rng.randint(1, 9))
    raw.add(table, advertiser_id, day, rows(), as_of=as_of)
    if rng.random() < 0.1 and as_of < end:
        raw.add(table, advertiser_id, day, [] if rng.random() < 0.1 else rows(), as_of=min(end, as_of + timedelta(days=rng.randint(1, 20))))


def _tags(rng: Random) -> list[Row]:
    return [
        {
            "source": source,
            "event_name": event,
            "browser_events": 0 if source == "capi" else rng.randint(0, 300),
            "server_events": rng.randint(0, 300) if source == "capi" else 0,
            "dedup_rate": rng.choice((None, round(rng.random(), 4))),
            "emq_score": rng.choice((None, round(rng.random() * 10, 2))),
        }
        for source in ("pixel", "capi", "gtag")
        for event in ("Purchase", "act ion", "Action 0")
        if rng.random() < 0.7
    ]


def _sessions(rng: Random) -> list[Row]:
    is_broken = rng.random() < 0.15
    rows = []
    for source in SOURCES:
        sessions = 0 if is_broken and source != "all_other" and rng.random() < 0.7 else rng.randint(30, 300)
        if rng.random() < 0.9:
            rows.append(
                {
                    "source_bucket": source,
                    "sessions": sessions * (4 if is_broken and source in {"all_other", "Direct"} else 1),
                    "unassigned_sessions": rng.choice((None, 0, sessions // 9)),
                }
            )
    return rows


def _changes(day: date, accounts: Sequence[dict[str, Any]], rng: Random) -> list[Row]:
    return [
        {
            "event_id": f"{day:%m%d}-{number}",
            "platform": account["platform"],
            "account_id": account["account_id"],
            "occurred_at": datetime.combine(day, time(rng.randint(8, 18), rng.choice((0, 30))), UTC),
            "actor": "someone@agency.example",
            "resource_type": rng.choice(("conversion_action", "conversion_action", "ad")),
            "entity_id": f"act-{rng.randint(0, 2)}",
            "field": rng.choice(FIELDS),
            "old_value": rng.choice((None, "a")),
            "new_value": rng.choice((None, "b; DROP TABLE x; --")),
        }
        for number, account in enumerate(accounts)
        if rng.random() < 0.15
    ]
