"""What goes wrong with single ad groups and audiences: nothing is sold, nothing is renewed, too little money, the same few people, old lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from marketing_agents.sample.incidents.kind import IncidentKind
from marketing_agents.sample.incidents.placed import Place, PlacedIncident, on_adgroup, placed
from marketing_agents.sample.structure import BUYERS, INTERESTS, LOOKALIKE, SEARCH_PLATFORMS, VISITORS, audience_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea, Incident
    from marketing_agents.sample.structure import Structure

Row = dict[str, Any]


class AdgroupSellsNothing(IncidentKind):
    """The landing page of one ad group is broken: people click as ever and cannot buy."""

    name = "adgroup_sells_nothing"
    rules = ("MEDIA-002",)
    consequences = (
        "MEDIA-001",
        "MEDIA-003",
        "MEDIA-004",
        "MEDIA-008",
        "CREATIVE-002",
        "CREATIVE-006",
        "BUDGET-004",
        "BUDGET-008",
        "LEARN-001",
    )
    size_means = "days since the page is broken"
    sizes = (10, 15, 18, 22, 32)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(int(incident.size) if incident.begins is None else incident.begins)
        sentence = f"the landing page of this ad group is broken since {first}: clicks as ever, no conversion"
        return on_adgroup(place, incident, first=first, unit="days", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:
        import numpy as np

        effects.ad_conversion_rate[np.ix_(during, np.array(structure.ads_of(incident.index)))] = 0


class NothingNew(IncidentKind):
    """Nobody makes new creatives for an ad group any more."""

    name = "nothing_new"
    rules = ("CREATIVE-003",)
    size_means = "days without a new creative / usual life of a creative on the platform"
    sizes = (0.8, 1.15, 1.5, 2.2, 3.0)
    tables = ("ads",)
    LIFE_DAYS: ClassVar[dict[str, int]] = {"tiktok_ads": 10, "meta_ads": 21, "linkedin_ads": 42, "google_ads": 90, "microsoft_ads": 90}

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and account.platform in self.LIFE_DAYS and campaign.role != "shopping"

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        days = round(incident.size * self.LIFE_DAYS[incident.platform])
        first = place.days_before(days if incident.begins is None else incident.begins)
        sentence = f"no new creative in this ad group since {first}"
        return on_adgroup(place, incident, first=first, unit="usual lives of a creative", sentence=sentence)

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        last: dict[str, Row] = {}

        def keep_the_old_one(row: Row) -> Row:
            old = last.setdefault(row["ad_id"], row)
            if row["creative_since"] is None or row["creative_since"] < incident.first:
                last[row["ad_id"]] = row
                return row
            return row | {"creative_since": old["creative_since"] if old is not row else None, "creative_id": old["creative_id"]}

        return _edited(rows, lambda row: row["adgroup_id"] == incident.entity_id, keep_the_old_one)


class AdsNeverReplaced(IncidentKind):
    """Ads of an ad group were paused, and nobody made others in their place."""

    name = "ads_never_replaced"
    rules = ("CREATIVE-005",)
    consequences = ("CREATIVE-001", "CREATIVE-003", "CREATIVE-004")
    size_means = "ads that are left"
    sizes = (4, 3, 2, 1)
    tables = ("ads",)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and account.platform in {"meta_ads", "tiktok_ads"}

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(12 if incident.begins is None else incident.begins)
        sentence = f"{incident.size:.0f} ads of this ad group are left since {first}, the others were paused"
        return on_adgroup(place, incident, first=first, unit="ads", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:
        import numpy as np

        effects.ad_weight[np.ix_(during, np.array(structure.ads_of(incident.index)[int(incident.size) :]))] = 0

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        paused = {facts.structure.ads[i].ad_id for i in facts.structure.ads_of(incident.index)[int(incident.size) :]}
        return _since(rows, incident.first, lambda row: row["ad_id"] in paused, lambda _: {"status": "paused"})


class BudgetCutToNothing(IncidentKind):
    """A campaign keeps its ad groups and loses most of its money, so that none of them gets enough results."""

    name = "budget_cut_to_nothing"
    rules = ("BUDGET-006",)
    consequences = ("LEARN-001", "MEDIA-002", "MEDIA-009", "BUDGET-002", "BUDGET-009", "BUDGET-003", "BUDGET-004")
    size_means = "share of the budget that is left"
    sizes = (0.7, 0.5, 0.35, 0.25, 0.18)
    tables = ("campaigns", "campaign_metrics_daily")

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and account.platform in {"meta_ads", "tiktok_ads"}

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(24 if incident.begins is None else incident.begins)
        sentence = f"{incident.size:.0%} of the campaign's budget is left since {first}, for as many ad groups"
        return on_adgroup(place, incident, first=first, unit="share of the budget", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.spend[during, incident.campaigns[0]] *= incident.size

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:
        campaign = facts.structure.campaigns[incident.campaigns[0]].campaign_id
        if table == "campaigns":
            return _since(
                rows, incident.first, lambda row: row["campaign_id"] == campaign, lambda row: _less(row, "daily_budget", incident)
            )
        return _edited(
            rows,
            lambda row: row["campaign_id"] == campaign and row["date"] >= incident.first,
            lambda row: row | _less(row, "daily_budget_effective", incident) | {"learning_status": "limited"},
        )


class FewPeopleOften(IncidentKind):
    """The targeting of an ad group was narrowed: the same money is shown to fewer people."""

    name = "few_people_often"
    rules = ("AUD-001",)
    consequences = ("AUD-002", "CREATIVE-001", "MEDIA-007")
    size_means = "how many times fewer people are left"
    sizes = (2, 5, 7, 10, 16)
    tables = ("reach_window",)
    WEEK: ClassVar[timedelta] = timedelta(days=6)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and campaign.role == "prospecting" and account.platform not in SEARCH_PLATFORMS

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(16 if incident.begins is None else incident.begins)
        sentence = f"the targeting of this ad group leaves x{1 / incident.size:.2f} of the people since {first}"
        return on_adgroup(place, incident, first=first, unit="times fewer people", sentence=sentence)

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        import numpy as np

        from marketing_agents.sample.audience_tables import people_of_adgroups, reached

        people = people_of_adgroups(facts.structure)[incident.index] / incident.size

        def fewer(row: Row) -> Row:
            reach = int(reached(people, np.array([row["impressions"]]))[0])
            return row | {"reach": reach, "frequency": round(row["impressions"] / max(reach, 1), 4)}

        return _edited(rows, lambda row: row["entity_id"] == incident.entity_id and row["date"] >= incident.first + self.WEEK, fewer)


class NicheAudience(IncidentKind):
    """An audience was chosen so narrow that a month's money reaches most of it."""

    name = "niche_audience"
    rules = ("AUD-002",)
    consequences = ("AUD-001", "CREATIVE-001")
    size_means = "share of the audience that a month reaches"
    sizes = (0.4, 0.56, 0.65, 0.78, 0.92)
    tables = ("audiences",)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and account.platform not in SEARCH_PLATFORMS

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        campaign = place.structure.find_campaign(incident.platform, incident.campaign)
        group = place.structure.adgroups[place.structure.adgroups_of(campaign)[0]]
        sentence = f"a month reaches {incident.size:.0%} of this audience"
        return replace(
            on_audience(place, incident, group.audience_ids[0], first=place.start, unit="share of the audience", sentence=sentence),
            campaigns=(campaign,),
        )

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        import numpy as np

        from marketing_agents.sample.audience_tables import people_of_adgroups, reached

        groups = [i for i, group in enumerate(facts.structure.adgroups) if incident.entity_id in group.audience_ids]
        people = max(people_of_adgroups(facts.structure)[groups])
        # 30 days of an average ad group: 2.4 impressions for each of its people in 28 days.
        size = int(reached(people, np.array([people * 2.4 * 30 / 28]).astype(int))[0] / incident.size)
        return _edited(
            rows,
            lambda row: row["audience_id"] == incident.entity_id,
            lambda row: row | {"size_upper": size, "size_lower": int(size * 0.8)},
        )


