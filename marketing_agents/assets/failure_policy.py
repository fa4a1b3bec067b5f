"""What happens when a step fails: which failures Dagster may repeat, how often, and what a run remembers of it.

Dagster has three ways to repeat work, and none of them looks at the error by itself:

1. A step is repeated inside its run: here, for transient failures only, `STEP_RETRIES` times.
2. A run is repeated by the daemon (`run_retries` in dagster.yaml): only when its worker was lost, never when a step failed.
3. A schedule asks for the morning again: it reads `FAILURE_TAG`, which is stamped here.

No asset carries a `retry_policy`. Dagster 1.13 answers an interrupt inside a step with a retry when the step has one, so a run that a person
cancelled in the UI went on and ended in success (measured; a test holds it). `RetryRequested` repeats exactly what we ask to be repeated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from marketing_agents.automation.run_tags import FAILURE_TAG, TRIGGER_TAG, WORKER_TAG
from marketing_agents.automation.run_worker import RunWorker
from marketing_agents.failures import kind_of

STEP_RETRIES = 2
FIRST_DELAY_S = 5.0
"""Before the first retry, about three times as long before the second: 20 s in all. A blip is over by then; what lasts longer is for the schedule,
which asks again half an hour later and holds no worker meanwhile."""

WAREHOUSE_POOL = "warehouse"
MODEL_POOL = "model"

BACKFILL_TAG = "dagster/backfill"
GIVING_WAY = 10
"""Niceness of the worker (and of its dbt) of a run that can wait: on one machine a morning gets the processor first. About a tenth of its
share is left to the other when both want one core."""

_stamped: set[tuple[int, str]] = set()


@contextmanager
def failure_policy(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Around the work of one step.

    Raises:
        dg.RetryRequested: the step failed in a way that may pass, and may be tried again.
        Exception: whatever the step raised, when it is permanent or was tried often enough. The run carries `FAILURE_TAG` then.
    """
    _stamp_worker(context)
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise  # the step decided itself
    except Exception as error:  # nothing is swallowed: every way out of here raises, and a bug is never asked to be tried again
        kind = kind_of(error)
        if kind == "transient" and context.retry_number < STEP_RETRIES:
            delay_s = _delays().calculate_delay(context.retry_number + 1)
            tried, of = context.retry_number + 1, STEP_RETRIES + 1
            context.log.warning("attempt %d of %d failed in a way that may pass; again in %.0f s: %s", tried, of, delay_s, error)
            raise dg.RetryRequested(max_retries=STEP_RETRIES, seconds_to_wait=delay_s) from error
        context.instance.add_run_tags(context.run_id, {FAILURE_TAG: kind})
        raise


def _delays() -> dg.RetryPolicy:
    """Spread, so that runs that lost the same host do not come back at the same moment."""
    return dg.RetryPolicy(max_retries=STEP_RETRIES, delay=FIRST_DELAY_S, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def _stamp_worker(context: dg.AssetExecutionContext) -> None:
    """Say once per run which process works on it (see `automation/lost_runs.py`)."""
    key = (os.getpid(), context.run_id)
    if key in _stamped:
        return
    tags = {WORKER_TAG: RunWorker.of_this_process(context.run_id).to_tag()}
    if FAILURE_TAG in context.run.tags:
        tags[FAILURE_TAG] = "none"  # inherited from the run that this one repeats
    context.instance.add_run_tags(context.run_id, tags)
    if BACKFILL_TAG in context.run.tags or context.run.tags.get(TRIGGER_TAG) == "onboarding":
        os.nice(GIVING_WAY)
    _stamped.add(key)
