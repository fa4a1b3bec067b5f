"""What the placed incidents, launches and pauses do to delivery, as arrays over days and entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketing_agents.sample.incidents.registry import kinds
from marketing_agents.sample.plans import is_live
from marketing_agents.sample.rhythm import events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import numpy as np

    from marketing_agents.sample.incidents.placed import PlacedIncident
    from marketing_agents.sample.profile import AdvertiserProfile
    from marketing_agents.sample.structure import Structure

_REVIEW_DAYS, _REVIEW_STEP = 30, 1.12


@dataclass(frozen=True)
class Effects:
    """What incidents and history multiply or replace. Shapes and neutral values:

    (days, campaigns): `spend` 1 while live, `price` 1 (cost of an impression), `conversion_rate` 1, `order_value` 1, `existing_share`.
    `useless_searches`, `own_name_searches` 0 (share of a search campaign's clicks beyond the usual), `auction_share` 1 (impression share / usual).
    (days, ads): `ad_weight` relative share in the ad group, `click_rate` 1 (clicks at equal impressions), `ad_conversion_rate` 1,
    `hook_rate` 1 (viewers who stay for 3 seconds), `reachable` 1 (people the ad can still reach).
    `click_index` (ads,): how good the ad is. `is_recorded` (primary actions, days, accounts): 0 where a tag is silent, 2 where it counts twice.
    <<<<<<< HEAD
    `recorded_share` (primary actions, days, accounts) 1: below, that share of the conversions is recorded; above, the excess is recorded twice.
    `has_rows` (days, accounts). `claims` (days, accounts) 1: conversions that the platform counts as its own / those of its clicks.
    `own_orders` (days,) 1: orders that come without an ad.
    =======
    `has_rows` (days, accounts).
    (days, campaigns): `budget` daily budget / the one first set, 1 but for reviews; `is_limited` True where spend stops at the daily budget.
    >>>>>>> area/budget
    """

    spend: np.ndarray
    budget: np.ndarray
    is_limited: np.ndarray
    price: np.ndarray
    conversion_rate: np.ndarray
    order_value: np.ndarray
    existing_share: np.ndarray
    useless_searches: np.ndarray
    own_name_searches: np.ndarray
    auction_share: np.ndarray
    ad_weight: np.ndarray
    click_rate: np.ndarray
    ad_conversion_rate: np.ndarray
    hook_rate: np.ndarray
    reachable: np.ndarray
    click_index: np.ndarray
    is_recorded: np.ndarray
    recorded_share: np.ndarray
    has_rows: np.ndarray
    claims: np.ndarray
    own_orders: np.ndarray

    def ad_share(self, structure: Structure) -> np.ndarray:
        """(days, ads): share of the campaign's spend."""
        return _shares_of_campaign(structure, self.ad_weight)


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

    days, campaigns, accounts, ads = len(dates), len(structure.campaigns), len(structure.accounts), len(structure.ads)
    effects = Effects(
        spend=np.array([[is_live(campaign, day) for campaign in structure.campaigns] for day in dates], dtype=float),
        budget=_reviewed_budgets(campaigns, anchor, dates),
        is_limited=np.zeros((days, campaigns), dtype=bool),
        price=np.ones((days, campaigns)),
        conversion_rate=np.ones((days, campaigns)),
        order_value=np.ones((days, campaigns)),
        existing_share=np.tile([c.existing_share for c in structure.campaigns], (days, 1)),
        useless_searches=np.zeros((days, campaigns)),
        own_name_searches=np.zeros((days, campaigns)),
        auction_share=np.ones((days, campaigns)),
        ad_weight=np.array([[0.0 if ad.paused and day >= ad.paused else ad.share for ad in structure.ads] for day in dates]),
        click_rate=np.ones((days, ads)),
        ad_conversion_rate=np.ones((days, ads)),
        hook_rate=np.ones((days, ads)),
        reachable=np.ones((days, ads)),
        click_index=np.array([ad.click_index for ad in structure.ads]),
        is_recorded=np.ones((sum(a.is_primary for a in profile.actions), days, accounts), dtype=np.int64),
        recorded_share=np.ones((sum(a.is_primary for a in profile.actions), days, accounts)),
        has_rows=np.ones((days, accounts), dtype=bool),
        claims=np.ones((days, accounts)),
        own_orders=np.ones(days),
    )
    for incident in incidents:
        during = np.array([incident.covers(day) for day in dates], dtype=bool)
        kinds()[incident.kind].shape(effects, incident, during, structure)
    for event in events(profile, anchor, with_incidents=with_incidents):
        inside = np.array([event.first <= day <= event.last for day in dates], dtype=bool)
        effects.conversion_rate[inside] *= event.orders_index / event.spend_index
    return effects


def _reviewed_budgets(campaigns: int, anchor: date, dates: Sequence[date]) -> np.ndarray:
    """(days, campaigns): budgets move a little every month, as people review them; the campaigns take turns, none on the day after the anchor."""
    import numpy as np

    age = np.array([(anchor - day).days for day in dates])[:, None] + 6 * np.arange(campaigns)[None, :] + 2
    return np.where(age % (2 * _REVIEW_DAYS) < _REVIEW_DAYS, _REVIEW_STEP, 1.0)


def _shares_of_campaign(structure: Structure, weights: np.ndarray) -> np.ndarray:
    """Share of each ad in its campaign: share of the group x share in the group, where paused ads leave theirs to the others."""
    import numpy as np

    group_of_ad = np.array([ad.adgroup for ad in structure.ads])
    starts = np.flatnonzero(np.diff(group_of_ad, prepend=-1))
    totals = np.add.reduceat(weights, starts, axis=1)
    group_share = np.array([group.share for group in structure.adgroups])
    shares: np.ndarray = weights / totals[:, group_of_ad] * group_share[group_of_ad]
    return shares
