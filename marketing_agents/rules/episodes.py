"""Episodes: what the days of [D - 55, D] make of a rule on one entity, as seen on D. A pure function of these days.

Definition. Days come in order; days without a row are not there.

* A fired day opens an episode when none is open, and belongs to it.
* An episode ends on the third settled day in a row. A day is settled when the rule is clear on it (or out of scope) and `resolve_when`, if the
  rule has one, holds. A clear day that is not settled, and a fired day, start the count again.
* A day that is not evaluable neither ends nor extends an episode, and leaves the count as it is.
* An episode also ends on the first clear day after a fired one when that fired day was overturned (`retraction.py`): data restated on the
  clear day show that the rule had no reason to fire. A later firing opens a new episode. Overturned days count for `RETRACTION_REACH_DAYS`.

The state on D, when an episode is open on D or ends on D:

* `opened`: D is its first fired day.
* `worsened`: D fired, with a severity above that of every fired day of the episode in the 7 days before D (or, when there is none among
  them, above that of the last fired day). So a finding that goes to and fro between two severities is told once.
* `improved`: D fired with a severity below that of the last fired day before; or D is the first clear day after a fired one.
* `ongoing`: any other day on which the episode is open and D fired, is clear or blocked. A blocked D shows the evidence of the last fired day.
* `resolved`: D is the third settled day in a row. Told once.
* `superseded`: D is the clear day that ends an episode whose last fired day was overturned. Told once.
* nothing: D is not evaluable for another reason (too little volume, missing input): the episode waits, unseen, for a day that can be judged.

`opened_on` is the first fired day; None when that is D - 55 itself, because then the episode may be older (`days_open` is then 56). `days_open`
counts from `opened_on` to D, for a resolved episode to its last fired day.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from marketing_agents.days import EPISODE_DAYS
from marketing_agents.rules.finding import EpisodeState
from marketing_agents.rules.outcomes import Code

SETTLED_DAYS_TO_RESOLVE = 3
WORSENED_AGAINST_DAYS = 7
RETRACTION_REACH_DAYS = 7
"""How many days before D a fired day may lie to be judged a second time. Each such day costs the features of one more day on every morning that
looks back at it, so the reach is as short as what is told allows: the states of D compare with 7 days, and 3 clear days end most episodes."""
OLDER_THAN_WINDOW_DAYS = EPISODE_DAYS + 1


@dataclass(frozen=True)
class DayOutcome:
    """One day of one entity. `severity`: 1 = low .. 4 = critical on fired days, else 0."""

    day: date
    code: Code
    severity: int = 0
    is_settled: bool = False


@dataclass(frozen=True, order=True)
class ToldDay:
    """A day on which a rule fired on an entity (the values of the entity's columns), as it was judged on that day."""

    advertiser_id: str
    rule_id: str
    entity: tuple[str, ...]
    day: date


@dataclass(frozen=True)
class Episode:
    """An episode as it stands on D. `severity` is that of the last fired day; `evidence`: position of the day whose row holds the evidence."""

    state: EpisodeState
    severity: int
    previous_severity: int | None
    opened_on: date | None
    days_open: int
    evidence: int
    last_fired: date


@dataclass
class _Course:
    """The episode that is open after some days, or ends on the last of them. `fired`: positions of its fired days; `doubtful`: its fired days
    that a clear day follows, which restated data may overturn.
    """

    fired: list[int] = field(default_factory=list)
    doubtful: list[date] = field(default_factory=list)
    settled_in_a_row: int = 0
    ended_as: EpisodeState | None = None


def episode_at(days: Sequence[DayOutcome], on: date, overturned: Collection[date] = ()) -> Episode | None:
    """The episode as seen on `on`. `days`: sorted, inside [on - 55, on]. `overturned`: fired days that restated data showed to be none.
    None when there is nothing to tell on that day.
    """
    course = _course(days, on, overturned) if days and days[-1].day == on else _Course()
    fired = course.fired
    if not fired:
        return None
    last = days[-1]
    if course.ended_as is not None:
        return _episode(course.ended_as, days, fired, on, evidence=len(days) - 1)
    if last.code is Code.FIRED:
        return _episode(_fired_state(days, fired), days, fired, on, evidence=len(days) - 1)
    if last.code.is_clear:
        is_first_clear_day = len(days) >= 2 and days[-2].code is Code.FIRED
        return _episode("improved" if is_first_clear_day else "ongoing", days, fired, on, evidence=len(days) - 1)
    if last.code is Code.BLOCKED:
        return _episode("ongoing", days, fired, on, evidence=fired[-1])
    return None


def doubtful_days(days: Sequence[DayOutcome], on: date) -> tuple[date, ...]:
    """The fired days that decide what is told on `on` if restated data overturn them. Arguments as of `episode_at`."""
    if not days or days[-1].day != on:
        return ()
    return tuple(day for day in _course(days, on, ()).doubtful if is_within_reach(day, on))


def is_within_reach(fired: date, on: date) -> bool:
    """Is a fired day near enough to `on` to be judged a second time?"""
    return on - fired <= timedelta(days=RETRACTION_REACH_DAYS)


def _course(days: Sequence[DayOutcome], on: date, overturned: Collection[date]) -> _Course:
    course = _Course()
    for position, day in enumerate(days):
        if course.ended_as is not None:
            course = _Course()
        if day.code is Code.FIRED:
            course.fired.append(position)
            course.settled_in_a_row = 0
        elif course.fired and day.code.is_clear:
            before = days[position - 1]
            if before.code is Code.FIRED and before.day == day.day - timedelta(days=1):
                course.doubtful.append(before.day)
                if before.day in overturned and is_within_reach(before.day, on):
                    course.ended_as = "superseded"
                    continue
            course.settled_in_a_row = course.settled_in_a_row + 1 if day.is_settled else 0
            if course.settled_in_a_row == SETTLED_DAYS_TO_RESOLVE:
                course.ended_as = "resolved"
    return course


def _fired_state(days: Sequence[DayOutcome], fired: Sequence[int]) -> EpisodeState:
    today, earlier = days[fired[-1]], [days[position] for position in fired[:-1]]
    if not earlier:
        return "opened"
    recent = [day.severity for day in earlier if day.day >= today.day - timedelta(days=WORSENED_AGAINST_DAYS)] or [earlier[-1].severity]
    if today.severity > max(recent):
        return "worsened"
    return "improved" if today.severity < earlier[-1].severity else "ongoing"


def _episode(state: EpisodeState, days: Sequence[DayOutcome], fired: Sequence[int], on: date, *, evidence: int) -> Episode:
    first, last = days[fired[0]].day, days[fired[-1]].day
    is_older = first == on - timedelta(days=EPISODE_DAYS)
    until = last if state in ("resolved", "superseded") else on
    is_today = days[-1].code is Code.FIRED
    before = fired[-2] if is_today and len(fired) > 1 else None if is_today else fired[-1]
    return Episode(
        state=state,
        severity=days[fired[-1]].severity,
        previous_severity=None if before is None else days[before].severity,
        opened_on=None if is_older else first,
        days_open=OLDER_THAN_WINDOW_DAYS if is_older else (until - first).days + 1,
        evidence=evidence,
        last_fired=last,
    )
