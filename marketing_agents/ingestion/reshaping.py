"""Wide and oddly worded files brought into the shape of a table, before anything is selected from them: columns turned into rows, columns added
up, values renamed. What each means is in `mapping.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from marketing_agents.ingestion.source import TableProblem

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from marketing_agents.ingestion.mapping import TableMapping, Unpivot


@dataclass(frozen=True)
class Reshaped:
    """Rows in their new shape. `origin`: for each of them the position of the source row it comes from."""

    rows: pa.Table
    origin: np.ndarray


def reshape(rows: pa.Table, mapping: TableMapping, place: str) -> Reshaped:
    """Apply `sums`, then `unpivot`, then `values` of a mapping.

    Raises:
        TableProblem: a column that the mapping reads is not in the file, or one that it makes is there already.
    """
    import numpy as np

    names = rows.schema.names
    for name, parts in mapping.sums.items():
        _is_new(name, names, place, "sums")
        rows = rows.append_column(name, _sum(rows, parts, place))
    origin = np.arange(rows.num_rows)
    if mapping.unpivot is not None:
        rows, origin = _unpivoted(rows, mapping.unpivot, place)
    for name, words in mapping.values.items():
        theirs = mapping.columns.get(name, name)
        if theirs not in rows.schema.names:
            raise _missing(theirs, rows.schema.names, place, f"values.{name}")
        rows = rows.set_column(rows.schema.names.index(theirs), theirs, _renamed(rows.column(theirs), words))
    return Reshaped(rows, origin)


def _unpivoted(rows: pa.Table, unpivot: Unpivot, place: str) -> tuple[pa.Table, np.ndarray]:
    import numpy as np
    import pyarrow as pa

    names = rows.schema.names
    for column in unpivot.columns:
        if column not in names:
            raise _missing(column, names, place, "unpivot.columns")
    kept = [name for name in names if name not in unpivot.columns]
    for name in (unpivot.into, unpivot.values):
        _is_new(name, kept, place, "unpivot")
    parts = []
    for column, label in unpivot.columns.items():
        part = rows.select(kept).append_column(unpivot.into, pa.repeat(pa.scalar(label), rows.num_rows))
        parts.append(part.append_column(unpivot.values, rows.column(column)))
    # Rows of one source row stay together, so that problems are told in the order of the file.
    order = np.argsort(np.tile(np.arange(rows.num_rows), len(parts)), kind="stable")
    stacked = pa.concat_tables(parts, promote_options="permissive").take(pa.array(order))
    return stacked, np.repeat(np.arange(rows.num_rows), len(parts))


def _sum(rows: pa.Table, parts: Sequence[str], place: str) -> pa.Array:
    """Exact sums as text; a part that is no number stays as it is, so that validation reports it with its row."""
    import pyarrow as pa

    names = rows.schema.names
    columns: list[tuple[int, list[object]]] = []
    for part in parts:
        sign, name = (-1, part[1:]) if part.startswith("-") else (1, part)
        if name not in names:
            raise _missing(name, names, place, "sums")
        columns.append((sign, rows.column(name).to_pylist()))
    return pa.array([_total([(sign, values[row]) for sign, values in columns]) for row in range(rows.num_rows)], pa.string())


def _total(parts: Sequence[tuple[int, object]]) -> str | None:
    total = Decimal(0)
    for sign, value in parts:
        if value is None or value == "":
            return None
        try:
            total += sign * Decimal(str(value).strip())
        except InvalidOperation:
            return str(value)
    return f"{total:f}"


def _renamed(column: pa.ChunkedArray, words: Mapping[str, str]) -> pa.Array:
    import pyarrow as pa

    text = column.cast(pa.string()).combine_chunks()
    encoded = (text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text).dictionary_encode()
    renamed = pa.array([words.get(word, word) for word in encoded.dictionary.to_pylist()], pa.string())
    return renamed.take(encoded.indices)


def _is_new(name: str, names: Sequence[str], place: str, section: str) -> None:
    if name in names:
        raise TableProblem(
            f"{place}: the mapping makes {name!r} under {section}, but the file has such a column; map it under columns instead"
        )


def _missing(name: str, names: Sequence[str], place: str, section: str) -> TableProblem:
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean {near[0][:60]!r}?)" if near else ""
    return TableProblem(f"{place}: the mapping reads {name[:60]!r} under {section}, which is not in the file{hint}")
