"""What ad-group and audience marts read besides: own budgets, reviews, creatives, reach, learning, edits, audiences and their overlap."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from marketing_agents_tests.dbt.raw_database import Raw, Row


def add(raw: Raw, advertiser_id: str, accounts: Sequence[dict[str, Any]], days: Sequence[date], end: date, rng: random.Random) -> None:
    for (table, owner, day), versions in raw.versions.items():
        if owner == advertiser_id and table in _FURTHER:
            for rows in versions.values():
                for row in rows:
                    row.update(_FURTHER[table](rng, day))  # type: ignore[attr-defined]
    has_audiences = rng.random() < 0.8
    list_gap = end - timedelta(days=rng.randint(8, 50))
    for day in days[-110:]:
        if rng.random() < 0.8:
            _restated(raw, "campaign_metrics_daily", advertiser_id, day, end, lambda: _metrics(accounts, rng), rng)
        if rng.random() < 0.7:
            _restated(raw, "reach_window", advertiser_id, day, end, lambda: _reach(accounts, rng), rng)
        if rng.random() < 0.6:
            _restated(raw, "change_events", advertiser_id, day, end, lambda: _edits(accounts, rng), rng)
        if has_audiences and rng.random() < 0.35 and not list_gap <= day <= list_gap + timedelta(days=9):
            _restated(raw, "audiences", advertiser_id, day, end, lambda day=day: _audiences(accounts, day, rng), rng)  # type: ignore[misc]
            raw.add("audience_overlap", advertiser_id, day, _overlap(accounts, rng))


def _restated(raw: Raw, table: str, advertiser_id: str, day: date, end: date, rows_of: Any, rng: random.Random) -> None:
    as_of = day + timedelta(days=rng.choice((0, 0, 0, 0, 3)))
    while as_of <= end:
        raw.add(table, advertiser_id, day, rows_of(), as_of=as_of)
        if rng.random() < 0.7:
            break
        as_of += timedelta(days=rng.choice((1, 2, 6)))


def _adgroup(rng: random.Random, day: date) -> Row:
    return {
        "daily_budget": rng.choice((None, Decimal(30), Decimal("12.5"))),
        "currency_code": rng.choice((None, None, "EUR", "JPY", "USD")),
        "labels": rng.choice((None, [], ["Evergreen", "x"], ["evergreens"])),
        "audience_ids": rng.choice((None, [], ["aud-0"], ["aud-1", "aud-2"])),
    }


def _ad(rng: random.Random, day: date) -> Row:
    return {
        "format": rng.choice(("rsa", "image", None)),
        "approval_status": rng.choice((None, "approved", "limited", "disapproved")),
        "first_serve_date": rng.choice((None, day - timedelta(days=rng.randint(0, 90)))),
        "created_date": rng.choice((None, day - timedelta(days=rng.randint(0, 90)))),
        "creative_since": rng.choice((None, day - timedelta(days=rng.randint(0, 40)))),
    }


def _campaign(rng: random.Random, day: date) -> Row:
    return {
        "objective": rng.choice((None, "SALES", "leads")),
        "campaign_type": rng.choice((None, "SEARCH", "Demand_Gen")),
        "labels": rng.choice((None, [], ["a", "EVERGREEN"])),
    }


_FURTHER = {"adgroups": _adgroup, "ads": _ad, "campaigns": _campaign}


def _ids(account: Row) -> Row:
    return {"platform": account["platform"], "account_id": account["account_id"]}


def _metrics(accounts: Sequence[Row], rng: random.Random) -> list[Row]:
    return [
        {
            **_ids(account),
            "campaign_id": f"c{c}",
            "learning_status": rng.choice((None, "learning", "learned", "limited", "limited", "none")),
            "currency_code": account["currency_code"],
        }
        for account in accounts
        for c in range(2)
        if rng.random() < 0.5
    ]


def _reach(accounts: Sequence[Row], rng: random.Random) -> list[Row]:
    return [
        {**_ids(account), "window_days": n, "level": level, "entity_id": entity, "reach": rng.randint(0, 9000), "impressions": 10_000}
        for account in accounts
        for level, entity in (("adgroup", "g0"), ("adgroup", "g1"), ("campaign", "g1"))
        for n in (7, 14, 30)
        if rng.random() < 0.6
    ]


def _edits(accounts: Sequence[Row], rng: random.Random) -> list[Row]:
    return [
        {
            **_ids(rng.choice(accounts)),
            "event_id": f"e{rng.randrange(10**12)}",
            "resource_type": rng.choice(("campaign", "adgroup", "ad", "budget", "account")),
            "entity_id": rng.choice(("c0", "c1", "g0", "g1", "ad-1")),
            "field": "status",
        }
        for _ in range(rng.randint(0, 2))
    ]


def _audiences(accounts: Sequence[Row], day: date, rng: random.Random) -> list[Row]:
    return [
        {
            **_ids(account),
            "audience_id": f"aud-{n}",
            "name": f"Audience {n}",
            "type": rng.choice(("customer_list", "lookalike", "website")),
            "role": rng.choice((None, "prospecting", "exclusion")),
            "size_lower": rng.choice((None, 900)),
            "size_upper": rng.choice((None, 90, 1000, 5000)),
            "membership_days": rng.choice((None, 30, 30, 180)),
            "last_refreshed": rng.choice((None, day - timedelta(days=rng.randint(0, 60)))),
            "seed_audience_id": rng.choice((None, "aud-0", "aud-3")),
            "status": rng.choice((None, "enabled", "paused")),
            "attached_adgroups": rng.choice((None, [], ["g0"], ["g1", "g0"], ["gone"])),
            "valid_from": day,
        }
        for account in accounts
        for n in range(4)
        if rng.random() < 0.9
    ]


def _overlap(accounts: Sequence[Row], rng: random.Random) -> list[Row]:
    return [
        {
            **_ids(account),
            "audience_a": f"aud-{a}",
            "audience_b": f"aud-{b}",
            "overlap_abs": rng.choice((None, 100)),
            "overlap_share_of_smaller": rng.choice((None, 0.1, 0.45)),
        }
        for account in accounts
        for a, b in ((0, 1), (1, 2), (0, 9))
        if rng.random() < 0.8
    ]
