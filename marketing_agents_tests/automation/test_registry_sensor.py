"""The sensor `advertiser_registry`: partitions equal the registry, nothing is deleted by mistake, new advertisers get their history once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from marketing_agents.advertisers.registry import RegistryError
from marketing_agents.automation.registry_sensor import build_registry_sensor
from marketing_agents.automation.run_tags import ADVERTISER_TAG, ONBOARDING_PRIORITY, PRIORITY_TAG, TRIGGER_TAG
from marketing_agents.days import LocalDay
from marketing_agents.partitions import ADVERTISER, ADVERTISER_DATE, chunked, partition_key
from marketing_agents.resources.platform import RegistryFile
from marketing_agents.settings import Settings
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.onboardings import Onboarding, Onboardings
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dg.asset(partitions_def=ADVERTISER_DATE, backfill_policy=chunked(30))
def anything() -> None: ...


JOB = dg.define_asset_job("daily_analysis", selection=[anything], partitions_def=ADVERTISER_DATE)


class World:
    """A registry file, a state store and an instance; `tick` evaluates the sensor and does with the result what the daemon does."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.registry = folder / "advertisers.yaml"
        self.settings = Settings(data_dir=folder / "data", advertisers=self.registry, **{"backfill_chunk_size": 6, **settings})
        self.state = StateStore(self.settings.resolved_state_url)
        self.instance = dg.DagsterInstance.ephemeral()
        self.now = NOW
        self.definitions = dg.Definitions(assets=[anything], jobs=[JOB], sensors=[build_registry_sensor(JOB, now=lambda: self.now)])

    def write(self, *entries: dict[str, object] | str) -> None:
        listed = [{"id": e} if isinstance(e, str) else e for e in entries]
        self.registry.write_text(yaml.safe_dump({"advertisers": [{"name": e["id"], "time_zone": "Europe/London", **e} for e in listed]}))

    def evaluate(self) -> object:
        resources = {"registry": RegistryFile(self.registry), "state": self.state, "settings": self.settings}
        context = dg.build_sensor_context(instance=self.instance, resources=resources, definitions=self.definitions)
        return self.definitions.resolve_sensor_def("advertiser_registry").evaluate_tick(context)

    def tick(self, *, runs: int | None = None) -> list[tuple[str, str]]:
        """Ranges that the tick asked for; `runs`: how many of its runs come to be before the daemon dies."""
        answer = self.evaluate()
        for change in answer.dynamic_partitions_requests:
            for key in change.partition_keys:
                if isinstance(change, dg.AddDynamicPartitionsRequest):
                    self.instance.add_dynamic_partitions(ADVERTISER.name, [key])
                else:
                    self.instance.delete_dynamic_partition(ADVERTISER.name, key)
        self.skipped = answer.skip_message or ""
        self.requests = list(answer.run_requests)
        for request in self.requests[:runs]:
            result = self.definitions.resolve_job_def("daily_analysis").execute_in_process(
                instance=self.instance, tags=dict(request.tags), run_config=dict(request.run_config)
            )
            assert result.success
        return [(request.tags[RANGE[0]], request.tags[RANGE[1]]) for request in self.requests]

    @property
    def partitions(self) -> list[str]:
        return sorted(self.instance.get_dynamic_partitions(ADVERTISER.name))

    @property
    def materialized(self) -> set[str]:
        return set(self.instance.get_materialized_partitions(anything.key))

    @property
    def onboarded(self) -> dict[str, Onboarding]:
        return Onboardings(self.state).read()


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.state.close()
    world.instance.dispose()


def keys(advertiser: str, first: str, count: int) -> set[str]:
    return {str(partition_key(advertiser, date.fromisoformat(first) + timedelta(days=n))) for n in range(count)}


# Partitions


def test_partitions_are_made_equal_to_the_registry(world):
    world.instance.add_dynamic_partitions(ADVERTISER.name, ["b", "gone"])
    world.write("a", "b")
    world.tick(runs=0)
    assert world.partitions == ["a", "b"]


