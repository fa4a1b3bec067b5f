"""Money in the wrong place, at the wrong pace, or stopped by its own limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from marketing_agents.sample.delivery import BUDGET_AIR
from marketing_agents.sample.incidents.kind import IncidentKind
from marketing_agents.sample.incidents.placed import Place, PlacedIncident, on_campaign, placed
from marketing_agents.sample.plans import Plan, plans

if TYPE_CHECKING:
    import numpy as np

    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea, Incident
    from marketing_agents.sample.structure import Structure


def _current_plan(place: Place, incident: Incident) -> Plan:
    """The plan in force at the anchor that the incident means: the advertiser's, or one that names the campaign."""
    scope = "campaigns" if incident.campaign else "advertiser"
    return next(
        plan
        for plan in plans(place.profile, place.structure, place.anchor, place.start)
        if plan.scope == scope and plan.first <= place.anchor <= plan.last and (not incident.campaign or incident.campaign in plan.themes)
    )


class BehindPlan(IncidentKind):
    """Bids were capped, the plan was not lowered: the auctions are entered less often."""

    name = "behind_plan"
    rules = ("BUDGET-002",)
    consequences = ("MEDIA-009", "BUDGET-007")
    size_means = "spend is multiplied by it, the plan is not"
    sizes = (0.95, 0.88, 0.82, 0.7, 0.5)
    needs_campaign = False

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        plan = _current_plan(place, incident)
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


class _OnCampaign(IncidentKind):
    """Something about the budget of one campaign. `usual_begin`: days before the anchor."""

    usual_begin: ClassVar[int]
    unit: ClassVar[str]
    sentence: ClassVar[str]
    """With {size}, {first} and {campaign}."""

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(self.usual_begin if incident.begins is None else incident.begins)
        return on_campaign(
            place,
            incident,
            first=first,
            unit=self.unit,
            sentence=self.sentence.format(size=incident.size, first=first, campaign=incident.campaign),
        )


def _fix_budget(effects: Effects, campaign: int, during: np.ndarray, multiple: float) -> None:
    """The budget is `multiple` of the average spend during the incident, and nobody reviews it in the weeks before."""
    import numpy as np

    first = int(np.argmax(during))
    effects.budget[max(0, first - 35) : first, campaign] = 1.0
    effects.budget[during, campaign] = multiple / BUDGET_AIR


class WinnerStopped(_OnCampaign):
    """Demand grew and the budget stayed where it was: the campaign is off air for a part of each day."""

    name = "winner_stopped_by_budget"
    rules = ("BUDGET-003",)
    size_means = "what people want / what the budget pays for"
    sizes = (1.06, 1.2, 1.35, 1.6, 2.0)
    usual_begin = 45
    unit = "multiple of the budget"
    sentence = "since {first} the campaign could spend x{size:.2f} of its daily budget and stops when that is gone"

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        # About as much is spent as before, so that no plan is missed.
        _fix_budget(effects, incident.index, during, 1.0)
        effects.spend[during, incident.index] *= incident.size
        effects.is_limited[during, incident.index] = True


class LoserStopped(_OnCampaign):
    """The budget stops a campaign that pays too much for each conversion: the offer no longer convinces, and still it is in demand."""

    name = "loser_stopped_by_budget"
    rules = ("BUDGET-004",)
    consequences = ("MEDIA-001", "MEDIA-003", "MEDIA-004", "MEDIA-008", "CREATIVE-002")
    size_means = "conversion rate is multiplied by it; demand is 1.5 times the budget"
    sizes = (0.8, 0.68, 0.58, 0.48, 0.35)
    usual_begin = 45
    unit = "multiple of the normal conversion rate"
    sentence = "since {first} the conversion rate is x{size:.2f} of normal while the daily budget stops a third of the demand"

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        # Searches for the own name stay below target even at half their conversion rate.
        return campaign.role not in {"brand", "other"} and super().suits(profile, account, campaign)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        _fix_budget(effects, incident.index, during, 1.0)
        effects.spend[during, incident.index] *= 1.5
        effects.is_limited[during, incident.index] = True
        effects.conversion_rate[during, incident.index] *= incident.size


