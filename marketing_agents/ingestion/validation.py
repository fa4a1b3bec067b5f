"""Rows of a source against the table contract: types, required values, ranges, closed lists, currencies, zones, keys, periods.

Everything is checked for all rows at once; messages are made only for rows that fail. A message names file, row (and line of a CSV),
column, value and what is expected.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from marketing_agents.ingestion.conversion import UnusableTypeError, convert
from marketing_agents.ingestion.source import DataError, RawRows, TableProblem
from marketing_agents.warehouse.contract import Column, TableContract, TableKind

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

LISTED_PROBLEMS = 20
CURRENCY_COLUMNS = frozenset({"currency_code", "from_currency", "to_currency"})
ZONE_COLUMNS = frozenset({"account_time_zone", "time_zone"})
_VALUE_CHARACTERS = 60


@dataclass(frozen=True)
class Issue:
    """One kind of problem: the rows that have it (ascending indices), the column, and what is expected."""

    column: str
    rows: np.ndarray
    expected: str


@dataclass
class CheckedRows:
    """All rows in contract columns and types, and what is wrong with them. Bad cells are null in `table`; bad rows must not be stored."""

    contract: TableContract
    raw: RawRows
    table: pa.Table
    issues: list[Issue] = field(default_factory=list)

    @property
    def is_bad(self) -> np.ndarray:
        """One boolean per row: some check failed."""
        import numpy as np

        mask = np.zeros(self.table.num_rows, dtype=bool)
        for issue in self.issues:
            mask[issue.rows] = True
        return mask

    def problems(self, among: np.ndarray | None = None) -> tuple[str, ...]:
        """Messages for bad rows, in row order: at most 20, then a count of the rest.

        Args:
            among: boolean per row; only these rows are described. None: all.
        """
        import numpy as np

        found: list[tuple[int, int]] = []
        total = 0
        for number, issue in enumerate(self.issues):
            rows = issue.rows if among is None else issue.rows[among[issue.rows]]
            total += len(rows)
            found += [(int(row), number) for row in np.sort(rows)[:LISTED_PROBLEMS]]
        listed = [self._message(row, self.issues[number]) for row, number in sorted(found)[:LISTED_PROBLEMS]]
        rest = total - len(listed)
        return (*listed, f"{self.raw.place}: and {rest} more") if rest else tuple(listed)

    @cached_property
    def _row_numbers(self) -> list[int]:
        return self.raw.row_numbers()

    @cached_property
    def _line_numbers(self) -> list[int] | None:
        return self.raw.line_numbers() if self.raw.line_numbers is not None else None

    def _message(self, row: int, issue: Issue) -> str:
        line = f" (line {self._line_numbers[row]})" if self._line_numbers else ""
        value = self.raw.table.column(issue.column)[row].as_py() if issue.column in self.raw.table.schema.names else None
        return f"{self.raw.place}: row {self._row_numbers[row]}{line}: {issue.column}: {_shown(value)}: expected {issue.expected}"


def validate(contract: TableContract, rows: RawRows) -> pa.Table:
    """Rows in contract columns and types, all of them good.

    Raises:
        TableProblem: the table cannot be used at all.
        DataError: rows that break the contract; at most 20 are listed.
    """
    checked = check(contract, rows)
    if checked.issues:
        raise DataError(checked.problems())
    return checked.table


def check(contract: TableContract, rows: RawRows) -> CheckedRows:
    """Convert and check every row; nothing is dropped, so that the caller can reject only the slices that bad rows belong to.

    Raises:
        TableProblem: a required column is missing, or a column has a type that cannot hold its values.
    """
    import pyarrow as pa

    _require_columns(contract, rows)
    count = rows.table.num_rows
    issues: list[Issue] = []
    arrays: list[pa.Array] = []
    schema = contract.arrow_schema()
    for column in contract.columns:
        if column.name not in rows.table.schema.names:
            arrays.append(pa.nulls(count, schema.field(column.name).type))
            continue
        try:
            converted = convert(column, rows.table.column(column.name))
        except UnusableTypeError as error:
            raise TableProblem(f"{rows.place}: {column.name}: {error}") from None
        _note(issues, column.name, converted.is_bad, converted.expected)
        arrays.append(converted.values)
        _check_values(issues, column, converted.values, converted.is_bad)
    # Nullable here: bad cells are null. Stored slices hold good rows only and carry the strict schema.
    table = pa.Table.from_arrays(arrays, schema=pa.schema([pa.field(f.name, f.type) for f in schema]))
    checked = CheckedRows(contract, rows, table, issues)
    _check_periods(checked)
    _check_keys(checked)
    return checked


def _require_columns(contract: TableContract, rows: RawRows) -> None:
    present = set(rows.table.schema.names)
    missing = [c.name for c in contract.columns if c.required and c.name not in present]
    if not missing:
        return
    hints = []
    for name in missing:
        near = difflib.get_close_matches(name, rows.ignored_columns, n=1)
        hints.append(f"{name!r} (is it {_shown(near[0])}?)" if near else repr(name))
    raise TableProblem(f"{rows.place}: required columns are missing: {', '.join(hints)}; add them, or name theirs in the mapping file")


def _check_values(issues: list[Issue], column: Column, values: pa.Array, is_bad: np.ndarray) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.required:
        _note(issues, column.name, np.asarray(values.is_null(), dtype=bool) & ~is_bad, "a value (the column is required)")
    if column.minimum is not None or column.maximum is not None:
        numbers = values.cast(pa.float64())
        for bound, is_outside, words in ((column.minimum, pc.less, "at least"), (column.maximum, pc.greater, "at most")):
            if bound is not None:
                outside = np.asarray(pc.fill_null(is_outside(numbers, float(bound)), False), dtype=bool)
                _note(issues, column.name, outside, f"{words} {bound:g}")
    if column.allowed:
        outside = pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, value_set=pa.array(column.allowed))))
        _note(issues, column.name, np.asarray(outside, dtype=bool), f"one of {', '.join(column.allowed)}")
    if column.name in CURRENCY_COLUMNS:
        wrong = pc.invert(pc.match_substring_regex(values, r"^[A-Z]{3}$"))
        _note(issues, column.name, np.asarray(pc.fill_null(wrong, False), dtype=bool), "an ISO 4217 code such as EUR")
    if column.name in ZONE_COLUMNS:
        known = pa.array([v for v in pc.unique(values).to_pylist() if v in available_timezones()], pa.string())
        unknown = pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, value_set=known)))
        _note(issues, column.name, np.asarray(unknown, dtype=bool), "an IANA time zone such as Europe/London")


def _check_periods(checked: CheckedRows) -> None:
    """HISTORY: a period does not end before it begins, and periods of one entity do not overlap (a day would have two states)."""
    import numpy as np

    contract = checked.contract
    if contract.kind is not TableKind.HISTORY or checked.table.num_rows == 0:
        return
    start, end = validity(checked.table)
    _note(checked.issues, "valid_to", (end < start) & ~checked.is_bad, "a day after valid_from")
    entity = [name for name in contract.key if name != "valid_from"]
    group = _group_codes(checked.table, entity)
    # Periods that are never valid (end = start) cannot overlap anything.
    candidates = np.flatnonzero(~checked.is_bad & (end > start))
    order = candidates[np.lexsort((start[candidates], group[candidates]))]
    is_same = group[order][1:] == group[order][:-1]
    is_overlapping = is_same & (start[order][1:] < end[order][:-1]) & (start[order][1:] > start[order][:-1])
    late = np.zeros(checked.table.num_rows, dtype=bool)
    late[order[1:][is_overlapping]] = True
    _note(
        checked.issues,
        "valid_from",
        late,
        f"no overlap with an earlier period of the same {', '.join(n for n in entity if n != 'advertiser_id')}",
    )


def _check_keys(checked: CheckedRows) -> None:
    import numpy as np

    contract = checked.contract
    good = np.flatnonzero(~checked.is_bad)
    if len(good) < 2:
        return
    codes = _group_codes(checked.table, contract.key)[good]
    counts = np.bincount(codes)
    if counts.max() < 2:
        return
    repeated = np.zeros(checked.table.num_rows, dtype=bool)
    repeated[good] = counts[codes] > 1
    # The last column of a key is the one that should tell the rows apart.
    _note(checked.issues, contract.key[-1], repeated, f"a key ({', '.join(contract.key)}) that no other row has")


def validity(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """First day and day after the last of every HISTORY row, as days since 1970; an open period ends far in the future."""
    import numpy as np
    import pyarrow as pa

    start = np.asarray(table.column("valid_from").cast(pa.int32()).fill_null(-(2**31)))
    end = np.asarray(table.column("valid_to").cast(pa.int32()).fill_null(2**31 - 1))
    return start, end


def _group_codes(table: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """Equal numbers for rows with equal values in `columns`; 0 <= code < rows."""
    import numpy as np
    import pyarrow as pa

    codes, size = np.zeros(table.num_rows, dtype=np.int64), 1
    for name in columns:
        encoded = pa.concat_arrays(table.column(name).chunks).dictionary_encode(null_encoding="encode")
        distinct = max(1, len(encoded.dictionary))
        if size * distinct > 2**62:
            codes = np.unique(codes, return_inverse=True)[1]
            size = table.num_rows
        codes = codes * distinct + np.asarray(encoded.indices, dtype=np.int64)
        size *= distinct
    return np.unique(codes, return_inverse=True)[1]


def _note(issues: list[Issue], column: str, mask: np.ndarray, expected: str) -> None:
    import numpy as np

    if mask.any():
        issues.append(Issue(column, np.flatnonzero(mask), expected))


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _VALUE_CHARACTERS else f"{text[:_VALUE_CHARACTERS]}... ({len(text)} characters)"
