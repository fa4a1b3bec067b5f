"""The shape of a catalogue file: what a person may write. Expressions are still text here; `compile_rule.py` checks them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from marketing_agents.rules.finding import Severity, Unit
from marketing_agents.rules.rule import Order

TrendMetric = Literal["cost_per_conversion", "spend", "conversions", "clicks", "impressions", "orders", "rows", "ad_share"]
EntityType = Literal[
    "campaign",
    "adgroup",
    "ad",
    "budget_plan",
    "conversion_action",
    "platform_account",
    "calendar_event",
    "audience",
    "region",
    "advertiser",
    "segment",
    "connector",
    "platform",
    "tag",
    "landing_page",
    "feed",
]


def _expression_text(value: Any) -> Any:
    """YAML reads `1.1` and `true` as values; in an expression they are text again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def _one_line(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


ExpressionText = Annotated[str, BeforeValidator(_expression_text), BeforeValidator(_one_line), Field(min_length=1)]
Prose = Annotated[str, BeforeValidator(_one_line), Field(min_length=1, max_length=1000)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
RuleId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,15}-[0-9]{3}$")]

InputColumn = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}\.[a-z][a-z0-9_]{0,59}$")]


class FileModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EntityFile(FileModel):
    type: EntityType
    id: Identifier | tuple[Identifier, ...] = Field(description="mart column(s) of the id; several are joined with '/'")
    name: Identifier | None = None
    platform: Identifier | None = None
    account: Identifier | None = None
    campaign: Identifier | None = None
    adgroup: Identifier | None = None


class TestFile(FileModel):
    __test__ = False  # not a pytest class
    p_value: ExpressionText
    below: float | None = Field(
        default=None, gt=0, le=0.5, description="the rule fires only below it; left out: the p-value is evidence only (`when` judges it)"
    )


class FactFile(FileModel):
    label: Prose
    unit: Unit
    decimals: int | None = Field(default=None, ge=0, le=6)
    value: ExpressionText | None = Field(default=None, description="default: the value or column of the fact's name")


class AlternativeFile(FileModel):
    """Observed value in place of the main one where `if` holds; the first that holds wins."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    if_: ExpressionText = Field(alias="if")
    observed: Identifier
    baseline: Identifier | None = None
    threshold: dict[Severity, ExpressionText] | ExpressionText


class CauseFile(FileModel):
    id: Identifier
    text: Prose


class PeerFile(FileModel):
    where: ExpressionText
    order_by: ExpressionText = Field(description="lowest first")
    names: dict[Identifier, ExpressionText]


class StepFile(FileModel):
    action: str
    when: ExpressionText | None = None
    parameters: dict[Identifier, ExpressionText] = Field(default_factory=dict)
    effect: ExpressionText | None = Field(default=None, description="money in 7 days, base currency")
    rationale: Prose


class GateFile(FileModel):
    severity: Severity
    table: Identifier = Field(description="mart column that names the input table")
    when: ExpressionText | None = Field(default=None, description="which of these findings block; default: all")
    says: Prose = Field(default="late or incomplete", description="what is wrong with the table, for the rules that are blocked")


class RuleFile(FileModel):
    """One rule as written."""

    id: RuleId
    title: Prose
    category: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$")] | None = Field(
        default=None, description="default: the category of the file"
    )
    description: Prose
    pinned_domain: Identifier | None = Field(default=None, description="a person's decision about the domain")
    entity: EntityFile
    mart: str
    order: Order = "efficiency"
    requires: tuple[str, ...] = Field(description="input tables without which the rule says nothing")
    inputs: tuple[InputColumn, ...] = Field(
        default=(), description="decisive optional input columns, as table.column: without values in them the rule cannot speak"
    )
    better_with: tuple[InputColumn, ...] = Field(default=(), description="input columns, as table.column, that make the rule full")
    min_history_days: int = Field(default=0, ge=0, le=120)
    window_days: int = Field(ge=1, le=120, description="days the observed value looks back")
    values: dict[Identifier, ExpressionText] = Field(default_factory=dict)
    applies: ExpressionText | None = None
    floor: ExpressionText | None = None
    test: TestFile | None = None
    false_discovery: float | None = Field(
        default=None,
        gt=0,
        le=0.5,
        description="share of false alarms to accept among the entities of a day that fire: Benjamini-Hochberg on the p-values of `test`",
    )
    when: dict[Severity, ExpressionText] = Field(min_length=1)
    resolve_when: ExpressionText | None = None
    observed: Identifier
    baseline: Identifier | None = None
    threshold: dict[Severity, ExpressionText] | None = Field(
        default=None, description="default: the number `observed` is compared with in `when`"
    )
    alternatives: tuple[AlternativeFile, ...] = ()
    impact: ExpressionText | None = Field(default=None, description="money at stake in 7 days, base currency")
    sample_size: ExpressionText | None = None
    sample_floor: float | None = Field(default=None, gt=0)
    quality: ExpressionText | None = Field(default=None, description="0 to 1, multiplies the confidence")
    facts: dict[Identifier, FactFile] = Field(min_length=1)
    peer: PeerFile | None = None
    causes: tuple[CauseFile, ...] = Field(min_length=1)
    playbook: tuple[StepFile, ...] = Field(min_length=1)
    gate: GateFile | None = None
    limits_actions_from: Severity | None = Field(
        default=None, description="from this severity on, findings of rules that name this one in `limited_by` may only be watched"
    )
    suppressed_by: tuple[str, ...] = Field(
        default=(), description="rules that explain this one while they are open on the same account (or belong to no account)"
    )
    suppressed_on_entity_by: tuple[str, ...] = Field(
        default=(), description="rules that explain this one while they are open on the same entity, on a parent or on a child of it"
    )
    limited_by: tuple[str, ...] = ()
    shadow: bool = Field(
        default=False, description="on trial: evaluated, counted and stored, but its findings are shown to nobody and change nothing"
    )
    trend_metric: TrendMetric | None = None
    sources: tuple[Prose, ...] = Field(min_length=1)
