"""Why a day has no report: what the last tick decided, or how far the last run came, whichever was later."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from marketing_agents.state.mornings import Morning, MorningOutcome
from marketing_agents.status import RecordedStatus

STEPS = ("ingestion", "marts", "findings", "analysis", "recommendations", "daily_report")
"""The steps of a day, in order; `analysis` stands for one step per domain (`analysis/<domain>`). A test holds it against the assets."""
LAST_STEP = STEPS[-1]
"""A day is done when this one ended ok or degraded."""

_TOLD: dict[MorningOutcome, Callable[[Morning], str]] = {
    "waiting": lambda m: f"waiting: {m.reason}",
    "requested": lambda m: f"requested at {m.scheduled_for:%H:%M} UTC (attempt {m.attempts}), no result yet",
    "running": lambda m: f"running at {m.scheduled_for:%H:%M} UTC, no result yet",
    "done": lambda m: f"was done at {m.scheduled_for:%H:%M} UTC, and is not on record any more",
    "paused": lambda m: f"passed over: {m.reason}",
    "unregistered": lambda m: f"no partition: {m.reason}",
    "gave_up": lambda m: f"gave up after {m.attempts} {'run' if m.attempts == 1 else 'runs'}: {m.reason}",
}


def why_missing(time_zone: str, morning: Morning | None, steps: Sequence[RecordedStatus]) -> str:
    """One sentence about a day without a report; `steps` are all outcomes on record for the day."""
    newest = max((step.updated_at for step in steps), default=None)
    if morning is not None and (newest is None or newest <= morning.scheduled_for):
        return _TOLD[morning.outcome](morning)
    if newest is not None:
        return _told_by_steps(steps)
    return f"never requested: is the schedule of {time_zone} on?"


def step_rank(step: str) -> int:
    """Position in the order of steps; unknown names come first."""
    name = step.split("/", maxsplit=1)[0]
    return STEPS.index(name) if name in STEPS else -1


def _told_by_steps(steps: Sequence[RecordedStatus]) -> str:
    ordered = sorted(steps, key=lambda s: (step_rank(s.outcome.step), s.updated_at))
    furthest = ordered[-1]
    if furthest.outcome.is_usable:
        return f"came as far as {furthest.outcome.step} at {furthest.updated_at:%Y-%m-%d %H:%M} UTC (run {furthest.run_id[:8]}): interrupted, or still going"
    # The steps after a failed one repeat its outcome: name the one it began with.
    first = next(s.outcome for s in ordered if (s.outcome.status, s.run_id) == (furthest.outcome.status, furthest.run_id))
    return f"{first.step} {first.status}: {first.reason}" if first.reason else f"{first.step} {first.status}"
