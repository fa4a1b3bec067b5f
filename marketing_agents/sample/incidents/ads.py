"""What goes wrong with single ads, the pages they lead to and the products they show."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.incidents.kind import IncidentKind
from marketing_agents.sample.incidents.placed import Place, PlacedIncident, on_account, placed
from marketing_agents.sample.structure import SEARCH_PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea, Incident
    from marketing_agents.sample.structure import Ad, Structure

_HEALTHY_VIEWS = 0.6
_RESULTS_A_DAY = 25
_HEADLINES_OF_A_GOOD_AD = 8
_HEADLINES_OF_AN_AVERAGE_AD = 3


def _is_social(account: AccountProfile) -> bool:
    return account.platform not in SEARCH_PLATFORMS


def _on_ad_like(place: Place, incident: Incident, wanted: Callable[[Ad], bool], *, first: date, unit: str, sentence: str) -> PlacedIncident:
    """On the first ad of the campaign's first ad group that is as wanted (else its first ad)."""
    structure = place.structure
    campaign = structure.find_campaign(incident.platform, incident.campaign)
    ads = structure.ads_of(structure.adgroups_of(campaign)[0])
    index = next((i for i in ads if wanted(structure.ads[i])), ads[0])
    return placed(
        place,
        incident,
        entity_type="ad",
        entity_id=structure.ads[index].ad_id,
        entity_name=structure.ads[index].name,
        account=structure.account_of(structure.campaigns[campaign]),
        first=first,
        unit=unit,
        sentence=sentence,
        index=index,
        campaigns=(campaign,),
    )


