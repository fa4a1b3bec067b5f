"""What goes wrong with searches, rivals, segments, invalid traffic and places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from marketing_agents.sample.incidents.kind import IncidentKind
from marketing_agents.sample.incidents.placed import Place, PlacedIncident, on_campaign
from marketing_agents.sample.search_tables import OWN_NAME_RATE, SEARCH_ROLES
from marketing_agents.sample.structure import SEARCH_PLATFORMS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea, Incident
    from marketing_agents.sample.structure import Structure

_CAMPAIGN_CHANGES = ("MEDIA-001", "MEDIA-002", "MEDIA-003", "MEDIA-004", "MEDIA-008", "MEDIA-010", "CONV-004")
"""Rules that may rightly fire where a campaign's clicks convert at another rate."""


class UselessSearches(IncidentKind):
    """Broad match lets in people who look for jobs, pictures and free things."""

    name = "useless_searches"
    rules = ("SEARCH-001",)
    consequences = _CAMPAIGN_CHANGES
    size_means = "share of the campaign's clicks that come from such searches"
    sizes = (0.04, 0.1, 0.18, 0.3, 0.45)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return (
            super().suits(profile, account, campaign) and account.platform in SEARCH_PLATFORMS and campaign.role in {"generic", "shopping"}
        )

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(34 if incident.begins is None else incident.begins)
        return on_campaign(
            place,
            incident,
            first=first,
            unit="share of clicks",
            sentence=f"{incident.size:.0%} of the clicks come from searches for jobs, pictures and free things since {first}",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.useless_searches[during, incident.index] = incident.size
        effects.conversion_rate[during, incident.index] *= 1 - incident.size


class OwnNameSearches(IncidentKind):
    """A campaign for new demand catches people who search for the advertiser by name."""

    name = "own_name_searches"
    rules = ("BRAND-001",)
    size_means = "share of the campaign's clicks that come from searches for the own name"
    sizes = (0.04, 0.08, 0.15, 0.25, 0.45)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return (
            super().suits(profile, account, campaign) and account.platform in SEARCH_PLATFORMS and campaign.role in SEARCH_ROLES - {"brand"}
        )

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(34 if incident.begins is None else incident.begins)
        return on_campaign(
            place,
            incident,
            first=first,
            unit="share of clicks",
            sentence=f"{incident.size:.0%} of the clicks come from searches for the own name since {first}",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.own_name_searches[during, incident.index] = incident.size
        effects.conversion_rate[during, incident.index] *= 1 + incident.size * (OWN_NAME_RATE - 1)


class RivalsOutbid(IncidentKind):
    """A rival bids for the same searches and is shown in our place."""

    name = "rivals_outbid"
    rules = ("COMP-001",)
    size_means = "impression share / the usual one"
    sizes = (0.85, 0.7, 0.55, 0.4, 0.2)

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and account.platform in SEARCH_PLATFORMS and campaign.role in SEARCH_ROLES

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(13 if incident.begins is None else incident.begins)
        return on_campaign(
            place,
            incident,
            first=first,
            unit="multiple of the usual impression share",
            sentence=f"impression share falls to x{incident.size:.2f} of the usual one on {first} because a rival outbids us",
        )

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: ARG002
        effects.auction_share[during, incident.index] *= incident.size


class _SegmentShifts(IncidentKind):
    """Part of a campaign's delivery moves to one value of a dimension; the campaign's figures stay as they are."""

    tables = ("segment_performance_daily",)
    dimension: ClassVar[str]

    def figures(self, facts: AdvertiserFacts, incident: PlacedIncident) -> tuple[str, float, float, float, float, float | None]:
        """(value, its share of impressions, of clicks, of cost, of conversions; share of its clicks after which a page loads, None = as is)."""
        raise NotImplementedError

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        import numpy as np
        import pandas as pd
        import pyarrow as pa
        import pyarrow.compute as pc

        value, *shares, loads = self.figures(facts, incident)
        of_campaign = pc.and_(pc.equal(rows["campaign_id"], incident.entity_id), pc.equal(rows["account_id"], incident.account_id))
        during = pc.greater_equal(rows["date"], pa.scalar(incident.first, pa.date32()))
        if incident.last is not None:
            during = pc.and_(during, pc.less_equal(rows["date"], pa.scalar(incident.last, pa.date32())))
        within = pc.and_(pc.and_(of_campaign, during), pc.equal(rows["dimension"], self.dimension))
        touched = rows.filter(within).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        if touched.empty:
            return rows
        changed = pd.concat(
            [
                self._day(part, value, shares, loads, facts.streams.of(f"{incident.incident_id} {day}"))
                for day, part in touched.groupby("date", sort=True)
            ]
        )
        made = pa.Table.from_pandas(changed, schema=rows.schema, preserve_index=False)
        together = pa.concat_tables([rows.filter(pc.invert(within)), made])
        order = np.argsort(together["date"].to_numpy(), kind="stable")
        return together.take(pa.array(order))

    def _day(self, part: pd.DataFrame, value: str, shares: list[float], loads: float | None, draw: np.random.Generator) -> pd.DataFrame:
        """The rows of one day with the shares of `value` as asked; the others give and take in proportion."""
        import pandas as pd

        part = part.copy()
        if not (part["value"] == value).any():
            part = part.iloc[[*range(len(part)), 0]].reset_index(drop=True)
            part.loc[len(part) - 1, ["value", "landing_page_views"]] = value, pd.NA
            part.loc[len(part) - 1, ["impressions", "clicks", "spend", "conversions", "conversion_value"]] = 0
        target = (part["value"] == value).to_numpy()
        to_impressions, to_clicks, to_cost, to_conversions = shares
        total = float(part["conversions"].sum())
        # Conversions are counts, so their share scatters.
        drawn = min(total, float(draw.binomial(round(total), min(max(to_conversions, 0.0), 1.0)))) / total if total else 0.0
        for column, share, decimals in (
            ("impressions", to_impressions, 0),
            ("clicks", to_clicks, 0),
            ("spend", to_cost, 2),
            ("conversions", drawn, 2),
            ("conversion_value", drawn, 2),
        ):
            part[column] = _moved(part[column], target, share, decimals)
        if loads is not None and part["landing_page_views"].notna().any():
            part.loc[target, "landing_page_views"] = draw.binomial(part.loc[target, "clicks"].astype(int), loads)
        others = ~target & part["landing_page_views"].notna().to_numpy()
        part.loc[others, "landing_page_views"] = part.loc[others, ["landing_page_views", "clicks"]].min(axis=1)
        return part[part["impressions"] > 0]


def _moved(values: pd.Series[Any], target: np.ndarray, share: float, decimals: int) -> pd.Series[Any]:
    """Values of at most `decimals` digits with `share` of their sum on the target; the others keep their proportions, the sum stays."""
    from decimal import Decimal

    import numpy as np
    import pandas as pd

    whole = np.array([round(float(v) * 10**decimals) for v in values], dtype=np.int64)
    others = np.cumsum(whole * ~target)
    left = round(int(whole.sum()) * (1 - share))
    kept = np.diff(np.floor(others / max(int(others[-1]), 1) * left).astype(np.int64), prepend=0)
    kept[int(np.flatnonzero(target)[0])] = whole.sum() - kept.sum()
    if isinstance(values.iloc[0], Decimal):
        return pd.Series([Decimal(int(v)).scaleb(-decimals) for v in kept], index=values.index, dtype=object)
    return pd.Series([int(v) / 10**decimals if decimals else int(v) for v in kept], index=values.index, dtype=values.dtype)


class SegmentTakesMoney(_SegmentShifts):
    """Automation of the platform moves a third of the money to one age group that hardly buys."""

    name = "segment_takes_money"
    rules = ("AUD-007",)
    size_means = "cost per conversion of the segment / that of the rest"
    sizes = (1.4, 1.9, 2.6, 4.0, 8.0)
    dimension = "age_gender"

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(34 if incident.begins is None else incident.begins)
        return on_campaign(
            place,
            incident,
            first=first,
            unit="multiple of the cost per conversion of the rest",
            sentence=f"men of 35 to 54 take a third of the money since {first} and cost x{incident.size:.1f} per conversion",
        )

    def figures(self, facts: AdvertiserFacts, incident: PlacedIncident) -> tuple[str, float, float, float, float, float | None]:  # noqa: ARG002
        return "35-54 male", 0.35, 0.35, 0.35, 0.35 / (0.35 + 0.65 * incident.size), None


class AccidentalClicks(_SegmentShifts):
    """Ads in games are tapped by accident: many clicks, hardly a page that loads, nobody who buys."""

    name = "accidental_clicks"
    rules = ("FRAUD-001",)
    consequences = ("AUD-007",)
    size_means = "share of the campaign's clicks"
    sizes = (0.15, 0.3, 0.42, 0.55, 0.7)
    dimension = "placement"

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:
        return super().suits(profile, account, campaign) and account.platform not in SEARCH_PLATFORMS

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(20 if incident.begins is None else incident.begins)
        return on_campaign(
            place,
            incident,
            first=first,
            unit="share of clicks",
            sentence=f"{incident.size:.0%} of the clicks come from partner apps since {first} and bring nothing",
        )

    def figures(self, facts: AdvertiserFacts, incident: PlacedIncident) -> tuple[str, float, float, float, float, float | None]:  # noqa: ARG002
        return "partner apps", 0.16, incident.size, 0.16, 0.0, 0.1


class WrongPlaces(_SegmentShifts):
    """A location setting lets the campaign run where nothing is sold."""

    name = "wrong_places"
    rules = ("GEO-001",)
    size_means = "share of the campaign's impressions abroad"
    sizes = (0.006, 0.02, 0.05, 0.12, 0.35)
    dimension = "country"

    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        first = place.days_before(9 if incident.begins is None else incident.begins)
        return on_campaign(
            place,
            incident,
            first=first,
            unit="share of impressions",
            sentence=f"{incident.size:.1%} of the impressions are in Brazil since {first}, where nothing is sold",
        )

    def figures(self, facts: AdvertiserFacts, incident: PlacedIncident) -> tuple[str, float, float, float, float, float | None]:  # noqa: ARG002
        return "BR", incident.size, incident.size, incident.size, incident.size * 0.2, None
