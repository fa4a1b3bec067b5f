"""A schedule's context on an instance that lives in memory.

`dg.build_schedule_context` opens persistent instances anew from their address for every context (tens of milliseconds, and what an ephemeral
instance holds would be gone).
"""

from __future__ import annotations

from datetime import datetime

import dagster as dg


class LivingContext(dg.ScheduleEvaluationContext):
    def __init__(self, instance: dg.DagsterInstance, moment: datetime) -> None:
        super().__init__(instance_ref=None, scheduled_execution_time=moment)
        self._living = instance

    @property
    def instance(self) -> dg.DagsterInstance:
        return self._living