class PeopleTireOfAnAd(IncidentKind):
    """Fewer and fewer new people are left, the same ones see the ad again and again and click less each week."""

    name = "people_tire_of_an_ad"
    rules = ("CREATIVE-001",)
    consequences = ("CREATIVE-002", "CREATIVE-006", "MEDIA-001", "MEDIA-003", "MEDIA-004", "MEDIA-006", "MEDIA-007")
    size_means = "click rate is multiplied by it every week"
    sizes = (0.9, 0.8, 0.7, 0.6, 0.5)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return _is_social(account) and campaign.role == "prospecting" and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(16 if incident.begins is None else incident.begins)
        return _on_ad_like(
            place,
            incident,
            lambda _: True,
            first=first,
            unit="multiple of the click rate of the week before",
            sentence=f"the ad runs out of new people from {first} on; its click rate falls to {incident.size:.2f} of the week before, every week",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        import numpy as np

        weeks = np.cumsum(during)[during] / 7
        effects.click_rate[during, incident.index] *= incident.size**weeks
        # In the end each person sees it 3 / size times a week: the sooner people tire, the fewer there were.
        views = _HEALTHY_VIEWS + (3 / incident.size - _HEALTHY_VIEWS) * np.minimum(1, weeks / 2)
        effects.reachable[during, incident.index] *= _HEALTHY_VIEWS / views


class OfferExpires(IncidentKind):
    """People still click the ad, but what it promises is over, so few buy."""

    name = "offer_expires"
    rules = ("CREATIVE-002",)
    consequences = ("CREATIVE-006", "MEDIA-001", "MEDIA-003", "MEDIA-004", "MEDIA-008")
    size_means = "conversion rate of the ad is multiplied by it"
    sizes = (0.8, 0.65, 0.5, 0.35, 0.2)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        # One ad of many must bring results enough that half of them can be told from bad luck.
        spend = profile.daily_spend * account.spend_share * campaign.weight
        results = spend / float(profile.advertiser.target_cpa) if profile.advertiser.target_cpa else 0.0
        return results >= _RESULTS_A_DAY and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(15 if incident.begins is None else incident.begins)
        return _on_ad_like(
            place,
            incident,
            lambda _: True,
            first=first,
            unit="multiple of the ad's conversion rate",
            sentence=f"the offer of the ad is over since {first}; its conversion rate is {incident.size:.2f} of what it was",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.ad_conversion_rate[during, incident.index] *= incident.size


class LosingVariant(IncidentKind):
    """One ad never won anybody over, and rotation keeps giving it its share."""

    name = "losing_variant"
    rules = ("CREATIVE-006",)
    consequences = ("CREATIVE-002",)
    size_means = "click rate of the ad is multiplied by it"
    sizes = (0.85, 0.7, 0.55, 0.45, 0.3)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        # Where clicks are paid for, few clicks cost nothing.
        return _is_social(account) and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = max(place.start, place.days_before(170 if incident.begins is None else incident.begins))
        return _on_ad_like(
            place,
            incident,
            lambda _: True,
            first=first,
            unit="multiple of a normal click rate",
            sentence=f"people scroll past this ad: its click rate is {incident.size:.2f} of what its siblings have, since {first}",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:
        effects.click_index[structure.ads_of(structure.ads[incident.index].adgroup)] = 1.0
        effects.click_rate[during, incident.index] *= incident.size


class SlowOpening(IncidentKind):
    """A new cut of the video opens with the logo."""

    name = "slow_opening"
    rules = ("CREATIVE-007",)
    size_means = "share of viewers who stay for 3 seconds is multiplied by it"
    sizes = (0.85, 0.72, 0.6, 0.45, 0.3)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return _is_social(account) and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(25 if incident.begins is None else incident.begins)
        return _on_ad_like(
            place,
            incident,
            lambda ad: ad.format in {"video", "spark"},
            first=first,
            unit="multiple of the usual share of viewers",
            sentence=f"the video opens with the logo since {first}; {incident.size:.0%} of the usual viewers stay for 3 seconds",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.hook_rate[during, incident.index] *= incident.size


class HastyResponsiveAd(IncidentKind):
    """A responsive ad was set up with few headlines."""

    name = "hasty_responsive_ad"
    rules = ("CREATIVE-008",)
    size_means = "headlines of the ad"
    sizes = (10, 7, 5, 2, 1)
    tables = ("ads",)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return not _is_social(account) and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(40 if incident.begins is None else incident.begins)
        return _on_ad_like(
            place,
            incident,
            lambda ad: ad.format == "rsa",
            first=first,
            unit="headlines",
            sentence=f"the responsive ad has {incident.size:.0f} headlines",
        )

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        import pyarrow.compute as pc

        headlines = int(incident.size)
        strength = "good" if headlines >= _HEADLINES_OF_A_GOOD_AD else "average" if headlines >= _HEADLINES_OF_AN_AVERAGE_AD else "poor"
        own = pc.equal(rows["ad_id"], incident.entity_id)
        return _changed(rows, own, n_headlines=headlines, n_descriptions=min(2, headlines), ad_strength=strength)


class PageBreaks(IncidentKind):
    """A release of the site breaks the page behind the ads; nobody can buy there."""

    name = "page_breaks"
    rules = ("LP-001",)
    consequences = (
        "AUD-007", "BUDGET-003", "CONV-001", "CONV-004", "CREATIVE-002", "CREATIVE-006", "FEED-001", "MEDIA-001", "MEDIA-002", "MEDIA-003", "MEDIA-004",
        "MEDIA-008", "MEDIA-010", "SEARCH-001",
    )  # fmt: skip
    size_means = "hours since the page broke"
    sizes = (1, 6, 14, 30, 60)
    tables = ("url_checks",)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        campaign = place.structure.find_campaign(incident.platform, incident.campaign)
        page = f"{place.profile.site}/{place.structure.campaigns[campaign].idea.role}-{campaign + 1}"
        first = place.days_before(int(incident.size // 24))
        return placed(
            place,
            incident,
            entity_type="landing_page",
            entity_id=page,
            entity_name=page,
            account=place.structure.account_of(place.structure.campaigns[campaign]),
            first=first,
            unit="hours",
            sentence=f"the page answers with an error since {incident.size:.0f} hours before the end of {place.anchor}",
            index=campaign,
            campaigns=(campaign,),
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        import numpy as np

        broken = np.flatnonzero(during)
        hours_on_first = incident.size % 24
        effects.conversion_rate[broken, incident.index] = 0
        effects.conversion_rate[broken[:1], incident.index] = 1 - hours_on_first / 24

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        import pyarrow as pa
        import pyarrow.compute as pc

        zone = facts.profile.advertiser.zone
        end_of_anchor = datetime.combine(facts.spec.anchor_day + timedelta(days=1), time(0), tzinfo=zone).astimezone(UTC)
        since = pa.scalar(end_of_anchor - timedelta(hours=incident.size), pa.timestamp("us", tz="UTC"))
        broken = pc.and_(pc.equal(rows["url"], incident.entity_id), pc.greater_equal(rows["checked_at"], since))
        return _changed(rows, broken, http_status=503, lcp_ms=None)


class FeedRejected(IncidentKind):
    """A price mismatch: the merchant platform rejects items, and their ads stop."""

    name = "feed_rejected"
    rules = ("FEED-001",)
    consequences = ("MEDIA-009",)
    size_means = "share of the revenue that comes from rejected items"
    sizes = (0.03, 0.07, 0.12, 0.2, 0.4)
    tables = ("feed_items", "product_performance_daily")

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return campaign.role == "shopping" and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(2 if incident.begins is None else incident.begins)
        return on_account(
            place,
            incident,
            first=first,
            unit="share of revenue",
            sentence=f"items that bring {incident.size:.0%} of the revenue of the feed are rejected since {first}",
        )

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        import pyarrow as pa
        import pyarrow.compute as pc

        rejected = pc.and_(pc.equal(rows["account_id"], incident.account_id), pc.is_in(rows["item_id"], pa.array(_rejected(incident))))
        if table == "feed_items":
            return _changed(rows, rejected, status="disapproved")
        later = pc.greater_equal(rows["date"], pa.scalar(incident.first))
        return rows.filter(pc.invert(pc.and_(rejected, later)))


def _rejected(incident: PlacedIncident) -> list[str]:
    """Every other item from the best seller down, until their share of the revenue is that of the incident."""
    from marketing_agents.sample.ads_tables import item_ids, seller_weights

    chosen, total = [], 0.0
    for item, weight in list(zip(item_ids(incident.account_id), seller_weights(), strict=True))[::2]:
        if total + weight / 2 > incident.size:
            break
        chosen.append(item)
        total += float(weight)
    return chosen


def _changed(rows: pa.Table, where: pa.ChunkedArray, **values: str | int | None) -> pa.Table:
    """The rows with some columns replaced where a condition holds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, value in values.items():
        field = rows.schema.field(name)
        column = pc.if_else(where, pa.scalar(value, field.type), rows[name])
        rows = rows.set_column(rows.schema.get_field_index(name), field, column)
    return rows
