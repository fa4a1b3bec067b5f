from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from marketing_agents.ingestion.conversion import UnusableTypeError, convert
from marketing_agents.warehouse.contract import Column, ColumnType

T = ColumnType
BAD = object()


def run(kind, values, arrow_type=None):
    converted = convert(Column("c", kind, ""), pa.array(values, arrow_type))
    return [BAD if bad else value for bad, value in zip(converted.is_bad, converted.values.to_pylist(), strict=True)]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (T.STRING, "a b|,'\"", "a b|,'\""),
        (T.STRING, "", None),
        (T.STRING, "120210000000000001", "120210000000000001"),
        (T.INTEGER, "12", 12),
        (T.INTEGER, "-12", -12),
        (T.INTEGER, " 7 ", 7),
        (T.INTEGER, "1.0", BAD),
        (T.INTEGER, "1e3", BAD),
        (T.INTEGER, "1,000", BAD),
        (T.INTEGER, "12345678901234567890", BAD),
        (T.INTEGER, "abc", BAD),
        (T.FLOAT, "1.5e-3", 0.0015),
        (T.FLOAT, ".5", 0.5),
        (T.FLOAT, "NaN", BAD),
        (T.FLOAT, "inf", BAD),
        (T.FLOAT, "1e999", BAD),
        (T.FLOAT, "1,5", BAD),
        (T.FLOAT, "0x10", BAD),
        (T.MONEY, "12", Decimal(12)),
        (T.MONEY, "+12.345678", Decimal("12.345678")),
        (T.MONEY, "0012.50000000000", Decimal("12.5")),
        (T.MONEY, "5.", Decimal(5)),
        (T.MONEY, "100.000", Decimal(100)),
        (T.MONEY, "-0.000001", Decimal("-0.000001")),
        (T.MONEY, "12.3456789", BAD),
        (T.MONEY, "$12", BAD),
        (T.MONEY, "1e-5", BAD),
        (T.MONEY, "1234567890123", BAD),
        (T.MONEY, "999999999999.999999", Decimal("999999999999.999999")),
        (T.RATE, "0.913456789", Decimal("0.913456789")),
        (T.BOOLEAN, "TRUE", True),
        (T.BOOLEAN, "0", False),
        (T.BOOLEAN, "maybe", BAD),
        (T.DATE, "2026-11-20", date(2026, 11, 20)),
        (T.DATE, "2026-02-30", BAD),
        (T.DATE, "20.11.2026", BAD),
        (T.DATE, "20261120", BAD),
        (T.DATE, "2026-W47-5", BAD),
        (T.TIMESTAMP, "2026-11-20T06:00:00+02:00", datetime(2026, 11, 20, 4, tzinfo=UTC)),
        (T.TIMESTAMP, "2026-11-20 06:00:00Z", datetime(2026, 11, 20, 6, tzinfo=UTC)),
        (T.TIMESTAMP, "2026-11-20T06:00:00", BAD),
        (T.STRINGS, '["a", "b"]', ["a", "b"]),
        (T.STRINGS, "[]", []),
        (T.STRINGS, "a;b", BAD),
        (T.STRINGS, "[1]", BAD),
        (T.STRINGS, "[" * 5000, BAD),
        (T.JSON, '{"a": 1}', '{"a": 1}'),
        (T.JSON, "{a: 1}", BAD),
    ],
)
def test_text_is_parsed_strictly(kind, given, expected):
    assert run(kind, [given, None]) == [expected, None]


@pytest.mark.parametrize(
    ("kind", "given", "arrow_type", "expected"),
    [
        (T.STRING, 120210000000000001, pa.int64(), "120210000000000001"),
        (T.STRING, "x", pa.dictionary(pa.int8(), pa.string()), "x"),
        (T.STRING, "x", pa.large_string(), "x"),
        (T.INTEGER, 5.0, pa.float64(), 5),
        (T.INTEGER, 5.5, pa.float64(), BAD),
        (T.INTEGER, float("nan"), pa.float64(), BAD),
        (T.INTEGER, 1e300, pa.float64(), BAD),
        (T.INTEGER, 2**64 - 1, pa.uint64(), BAD),
        (T.INTEGER, Decimal("7.00"), pa.decimal128(9, 2), 7),
        (T.FLOAT, 3, pa.int32(), 3.0),
        (T.FLOAT, float("nan"), pa.float64(), BAD),
        (T.FLOAT, float("-inf"), pa.float32(), BAD),
        (T.MONEY, 0.1 + 0.2, pa.float64(), Decimal("0.3")),
        (T.MONEY, 0.0000005, pa.float64(), Decimal("0.000000")),
        (T.MONEY, 0.0000015, pa.float64(), Decimal("0.000002")),
        (T.MONEY, -123456789.123456, pa.float64(), Decimal("-123456789.123456")),
        (T.MONEY, float("nan"), pa.float64(), BAD),
        (T.MONEY, 1e15, pa.float64(), BAD),
        (T.MONEY, 25, pa.int64(), Decimal(25)),
        (T.MONEY, Decimal("1.230000000"), pa.decimal128(20, 9), Decimal("1.23")),
        (T.MONEY, Decimal("1.2300000001"), pa.decimal128(20, 10), BAD),
        (T.BOOLEAN, 1, pa.int8(), True),
        (T.BOOLEAN, 2, pa.int8(), BAD),
        (T.DATE, datetime(2026, 11, 20), pa.timestamp("ns"), date(2026, 11, 20)),
        (T.DATE, datetime(2026, 11, 20, 1), pa.timestamp("us"), BAD),
        (T.DATE, date(2026, 11, 20), pa.date64(), date(2026, 11, 20)),
        (T.TIMESTAMP, datetime(2026, 11, 20, 6, tzinfo=UTC), pa.timestamp("ns", tz="Asia/Kolkata"), datetime(2026, 11, 20, 6, tzinfo=UTC)),
        (T.STRINGS, ["a"], pa.large_list(pa.large_string()), ["a"]),
    ],
)
def test_typed_values_convert_exactly_or_not_at_all(kind, given, arrow_type, expected):
    assert run(kind, [given, None], arrow_type) == [expected, None]


@pytest.mark.parametrize("kind", list(T))
def test_a_column_without_any_value_is_empty(kind):
    assert run(kind, [None, None]) == [None, None]
    assert run(kind, [], pa.string()) == []


@pytest.mark.parametrize(
    ("kind", "arrow_type"),
    [
        (T.STRING, pa.float64()),
        (T.INTEGER, pa.bool_()),
        (T.FLOAT, pa.date32()),
        (T.MONEY, pa.bool_()),
        (T.BOOLEAN, pa.float64()),
        (T.DATE, pa.int64()),
        (T.DATE, pa.timestamp("us", tz="UTC")),
        (T.TIMESTAMP, pa.timestamp("us")),
        (T.STRINGS, pa.int64()),
        (T.JSON, pa.int64()),
    ],
)
def test_types_that_cannot_hold_the_values_are_refused_as_a_whole(kind, arrow_type):
    with pytest.raises(UnusableTypeError, match="cannot hold"):
        convert(Column("c", kind, ""), pa.nulls(1, arrow_type))
