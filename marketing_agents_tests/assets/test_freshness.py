"""The asset `advertiser_freshness` in Dagster: table, chart, figures and check, hourly, at the time it was scheduled for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
import yaml

from marketing_agents.assets.freshness import FRESHNESS_KEY, SCHEDULED_FOR_TAG, build_freshness_asset
from marketing_agents.automation.freshness_schedule import build_freshness_job, build_freshness_schedule
from marketing_agents.definitions import build_definitions
from marketing_agents.resources.platform import RegistryFile
from marketing_agents.settings import Settings
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 12, 50, tzinfo=UTC)


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def materialize(tmp_path, instance):
    """Runs the job `freshness` for a world of {advertiser: days since its last report}: (metadata, check evaluation)."""
    state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    path = tmp_path / "advertisers.yaml"
    definitions = dg.Definitions(
        assets=[build_freshness_asset()],
        jobs=[build_freshness_job()],
        resources={
            n: dg.ResourceDefinition(resource_fn=lambda _, t=t: t) for n, t in {"registry": RegistryFile(path), "state": state}.items()
        },
    )

    def run(world: dict[str, int], *, paused: tuple[str, ...] = (), scheduled_for: datetime | None = NOW, why: str = ""):
        path.write_text(
            yaml.safe_dump({"advertisers": [{"id": a, "name": a, "time_zone": "Europe/London"} for a in [*world, *paused]]}),
            encoding="utf-8",
        )
        done = [PartitionStatus("daily_report", a, DAY - timedelta(days=n), "ok") for a, n in world.items()]
        failed = [PartitionStatus("ingestion", a, DAY - timedelta(days=n - 1), "failed", why) for a, n in world.items() if n and why]
        state.record_status([*done, *failed], run_id="run-0001", at=NOW)
        for advertiser_id in paused:
            KillSwitch(state).pause(advertiser_id, who="jo", why="outage", at=NOW)
        result = definitions.resolve_job_def("freshness").execute_in_process(
            instance=instance, tags={SCHEDULED_FOR_TAG: scheduled_for.isoformat()} if scheduled_for else {}
        )
        [event] = result.get_asset_materialization_events()
        [check] = result.get_asset_check_evaluations()
        return {k: v.value for k, v in event.materialization.metadata.items()}, check

    yield run
    state.close()


def test_figures_table_and_chart_are_on_the_materialization(materialize):
    shown, _ = materialize({"fine": 0, "late": 1, "lost": 5}, paused=("held",))
    assert {k: shown[k] for k in ("behind", "paused", "new", "total", "most_days_behind", "dagster/row_count")} == {
        "behind": 2,
        "paused": 1,
        "new": 0,
        "total": 4,
        "most_days_behind": 5,
        "dagster/row_count": 4,
    }
    rows = shown["advertisers"].splitlines()
    assert rows[0].startswith("| advertiser | zone | state | last day done | due | behind | since | why |")
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows[2:]] == ["lost", "late", "held", "fine"]
    assert shown["chart"].startswith("![days behind](data:image/png;base64,iVBOR")
    assert shown["at"] == NOW.timestamp()


def test_nobody_behind_has_no_chart(materialize):
    shown, check = materialize({"fine": 0})
    assert "chart" not in shown
    assert check.passed
    assert check.description == "Nobody is behind."


@pytest.mark.parametrize(
    ("world", "paused", "passed", "severity"),
    [
        ({"fine": 0}, ("held",), True, dg.AssetCheckSeverity.WARN),
        ({"fine": 0, "late": 1}, (), False, dg.AssetCheckSeverity.WARN),
        ({"fine": 0, "late": 1, "lost": 2}, (), False, dg.AssetCheckSeverity.ERROR),
    ],
)
def test_one_day_behind_is_a_warning_and_more_an_error(materialize, world, paused, passed, severity):
    _, check = materialize(world, paused=paused)
    assert (check.check_name, check.asset_key, check.passed, check.severity) == ("advertisers_up_to_date", FRESHNESS_KEY, passed, severity)
    for advertiser_id, days in world.items():
        assert (f"{advertiser_id} ({days} d)" in check.description) == (days > 0)


def test_quoted_file_content_stays_text(materialize):
    shown, _ = materialize({"late": 1}, why="orders.csv: row 3: 'a | b ![x](http://evil.example/x.png)'")
    [row] = shown["advertisers"].splitlines()[2:]
    assert "orders.csv" in row
    assert row.replace("\\|", "").count("|") == shown["advertisers"].splitlines()[0].count("|")
    assert "](" not in row.replace("\\]", "")


def test_the_scheduled_time_counts_and_not_the_clock(materialize):
    assert materialize({"acme": 1}, scheduled_for=NOW)[0]["most_days_behind"] == 1
    assert materialize({"acme": 1}, scheduled_for=NOW + timedelta(days=3))[0]["most_days_behind"] == 4


def test_a_run_by_hand_looks_at_the_clock(materialize):
    before = datetime.now(UTC).timestamp()
    shown, _ = materialize({"acme": 1}, scheduled_for=None)
    assert before <= shown["at"] <= datetime.now(UTC).timestamp()


def test_every_hour_passes_its_scheduled_time_on(instance, tmp_path):
    schedule = build_freshness_schedule(Settings(data_dir=tmp_path), build_freshness_job())
    assert (schedule.name, schedule.job_name, schedule.cron_schedule) == ("freshness__hourly", "freshness", "50 * * * *")
    request = schedule(dg.build_schedule_context(instance=instance, scheduled_execution_time=NOW))
    assert request.tags == {SCHEDULED_FOR_TAG: NOW.isoformat()}


@pytest.mark.parametrize(
    ("setting", "status"), [("running", dg.DefaultScheduleStatus.RUNNING), ("stopped", dg.DefaultScheduleStatus.STOPPED)]
)
def test_the_schedule_starts_as_the_settings_say(tmp_path, setting, status):
    assert build_freshness_schedule(Settings(data_dir=tmp_path, schedules=setting), build_freshness_job()).default_status is status


def test_only_its_own_job_makes_the_asset(tmp_path, instance):
    definitions = build_definitions(Settings(data_dir=tmp_path, writer="template"))
    jobs = {
        name: definitions.resolve_job_def(name).asset_layer.executable_asset_keys
        for name in ("daily_analysis", "rules_refresh", "freshness")
    }
    assert {name for name, keys in jobs.items() if FRESHNESS_KEY in keys} == {"freshness"}
    assert jobs["freshness"] == {FRESHNESS_KEY}
