"""The column mapping of file sources: what a file calls our columns.

    tables:
      ad_performance_daily:
        file: google_ads_export.csv          # default: <table>.parquet or <table>.csv
        columns: {spend: cost, clicks: link_clicks}      # ours: theirs
        constants: {platform: google_ads}    # ours: one value for all rows
        values: {device: {mobile web: mobile}}           # ours: their word -> our word; other words stay
      orders_daily:
        file: shop.csv
        sums: {revenue: [gross, -discount]}  # ours: their columns added up, those with a minus taken off
      web_sessions_daily:
        file: shop.csv
        unpivot:                             # a wide file: each column becomes rows of its own
          into: source_bucket                # ours: which column it was
          values: sessions                   # ours: what it holds
          columns: {direct_visits: direct, email_visits: email}    # their column: our word for it

A column that is not named keeps its name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import date
from pathlib import Path, PurePath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, ValidationError

from marketing_agents.ingestion.source import SourceError
from marketing_agents.warehouse.catalog import INPUT_TABLES

Constant = StrictBool | StrictInt | StrictFloat | StrictStr | date
FILE_SUFFIXES = (".parquet", ".csv")


class Unpivot(BaseModel):
    """Columns of a wide file as rows: one per column, which `into` names and whose value is in `values` (names of ours)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    into: StrictStr
    values: StrictStr
    columns: Annotated[dict[str, StrictStr], Field(min_length=1)]


class TableMapping(BaseModel):
    """Mapping of one table. `columns`: our name -> theirs; `constants`: our name -> value; `values`: our name -> their word -> ours;
    `sums`: our name -> their columns, those with a minus taken off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    columns: dict[str, StrictStr] = {}
    constants: dict[str, Constant] = {}
    values: dict[str, dict[str, StrictStr]] = {}
    sums: dict[str, Annotated[tuple[StrictStr, ...], Field(min_length=1)]] = {}
    unpivot: Unpivot | None = None

    @property
    def reshapes(self) -> bool:
        """Whether rows have to be changed as a whole before anything can be selected from them."""
        return bool(self.values or self.sums or self.unpivot)


class ColumnMapping(BaseModel):
    """Mappings by table of ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tables: dict[str, TableMapping] = {}

    def of(self, table: str) -> TableMapping:
        return self.tables.get(table) or TableMapping()


def load_mapping(path: Path) -> ColumnMapping:
    """Read and validate a mapping file; every problem is listed at once.

    Raises:
        SourceError: no file, not YAML, an unknown table or column (with the nearest known name), a file outside the source folder.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SourceError(f"{path}: no such mapping file; correct MARKETING_AGENTS_SOURCE_MAPPING") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: not valid YAML: {str(error)[:300]}") from None
    try:
        mapping = ColumnMapping.model_validate(document or {})
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(str(part) for part in e['loc']) or 'file'}: {e['msg']}" for e in error.errors(include_url=False)]
        raise SourceError("\n".join(dict.fromkeys(lines))) from None
    problems = [f"{path}: {problem}" for table, item in mapping.tables.items() for problem in _problems(table, item)]
    if problems:
        raise SourceError("\n".join(problems))
    return mapping


def _problems(table: str, item: TableMapping) -> Iterable[str]:
    contract = INPUT_TABLES.get(table)
    if contract is None:
        yield f"tables.{table[:80]}: unknown table{_suggestion(table, INPUT_TABLES)}"
        return
    made = (item.unpivot.into, item.unpivot.values) if item.unpivot else ()
    sections: tuple[tuple[str, Iterable[str]], ...] = (
        ("columns", item.columns),
        ("constants", item.constants),
        ("values", item.values),
        ("sums", item.sums),
        ("unpivot", made),
    )
    for section, names in sections:
        for name in names:
            if name not in contract.by_name:
                yield f"tables.{table}.{section}.{name[:80]}: unknown column{_suggestion(name, contract.by_name)}"
    filled = [(name, section) for section, names in sections if section != "values" for name in names]
    for name in dict.fromkeys(name for name, _ in filled):
        filling = [section for other, section in filled if other == name]
        if len(filling) > 1:
            yield f"tables.{table}.{name}: is under {' and under '.join(filling)}; keep one"
    yield from _name_problems(table, item)


def _name_problems(table: str, item: TableMapping) -> Iterable[str]:
    theirs = list(item.columns.values())
    for name in dict.fromkeys(t for t in theirs if theirs.count(t) > 1):
        yield f"tables.{table}.columns: {name[:80]!r} is mapped to more than one column of ours"
    if item.file is not None:
        file = PurePath(item.file)
        if file.is_absolute() or ".." in file.parts:
            yield f"tables.{table}.file: {item.file[:120]!r} must lie inside the source folder"
        elif file.suffix not in FILE_SUFFIXES:
            yield f"tables.{table}.file: {item.file[:120]!r} must end in .parquet or .csv"


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
