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
RETRACTED = "retracted"
"""Name of the fact of a superseded finding that says why it does not hold."""
RETRACTED_DAY = "retracted_day"
"""Name of the fact of a superseded finding that says for which day."""
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

    type: str = Field(
        description="campaign, adgroup, ad, audience, segment, budget_plan, conversion_action, tag, platform_account, platform, connector, calendar_event, advertiser"
    )
    id: str
    name: str
    platform: str = "NA"
    account_id: str = "NA"
    campaign_id: str = "NA"
    adgroup_id: str = "NA"

    @property
    def key(self) -> str:
        """What tells it from every other entity of the advertiser. One ad may stand in several ad groups, and ids of ad groups may repeat over
        campaigns, so these two carry their parent: `ad:google_ads:111:g1/a1`.
        """
        parent = {"ad": self.adgroup_id, "adgroup": self.campaign_id}.get(self.type, "NA")
        return f"{self.type}:{self.platform}:{self.account_id}:{self.id if parent == 'NA' else f'{parent}/{self.id}'}"


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


class AppliedOverride(Frozen):
    """The override in force: where it is written, what it changes, who decided it and why, and its last day."""

    place: str
    changes: str
    owner: str
    reason: str
    expires: dt.date


class Muted(Frozen):
    """Why a finding is not told: the note, who gave it, and until when it holds (None = for good). `reason` is outside text; `was_open`: whether
    the episode would be open without the note.
    """

    feedback_id: str
    verdict: Literal["mute", "wrong", "done"]
    author: str
    until: dt.date | None
    reason: str | None
    was_open: bool


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
    override: AppliedOverride | None = Field(
        default=None, description="limits that somebody set for this entity in place of the rule's own"
    )
    is_shadow: bool = Field(default=False, description="of a rule on trial: stored, shown to nobody")
    muted: Muted | None = Field(default=None, description="why the state is muted, see muting.py")
    rolled_up_to: str | None = Field(
        default=None, description="the finding on a child that explains most of the money: this one is context (see roll_up.py)"
    )
    facts: tuple[Fact, ...]
    causes: tuple[Cause, ...] = ()
    playbook: tuple[PlannedAction, ...] = ()
    trend_metric: str | None = Field(default=None, description="series to chart, see report/trend.py")

    @property
    def is_open(self) -> bool:
        return self.episode_state in ("opened", "worsened", "ongoing", "improved")

    @property
    def holds(self) -> bool:
        """Whether it is true today, told or not: open, or muted as known or acted upon while it would be open."""
        return self.is_open or (self.muted is not None and self.muted.was_open and self.muted.verdict != "wrong")

    def fact(self, fact_id: str) -> Fact:
        return next(fact for fact in self.facts if fact.id == fact_id)