class BeyondAllowance(_OnCampaign):
    """The platform delivers far more on two days than the daily budget says."""

    name = "beyond_allowance"
    rules = ("BUDGET-005",)
    consequences = ("BUDGET-001",)
    size_means = "spend of the day / daily budget"
    sizes = (1.2, 1.9, 2.3, 2.8, 4.0)
    usual_begin = 1
    unit = "multiple of the daily budget"
    sentence = "the campaign spends about x{size:.1f} of its daily budget a day since {first}"

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and account.platform in {"google_ads", "meta_ads"}

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.spend[during, incident.index] *= incident.size * BUDGET_AIR * effects.budget[during, incident.index]


class FlightRunsDry(_OnCampaign):
    """The platform hands out the money of the flight faster than its days go by."""

    name = "flight_runs_dry"
    rules = ("BUDGET-007",)
    consequences = ("BUDGET-001",)
    size_means = "spend is multiplied by it, the lifetime budget is not"
    sizes = (1.03, 1.12, 1.2, 1.4, 1.8)
    usual_begin = 21
    unit = "multiple of the even rate"
    sentence = "the flight spends at x{size:.2f} of the rate that would last until its end since {first}"

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:  # noqa: ARG002
        return campaign.flight_left_at_anchor is not None and campaign.flight_left_at_anchor > 0

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.spend[during, incident.index] *= incident.size


class RaiseBuysLittle(_OnCampaign):
    """The budget was raised by 40 %; the people it reaches now are harder to convince."""

    name = "raise_buys_little"
    rules = ("BUDGET-008",)
    consequences = ("BUDGET-001", "BUDGET-009", "MEDIA-001", "MEDIA-003", "MEDIA-004", "MEDIA-008", "CREATIVE-002")
    size_means = "cost per conversion since the raise / before"
    sizes = (1.08, 1.2, 1.35, 1.6, 2.2)
    usual_begin = 14
    unit = "multiple of the cost per conversion before"
    sentence = "on {first} the budget was raised by 40 %; a conversion costs about x{size:.2f} since"

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        _fix_budget(effects, incident.index, during, 1.4 * BUDGET_AIR)
        effects.spend[during, incident.index] *= 1.4
        effects.conversion_rate[during, incident.index] /= incident.size


class BudgetJumps(_OnCampaign):
    """Someone doubles a budget, or worse, in one go."""

    name = "budget_jumps"
    rules = ("BUDGET-009",)
    size_means = "new budget / old budget"
    sizes = (1.15, 1.27, 1.4, 1.8, 3.0)
    usual_begin = 3
    unit = "multiple of the old budget"
    sentence = "the daily budget is set to x{size:.2f} on {first}"

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        _fix_budget(effects, incident.index, during, incident.size * BUDGET_AIR)


class BudgetTugOfWar(_OnCampaign):
    """A script raises the budget every evening, a person puts it back: one change a day."""

    name = "budget_tug_of_war"
    rules = ("BUDGET-009",)
    size_means = "changes in the last days"
    sizes = (2, 3, 4, 5, 6)
    usual_begin = 7
    unit = "changes"
    sentence = "the daily budget goes up and down by 15 %, {size:.0f} changes before the last day"

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        import numpy as np

        _fix_budget(effects, incident.index, during, BUDGET_AIR)
        days = np.flatnonzero(during)
        # The last day is left alone: accounts in other zones are judged on the day before.
        changed = days[-1 - int(incident.size) : -1]
        for position, day in enumerate(changed):
            effects.budget[day : days[-1] + 1, incident.index] = 1.15 if position % 2 == 0 else 1.0
