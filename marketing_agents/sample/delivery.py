"""What happened: impressions, clicks, spend and conversions of every ad (and device) on every day.

Arrays are (days, cells); a cell is an ad on a device. Cells of an ad group, campaign and account are contiguous. Counts are Poisson and
binomial around a mean that follows the rhythm, with noise per account day, campaign day and cell day.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from marketing_agents.sample.rhythm import day_factors
from marketing_agents.sample.structure import SEARCH_PLATFORMS, Structure

if TYPE_CHECKING:
    from datetime import date

    import numpy as np

    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.profile import AdvertiserProfile
    from marketing_agents.sample.streams import Streams

_DEVICES = {"mobile": (0.68, 0.87), "desktop": (0.32, 1.28), "NA": (1.0, 1.0)}  # share of spend, conversion rate / normal
BUDGET_AIR = 1.3  # daily budget / average spend: room for the strongest weekday, so that a healthy campaign is not stopped by its budget
_ACCOUNT_NOISE, _CAMPAIGN_NOISE, _CELL_NOISE, _PRICE_NOISE = 0.025, 0.06, 0.12, 0.04


@dataclass(frozen=True)
class Cells:
    """Parents of each cell: positions in the `Structure` lists, and the device's name."""

    ad: np.ndarray
    adgroup: np.ndarray
    campaign: np.ndarray
    account: np.ndarray
    device: np.ndarray
    devices: tuple[str, ...]

    @cached_property
    def campaign_starts(self) -> np.ndarray:
        import numpy as np

        return np.flatnonzero(np.diff(self.campaign, prepend=-1))

    def by_campaign(self, values: np.ndarray) -> np.ndarray:
        """Sums over the cells of each campaign: (..., days, cells) -> (..., days, campaigns)."""
        import numpy as np

        summed: np.ndarray = np.add.reduceat(values, self.campaign_starts, axis=-1)
        return summed


@dataclass(frozen=True)
class Delivery:
    """Final figures, before anybody forgets to report some. `spend_cents` in account currency.

    `unserved` (days, campaigns): share of what could have been bought that the daily budget cut off.
    `conversions`: what people did, (primary actions, days, cells). `recorded`: what the tags recorded of it.
    """

    dates: tuple[date, ...]
    cells: Cells
    impressions: np.ndarray
    clicks: np.ndarray
    spend_cents: np.ndarray
    unserved: np.ndarray
    conversions: np.ndarray
    recorded: np.ndarray


def make_cells(structure: Structure, devices: tuple[str, ...]) -> Cells:
    import numpy as np

    n = len(devices)
    ad = np.repeat(np.arange(len(structure.ads)), n)
    adgroup = np.array([item.adgroup for item in structure.ads])[ad]
    campaign = np.array([item.campaign for item in structure.adgroups])[adgroup]
    account = np.array([item.account for item in structure.campaigns])[campaign]
    return Cells(ad, adgroup, campaign, account, np.tile(np.arange(n), len(structure.ads)), devices)


def deliver(
    profile: AdvertiserProfile, structure: Structure, effects: Effects, streams: Streams, *, anchor: date, dates: tuple[date, ...]
) -> Delivery:
    """Draw all facts of one advertiser."""
    import numpy as np

    cells = make_cells(structure, profile.devices)
    days, n = len(dates), len(cells.ad)
    units = np.array([account.profile.units_per_base for account in structure.accounts])[cells.account]
    campaign_spend = np.array([c.daily_spend for c in structure.campaigns]) * effects.spend * day_factors(profile, anchor, dates)[:, None]
    campaign_spend *= _noise(streams, "account noise", (days, len(structure.accounts)), _ACCOUNT_NOISE)[
        :, [c.account for c in structure.campaigns]
    ]
    campaign_spend *= _noise(streams, "campaign noise", campaign_spend.shape, _CAMPAIGN_NOISE)
    device_share = np.array([_DEVICES[d][0] for d in profile.devices])[cells.device]
    spend = (
        campaign_spend[:, cells.campaign]
        * effects.ad_share(structure)[:, cells.ad]
        * (device_share / sum(_DEVICES[d][0] for d in profile.devices))
    )
    spend *= _noise(streams, "cell noise", (days, n), _CELL_NOISE)
    budget = np.array([c.daily_spend for c in structure.campaigns]) * BUDGET_AIR * effects.budget
    wanted = cells.by_campaign(spend)
    served = np.where(effects.is_limited & (wanted > budget), budget / np.maximum(wanted, 1e-9), 1.0)
    spend *= served[:, cells.campaign]

    click_cost = np.array([c.click_cost for c in structure.campaigns])[cells.campaign]
    click_rate = np.array([c.click_rate for c in structure.campaigns])[cells.campaign] * effects.click_index[cells.ad]
    cost_of_impression = click_cost * click_rate * effects.price[:, cells.campaign]
    impressions = streams.of("impressions").poisson(spend / cost_of_impression)
    # People who click less cost the same to show ads to: the price of an impression stays, that of a click rises.
    clicks = streams.of("clicks").binomial(impressions, np.minimum(0.9, click_rate * effects.click_rate[:, cells.ad]))
    paid_by_click = np.array([account.platform in SEARCH_PLATFORMS for account in structure.accounts])[cells.account]
    bought = np.where(paid_by_click, clicks * click_cost * effects.price[:, cells.campaign], impressions * cost_of_impression)
    cents = np.rint(bought * units * _noise(streams, "price", (days, n), _PRICE_NOISE) * 100).astype(np.int64)

    rate = np.array([c.conversion_rate for c in structure.campaigns]) * effects.conversion_rate
    device_rate = np.array([_DEVICES[d][1] for d in profile.devices])[cells.device]
    conversion_index = np.array([ad.conversion_index for ad in structure.ads])[cells.ad] * effects.ad_conversion_rate[:, cells.ad]
    final = streams.of("conversions").binomial(clicks, np.minimum(0.6, rate[:, cells.campaign] * device_rate * conversion_index))
    conversions = _by_primary_action(profile, final, streams)
    recorded = conversions * effects.is_recorded[:, :, cells.account]
    if (effects.recorded_share != 1).any():
        share = effects.recorded_share[:, :, cells.account]
        recorded = streams.of("recorded").binomial(recorded, np.minimum(share, 1))
        recorded += streams.of("recorded twice").binomial(recorded, np.clip(share - 1, 0, 1))
    return Delivery(dates, cells, impressions, clicks, cents, 1 - served, conversions, recorded)


def _noise(streams: Streams, variable: str, shape: tuple[int, ...], spread: float) -> np.ndarray:
    """Log-normal noise of mean 1."""
    import numpy as np

    values: np.ndarray = np.exp(streams.of(variable).standard_normal(shape) * spread - spread * spread / 2)
    return values


def _by_primary_action(profile: AdvertiserProfile, final: np.ndarray, streams: Streams) -> np.ndarray:
    """Split conversions over the primary actions: (primary actions, days, cells)."""
    import numpy as np

    shares = [action.ratio for action in profile.actions if action.is_primary]
    parts, left, rest = [], final, sum(shares)
    for number, share in enumerate(shares[:-1]):
        part = streams.of(f"action {number}").binomial(left, share / rest)
        parts.append(part)
        left, rest = left - part, rest - share
    return np.stack([*parts, left])
