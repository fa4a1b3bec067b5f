"""Source values to contract types, column by column, without guessing: what does not convert exactly is marked, never repaired.

The one rounding: money and rates that a source delivers as doubles are rounded half even to the contract's places (platform exports hold
0.30000000000000004). Text and decimals with more places than the contract has are problems.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from marketing_agents.warehouse.contract import Column, ColumnType

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class UnusableTypeError(TypeError):
    """No value of this source type can be a value of the column. The message says what is expected."""


@dataclass(frozen=True)
class Converted:
    """A column in its contract type. `is_bad` marks values that could not be converted (null in `values`)."""

    values: pa.Array
    is_bad: np.ndarray
    expected: str


_EXPECTED: dict[ColumnType, str] = {
    ColumnType.STRING: "text",
    ColumnType.STRINGS: 'a list of text (in CSV: JSON such as ["a", "b"])',
    ColumnType.INTEGER: "a whole number",
    ColumnType.FLOAT: "a finite number",
    ColumnType.MONEY: "an amount below 10^12 with at most 6 decimal places, such as 12.34",
    ColumnType.RATE: "a rate below 10^9 with at most 9 decimal places, such as 0.9134",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.DATE: "a day as YYYY-MM-DD",
    ColumnType.TIMESTAMP: "an instant with its zone, such as 2026-11-20T06:00:00Z",
    ColumnType.JSON: "JSON text",
}
_DECIMAL = {ColumnType.MONEY: (18, 6), ColumnType.RATE: (18, 9)}
_TRUE, _FALSE = ("true", "1", "t", "yes"), ("false", "0", "f", "no")


def convert(column: Column, source: pa.Array | pa.ChunkedArray) -> Converted:
    """Convert one column.

    Raises:
        UnusableTypeError: the source type as a whole does not fit (a double as id, text lists as number).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    array = _one_chunk(source)
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
        kind = array.type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        array = array.cast(pa.string())
    if pa.types.is_string(array.type):
        # Sources write an absent value as empty text or as null; both are absent.
        array = pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)
    values = _CONVERTERS[column.type](column, array)
    is_bad = _mask(pc.and_(pc.is_valid(array), pc.is_null(values)))
    return Converted(values, is_bad, _EXPECTED[column.type])


