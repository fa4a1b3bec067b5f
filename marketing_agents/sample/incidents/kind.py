"""What a kind of incident may do: be placed, change what happens, change what is written.

An incident is made from the meaning of what goes wrong (people are tired of an ad; a tag is gone), never from the formula of the rule that
should find it: else finding it would prove nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.effects import Effects
    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.incidents.placed import Place, PlacedIncident
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea, Incident
    from marketing_agents.sample.structure import Structure


MIN_WEIGHT = 0.1
"""Least relative spend of a campaign inside its account that is worth planting something on."""


class IncidentKind(ABC):
    """One kind. `name`: as in `Incident.kind`. `rules`: should fire on the placed entity on the anchor day. `consequences`: may rightly
    fire as well, there or on parents and children. `sizes`: from barely visible to obvious, for the evaluation; `size_means`: in words.
    `tables`: the ones `rewrite` wants to see. `needs_campaign`: `Incident.campaign` says where; else the account or the advertiser is meant.
    `comes_alone`: it blinds the rules to whatever else is planted on the advertiser.
    """

    name: ClassVar[str]
    rules: ClassVar[tuple[str, ...]]
    consequences: ClassVar[tuple[str, ...]] = ()
    size_means: ClassVar[str]
    sizes: ClassVar[tuple[float, ...]]
    tables: ClassVar[tuple[str, ...]] = ()
    needs_campaign: ClassVar[bool] = True
    comes_alone: ClassVar[bool] = False

    def suits(self, profile: AdvertiserProfile, account: AccountProfile, campaign: CampaignIdea) -> bool:  # noqa: ARG002
        """Whether the evaluation may plant it on this campaign (and its account, ad groups, ads): one that runs throughout, with some weight."""
        return campaign.weight >= MIN_WEIGHT and campaign.launched_before_anchor is None and campaign.paused_before_anchor is None

    @abstractmethod
    def place(self, place: Place, incident: Incident) -> PlacedIncident:
        """The incident on its entity.

        Raises:
            ValueError: the profile has no such account or campaign.
        """

    def shape(self, effects: Effects, incident: PlacedIncident, during: np.ndarray, structure: Structure) -> None:  # noqa: B027 - most do one of two
        """Change what happens, in place. `during`: (days,) True on the days of the incident."""

    def rewrite(self, table: str, rows: pa.Table, facts: AdvertiserFacts, incident: PlacedIncident) -> pa.Table:  # noqa: ARG002
        """Change what is written to one of `tables`; called once per placed incident, after all rows of the advertiser were made."""
        return rows
