"""Accounts, campaigns, ad groups, ads and conversion actions, with their history as known on the last day written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from marketing_agents.sample.columns import Constant, build_table, money
from marketing_agents.sample.facts import ORDERS_PER_CONVERSION, AdvertiserFacts
from marketing_agents.sample.performance_tables import BUDGET_AIR
from marketing_agents.sample.plans import is_live
from marketing_agents.sample.profile import Trouble
from marketing_agents.sample.structure import SEARCH_PLATFORMS, Ad, Campaign

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from marketing_agents.sample.incidents import PlacedIncident

_TYPES = {
    "brand": "SEARCH",
    "generic": "SEARCH",
    "shopping": "SHOPPING",
    "prospecting": "DEMAND_GEN",
    "retargeting": "DISPLAY",
    "other": "SEARCH",
}

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
            "is_test": Constant(value=False),
        },
    )


def _incidents(facts: AdvertiserFacts, trouble: Trouble, campaign: int, day: date) -> list[PlacedIncident]:
    return [i for i in facts.incidents if i.trouble is trouble and campaign in i.campaigns and i.covers(day)]


def lost_exclusion(incident: PlacedIncident) -> bool:
    """Large leaks come from an exclusion list that is gone, small ones from one that forgets too early."""
    return incident.trouble is Trouble.EXISTING_CUSTOMERS and incident.size >= 0.4


def campaigns(facts: AdvertiserFacts) -> pa.Table:
    """Campaigns with their history: paused, budget raised, exclusion lost."""
    versions: list[_Version[Campaign]] = []
    for position, campaign in enumerate(facts.structure.campaigns):
        changes = [
            i.first for i in facts.incidents if position in i.campaigns and (i.trouble is Trouble.AHEAD_OF_PLAN or lost_exclusion(i))
        ]
        changes += [campaign.paused] if campaign.paused else []
        versions += _versions(campaign, position, campaign.launched, changes, facts.spec.end)
    accounts = [facts.structure.account_of(v.entity) for v in versions]
    budgets = []
    for v, account in zip(versions, accounts, strict=True):
        raised = [i.size for i in _incidents(facts, Trouble.AHEAD_OF_PLAN, v.position, v.valid_from)]
        budgets.append(float(round(v.entity.daily_spend * account.profile.units_per_base * BUDGET_AIR * (raised[0] if raised else 1))))
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
            "daily_budget": money(budgets),
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
            "labels": [["always-on"] if v.entity.idea.weight >= 0.1 else [] for v in versions],
            "currency_code": [a.profile.currency for a in accounts],
            "valid_from": [v.valid_from for v in versions],
            "valid_to": [v.valid_to for v in versions],
        },
    )


def _has_exclusion(facts: AdvertiserFacts, version: _Version[Campaign]) -> bool | None:
    if version.entity.idea.role != "prospecting":
        return None
    return not any(lost_exclusion(i) for i in _incidents(facts, Trouble.EXISTING_CUSTOMERS, version.position, version.valid_from))


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
    return next((i.first for i in facts.incidents if i.trouble is Trouble.COST_PER_CONVERSION_RISES and i.index == campaign), None)


def ads(facts: AdvertiserFacts) -> pa.Table:
    """Ads with their history: paused, led to another page."""
    structure = facts.structure
    versions: list[_Version[Ad]] = []
    for position, ad in enumerate(structure.ads):
        campaign = structure.adgroups[ad.adgroup].campaign
        changes = [day for day in (ad.paused, new_landing_page(facts, campaign)) if day]
        versions += _versions(ad, position, structure.campaigns[campaign].launched, changes, facts.spec.end)
    groups = [structure.adgroups[v.entity.adgroup] for v in versions]
    parents = [structure.campaigns[g.campaign] for g in groups]
    accounts = [structure.account_of(parent) for parent in parents]
    is_rsa = [v.entity.format == "rsa" for v in versions]
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
                ("good", "excellent", "average")[v.position % 3] if rsa else None for v, rsa in zip(versions, is_rsa, strict=True)
            ],
            "n_headlines": [10 + v.position % 6 if rsa else None for v, rsa in zip(versions, is_rsa, strict=True)],
            "n_descriptions": [3 + v.position % 2 if rsa else None for v, rsa in zip(versions, is_rsa, strict=True)],
            "final_url": [_landing_page(facts, v, g.campaign) for v, g in zip(versions, groups, strict=True)],
            "creative_id": [f"c-{v.entity.ad_id}" for v in versions],
            "first_serve_date": [v.created for v in versions],
            "created_date": [parent.launched for parent in parents],
            "valid_from": [v.valid_from for v in versions],
            "valid_to": [v.valid_to for v in versions],
        },
    )


def _landing_page(facts: AdvertiserFacts, version: _Version[Ad], campaign: int) -> str:
    changed = new_landing_page(facts, campaign)
    return f"{facts.profile.site}/{'new-checkout' if changed and version.valid_from >= changed else 'start'}?ad={version.position}"


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
