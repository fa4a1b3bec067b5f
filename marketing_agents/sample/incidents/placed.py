"""Placed incidents, as absolute dates and entity ids, and the ways to place one.

`effects.py` and the tables read them; `truth.py` writes the same list down for people and tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketing_agents.sample.profile import AdvertiserProfile, Incident
    from marketing_agents.sample.structure import Account, Structure


@dataclass(frozen=True)
class PlacedIncident:
    """One incident on one entity. `kind`: name of its class. `last` is None while it goes on. `index`: position of the entity in its
    `Structure` list. `campaigns`: positions of the campaigns it touches.
    """

    incident_id: str
    kind: str
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

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class Place:
    """Where incidents are placed: one advertiser of an agency."""

    profile: AdvertiserProfile
    structure: Structure
    anchor: date
    start: date

    def days_before(self, days: int) -> date:
        return self.anchor - timedelta(days=days)


def placed(
    place: Place,
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
    """An incident on any entity."""
    account_id = account.account_id if account else "NA"
    return PlacedIncident(
        # Some ids repeat over accounts (an action of the same name), so the account is part of it.
        incident_id=f"{incident.kind}|{place.profile.advertiser.id}|{account_id}|{entity_id}",
        kind=incident.kind,
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


def on_campaign(place: Place, incident: Incident, *, first: date, unit: str, sentence: str, last: date | None = None) -> PlacedIncident:
    """On the campaign that the incident names."""
    index = place.structure.find_campaign(incident.platform, incident.campaign)
    campaign = place.structure.campaigns[index]
    return placed(
        place,
        incident,
        entity_type="campaign",
        entity_id=campaign.campaign_id,
        entity_name=campaign.name,
        account=place.structure.account_of(campaign),
        first=first,
        last=last,
        unit=unit,
        sentence=sentence,
        index=index,
        campaigns=(index,),
    )


def on_adgroup(place: Place, incident: Incident, *, first: date, unit: str, sentence: str, last: date | None = None) -> PlacedIncident:
    """On the first ad group of the campaign that the incident names."""
    campaign = place.structure.find_campaign(incident.platform, incident.campaign)
    index = place.structure.adgroups_of(campaign)[0]
    group = place.structure.adgroups[index]
    return placed(
        place,
        incident,
        entity_type="adgroup",
        entity_id=group.adgroup_id,
        entity_name=group.name,
        account=place.structure.account_of(place.structure.campaigns[campaign]),
        first=first,
        last=last,
        unit=unit,
        sentence=sentence,
        index=index,
        campaigns=(campaign,),
    )


def on_ad(place: Place, incident: Incident, *, first: date, unit: str, sentence: str, last: date | None = None) -> PlacedIncident:
    """On the first ad of the first ad group of the campaign that the incident names."""
    campaign = place.structure.find_campaign(incident.platform, incident.campaign)
    index = place.structure.ads_of(place.structure.adgroups_of(campaign)[0])[0]
    ad = place.structure.ads[index]
    return placed(
        place,
        incident,
        entity_type="ad",
        entity_id=ad.ad_id,
        entity_name=ad.name,
        account=place.structure.account_of(place.structure.campaigns[campaign]),
        first=first,
        last=last,
        unit=unit,
        sentence=sentence,
        index=index,
        campaigns=(campaign,),
    )


def on_account(place: Place, incident: Incident, *, first: date, unit: str, sentence: str, last: date | None = None) -> PlacedIncident:
    """On the platform account that the incident names."""
    index = place.structure.find_account(incident.platform)
    account = place.structure.accounts[index]
    return placed(
        place,
        incident,
        entity_type="platform_account",
        entity_id=account.account_id,
        entity_name=account.name,
        account=account,
        first=first,
        last=last,
        unit=unit,
        sentence=sentence,
        index=index,
    )
