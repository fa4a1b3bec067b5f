"""How much happens on a day on average: weekday rhythm of the vertical, growth, season, past promotions.

A pure function of the date (and the anchor), never of the period written: plans are drawn up from the same curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.profile import AdvertiserProfile, Vertical

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

WEEKDAYS: dict[Vertical, tuple[float, ...]] = {  # Monday first; mean 1
    "retail": (0.94, 0.92, 0.93, 0.96, 1.00, 1.11, 1.14),
    "education": (1.05, 1.04, 1.02, 1.00, 0.94, 0.93, 1.02),
    "software": (1.16, 1.20, 1.19, 1.15, 1.02, 0.63, 0.65),
    "travel": (1.02, 0.97, 0.95, 0.96, 0.97, 1.03, 1.10),
}
_SEASON = 0.05
_SEASON_PEAK: dict[Vertical, int] = {"retail": 330, "education": 170, "software": 280, "travel": 20}


@dataclass(frozen=True)
class Event:
    """A calendar event. `spend_index`: what the advertiser spends in it / normal."""

    event_id: str
    name: str
    first: date
    last: date
    orders_index: float
    price_index: float
    spend_index: float
    mask_baseline: bool


_PAST_EVENT: dict[Vertical, str] = {
    "retail": "Mid-season sale",
    "education": "Admissions open day · प्रवेश",
    "software": "Quarter-end push",
    "travel": "Early-bird week",
}


def events(profile: AdvertiserProfile, anchor: date, *, with_incidents: bool) -> tuple[Event, ...]:
    """The advertiser's calendar: one small promotion in the past, one holiday without effect, and a planted peak ahead."""
    advertiser_id = profile.advertiser.id
    calendar = [
        Event(
            f"{advertiser_id}-promo",
            _PAST_EVENT[profile.vertical],
            anchor - timedelta(days=96),
            anchor - timedelta(days=93),
            1.2,
            1.05,
            1.2,
            True,
        ),
        Event(
            f"{advertiser_id}-holiday", "Regional holiday", anchor + timedelta(days=24), anchor + timedelta(days=24), 1.0, 1.0, 1.0, False
        ),
    ]
    calendar += [
        Event(
            f"{advertiser_id}-peak",
            'Giant Winter Sale | "everything must go" 🎉',
            anchor + timedelta(days=10),
            anchor + timedelta(days=14),
            i.size,
            1.3,
            1.0,
            True,
        )
        for i in profile.incidents
        if with_incidents and i.kind == "peak_ignored"
    ]
    return tuple(calendar)


def day_factors(profile: AdvertiserProfile, anchor: date, dates: Sequence[date]) -> np.ndarray:
    """Expected activity of each day / an average day at the anchor's level; shape (days,)."""
    import numpy as np

    from_anchor = np.array([(day - anchor).days for day in dates], dtype=float)
    weekday = np.array([WEEKDAYS[profile.vertical][day.weekday()] for day in dates])
    day_of_year = np.array([day.timetuple().tm_yday for day in dates], dtype=float)
    season = 1 + _SEASON * np.cos(2 * np.pi * (day_of_year - _SEASON_PEAK[profile.vertical]) / 365.25)
    growth = 1 + profile.trend * from_anchor / 365
    factors: np.ndarray = weekday * season * growth
    factors *= _event_factors(events(profile, anchor, with_incidents=False), dates)
    return factors


def _event_factors(calendar: Sequence[Event], dates: Sequence[date]) -> np.ndarray:
    import numpy as np

    factors = np.ones(len(dates))
    for event in calendar:
        inside = np.array([event.first <= day <= event.last for day in dates], dtype=bool)
        factors[inside] *= event.spend_index
    return factors
