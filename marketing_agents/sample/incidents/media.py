"""What goes wrong with what the money buys: baskets, bids, rivals, ads, pages, delivery, demand, and who takes the credit."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from marketing_agents.sample.incidents.kind import IncidentKind
from marketing_agents.sample.incidents.placed import Place, PlacedIncident, on_campaign, placed
from marketing_agents.sample.structure import SEARCH_PLATFORMS

if TYPE_CHECKING:
    import numpy as np

    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea, Incident
    from marketing_agents.sample.structure import Structure


class SmallerBaskets(IncidentKind):
    """The campaign sells the cheap things: as many orders, smaller ones."""

    name = "smaller_baskets"
    rules = ("MEDIA-003",)
    consequences = ("CONV-006",)
    size_means = "value of an order is multiplied by it"
    sizes = (0.85, 0.7, 0.55, 0.4, 0.25)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        # Brand and retargeting campaigns earn so many times their cost that even small baskets pay.
        steers_by_sales = profile.advertiser.target_roas is not None and campaign.role not in {"brand", "retargeting"}
        return steers_by_sales and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(20 if incident.begins is None else incident.begins)
        sentence = f"orders of this campaign are worth x{incident.size:.2f} of normal since {first}"
        return on_campaign(place, incident, first=first, unit="multiple of the normal order value", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.order_value[during, incident.index] *= incident.size


class LooserBids(IncidentKind):
    """The bidding was given a free hand: it buys dearer clicks, of people who buy less."""

    name = "looser_bids"
    rules = ("MEDIA-004",)
    consequences = ("MEDIA-001", "MEDIA-003", "MEDIA-005", "MEDIA-006", "MEDIA-008")
    size_means = "cost per conversion is multiplied by it, half by price and half by conversion rate"
    sizes = (1.15, 1.3, 1.5, 1.8, 2.5)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(11 if incident.begins is None else incident.begins)
        sentence = f"since {first} clicks are dearer and convert less: a conversion costs x{incident.size:.2f} of what it did"
        return on_campaign(place, incident, first=first, unit="multiple of the normal cost per conversion", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.price[during, incident.index] *= sqrt(incident.size)
        effects.conversion_rate[during, incident.index] /= sqrt(incident.size)


class RivalsBid(IncidentKind):
    """Others bid for the same people: every impression costs more, the budget buys fewer of them."""

    name = "rivals_bid"
    rules = ("MEDIA-005",)
    consequences = ("MEDIA-001", "MEDIA-003", "MEDIA-004", "MEDIA-006")
    size_means = "price of an impression is multiplied by it"
    sizes = (1.15, 1.35, 1.5, 1.8, 2.5)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(8 if incident.begins is None else incident.begins)
        sentence = f"impressions cost x{incident.size:.2f} of what they did since {first}"
        return on_campaign(place, incident, first=first, unit="multiple of the normal price", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.price[during, incident.index] *= incident.size


class DearerPlaces(IncidentKind):
    """The platform moves the ads to places that cost more and are clicked less: a little of each, together a much dearer click."""

    name = "dearer_places"
    rules = ("MEDIA-006",)
    consequences = ("MEDIA-001", "MEDIA-003", "MEDIA-004", "MEDIA-005", "MEDIA-007")
    size_means = "price of a click is multiplied by it, half by price and half by click rate"
    sizes = (1.15, 1.35, 1.45, 1.55)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        # Where clicks are paid for, fewer clicks per impression cost nothing.
        return account.platform not in SEARCH_PLATFORMS and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(8 if incident.begins is None else incident.begins)
        sentence = f"impressions are dearer and clicked less since {first}: a click costs x{incident.size:.2f} of what it did"
        return on_campaign(place, incident, first=first, unit="multiple of the normal price of a click", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:
        effects.price[during, incident.index] *= sqrt(incident.size)
        _multiply_click_rate(effects, structure, incident, during, 1 / sqrt(incident.size))


class AdsIgnored(IncidentKind):
    """The message has lost its point: people who see the ads of the campaign do not click any more."""

    name = "ads_ignored"
    rules = ("MEDIA-007",)
    # Where clicks are paid for, fewer of them spend less money.
    consequences = ("MEDIA-001", "MEDIA-003", "MEDIA-004", "MEDIA-006", "MEDIA-009", "BUDGET-002")
    size_means = "click rate is multiplied by it"
    sizes = (0.9, 0.75, 0.6, 0.45, 0.3)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(8 if incident.begins is None else incident.begins)
        sentence = f"the ads of this campaign are clicked x{incident.size:.2f} as often as before since {first}"
        return on_campaign(place, incident, first=first, unit="multiple of the normal click rate", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:
        _multiply_click_rate(effects, structure, incident, during, incident.size)


class PricesRaised(IncidentKind):
    """What the campaign advertises became dearer in the shop: as many come, fewer buy."""

    name = "prices_raised"
    rules = ("MEDIA-008",)
    consequences = ("MEDIA-001", "MEDIA-003", "MEDIA-004")
    size_means = "conversion rate is multiplied by it"
    sizes = (0.88, 0.75, 0.6, 0.45, 0.3)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(11 if incident.begins is None else incident.begins)
        sentence = f"of those who click x{incident.size:.2f} as many buy as before since {first}"
        return on_campaign(place, incident, first=first, unit="multiple of the normal conversion rate", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.conversion_rate[during, incident.index] *= incident.size


class BidCapTypedWrong(IncidentKind):
    """Somebody typed a bid cap wrong; no budget and no status was touched, but the campaign hardly wins an auction."""

    name = "bid_cap_typed_wrong"
    rules = ("MEDIA-009",)
    consequences = ("BUDGET-002",)
    size_means = "delivery is multiplied by it"
    sizes = (0.6, 0.4, 0.2, 0.05, 0.0)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        # Two days: the last one of an account in a western zone is not over on the morning after.
        first = place.days_before(1 if incident.begins is None else incident.begins)
        sentence = f"delivery is x{incident.size:.2f} of normal since {first} although the campaign is enabled"
        return on_campaign(place, incident, first=first, unit="multiple of normal delivery", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.spend[during, incident.index] *= incident.size


class DemandWeakens(IncidentKind):
    """People buy less of what the advertiser sells, whatever brought them; the ads go on as before."""

    name = "demand_weakens"
    rules = ("MEDIA-010",)
    consequences = ("MEDIA-001", "MEDIA-003", "MEDIA-004", "MEDIA-008", "CREATIVE-002")
    size_means = "orders are multiplied by it, with and without ads"
    sizes = (0.9, 0.8, 0.7, 0.55, 0.4)
    needs_campaign = False
    comes_alone = True

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(9 if incident.begins is None else incident.begins)
        return _on_advertiser(
            place,
            incident,
            begins=9,
            unit="multiple of the normal orders",
            sentence=f"orders are x{incident.size:.2f} of normal since {first}",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.conversion_rate[during] *= incident.size
        effects.own_orders[during] *= incident.size


class CreditTakenTwice(IncidentKind):
    """Long windows and credit for mere views: every platform counts sales that others, or nobody, brought."""

    name = "credit_taken_twice"
    rules = ("ATTR-001",)
    consequences = ("CONV-003", "CONV-004")
    size_means = "conversions that the platforms report are multiplied by it"
    sizes = (1.5, 2.0, 2.6, 3.2, 4.5)
    needs_campaign = False
    comes_alone = True

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        sells = all(action.category == "purchase" for action in profile.actions if action.is_primary)
        return sells and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(34 if incident.begins is None else incident.begins)
        sentence = f"all platforms report x{incident.size:.1f} of the conversions that their clicks brought since {first}"
        return _on_advertiser(place, incident, begins=34, unit="multiple of the true conversions", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.claims[during] *= incident.size


def _on_advertiser(place: Place, incident: Incident, *, begins: int, unit: str, sentence: str) -> PlacedIncident:
    return placed(
        place,
        incident,
        entity_type="advertiser",
        entity_id=place.profile.advertiser.id,
        entity_name=place.profile.advertiser.name,
        first=place.days_before(begins if incident.begins is None else incident.begins),
        unit=unit,
        sentence=sentence,
    )


def _multiply_click_rate(effects: Effects, structure: Structure, incident: PlacedIncident, during: np.ndarray, factor: float) -> None:
    import numpy as np

    ads = [ad for group in structure.adgroups_of(incident.index) for ad in structure.ads_of(group)]
    effects.click_rate[np.ix_(during, np.array(ads))] *= factor
