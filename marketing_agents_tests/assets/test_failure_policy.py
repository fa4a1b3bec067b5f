"""How often a failing step is repeated, what the run remembers of it, and why no asset carries a retry policy of Dagster's own."""

import os
import signal
import threading
import time

import dagster as dg
import pytest

from marketing_agents.assets import failure_policy as policy
from marketing_agents.automation.run_tags import FAILURE_TAG, WORKER_TAG
from marketing_agents.automation.run_worker import RunWorker
from marketing_agents.definitions import defs

TRANSIENT = ConnectionError("the host hung up")
PERMANENT = ValueError("column spend is not a number")


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch):
    monkeypatch.setattr(policy, "FIRST_DELAY_S", 0.0)


def failing(*errors: BaseException | None) -> tuple[dg.AssetsDefinition, list[int]]:
    """An asset that meets these errors, one an attempt (the last for ever), and the list of its attempts."""
    attempts: list[int] = []

    @dg.asset
    def step(context: dg.AssetExecutionContext) -> None:
        with policy.failure_policy(context):
            attempts.append(context.retry_number)
            error = errors[min(len(attempts), len(errors)) - 1]
            if error is not None:
                raise error

    return step, attempts


def run(asset: dg.AssetsDefinition, instance: dg.DagsterInstance, **tags: str) -> tuple[dg.ExecuteInProcessResult, dg.DagsterRun]:
    result = dg.materialize([asset], instance=instance, raise_on_error=False, tags=tags)
    stored = instance.get_run_by_id(result.run_id)
    assert stored is not None
    return result, stored


@pytest.mark.parametrize(
    ("errors", "attempts", "success", "failure"),
    [
        ([None], 1, True, None),
        ([TRANSIENT, None], 2, True, None),
        ([TRANSIENT, TRANSIENT, None], 3, True, None),
        ([TRANSIENT], 3, False, "transient"),  # never for ever
        ([PERMANENT], 1, False, "permanent"),  # the same data and code fail the same way
        ([TRANSIENT, PERMANENT], 2, False, "permanent"),
        ([dg.Failure("decided by the step", allow_retries=False)], 1, False, None),
    ],
    ids=["fine", "once", "twice", "always", "permanent", "both", "own decision"],
)
def test_only_transient_failures_are_repeated_and_at_most_twice(instance, errors, attempts, success, failure):
    asset, seen = failing(*errors)
    result, stored = run(asset, instance)
    assert (len(seen), result.success, stored.tags.get(FAILURE_TAG)) == (attempts, success, failure)


@pytest.mark.parametrize("error", [TRANSIENT, PERMANENT], ids=["transient", "permanent"])
def test_a_failed_run_shows_the_original_error(instance, error):
    asset, _ = failing(error)
    result, _ = run(asset, instance)
    (failed,) = [e for e in result.all_events if e.is_step_failure]
    assert failed.step_failure_data.error.cause.message.strip() == f"{type(error).__name__}: {error}"


def test_the_first_wait_is_seconds_and_all_waits_together_stay_below_half_a_minute(monkeypatch):
    """A worker that waits holds a place in the queue; what lasts longer is the schedule's, which asks again half an hour later."""
    monkeypatch.undo()
    longest = [policy._delays().calculate_delay(n + 1) for _ in range(200) for n in range(policy.STEP_RETRIES)]
    assert sum(max(longest[n :: policy.STEP_RETRIES]) for n in range(policy.STEP_RETRIES)) <= 30


def test_steps_that_are_coroutines_are_held_to_the_same_policy(instance):
    attempts = []

    @dg.multi_asset(specs=[dg.AssetSpec("step")])
    async def step(context: dg.AssetExecutionContext):
        with policy.failure_policy(context):
            attempts.append(1)
            raise TRANSIENT
        yield dg.MaterializeResult(asset_key="step")

    _, stored = run(step, instance)
    assert (len(attempts), stored.tags[FAILURE_TAG]) == (3, "transient")


def test_a_run_that_repeats_a_failed_one_does_not_inherit_its_verdict(instance):
    asset, _ = failing(None)
    result, stored = run(asset, instance, **{FAILURE_TAG: "permanent"})
    assert result.success
    assert stored.tags[FAILURE_TAG] == "none"


def test_a_run_carries_the_process_that_works_on_it(instance):
    asset, _ = failing(TRANSIENT, None)
    _, stored = run(asset, instance)
    worker = RunWorker.from_tag(stored.tags[WORKER_TAG])
    assert worker is not None
    assert (worker.pid, worker.run_id, worker.is_here, worker.is_gone) == (os.getpid(), stored.run_id, True, False)


def cancelled(retry_policy: dg.RetryPolicy | None, *, is_ours: bool) -> tuple[dg.AssetsDefinition, list[int]]:
    """An asset whose process is interrupted during the first attempt, as Dagster does when a person cancels the run."""
    attempts: list[int] = []

    def work() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            for _ in range(100):
                time.sleep(0.05)

    @dg.asset(retry_policy=retry_policy)
    def step(context: dg.AssetExecutionContext) -> None:
        if is_ours:
            with policy.failure_policy(context):
                work()
        else:
            work()

    return step, attempts


def test_a_cancelled_run_ends(instance):
    asset, attempts = cancelled(None, is_ours=True)
    result, stored = run(asset, instance)
    assert (len(attempts), result.success) == (1, False)
    assert FAILURE_TAG not in stored.tags


def test_why_no_asset_has_a_retry_policy(instance):
    """With one, Dagster answers the interrupt with a retry: the run that somebody cancelled goes on and succeeds."""
    asset, attempts = cancelled(dg.RetryPolicy(max_retries=2), is_ours=False)
    result, _ = run(asset, instance)
    assert (len(attempts), result.success) == (2, True)

    steps = {node.name: node.definition.retry_policy for node in defs.resolve_job_def("daily_analysis").nodes}
    assert len(steps) == 6
    assert not any(steps.values())


def test_steps_that_read_the_source_run_dbt_or_call_the_model_sit_in_a_pool():
    pools = {node.name: node.definition.pool for node in defs.resolve_job_def("daily_analysis").nodes}
    assert pools == {
        "ingest": "warehouse",
        "build_marts": "warehouse",
        "findings": "warehouse",
        "analyse": "model",
        "recommendations": None,
        "daily_report": None,
    }


@pytest.mark.parametrize(
    ("tags", "steps_back"),
    [
        ({"dagster/backfill": "b1"}, [policy.GIVING_WAY]),
        ({"marketing_agents/trigger": "onboarding"}, [policy.GIVING_WAY]),
        ({"marketing_agents/trigger": "schedule"}, []),
        ({}, []),
    ],
)
def test_work_that_can_wait_gives_way_to_mornings_once_per_run(instance, monkeypatch, tags, steps_back):
    asked: list[int] = []
    monkeypatch.setattr(policy.os, "nice", asked.append)
    step, _ = failing(TRANSIENT, None)
    result, _ = run(step, instance, **tags)
    assert result.success
    assert asked == steps_back
