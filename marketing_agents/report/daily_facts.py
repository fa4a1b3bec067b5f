"""Raw facts reduced to one row per day and entity, so that the series of any number of findings come from one read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_DIMENSIONS = (
    "date",
    "platform",
    "account_id",
    "campaign_id",
    "adgroup_id",
    "ad_id",
    "conversion_action_id",
    "campaign_key",
    "dimension",
    "value",
    "currency_code",
)
_MEASURES = ("spend", "conversions", "clicks", "impressions", "orders", "rows")


def read_daily_facts(rows: pa.Table) -> DailyFacts:
    """Reduce raw rows (network, device and touch are summed away). `rows` becomes the number of raw rows. Amounts are summed as decimals."""
    import numpy as np
    import pyarrow as pa

    dimensions = [name for name in _DIMENSIONS if name in rows.column_names]
    kept = rows.select([*dimensions, *(m for m in _MEASURES if m in rows.column_names)]).append_column(
        "rows", pa.array(np.ones(rows.num_rows, dtype=np.int64))
    )
    measures = [name for name in _MEASURES if name in kept.column_names]
    # One thread: sums of floats (conversions) must not depend on how the work was split.
    reduced = kept.group_by(dimensions, use_threads=False).aggregate([(name, "sum") for name in measures])
    return DailyFacts(reduced.rename_columns([name.removesuffix("_sum") for name in reduced.column_names]))


@dataclass(frozen=True)
class DailyFacts:
    """Rows per day and entity: dimensions of the source table, and sums of its measures."""

    table: pa.Table

    def where(self, **ids: str) -> DailyFacts:
        """Rows whose dimensions have these values. A dimension that the table does not have selects nothing."""
        chosen = self
        for name, value in ids.items():
            chosen = chosen.where_in(name, frozenset({value}))
        return chosen

    def where_in(self, name: str, values: frozenset[str]) -> DailyFacts:
        import pyarrow as pa
        import pyarrow.compute as pc

        if name not in self.table.column_names:
            return DailyFacts(self.table.slice(0, 0))
        return DailyFacts(self.table.filter(pc.is_in(self.table.column(name), value_set=pa.array(sorted(values), pa.string()))))

    def currencies(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.table.column("currency_code").to_pylist()))) if "currency_code" in self.table.column_names else ()

    def first_day(self) -> date | None:
        import pyarrow.compute as pc

        day = pc.min(self.table.column("date")).as_py() if self.table.num_rows else None
        return day if isinstance(day, date) else None

    def per_day(self, measure: str) -> dict[date, float]:
        """Sum of a measure by day; days without a row are absent. An unknown measure gives nothing."""
        if measure not in self.table.column_names:
            return {}
        by_day = self.table.group_by("date", use_threads=False).aggregate([(measure, "sum")])
        return {
            day: float(value)
            for day, value in zip(by_day.column("date").to_pylist(), by_day.column(f"{measure}_sum").to_pylist(), strict=True)
            if value is not None
        }

    def largest_share(self, member: str, measure: str, days: Sequence[date], window_days: int) -> list[float | None]:
        """Share of the largest member in the measure, over the window that ends on each day; None where the window holds nothing."""
        if member not in self.table.column_names or measure not in self.table.column_names:
            return [None] * len(days)
        grouped = self.table.group_by([member, "date"], use_threads=False).aggregate([(measure, "sum")])
        by_member: dict[str, dict[date, float]] = {}
        for name, day, value in zip(*(grouped.column(c).to_pylist() for c in (member, "date", f"{measure}_sum")), strict=True):
            by_member.setdefault(name, {})[day] = float(value)
        return [_share(by_member, day, window_days) for day in days]


def _share(by_member: Mapping[str, Mapping[date, float]], last: date, window_days: int) -> float | None:
    window = [last - timedelta(days=n) for n in range(window_days)]
    sums = [sum(values.get(day, 0.0) for day in window) for _, values in sorted(by_member.items())]
    total = sum(sums)
    return max(sums) / total if total > 0 else None
