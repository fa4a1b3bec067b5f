"""The `files` source: `<dir>/<table>.parquet` or `<dir>/<table>.csv`, columns by contract or by a mapping."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from marketing_agents.ingestion.conversion import UnusableTypeError, to_dates
from marketing_agents.ingestion.file_arrivals import arrivals_of
from marketing_agents.ingestion.mapping import FILE_SUFFIXES, ColumnMapping, Constant, TableMapping
from marketing_agents.ingestion.reshaping import Reshaped, reshape
from marketing_agents.ingestion.source import Arrivals, RawRows, SourceError, TableProblem
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableContract, TableKind

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True)
class _Selection:
    """What to take from a file: their column per column of ours, and the rows of one advertiser in a window of days."""

    theirs: dict[str, str]
    constants: dict[str, Constant]
    advertiser_column: str | None
    date_column: str | None
    advertiser_id: str
    start: date
    end: date

    def mask(self, rows: pa.Table) -> np.ndarray:
        """Which rows to take. Rows with an empty or unreadable date are taken: they are problems to report."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        mask = np.ones(rows.num_rows, dtype=bool)
        if self.advertiser_column is not None:
            ids = rows.column(self.advertiser_column)
            mask &= np.asarray(pc.fill_null(pc.equal(ids.cast(pa.string()), self.advertiser_id), False))
        if self.date_column is not None:
            try:
                days = to_dates(rows.column(self.date_column))
            except UnusableTypeError:
                return mask  # validation says what is wrong with the column
            outside = pc.or_(pc.less(days, pa.scalar(self.start)), pc.greater(days, pa.scalar(self.end)))
            mask &= ~np.asarray(pc.fill_null(outside, False))
        return mask


