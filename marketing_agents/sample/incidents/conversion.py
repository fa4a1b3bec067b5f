"""What goes wrong with conversion tracking: tags that count twice, forget, or lose the name of a visitor's source."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from marketing_agents.sample.incidents.kind import IncidentKind
from marketing_agents.sample.incidents.placed import Place, PlacedIncident, placed

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea, Incident
    from marketing_agents.sample.structure import Structure

MIN_SPEND_SHARE = 0.2  # of an account for the evaluation: a smaller one has too few orders a week to tell a change from chance


def _is_during(rows: pa.Table, incident: PlacedIncident) -> np.ndarray:
    """(rows,) True on the days of the incident."""
    import numpy as np

    return np.array([incident.covers(day) for day in rows["date"].to_pylist()], dtype=bool)


def _with_column(rows: pa.Table, name: str, values: np.ndarray) -> pa.Table:
    import pyarrow as pa

    position = rows.column_names.index(name)
    return rows.set_column(position, rows.schema.field(name), pa.array(values, rows.schema.field(name).type, from_pandas=True))


class ContactDataMissing(IncidentKind):
    """The shop no longer sends e-mail and phone number with its events, so the platform recognises fewer people."""

    name = "contact_data_missing"
    rules = ("CONV-005",)
    size_means = "match quality score that is left (9.3 is normal)"
    sizes = (8.2, 7.6, 6.4, 5.2, 3.4)
    tables = ("tag_health_daily",)
    needs_campaign = False

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:  # noqa: ARG002
        return account.platform == "meta_ads"

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        event = place.profile.actions[0].name
        first = place.days_before(12 if incident.begins is None else incident.begins)
        place.structure.find_account("meta_ads")
        on_tag = placed(
            place,
            incident,
            entity_type="tag",
            entity_id=f"pixel/{event}",
            entity_name=event,
            first=first,
            unit="event match quality",
            sentence=f"the pixel sends no contact data with {event!r} since {first}: match quality falls to {incident.size:.1f}",
        )
        return replace(on_tag, platform="meta_ads")

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        import numpy as np

        usual = 9.275  # the middle of what a healthy tag scores
        scores = rows["emq_score"].to_numpy().astype(float)
        hit = _is_during(rows, incident) & np.array([source == "pixel" for source in rows["source"].to_pylist()])
        return _with_column(rows, "emq_score", np.where(hit, np.clip(scores - usual + incident.size, 0, 10).round(2), scores))


class SourceLabelsLost(IncidentKind):
    """A new link format: visits of the largest sources arrive without saying where from."""

    name = "source_labels_lost"
    rules = ("CONV-007",)
    size_means = "sources that lose their labels, largest first"
    sizes = (1, 2, 3, 5)
    tables = ("web_sessions_daily",)
    needs_campaign = False

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        advertiser = place.profile.advertiser
        first = place.days_before(3 if incident.begins is None else incident.begins)
        return placed(
            place,
            incident,
            entity_type="advertiser",
            entity_id=advertiser.id,
            entity_name=advertiser.name,
            first=first,
            last=place.anchor,
            unit="sources",
            sentence=f"visits of the {incident.size:.0f} largest sources arrive without a label from {first} to {place.anchor}",
        )

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        import numpy as np
        import pyarrow as pa

        hit = _is_during(rows, incident)
        totals = {
            row["source_bucket"]: row["sessions_sum"] for row in rows.group_by("source_bucket").aggregate([("sessions", "sum")]).to_pylist()
        }
        lost = sorted(totals, key=lambda source: (-totals[source], source))[: int(incident.size)]
        hit &= np.array([source in lost for source in rows["source_bucket"].to_pylist()])
        # What arrives without a label is one row a day.
        moved = rows.filter(pa.array(hit)).group_by("date").aggregate([(c, "sum") for c in ("sessions", "engaged_sessions")])
        catch_all = [
            {
                "advertiser_id": facts.advertiser_id,
                "date": row["date"],
                "source_bucket": "all_other",
                "sessions": row["sessions_sum"],
                "engaged_sessions": row["engaged_sessions_sum"],
                "unassigned_sessions": row["sessions_sum"],
            }
            for row in moved.to_pylist()
        ]
        kept = pa.concat_tables([rows.filter(pa.array(~hit)), pa.Table.from_pylist(catch_all, schema=rows.schema)])
        return kept.sort_by([("date", "ascending")])


class SignalLost(IncidentKind):
    """A new consent banner: the platform hears of fewer of the orders that its clicks bring."""

    name = "signal_lost"
    rules = ("CONV-004",)
    consequences = ("CONV-001", "CONV-008", "MEDIA-001", "MEDIA-002", "MEDIA-003", "MEDIA-004", "MEDIA-008", "ATTR-001", "BUDGET-008")
    size_means = "share of the conversions that is still recorded"
    sizes = (0.85, 0.7, 0.55, 0.4)
    needs_campaign = False
    comes_alone = True

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:  # noqa: ARG002
        # Elsewhere conversions are leads, few of which become orders.
        return profile.vertical == "retail" and account.spend_share >= MIN_SPEND_SHARE

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        index = place.structure.find_account(incident.platform)
        account = place.structure.accounts[index]
        first = place.days_before(14 if incident.begins is None else incident.begins)
        return placed(
            place,
            incident,
            entity_type="platform",
            entity_id=account.platform,
            entity_name=account.platform,
            account=account,
            first=first,
            unit="share of conversions",
            sentence=f"{account.platform} records {incident.size:.0%} of its conversions since {first}; the shop has its orders all the same",
            index=index,
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.recorded_share[:, during, incident.index] = incident.size


class SecondTag(IncidentKind):
    """A second tag for the first primary action is on some of the pages, so that some results count twice."""

    name = "second_tag"
    rules = ("CONV-003",)
    consequences = ("CONV-004", "CONV-008", "ATTR-001")
    size_means = "recorded conversions / real ones"
    sizes = (1.2, 1.45, 1.7, 1.97)
    needs_campaign = False

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:  # noqa: ARG002
        return profile.vertical == "retail" and account.spend_share >= MIN_SPEND_SHARE

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        index = place.structure.find_account(incident.platform)
        account = place.structure.accounts[index]
        action = account.primary_actions[0]
        first = place.days_before(12 if incident.begins is None else incident.begins)
        return placed(
            place,
            incident,
            entity_type="conversion_action",
            entity_id=action.action_id,
            entity_name=action.idea.name,
            account=account,
            first=first,
            unit="recorded / real conversions",
            sentence=f"a second tag records {incident.size - 1:.0%} of the results of {action.idea.name!r} once more since {first}",
            index=index,
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.recorded_share[0, during, incident.index] = incident.size


class ActionAbandoned(IncidentKind):
    """A primary action was replaced on the site; the old one stays in bidding and hears nothing any more."""

    name = "action_abandoned"
    rules = ("CONV-002",)
    consequences = (
        "CONV-001",
        "CONV-003",
        "CONV-004",
        "MEDIA-001",
        "MEDIA-002",
        "MEDIA-003",
        "MEDIA-004",
        "MEDIA-008",
        "ATTR-001",
        "BUDGET-008",
    )
    size_means = "days without a conversion"
    sizes = (7, 9, 14, 25)
    needs_campaign = False
    comes_alone = True

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        index = place.structure.find_account(incident.platform)
        account = place.structure.accounts[index]
        action = account.primary_actions[-1]
        # Accounts of far zones are judged a day or two earlier, so the silence begins a little before.
        first = place.days_before(int(incident.size) + 1)
        return placed(
            place,
            incident,
            entity_type="conversion_action",
            entity_id=action.action_id,
            entity_name=action.idea.name,
            account=account,
            first=first,
            unit="days",
            sentence=f"primary action {action.idea.name!r} was replaced on {first} and records nothing since",
            index=index,
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:
        last = len(structure.accounts[incident.index].primary_actions) - 1
        effects.is_recorded[last, during, incident.index] = 0


class ValueWrong(IncidentKind):
    """The tag sends another figure than the basket: net of tax and discounts, or in another currency."""

    name = "value_wrong"
    rules = ("CONV-006",)
    consequences = ("MEDIA-003", "MEDIA-010")
    size_means = "value sent / the right one"
    sizes = (0.85, 0.72, 0.45, 2.2)
    needs_campaign = False

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:  # noqa: ARG002
        return profile.vertical == "retail" and account.spend_share >= MIN_SPEND_SHARE

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        index = place.structure.find_account(incident.platform)
        account = place.structure.accounts[index]
        action = account.primary_actions[0]
        first = place.days_before(18 if incident.begins is None else incident.begins)
        return placed(
            place,
            incident,
            entity_type="conversion_action",
            entity_id=action.action_id,
            entity_name=action.idea.name,
            account=account,
            first=first,
            unit="value sent / right value",
            sentence=f"{action.idea.name!r} sends x{incident.size:.2f} of the value of the basket since {first}",
            index=index,
            campaigns=tuple(i for i, campaign in enumerate(place.structure.campaigns) if campaign.account == index),
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        import numpy as np

        effects.order_value[np.ix_(during, np.array(incident.campaigns))] *= incident.size


class CountingChanged(IncidentKind):
    """Somebody sets an action to count every repeat where it counted one, or the other way round."""

    name = "counting_changed"
    rules = ("CONV-008",)
    consequences = ("CONV-003", "CONV-004", "MEDIA-001", "MEDIA-004", "MEDIA-008", "ATTR-001", "PLAT-007")
    size_means = "conversions counted after / before"
    sizes = (1.0, 1.15, 0.7, 1.5)
    tables = ("change_events",)
    needs_campaign = False

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        index = place.structure.find_account(incident.platform)
        account = place.structure.accounts[index]
        action = account.primary_actions[0]
        first = place.days_before(11 if incident.begins is None else incident.begins)
        return placed(
            place,
            incident,
            entity_type="conversion_action",
            entity_id=action.action_id,
            entity_name=action.idea.name,
            account=account,
            first=first,
            unit="conversions after / before",
            sentence=f"the way {action.idea.name!r} counts was changed on {first}: x{incident.size:.2f} conversions of the same results",
            index=index,
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.recorded_share[0, during, incident.index] = incident.size

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        import pyarrow as pa

        if incident.first > facts.dates[-1]:
            return rows
        before, after = ("one", "every") if incident.size >= 1 else ("every", "one")
        change = {
            "advertiser_id": facts.advertiser_id,
            "date": incident.first,
            "event_id": f"{incident.account_id}-{incident.first:%Y%m%d}-0071-{incident.entity_id}-counting_type",
            "platform": incident.platform,
            "account_id": incident.account_id,
            "occurred_at": datetime.combine(incident.first, time(10, 11), tzinfo=UTC),
            "actor": "maya.lindqvist@agency.example",
            "client_type": "WEB",
            "resource_type": "conversion_action",
            "entity_id": incident.entity_id,
            "field": "counting_type",
            "old_value": before,
            "new_value": after,
        }
        return pa.concat_tables([rows, pa.Table.from_pylist([change], schema=rows.schema)]).sort_by([("date", "ascending")])
