"""Checked rows cut into the slices of days: rows, content hash, and whether a day's rows can be used.

DAILY: rows of the day. HISTORY: rows valid on the day. REFERENCE: the list as it is, on every day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from marketing_agents.ingestion.validation import CheckedRows, validity
from marketing_agents.warehouse.content import ContentHasher, in_key_order
from marketing_agents.warehouse.contract import TableKind

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class DaySlice:
    """Rows of one day in contract columns, ready to be stored."""

    rows: pa.Table
    content_hash: str


@dataclass
class DailySlices:
    """Slices of one table and advertiser. Days are cut from one sorted table by offsets; nothing is filtered day by day."""

    checked: CheckedRows
    _cut: dict[tuple[int, int] | bytes, DaySlice] = field(default_factory=dict, repr=False)

    def slice_of(self, day: date) -> DaySlice:
        """The slice of a day (bad rows left out: ask `bad_rows` first)."""
        if self._kind is TableKind.HISTORY:
            is_valid = self._is_valid_on(day)
            key: tuple[int, int] | bytes = is_valid.tobytes()  # most days hold the same rows as the day before
            if key not in self._cut:
                self._cut[key] = _whole(self._good.filter(is_valid))
            return self._cut[key]
        start, stop = self._bounds(day)
        if (start, stop) not in self._cut:
            self._cut[start, stop] = DaySlice(self._good.slice(start, stop - start), self._hasher.digest(start, stop))
        return self._cut[start, stop]

    def bad_rows(self, day: date) -> np.ndarray | None:
        """Which source rows make the slice of a day unusable (boolean per source row); None when it is good."""
        import numpy as np

        is_bad = self.checked.is_bad if self._bad is None else self._bad
        self._bad = is_bad
        if not is_bad.any():
            return None
        number = (day - _EPOCH).days
        if self._kind is TableKind.DAILY:
            dates = self._source_days
            found = is_bad & (dates == number)
        elif self._kind is TableKind.HISTORY:
            start, end = validity(self.checked.table)
            # A row whose period cannot be read may be valid on any day.
            is_unplaced = self._has_issue("valid_from") | self._has_issue("valid_to")
            found = is_bad & (((start <= number) & (number < end)) | is_unplaced)
        else:
            found = is_bad
        return found if np.any(found) else None

    @cached_property
    def undated_rows(self) -> np.ndarray | None:
        """DAILY rows that belong to no day because their date is empty or cannot be read."""
        import numpy as np

        if self._kind is not TableKind.DAILY:
            return None
        undated = np.asarray(self.checked.table.column("date").is_null(), dtype=bool)
        return undated if undated.any() else None

    def first_day(self, start: date, end: date) -> date | None:
        """The first day of `start <= day <= end` on which the source has a row; None when there is none."""
        import numpy as np

        low, high = (start - _EPOCH).days, (end - _EPOCH).days
        if self._kind is TableKind.DAILY:
            days = self._distinct_days
            position = int(np.searchsorted(days, low))
            return _EPOCH + timedelta(days=int(days[position])) if position < len(days) and days[position] <= high else None
        if self._kind is TableKind.HISTORY:
            valid_from, valid_to = validity(self.checked.table)
            is_inside = (valid_from <= high) & (valid_to > low) & (valid_to > valid_from)
            return _EPOCH + timedelta(days=max(low, int(valid_from[is_inside].min()))) if is_inside.any() else None
        return start if self.checked.table.num_rows else None

    @property
    def _kind(self) -> TableKind:
        return self.checked.contract.kind

    @cached_property
    def _good(self) -> pa.Table:
        """Rows that may be stored, in the strict schema; DAILY rows by date, then key."""
        import numpy as np
        import pyarrow as pa

        contract = self.checked.contract
        kept = ~self.checked.is_bad
        rows = self.checked.table if kept.all() else self.checked.table.filter(pa.array(kept))
        rows = rows.cast(contract.arrow_schema())
        key = ("date", *contract.key) if self._kind is TableKind.DAILY else contract.key
        rows = in_key_order(rows, tuple(dict.fromkeys(key)))
        self._good_days = np.asarray(rows.column("date").cast(pa.int32())) if self._kind is TableKind.DAILY else None
        return rows

    _good_days: np.ndarray | None = field(default=None, init=False, repr=False)
    _bad: np.ndarray | None = field(default=None, init=False, repr=False)

    @cached_property
    def _hasher(self) -> ContentHasher:
        return ContentHasher(self._good)

    @cached_property
    def _source_days(self) -> np.ndarray:
        """Day number of every source row; a number before all days where there is none."""
        import numpy as np
        import pyarrow as pa

        return np.asarray(self.checked.table.column("date").cast(pa.int32()).fill_null(-(2**31)))

    @cached_property
    def _distinct_days(self) -> np.ndarray:
        import numpy as np

        days = np.unique(self._source_days)
        return days[days > -(2**31)]

    @cached_property
    def _validity_of_good(self) -> tuple[np.ndarray, np.ndarray]:
        return validity(self._good)

    def _is_valid_on(self, day: date) -> np.ndarray:
        start, end = self._validity_of_good
        number = (day - _EPOCH).days
        return (start <= number) & (number < end)

    def _bounds(self, day: date) -> tuple[int, int]:
        import numpy as np

        rows = self._good
        if self._good_days is None:
            return 0, rows.num_rows
        number = (day - _EPOCH).days
        return int(np.searchsorted(self._good_days, number)), int(np.searchsorted(self._good_days, number, side="right"))

    def _has_issue(self, column: str) -> np.ndarray:
        import numpy as np

        mask = np.zeros(self.checked.table.num_rows, dtype=bool)
        nulls = np.asarray(self.checked.table.column(column).is_null(), dtype=bool)
        for issue in self.checked.issues:
            if issue.column == column:
                mask[issue.rows] = nulls[issue.rows]
        return mask


def _whole(rows: pa.Table) -> DaySlice:
    rows = rows.combine_chunks()
    return DaySlice(rows, ContentHasher(rows).digest(0, rows.num_rows))
