"""The incidents of the demo agency: one for each of the first seven rules."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.incidents.kind import IncidentKind
from marketing_agents.sample.incidents.placed import Place, PlacedIncident, on_account, on_adgroup, on_campaign, placed
from marketing_agents.sample.plans import plans
from marketing_agents.sample.rhythm import events

if TYPE_CHECKING:
    import numpy as np

    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea, Incident
    from marketing_agents.sample.structure import Structure


class CostPerConversionRises(IncidentKind):
    """A new landing page convinces fewer people."""

    name = "cost_per_conversion_rises"
    rules = ("MEDIA-001",)
    consequences = ("MEDIA-003", "MEDIA-004", "MEDIA-008", "MEDIA-010", "CREATIVE-002", "BUDGET-002", "BUDGET-008")
    size_means = "conversion rate is multiplied by it"
    sizes = (0.7, 0.6, 0.5, 0.4, 0.3)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        # Searches for the own name convert so cheaply that half the conversions still cost less than agreed.
        return campaign.role not in {"brand", "other"} and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(11 if incident.begins is None else incident.begins)
        return on_campaign(
            place,
            incident,
            first=first,
            unit="multiple of the normal conversion rate",
            sentence=f"conversion rate falls to {incident.size:.2f} of normal on {first}, so a conversion costs about x{1 / incident.size:.1f}",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.conversion_rate[during, incident.index] *= incident.size


class ExistingCustomers(IncidentKind):
    """Prospecting reaches people who have bought before."""

    name = "existing_customers"
    rules = ("AUD-006",)
    size_means = "share of orders by existing customers"
    sizes = (0.15, 0.22, 0.3, 0.45, 0.6)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return campaign.role == "prospecting" and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(34 if incident.begins is None else incident.begins)
        return on_campaign(
            place,
            incident,
            first=first,
            unit="share of orders",
            sentence=f"{incident.size:.0%} of the orders of this prospecting campaign are by existing customers since {first}",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.existing_share[during, incident.index] = incident.size


class OneAdTakesAll(IncidentKind):
    """The platform settles on one ad that is no better than the others."""

    name = "one_ad_takes_all"
    rules = ("CREATIVE-004",)
    consequences = ("CREATIVE-005", "CREATIVE-006")
    size_means = "share of the ad group's spend"
    sizes = (0.6, 0.72, 0.8, 0.88, 0.95)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        campaign = place.structure.find_campaign(incident.platform, incident.campaign)
        top = place.structure.ads[place.structure.ads_of(place.structure.adgroups_of(campaign)[0])[0]]
        first = place.days_before(19 if incident.begins is None else incident.begins)
        return on_adgroup(
            place,
            incident,
            first=first,
            unit="share of spend",
            sentence=f"ad {top.ad_id} takes {incident.size:.0%} of the ad group's spend since {first} although its click rate is not better",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:
        import numpy as np

        top, *others = structure.ads_of(incident.index)
        places = np.ix_(during, np.array(others))
        rest = effects.ad_weight[places]
        effects.ad_weight[places] = rest / rest.sum(axis=1, keepdims=True) * (1 - incident.size)
        effects.ad_weight[during, top] = incident.size
        # no better than the others: else the platform would be right
        effects.click_index[others], effects.click_index[top] = 1.0, 0.95


class AheadOfPlan(IncidentKind):
    """Budgets were raised, the plan was not."""

    name = "ahead_of_plan"
    rules = ("BUDGET-001",)
    consequences = ("BUDGET-005", "BUDGET-008", "BUDGET-009", "MEDIA-004", "MEDIA-010")
    size_means = "spend is multiplied by it, the plan is not"
    sizes = (1.06, 1.12, 1.18, 1.3, 1.5)
    needs_campaign = False

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        scope = "campaigns" if incident.campaign else "advertiser"
        plan = next(
            plan
            for plan in plans(place.profile, place.structure, place.anchor, place.start)
            if plan.scope == scope
            and plan.first <= place.anchor <= plan.last
            and (not incident.campaign or incident.campaign in plan.themes)
        )
        return placed(
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

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        import numpy as np

        effects.spend[np.ix_(during, np.array(incident.campaigns))] *= incident.size
        effects.budget[np.ix_(during, np.array(incident.campaigns))] *= incident.size


class ConversionsStop(IncidentKind):
    """The tag of the first primary action is gone."""

    name = "conversions_stop"
    rules = ("CONV-001",)
    consequences = ("CONV-002", "CONV-004", "MEDIA-001", "MEDIA-003", "MEDIA-004", "MEDIA-008", "CREATIVE-002")
    size_means = "days without a conversion"
    sizes = (1, 2, 3, 5)
    needs_campaign = False
    comes_alone = True

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        index = place.structure.find_account(incident.platform)
        account = place.structure.accounts[index]
        action = account.primary_actions[0]
        first = place.days_before(int(incident.size) - 1)
        return placed(
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

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.is_recorded[0, during, incident.index] = 0


class RowsMissing(IncidentKind):
    """The connector delivers nothing for an account."""

    name = "rows_missing"
    rules = ("PLAT-004",)
    size_means = "days without rows"
    sizes = (1, 2, 3, 5)
    needs_campaign = False
    comes_alone = True

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(int(incident.size) - 1)
        return on_account(
            place,
            incident,
            first=first,
            last=place.anchor,
            unit="days",
            sentence=f"no rows of the account from {first} to {place.anchor}",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.has_rows[during, incident.index] = False


class PeakIgnored(IncidentKind):
    """A sale comes, and the plans are flat. `rhythm.events` puts it on the calendar."""

    name = "peak_ignored"
    rules = ("SEAS-001",)
    size_means = "expected orders during the event / normal"
    sizes = (1.2, 1.35, 1.6, 2.2)
    needs_campaign = False

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        event = next(e for e in events(place.profile, place.anchor, with_incidents=True) if e.event_id.endswith("-peak"))
        return placed(
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