class SamePeopleTwice(IncidentKind):
    """The lookalike and the interests of an account have grown into each other."""

    name = "same_people_twice"
    rules = ("AUD-003",)
    size_means = "share of the smaller audience that is in both"
    sizes = (0.15, 0.23, 0.33, 0.45, 0.65)
    tables = ("audience_overlap",)
    needs_campaign = False

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and campaign.role == "prospecting" and account.platform not in SEARCH_PLATFORMS

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        account = place.structure.accounts[place.structure.find_account(incident.platform)]
        a, b = audience_id(account, LOOKALIKE), audience_id(account, INTERESTS)
        sentence = f"{incident.size:.0%} of the smaller of two audiences are in both"
        return on_audience(place, incident, f"{a}/{b}", first=place.start, unit="share of the smaller audience", sentence=sentence)

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        return _edited(
            rows,
            lambda row: f"{row['audience_a']}/{row['audience_b']}" == incident.entity_id,
            lambda row: row | {"overlap_share_of_smaller": incident.size, "overlap_abs": int(incident.size * 40_000)},
        )


class ListLosesMembers(IncidentKind):
    """The tag adds no visitors to a list any more, so the old ones run out."""

    name = "list_loses_members"
    rules = ("AUD-004",)
    consequences = ("AUD-001", "AUD-002")
    size_means = "share of the members that is gone"
    sizes = (0.2, 0.36, 0.45, 0.6, 0.8)
    tables = ("audiences",)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and campaign.role == "retargeting" and account.platform not in SEARCH_PLATFORMS

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        account = place.structure.accounts[place.structure.find_account(incident.platform)]
        first = place.days_before(14 if incident.begins is None else incident.begins)
        sentence = f"{incident.size:.0%} of the members of this list are gone since {first}"
        return on_audience(place, incident, audience_id(account, VISITORS), first=first, unit="share of the members", sentence=sentence)

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        left = 1 - incident.size
        return _since(
            rows,
            incident.first,
            lambda row: row["audience_id"] == incident.entity_id,
            lambda row: {"size_lower": int(row["size_lower"] * left), "size_upper": int(row["size_upper"] * left)},
        )