def test_the_answer_to_a_change_names_what_changed_and_that_data_stays(world):
    Onboardings(world.state).record([Onboarding(a, None, None, "") for a in ("a", "b", "gone")])
    world.instance.add_dynamic_partitions(ADVERTISER.name, ["b", "gone"])
    world.write("a", "b")
    world.tick()
    assert world.skipped == "added a; removed gone (data stays)"
    world.tick()
    assert world.skipped == "partitions and registry agree"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("advertisers: [{id: 'a|b', name: x, time_zone: UTC}]", "is not a slug"),
        ("advertisers: [", "not valid YAML"),
        ("nothing: here", "expected a mapping"),
        (None, "no such registry file"),
    ],
)
def test_a_broken_registry_fails_the_tick_with_its_message_and_changes_nothing(world, text, message):
    world.instance.add_dynamic_partitions(ADVERTISER.name, ["a"])
    if text is not None:
        world.registry.write_text(text)
    with pytest.raises(RegistryError, match=message):
        world.evaluate()
    assert world.partitions == ["a"]


def test_an_empty_registry_deletes_nothing_and_says_so(world):
    world.instance.add_dynamic_partitions(ADVERTISER.name, ["a"])
    world.write()
    assert world.tick() == []
    assert world.skipped == f"{world.registry} lists nobody: taken for a mistake, nothing is removed"
    assert world.partitions == ["a"]


def test_the_sensor_runs_by_default_and_looks_every_half_minute(world):
    sensor = world.definitions.resolve_sensor_def("advertiser_registry")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 30


# Onboarding


def test_a_new_advertiser_gets_its_history_in_chunks_once(world):
    world.write("acme")
    # the first tick only registers: a run needs a partition that exists
    assert world.tick() == []
    # the second asks for the last 14 days in chunks of 6, below the mornings
    assert world.tick() == [
        ("acme|2026-11-06", "acme|2026-11-11"),
        ("acme|2026-11-12", "acme|2026-11-17"),
        ("acme|2026-11-18", "acme|2026-11-19"),
    ]
    tags = world.requests[0].tags
    assert {PRIORITY_TAG: ONBOARDING_PRIORITY, TRIGGER_TAG: "onboarding", ADVERTISER_TAG: "acme"}.items() <= tags.items()
    assert len({r.run_key for r in world.requests}) == 3
    assert world.materialized == keys("acme", "2026-11-06", 14)
    assert world.onboarded == {}
    # the third sees the runs, records them, and that was it
    assert world.tick() == []
    assert world.onboarded == {"acme": Onboarding("acme", date(2026, 11, 6), date(2026, 11, 19), "requested in 3 runs")}
    world.now += timedelta(days=5)
    assert world.tick() == []


def test_its_chunks_hold_no_day_of_its_neighbours(world):
    Onboardings(world.state).record([Onboarding(a, None, None, "") for a in ("aaa", "zzz")])
    world.write("aaa", "acme", "zzz")
    world.tick()
    world.tick()
    assert world.materialized == keys("acme", "2026-11-06", 14)


@pytest.mark.parametrize("survivors", [0, 1, 2])
def test_a_tick_that_dies_while_it_launches_loses_no_day_and_repeats_none(world, survivors):
    world.write("acme")
    world.tick()
    asked = world.tick(runs=survivors)
    before = world.materialized
    # the next tick comes hours later, on another local day
    world.now += timedelta(hours=20)
    again = world.tick()
    if survivors:
        assert again == asked[survivors:]
        assert world.materialized == keys("acme", "2026-11-06", 14)
    else:
        assert world.materialized == keys("acme", "2026-11-07", 14)
    assert before <= world.materialized
    world.tick()
    assert set(world.onboarded) == {"acme"}


