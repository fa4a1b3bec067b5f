"""What describes one advertiser of the sample agency: its business, its accounts, its campaigns, and what goes wrong.

Money in a profile is in the advertiser's base currency; accounts in another currency are converted when facts are written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from marketing_agents.advertisers.registry import Advertiser

Role = Literal["brand", "prospecting", "retargeting", "generic", "shopping", "other"]
Vertical = Literal["retail", "education", "software", "travel"]

UTC_PLATFORMS = frozenset({"tiktok_ads", "linkedin_ads", "pinterest_ads", "snapchat_ads", "reddit_ads"})
"""Platforms that cut the reporting day in UTC whatever the client set (dbt_ad_reporting DECISIONLOG, January 2025)."""


@dataclass(frozen=True)
class Incident:
    """One thing to plant. `kind`: see `incidents/`, which also says what `size` means. `platform` and `campaign` (theme) say where; empty =
    the whole advertiser. `begins`: days before the anchor; None = as is usual for the kind.
    """

    kind: str
    size: float
    platform: str = ""
    campaign: str = ""
    begins: int | None = None


@dataclass(frozen=True)
class CampaignIdea:
    """One campaign. `weight`: relative spend inside the account. `theme` is unique inside the account. `flight_left_at_anchor`: days after
    the anchor on which a flight with a lifetime budget ends; None = no flight, but a daily budget.
    """

    role: Role
    theme: str
    weight: float
    name: str = ""
    first_ad_name: str = ""
    launched_before_anchor: int | None = None
    paused_before_anchor: int | None = None
    flight_left_at_anchor: int | None = None


@dataclass(frozen=True)
class ActionIdea:
    """One conversion action. `ratio`: share of all conversions (primary) or multiple of them (secondary)."""

    name: str
    category: Literal["purchase", "lead", "signup", "add_to_cart", "page_view", "call", "other"]
    ratio: float
    is_primary: bool = False


@dataclass(frozen=True)
class PlanIdea:
    """A plan for a part of the advertiser: one account, or the campaigns of it with a theme in `campaigns`."""

    name: str
    platform: str
    campaigns: tuple[str, ...] = ()
    is_hard_cap: bool = False


@dataclass(frozen=True)
class AccountProfile:
    """One platform account. `click_cost`: typical cost of a click. `units_per_base`: account currency units for one base unit."""

    platform: str
    spend_share: float
    click_cost: float
    campaigns: tuple[CampaignIdea, ...]
    currency: str
    units_per_base: float = 1.0
    settle_lag_hours: int = 3


@dataclass(frozen=True)
class AdvertiserProfile:
    """One advertiser. `daily_spend` per average day; `trend`: growth of spend over a year (0.1 = 10 %)."""

    advertiser: Advertiser
    vertical: Vertical
    daily_spend: float
    order_value: float
    accounts: tuple[AccountProfile, ...]
    actions: tuple[ActionIdea, ...]
    regions: tuple[str, ...]
    devices: tuple[str, ...] = ("mobile", "desktop")
    adgroups_per_campaign: int | None = None
    ads_per_adgroup: int | None = None
    trend: float = 0.08
    plan_period: Literal["month", "four_weeks"] = "month"
    plans: tuple[PlanIdea, ...] = ()
    odd_ad_names: tuple[str, ...] = ()
    site: str = "https://shop.example"
    incidents: tuple[Incident, ...] = field(default=())
