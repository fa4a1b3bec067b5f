"""Any order, any chunks, at once: the same visible rows for every day on which one asks."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from marketing_agents.ingestion.load import load_advertiser
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents_tests.ingestion.sources import ACME, NOW, MemorySource, before, campaign, event, order

TABLES = ["orders_daily", "campaigns"]
OFFSETS = st.integers(0, 12)
CHUNKS = st.lists(st.lists(OFFSETS, min_size=1, max_size=4), min_size=1, max_size=4)
SOURCE = st.builds(
    lambda orders, ends: {
        "orders_daily": [order(before(n), orders=v) for n, v in sorted(orders.items())],
        "campaigns": [campaign(before(n + k + 1), before(n) if n else None, f"v{k}", f"c{n}") for n, k in sorted(ends.items())],
        "calendar_events": [event()],
    },
    orders=st.dictionaries(st.integers(0, 15), st.integers(1, 3), max_size=8),
    ends=st.dictionaries(st.integers(0, 12), st.integers(0, 5), max_size=3),
)


def load(warehouse, rows, chunk):
    days = [before(n) for n in chunk]
    load_advertiser(warehouse, MemorySource(rows), ACME, days, tables=TABLES, mode="refresh", restatement_days=3, now=NOW)


def log(warehouse):
    return [(e.table, e.date, e.as_of, e.rows, e.content_hash) for e in warehouse.ingestion_log(["acme"])]


def visible(warehouse):
    """Content of every slice as known on each day."""
    seen = {}
    for entry in warehouse.ingestion_log(["acme"]):  # sorted: of each slice the newest version comes last
        for n in range(26):
            if entry.as_of <= before(n):
                seen[entry.table, entry.date, n] = (entry.rows, entry.content_hash)
    return seen


@settings(max_examples=12, deadline=None)
@given(rows=SOURCE, chunks=CHUNKS)
def test_order_and_chunks_of_loading_do_not_matter(rows, chunks):
    with tempfile.TemporaryDirectory() as folder:
        cut, single = (EmbeddedWarehouse(Path(folder) / name, is_durable=False) for name in ("cut", "single"))
        for chunk in chunks:
            load(cut, rows, chunk)
        for n in sorted({n for chunk in chunks for n in chunk}, reverse=True):
            load(single, rows, [n])

        assert log(cut) == log(single)


@settings(max_examples=10, deadline=None)
@given(old=SOURCE, new=SOURCE, first=st.lists(OFFSETS, min_size=1, max_size=3), chunks=CHUNKS)
def test_a_changed_source_is_seen_the_same_in_any_order(old, new, first, chunks):
    """Given a store that holds an older state of the source: the days of the new state are loaded in any order."""
    with tempfile.TemporaryDirectory() as folder:
        cut, single = (EmbeddedWarehouse(Path(folder) / name, is_durable=False) for name in ("cut", "single"))
        for warehouse in (cut, single):
            load(warehouse, old, first)
        for chunk in chunks:
            load(cut, new, chunk)
        for n in sorted({n for chunk in chunks for n in chunk}, reverse=True):
            load(single, new, [n])

        assert visible(cut) == visible(single)


@settings(max_examples=15, deadline=None)
@given(old=SOURCE, new=SOURCE, first=CHUNKS, later=st.integers(1, 12), chunks=CHUNKS)
def test_what_a_day_knew_is_not_changed_by_loading_later_days(old, new, first, later, chunks):
    """Given days that were loaded, and a restated source: days after them are loaded in any order and cut."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse = EmbeddedWarehouse(Path(folder), is_durable=False)
        for chunk in first:
            load(warehouse, old, [n + later for n in chunk])
        known = {key: content for key, content in visible(warehouse).items() if key[2] >= later}

        for chunk in chunks:
            load(warehouse, new, [n % later for n in chunk])

        after = visible(warehouse)
        assert {key: after[key] for key in known} == known


def test_all_at_once(tmp_path):
    rows = {
        "orders_daily": [order(before(n), orders=n + 1) for n in range(15)],
        "campaigns": [campaign(before(20), before(5), "old"), campaign(before(5), None, "new")],
    }
    together, single = (EmbeddedWarehouse(tmp_path / name, is_durable=False) for name in ("together", "single"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: load(together, rows, [n, (n + 3) % 12]), range(12)))
    for n in range(11, -1, -1):
        load(single, rows, [n])

    assert log(together) == log(single)
