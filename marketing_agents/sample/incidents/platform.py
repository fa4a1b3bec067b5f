"""What goes wrong with accounts, their money, their history and the connectors."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from marketing_agents.sample.incidents.kind import IncidentKind
from marketing_agents.sample.incidents.placed import Place, PlacedIncident, on_account, placed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea, Incident
    from marketing_agents.sample.structure import Structure

STRANGER = "someone@elsewhere.example"
_ADS_STOP_AFTER = 5  # days of grace after a card is refused
_TARGETING_FROM, _BUDGET_FROM = 1.0, 1.1


class PaymentRefused(IncidentKind):
    """A card is refused; the platform grants some days, then it stops the ads."""

    name = "payment_refused"
    rules = ("PLAT-002",)
    # once the ads stop there are no rows, which nobody can tell from data that has not come
    consequences = ("PLAT-004", "MEDIA-009", "MEDIA-010", "BUDGET-002")
    size_means = "days since the card was refused: up to 2 a failed payment, up to 5 a grace period, then nothing is delivered"
    sizes = (1, 3, 6)
    tables = ("platform_accounts",)
    needs_campaign = False
    comes_alone = True

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(int(incident.size) - 1)
        return on_account(place, incident, first=first, unit="days", sentence=f"the account's card is refused since {first}")

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:
        import numpy as np

        stopped = during & (np.cumsum(during) > _ADS_STOP_AFTER)
        campaigns = [n for n, campaign in enumerate(structure.campaigns) if campaign.account == incident.index]
        effects.spend[np.ix_(stopped, np.array(campaigns))] = 0.0

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        status = "active" if incident.size <= 2 else "grace_period" if incident.size <= _ADS_STOP_AFTER else "unsettled"
        return _with_values(rows, _of_account(rows, incident), {"payment_failed": True, "account_status": status})


class BalanceRunsOut(IncidentKind):
    """Nobody has paid in again."""

    name = "balance_runs_out"
    rules = ("PLAT-003",)
    size_means = "days that the prepaid balance still lasts"
    sizes = (6, 4, 2, 0.5)
    tables = ("platform_accounts",)
    needs_campaign = False

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        return on_account(
            place,
            incident,
            first=place.days_before(0),
            unit="days",
            sentence=f"the prepaid balance lasts for {incident.size:g} days on {place.anchor}, and nobody has paid in",
        )

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        last = facts.dates.index(facts.spec.anchor_day) + 1 if facts.spec.anchor_day in facts.dates else len(facts.dates)
        of_account = facts.delivery.cells.account == incident.index
        spent = float(facts.delivery.spend_cents[max(last - 7, 0) : last][:, of_account].sum()) / 100
        balance = Decimal(f"{spent / 7 * incident.size:.2f}")
        return _with_values(rows, _of_account(rows, incident), {"funding_type": "prepaid", "balance": balance, "auto_top_up": False})


class HistoryRestated(IncidentKind):
    """The platform credits invalid clicks days later, or the connector appends a day that it has loaded before."""

    name = "history_restated"
    rules = ("PLAT-005",)
    size_means = "spend of a past day as known on the anchor, against what it was the day before; 2 = its rows were loaded twice"
    sizes = (0.985, 0.95, 0.85, 2.0)
    tables = ("ad_performance_daily",)
    needs_campaign = False
    comes_alone = True

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        # The oldest day that is read again with the default restatement window.
        day = place.days_before(3)
        return on_account(
            place,
            incident,
            first=place.anchor,
            unit="multiple of the former spend",
            sentence=f"the spend of {day} is x{incident.size:g} of what it was, since {place.anchor}",
        )

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        import numpy as np
        import pyarrow as pa

        day = incident.first - timedelta(days=3)
        known = facts.spec.known
        known_on = day + timedelta(days=known) if isinstance(known, int) else known
        if known_on < incident.first:
            return rows
        is_changed = _of_account(rows, incident) & (np.asarray(rows.column("date")) == np.datetime64(day))
        measures = ("spend", "impressions", "clicks", "conversions", "conversion_value") if incident.size == 2 else ("spend", "clicks")
        for name in measures:
            column = rows.column(name)
            values = [
                _times(value, incident.size) if changed else value for value, changed in zip(column.to_pylist(), is_changed, strict=True)
            ]
            rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), pa.array(values, column.type))
        return rows


class ConnectorFails(IncidentKind):
    """Somebody changed the password; the nightly run fails since."""

    name = "connector_fails"
    rules = ("PLAT-006",)
    consequences = ("PLAT-004",)
    size_means = "nights in a row on which the run failed"
    sizes = (1, 2, 3, 5)
    tables = ("connector_runs",)
    needs_campaign = False
    comes_alone = True

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(int(incident.size) - 1)
        sentence = f"the run that loads the account fails from {first} to {place.anchor}, so its rows are missing"
        return _on_connector(place, incident, first=first, unit="failed runs", sentence=sentence)

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.has_rows[during, incident.index] = False

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        from marketing_agents.sample.platform_tables import run_instant

        last_success = run_instant(facts, incident.first - timedelta(days=1))
        for number, day in enumerate(day for day in facts.dates if incident.covers(day)):
            values = {
                "status": "failed",
                "error_code": "AUTHENTICATION_ERROR",
                "consecutive_failures": number + 1,
                "last_success_at": last_success,
            }
            rows = _with_values(rows, _of_account(rows, incident, day), values)
        return rows


class TokenExpires(IncidentKind):
    """Nobody renews the access token."""

    name = "token_expires"
    rules = ("PLAT-006",)
    size_means = "days until the token expires"
    sizes = (17, 12, 6, 0.1)
    tables = ("connector_runs",)
    needs_campaign = False

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(max(0, 20 - int(incident.size)))
        return _on_connector(
            place, incident, first=first, unit="days", sentence=f"the access token expires {incident.size:g} days after {place.anchor}"
        )

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        from marketing_agents.sample.platform_tables import run_instant

        ends = run_instant(facts, facts.spec.anchor_day) + timedelta(days=incident.size)
        for day in (day for day in facts.dates if incident.covers(day)):
            rows = _with_values(rows, _of_account(rows, incident, day), {"token_expires_at": ends})
        return rows


class StrangerAtWork(IncidentKind):
    """Somebody who has left the agency still has access, edits ads, and at last raises a budget."""

    name = "stranger_at_work"
    rules = ("PLAT-007",)
    # whoever raises a budget makes a campaign spend more
    consequences = ("BUDGET-001", "BUDGET-008", "BUDGET-009", "MEDIA-001", "MEDIA-004")
    size_means = "new budget / old budget; 0 = only ad texts are edited, 1 = only the targeting"
    sizes = (0, 1, 1.3, 2.0)
    tables = ("change_events", "campaigns")

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return bool(profile.advertiser.trusted_actors) and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        index = place.structure.find_campaign(incident.platform, incident.campaign)
        number = place.structure.campaigns[index].account
        account = place.structure.accounts[number]
        first = place.days_before(1)
        what = (
            "raises a budget"
            if incident.size >= _BUDGET_FROM
            else "changes the targeting"
            if incident.size >= _TARGETING_FROM
            else "edits ads"
        )
        return placed(
            place,
            incident,
            entity_type="platform_account",
            entity_id=account.account_id,
            entity_name=account.name,
            account=account,
            first=first,
            unit="new budget / old budget",
            sentence=f"{STRANGER}, who is on no list, {what} on {first}",
            index=number,
            campaigns=(index,),
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        if incident.size >= _BUDGET_FROM:
            effects.spend[during, incident.campaigns[0]] *= incident.size

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:
        import pyarrow as pa

        campaign = facts.structure.campaigns[incident.campaigns[0]]
        if table == "campaigns":
            return _with_raised_budget(rows, campaign.campaign_id, incident) if incident.size >= _BUDGET_FROM else rows
        ad = facts.structure.ads[facts.structure.ads_of(facts.structure.adgroups_of(incident.campaigns[0])[0])[0]]
        changes: list[tuple[str, str, str, str | None, str | None]] = [("ad", ad.ad_id, "headline", "Line 1", "Line 2")]
        if incident.size >= _TARGETING_FROM:
            changes.append(("campaign", campaign.campaign_id, "geo_targets", "country", "world"))
        if incident.size >= _BUDGET_FROM:
            budget = campaign.daily_spend * facts.structure.accounts[incident.index].profile.units_per_base
            changes.append(("budget", campaign.campaign_id, "daily_budget", f"{round(budget)}", f"{round(budget * incident.size)}"))
        local = datetime.combine(incident.first, time(14), tzinfo=ZoneInfo(facts.structure.accounts[incident.index].time_zone))
        events = [
            {
                "advertiser_id": facts.advertiser_id,
                "date": incident.first,
                "event_id": f"{incident.account_id}-stranger-{number}",
                "platform": incident.platform,
                "account_id": incident.account_id,
                "occurred_at": (local + timedelta(minutes=number)).astimezone(UTC),
                "actor": STRANGER,
                "client_type": "WEB",
                "resource_type": resource,
                "entity_id": entity,
                "field": field,
                "old_value": old,
                "new_value": new,
            }
            for number, (resource, entity, field, old, new) in enumerate(changes)
        ]
        if not facts.spec.start <= incident.first <= facts.spec.end:
            return rows
        return pa.concat_tables([rows, pa.Table.from_pylist(events, schema=rows.schema)]).sort_by(
            [("date", "ascending"), ("event_id", "ascending")]
        )


def _on_connector(place: Place, incident: Incident, *, first: date, unit: str, sentence: str) -> PlacedIncident:
    from marketing_agents.sample.platform_tables import connector_id

    index = place.structure.find_account(incident.platform)
    account = place.structure.accounts[index]
    return placed(
        place,
        incident,
        entity_type="connector",
        entity_id=f"{account.account_id}/{connector_id(account)}",
        entity_name=f"{account.name}: nightly transfer",
        account=account,
        first=first,
        last=place.anchor,
        unit=unit,
        sentence=sentence,
        index=index,
    )


def _of_account(rows: pa.Table, incident: PlacedIncident, day: date | None = None) -> np.ndarray:
    """Which rows are of the incident's account (and of a day)."""
    import numpy as np

    found = np.asarray(rows.column("account_id").to_numpy(zero_copy_only=False) == incident.account_id)
    found &= np.asarray(rows.column("platform").to_numpy(zero_copy_only=False) == incident.platform)
    if day is not None:
        found &= np.asarray(rows.column("date")) == np.datetime64(day)
    return found


