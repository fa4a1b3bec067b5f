"""A repetition that the daemon could not start or overlooked is asked for again: a bounded number of times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from marketing_agents.automation.lost_retries import ASKED_AT_MOST, OVERLOOKED_AFTER, REFUSED, ask_again
from marketing_agents.settings import PROJECT_DIR

NOW = datetime.now(UTC)


@pytest.fixture
def instance(tmp_path):
    (tmp_path / "dagster.yaml").write_text((PROJECT_DIR / "dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as found:
        yield found


def lost(instance: dg.DagsterInstance) -> dg.DagsterRun:
    """A run that failed because its worker was lost."""

    @dg.asset
    def step() -> None:
        pass

    run = instance.create_run_for_job(dg.Definitions(assets=[step]).resolve_implicit_global_asset_job_def())
    instance.report_run_failed(run, "The run was lost.")
    return instance.get_run_by_id(run.run_id)


def refuse(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """What the daemon writes when it cannot start the repetition."""
    instance.report_engine_event(REFUSED, run)
    instance.add_run_tags(run.run_id, {"dagster/will_retry": "false"})


def will_retry(instance, run) -> str:
    return instance.get_run_by_id(run.run_id).tags["dagster/will_retry"]


def test_a_refused_repetition_is_asked_for_again_and_no_oftener_than_allowed(instance):
    run = lost(instance)
    assert will_retry(instance, run) == "true"
    assert ask_again(instance, NOW) == []  # the daemon has not looked yet
    for _ in range(ASKED_AT_MOST):
        refuse(instance, run)
        assert ask_again(instance, NOW) == [run.run_id]
        assert will_retry(instance, run) == "true"
        assert ask_again(instance, NOW) == []  # once per refusal
    refuse(instance, run)
    assert ask_again(instance, NOW) == []


def test_a_repetition_that_the_daemon_overlooked_is_asked_for_once_it_is_late(instance):
    run = lost(instance)
    late = datetime.now(UTC) + OVERLOOKED_AFTER + timedelta(seconds=1)
    assert ask_again(instance, late) == [run.run_id]
    assert ask_again(instance, late - timedelta(seconds=10)) == []  # the daemon has time again


@pytest.mark.parametrize(
    "answer", ["Retrying the run", "Not retrying run since it is part of a backfill that is in a terminal state (CANCELED)."]
)
def test_a_failure_that_the_daemon_answered_is_left_alone(instance, answer):
    run = lost(instance)
    instance.report_engine_event(answer, run)
    assert ask_again(instance, datetime.now(UTC) + timedelta(minutes=30)) == []


def test_a_run_that_nobody_refused_to_repeat_is_left_alone(instance):
    run = lost(instance)
    instance.add_run_tags(run.run_id, {"dagster/will_retry": "false"})  # repeated often enough already
    assert ask_again(instance, NOW) == []


def test_a_run_that_failed_in_a_step_is_left_alone(instance):
    run = lost(instance)
    refuse(instance, run)
    instance.add_run_tags(run.run_id, {"dagster/failure_reason": "STEP_FAILURE"})
    assert ask_again(instance, NOW) == []


def test_a_run_of_yesterday_is_left_alone(instance):
    run = lost(instance)
    refuse(instance, run)
    assert ask_again(instance, NOW + timedelta(days=1)) == []
