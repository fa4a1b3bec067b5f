"""Outcome of one step for one partition. Outcomes are data: a paused, unfinished or failing partition never raises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Status = Literal["ok", "degraded", "paused", "refused", "blocked", "failed"]
USABLE: frozenset[Status] = frozenset({"ok", "degraded"})


@dataclass(frozen=True)
class PartitionStatus:
    """What a step said about one partition. `reason` is empty for ok, else one sentence that names the cause."""

    step: str
    advertiser_id: str
    date: date
    status: Status
    reason: str = ""

    @property
    def is_usable(self) -> bool:
        return self.status in USABLE


@dataclass(frozen=True)
class RecordedStatus:
    """An outcome with the run that wrote it and when (UTC)."""

    outcome: PartitionStatus
    run_id: str
    updated_at: datetime
