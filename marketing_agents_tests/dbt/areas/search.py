"""Queries, rivals, impression shares and segments of the random campaigns, with what platforms leave out."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from marketing_agents_tests.dbt.raw_database import Raw

TERMS = ("acme boots", "ACME-boots sale", "pacmen boots", "boots", "tent acme?", "विद्या पथ कोर्स", "Kōwhai tent", "free boots", "")
TOKENS = (("acme", "विद्या पथ", "!!"), ("Ko\u0304whai",), ())
RIVALS = ("rival.example", "other.example")
SEGMENTS = {
    "device": ("mobile", "desktop"),
    "placement": ("feed", "games"),
    "country": ("GB", " gb", "FR"),
    "hour": ("09", "10"),
}
SINCE_DAYS = 75
ALLOWED = (None, [], ["gb "], ["FR", "GB"])


def add(raw: Raw, advertiser_id: str, accounts: Sequence[dict[str, Any]], days: Sequence[date], end: date, rng: random.Random) -> None:
    number = next(n for n, a in enumerate(raw.advertisers) if a.advertiser_id == advertiser_id)
    raw.advertisers[number] = replace(raw.advertisers[number], brand_tokens=rng.choice(TOKENS))
    lacks = rng.choice(("", "search_terms_daily", "auction_insights_daily", ""))
    for day in days[-SINCE_DAYS:]:
        for table, rows_of in _TABLES.items():
            if table != lacks and rng.random() > 0.08:
                _versions(raw, table, advertiser_id, day, end, rng, [row for a in accounts for row in rows_of(a, rng)])
    for (table, owner, _), versions in raw.versions.items():
        if table == "campaigns" and owner == advertiser_id:
            for rows in versions.values():
                for row in rows:
                    row["allowed_geos"] = rng.choice(ALLOWED)  # type: ignore[index]
                    row["special_ad_category"] = rng.choice((None, True, False))  # type: ignore[index]


def _versions(raw: Raw, table: str, advertiser_id: str, day: date, end: date, rng: random.Random, rows: list[dict[str, Any]]) -> None:
    as_of = day if rng.random() < 0.9 else day + timedelta(days=3)
    raw.add(table, advertiser_id, day, rows, as_of=as_of)
    while rng.random() < 0.3:
        as_of += timedelta(days=rng.choice((1, 2, 6)))
        if as_of > end:
            break
        kept = [] if rng.random() < 0.15 else rng.sample(rows, rng.randint(0, len(rows)))
        raw.add(table, advertiser_id, day, [_restated(row, rng) for row in kept], as_of=as_of)


def _restated(row: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    return {**row, "conversions": row["conversions"] + rng.choice((0, 1, 0.25))} if "conversions" in row else row


def _measures(account: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    return {
        "impressions": rng.choice((0, 40, 900)),
        "clicks": rng.randint(0, 30),
        "spend": rng.choice((Decimal(0), Decimal(rng.randint(0, 9_000_000)) / 1_000_000, Decimal("7.5"))),
        "conversions": rng.choice((0.0, 0.0, 0.0, 1.0, 0.333333333)),
        "currency_code": account["currency_code"],
    }


def _ids(account: dict[str, Any], campaign: int) -> dict[str, Any]:
    return {"platform": account["platform"], "account_id": account["account_id"], "campaign_id": f"c{campaign}"}


def _queries(account: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    return [
        {**_ids(account, campaign), "search_term": term, **_measures(account, rng)}
        for campaign in range(2)
        for term in TERMS
        if rng.random() < 0.3
    ]


def _rivals(account: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            **_ids(account, campaign),
            "rival_domain": rival,
            "overlap_rate": rng.choice((None, round(rng.random(), 3))),
            "outranking_share": rng.choice((None, round(rng.random(), 9))),
        }
        for campaign in range(2)
        for rival in RIVALS
        if rng.random() < 0.4
    ]


def _metrics(account: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            **_ids(account, campaign),
            "search_impression_share": rng.choice((None, 0.0999, round(rng.random(), 4))),
            "search_budget_lost_impression_share": rng.choice((None, round(rng.random() * 0.97, 4))),
            "search_rank_lost_impression_share": rng.choice((None, round(rng.random(), 4), 0.5)),
            "is_censored": rng.choice((None, True, False, False)),
            "currency_code": account["currency_code"],
        }
        for campaign in range(2)
        if rng.random() < 0.7
    ]


def _segments(account: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            **_ids(account, campaign),
            "dimension": dimension,
            "value": value,
            "landing_page_views": rng.choice((None, None, rng.randint(0, 20))),
            **_measures(account, rng),
        }
        for campaign in range(2)
        for dimension, values in SEGMENTS.items()
        for value in values
        if rng.random() < 0.3
    ]


_TABLES: dict[str, Callable[[dict[str, Any], random.Random], list[dict[str, Any]]]] = {
    "search_terms_daily": _queries,
    "auction_insights_daily": _rivals,
    "campaign_metrics_daily": _metrics,
    "segment_performance_daily": _segments,
}
