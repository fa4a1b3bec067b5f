"""Accounts, campaigns, ad groups, ads and conversion actions, with their history as known on the last day written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from marketing_agents.sample.columns import Constant, build_table, money
from marketing_agents.sample.delivery import BUDGET_AIR
from marketing_agents.sample.facts import ORDERS_PER_CONVERSION, AdvertiserFacts
from marketing_agents.sample.plans import is_live, lifetime_budget
from marketing_agents.sample.segments import home_countries
from marketing_agents.sample.structure import SEARCH_PLATFORMS, Account, Ad, Campaign

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from marketing_agents.sample.incidents.placed import PlacedIncident

_TYPES = {
    "brand": "SEARCH",
    "generic": "SEARCH",
    "shopping": "SHOPPING",
    "prospecting": "DEMAND_GEN",
    "retargeting": "DISPLAY",
    "other": "SEARCH",
}

_NEW_CREATIVE_EVERY = {"tiktok_ads": 7, "meta_ads": 14, "pinterest_ads": 21, "linkedin_ads": 28, "google_ads": 60, "microsoft_ads": 60}
"""Days between two new creatives of an ad group."""

NEW_PAGE = "new-checkout"

T = TypeVar("T")


@dataclass(frozen=True)
class _Version(Generic[T]):
    """An entity from `valid_from` until before `valid_to` (None = still)."""

    entity: T
    position: int
    created: date
    valid_from: date
    valid_to: date | None


def _versions(entity: T, position: int, created: date, changes: Sequence[date], end: date) -> list[_Version[T]]:
    """One version per period between changes; what comes after `end` is not known yet."""
    if created > end:
        return []
    starts = [created, *sorted({day for day in changes if created < day <= end})]
    ends: list[date | None] = [*starts[1:], None]
    return [_Version(entity, position, created, first, after) for first, after in zip(starts, ends, strict=True)]


PREPAID_PLATFORMS = frozenset({"tiktok_ads"})


def _prepaid_balance(facts: AdvertiserFacts, account: Account) -> float | None:
    """Somebody pays in for a month or two at a time, and looks after it well before it ends."""
    if account.platform not in PREPAID_PLATFORMS:
        return None
    spend_per_day = facts.profile.daily_spend * account.profile.spend_share * account.profile.units_per_base
    return spend_per_day * float(facts.streams.of("prepaid balance").uniform(25, 60))


def platform_accounts(facts: AdvertiserFacts) -> pa.Table:
    """One row per account."""
    accounts = facts.structure.accounts
    spent = [facts.profile.daily_spend * a.profile.spend_share * a.profile.units_per_base * facts.spec.days for a in accounts]
    return build_table(
        "platform_accounts",
        len(accounts),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "platform": [a.platform for a in accounts],
            "account_id": [a.account_id for a in accounts],
            "name": [a.name for a in accounts],
            "account_status": Constant("active"),
            "account_status_raw": ["1" if a.platform == "meta_ads" else "ENABLED" for a in accounts],
            "currency_code": [a.profile.currency for a in accounts],
            "time_zone": [a.time_zone for a in accounts],
            "settle_lag_hours": [a.profile.settle_lag_hours for a in accounts],
            "auto_tagging": [True if a.platform in SEARCH_PLATFORMS else None for a in accounts],
            "amount_spent": money([float(round(amount)) for amount in spent]),
            "payment_failed": Constant(value=False),
            "spend_cap": money(
                [float(round(2.5 * amount, -2)) if a.platform == "meta_ads" else None for a, amount in zip(accounts, spent, strict=True)]
            ),
            "funding_type": ["prepaid" if a.platform in PREPAID_PLATFORMS else "postpaid" for a in accounts],
            "balance": money([_prepaid_balance(facts, a) for a in accounts]),
            "auto_top_up": [False if a.platform in PREPAID_PLATFORMS else None for a in accounts],
            "is_test": Constant(value=False),
        },
    )


def _incidents(facts: AdvertiserFacts, kind: str, campaign: int, day: date) -> list[PlacedIncident]:
    return [i for i in facts.incidents if i.kind == kind and campaign in i.campaigns and i.covers(day)]


def lost_exclusion(incident: PlacedIncident) -> bool:
    """Large leaks come from an exclusion list that is gone, small ones from one that forgets too early."""
    return incident.kind == "existing_customers" and incident.size >= 0.4


def daily_budget(facts: AdvertiserFacts, campaign: int, day: date) -> float:
    """Daily budget of a campaign on a day, account currency; before the first day written as on that day."""
    factor = facts.effects.budget[max(0, (day - facts.spec.start).days), campaign]
    entity = facts.structure.campaigns[campaign]
    return float(round(entity.daily_spend * facts.structure.account_of(entity).profile.units_per_base * BUDGET_AIR * factor))


def budget_changes(facts: AdvertiserFacts, campaign: int) -> list[tuple[date, float, float]]:
    """(day, old, new) daily budget for each change while the campaign lives on one."""
    import numpy as np

    if facts.structure.campaigns[campaign].flight_end:
        return []
    days = [facts.dates[i + 1] for i in np.flatnonzero(np.diff(facts.effects.budget[:, campaign]))]
    return [
        (day, daily_budget(facts, campaign, day - timedelta(days=1)), daily_budget(facts, campaign, day))
        for day in days
        if is_live(facts.structure.campaigns[campaign], day) and day > facts.structure.campaigns[campaign].launched
    ]


def campaigns(facts: AdvertiserFacts) -> pa.Table:
    """Campaigns with their history: paused, budget raised, exclusion lost."""
    versions: list[_Version[Campaign]] = []
    for position, campaign in enumerate(facts.structure.campaigns):
        changes = [i.first for i in facts.incidents if position in i.campaigns and lost_exclusion(i)]
        changes += [day for day, _, _ in budget_changes(facts, position)]
        changes += [campaign.paused] if campaign.paused else []
        versions += _versions(campaign, position, campaign.launched, changes, facts.spec.end)
    accounts = [facts.structure.account_of(v.entity) for v in versions]
    lifetime = [lifetime_budget(facts.profile, v.entity, facts.spec.anchor_day) for v in versions]
    return build_table(
        "campaigns",
        len(versions),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "platform": [a.platform for a in accounts],
            "account_id": [a.account_id for a in accounts],
            "campaign_id": [v.entity.campaign_id for v in versions],
            "name": [v.entity.name for v in versions],
            "objective": ["LEADS" if facts.profile.vertical != "retail" else "SALES" for _ in versions],
            "campaign_type": [
                _TYPES[v.entity.idea.role] if a.platform in SEARCH_PLATFORMS else "AUCTION" for v, a in zip(versions, accounts, strict=True)
            ],
            "role": [v.entity.idea.role for v in versions],
            "status": ["enabled" if is_live(v.entity, v.valid_from) else "paused" for v in versions],
            "serving_status": ["SERVING" if is_live(v.entity, v.valid_from) else "NONE" for v in versions],
            "start_date": [v.entity.launched for v in versions],
            "end_date": [v.entity.flight_end for v in versions],
            "daily_budget": money([None if v.entity.flight_end else daily_budget(facts, v.position, v.valid_from) for v in versions]),
            "lifetime_budget": money(
                [
                    None if total is None else float(round(total * a.profile.units_per_base))
                    for total, a in zip(lifetime, accounts, strict=True)
                ]
            ),
            "budget_id": [f"b-{v.entity.campaign_id}" for v in versions],
            "budget_shared": Constant(value=False),
            "bid_strategy": ["TARGET_CPA" if v.entity.target_cpa else "MAXIMIZE_CONVERSIONS" for v in versions],
            "target_cpa": money(
                [
                    None if v.entity.target_cpa is None else v.entity.target_cpa * a.profile.units_per_base
                    for v, a in zip(versions, accounts, strict=True)
                ]
            ),
            "has_purchaser_exclusion": [_has_exclusion(facts, v) for v in versions],
            "allowed_geos": [list(home_countries(facts)) for _ in versions],
            "special_ad_category": Constant(value=False),
            "labels": [["always-on"] if v.entity.idea.weight >= 0.1 else [] for v in versions],
            "currency_code": [a.profile.currency for a in accounts],
            "valid_from": [v.valid_from for v in versions],
            "valid_to": [v.valid_to for v in versions],
        },
    )


def _has_exclusion(facts: AdvertiserFacts, version: _Version[Campaign]) -> bool | None:
    if version.entity.idea.role != "prospecting":
        return None
    return not any(lost_exclusion(i) for i in _incidents(facts, "existing_customers", version.position, version.valid_from))


def adgroups(facts: AdvertiserFacts) -> pa.Table:
    """Ad groups; they live as long as their campaign."""
    structure = facts.structure
    groups = [g for g in structure.adgroups if structure.campaigns[g.campaign].launched <= facts.spec.end]
    parents = [structure.campaigns[g.campaign] for g in groups]
    accounts = [structure.account_of(parent) for parent in parents]
    return build_table(
        "adgroups",
        len(groups),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "platform": [a.platform for a in accounts],
            "account_id": [a.account_id for a in accounts],
            "campaign_id": [parent.campaign_id for parent in parents],
            "adgroup_id": [g.adgroup_id for g in groups],
            "name": [g.name for g in groups],
            "status": Constant("enabled"),
            "optimization_goal": [None if a.platform in SEARCH_PLATFORMS else "OFFSITE_CONVERSIONS" for a in accounts],
            "attribution_setting": [None if a.platform in SEARCH_PLATFORMS else "7d_click" for a in accounts],
            "is_dynamic_creative": Constant(value=False),
            "audience_ids": [list(g.audience_ids) for g in groups],
            "labels": [[] for _ in groups],
            "valid_from": [parent.launched for parent in parents],
        },
    )


def new_landing_page(facts: AdvertiserFacts, campaign: int) -> date | None:
    """Since when the campaign's ads lead to another page: the hidden cause where cost per conversion rises."""
    return next((i.first for i in facts.incidents if i.kind == "cost_per_conversion_rises" and i.index == campaign), None)


