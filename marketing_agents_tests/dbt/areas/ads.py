"""Reach of ads, texts and videos of ads, checks of pages, product feeds: restated, absent, empty, in several currencies."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from marketing_agents_tests.dbt.raw_database import Raw

SHOWN_DAYS = 75
PAGES = ("https://s.example/a", "https://s.example/b", "https://s.example/c")


def add(raw: Raw, advertiser_id: str, accounts: Sequence[dict[str, Any]], days: Sequence[date], end: date, rng: random.Random) -> None:
    """Ads get further columns and more impressions; other tables are new."""
    has_feed = rng.random() < 0.8
    for (table, owner, _), versions in sorted(raw.versions.items()):
        if owner != advertiser_id:
            continue
        for rows in versions.values():
            for row in rows:
                if table == "ads":
                    row.update(_parts(rng))  # type: ignore[attr-defined]
                elif table == "ad_performance_daily":
                    # Volume enough to compare siblings and openings of videos; who reads impressions reads these.
                    shown = 2_500 if row["impressions"] == 250 else row["impressions"]
                    row.update({"impressions": shown, "video_3s_views": rng.choice((None, rng.randint(0, 90)))})  # type: ignore[attr-defined]
                elif table in {"campaigns", "adgroups"}:
                    row.update({"labels": rng.choice((None, [], ["always-on"], ["Experiment 7", "x"]))})  # type: ignore[attr-defined]
    for day in days[-SHOWN_DAYS:]:
        _versions(raw, rng, "reach_window", advertiser_id, day, end, lambda: _reach(rng, accounts))
        _versions(raw, rng, "url_checks", advertiser_id, day, end, lambda day=day: _checks(rng, day))
        if has_feed:
            _versions(raw, rng, "feed_items", advertiser_id, day, end, lambda: _items(rng, accounts))
            _versions(raw, rng, "product_performance_daily", advertiser_id, day, end, lambda: _sales(rng, accounts))


def _versions(raw: Raw, rng: random.Random, table: str, advertiser_id: str, day: date, end: date, rows_of: Any) -> None:
    if rng.random() < 0.12:
        return
    as_of = day if rng.random() < 0.9 else day + timedelta(days=rng.randint(1, 5))
    while as_of <= end:
        raw.add(table, advertiser_id, day, rows_of(), as_of=as_of)
        if rng.random() < 0.7:
            return
        as_of += timedelta(days=rng.choice((1, 2, 9)))


def _parts(rng: random.Random) -> dict[str, Any]:
    return {
        "format": rng.choice(("rsa", "video", "pmax_asset_group", None)),
        "ad_strength": rng.choice((None, "good", "poor")),
        "n_headlines": rng.choice((None, 2, 12)),
        "n_images": rng.choice((None, 4)),
        "final_url": rng.choice((None, f"{PAGES[0]}?ad={rng.randint(1, 99)}", f"{PAGES[1]}#top", PAGES[1], f"{PAGES[2]}?x=?#y")),
    }


def _reach(rng: random.Random, accounts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "platform": account["platform"], "account_id": account["account_id"], "window_days": window, "level": level, "entity_id": f"ad-{ad}",
            "reach": rng.randint(1, 400), "impressions": 500, "frequency": 1.5,
        }
        for account in accounts
        for window, level in ((7, "ad"), (28, "ad"), (7, "adgroup"))
        for ad in range(3)
        if rng.random() < 0.7
    ]  # fmt: skip


def _checks(rng: random.Random, day: date) -> list[dict[str, Any]]:
    start = datetime.combine(day, time(1), tzinfo=UTC)
    rows = []
    for page in PAGES[:2]:
        is_bad = rng.random() < 0.4
        for turn in range(4):
            broken, gone = is_bad and turn >= rng.randint(0, 3) and rng.random() < 0.7, is_bad and rng.random() < 0.4
            rows.append(
                {
                    "url": page,
                    "checked_at": start + timedelta(minutes=turn * rng.choice((5, 240))),
                    "region": f"{rng.choice(('eu', 'us'))}-{turn // 2}",
                    "http_status": rng.choice((None, 404, 503)) if broken and rng.random() < 0.8 else rng.choice((200, 200, 429)),
                    "redirect_kind": "home" if gone else rng.choice((None, "none")),
                    "tls_ok": False if broken else rng.choice((None, True)),
                    "is_out_of_stock": rng.choice((None, gone)),
                    "lcp_ms": rng.choice((None, rng.randint(900, 5000))),
                }
            )
    return list({(row["url"], row["region"], row["checked_at"]): row for row in rows}.values())


def _items(rng: random.Random, accounts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "platform": account["platform"], "account_id": account["account_id"], "item_id": f"i{n}", "title": f"Item {n}",
            "status": rng.choice(("approved", "approved", "disapproved", "pending")), "availability": rng.choice((None, "in_stock", "out_of_stock")),
            "price": Decimal(5), "currency_code": account["currency_code"],
        }
        for account in accounts[:1]
        for n in range(6)
        if rng.random() < 0.8
    ]  # fmt: skip


def _sales(rng: random.Random, accounts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "platform": account["platform"], "account_id": account["account_id"], "item_id": f"i{n}", "clicks": rng.randint(0, 9), "cost": Decimal(1),
            "revenue": rng.choice((Decimal(0), Decimal(rng.randint(0, 90_000_000)) / 1_000_000)),
            "currency_code": rng.choice((account["currency_code"], account["currency_code"], "EUR")),
        }
        for account in accounts
        for n in range(7)
        if rng.random() < 0.4
    ]  # fmt: skip
