"""The consent banner says no, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketing_agents.sample.business_tables import STRICT_COUNTRIES
from marketing_agents.sample.incidents.kind import IncidentKind
from marketing_agents.sample.incidents.placed import Place, PlacedIncident, placed

if TYPE_CHECKING:
    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea, Incident


def _on_region(place: Place, incident: Incident, region: str, sentence: str) -> PlacedIncident:
    first = place.days_before(6 if incident.begins is None else incident.begins)
    return placed(
        place,
        incident,
        entity_type="region",
        entity_id=region,
        entity_name=region,
        first=first,
        unit="share",
        sentence=sentence.format(size=incident.size, region=region, first=first),
    )


def _moved(rows: pa.Table, incident: PlacedIncident, share: float, to: str) -> pa.Table:
    """Rows in which a share of the granted answers of the incident's region and days went over to another answer."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    days = pc.greater_equal(rows["date"], pa.scalar(incident.first))
    hit = pc.and_(days, pc.equal(rows["region"], incident.entity_id)).to_numpy(zero_copy_only=False)
    moved = np.where(hit, np.rint(rows["granted"].to_numpy() * share), 0).astype(np.int64)
    for column, change in (("granted", -moved), (to, moved)):
        values = pa.array(rows[column].to_numpy() + change, rows.schema.field(column).type)
        rows = rows.set_column(rows.schema.get_field_index(column), rows.schema.field(column), values)
    return rows


class ConsentRefused(IncidentKind):
    """The banner was redesigned: 'reject all' is now as large as 'accept'."""

    name = "consent_refused"
    rules = ("COMPL-001",)
    size_means = "share of those who allowed it that refuse now"
    sizes = (0.06, 0.2, 0.28, 0.45, 0.7)
    tables = ("consent_daily",)
    needs_campaign = False

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        # The last region, so that a lost signal in the first strict one does not hide it.
        return _on_region(
            place, incident, place.profile.regions[-1], "{size:.0%} of the visitors in {region} who allowed measuring refuse since {first}"
        )

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        return _moved(rows, incident, incident.size, "denied")


class ConsentSignalLost(IncidentKind):
    """An update of the consent software forgets to pass the answer on, on a part of the pages."""

    name = "consent_signal_lost"
    rules = ("COMPL-001",)
    size_means = "share of the allowed hits that carry no answer now"
    sizes = (0.03, 0.08, 0.15, 0.35, 0.9)
    tables = ("consent_daily",)
    needs_campaign = False

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return any(region[:2] in STRICT_COUNTRIES for region in profile.regions) and super().suits(profile, account, campaign)

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        region = next(region for region in place.profile.regions if region[:2] in STRICT_COUNTRIES)
        return _on_region(place, incident, region, "{size:.0%} of the allowed hits in {region} arrive without an answer since {first}")

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        return _moved(rows, incident, incident.size, "unset")