def _with_values(rows: pa.Table, is_changed: np.ndarray, values: Mapping[str, object]) -> pa.Table:
    """The table with one value in each of some columns of some rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, value in values.items():
        position, field = rows.schema.get_field_index(name), rows.schema.field(name)
        rows = rows.set_column(position, field, pc.if_else(pa.array(is_changed), pa.scalar(value, field.type), rows.column(name)))
    return rows


def _times(value: object, factor: float) -> object:
    if isinstance(value, Decimal):
        return (value * Decimal(str(factor))).quantize(Decimal("0.01"))
    if isinstance(value, int):
        return round(value * factor)
    return None if value is None else float(str(value)) * factor


def _with_raised_budget(rows: pa.Table, campaign_id: str, incident: PlacedIncident) -> pa.Table:
    """The campaign's current period ends where the budget was raised, and another begins."""
    import pyarrow as pa

    periods: Sequence[dict[str, object]] = rows.to_pylist()
    found: list[dict[str, object]] = []
    for period in periods:
        is_current = period["campaign_id"] == campaign_id and period["account_id"] == incident.account_id and period["valid_to"] is None
        if is_current and str(period["valid_from"]) < incident.first.isoformat():
            raised = _times(period["daily_budget"], incident.size)
            found += [{**period, "valid_to": incident.first}, {**period, "valid_from": incident.first, "daily_budget": raised}]
        else:
            found.append(period)
    return pa.Table.from_pylist(found, schema=rows.schema)
