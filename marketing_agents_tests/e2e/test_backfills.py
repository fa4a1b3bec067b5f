"""Backfills through the real daemon: every selected partition exactly once with its own outcome, none that was not selected.

One deployment with five advertisers; all backfills are launched together, because the daemon looks every 30 seconds. Two go through the whole
of `daily_analysis`, those of many single partitions through ingestion only: each run of dbt costs ten seconds whatever its size.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from marketing_agents.automation.run_tags import TRIGGER_TAG
from marketing_agents.cli.backfill_progress import GROUP_TAG, first_error
from marketing_agents.days import LocalDay
from marketing_agents.operations.backfill_cut import dagster_runs
from marketing_agents.sample.agency import write_agency
from marketing_agents.settings import PROJECT_DIR
from marketing_agents_tests.e2e.bad_tables import Tables
from marketing_agents_tests.e2e.deployment import BIN, Deployment
from marketing_agents_tests.e2e.small_agency import small_spec

KOWHAI, VIDYA, HARBOUR, LEDGER, PAUSED = "kowhai-outdoors", "vidya-path", "harbour-thread", "ledgerline", "sol-and-sage"
FOUR = (KOWHAI, VIDYA, HARBOUR, LEDGER)
EVERYBODY = (*FOUR, PAUSED)
TODAY = datetime.now(UTC).date()
LAST = TODAY - timedelta(days=2)  # over in every zone; the files end here
EMPTY = LocalDay(VIDYA, LAST)  # its facts cannot be read
UNFINISHED = LocalDay(LEDGER, TODAY)  # in New York the day that UTC calls today is never over
RAW = [dg.AssetKey(["raw", table]) for table in ("ad_performance_daily", "campaigns")]
FACTS, REPORT, FINDINGS = dg.AssetKey(["raw", "ad_performance_daily"]), dg.AssetKey(["daily_report"]), dg.AssetKey(["rules", "findings"])
LONGEST_S = 1800


def ago(days: int) -> date:
    return LAST - timedelta(days=days)


def keys(advertisers: tuple[str, ...], days: list[int]) -> list[str]:
    return [LocalDay(a, ago(n)).key for a in advertisers for n in days]


SELECTIONS = {
    "three advertisers, thirty days": keys(FOUR[:3], list(range(30))),
    "five scattered dates, four advertisers": keys(FOUR, [0, 3, 7, 11, 20]),
    "one date, all": keys(EVERYBODY, [0]),
    "twenty scattered keys": random.Random(20).sample(keys(FOUR, list(range(12))), 20),
    "a chunk with a day that is not over": [*keys((LEDGER,), [1, 0]), LocalDay(LEDGER, LAST + timedelta(days=1)).key, UNFINISHED.key],
}
ON_THE_PAGE_OF_THE_JOB = keys((KOWHAI, HARBOUR), [21, 22, 23])
WHOLE = "three advertisers, thirty days"  # launched by the command, the others as the UI does
SHALLOW = ("five scattered dates, four advertisers", "twenty scattered keys")


@dataclass
class Ran:
    """What a backfill left in the instance. `events`: metadata by (asset, partition), one entry per materialization."""

    status: str
    runs: list[dg.DagsterRun]
    events: dict[tuple[dg.AssetKey, str], list[dict[str, Any]]]
    asked: list[dg.AssetKey]

    def metadata(self, asset: dg.AssetKey, key: str) -> dict[str, Any]:
        [found] = self.events[asset, key]
        return found


@dataclass
class Done:
    """The deployment after all backfills ended. `command`: exit code, standard output and error of the command; `of_job`: id of the backfill that
    started as on the page of the job."""

    deployment: Deployment
    ran: dict[str, Ran]
    of_job: str
    command: tuple[int, str, str]


def command(deployment: Deployment, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(BIN / "marketing-agents"), *arguments],
        env=deployment.environment,
        cwd=PROJECT_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Iterator[Done]:
    folder = tmp_path_factory.mktemp("backfills")
    write_agency(folder / "sample", small_spec(*EVERYBODY, end=LAST, anchor=LAST, days=45))
    tables = Tables(folder / "sample" / "input", folder / "input")
    tables.set_one("ad_performance_daily", "spend", Decimal(-1), advertiser_id=EMPTY.advertiser_id, date=EMPTY.day)
    # On a busy machine a worker may need minutes to start; that is not what these tests are about.
    patience = {"run_monitoring": {"start_timeout_seconds": LONGEST_S}}
    deployment = Deployment(folder, folder / "input", registry_with_a_pause(folder), config=patience)
    asked: subprocess.Popen[str] | None = None
    try:
        deployment.start()
        first, last = ago(29).isoformat(), ago(0).isoformat()
        asked = command(deployment, "backfill", "--advertisers", ",".join(FOUR[:3]), "--from", first, "--to", last, "--yes", "--json")
        launched = {
            name: deployment.launch_backfill(chosen, assets=RAW if name in SHALLOW else None, title=name)
            for name, chosen in SELECTIONS.items()
            if name != WHOLE
        }
        of_job = deployment.launch_backfill(ON_THE_PAGE_OF_THE_JOB, assets=RAW, job="daily_analysis")
        out, err = asked.communicate(timeout=LONGEST_S)
        if asked.returncode == 0 or asked.returncode == 1:
            launched[WHOLE] = json.loads(out)["backfills"][0]
        for backfill_id in (*launched.values(), of_job):
            deployment.wait_backfill(backfill_id, LONGEST_S)
        ran = {name: look(deployment, backfill_id, name) for name, backfill_id in launched.items()}
        yield Done(deployment, ran, of_job, (asked.returncode, out, err))
    finally:
        if asked is not None and asked.poll() is None:
            asked.kill()
        deployment.stop()


def registry_with_a_pause(folder: Path) -> Path:
    path = folder / "sample" / "advertisers.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.strip() == f"- id: {PAUSED}")
    lines.insert(at + 1, lines[at].replace(f"- id: {PAUSED}", "  paused: true"))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def look(deployment: Deployment, backfill_id: str, name: str) -> Ran:
    runs = deployment.backfill_runs(backfill_id)
    events: dict[tuple[dg.AssetKey, str], list[dict[str, Any]]] = {}
    for run in runs:
        for entry in deployment.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
            found = entry.asset_materialization
            assert found is not None
            values = {k: v.value for k, v in found.metadata.items()}
            events.setdefault((found.asset_key, str(found.partition)), []).append(values)
    return Ran(deployment.backfill_status(backfill_id), runs, events, RAW if name in SHALLOW else deployment.daily_assets())


@pytest.mark.parametrize("name", SELECTIONS)
def test_every_selected_partition_is_materialized_exactly_once_and_no_other(done, name):
    ran = done.ran[name]
    assert ran.status == "COMPLETED_SUCCESS"
    assert {r.status for r in ran.runs} == {dg.DagsterRunStatus.SUCCESS}
    once = Counter({(asset, key): 1 for asset in ran.asked for key in SELECTIONS[name]})
    assert Counter({of: len(found) for of, found in ran.events.items()}) == once


@pytest.mark.parametrize("name", SELECTIONS)
def test_dagster_makes_the_runs_that_the_plan_told(done, name):
    order = done.deployment.instance.get_dynamic_partitions("advertisers")
    chosen = [LocalDay(key.split("|")[0], date.fromisoformat(key.split("|")[1])) for key in SELECTIONS[name]]
    assert len(done.ran[name].runs) == len(dagster_runs(chosen, order, 30))


@pytest.mark.parametrize("name", SELECTIONS)
def test_every_partition_carries_its_own_outcome_and_row_count(done, name):
    """The row count in the metadata is the number of rows that the warehouse holds of that partition, not that of the chunk."""
    ran = done.ran[name]
    counts = Counter()
    for key in SELECTIONS[name]:
        advertiser, _, day = key.rpartition("|")
        told = ran.metadata(FACTS, key)
        stored = [
            e.rows for e in done.deployment.warehouse.ingestion_log([advertiser], tables=["ad_performance_daily"]) if str(e.date) == day
        ]
        if told["status"] in {"ok", "degraded"}:
            assert told["dagster/partition_row_count"] in stored, key
        else:
            assert told["dagster/partition_row_count"] == 0, key
            assert told["reason"]
        counts[told["dagster/partition_row_count"]] += 1
    assert len(counts) > 1


def expected_status(key: str) -> str:
    if key.startswith(f"{PAUSED}|"):
        return "paused"
    if key == EMPTY.key:
        return "failed"
    return "refused" if key == UNFINISHED.key else "ok"


@pytest.mark.parametrize("name", [n for n in SELECTIONS if n not in SHALLOW])
def test_a_bad_partition_leaves_its_neighbours_whole(done, name):
    ran = done.ran[name]
    after = LocalDay(LEDGER, LAST + timedelta(days=1)).key  # over or not, the files hold nothing of it
    statuses = {key: ran.metadata(REPORT, key)["status"] for key in SELECTIONS[name] if key != after}
    assert statuses == {key: expected_status(key) for key in statuses}
    for key, status in statuses.items():
        assert ran.metadata(REPORT, key)["dagster/partition_row_count"] == (1 if status == "ok" else 0), key
    assert "ok" in statuses.values()
    assert len(set(statuses.values())) > 1


def test_a_partition_is_the_same_in_a_chunk_of_dates_and_in_a_chunk_of_advertisers(done):
    for advertiser in (KOWHAI, HARBOUR):
        key = LocalDay(advertiser, LAST).key
        counts = [done.ran[name].metadata(FINDINGS, key)["dagster/partition_row_count"] for name in (WHOLE, "one date, all")]
        assert counts[0] == counts[1]


def test_the_command_waits_and_tells_what_became_of_every_partition(done):
    code, out, err = done.command
    told = json.loads(out)
    assert code == 1, err
    assert (told["partitions"], told["runs"], told["estimate_s"]) == (90, [30, 30, 30], None)
    assert told["statuses"] == {"ok": 89, "failed": 1}
    [problem] = told["problems"]
    assert problem.startswith(f"{EMPTY.key}: failed: ")
    assert "spend" in problem
    tags = [run.tags for run in done.ran[WHOLE].runs]
    assert {(t[TRIGGER_TAG], t[GROUP_TAG]) for t in tags} == {("backfill", told["group"])}


def test_missing_only_on_a_finished_range_is_nothing_to_do(done):
    arguments = ["--advertisers", f"{KOWHAI},{HARBOUR}", "--from", str(ago(29)), "--to", str(LAST), "--missing-only", "--yes"]
    process = command(done.deployment, "backfill", *arguments)
    out, err = process.communicate(timeout=LONGEST_S)
    assert (process.returncode, out) == (0, "")
    assert "nothing to do: all 60 partitions have a result" in " ".join(err.split())


def test_missing_only_computes_what_is_missing_and_frozen_reaches_the_runs(done):
    """Ledgerline has reports of two days only; its stored versions are those of the scattered dates."""
    before = set(done.deployment.instance.get_run_ids())
    arguments = ["--advertisers", f"{LEDGER},{HARBOUR}", "--from", str(ago(3)), "--to", str(LAST), "--missing-only", "--frozen", "--yes"]
    process = command(done.deployment, "backfill", *arguments)
    _, err = process.communicate(timeout=LONGEST_S)
    shown = " ".join(err.split())
    assert process.returncode in {0, 1}, err
    assert "already done: 6 partitions" in shown
    assert "backfill: ledgerline" in shown
    assert "earlier runs" in shown
    runs = [done.deployment.instance.get_run_by_id(r) for r in set(done.deployment.instance.get_run_ids()) - before]
    assert [run.run_config["ops"]["ingest"]["config"]["ingest"] for run in runs] == ["frozen"]
    [run] = runs
    asked = [LocalDay(LEDGER, ago(n)).key for n in (3, 2)]
    events = done.deployment.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    assert Counter(str(e.asset_materialization.partition) for e in events if e.asset_materialization.asset_key == REPORT) == Counter(asked)


def test_a_backfill_from_the_page_of_the_job_is_refused_loudly(done):
    """Dagster shows each of its runs the first partition of all (see operations/job_page.py): better no result than one for six."""
    runs = done.deployment.backfill_runs(done.of_job)
    assert len(runs) == 2
    assert {run.status for run in runs} == {dg.DagsterRunStatus.FAILURE}
    for run in runs:
        assert "Start the backfill from Assets" in first_error(done.deployment.instance, run.run_id)
        assert not done.deployment.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    assert done.deployment.backfill_status(done.of_job) == "COMPLETED_FAILED"


def dg_launch(deployment: Deployment, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "dg"), "launch", *arguments],
        env={**deployment.environment, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def test_dg_launch_computes_one_partition(done):
    day = LocalDay(LEDGER, ago(5))
    process = dg_launch(done.deployment, "--job", "daily_analysis", "--partition", day.key)
    assert process.returncode == 0, process.stderr[-3000:]
    assert done.deployment.state.statuses("daily_report", [day])[day].status == "ok"


def test_dg_launch_computes_chosen_assets_of_one_partition(done):
    day = LocalDay(LEDGER, ago(6))
    process = dg_launch(done.deployment, "--assets", "raw/campaigns,raw/ad_performance_daily", "--partition", day.key)
    assert process.returncode == 0, process.stderr[-3000:]
    assert done.deployment.state.statuses("ingestion", [day])[day].is_usable
    assert done.deployment.state.statuses("daily_report", [day]) == {}


def test_dg_launch_of_a_range_is_refused_by_dagster_and_starts_nothing(done):
    """It runs a range in one run of its own process, which Dagster allows for assets without a chunk size only."""
    before = done.deployment.instance.get_runs_count()
    day_range = f"{LocalDay(LEDGER, ago(8)).key}...{LocalDay(LEDGER, ago(7)).key}"
    process = dg_launch(done.deployment, "--job", "daily_analysis", "--partition-range", day_range)
    assert process.returncode != 0
    assert "BackfillPolicy.single_run()" in process.stderr + process.stdout
    assert done.deployment.instance.get_runs_count() == before
