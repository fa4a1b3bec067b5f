"""Onboarding: which past days of a new advertiser are still to be requested, and who needs none. Pure; the clock comes in.

A new advertiser's last days are requested in chunks, once. What was requested is read back from the runs themselves, so that a plan that was
cut short goes on where it stopped: the window it was made for travels on every run, and only days that no run covers are asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.days import local_noon
from marketing_agents.state.onboardings import Onboarding
from marketing_agents.status import USABLE

if TYPE_CHECKING:
    from marketing_agents.state.mornings import MorningOutcome
    from marketing_agents.state.store import StateStore

AFTER_NOON = timedelta(minutes=30)
"""The tick at noon starts a morning whatever is missing; half an hour later it has spoken."""
TAKEN_BY_THE_MORNING: frozenset[MorningOutcome] = frozenset({"requested", "running", "done", "gave_up"})
_IDS_PER_QUERY = 5000  # one bound value an id; SQLite allows 32,766


@dataclass(frozen=True, order=True)
class DayRange:
    """Days `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def __str__(self) -> str:
        return f"{self.first.isoformat()}/{self.last.isoformat()}"

    @classmethod
    def parse(cls, text: str) -> DayRange:
        """The inverse of `str`. Raises ValueError."""
        first, _, last = text.partition("/")
        return cls(date.fromisoformat(first), date.fromisoformat(last))


@dataclass(frozen=True)
class OnboardingChunk:
    """Days of one advertiser that one run is to handle, as part of `window`."""

    advertiser_id: str
    days: DayRange
    window: DayRange


@dataclass(frozen=True)
class Newcomer:
    """A registered advertiser without a row in `onboardings`.

    `pause`: why it is paused, empty when it is not. `first_result`: its first day with a usable outcome of any step. `requested`: chunks whose
    runs exist. `taken`: days that the morning schedule has dealt with.
    """

    advertiser: Advertiser
    pause: str = ""
    first_result: date | None = None
    requested: Sequence[OnboardingChunk] = ()
    taken: frozenset[date] = frozenset()


@dataclass(frozen=True)
class OnboardingPlan:
    """What one tick does: chunks to request, onboardings that are complete, and a sentence for everyone who has to wait."""

    chunks: list[OnboardingChunk] = field(default_factory=list)
    finished: list[Onboarding] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def plan_onboardings(
    newcomers: Iterable[Newcomer], now: datetime, *, days: int, start_date: date, chunk_size: int, limit: int
) -> OnboardingPlan:
    """At most `limit` chunks of at most `chunk_size` days each; `days` past days per advertiser, none before `start_date`."""
    plan = OnboardingPlan()
    for newcomer in newcomers:
        advertiser = newcomer.advertiser
        window = _window(newcomer, now, days, start_date)
        if isinstance(window, str):
            plan.finished.append(Onboarding(advertiser.id, None, None, window))
            continue
        covered = {day for chunk in newcomer.requested for day in chunk.days.days} | newcomer.taken
        left = [day for day in window.days if day not in covered]
        if not left:
            plan.finished.append(Onboarding(advertiser.id, window.first, window.last, _told(newcomer.requested)))
        elif newcomer.pause:
            plan.waiting.append(f"{advertiser.id} until it is resumed ({newcomer.pause})")
        elif ready := [day for day in left if is_past_its_morning(advertiser, day, now)]:
            chunks = [OnboardingChunk(advertiser.id, piece, window) for piece in pieces(ready, chunk_size)]
            room = limit - len(plan.chunks)
            plan.chunks.extend(chunks[:room])
            if room < len(chunks):
                plan.waiting.append(f"{advertiser.id} for its turn in the next tick")
        else:
            plan.waiting.append(f"{advertiser.id} with {left[0]} until the morning of that day is over")
    return plan


def is_past_its_morning(advertiser: Advertiser, day: date, now: datetime) -> bool:
    """True when the morning schedule will not start this day any more.

    Before that, an onboarding run would beat the morning run to a day whose tables are still on their way, and the day would pass for done.
    """
    return now >= local_noon(day + timedelta(days=1), advertiser.zone) + AFTER_NOON


def pieces(days: Sequence[date], size: int) -> list[DayRange]:
    """Sorted days as ranges without gaps, each of at most `size` days."""
    ranges: list[DayRange] = []
    for day in days:
        last = ranges[-1] if ranges else None
        if last is not None and day == last.last + timedelta(days=1) and len(last.days) < size:
            ranges[-1] = DayRange(last.first, day)
        else:
            ranges.append(DayRange(day, day))
    return ranges


def first_results(state: StateStore, advertiser_ids: Iterable[str]) -> dict[str, date]:
    """First day with a usable outcome of any step, by advertiser; who has none is absent."""
    import sqlalchemy as sa

    from marketing_agents.state.schema import PARTITION_STATUS as T

    wanted = sorted(set(advertiser_ids))
    found: dict[str, date] = {}
    with state.engine().connect() as connection:
        for start in range(0, len(wanted), _IDS_PER_QUERY):
            query = (
                sa.select(T.c.advertiser_id, sa.func.min(T.c.date).label("first"))
                .where(T.c.advertiser_id.in_(wanted[start : start + _IDS_PER_QUERY]), T.c.status.in_(sorted(USABLE)))
                .group_by(T.c.advertiser_id)
            )
            found.update((row.advertiser_id, row.first) for row in connection.execute(query))
    return found


def _window(newcomer: Newcomer, now: datetime, days: int, start_date: date) -> DayRange | str:
    """The days that this advertiser's onboarding is about, or why there is none."""
    if newcomer.requested:
        return min(chunk.window for chunk in newcomer.requested)
    last = now.astimezone(newcomer.advertiser.zone).date() - timedelta(days=1)
    # A morning run that was faster than the onboarding leaves results of the last day only: still a newcomer.
    if newcomer.first_result is not None and newcomer.first_result < last:
        return f"has results since {newcomer.first_result}; nothing was requested"
    if days == 0:
        return "MARKETING_AGENTS_ONBOARDING_DAYS is 0; nothing was requested"
    first = max(start_date, last - timedelta(days=days - 1))
    if first > last:
        return f"no local day was over since MARKETING_AGENTS_START_DATE ({start_date}); nothing was requested"
    return DayRange(first, last)


def _told(requested: Sequence[OnboardingChunk]) -> str:
    runs = len({chunk.days for chunk in requested})
    return f"requested in {runs} run{'s' if runs != 1 else ''}" if runs else "left to the morning run"
