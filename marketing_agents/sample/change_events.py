"""Who changed what: a trickle of everyday changes, and the changes behind planted incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from marketing_agents.sample.columns import Constant, build_table
from marketing_agents.sample.structure_tables import NEW_PAGE, budget_changes, landing_page, lost_exclusion

if TYPE_CHECKING:
    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.structure import Account

_PER_DAY = 0.35
_PEOPLE = ("maya.lindqvist@agency.example", "tomas@agency.example", "automation")


@dataclass(frozen=True)
class _Change:
    day: date
    minute: int
    account: Account
    actor: str
    resource: str
    entity_id: str
    field: str
    old: str | None
    new: str | None


def change_events(facts: AdvertiserFacts) -> pa.Table:
    """One row per change; `date` is the day in the account's zone, `occurred_at` the instant."""
    changes = [
        change for change in (*_everyday(facts), *_budgets(facts), *_planted(facts)) if facts.spec.start <= change.day <= facts.spec.end
    ]
    changes.sort(key=lambda c: (c.day, c.account.account_id, c.minute, c.entity_id, c.field))
    return build_table(
        "change_events",
        len(changes),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": [c.day for c in changes],
            "event_id": [f"{c.account.account_id}-{c.day:%Y%m%d}-{c.minute:04d}-{c.entity_id}-{c.field}" for c in changes],
            "platform": [c.account.platform for c in changes],
            "account_id": [c.account.account_id for c in changes],
            "occurred_at": [_instant(c) for c in changes],
            "actor": [c.actor for c in changes],
            "client_type": ["API" if c.actor == "automation" else "WEB" for c in changes],
            "resource_type": [c.resource for c in changes],
            "entity_id": [c.entity_id for c in changes],
            "field": [c.field for c in changes],
            "old_value": [c.old for c in changes],
            "new_value": [c.new for c in changes],
        },
    )


def _instant(change: _Change) -> datetime:
    # Office hours: never inside a clock change.
    local = datetime.combine(change.day, time(9), tzinfo=ZoneInfo(change.account.time_zone)) + timedelta(minutes=change.minute)
    return local.astimezone(UTC)


def _everyday(facts: AdvertiserFacts) -> list[_Change]:
    changes: list[_Change] = []
    ads_of_account: dict[int, list[int]] = {}
    for position, ad in enumerate(facts.structure.ads):
        ads_of_account.setdefault(facts.structure.campaigns[facts.structure.adgroups[ad.adgroup].campaign].account, []).append(position)
    for day in facts.dates:
        draw = facts.streams.of("changes", day)
        for number, account in enumerate(facts.structure.accounts):
            for nth in range(int(draw.poisson(_PER_DAY))):
                ad = facts.structure.ads[ads_of_account[number][int(draw.integers(len(ads_of_account[number])))]]
                actor = _PEOPLE[int(draw.integers(len(_PEOPLE)))]
                version = int(draw.integers(1, 9))
                changes.append(
                    _Change(
                        day,
                        int(draw.integers(60)) * 8 + nth,
                        account,
                        actor,
                        "ad",
                        ad.ad_id,
                        "headline",
                        f"Line {version}",
                        f"Line {version + 1}",
                    )
                )
    return changes


def _budgets(facts: AdvertiserFacts) -> list[_Change]:
    """Every change of a daily budget, whoever's idea it was."""
    structure = facts.structure
    return [
        _Change(
            day, 35, structure.account_of(campaign), _PEOPLE[0], "budget", campaign.campaign_id, "daily_budget", f"{old:.0f}", f"{new:.0f}"
        )
        for position, campaign in enumerate(structure.campaigns)
        for day, old, new in budget_changes(facts, position)
    ]


def _planted(facts: AdvertiserFacts) -> list[_Change]:
    changes: list[_Change] = []
    structure, site = facts.structure, facts.profile.site
    for incident in facts.incidents:
        for position in incident.campaigns:
            campaign = structure.campaigns[position]
            account = structure.account_of(campaign)
            if incident.kind == "cost_per_conversion_rises":
                ads = [ad for group in structure.adgroups_of(position) for ad in structure.ads_of(group)]
                changes += [
                    _Change(
                        incident.first,
                        62,
                        account,
                        _PEOPLE[1],
                        "ad",
                        structure.ads[i].ad_id,
                        "final_url",
                        f"{landing_page(facts, position)}?ad={i}",
                        f"{site}/{NEW_PAGE}?ad={i}",
                    )
                    for i in ads
                ]
            elif lost_exclusion(incident):
                changes.append(
                    _Change(
                        incident.first,
                        140,
                        account,
                        _PEOPLE[2],
                        "campaign",
                        campaign.campaign_id,
                        "excluded_audiences",
                        "Buyers 180 d",
                        None,
                    )
                )
    return changes