def ads(facts: AdvertiserFacts) -> pa.Table:
    """Ads with their history: paused, led to another page."""
    structure = facts.structure
    versions: list[_Version[Ad]] = []
    for position, ad in enumerate(structure.ads):
        campaign = structure.adgroups[ad.adgroup].campaign
        changes = [day for day in (ad.paused, new_landing_page(facts, campaign)) if day] + creative_days(facts, position)
        versions += _versions(ad, position, structure.campaigns[campaign].launched, changes, facts.spec.end)
    groups = [structure.adgroups[v.entity.adgroup] for v in versions]
    parents = [structure.campaigns[g.campaign] for g in groups]
    accounts = [structure.account_of(parent) for parent in parents]
    is_rsa = [v.entity.format == "rsa" for v in versions]
    renewed = [_creative_since(facts, v) for v in versions]
    return build_table(
        "ads",
        len(versions),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "platform": [a.platform for a in accounts],
            "account_id": [a.account_id for a in accounts],
            "campaign_id": [parent.campaign_id for parent in parents],
            "adgroup_id": [g.adgroup_id for g in groups],
            "ad_id": [v.entity.ad_id for v in versions],
            "name": [v.entity.name for v in versions],
            "format": [v.entity.format for v in versions],
            "status": ["paused" if v.entity.paused and v.valid_from >= v.entity.paused else "enabled" for v in versions],
            "approval_status": Constant("approved"),
            "policy_topics": [[] for _ in versions],
            "ad_strength": [
                ("good", "excellent", "good")[v.position % 3] if rsa else None for v, rsa in zip(versions, is_rsa, strict=True)
            ],
            "n_headlines": [10 + v.position % 6 if rsa else None for v, rsa in zip(versions, is_rsa, strict=True)],
            "n_descriptions": [3 + v.position % 2 if rsa else None for v, rsa in zip(versions, is_rsa, strict=True)],
            "final_url": [_landing_page(facts, v, g.campaign) for v, g in zip(versions, groups, strict=True)],
            "creative_id": [
                f"c-{v.entity.ad_id}" + (f"-{since:%y%m%d}" if since else "") for v, since in zip(versions, renewed, strict=True)
            ],
            "first_serve_date": [v.created for v in versions],
            "created_date": [parent.launched for parent in parents],
            "creative_since": renewed,
            "valid_from": [v.valid_from for v in versions],
            "valid_to": [v.valid_to for v in versions],
        },
    )


