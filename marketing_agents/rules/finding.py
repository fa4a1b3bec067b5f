"""What a rule says when it fires: the finding, its entity, and the facts that may be quoted.

A fact is the only source of figures in this system: whatever text says later must match one. `display` is the form that people read and
that text copies.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
EpisodeState = Literal["opened", "worsened", "ongoing", "improved", "resolved", "superseded", "muted"]
ActionLimit = Literal["none", "monitor_only"]


class Unit(StrEnum):
    """Unit of a fact. `PERCENT` values are fractions (0.31 is shown as 31 %); `MULTIPLE` is shown as 1.8x."""

    MONEY = "money"
    COUNT = "count"
    PERCENT = "percent"
    RATIO = "ratio"
    MULTIPLE = "multiple"
    DAYS = "days"
    HOURS = "hours"
    PROBABILITY = "probability"
    DATE = "date"
    TEXT = "text"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entity(Frozen):
    """The thing a rule looked at, with its parents. Ids are 'NA' where a level does not apply. `name` is outside text."""

    type: str = Field(description="campaign, adgroup, ad, budget_plan, conversion_action, platform_account, calendar_event, advertiser")
    id: str
    name: str
    platform: str = "NA"
    account_id: str = "NA"
    campaign_id: str = "NA"
    adgroup_id: str = "NA"

    @property
    def key(self) -> str:
        return f"{self.type}:{self.platform}:{self.account_id}:{self.id}"


class Fact(Frozen):
    """One quotable value. `id` is unique within a finding's partition, e.g. `MEDIA-001.3f2a.cpa`."""

    id: str
    name: str = Field(description="name of the value in the rule, e.g. cpa_idx")
    label: str = Field(description="what a person calls it, e.g. 'cost per conversion, last 14 days (settled)'")
    unit: Unit
    number: float | None = None
    text: str | None = Field(default=None, description="for DATE (ISO) and TEXT facts")
    currency: str | None = None
    display: str


class Cause(Frozen):
    """A possible cause from the rule's closed list."""

    id: str
    text: str


class PlannedAction(Frozen):
    """An action of the rule's playbook with parameters computed by code (never by a model).

    `parameters` values are numbers or short codes; which keys an action takes is in `decisions/actions.py`.
    """

    action: str
    entity: Entity
    parameters: dict[str, float | str] = Field(default_factory=dict)
    expected_effect: float | None = Field(default=None, description="money in 7 days, base currency")
    rationale: str = Field(default="", description="why this action, from the catalogue")


class Finding(Frozen):
    """A rule that fires on an entity, as an episode. `facts` hold every number that may be quoted."""

    finding_id: str
    advertiser_id: str
    date: dt.date
    rule_id: str
    rule_title: str
    category: str
    catalogue_hash: str
    description: str = Field(description="what the rule means, from the catalogue")
    entity: Entity
    severity: Severity
    previous_severity: Severity | None = None
    episode_state: EpisodeState
    opened_on: dt.date | None = None
    days_open: int
    observed: str = Field(description="fact id of the observed value")
    baseline: str | None = Field(default=None, description="fact id of what it is compared with")
    threshold: str = Field(description="fact id of the threshold in force")
    money_at_stake: float | None = Field(default=None, description="base currency, 7 days")
    currency_code: str
    confidence: float
    p_value: float | None = None
    sample_size: float | None = None
    evaluated_day: dt.date
    data_age_days: int = 0
    action_limit: ActionLimit = "none"
    suppressed_by: tuple[str, ...] = ()
    facts: tuple[Fact, ...]
    causes: tuple[Cause, ...] = ()
    playbook: tuple[PlannedAction, ...] = ()
    trend_metric: str | None = Field(default=None, description="series to chart, see report/trend.py")

    @property
    def is_open(self) -> bool:
        return self.episode_state in ("opened", "worsened", "ongoing", "improved")

    def fact(self, fact_id: str) -> Fact:
        return next(fact for fact in self.facts if fact.id == fact_id)
