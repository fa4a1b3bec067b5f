"""A disk that fills up for real, page by page: wherever a write fails, the error says what and what to do, and the old rows stay."""

from __future__ import annotations

import pytest

from marketing_agents_tests.warehouse.small_disk import on_small_disk, unshare

pytestmark = pytest.mark.skipif(unshare() is None, reason="no mount namespace here; test_faults.py covers the same with a file size limit")


def test_slices_versions_and_documents_on_a_disk_that_fills_at_any_page(tmp_path):
    """The disk is left with 0, 1, 2 ... free pages until all three writes succeed."""
    code = """
from collections import Counter

warehouse.replace_slices("rule_evaluations", wide("clear", 20_000), [ACME])
warehouse.write_version("fx_rates", ACME, DAY, rates(DAY, "1"), loaded_at=NOW, is_backfilled=False)
warehouse.save_document("acme/day.html", b"old" * 9000)
writes = {
    "results": lambda n: warehouse.replace_slices("rule_evaluations", wide("fired", 20_000 + n), [ACME]),
    "raw": lambda n: warehouse.write_version("fx_rates", ACME, DAY, rates(DAY, "2", "3"), loaded_at=NOW + timedelta(days=1 + n), is_backfilled=False),
    "report": lambda n: warehouse.save_document("acme/day.html", b"new" * 9000),
    "first of a table": lambda n: warehouse.save_document(f"acme{n}/day.html", b"x" * 9000),
}
for name, write in writes.items():
    failures = 0
    for pages in range(60):
        leave(pages * 4096)
        before_write = sorted(p for p in disk.rglob("*") if p.is_file() and p.name != ".lock")
        try:
            write(pages)
        except WarehouseError as error:
            failures += 1
            text = str(error)
            assert leftovers() == [], (name, pages, leftovers())
            assert sorted(p for p in disk.rglob("*") if p.is_file() and p.name != ".lock") == before_write
            rows = Counter(warehouse.read_slices("rule_evaluations", [ACME]).column("outcome").to_pylist())
            assert set(rows) == ({"clear"} if name == "results" else {"fired"}), rows
            assert warehouse.read_raw("fx_rates", "acme", DAY, DAY, known_on=DAY).num_rows == (2 if name in ("report", "first of a table") else 1)
            if name == "report":
                assert (disk / "data/reports/acme/day.html").read_bytes() == b"old" * 9000
        else:
            break
    print(name, failures, text, sep="~")
"""
    lines = [line.split("~") for line in on_small_disk(tmp_path / "disk", "8m", code)]
    assert [name for name, *_ in lines] == ["results", "raw", "report", "first of a table"]
    for name, failures, text in lines:
        assert int(failures) >= 1, name
        assert text.endswith("the stored slice is unchanged; free disk space under MARKETING_AGENTS_DATA_DIR, then run again"), text
    assert lines[0][2].startswith("results.rule_evaluations acme|2026-11-20: cannot write")
    assert lines[1][2].startswith("raw.fx_rates acme|2026-11-20 as of 2026-11-20: cannot write")


def test_a_look_back_that_does_not_fit_keeps_what_was_written_and_goes_on_where_it_stopped(tmp_path):
    code = """
slices = [SliceRows(before(n), before(n), rates(before(n), str(n + 1)), False, keep_existing=True) for n in range(100)]
leave(40 * 4096)
try:
    warehouse.write_versions("fx_rates", "acme", slices, loaded_at=NOW)
except WarehouseError as error:
    print(error)
kept = warehouse.ingestion_log(["acme"])
assert leftovers() == []
assert all(warehouse.read_raw("fx_rates", "acme", e.date, e.date, known_on=DAY).num_rows == 1 for e in kept)
ballast.unlink()
written = warehouse.write_versions("fx_rates", "acme", slices, loaded_at=NOW)
print(len(kept), sum(w.is_new for w in written), len(warehouse.ingestion_log(["acme"])))
"""
    error, counts = on_small_disk(tmp_path / "disk", "4m", code)
    kept, new, total = map(int, counts.split())
    assert error.startswith("raw.fx_rates acme|")
    assert 0 < kept < 100
    assert (new, total) == (100 - kept, 100)