@dataclass
class FilesSource:
    """Files in one folder. Parquet files are filtered while they are read; a CSV file is parsed once as long as it does not change."""

    source_dir: Path
    mapping: ColumnMapping | None = None
    _parsed: dict[Path, tuple[tuple[int, int], pa.Table]] = field(default_factory=dict, repr=False)
    _reshaped: dict[str, tuple[tuple[int, int], Reshaped]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return "files"

    def tables(self) -> frozenset[str]:
        if not self.source_dir.is_dir():
            raise SourceError(
                f"input folder {self.source_dir} does not exist; set MARKETING_AGENTS_SOURCE_DIR to the folder of the input files "
                "(`marketing-agents demo` generates a sample agency)"
            )
        return frozenset(table for table in INPUT_TABLES if self._candidates(table))

    def read(self, contract: TableContract, advertiser_id: str, start: date, end: date) -> RawRows:
        path = self._path(contract.name)
        mapping = self._mapping(contract.name)
        if path.suffix == ".csv" or mapping.reshapes:
            source = self._whole(contract.name, path)
            selection, ignored = _selection(path.name, mapping, contract, source.rows.schema.names, advertiser_id, start, end)
            taken, row_numbers = _take(source, selection)
            lines = _line_numbers(path, row_numbers) if path.suffix == ".csv" else None
            return RawRows(taken, path.name, ignored, row_numbers, lines)
        names = _parquet_schema(path).names
        selection, ignored = _selection(path.name, mapping, contract, names, advertiser_id, start, end)
        taken, row_numbers = _take_parquet(path, selection)
        return RawRows(taken, path.name, ignored, row_numbers)

    def arrivals(self, contracts: Sequence[TableContract], advertiser_ids: Collection[str], start: date, end: date) -> Arrivals:
        self.tables()  # says what to do when the folder is missing

        def columns(contract: TableContract, names: Sequence[str]) -> pa.Table:
            return self._columns(contract, names, start, end)

        return arrivals_of(columns, contracts, advertiser_ids, start, end)

    def _columns(self, contract: TableContract, names: Sequence[str], start: date, end: date) -> pa.Table:
        """Some columns of all rows of a table, under our names; from Parquet only the rows of these days where the types allow it.

        Raises:
            TableProblem: the table cannot be read.
        """
        path = self._path(contract.name)
        mapping = self._mapping(contract.name)
        is_whole = path.suffix == ".csv" or mapping.reshapes
        present = self._whole(contract.name, path).rows.schema.names if is_whole else _parquet_schema(path).names
        owner = str(mapping.constants.get("advertiser_id", ""))
        selection, _ = _selection(path.name, mapping, contract, present, owner, start, end)
        selection = replace(
            selection,
            theirs={ours: theirs for ours, theirs in selection.theirs.items() if ours in names},
            constants={ours: value for ours, value in selection.constants.items() if ours in names},
            advertiser_column=None,
        )
        if is_whole:
            return _ours(self._whole(contract.name, path).rows.select(list(selection.theirs.values())), selection)
        return _ours(_read_parquet(path, selection), selection)

    def _mapping(self, table: str) -> TableMapping:
        return (self.mapping or ColumnMapping()).of(table)

    def _candidates(self, table: str) -> list[Path]:
        named = self._mapping(table).file
        names = [named] if named else [f"{table}{suffix}" for suffix in FILE_SUFFIXES]
        return [path for name in names if (path := self.source_dir / name).exists()]

    def _path(self, table: str) -> Path:
        candidates = self._candidates(table)
        if not candidates:
            raise TableProblem(f"{self.source_dir}: no file {self._mapping(table).file or f'{table}.parquet or {table}.csv'}")
        if len(candidates) > 1:
            raise TableProblem(f"{self.source_dir}: {' and '.join(c.name for c in candidates)} both exist; keep one")
        if not candidates[0].is_file():
            raise TableProblem(f"{candidates[0].name}: is a folder (or no regular file); put one file with all rows there")
        return candidates[0]

    def _whole(self, table: str, path: Path) -> Reshaped:
        """All rows of a table as its mapping shapes them; made once as long as the file does not change."""
        import numpy as np

        mapping = self._mapping(table)
        if not mapping.reshapes:
            rows = self._csv(path)
            return Reshaped(rows, np.arange(rows.num_rows))
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        cached = self._reshaped.get(table)
        if cached is None or cached[0] != stamp:
            cached = (stamp, reshape(self._csv(path) if path.suffix == ".csv" else _whole_parquet(path), mapping, path.name))
            self._reshaped[table] = cached
        return cached[1]

    def _csv(self, path: Path) -> pa.Table:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        cached = self._parsed.get(path)
        if cached is None or cached[0] != stamp:
            cached = (stamp, _parse_csv(path))
            self._parsed[path] = cached
        return cached[1]


def _selection(
    place: str, mapping: TableMapping, contract: TableContract, names: Sequence[str], advertiser_id: str, start: date, end: date
) -> tuple[_Selection, tuple[str, ...]]:
    """What to read, and the columns of the file that nothing of ours takes.

    Raises:
        TableProblem: the mapping names a column that the file lacks, a name appears twice, or rows cannot be told by advertiser.
    """
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise TableProblem(f"{place}: columns appear more than once: {', '.join(map(_short, repeated))}")
    for ours, theirs in mapping.columns.items():
        if theirs not in names:
            near = difflib.get_close_matches(theirs, names, n=1)
            hint = f" (did you mean {_short(near[0])}?)" if near else ""
            raise TableProblem(f"{place}: the mapping takes {ours!r} from {_short(theirs)}, which is not in the file{hint}")
    wanted = {c: mapping.columns.get(c, c) for c in contract.column_names if c not in mapping.constants}
    theirs_of = {ours: theirs for ours, theirs in wanted.items() if theirs in names}
    if "advertiser_id" not in theirs_of and "advertiser_id" not in mapping.constants:
        raise TableProblem(
            f"{place}: column 'advertiser_id' is missing, so its rows belong to nobody; add it or set it under constants in the mapping"
        )
    used = set(theirs_of.values())
    selection = _Selection(
        theirs=theirs_of,
        constants=mapping.constants,
        advertiser_column=theirs_of.get("advertiser_id"),
        date_column=theirs_of.get("date") if contract.kind is TableKind.DAILY else None,
        advertiser_id=advertiser_id,
        start=start,
        end=end,
    )
    return selection, tuple(n for n in names if n not in used)


def _take(source: Reshaped, selection: _Selection) -> tuple[pa.Table, Callable[[], list[int]]]:
    import numpy as np
    import pyarrow as pa

    indices = np.flatnonzero(selection.mask(source.rows))
    taken = source.rows.select(list(selection.theirs.values())).take(pa.array(indices))
    return _ours(taken, selection), (source.origin[indices] + 1).tolist


def _take_parquet(path: Path, selection: _Selection) -> tuple[pa.Table, Callable[[], list[int]]]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.dataset as ds

    rows = _read_parquet(path, selection)
    rows = rows.filter(pa.array(selection.mask(rows)))

    def row_numbers() -> list[int]:
        keys = [c for c in (selection.advertiser_column, selection.date_column) if c is not None]
        if not keys:
            return list(range(1, rows.num_rows + 1))
        return (np.flatnonzero(selection.mask(ds.dataset(path, format="parquet").to_table(columns=keys))) + 1).tolist()

    return _ours(rows, selection), row_numbers


def _whole_parquet(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise TableProblem(f"{path.name}: cannot be read as Parquet: {str(error)[:300]}") from None


def _read_parquet(path: Path, selection: _Selection) -> pa.Table:
    import pyarrow as pa
    import pyarrow.dataset as ds

    try:
        source = ds.dataset(path, format="parquet")
        return source.to_table(columns=list(selection.theirs.values()), filter=_pushed_down(source.schema, selection))
    except (pa.ArrowException, OSError) as error:
        raise TableProblem(f"{path.name}: cannot be read as Parquet: {str(error)[:300]}") from None


def _pushed_down(schema: pa.Schema, selection: _Selection) -> object:
    """The part of the selection that the Parquet reader can apply by itself (and skip row groups with); None for nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    conditions = []
    if selection.advertiser_column is not None and pa.types.is_string(schema.field(selection.advertiser_column).type):
        conditions.append(pc.field(selection.advertiser_column) == selection.advertiser_id)
    if selection.date_column is not None:
        kind, name = schema.field(selection.date_column).type, pc.field(selection.date_column)
        if pa.types.is_date32(kind):
            first, after = selection.start, selection.end + timedelta(days=1)
            conditions.append(((name >= pa.scalar(first, kind)) & (name < pa.scalar(after, kind))) | name.is_null())
    combined = None
    for condition in conditions:
        combined = condition if combined is None else combined & condition
    return combined


def _ours(rows: pa.Table, selection: _Selection) -> pa.Table:
    """Columns under our names, constants added."""
    import pyarrow as pa

    rows = rows.rename_columns(list(selection.theirs))
    for name, value in selection.constants.items():
        rows = rows.append_column(name, pa.repeat(pa.scalar(value), rows.num_rows))
    if "advertiser_id" in selection.constants and str(selection.constants["advertiser_id"]) != selection.advertiser_id:
        rows = rows.slice(0, 0)
    return rows


def _parquet_schema(path: Path) -> pa.Schema:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise TableProblem(f"{path.name}: cannot be read as Parquet: {str(error)[:300]}") from None


def _parse_csv(path: Path) -> pa.Table:
    """All columns as text; validation decides what they are."""
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            header = next(csv.reader(text), [])
        if not header:
            raise TableProblem(f"{path.name}: is empty: not even a header line with column names")
        return pa_csv.read_csv(
            path,
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True
            ),
        )
    except UnicodeDecodeError as error:
        raise TableProblem(f"{path.name}: is not UTF-8 text (byte {error.start}); export it as UTF-8") from None
    except (pa.ArrowException, csv.Error, OSError) as error:
        raise TableProblem(f"{path.name}: {_csv_problem(path) or f'cannot be read as CSV: {str(error)[:300]}'}") from None


def _csv_problem(path: Path) -> str | None:
    """The first line whose number of values differs from the header's."""
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as text:
        reader = csv.reader(text)
        header = next(reader, [])
        for row in reader:
            if row and len(row) != len(header):
                return f"line {reader.line_num}: {len(row)} values, the header has {len(header)} columns; quote values that hold a comma"
    return None


def _line_numbers(path: Path, row_numbers: Callable[[], list[int]]) -> Callable[[], list[int]]:
    """Last line of each selected row: quoted values may hold line breaks, blank lines do not count as rows."""

    def lines() -> list[int]:
        with path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text)
            next(reader, None)
            ends = [reader.line_num for row in reader if row]
        return [ends[n - 1] if n <= len(ends) else 0 for n in row_numbers()]

    return lines


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:57] + "...")
