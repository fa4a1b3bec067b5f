"""Raw rows for trends, served through the read side of the warehouse interface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa

from marketing_agents.warehouse.catalog import INPUT_TABLES

END = date(2026, 11, 20)


class StoredRows:
    """`Warehouse.read_raw` over rows in memory: contract columns, slice date, as_of; only versions known on the asked day."""

    def __init__(self, **tables: Iterable[Mapping[str, object]]) -> None:
        self._tables = {name: list(rows) for name, rows in tables.items()}
        self.reads: Counter[str] = Counter()

    def read_raw(self, table: str, advertiser_id: str, start: date, end: date, *, known_on: date) -> pa.Table:
        self.reads[table] += 1
        schema = INPUT_TABLES[table].arrow_schema()
        if "date" not in schema.names:
            schema = schema.append(pa.field("date", pa.date32()))
        schema = pa.schema([f.with_nullable(True) for f in schema]).append(pa.field("as_of", pa.date32()))
        rows = [
            r
            for r in self._tables.get(table, [])
            if r["advertiser_id"] == advertiser_id and start <= r["date"] <= end and r.get("as_of", r["date"]) <= known_on
        ]
        return pa.Table.from_pylist([{"as_of": r["date"], **r} for r in rows], schema=schema)


def ad_rows(
    days: int = 60,
    *,
    campaign: str = "c1",
    adgroup: str = "g1",
    ad: str = "x",
    account: str = "a1",
    currency: str = "GBP",
    spend: float = 50.0,
    conversions: float = 2.0,
    end: date = END,
    skip: tuple[date, ...] = (),
) -> list[dict[str, object]]:
    """One row per day and device."""
    return [
        {
            "advertiser_id": "acme", "date": end - timedelta(days=n), "platform": "google_ads", "account_id": account, "campaign_id": campaign, "adgroup_id": adgroup,
            "ad_id": ad, "network": "NA", "device": device, "impressions": 500, "clicks": 20, "spend": Decimal(str(spend / 2)), "conversions": conversions / 2,
            "conversion_value": Decimal(10), "currency_code": currency, "account_time_zone": "UTC",
        }
        for n in reversed(range(days)) for device in ("mobile", "desktop") if end - timedelta(days=n) not in skip
    ]  # fmt: skip


def action_rows(days: int = 60, *, silent: int = 0, end: date = END) -> list[dict[str, object]]:
    return [
        {
            "advertiser_id": "acme", "date": end - timedelta(days=n), "platform": "google_ads", "account_id": "a1", "campaign_id": "c1",
            "conversion_action_id": "x1", "conversions": 6.0, "currency_code": "GBP",
        }
        for n in reversed(range(silent, days))
    ]  # fmt: skip


def order_rows(days: int = 60, end: date = END) -> list[dict[str, object]]:
    return [
        {"advertiser_id": "acme", "date": end - timedelta(days=n), "channel_touch": "google_ads", "campaign_key": key, "orders": 4, "revenue": Decimal(100), "currency_code": "GBP"}
        for n in reversed(range(days)) for key in ("c1", "NA")
    ]  # fmt: skip


def plan_row(**changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "advertiser_id": "acme", "date": END, "plan_id": "p1", "name": "November plan", "period_start": date(2026, 11, 1), "period_end": date(2026, 11, 30),
        "scope": "advertiser", "scope_ids": None, "amount": Decimal(1200), "currency_code": "GBP", "is_hard_cap": False,
    }  # fmt: skip
    return base | changes