def test_a_private_database_that_does_not_fit_is_told_and_removed(tmp_path):
    code = """
warehouse.write_version("fx_rates", ACME, DAY, rates(DAY, "1"), loaded_at=NOW, is_backfilled=False)
failures = 0
for pages in range(0, 2000, 4):
    leave(pages * 4096)
    try:
        with warehouse.transform(REGISTRY, [ACME], run_id="run-1") as run:
            pass
    except WarehouseError as error:
        failures += 1
        print(error)
        assert not list(disk.glob("data/scratch/*")), list(disk.glob("data/scratch/*"))
    else:
        break
print(failures)
"""
    *errors, failures = on_small_disk(tmp_path / "disk", "12m", code)
    assert int(failures) == len(errors) >= 2
    for error in errors:
        assert "run-1" in error
        assert "free disk space under MARKETING_AGENTS_DATA_DIR, then run again" in error


def test_dbt_without_space_is_told_with_its_partitions_and_the_next_step(tmp_path):
    code = """
import shutil, subprocess
from marketing_agents.assets.dbt_build import DbtError, build
from marketing_agents.failures import is_transient
from marketing_agents.resources.platform import dbt_project_dir

warehouse.write_version("fx_rates", ACME, DAY, rates(DAY, "1"), loaded_at=NOW, is_backfilled=False)
try:
    with warehouse.transform(REGISTRY, [ACME], run_id="run-1") as run:
        leave(8 * 4096)
        build(dbt_project_dir(), run.dbt_environment, cache_dir=disk / "data" / "cache", what=f"marts of {ACME.key}")
except DbtError as error:
    print(str(error).splitlines()[0])
    print(str(error).splitlines()[-1])
    print(is_transient(error), list(disk.glob("data/scratch/*")), [p for p in disk.rglob("*.msgpack")])
"""
    first, last, rest = on_small_disk(tmp_path / "disk", "12m", code)[-3:]  # dbt prints before it
    assert first.startswith("marts of acme|2026-11-20: dbt ")
    assert last == "no published slice was changed; free disk space under MARKETING_AGENTS_DATA_DIR, then run again"
    assert rest == "False [] []"


def test_features_that_do_not_fit_leave_nothing_behind(tmp_path):
    code = """
import pyarrow as pa
from marketing_agents.warehouse.embedded.features import KeptFeatures
from marketing_agents.warehouse.embedded.layout import Layout

kept = KeptFeatures(Layout(disk / "data"))
rows = pa.table({"advertiser_id": ["acme"] * 2000, "date": [DAY] * 2000, "value": list(range(2000))})
leave(2 * 4096)
try:
    kept.keep("run-1", {"small": rows.slice(0, 1), "large": pa.concat_tables([rows] * 20)}, [ACME])
except WarehouseError as error:
    print(error)
print([p for p in disk.glob("data/scratch/run-1/*")], kept.read("run-1", [ACME]))
"""
    error, rest = on_small_disk(tmp_path / "disk", "2m", code)
    assert error.startswith("features of large (run run-1): cannot write")
    assert rest == "[] None"


def test_a_state_store_without_space_is_told_and_keeps_what_it_had(tmp_path):
    code = """
from marketing_agents.failures import is_transient
from marketing_agents.state.migrate import StateError
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus

def outcomes(status, days):
    return [PartitionStatus("findings", "acme", before(n), status, "x" * 300) for n in range(days)]

state = StateStore(f"sqlite:///{disk / 'state.db'}")
state.record_status(outcomes("ok", 1), run_id="one")
leave(0)
try:
    for n in range(50):
        state.record_status(outcomes("failed", 400), run_id="two")
except StateError as error:
    print(error)
    print(is_transient(error))
fresh = StateStore(f"sqlite:///{disk / 'state.db'}")
print(fresh.statuses("findings", [ACME])[ACME].status)
ballast.unlink()
fresh.record_status(outcomes("degraded", 400), run_id="three")
print(len(fresh.recorded("findings")), fresh.statuses("findings", [ACME])[ACME].status)
"""
    error, transient, old, new = on_small_disk(tmp_path / "disk", "4m", code)
    assert "cannot write partition_status of acme 2026-" in error
    assert error.endswith("what was stored before is unchanged; free disk space where it lies, then run again")
    assert (transient, old, new) == ("False", "ok", "400 degraded")
