"""Kill, crowd and starve the writers: a reader sees the old slice or the new one, and both writers end with the same."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

import pyarrow as pa
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.warehouse.embedded.publishing import LOCK_NAME, writer_lock
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents.warehouse.store import WarehouseError
from marketing_agents_tests.warehouse.rows import DAY, NOW, evaluations, rates

ACME = LocalDay("acme", DAY)

HEADER = """
import sys
from datetime import timedelta
from pathlib import Path
import pyarrow as pa
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents.warehouse.store import SliceRows, WarehouseError
from marketing_agents_tests.warehouse.test_faults import ACME, wide
from marketing_agents_tests.warehouse.rows import DAY, NOW, before, evaluations, rates
warehouse = EmbeddedWarehouse(Path(sys.argv[1]))
"""


def wide(outcome: str, rows: int) -> pa.Table:
    """Many equal rows of one slice: half a file would show."""
    return pa.concat_tables([evaluations(ACME, outcome=outcome)] * rows)


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEADER + code, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_kill_9_in_a_loop_of_publishes_leaves_old_or_new(tmp_path):
    code = """
print("ready", flush=True)
n = 0
while True:
    outcome, rows = (("fired", 3000), ("clear", 2000))[n % 2]
    warehouse.replace_slices("rule_evaluations", wide(outcome, rows), [ACME])
    warehouse.write_version("fx_rates", ACME, DAY, rates(DAY, *["1", "2", "3"][: 1 + n % 3]), loaded_at=NOW + timedelta(seconds=n), is_backfilled=False)
    n += 1
"""
    warehouse = EmbeddedWarehouse(tmp_path)
    warehouse.replace_slices("rule_evaluations", wide("clear", 2000), [ACME])
    warehouse.write_version("fx_rates", ACME, DAY, rates(DAY, "1"), loaded_at=NOW, is_backfilled=False)
    for seed in range(3):
        process = python(code, tmp_path)
        assert process.stdout.readline() == "ready\n"
        end = time.monotonic() + 0.1 + random.Random(seed).random() * 0.3
        while True:
            outcomes = Counter(warehouse.read_slices("rule_evaluations", [ACME]).column("outcome").to_pylist())
            assert outcomes in (Counter(fired=3000), Counter(clear=2000))
            if time.monotonic() > end:
                break
        process.kill()
        process.communicate()
        outcomes = Counter(warehouse.read_slices("rule_evaluations", [ACME]).column("outcome").to_pylist())
        assert outcomes in (Counter(fired=3000), Counter(clear=2000))
        (entry,) = warehouse.ingestion_log(["acme"])
        assert warehouse.read_raw("fx_rates", "acme", DAY, DAY, known_on=DAY).num_rows == entry.rows
    # The lock of the killed writer does not outlive it.
    warehouse.write_version("fx_rates", ACME, DAY, rates(DAY, "9"), loaded_at=NOW + timedelta(days=1), is_backfilled=False)


def test_two_writers_of_the_same_first_versions_end_with_the_same(tmp_path):
    """Given two runs that fill the same look-back from a source that changed between them: the first wins, and both know it."""
    code = """
mine = sys.argv[2]
slices = [SliceRows(before(n), before(n), rates(before(n), mine), False, keep_existing=True) for n in range(40)]
sys.stdin.readline()
for result in warehouse.write_versions("fx_rates", "acme", slices, loaded_at=NOW + timedelta(microseconds=int(mine))):
    print(result.entry.date, result.entry.content_hash, result.is_new)
"""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", HEADER + code, str(tmp_path), mine], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for mine in ("1", "2")
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    answers = [[line.split() for line in writer.communicate()[0].splitlines()] for writer in writers]

    log = EmbeddedWarehouse(tmp_path).ingestion_log(["acme"])
    visible = sorted([str(entry.date), entry.content_hash] for entry in log)
    assert len(log) == 40
    assert [sorted([day, digest] for day, digest, _ in answer) for answer in answers] == [visible, visible]
    assert sum(is_new == "True" for answer in answers for _, _, is_new in answer) == 40
    assert len(list(tmp_path.rglob("*.parquet"))) == 40


def test_a_full_disk_is_an_error_that_names_the_slice_and_keeps_the_old_rows(tmp_path):
    warehouse = EmbeddedWarehouse(tmp_path)
    warehouse.replace_slices("rule_evaluations", wide("clear", 3), [ACME])
    warehouse.write_version("fx_rates", ACME, DAY, rates(DAY, "1"), loaded_at=NOW, is_backfilled=False)
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
for write in (
    lambda: warehouse.replace_slices("rule_evaluations", wide("fired", 3), [ACME]),
    lambda: warehouse.write_version("fx_rates", ACME, DAY, rates(DAY, "2"), loaded_at=NOW + timedelta(days=1), is_backfilled=False),
    lambda: warehouse.save_document("acme.html", b"x" * 1000),
):
    try:
        write()
    except WarehouseError as error:
        print(error)
"""
    out, err = python(code, tmp_path).communicate()
    lines = out.splitlines()

    assert len(lines) == 3, err
    assert lines[0].startswith("results.rule_evaluations acme|2026-11-20: cannot write")
    assert lines[1].startswith("raw.fx_rates acme|2026-11-20 as of 2026-11-20: cannot write")
    assert all("the stored slice is unchanged" in line and "run again" in line for line in lines)
    assert [p for p in tmp_path.rglob(".*") if p.name != LOCK_NAME] == []
    assert Counter(warehouse.read_slices("rule_evaluations", [ACME]).column("outcome").to_pylist()) == Counter(clear=3)
    assert warehouse.read_raw("fx_rates", "acme", DAY, DAY, known_on=DAY).num_rows == 1


def test_a_folder_that_cannot_be_made_is_an_error_with_the_next_step(tmp_path):
    (tmp_path / "warehouse").write_text("a file where a folder should be")
    with pytest.raises(WarehouseError, match=r"results\.rule_evaluations acme\|2026-11-20: cannot write .* run again"):
        EmbeddedWarehouse(tmp_path).replace_slices("rule_evaluations", evaluations(ACME), [ACME])
    with pytest.raises(WarehouseError, match=r"raw\.fx_rates of acme: cannot write"):
        EmbeddedWarehouse(tmp_path).write_version("fx_rates", ACME, DAY, rates(DAY, "1"), loaded_at=NOW, is_backfilled=False)


def test_a_lock_that_is_never_given_back_is_named(tmp_path):
    with (
        writer_lock(tmp_path, what="raw.fx_rates of acme"),
        pytest.raises(WarehouseError, match=r"raw\.fx_rates of acme: another process has held .*\.lock"),
        writer_lock(tmp_path, what="raw.fx_rates of acme", timeout_s=0.05),
    ):
        pass
