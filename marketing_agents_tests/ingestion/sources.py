"""Input for ingestion tests: rows by table, and a source adapter over Arrow tables in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from marketing_agents.advertisers.registry import parse_registry
from marketing_agents.ingestion.source import RawRows
from marketing_agents.warehouse.contract import TableContract, TableKind

ACME = parse_registry([{"id": "acme", "name": "Acme", "time_zone": "Europe/London"}], source="test").advertisers[0]
DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)


def before(n: int) -> date:
    return DAY - timedelta(days=n)


def order(
    day: object, orders: object = 1, revenue: object = "10.5", campaign: str = "c1", advertiser_id: str = "acme"
) -> dict[str, object]:
    return {
        "advertiser_id": advertiser_id,
        "date": day,
        "channel_touch": "direct",
        "campaign_key": campaign,
        "orders": orders,
        "revenue": revenue,
        "currency_code": "EUR",
    }


def performance(day: object, spend: object = "1.5", ad: str = "a1", advertiser_id: str = "acme") -> dict[str, object]:
    return {
        "advertiser_id": advertiser_id,
        "date": day,
        "platform": "google_ads",
        "account_id": "1",
        "campaign_id": "2",
        "adgroup_id": "3",
        "ad_id": ad,
        "network": "NA",
        "device": "NA",
        "impressions": 100,
        "clicks": 3,
        "spend": spend,
        "conversions": 0.5,
        "conversion_value": "4",
        "currency_code": "EUR",
        "account_time_zone": "Europe/London",
    }


def campaign(valid_from: object, valid_to: object = None, name: str = "n", campaign_id: str = "2") -> dict[str, object]:
    return {
        "advertiser_id": "acme",
        "platform": "google_ads",
        "account_id": "1",
        "campaign_id": campaign_id,
        "name": name,
        "status": "enabled",
        "currency_code": "EUR",
        "valid_from": valid_from,
        "valid_to": valid_to,
    }


def event(event_id: str = "e1") -> dict[str, object]:
    return {"advertiser_id": "acme", "event_id": event_id, "name": "Sale", "date_from": DAY, "date_to": DAY, "mask_baseline": True}


@dataclass
class MemorySource:
    """Rows by table. Counts its reads."""

    rows: dict[str, list[dict[str, object]]]
    reads: int = 0

    @property
    def name(self) -> str:
        return "memory"

    def tables(self) -> frozenset[str]:
        return frozenset(self.rows)

    def read(self, contract: TableContract, advertiser_id: str, start: date, end: date) -> RawRows:
        self.reads += 1
        names = list(dict.fromkeys(name for row in self.rows[contract.name] for name in row)) or list(contract.column_names)
        columns = {name: [row.get(name) for row in self.rows[contract.name]] for name in names}
        table = pa.table({name: pa.array(values) if values else pa.nulls(0) for name, values in columns.items()})
        numbers = pa.array(range(1, table.num_rows + 1), pa.int64())
        table = table.append_column("#", numbers)
        if table.num_rows:
            table = table.filter(pc.equal(table.column("advertiser_id"), advertiser_id))
            if contract.kind is TableKind.DAILY and pa.types.is_date(table.schema.field("date").type):
                inside = pc.and_(
                    pc.greater_equal(table.column("date"), pa.scalar(start)), pc.less_equal(table.column("date"), pa.scalar(end))
                )
                table = table.filter(pc.fill_null(inside, True))
        kept = table.column("#").to_pylist()
        return RawRows(table.drop_columns(["#"]), "memory", (), lambda: kept)
