"""The truth file: what was planted, for tests and for people who want to see whether it is found."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from marketing_agents.sample.incidents.registry import kinds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from marketing_agents.sample.incidents.placed import PlacedIncident
    from marketing_agents.sample.spec import AgencySpec


class PlantedTruth(BaseModel):
    """One planted incident. `last_day` is None while it goes on."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    incident_id: str
    kind: str
    rule_ids: tuple[str, ...] = Field(description="rules that should fire on the entity on the anchor day")
    consequences: tuple[str, ...] = Field(description="rules that may rightly fire as well, there or on parents and children")
    advertiser_id: str
    entity_type: str
    entity_id: str
    entity_name: str
    platform: str
    account_id: str
    first_day: date = Field(alias="from")
    last_day: date | None = Field(alias="to")
    size: float
    unit: str
    sentence: str


class AgencyTruth(BaseModel):
    """What the files hold. `clean_advertisers` have no incident: whatever is found there is a false alarm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    anchor: date
    start: date
    end: date
    known_on: date
    advertisers: tuple[str, ...]
    clean_advertisers: tuple[str, ...]
    incidents: tuple[PlantedTruth, ...]
    rows: dict[str, int] = Field(description="rows written by table")

    def of_rule(self, rule_id: str) -> tuple[PlantedTruth, ...]:
        return tuple(incident for incident in self.incidents if rule_id in incident.rule_ids)

    def to_json(self) -> str:
        return self.model_dump_json(indent=2, by_alias=True) + "\n"


def read_truth(path: Path) -> AgencyTruth:
    """Read a truth file.

    Raises:
        FileNotFoundError: the agency was not written to the end.
    """
    return AgencyTruth.model_validate_json(path.read_text(encoding="utf-8"))


def make_truth(spec: AgencySpec, placed: Sequence[PlacedIncident], rows: dict[str, int]) -> AgencyTruth:
    """The truth of one agency, from what was placed; incidents that begin after the last day are not in the files yet."""
    ids = sorted(profile.advertiser.id for profile in spec.advertisers)
    hit = {incident.advertiser_id for incident in placed}
    return AgencyTruth(
        seed=spec.seed,
        anchor=spec.anchor_day,
        start=spec.start,
        end=spec.end,
        known_on=spec.known_day,
        advertisers=tuple(ids),
        clean_advertisers=tuple(i for i in ids if i not in hit),
        incidents=tuple(
            PlantedTruth(
                incident_id=i.incident_id,
                kind=i.kind,
                rule_ids=kinds()[i.kind].rules,
                consequences=kinds()[i.kind].consequences,
                advertiser_id=i.advertiser_id,
                entity_type=i.entity_type,
                entity_id=i.entity_id,
                entity_name=i.entity_name,
                platform=i.platform,
                account_id=i.account_id,
                first_day=i.first,
                last_day=i.last,
                size=i.size,
                unit=i.unit,
                sentence=i.sentence,
            )
            for i in placed
            if i.first <= spec.end
        ),
        rows=rows,
    )
