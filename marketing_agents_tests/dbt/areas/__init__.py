"""Random rows of further tables for the random agencies: one module per area, found by looking into this folder.

A module has `add(raw, advertiser_id, accounts, days, end, rng)`; campaigns of the random agencies are c0 and c1, see `random_agency.py`.
Each has a generator of its own, so that what one area draws changes nothing for the others. Where several areas write one table, each advertiser
has it from one of them, or not at all.
"""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import Column, ColumnType
from marketing_agents_tests.dbt.raw_database import Raw, Row

Key = tuple[str, str, date]


class AreaRaw(Raw):
    """The raw tables as one area sees them: it reads and may change those of the random agency, and its own additions are kept apart."""

    def __init__(self, base: Raw) -> None:
        super().__init__(base.advertisers, base.asked, base.versions)
        self.own: dict[Key, dict[date, list[Row]]] = {}

    def add(self, table: str, advertiser_id: str, day: date, rows: Iterable[Row], as_of: date | None = None) -> None:
        if table == "ad_performance_daily":  # what everything hangs on: further versions of it are everybody's
            super().add(table, advertiser_id, day, rows, as_of)
            return
        empty = {c.name: _filler(c, day) for c in INPUT_TABLES[table].columns if c.name not in ("advertiser_id", "date")}
        self.own.setdefault((table, advertiser_id, day), {})[as_of or day] = [{**empty, **row} for row in rows]


def _filler(column: Column, day: date) -> object:
    """What a row has where its area says nothing: nothing, or in a required column something harmless."""
    if not column.required:
        return None
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return {ColumnType.STRING: "USD" if column.name == "currency_code" else "other", ColumnType.TIMESTAMP: noon, ColumnType.DATE: day}.get(
        column.type, 0
    )


def add_area_rows(raw: Raw, advertiser_id: str, accounts: Sequence[dict[str, Any]], days: Sequence[date], end: date) -> None:
    digits = [int(c) for c in advertiser_id if c.isdigit()]
    turn = digits[0] * 2 + digits[-1]  # s1-adv-0 is 2, s3-adv-1 is 7: the advertisers of a build take turns
    written = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        area = importlib.import_module(f"{__name__}.{module.name}")
        seen = AreaRaw(raw)
        area.add(seen, advertiser_id, accounts, days, end, random.Random(f"{module.name} {advertiser_id}"))
        raw.advertisers[:] = seen.advertisers
        written.append(seen.own)
    for table in sorted({key[0] for own in written for key in own}):
        base = {key: history for key, history in raw.versions.items() if key[:2] == (table, advertiser_id)}
        writers = [own for own in (base, *written) if any(key[0] == table for key in own)]
        if len(writers) > 1:
            writers.append({})  # and somebody has none
        chosen = writers[turn % len(writers)]
        for key in base:
            del raw.versions[key]
        raw.versions.update({key: history for key, history in chosen.items() if key[0] == table})
