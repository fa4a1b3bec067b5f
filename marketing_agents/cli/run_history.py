"""How long earlier runs of this instance took: the ground of an estimate. Run records say when, the state store says how many partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import dagster as dg

from marketing_agents.assets.raw import STEP as FIRST_STEP
from marketing_agents.operations.estimate import PastRun
from marketing_agents.operations.morning import LAST_STEP
from marketing_agents.state.store import StateStore
from marketing_agents.status import USABLE

RUNS_LOOKED_AT = 200


def past_runs(instance: dg.DagsterInstance, state: StateStore) -> list[PastRun]:
    """The latest successful runs that took partitions from ingestion to the report.

    Runs of some assets only, and partitions that were passed over (paused, not over), would make the rest look cheap.
    """
    records = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]), limit=RUNS_LOOKED_AT)
    computed = _partitions_computed(state, [record.dagster_run.run_id for record in records])
    found = []
    for record in records:
        size = computed[record.dagster_run.run_id]
        if size and record.start_time is not None and record.end_time is not None:
            found.append(PastRun(size, record.end_time - record.start_time))
    return found


def _partitions_computed(state: StateStore, run_ids: Sequence[str]) -> Counter[str]:
    """Usable partitions by run, of runs that did the first and the last step of all of them."""
    import sqlalchemy as sa

    from marketing_agents.state.schema import PARTITION_STATUS as T

    query = (
        sa.select(T.c.run_id, T.c.step, sa.func.count().label("partitions"))
        .where(T.c.run_id.in_(list(run_ids)), T.c.step.in_([FIRST_STEP, LAST_STEP]), T.c.status.in_(sorted(USABLE)))
        .group_by(T.c.run_id, T.c.step)
    )
    with state.engine().connect() as connection:
        counted = {(row.run_id, row.step): int(row.partitions) for row in connection.execute(query)}
    return Counter({run: n for (run, step), n in counted.items() if step == LAST_STEP and counted.get((run, FIRST_STEP)) == n})
