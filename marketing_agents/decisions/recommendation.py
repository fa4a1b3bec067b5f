"""One line of the day's list: what to do, on what, why, how sure, and whether it may be done."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from marketing_agents.rules.finding import Entity, Frozen, Severity

RecommendationStatus = Literal["proposed", "needs_approval", "blocked", "held", "suppressed"]


class OtherAction(Frozen):
    """An action that the same evidence also supports but that is no line of its own.

    `relation`: `also` = goes with the recommendation (tell the owner, freeze changes); `instead` = another lever for the same problem.
    """

    action: str
    parameters: dict[str, float | str]
    relation: Literal["also", "instead"]
    status: RecommendationStatus
    reason: str = ""
    expected_effect: float | None = None


class Recommendation(Frozen):
    """A merged, guarded and ranked proposal. Stable id: same advertiser, entity and action give the same id on every day.

    What each status means is written in `decisions/guardrails.py`.
    """

    recommendation_id: str
    advertiser_id: str
    date: dt.date
    rank: int | None
    score: float
    score_parts: dict[str, float] = Field(description="factors of the score, by name")
    status: RecommendationStatus
    reasons: tuple[str, ...]
    action: str
    parameters: dict[str, float | str]
    entity: Entity
    severity: Severity
    confidence: float
    money_at_stake: float | None
    expected_effect: float | None
    currency_code: str
    domains: tuple[str, ...]
    rule_ids: tuple[str, ...]
    finding_ids: tuple[str, ...]
    first_seen: dt.date | None
    days_open: int
    headline: str
    text: str
    rationale: str = ""
    other_actions: tuple[OtherAction, ...] = ()
    writer: str
    prompt_version: str | None = None
    model: str | None = None
    cost_usd: float | None = None
