from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketing_agents.warehouse.content import ContentHasher, content_hash, in_key_order

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "n": pa.int64(),
        "f": pa.float64(),
        "m": pa.decimal128(18, 6),
        "b": pa.bool_(),
        "d": pa.date32(),
        "t": pa.timestamp("us", tz="UTC"),
        "l": pa.list_(pa.string()),
        "s": pa.string(),
    }
)
ROW = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-(2**63), 2**63 - 1),
        "f": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "m": st.none() | st.decimals(-(10**9), 10**9, places=6),
        "b": st.none() | st.booleans(),
        "d": st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1)),
        "t": st.none() | st.integers(0, 2**50),
        "l": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3),
        "s": st.none() | st.text(max_size=5),
    }
)


def table(rows: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist([{"id": f"{i:03}", **row} for i, row in enumerate(rows)], schema=SCHEMA)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROW, max_size=12), seed=st.integers(0, 99))
def test_same_rows_hash_the_same_whatever_their_order_chunks_or_encoding(rows, seed):
    whole = table(rows)
    expected = content_hash(whole, ("id",))
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    shuffled = whole.take(pa.array(order, pa.int64()))
    cut = seed % (len(rows) + 1)
    chunked = pa.concat_tables([shuffled.slice(0, cut), shuffled.slice(cut)])
    sink = pa.BufferOutputStream()
    pq.write_table(chunked, sink, compression="gzip", use_dictionary=bool(seed % 2), row_group_size=3)
    reread = pq.read_table(pa.BufferReader(sink.getvalue())).cast(SCHEMA)

    assert content_hash(chunked, ("id",)) == expected
    assert content_hash(reread, ("id",)) == expected


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=10), data=st.data())
def test_a_range_hashes_like_the_same_rows_alone(rows, data):
    whole = in_key_order(table(rows), ("id",))
    start = data.draw(st.integers(0, len(rows)))
    stop = data.draw(st.integers(start, len(rows)))
    alone = pa.Table.from_pylist(whole.slice(start, stop - start).to_pylist(), schema=SCHEMA)

    assert ContentHasher(whole).digest(start, stop) == content_hash(alone, ("id",))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=4), other=ROW, position=st.integers(0, 3))
def test_any_changed_value_changes_the_hash(rows, other, position):
    changed = list(rows)
    changed[position % len(rows)] = other
    is_equal = table(rows).to_pylist() == table(changed).to_pylist()

    assert (content_hash(table(rows), ("id",)) == content_hash(table(changed), ("id",))) is is_equal


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"s": ""}, {"s": None}),
        ({"l": []}, {"l": None}),
        ({"l": ["ab"]}, {"l": ["a", "b"]}),
        ({"l": [None]}, {"l": [""]}),
        ({"n": 0}, {"n": None}),
        ({"b": False}, {"b": None}),
    ],
)
def test_nothing_empty_and_split_differ(left, right):
    assert content_hash(table([left]), ("id",)) != content_hash(table([right]), ("id",))


def test_column_types_are_part_of_the_content():
    one = pa.table({"id": pa.array(["a"]), "v": pa.array([1], pa.int64())})

    assert content_hash(one, ("id",)) != content_hash(one.set_column(1, "v", pa.array([1], pa.int64()).cast(pa.timestamp("us"))), ("id",))


def test_hash_does_not_depend_on_the_process():
    rows = table([{"n": 1, "s": "ü", "m": Decimal("1.5"), "l": ["a"]}])
    code = (
        "from decimal import Decimal\n"
        "from marketing_agents_tests.warehouse.test_content import table, content_hash\n"
        "print(content_hash(table([{'n': 1, 's': 'ü', 'm': Decimal('1.5'), 'l': ['a']}]), ('id',)))"
    )
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout.strip()

    assert content_hash(rows, ("id",)) == other
