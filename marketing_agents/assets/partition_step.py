"""What every partitioned step does around its own work: find its days, pass over those it cannot use, report each partition.

Partition outcomes are data. Dagster marks every partition of a chunk materialized when the asset is yielded and skips everything downstream
when it is not, so a paused, unfinished or failing partition never raises: it gets a row in `partition_status`, metadata of its own, and
a check evaluation of its own (a check result that is yielded by a chunk would carry no partition, hence `log_event`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from marketing_agents.checks.per_partition import log_status
from marketing_agents.days import LocalDay
from marketing_agents.operations.job_page import hidden_partitions
from marketing_agents.partitions import local_days, partition_key
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus, Status

if TYPE_CHECKING:
    from marketing_agents.advertisers.registry import Registry
    from marketing_agents.resources.platform import RegistryFile

OWNERS = ["team:marketing-data"]


@dataclass
class PartitionStep:
    """One step of a run over all its partitions.

    `usable` are the days whose upstream step ended ok or degraded; `outcomes` collects one status per day of the run.
    """

    name: str
    context: dg.AssetExecutionContext
    state: StateStore
    advertisers: Registry
    days: list[LocalDay]
    usable: list[LocalDay]
    outcomes: dict[LocalDay, PartitionStatus] = field(default_factory=dict)

    @classmethod
    def begin(
        cls, name: str, context: dg.AssetExecutionContext, state: StateStore, registry: RegistryFile, *, after: str | None
    ) -> PartitionStep:
        """Find the days of the run and pass over those that cannot be used: advertiser gone or paused, or the step `after` not finished.

        The registry is read once per step: an entry that is edited meanwhile must not take the other partitions with it. A degraded
        day stays degraded.

        Raises:
            Failure: the run was asked for more partitions than Dagster shows it (see `operations/job_page.py`).
        """
        hidden = hidden_partitions(context.run.tags)
        if hidden is not None:
            raise dg.Failure(hidden, allow_retries=False)
        days = local_days(context.partition_keys)
        step = cls(name, context, state, registry.load(), days, [])
        paused = KillSwitch(state).paused(datetime.now(UTC), {day.advertiser_id for day in days})
        upstream = state.statuses(after, days) if after is not None else {}
        for day in days:
            advertiser = step.advertisers.get(day.advertiser_id)
            found = upstream.get(day)
            if advertiser is None:
                step.set(day, "blocked", "the advertiser is not in the registry any more")
            elif advertiser.paused:
                step.set(day, "paused", "paused in the registry")
            elif day.advertiser_id in paused:
                step.set(day, "paused", paused[day.advertiser_id].reason)
            elif after is None:
                step.usable.append(day)
            elif found is None:
                step.set(day, "blocked", f"{after} was never run for this partition; materialize it first")
            else:
                step.set(day, found.status, found.reason)
                if found.is_usable:
                    step.usable.append(day)
        for day in sorted(set(days) - set(step.usable)):
            context.log.warning("%s: passed over, %s: %s", day.key, step.outcomes[day].status, step.outcomes[day].reason)
        return step

    def named(self, name: str) -> PartitionStep:
        """The same days and outcomes so far, under another step's name."""
        outcomes = {day: replace(outcome, step=name) for day, outcome in self.outcomes.items()}
        return replace(self, name=name, usable=list(self.usable), outcomes=outcomes)

    def set(self, day: LocalDay, status: Status, reason: str = "") -> None:
        """Set the outcome of a day."""
        self.outcomes[day] = PartitionStatus(self.name, day.advertiser_id, day.day, status, reason)

    def degrade(self, day: LocalDay, reason: str) -> None:
        """Mark a usable day degraded, keeping earlier reasons."""
        before = self.outcomes.get(day)
        reasons = [before.reason] if before and before.reason else []
        self.set(day, "degraded", "; ".join([*reasons, reason]))

    def report(
        self,
        assets: Iterable[dg.AssetKey],
        rows: Mapping[dg.AssetKey, Mapping[LocalDay, int]],
        details: Mapping[dg.AssetKey, Mapping[LocalDay, Mapping[str, Any]]] | None = None,
    ) -> None:
        """Record outcomes in the state store, then attach status, row count and details to every partition of every asset."""
        self.state.record_status(self._recorded(), run_id=self.context.run_id)
        for key in sorted(assets):
            for day in self.days:
                self._report_partition(key, day, rows.get(key, {}).get(day, 0), (details or {}).get(key, {}).get(day, {}))

    def _recorded(self) -> list[PartitionStatus]:
        """Outcomes for the state store. A pause does not rewrite history: a day that was finished before stays finished."""
        paused = [day for day, outcome in self.outcomes.items() if outcome.status == "paused"]
        finished = {day for day, outcome in self.state.statuses(self.name, paused).items() if outcome.is_usable} if paused else set()
        return [outcome for day, outcome in self.outcomes.items() if day not in finished]

    def _report_partition(self, key: dg.AssetKey, day: LocalDay, rows: int, details: Mapping[str, Any]) -> None:
        outcome = self.outcomes[day]
        metadata: dict[str, Any] = {"status": outcome.status, "dagster/partition_row_count": rows, **details}
        if outcome.reason:
            metadata["reason"] = outcome.reason
        self.context.add_asset_metadata(metadata, asset_key=key, partition_key=partition_key(day.advertiser_id, day.day))
        log_status(self.context, key, outcome)
