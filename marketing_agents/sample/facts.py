"""All that is known about one advertiser, drawn once; the tables are views of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from marketing_agents.sample.delivery import Delivery, deliver
from marketing_agents.sample.effects import Effects, make_effects
from marketing_agents.sample.incidents.placed import PlacedIncident
from marketing_agents.sample.incidents.registry import place_incidents
from marketing_agents.sample.reporting import Reported, report
from marketing_agents.sample.streams import Streams
from marketing_agents.sample.structure import Structure, build_structure

if TYPE_CHECKING:
    from datetime import date

    import numpy as np

    from marketing_agents.sample.profile import AdvertiserProfile, Vertical
    from marketing_agents.sample.spec import AgencySpec

ORDERS_PER_CONVERSION: dict[Vertical, float] = {"retail": 0.93, "education": 0.08, "software": 0.22, "travel": 0.12}


@dataclass(frozen=True)
class AdvertiserFacts:
    """One advertiser of one agency."""

    profile: AdvertiserProfile
    spec: AgencySpec
    streams: Streams
    structure: Structure
    incidents: tuple[PlacedIncident, ...]
    effects: Effects
    delivery: Delivery
    reported: Reported

    @property
    def advertiser_id(self) -> str:
        return self.profile.advertiser.id

    @property
    def dates(self) -> tuple[date, ...]:
        return self.delivery.dates

    @cached_property
    def date_array(self) -> np.ndarray:
        import numpy as np

        return np.array(self.dates, dtype="datetime64[D]")

    @cached_property
    def campaign_accounts(self) -> np.ndarray:
        """Position of the account of each campaign."""
        import numpy as np

        return np.array([campaign.account for campaign in self.structure.campaigns])

    @cached_property
    def live_ads(self) -> list[list[int]]:
        """Positions of the ads of each ad group that are not paused."""
        live: list[list[int]] = [[] for _ in self.structure.adgroups]
        for position, ad in enumerate(self.structure.ads):
            if not ad.paused:
                live[ad.adgroup].append(position)
        return live

    @cached_property
    def campaign_has_rows(self) -> np.ndarray:
        """(days, campaigns): True where the platform reports the campaign: something was shown and the day is delivered."""
        shown = self.delivery.cells.by_campaign(self.delivery.impressions) > 0
        has_rows: np.ndarray = shown & self.reported.has_rows[:, self.campaign_accounts]
        return has_rows


def draw_facts(profile: AdvertiserProfile, spec: AgencySpec) -> AdvertiserFacts:
    """Draw everything about one advertiser."""
    streams = Streams(spec.seed, profile.advertiser.id)
    structure = build_structure(profile, streams, spec.anchor_day)
    incidents = place_incidents(profile, structure, spec.anchor_day, spec.start) if spec.incidents else ()
    effects = make_effects(profile, structure, incidents, spec.anchor_day, spec.dates, with_incidents=spec.incidents)
    delivery = deliver(profile, structure, effects, streams, anchor=spec.anchor_day, dates=spec.dates)
    value_per_conversion = profile.order_value * ORDERS_PER_CONVERSION[profile.vertical]
    reported = report(
        profile.advertiser, structure, delivery, effects, streams=streams, known_on=spec.known, order_value=value_per_conversion
    )
    return AdvertiserFacts(profile, spec, streams, structure, incidents, effects, delivery, reported)