def to_dates(source: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Days of a column of text, dates or midnights; null where there is none."""
    return convert(Column("date", ColumnType.DATE, ""), source).values


def _refuse(column: Column, array: pa.Array) -> UnusableTypeError:
    return UnusableTypeError(f"type {array.type} cannot hold {_EXPECTED[column.type]}")


def _string(column: Column, array: pa.Array) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_string(array.type):
        return array
    if pa.types.is_integer(array.type):
        return array.cast(pa.string())
    # A double has lost the digits of a long id before we see it.
    raise _refuse(column, array)


def _strings(column: Column, array: pa.Array) -> pa.Array:
    import pyarrow as pa

    target = pa.list_(pa.string())
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        inner = array.type.value_type
        if pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_null(inner) or pa.types.is_integer(inner):
            return array.cast(target)
    if pa.types.is_string(array.type):
        return _by_distinct(array, _parse_list, target)
    raise _refuse(column, array)


def _integer(column: Column, array: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_string(kind):
        text = _matching(array, r"^[+-]?[0-9]{1,18}$")
        return pc.replace_substring_regex(text, r"^\+", "").cast(pa.int64())
    if pa.types.is_integer(kind):
        if kind == pa.uint64():
            wrapped = array.cast(pa.int64(), safe=False)
            return pc.if_else(pc.greater_equal(wrapped, 0), wrapped, pa.scalar(None, pa.int64()))
        return array.cast(pa.int64())
    if pa.types.is_floating(kind):
        # pandas turns whole numbers with gaps into doubles; beyond 2^53 they are no longer the number that was written.
        array = array.cast(pa.float64())
        exact = pc.and_(pc.equal(pc.floor(array), array), pc.less_equal(pc.abs(array), float(2**53)))
        return pc.if_else(exact, array, pa.scalar(None, pa.float64())).cast(pa.int64())
    if pa.types.is_decimal(kind):
        text = array.cast(pa.string())
        return pc.replace_substring_regex(_matching(text, r"^-?[0-9]{1,18}(\.0*)?$"), r"\.0*$", "").cast(pa.int64())
    raise _refuse(column, array)


def _float(column: Column, array: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_string(kind):
        numbers = _matching(array, r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$")
        array = pc.replace_substring_regex(numbers, r"^\+", "").cast(pa.float64())
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        array = array.cast(pa.float64(), safe=False)
    else:
        raise _refuse(column, array)
    return pc.if_else(pc.is_finite(array), array, pa.scalar(None, pa.float64()))


def _decimal(column: Column, array: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    precision, scale = _DECIMAL[column.type]
    target = pa.decimal128(precision, scale)
    whole = precision - scale
    if kind == target:
        return array
    if pa.types.is_floating(kind):
        return _rounded(array.cast(pa.float64()), precision, scale)
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        try:
            return array.cast(target)  # exact for all rows: the common case, and the fast one
        except pa.ArrowInvalid:
            array = array.cast(pa.string())
    elif not pa.types.is_string(kind):
        raise _refuse(column, array)
    text = _matching(array, rf"^[+-]?0*[0-9]{{1,{whole}}}(\.[0-9]{{0,{scale}}}0*)?$")
    # Zeros that say nothing are cut, so that the cast never has to round.
    text = pc.replace_substring_regex(text, r"^\+", "")
    text = pc.replace_substring_regex(text, r"(\.[0-9]*?)0+$", r"\1")
    text = pc.replace_substring_regex(text, r"\.$", "")
    return text.cast(target)


def _rounded(array: pa.Array, precision: int, scale: int) -> pa.Array:
    """Doubles rounded half even to `scale` places. Exact up to 2^53 units of the last place (9 billion in micros)."""
    import numpy as np
    import pyarrow as pa

    numbers = np.asarray(array.fill_null(float("nan")), dtype=np.float64)
    units = np.rint(numbers * 10.0**scale)
    is_usable = np.isfinite(units) & (np.abs(units) < 10.0**precision)
    low = np.where(is_usable, units, 0.0).astype(np.int64)
    words = np.empty((len(low), 2), dtype="<i8")
    words[:, 0] = low
    words[:, 1] = low >> 63  # sign of the upper half
    validity = pa.py_buffer(np.packbits(is_usable, bitorder="little").tobytes())
    return pa.Array.from_buffers(pa.decimal128(precision, scale), len(low), [validity, pa.py_buffer(words.tobytes())])


def _boolean(column: Column, array: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(array.type):
        return array
    if pa.types.is_integer(array.type):
        array = array.cast(pa.string())
    if not pa.types.is_string(array.type):
        raise _refuse(column, array)
    lower = pc.utf8_lower(array)
    known = pc.is_in(lower, value_set=pa.array([*_TRUE, *_FALSE]))
    return pc.if_else(known, pc.is_in(lower, value_set=pa.array(_TRUE)), pa.scalar(None, pa.bool_()))


def _date(column: Column, array: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if kind == pa.date32():
        return array
    if kind == pa.date64():
        return array.cast(pa.date32())
    if pa.types.is_timestamp(kind) and kind.tz is None:
        # pandas writes days as midnights; anything else is an instant, and whose day it is cannot be known.
        days = array.cast(pa.date32(), safe=False)
        return pc.if_else(pc.equal(days.cast(kind), array), days, pa.scalar(None, pa.date32()))
    if pa.types.is_string(kind):
        return _by_distinct(array, _parse_date, pa.date32())
    raise _refuse(column, array)


def _timestamp(column: Column, array: pa.Array) -> pa.Array:
    import pyarrow as pa

    target = pa.timestamp("us", tz="UTC")
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        return array.cast(target, safe=False)
    if pa.types.is_string(array.type):
        return _by_distinct(array, _parse_instant, target)
    raise _refuse(column, array)


def _json(column: Column, array: pa.Array) -> pa.Array:
    import pyarrow as pa

    if not pa.types.is_string(array.type):
        raise _refuse(column, array)
    return _by_distinct(array, _parse_json, pa.string())


_CONVERTERS: dict[ColumnType, Callable[[Column, Any], Any]] = {
    ColumnType.STRING: _string,
    ColumnType.STRINGS: _strings,
    ColumnType.INTEGER: _integer,
    ColumnType.FLOAT: _float,
    ColumnType.MONEY: _decimal,
    ColumnType.RATE: _decimal,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.TIMESTAMP: _timestamp,
    ColumnType.JSON: _json,
}


def _parse_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 and text[4] == text[7] == "-" else None
    except ValueError:
        return None


def _parse_instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _parse_list(text: str) -> list[str] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None


def _parse_json(text: str) -> str | None:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return text


def _by_distinct(array: pa.Array, parse: Callable[[str], object], target: pa.DataType) -> pa.Array:
    """Parse each distinct text once: a column of days has few."""
    import pyarrow as pa

    encoded = array.dictionary_encode()
    parsed = pa.array([parse(text) for text in encoded.dictionary.to_pylist()], type=target)
    return parsed.take(encoded.indices)


def _matching(array: pa.Array, pattern: str) -> pa.Array:
    """Texts (without surrounding spaces) that match, null for the others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(array)
    return pc.if_else(pc.match_substring_regex(text, pattern), text, pa.scalar(None, pa.string()))


def _one_chunk(source: pa.Array | pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    if isinstance(source, pa.ChunkedArray):
        return pa.concat_arrays(source.chunks) if source.num_chunks else pa.array([], type=source.type)
    return source


def _mask(array: pa.Array) -> np.ndarray:
    import numpy as np

    return np.asarray(array.cast("uint8")).astype(bool)
