"""A backfill under the real daemon whose processes are killed with SIGKILL at 25 random moments, and restarted each time.

Given a small agency and a backfill in chunks of two, when run workers, the code server and the daemon are killed at seeded random moments,
then the backfill goes on to its end, and every slice equals that of a run which nobody disturbed: none half, none twice, none lost.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from marketing_agents.assets.report_page import STEP as LAST_STEP
from marketing_agents.days import LocalDay
from marketing_agents.sample.agency import write_agency
from marketing_agents.settings import Settings
from marketing_agents_tests.e2e.comparing import differences, stray_files
from marketing_agents_tests.e2e.deployment import ENDED, Deployment
from marketing_agents_tests.e2e.pipeline import ANCHOR, Pipeline
from marketing_agents_tests.e2e.small_agency import small_spec

SEED = int(os.environ.get("KILLS_SEED", "3"))
PATIENCE_S = 1800
ADVERTISERS = ("harbour-thread", "ledgerline", "sol-and-sage")
DAYS = [LocalDay(a, ANCHOR - timedelta(days=n)) for a in ADVERTISERS for n in range(6)]
# One backfill takes all the kills, so a run may be repeated as often as there are kills (production: once), and lost runs are looked for often.
CONFIG = {
    "concurrency": {"runs": {"max_concurrent_runs": 3}},
    "run_retries": {"max_retries": 25},
    "run_coordinator": {"config": {"dequeue_interval_seconds": 1, "user_code_failure_retry_delay": 3}},
    "run_monitoring": {"poll_interval_seconds": 5, "start_timeout_seconds": 90, "free_slots_after_run_end_seconds": 2},
}
GONE = "existed at storage-time, but no longer does"  # what the daemon prints when it looks at a backfill without its code server
LONG = 10_000_000
SHARES = {"worker": 11, "worker and code_server": 5, "code_server": 5, "daemon": 4}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agency")
    write_agency(folder, small_spec(*ADVERTISERS, days=30))
    return folder


@pytest.fixture
def deployment(tmp_path, source) -> Iterator[Deployment]:
    made = Deployment(tmp_path, source / "input", source / "advertisers.yaml", chunk_size=2, config=CONFIG)
    try:
        yield made.start()
    finally:
        made.stop()


def targets(chance: random.Random) -> list[str]:
    """What to kill, in random order."""
    deck = [target for target, share in SHARES.items() for _ in range(share)]
    chance.shuffle(deck)
    return deck


def kill(deployment: Deployment, target: str, chance: random.Random) -> bool:
    """Kill what the target says and start again what must run; False when there was no worker to kill."""
    if target.startswith("worker"):
        workers = sorted(deployment.run_workers())
        if not workers:
            return False
        chosen = chance.choice(workers)
        if "code_server" in target:
            deployment.kill("code_server")  # first, so that nobody is left to notice the worker's death
        is_killed = deployment.kill_run_worker(chosen) is not None
    else:
        deployment.kill(target)
        is_killed = True
    if "code_server" in target:
        deployment.start_code_server()
    if target == "daemon":
        deployment.start_daemon()
    return is_killed


def test_a_backfill_waits_for_a_code_server_that_is_gone(deployment):
    """What `DAEMON_ENVIRONMENT` is for: an iteration of the daemon that finds no code server does not end the backfill."""
    keys = [day.key for day in DAYS[:2]]
    backfill = deployment.launch_backfill(keys)
    deployment.wait_until(lambda: bool(deployment.run_workers()), "the first run", PATIENCE_S)
    looked = deployment.printed("daemon", LONG).count(GONE)
    # when
    deployment.kill("code_server")
    deployment.wait_until(
        lambda: deployment.printed("daemon", LONG).count(GONE) >= looked + 1, "the daemon to look for the assets", PATIENCE_S
    )
    deployment.start_code_server()
    # then
    assert deployment.wait_backfill(backfill, PATIENCE_S) == "COMPLETED_SUCCESS"
    assert {s.status for s in deployment.state.statuses(LAST_STEP, DAYS[:2]).values()} <= {"ok", "degraded"}


def test_a_backfill_survives_25_kills_and_ends_in_what_an_undisturbed_one_gives(deployment, source, tmp_path, instance):
    chance = random.Random(SEED)
    keys = [day.key for day in DAYS]
    backfill = deployment.launch_backfill(keys)
    deployment.wait_until(lambda: bool(deployment.run_workers()), "the first run", PATIENCE_S)
    # when
    limit = time.monotonic() + PATIENCE_S
    for target in targets(chance):
        is_killed = False
        while not is_killed:
            assert time.monotonic() < limit, target
            if deployment.backfill_status(backfill) in ENDED:  # before the last kill: the same days once more, which must change nothing
                assert deployment.backfill_status(backfill) == "COMPLETED_SUCCESS"
                backfill = deployment.launch_backfill(keys)
            time.sleep(chance.uniform(0.2, 5.0))
            is_killed = kill(deployment, target, chance)
    # then the backfill goes on to its end, by itself
    assert deployment.wait_backfill(backfill, PATIENCE_S) == "COMPLETED_SUCCESS"
    for asset in deployment.daily_assets():
        assert set(deployment.instance.get_materialized_partitions(asset)) == set(keys), asset
    assert {s.status for s in deployment.state.statuses(LAST_STEP, DAYS).values()} <= {"ok", "degraded"}
    # and holds what an undisturbed backfill gives
    alone = Pipeline(
        Settings(data_dir=tmp_path / "alone", source_dir=source / "input", advertisers=source / "advertisers.yaml", writer="template"),
        instance,
        None,
    )
    for advertiser_id in ADVERTISERS:
        (result,) = alone.run([day for day in DAYS if day.advertiser_id == advertiser_id])
        assert result.success
    assert differences(deployment.warehouse, alone.warehouse, DAYS) == []
    assert stray_files(deployment.data_dir) == []
    for step in ("ingestion", "marts", "findings", "recommendations", LAST_STEP):
        assert deployment.state.statuses(step, DAYS) == alone.state.statuses(step, DAYS), step
    # and no run is left over, and no slot
    assert not deployment.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]))
    deployment.wait_until(
        lambda: deployment.instance.event_log_storage.get_concurrency_info("warehouse").active_slot_count == 0, "free pool slots", 300
    )
