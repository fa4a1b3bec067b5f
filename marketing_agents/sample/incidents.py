"""What goes wrong in the sample agency, since when and where: the placed incidents, as absolute dates and entity ids.

`delivery.py` reads the effects from here; `truth.py` writes the same list down for people and tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.plans import plans
from marketing_agents.sample.profile import AdvertiserProfile, Incident, Trouble
from marketing_agents.sample.rhythm import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketing_agents.sample.structure import Account, Structure

RULES: dict[Trouble, tuple[str, ...]] = {
    Trouble.COST_PER_CONVERSION_RISES: ("MEDIA-001",),
    Trouble.ONE_AD_TAKES_ALL: ("CREATIVE-004",),
    Trouble.AHEAD_OF_PLAN: ("BUDGET-001",),
    Trouble.EXISTING_CUSTOMERS: ("AUD-006",),
    Trouble.CONVERSIONS_STOP: ("CONV-001",),
    Trouble.ROWS_MISSING: ("PLAT-004",),
    Trouble.PEAK_IGNORED: ("SEAS-001",),
}


@dataclass(frozen=True)
class PlacedIncident:
    """One incident on one entity. `last` is None while it goes on. `index`: position of the entity in its `Structure` list."""

    incident_id: str
    trouble: Trouble
    advertiser_id: str
    entity_type: str
    entity_id: str
    entity_name: str
    platform: str
    account_id: str
    first: date
    last: date | None
    size: float
    unit: str
    sentence: str
    index: int = -1
    campaigns: tuple[int, ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        return RULES[self.trouble]

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class _Place:
    profile: AdvertiserProfile
    structure: Structure
    anchor: date
    start: date

    def days_before(self, days: int) -> date:
        return self.anchor - timedelta(days=days)


def place_incidents(profile: AdvertiserProfile, structure: Structure, anchor: date, start: date) -> tuple[PlacedIncident, ...]:
    """The incidents of one advertiser.

    Raises:
        ValueError: an incident names an account or campaign that the profile does not have.
    """
    place = _Place(profile, structure, anchor, start)
    return tuple(_PLACERS[incident.trouble](place, incident) for incident in profile.incidents)


def _placed(
    place: _Place,
    incident: Incident,
    *,
    entity_type: str,
    entity_id: str,
    entity_name: str,
    first: date,
    unit: str,
    sentence: str,
    account: Account | None = None,
    last: date | None = None,
    index: int = -1,
    campaigns: tuple[int, ...] = (),
) -> PlacedIncident:
    account_id = account.account_id if account else "NA"
    return PlacedIncident(
        # Some ids repeat over accounts (an action of the same name), so the account is part of it.
        incident_id=f"{incident.trouble}|{place.profile.advertiser.id}|{account_id}|{entity_id}",
        trouble=incident.trouble,
        advertiser_id=place.profile.advertiser.id,
        entity_type=entity_type,
        entity_id=entity_id,
        entity_name=entity_name,
        platform=account.platform if account else "NA",
        account_id=account_id,
        first=first,
        last=last,
        size=incident.size,
        unit=unit,
        sentence=sentence,
        index=index,
        campaigns=campaigns,
    )


def _cost_rises(place: _Place, incident: Incident) -> PlacedIncident:
    first = place.days_before(11)
    return _on_campaign(
        place,
        incident,
        first=first,
        unit="multiple of the normal conversion rate",
        sentence=f"conversion rate falls to {incident.size:.2f} of normal on {first}, so a conversion costs about x{1 / incident.size:.1f}",
    )


def _existing_customers(place: _Place, incident: Incident) -> PlacedIncident:
    first = place.days_before(34)
    return _on_campaign(
        place,
        incident,
        first=first,
        unit="share of orders",
        sentence=f"{incident.size:.0%} of the orders of this prospecting campaign are by existing customers since {first}",
    )


def _on_campaign(place: _Place, incident: Incident, *, first: date, unit: str, sentence: str) -> PlacedIncident:
    index = place.structure.find_campaign(incident.platform, incident.campaign)
    campaign = place.structure.campaigns[index]
    return _placed(
        place,
        incident,
        entity_type="campaign",
        entity_id=campaign.campaign_id,
        entity_name=campaign.name,
        account=place.structure.account_of(campaign),
        first=first,
        unit=unit,
        sentence=sentence,
        index=index,
        campaigns=(index,),
    )


def _one_ad_takes_all(place: _Place, incident: Incident) -> PlacedIncident:
    campaign = place.structure.find_campaign(incident.platform, incident.campaign)
    index = place.structure.adgroups_of(campaign)[0]
    group = place.structure.adgroups[index]
    top = place.structure.ads[place.structure.ads_of(index)[0]]
    first = place.days_before(19)
    return _placed(
        place,
        incident,
        entity_type="adgroup",
        entity_id=group.adgroup_id,
        entity_name=group.name,
        account=place.structure.account_of(place.structure.campaigns[campaign]),
        first=first,
        unit="share of spend",
        sentence=f"ad {top.ad_id} takes {incident.size:.0%} of the ad group's spend since {first} although its click rate is not better",
        index=index,
        campaigns=(campaign,),
    )


def _ahead_of_plan(place: _Place, incident: Incident) -> PlacedIncident:
    scope = "campaigns" if incident.campaign else "advertiser"
    plan = next(
        plan
        for plan in plans(place.profile, place.structure, place.anchor, place.start)
        if plan.scope == scope and plan.first <= place.anchor <= plan.last and (not incident.campaign or incident.campaign in plan.themes)
    )
    return _placed(
        place,
        incident,
        entity_type="budget_plan",
        entity_id=plan.plan_id,
        entity_name=plan.name,
        first=plan.first,
        unit="multiple of the planned spend",
        sentence=f"spend runs at x{incident.size:.2f} of plan {plan.name!r} since the period began on {plan.first}",
        campaigns=plan.campaigns,
    )


def _conversions_stop(place: _Place, incident: Incident) -> PlacedIncident:
    index = place.structure.find_account(incident.platform)
    account = place.structure.accounts[index]
    action = account.primary_actions[0]
    first = place.days_before(int(incident.size) - 1)
    return _placed(
        place,
        incident,
        entity_type="conversion_action",
        entity_id=action.action_id,
        entity_name=action.idea.name,
        account=account,
        first=first,
        last=place.anchor,
        unit="days",
        sentence=f"primary action {action.idea.name!r} records nothing from {first} to {place.anchor} while clicks are normal",
        index=index,
    )


def _rows_missing(place: _Place, incident: Incident) -> PlacedIncident:
    index = place.structure.find_account(incident.platform)
    account = place.structure.accounts[index]
    first = place.days_before(int(incident.size) - 1)
    return _placed(
        place,
        incident,
        entity_type="platform_account",
        entity_id=account.account_id,
        entity_name=account.name,
        account=account,
        first=first,
        last=place.anchor,
        unit="days",
        sentence=f"no rows of the account from {first} to {place.anchor}",
        index=index,
    )


def _peak_ignored(place: _Place, incident: Incident) -> PlacedIncident:
    event = next(e for e in events(place.profile, place.anchor, with_incidents=True) if e.event_id.endswith("-peak"))
    return _placed(
        place,
        incident,
        entity_type="calendar_event",
        entity_id=event.event_id,
        entity_name=event.name,
        # The rule looks 7 to 21 days ahead, so it can be seen on these days.
        first=event.first - timedelta(days=21),
        last=event.first - timedelta(days=7),
        unit="orders / normal",
        sentence=f"orders are expected at x{incident.size:.1f} from {event.first} to {event.last}, the plans are flat",
    )


_PLACERS: dict[Trouble, Callable[[_Place, Incident], PlacedIncident]] = {
    Trouble.COST_PER_CONVERSION_RISES: _cost_rises,
    Trouble.ONE_AD_TAKES_ALL: _one_ad_takes_all,
    Trouble.AHEAD_OF_PLAN: _ahead_of_plan,
    Trouble.EXISTING_CUSTOMERS: _existing_customers,
    Trouble.CONVERSIONS_STOP: _conversions_stop,
    Trouble.ROWS_MISSING: _rows_missing,
    Trouble.PEAK_IGNORED: _peak_ignored,
}
