"""Small slices for tests: exchange rates (DAILY), plans (REFERENCE), findings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa

from marketing_agents.advertisers.registry import parse_registry
from marketing_agents.days import LocalDay
from marketing_agents.warehouse.catalog import INPUT_TABLES, RESULT_TABLES

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
DAY = date(2026, 11, 20)
REGISTRY = parse_registry(
    [
        {"id": "acme", "name": "Acme", "time_zone": "Europe/London", "target_cpa": "12.5"},
        {"id": "beta", "name": "Beta", "time_zone": "Asia/Kolkata"},
    ],
    source="test",
)


def rates(day: date, *values: str, advertiser_id: str = "acme") -> pa.Table:
    """One exchange rate per value."""
    rows = [
        {"advertiser_id": advertiser_id, "date": day, "from_currency": "USD", "to_currency": f"E{chr(65 + i)}R", "rate": Decimal(v)}
        for i, v in enumerate(values)
    ]
    return pa.Table.from_pylist(rows, schema=INPUT_TABLES["fx_rates"].arrow_schema())


def evaluations(*days: LocalDay, outcome: str = "clear") -> pa.Table:
    """One row of rule_evaluations per day."""
    rows = [
        {"advertiser_id": d.advertiser_id, "date": d.day, "rule_id": "R-1", "outcome": outcome, "reason": "", "detail": "", "entities": 1}
        for d in days
    ]
    return pa.Table.from_pylist(rows, schema=RESULT_TABLES["rule_evaluations"].arrow_schema())


def before(n: int) -> date:
    return DAY - timedelta(days=n)