class CustomerListForgotten(IncidentKind):
    """Nobody uploads the list of customers any more."""

    name = "customer_list_forgotten"
    rules = ("AUD-005",)
    size_means = "days since the last upload"
    sizes = (10, 20, 40, 100, 200)
    tables = ("audiences",)
    needs_campaign = False

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and campaign.role == "prospecting" and account.platform not in SEARCH_PLATFORMS

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        account = place.structure.accounts[place.structure.find_account(incident.platform)]
        first = place.days_before(int(incident.size) if incident.begins is None else incident.begins)
        sentence = f"the list of customers was uploaded last on {first}"
        return on_audience(place, incident, audience_id(account, BUYERS), first=first, unit="days", sentence=sentence)

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        return _edited(
            rows,
            lambda row: row["audience_id"] == incident.entity_id and row["last_refreshed"] > incident.first,
            lambda row: row | {"last_refreshed": incident.first},
        )


class StuckInLearning(IncidentKind):
    """A campaign is optimised for an event that happens too rarely to learn from."""

    name = "stuck_in_learning"
    rules = ("LEARN-001",)
    consequences = ("MEDIA-001", "MEDIA-002", "MEDIA-003", "MEDIA-004", "MEDIA-008", "CREATIVE-002", "BUDGET-004", "BUDGET-006", "CONV-008")
    size_means = "results that are left, as a share of the normal ones"
    sizes = (0.8, 0.5, 0.35, 0.2, 0.1)
    tables = ("campaign_metrics_daily",)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and account.platform in {"meta_ads", "tiktok_ads"}

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(21 if incident.begins is None else incident.begins)
        sentence = f"the event that this campaign is optimised for brings {incident.size:.0%} of the results since {first}"
        return on_adgroup(place, incident, first=first, unit="share of the normal results", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.conversion_rate[during, incident.campaigns[0]] *= incident.size

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        campaign = facts.structure.campaigns[incident.campaigns[0]].campaign_id
        return _edited(
            rows,
            lambda row: row["campaign_id"] == campaign and row["date"] >= incident.first,
            lambda row: row | {"learning_status": "limited"},
        )


class AdsRefused(IncidentKind):
    """The review of the platform refuses ads that have run for months."""

    name = "ads_refused"
    rules = ("PLAT-001",)
    consequences = ("CREATIVE-003", "CREATIVE-004", "CREATIVE-005")
    size_means = "ads of the ad group that are refused (one is always left)"
    sizes = (1, 2, 3)
    tables = ("ads",)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(4 if incident.begins is None else incident.begins)
        sentence = f"the review refuses ads of this ad group since {first}: {incident.size:.0f}, if that leaves one"
        return on_adgroup(place, incident, first=first, unit="ads", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:
        import numpy as np

        effects.ad_weight[np.ix_(during, np.array(self.refused(structure, incident)))] = 0

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        refused = {facts.structure.ads[i].ad_id for i in self.refused(facts.structure, incident)}
        verdict = {"approval_status": "disapproved", "policy_topics": ["DESTINATION_NOT_WORKING"]}
        return _since(rows, incident.first, lambda row: row["ad_id"] in refused, lambda _: verdict)

    @staticmethod
    def refused(structure: Structure, incident: PlacedIncident) -> list[int]:
        """Positions of the refused ads, the first of the ad group."""
        live = [i for i in structure.ads_of(incident.index) if not structure.ads[i].paused]
        return live[: min(int(incident.size), len(live) - 1)]


def on_audience(place: Place, incident: Incident, audience: str, *, first: date, unit: str, sentence: str) -> PlacedIncident:
    """On an audience, or a pair of audiences ('a/b'), of the account that the incident names."""
    account = place.structure.accounts[place.structure.find_account(incident.platform)]
    return placed(
        place,
        incident,
        entity_type="audience",
        entity_id=audience,
        entity_name=audience,
        account=account,
        first=first,
        unit=unit,
        sentence=sentence,
    )


def _edited(rows: pa.Table, is_chosen: Callable[[Row], bool], change: Callable[[Row], Row]) -> pa.Table:
    """The table with some rows changed."""
    import pyarrow as pa

    return pa.Table.from_pylist([change(row) if is_chosen(row) else row for row in rows.to_pylist()], schema=rows.schema)


def _since(rows: pa.Table, first: date, is_chosen: Callable[[Row], bool], change: Callable[[Row], Row]) -> pa.Table:
    """A table of periods with the chosen entities changed from a day on; the period around that day is cut in two."""
    import pyarrow as pa

    changed: list[Row] = []
    for row in rows.to_pylist():
        if not is_chosen(row) or (row["valid_to"] is not None and row["valid_to"] <= first):
            changed.append(row)
        elif row["valid_from"] >= first:
            changed.append(row | change(row))
        else:
            changed += [row | {"valid_to": first}, row | {"valid_from": first} | change(row)]
    return pa.Table.from_pylist(changed, schema=rows.schema)


def _less(row: Row, column: str, incident: PlacedIncident) -> Row:
    from decimal import Decimal

    return {column: (row[column] * Decimal(str(incident.size))).quantize(Decimal("0.01")) if row[column] is not None else None}
