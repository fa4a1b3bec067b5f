"""What the placed incidents, launches and pauses do to delivery, as arrays over days and entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketing_agents.sample.plans import is_live
from marketing_agents.sample.profile import AdvertiserProfile, Trouble
from marketing_agents.sample.rhythm import events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import numpy as np

    from marketing_agents.sample.incidents import PlacedIncident
    from marketing_agents.sample.structure import Structure


@dataclass(frozen=True)
class Effects:
    """Shapes: `spend`, `conversion_rate`, `existing_share` (days, campaigns); `ad_share` (days, ads) of the campaign's spend;
    `click_index` (ads,); `is_recorded` (primary actions, days, accounts); `has_rows` (days, accounts).
    """

    spend: np.ndarray
    conversion_rate: np.ndarray
    existing_share: np.ndarray
    ad_share: np.ndarray
    click_index: np.ndarray
    is_recorded: np.ndarray
    has_rows: np.ndarray


def make_effects(
    profile: AdvertiserProfile,
    structure: Structure,
    incidents: Sequence[PlacedIncident],
    anchor: date,
    dates: Sequence[date],
    *,
    with_incidents: bool,
) -> Effects:
    """Everything that is not chance."""
    import numpy as np

    days, campaigns, accounts = len(dates), len(structure.campaigns), len(structure.accounts)
    spend = np.array([[is_live(campaign, day) for campaign in structure.campaigns] for day in dates], dtype=float)
    rate = np.ones((days, campaigns))
    existing = np.tile([c.existing_share for c in structure.campaigns], (days, 1))
    recorded = np.ones((sum(a.is_primary for a in profile.actions), days, accounts), dtype=np.int64)
    rows = np.ones((days, accounts), dtype=bool)
    click_index = np.array([ad.click_index for ad in structure.ads])
    weights = np.array([[0.0 if ad.paused and day >= ad.paused else ad.share for ad in structure.ads] for day in dates])
    for incident in incidents:
        during = np.array([incident.covers(day) for day in dates], dtype=bool)
        if incident.trouble is Trouble.COST_PER_CONVERSION_RISES:
            rate[during, incident.index] *= incident.size
        elif incident.trouble is Trouble.EXISTING_CUSTOMERS:
            existing[during, incident.index] = incident.size
        elif incident.trouble is Trouble.AHEAD_OF_PLAN:
            spend[np.ix_(during, np.array(incident.campaigns))] *= incident.size
        elif incident.trouble is Trouble.CONVERSIONS_STOP:
            recorded[0, during, incident.index] = 0
        elif incident.trouble is Trouble.ROWS_MISSING:
            rows[during, incident.index] = False
        elif incident.trouble is Trouble.ONE_AD_TAKES_ALL:
            top, *others = structure.ads_of(incident.index)
            places = np.ix_(during, np.array(others))
            rest = weights[places]
            weights[places] = rest / rest.sum(axis=1, keepdims=True) * (1 - incident.size)
            weights[during, top] = incident.size
            click_index[others], click_index[top] = 1.0, 0.95  # no better than the others: else the platform would be right
    for event in events(profile, anchor, with_incidents=with_incidents):
        inside = np.array([event.first <= day <= event.last for day in dates], dtype=bool)
        rate[inside] *= event.orders_index / event.spend_index
    return Effects(spend, rate, existing, _shares_of_campaign(structure, weights), click_index, recorded, rows)


def _shares_of_campaign(structure: Structure, weights: np.ndarray) -> np.ndarray:
    """Share of each ad in its campaign: share of the group x share in the group, where paused ads leave theirs to the others."""
    import numpy as np

    group_of_ad = np.array([ad.adgroup for ad in structure.ads])
    starts = np.flatnonzero(np.diff(group_of_ad, prepend=-1))
    totals = np.add.reduceat(weights, starts, axis=1)
    group_share = np.array([group.share for group in structure.adgroups])
    shares: np.ndarray = weights / totals[:, group_of_ad] * group_share[group_of_ad]
    return shares
