"""Schedules and sensor: the right day from the scheduled time, one bad advertiser never fails a tick, nothing is deleted by mistake."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml

from marketing_agents.advertisers.registry import RegistryError, load_registry
from marketing_agents.automation.registry_sensor import build_registry_sensor, partition_changes
from marketing_agents.automation.schedules import build_schedules, due_time, zone_slug
from marketing_agents.partitions import ADVERTISER, ADVERTISER_DATE


@dg.asset(partitions_def=ADVERTISER_DATE)
def anything() -> None: ...


JOB = dg.define_asset_job("daily_analysis", selection=[anything], partitions_def=ADVERTISER_DATE)


def write_registry(path, *entries):
    path.write_text(yaml.safe_dump({"advertisers": [{"name": e["id"], **e} for e in entries]}))
    return path


def tick(path, zone, local_time, registered):
    """Requests of the zone's schedule at a local time: (partition keys, result)."""
    schedule = next(s for s in build_schedules(load_registry(path), path, JOB) if s.name == f"daily_analysis__{zone_slug(zone)}")
    with dg.instance_for_test() as instance:
        instance.add_dynamic_partitions(ADVERTISER.name, registered)
        moment = datetime.fromisoformat(local_time).replace(tzinfo=ZoneInfo(zone))
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=moment)
        result = schedule(context)
    return [str(r.partition_key) for r in result] if isinstance(result, list) else result


@pytest.mark.parametrize(
    ("zone", "local_time", "key"),
    [
        ("Pacific/Kiritimati", "2026-11-21T06:00", "acme|2026-11-20"),
        ("Pacific/Auckland", "2026-11-21T06:00", "acme|2026-11-20"),
        ("Asia/Kolkata", "2026-11-21T06:00", "acme|2026-11-20"),
        ("America/Los_Angeles", "2026-11-21T06:00", "acme|2026-11-20"),
        ("Europe/London", "2026-03-29T06:00", "acme|2026-03-28"),  # the morning after clocks went forward
        ("America/New_York", "2026-11-01T06:00", "acme|2026-10-31"),  # and back
        ("Europe/London", "2027-01-01T06:00", "acme|2026-12-31"),
    ],
)
def test_a_morning_asks_for_the_local_yesterday(tmp_path, zone, local_time, key):
    path = write_registry(tmp_path / "r.yaml", {"id": "acme", "time_zone": zone})
    assert tick(path, zone, local_time, ["acme"]) == [key]


def test_there_is_one_schedule_per_zone_with_all_run_times(tmp_path):
    path = write_registry(
        tmp_path / "r.yaml",
        {"id": "a", "time_zone": "Europe/London"},
        {"id": "b", "time_zone": "Europe/London", "run_time_local": "07:30"},
        {"id": "c", "time_zone": "Asia/Kolkata"},
    )
    schedules = {s.name: s for s in build_schedules(load_registry(path), path, JOB)}
    assert set(schedules) == {"daily_analysis__europe_london", "daily_analysis__asia_kolkata"}
    assert schedules["daily_analysis__europe_london"].cron_schedule == ["0 6 * * *", "30 7 * * *"]
    assert schedules["daily_analysis__asia_kolkata"].execution_timezone == "Asia/Kolkata"


def test_advertisers_are_due_at_their_own_run_time_and_only_then(tmp_path):
    path = write_registry(
        tmp_path / "r.yaml", {"id": "a", "time_zone": "Europe/London"}, {"id": "b", "time_zone": "Europe/London", "run_time_local": "07:30"}
    )
    assert tick(path, "Europe/London", "2026-11-21T06:00", ["a", "b"]) == ["a|2026-11-20"]
    assert tick(path, "Europe/London", "2026-11-21T07:30", ["a", "b"]) == ["b|2026-11-20"]


def test_a_run_time_that_a_clock_change_skips_is_served_after_the_gap(tmp_path):
    path = write_registry(
        tmp_path / "r.yaml", {"id": "a", "time_zone": "Europe/London", "run_time_local": "01:30"}, {"id": "b", "time_zone": "Europe/London"}
    )
    assert tick(path, "Europe/London", "2026-03-29T02:00", ["a", "b"]) == ["a|2026-03-28"]


@pytest.mark.parametrize(("edited", "tick_at"), [("09:00", time(7, 30)), ("06:45", time(6, 0)), ("05:00", time(6, 0))])
def test_an_edited_run_time_without_a_tick_of_its_own_is_served_by_the_nearest_one(edited, tick_at):
    assert due_time(time.fromisoformat(edited), [time(6, 0), time(7, 30)]) == tick_at


@pytest.mark.parametrize(
    ("zone", "slug"),
    [("Etc/GMT+5", "etc_gmt_plus_5"), ("Etc/GMT-5", "etc_gmt_minus_5"), ("America/Port-au-Prince", "america_port_au_prince")],
)
def test_zones_have_names_of_their_own(zone, slug):
    assert zone_slug(zone) == slug


def test_an_unregistered_or_paused_advertiser_does_not_fail_the_tick_of_the_others(tmp_path):
    path = write_registry(
        tmp_path / "r.yaml",
        {"id": "a", "time_zone": "Europe/London"},
        {"id": "new", "time_zone": "Europe/London"},
        {"id": "held", "time_zone": "Europe/London", "paused": True},
    )
    assert tick(path, "Europe/London", "2026-11-21T06:00", ["a", "held"]) == ["a|2026-11-20"]


def test_nobody_due_is_a_skip_with_a_reason(tmp_path):
    path = write_registry(tmp_path / "r.yaml", {"id": "a", "time_zone": "Europe/London", "paused": True})
    result = tick(path, "Europe/London", "2026-11-21T06:00", ["a"])
    assert isinstance(result, dg.SkipReason)
    assert "no advertiser of Europe/London is due at 06:00" in (result.skip_message or "")


def test_the_sensor_makes_partitions_equal_to_the_registry(tmp_path):
    path = write_registry(tmp_path / "r.yaml", {"id": "a", "time_zone": "UTC"}, {"id": "b", "time_zone": "UTC"})
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(ADVERTISER.name, ["b", "gone"])
        result = build_registry_sensor(path)(dg.build_sensor_context(instance=instance))
        added, removed = result.dynamic_partitions_requests
        assert list(added.partition_keys) == ["a"]
        assert list(removed.partition_keys) == ["gone"]


@pytest.mark.parametrize("text", ["advertisers: [{id: 'a|b', name: x, time_zone: UTC}]", "advertisers: [", "nothing: here"])
def test_a_broken_registry_changes_nothing(tmp_path, text):
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(ADVERTISER.name, ["a"])
        with pytest.raises(RegistryError):
            partition_changes(path, instance)
        assert instance.get_dynamic_partitions(ADVERTISER.name) == ["a"]


def test_an_empty_registry_deletes_nothing(tmp_path):
    path = write_registry(tmp_path / "r.yaml")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(ADVERTISER.name, ["a"])
        assert partition_changes(path, instance) == []
