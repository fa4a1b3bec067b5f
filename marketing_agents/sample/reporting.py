"""What platforms report of what happened: late conversions are missing, unsettled days are absent, Google counts fractions.

Completeness c(k): share of the final conversions known k days after the click's day. It is the default curve of the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from marketing_agents.days import end_of_local_day, evaluation_instant

if TYPE_CHECKING:
    import numpy as np

    from marketing_agents.advertisers.registry import Advertiser
    from marketing_agents.sample.delivery import Delivery
    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.streams import Streams
    from marketing_agents.sample.structure import Account, Structure

COMPLETENESS = (0.60, 0.80, 0.88, 0.92, 0.95, 0.97, 0.98, 1.0)


@dataclass(frozen=True)
class Reported:
    """Figures as known on a morning.

    `conversions_hundredths` (primary actions, days, cells): conversions x 100. `value_cents` the same shape, account currency.
    `has_rows` (days, accounts): False where the platform or connector has delivered nothing.
    """

    conversions_hundredths: np.ndarray
    value_cents: np.ndarray
    has_rows: np.ndarray


def report(
    advertiser: Advertiser,
    structure: Structure,
    delivery: Delivery,
    effects: Effects,
    *,
    streams: Streams,
    known_on: date | int,
    order_value: float,
) -> Reported:
    """Reported figures on the morning after `known_on`; a number: every day as it was that many days later."""
    import numpy as np

    days, cells = delivery.impressions.shape
    known = known_counts(delivery.recorded, delivery.dates, known_on, streams, "ads")
    is_google = np.array([account.platform == "google_ads" for account in structure.accounts])[delivery.cells.account]
    # Data-driven attribution credits parts of a conversion; fixed per day and cell, so that figures only ever grow.
    credit = np.where(is_google, streams.of("credit").integers(90, 101, size=(days, cells)), 100)
    hundredths = np.rint(known * credit * effects.claims[:, delivery.cells.account]).astype(np.int64)
    units = np.array([account.profile.units_per_base for account in structure.accounts])[delivery.cells.account]
    value_each = (
        order_value
        * effects.order_value[:, delivery.cells.campaign]
        * units
        * np.exp(streams.of("value").standard_normal((days, cells)) * 0.12)
    )
    value_cents = np.rint(hundredths * value_each).astype(np.int64)
    return Reported(hundredths, value_cents, effects.has_rows & settled_rows(advertiser, structure.accounts, delivery.dates, known_on))


def known_counts(final: np.ndarray, dates: tuple[date, ...], known_on: date | int, streams: Streams, variable: str) -> np.ndarray:
    """Thin final counts (..., days, entities) to what is known on the evening of `known_on`.

    Each conversion has a day of arrival, drawn once per (day, variable): a later `known_on` adds arrivals and changes none.
    """
    known = final.copy()
    for i, day in enumerate(dates):
        k = known_on if isinstance(known_on, int) else (known_on - day).days
        if k >= len(COMPLETENESS) - 1:
            continue
        draw = streams.of(f"arrival {variable}", day)
        missing, arrived_before = final[..., i, :].copy(), 0.0
        for c in COMPLETENESS[: k + 1]:
            missing -= draw.binomial(missing, (c - arrived_before) / (1 - arrived_before))
            arrived_before = c
        known[..., i, :] -= missing
    return known


def last_settled_day(advertiser: Advertiser, account: Account, known_on: date) -> date:
    """The latest day whose figures the platform has ready on the morning after `known_on` (account zone, settle lag)."""
    from zoneinfo import ZoneInfo

    morning = evaluation_instant(known_on, advertiser.zone, advertiser.run_time_local, advertiser.settle_lag_hours)
    day = known_on + timedelta(days=1)
    while end_of_local_day(day, ZoneInfo(account.time_zone)) + timedelta(hours=account.profile.settle_lag_hours) > morning:
        day -= timedelta(days=1)
    return day


def settled_rows(advertiser: Advertiser, accounts: tuple[Account, ...], dates: tuple[date, ...], known_on: date | int) -> np.ndarray:
    """(days, accounts): True where the day is over and settled for the account."""
    import numpy as np

    if isinstance(known_on, int):
        later = timedelta(days=known_on)
        return np.array([[day <= last_settled_day(advertiser, account, day + later) for account in accounts] for day in dates], dtype=bool)
    last = [last_settled_day(advertiser, account, known_on) for account in accounts]
    return np.array([[day <= limit for limit in last] for day in dates], dtype=bool)
