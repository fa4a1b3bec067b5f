"""`marketing-agents backfill` without a daemon: what it refuses, what it leaves out, and what it hands to Dagster."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from marketing_agents.automation.run_tags import TRIGGER_TAG
from marketing_agents.cli.app import main
from marketing_agents.cli.backfill_progress import GROUP_TAG, LATEST_HEARTBEAT_S, Launched, Seen, missing_daemons, problems
from marketing_agents.cli.graphql import literal
from marketing_agents.cli.run_history import past_runs
from marketing_agents.days import LocalDay
from marketing_agents.settings import PROJECT_DIR
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus

A, B = "harbour-thread", "ledgerline"
FIRST = date(2026, 3, 2)
TOMORROW = datetime.now(UTC).date() + timedelta(days=1)


@pytest.fixture
def state(tmp_path) -> StateStore:
    return StateStore(f"sqlite:///{tmp_path}/data/state.db")


@pytest.fixture
def home(tmp_path):
    """A DAGSTER_HOME in which no daemon ever ran."""
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(PROJECT_DIR / "dagster.yaml", folder)
    return folder


@pytest.fixture
def backfill(home, tmp_path, monkeypatch, capsys):
    """Runs `marketing-agents backfill <arguments>`; (exit code, standard output, standard error on one line)."""
    for name, value in {"DATA_DIR": str(tmp_path / "data"), "WRITER": "template", "BACKFILL_CHUNK_SIZE": "10"}.items():
        monkeypatch.setenv(f"MARKETING_AGENTS_{name}", value)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["marketing-agents", "backfill", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return int(ended.value.code or 0), shown.out, " ".join(shown.err.split())

    return run


def asked(advertisers: str = A, first: object = FIRST, last: object = FIRST, *more: str) -> list[str]:
    return ["--advertisers", advertisers, "--from", str(first), "--to", str(last), *more]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (asked("nobody-here"), "unknown advertiser 'nobody-here'"),
        (asked(" , "), "--advertisers names nobody"),
        (asked(A, "yesterday"), "--from 'yesterday' is not a date; write it as YYYY-MM-DD"),
        (asked(A, FIRST, "2026-02-30"), "--to '2026-02-30' is not a date"),
        (asked(A, FIRST, FIRST - timedelta(days=1)), "--to 2026-03-01 is before --from 2026-03-02"),
        (asked(A, "2025-10-31"), "before the first partition, 2025-11-01"),
        (asked(A, FIRST, FIRST, "--chunk", "11"), "MARKETING_AGENTS_BACKFILL_CHUNK_SIZE=11"),
        (asked(A, FIRST, FIRST, "--chunk", "0"), "a run holds at least one partition"),
    ],
)
def test_a_wrong_argument_is_one_message(backfill, arguments, message):
    code, out, err = backfill(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_without_a_daemon_nothing_is_launched_and_the_next_step_is_told(backfill, home):
    code, _, err = backfill(*asked(A, FIRST, FIRST, "--yes"))
    assert code == 2
    assert "no Dagster daemon works on the instance" in err
    assert "make dev" in err
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_backfills() == []


def test_a_range_in_the_future_is_nothing_to_do_and_says_why(backfill):
    code, out, err = backfill(*asked(A, TOMORROW, TOMORROW + timedelta(days=2)))
    assert (code, out) == (0, "")
    assert "(3 days): not over yet in Europe/London" in err
    assert "nothing to do" in err


def test_a_finished_range_is_nothing_to_do_and_opens_no_instance(backfill, state, home):
    days = [LocalDay(A, FIRST), LocalDay(A, FIRST + timedelta(days=1))]
    statuses = ("ok", "degraded")
    state.record_status([PartitionStatus("daily_report", *day, status) for day, status in zip(days, statuses, strict=True)], run_id="r")
    code, out, err = backfill(*asked(A, FIRST, days[-1].day, "--missing-only"))
    assert (code, out, err) == (0, "", "nothing to do: all 2 partitions have a result")
    assert [path.name for path in home.iterdir()] == ["dagster.yaml"]


def test_paused_advertisers_are_left_out_with_who_and_why(backfill, state):
    KillSwitch(state).pause(A, who="kim", why="fraud")
    code, out, _ = backfill(*asked(A, FIRST, FIRST, "--json"))
    assert code == 0
    [left_out] = json.loads(out)["left_out"]
    assert left_out == {"advertiser_id": A, "first": str(FIRST), "last": str(FIRST), "reason": "paused by kim: fraud"}


def test_queued_for_later_it_is_exactly_the_wanted_partitions_cut_as_told(backfill, home, state):
    """Two advertisers, eight days, one of them done, no run of more than three partitions."""
    done = LocalDay(A, FIRST + timedelta(days=4))
    failed = LocalDay(B, FIRST)
    state.record_status([PartitionStatus("daily_report", *done, "ok"), PartitionStatus("daily_report", *failed, "failed", "x")], run_id="r")
    last = FIRST + timedelta(days=7)
    code, out, err = backfill(*asked(f"{A},{B}", FIRST, last, "--missing-only", "--frozen", "--chunk", "3", "--no-wait", "--json"))
    assert code == 0, err
    assert "no Dagster daemon works on the instance" in err
    told = json.loads(out)
    assert (told["partitions"], told["finished"], told["estimate_s"], told["model_calls_at_most"]) == (15, 1, None, 0)
    assert max(told["runs"]) == 3
    wanted = {LocalDay(a, FIRST + timedelta(days=n)).key for a in (A, B) for n in range(8)} - {done.key}
    with dg.DagsterInstance.from_config(str(home)) as instance:
        launched = {backfill.backfill_id: backfill for backfill in instance.get_backfills()}
        advertisers = instance.get_dynamic_partitions("advertisers")
    assert set(launched) == set(told["backfills"])
    assert {A, B} < set(advertisers)
    handed: list[str] = []
    for found in launched.values():
        assert {found.tags[TRIGGER_TAG], found.tags[GROUP_TAG]} == {"backfill", told["group"]}
        assert found.run_config == {"ops": {"ingest": {"config": {"ingest": "frozen"}}}}
        by_asset = found.asset_backfill_data.target_subset.partitions_subsets_by_asset_key
        subsets = {tuple(sorted(subset.get_partition_keys())) for subset in by_asset.values()}
        assert len(by_asset) > 30
        assert len(subsets) == 1
        handed += subsets.pop()
    assert sorted(handed) == sorted(wanted)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": ["x", 'quo"te'], "b": {"c": 1}}, '{a: ["x", "quo\\"te"], b: {c: 1}}'),
        ({"yes": True, "nothing": None, "umlaut": "ü"}, '{yes: true, nothing: null, umlaut: "\\u00fc"}'),
    ],
)
def test_values_as_graphql_writes_them(value, written):
    assert literal(value) == written


def test_a_field_that_graphql_cannot_write_is_refused():
    with pytest.raises(ValueError, match="not a GraphQL name"):
        literal({"dagster/backfill": "x"})


def test_history_counts_whole_runs_only(state):
    """A run of the report alone, and one that passed over all it was given, say nothing of what a partition costs."""

    def record(run_id: str, steps: tuple[str, ...], status, days: range) -> None:
        for step in steps:
            state.record_status([PartitionStatus(step, A, FIRST + timedelta(days=n), status) for n in days], run_id=run_id)

    with dg.DagsterInstance.ephemeral() as instance:
        runs = [empty_job.execute_in_process(instance=instance).run_id for _ in range(4)]
        record(runs[0], ("ingestion", "daily_report"), "ok", range(5))
        record(runs[1], ("daily_report",), "ok", range(5, 9))
        record(runs[2], ("ingestion", "daily_report"), "paused", range(9, 12))
        found = past_runs(instance, state)
    assert [run.partitions for run in found] == [5]
    assert found[0].seconds >= 0


@dg.op
def nothing() -> None: ...


@dg.job
def empty_job() -> None:
    nothing()


def test_a_daemon_that_wrote_no_heartbeat_lately_is_missing(home):
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert missing_daemons(instance, datetime.now(UTC)) == ["BACKFILL", "QUEUED_RUN_COORDINATOR"]
    assert LATEST_HEARTBEAT_S < 1800  # what `dagster-daemon liveness-check` allows


def test_every_partition_without_a_usable_result_is_a_problem():
    days = tuple(LocalDay(A, FIRST + timedelta(days=n)) for n in range(4))
    outcomes = {
        day: PartitionStatus("daily_report", *day, s, r)
        for day, s, r in zip(days[:3], ("ok", "degraded", "failed"), ("", "x", "bad file"), strict=True)
    }
    launched = Launched("g", ("b",), days, datetime.now(UTC))
    seen = Seen(outcomes, waiting=0, working=0, states={"b": "COMPLETED_FAILED"})
    assert [line.partition(": ")[0] for line in problems(launched, seen)] == [days[2].key, days[3].key]
    assert problems(launched, seen)[0].endswith("failed: bad file")
