from __future__ import annotations

import pyarrow as pa
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.warehouse.catalog import RESULT_TABLES
from marketing_agents.warehouse.embedded import slices
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents.warehouse.store import WarehouseError
from marketing_agents_tests.warehouse.rows import DAY, before, evaluations

ONE, TWO, OTHER = LocalDay("acme", before(1)), LocalDay("acme", DAY), LocalDay("beta", DAY)


@pytest.fixture
def warehouse(tmp_path):
    return EmbeddedWarehouse(tmp_path / "data", is_durable=False)


def keys(rows):
    return [(r["advertiser_id"], r["date"], r["outcome"]) for r in rows.to_pylist()]


def test_replacing_touches_the_asked_slices_only(warehouse):
    warehouse.replace_slices("rule_evaluations", evaluations(ONE, TWO, OTHER), [ONE, TWO, OTHER])

    counts = warehouse.replace_slices("rule_evaluations", evaluations(TWO, outcome="fired"), [ONE, TWO])

    assert counts == {ONE: 0, TWO: 1}
    assert keys(warehouse.read_slices("rule_evaluations", [ONE, TWO, OTHER])) == [("acme", DAY, "fired"), ("beta", DAY, "clear")]


def test_writing_twice_gives_the_same_rows(warehouse):
    for _ in range(2):
        warehouse.replace_slices("rule_evaluations", evaluations(ONE, TWO), [ONE, TWO])
    assert keys(warehouse.read_slices("rule_evaluations", [TWO, ONE, ONE])) == [("acme", DAY, "clear"), ("acme", before(1), "clear")]


def test_parts_are_replaced_one_by_one(warehouse):
    warehouse.replace_slices("rule_evaluations", evaluations(ONE), [ONE], part="creative")
    warehouse.replace_slices("rule_evaluations", evaluations(ONE, outcome="fired"), [ONE], part="media_performance")
    warehouse.replace_slices("rule_evaluations", evaluations(), [ONE], part="creative")

    assert keys(warehouse.read_slices("rule_evaluations", [ONE])) == [("acme", before(1), "fired")]
    assert warehouse.read_slices("rule_evaluations", [ONE], part="creative").num_rows == 0
    assert warehouse.read_slices("rule_evaluations", [ONE], part="budget").num_rows == 0


def test_nothing_stored_reads_as_a_typed_empty_table(warehouse):
    assert warehouse.read_slices("findings", [ONE]).schema == RESULT_TABLES["findings"].arrow_schema()
    assert warehouse.read_slices("campaign_features", [ONE]).num_rows == 0


@pytest.mark.parametrize("part", ["../x", "a/b", "", "slice", "A", "x" * 65, ".hidden"])
def test_unsafe_parts_are_refused(warehouse, part):
    with pytest.raises(WarehouseError, match="part"):
        warehouse.replace_slices("rule_evaluations", evaluations(ONE), [ONE], part=part)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (evaluations(ONE, OTHER), "not among the slices to replace"),
        (evaluations(ONE).set_column(6, "entities", pa.array(["many"])), "column 'entities' is string"),
        (evaluations(ONE).set_column(6, "entities", pa.array([1.5])), "column 'entities' is double"),
        (evaluations(ONE).set_column(2, "rule_id", pa.nulls(1, pa.string())), "required by the contract"),
    ],
)
def test_rows_that_do_not_fit_leave_the_old_slice(warehouse, rows, message):
    warehouse.replace_slices("rule_evaluations", evaluations(ONE), [ONE])
    with pytest.raises(WarehouseError, match=message):
        warehouse.replace_slices("rule_evaluations", rows, [ONE])
    assert keys(warehouse.read_slices("rule_evaluations", [ONE])) == [("acme", before(1), "clear")]


def test_unknown_result_tables_are_errors(warehouse):
    with pytest.raises(WarehouseError, match="unknown result table 'finding'"):
        warehouse.replace_slices("finding", evaluations(ONE), [ONE])
    with pytest.raises(WarehouseError, match="did you mean 'findings'"):
        warehouse.read_slices("finding", [ONE])


@pytest.mark.parametrize("name", ["../x.html", "/etc/x", "a/../../x", "", "a//..", ".env", "a b.html", "a\x00b"])
def test_document_names_stay_inside_the_reports_folder(warehouse, tmp_path, name):
    with pytest.raises(WarehouseError, match="document name"):
        warehouse.save_document(name, b"x")
    assert not (tmp_path / "data" / "reports").exists()


def test_documents_are_replaced(warehouse, tmp_path):
    warehouse.save_document("acme/2026-11-20.html", b"old")
    place = warehouse.save_document("acme/2026-11-20.html", b"new")

    assert place == tmp_path / "data" / "reports" / "acme" / "2026-11-20.html"
    assert place.read_bytes() == b"new"


def test_a_slice_that_is_replaced_while_it_is_read_is_read_again(warehouse, monkeypatch):
    """DuckDB opens a file twice; between the two another process may replace it."""
    warehouse.replace_slices("rule_evaluations", evaluations(ONE), [ONE])
    reads = []
    read = slices.to_arrow

    def replaced_meanwhile(connection, sql, *, what):
        rows = read(connection, sql, what=what)
        if not reads:
            warehouse.replace_slices("rule_evaluations", evaluations(ONE, outcome="fired"), [ONE])
        reads.append(what)
        return rows

    monkeypatch.setattr(slices, "to_arrow", replaced_meanwhile)
    assert warehouse.read_slices("rule_evaluations", [ONE]).column("outcome").to_pylist() == ["fired"]
    assert len(reads) == 2


def test_a_slice_that_never_stands_still_is_an_error_after_a_while(warehouse, monkeypatch):
    warehouse.replace_slices("rule_evaluations", evaluations(ONE), [ONE])
    read = slices.to_arrow

    def always_replaced(connection, sql, *, what):
        rows = read(connection, sql, what=what)
        warehouse.replace_slices("rule_evaluations", evaluations(ONE, outcome="fired"), [ONE])
        return rows

    monkeypatch.setattr(slices, "to_arrow", always_replaced)
    monkeypatch.setattr(slices, "_REPLACED_FOR_S", 0.05)
    with pytest.raises(WarehouseError, match=r"results\.rule_evaluations: was replaced again and again"):
        warehouse.read_slices("rule_evaluations", [ONE])