def test_removed_and_added_again_it_is_not_onboarded_twice(world):
    world.write("acme", "other")
    for _ in range(4):
        world.tick()
    world.write("other")
    world.tick()
    assert world.partitions == ["other"]
    world.now += timedelta(days=30)
    world.write("acme", "other")
    world.tick()
    assert world.partitions == ["acme", "other"]
    assert [world.tick() for _ in range(3)] == [[], [], []]


@pytest.mark.parametrize("where", ["registry", "kill switch"])
def test_a_paused_advertiser_is_onboarded_when_it_is_resumed(world, where):
    switch = KillSwitch(world.state)
    world.write({"id": "acme", "paused": where == "registry"})
    if where == "kill switch":
        switch.pause("acme", who="ana", why="contract", at=world.now)
    world.tick()
    assert world.tick() == []
    assert "onboarding waits: acme until it is resumed (paused" in world.skipped
    assert world.onboarded == {}
    world.now += timedelta(days=10)
    world.write("acme")
    if where == "kill switch":
        switch.resume("acme", who="ana", why="signed", at=world.now)
    assert world.tick()[0] == ("acme|2026-11-16", "acme|2026-11-21")


def test_an_upgraded_deployment_starts_no_storm(world):
    ids = [f"a{n:03}" for n in range(40)]
    world.instance.add_dynamic_partitions(ADVERTISER.name, ids)
    outcomes = [PartitionStatus("findings", a, date(2026, 11, day), "degraded") for a in ids for day in (1, 2)]
    world.state.record_status(outcomes, run_id="r")
    world.write(*ids)
    assert world.tick() == []
    assert set(world.onboarded) == set(ids)
    assert {o.note for o in world.onboarded.values()} == {"has results since 2026-11-01; nothing was requested"}


def test_outcomes_that_are_no_results_do_not_count_as_history(world):
    world.write("acme")
    world.tick()
    world.state.record_status([PartitionStatus("ingest", "acme", date(2026, 11, 1), "paused", "x")], run_id="r")
    assert world.tick()


@pytest.mark.parametrize("days", [0, 3])
def test_the_number_of_days_is_a_setting(tmp_path, days):
    world = World(tmp_path, onboarding_days=days)
    world.write("acme")
    world.tick()
    world.tick()
    assert world.materialized == keys("acme", "2026-11-17", days)
    world.tick()
    assert set(world.onboarded) == {"acme"}


def test_many_new_advertisers_take_turns(tmp_path):
    world = World(tmp_path, onboarding_days=1)
    ids = [f"a{n}" for n in range(6)]
    world.write(*ids)
    world.tick()
    assert [len(world.tick()) for _ in range(3)] == [4, 2, 0]
    assert set(world.onboarded) == set(ids)
    assert world.materialized == {f"{a}|2026-11-19" for a in ids}


def test_a_tick_asks_the_same_few_questions_however_many_advertisers_there_are(world):
    def questions(count: int) -> int:
        ids = [f"q{n:03}" for n in range(count)]
        world.write(*ids)
        world.instance.add_dynamic_partitions(ADVERTISER.name, ids)
        asked: list[str] = []

        def listen(*event: object) -> None:
            asked.append(str(event[2]))

        import sqlalchemy as sa

        sa.event.listen(world.state.engine(), "before_cursor_execute", listen)
        world.evaluate()
        sa.event.remove(world.state.engine(), "before_cursor_execute", listen)
        return len(asked)

    assert questions(5) == questions(500)


def test_a_day_that_was_run_first_does_not_cost_the_history(world):
    world.write("acme")
    world.tick()
    world.state.record_status([PartitionStatus("daily_report", *LocalDay("acme", date(2026, 11, 19)), "ok")], run_id="r")
    assert world.tick()[0] == ("acme|2026-11-06", "acme|2026-11-11")


def test_the_sample_agency_starts_nothing_by_itself(world):
    world.write("acme")
    world.tick()
    world.settings = world.settings.model_copy(update={"advertisers": None})
    assert world.tick() == []
    assert world.onboarded == {}
