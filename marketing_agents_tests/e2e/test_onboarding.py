"""An advertiser comes and goes while everything runs: registry file, sensor, real daemon, run workers. Nothing is restarted."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from marketing_agents.automation.run_tags import ONBOARDING_PRIORITY, PRIORITY_TAG
from marketing_agents.days import LocalDay
from marketing_agents.sample.agency import write_agency
from marketing_agents.settings import PROJECT_DIR
from marketing_agents.state.onboardings import Onboarding, Onboardings
from marketing_agents_tests.e2e.deployment import BIN, Deployment
from marketing_agents_tests.e2e.small_agency import small_spec

NEW, OLD = "harbour-thread", "vidya-path"
REPORT = dg.AssetKey(["daily_report"])


def afternoon_zone(now: datetime) -> str:
    """A zone where yesterday is over and its morning too, whatever the time of the test."""
    zones = ("Pacific/Kiritimati", "Asia/Kolkata", "Europe/London", "America/Los_Angeles")
    return next(zone for zone in zones if 13 <= now.astimezone(ZoneInfo(zone)).hour < 22)


@pytest.fixture
def deployment(tmp_path):
    now = datetime.now(UTC)
    write_agency(tmp_path / "sample", small_spec(NEW, OLD, end=now.date(), anchor=now.date(), days=45))
    registry = tmp_path / "old.yaml"
    registry.write_text(f"advertisers:\n  - id: {OLD}\n    name: Vidya\n    time_zone: Asia/Kolkata\n", encoding="utf-8")
    deployment = Deployment(
        tmp_path / "deployment", tmp_path / "sample" / "input", registry, environment={"MARKETING_AGENTS_ONBOARDING_DAYS": "2"}
    )
    Onboardings(deployment.state).record([Onboarding(OLD, None, None, "was here before")])
    deployment.start_code_server()
    deployment.start_daemon()
    yield deployment
    deployment.stop()


def advertisers(deployment: Deployment, *arguments: str) -> str:
    command = [str(BIN / "marketing-agents"), "advertisers", *arguments]
    done = subprocess.run(command, env=deployment.environment, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_advertiser_comes_and_goes_without_a_restart(deployment):
    instance = deployment.instance
    zone = afternoon_zone(datetime.now(UTC))
    last = datetime.now(ZoneInfo(zone)).date() - timedelta(days=1)
    # when an advertiser is added to the file
    advertisers(deployment, "add", NEW, "--name", "Harbour", "--time-zone", zone, "--currency", "GBP")
    # then it becomes a partition, and its last two days are run by one run of low priority
    deployment.wait_until(lambda: NEW in instance.get_dynamic_partitions("advertisers"), "the new partition")
    deployment.wait_until(lambda: any(r.is_finished for r in instance.get_runs()), "its history", timeout_s=900, every_s=1)
    [run] = instance.get_runs()
    assert run.is_success
    assert run.tags[PRIORITY_TAG] == ONBOARDING_PRIORITY
    wanted = [LocalDay(NEW, last - timedelta(days=1)), LocalDay(NEW, last)]
    assert set(instance.get_materialized_partitions(REPORT)) == {day.key for day in wanted}
    assert set(deployment.state.statuses("daily_report", wanted)) == set(wanted)
    # and that is on record, and not asked for again
    deployment.wait_until(lambda: NEW in Onboardings(deployment.state).read(), "the record")
    assert Onboardings(deployment.state).read()[NEW] == Onboarding(NEW, wanted[0].day, last, "requested in 1 run")
    # when it is removed, its partition goes and its data stays
    said = advertisers(deployment, "remove", NEW, "--yes")
    assert "No data is deleted" in said
    deployment.wait_until(lambda: list(instance.get_dynamic_partitions("advertisers")) == [OLD], "the partition to go")
    assert set(deployment.state.statuses("daily_report", wanted)) == set(wanted)
    assert (deployment.data_dir / "reports" / NEW / f"{last}.html").exists()
    assert len(instance.get_runs()) == 1