def creative_days(facts: AdvertiserFacts, position: int) -> list[date]:
    """Days on which an ad gets a new creative: the live ads of an ad group take turns, often enough for their platform."""
    structure, anchor = facts.structure, facts.spec.anchor_day
    group = structure.ads[position].adgroup
    campaign = structure.campaigns[structure.adgroups[group].campaign]
    live = facts.live_ads[group]
    if position not in live:
        return []
    every = _NEW_CREATIVE_EVERY.get(structure.account_of(campaign).platform, 30)
    # Never on the morning after the anchor: the demo's next day shows the same lists.
    last = anchor - timedelta(days=group % (every - 1))
    first_turn, last_turn = -((last - campaign.launched).days // every), (facts.spec.end - last).days // every
    turns = range(first_turn, last_turn + 1)
    return [last + timedelta(days=turn * every) for turn in turns if live[turn % len(live)] == position]


def _creative_since(facts: AdvertiserFacts, version: _Version[Ad]) -> date | None:
    return max((day for day in creative_days(facts, version.position) if day <= version.valid_from), default=None)


def _landing_page(facts: AdvertiserFacts, version: _Version[Ad], campaign: int) -> str:
    changed = new_landing_page(facts, campaign)
    page = f"{facts.profile.site}/{NEW_PAGE}" if changed and version.valid_from >= changed else landing_page(facts, campaign)
    return f"{page}?ad={version.position}"


def landing_page(facts: AdvertiserFacts, campaign: int) -> str:
    """The page, without query, that the campaign's ads lead to from the beginning."""
    return f"{facts.profile.site}/{facts.structure.campaigns[campaign].idea.role}-{campaign + 1}"


def conversion_actions(facts: AdvertiserFacts) -> pa.Table:
    """The actions of every account."""
    rows = [(account, action) for account in facts.structure.accounts for action in account.actions]
    is_sale = [action.idea.category == "purchase" for _, action in rows]
    value = facts.profile.order_value * ORDERS_PER_CONVERSION[facts.profile.vertical]
    return build_table(
        "conversion_actions",
        len(rows),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "platform": [account.platform for account, _ in rows],
            "account_id": [account.account_id for account, _ in rows],
            "conversion_action_id": [action.action_id for _, action in rows],
            "name": [action.idea.name for _, action in rows],
            "category": [action.idea.category for _, action in rows],
            "origin": Constant("website"),
            "status": Constant("enabled"),
            "is_primary": [action.idea.is_primary for _, action in rows],
            "counting_type": ["every" if sale else "one" for sale in is_sale],
            "click_window_days": [30 if account.platform in SEARCH_PLATFORMS else 7 for account, _ in rows],
            "view_window_days": [1 for _ in rows],
            "attribution_model": ["DATA_DRIVEN" if account.platform == "google_ads" else "LAST_TOUCH" for account, _ in rows],
            "value_mode": [
                "dynamic" if sale else "static" if action.idea.is_primary else "none"
                for sale, (_, action) in zip(is_sale, rows, strict=True)
            ],
            "default_value": money(
                [
                    value * account.profile.units_per_base if action.idea.is_primary and action.idea.category != "purchase" else None
                    for account, action in rows
                ]
            ),
            "currency_code": [account.profile.currency for account, _ in rows],
            "valid_from": [facts.spec.anchor_day - timedelta(days=500) for _ in rows],
        },
    )
