"""What one asks the generator for: which advertisers, which days, how it looks on which morning."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.businesses import sample_profiles

if TYPE_CHECKING:
    from marketing_agents.sample.profile import AdvertiserProfile


@dataclass(frozen=True)
class AgencySpec:
    """One sample agency.

    `anchor` fixes the first day and where incidents lie; `end` is the last day written. Writing the next day with the same
    anchor gives the same agency, one day longer. `known_on`: the file looks as it did on the morning after this day, so the
    latest days lack conversions that platforms still add (default: `end`). `known_after`: every day as it was known that many days later
    instead (what a daily load would have seen). `tables`: write these only.

    Raises:
        ValueError: the days contradict each other.
    """

    end: date
    seed: int = 7
    anchor: date | None = None
    days: int = 180
    advertisers: tuple[AdvertiserProfile, ...] = field(default_factory=sample_profiles)
    incidents: bool = True
    known_on: date | None = None
    tables: tuple[str, ...] | None = None
    known_after: int | None = None

    def __post_init__(self) -> None:
        if self.days < 1 or self.start > self.end:
            raise ValueError(
                f"no day to write: {self.days} days up to the anchor {self.anchor_day} start on {self.start}, end is {self.end}"
            )
        if self.known_day < self.end:
            raise ValueError(f"known_on {self.known_day} is before end {self.end}: rows of days that were not over cannot be known")
        ids = [profile.advertiser.id for profile in self.advertisers]
        if len(set(ids)) != len(ids):
            raise ValueError("two advertisers of the agency have the same id")

    @property
    def anchor_day(self) -> date:
        return self.anchor or self.end

    @property
    def start(self) -> date:
        return self.anchor_day - timedelta(days=self.days - 1)

    @property
    def known_day(self) -> date:
        return self.known_on or self.end

    @property
    def known(self) -> date | int:
        """What `reporting.py` is told: a morning, or a number of days after each day."""
        return self.known_day if self.known_after is None else self.known_after

    @property
    def dates(self) -> tuple[date, ...]:
        """All days, oldest first."""
        return tuple(self.start + timedelta(days=i) for i in range((self.end - self.start).days + 1))
