"""Contracts of what the pipeline writes: one slice per (advertiser, date), replaced as a whole.

Columns marked "not part of identity" may differ between two runs of the same day (text, cause, writer, prompt, model, cost, ids of runs
and traces); every other column is equal whenever inputs are equal.
"""

from __future__ import annotations

from marketing_agents.warehouse.contract import Column, ColumnType, TableContract, TableKind

S, I, F, M, D, B, J = (
    ColumnType.STRING,
    ColumnType.INTEGER,
    ColumnType.FLOAT,
    ColumnType.MONEY,
    ColumnType.DATE,
    ColumnType.BOOLEAN,
    ColumnType.JSON,
)

_ADVERTISER = Column("advertiser_id", S, "Advertiser slug.", required=True)
_DATE = Column("date", D, "Partition: the advertiser's local day.", required=True)

FINDINGS = TableContract(
    name="findings",
    description="Rules that fire, or ended lately, with evidence. One row per rule and entity: an episode as it stands on the day.",
    grain="date x rule x entity",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "finding_id"),
    columns=(
        _ADVERTISER,
        _DATE,
        Column("finding_id", S, "Stable id of (advertiser, rule, entity).", required=True),
        Column("rule_id", S, "Rule.", required=True),
        Column("rule_title", S, "Title of the rule.", required=True),
        Column("category", S, "Category of the rule.", required=True),
        Column("catalogue_hash", S, "Hash of the rule set that was evaluated.", required=True),
        Column("entity_type", S, "Kind of entity.", required=True),
        Column("entity_id", S, "Entity.", required=True),
        Column("entity_name", S, "Name of the entity; outside text.", required=True),
        Column(
            "severity",
            S,
            "Severity today (of a resolved episode: the last one).",
            required=True,
            allowed=("low", "medium", "high", "critical"),
        ),
        Column(
            "episode_state",
            S,
            "State of the episode.",
            required=True,
            allowed=("opened", "worsened", "ongoing", "improved", "resolved", "superseded", "muted"),
        ),
        Column("opened_on", D, "First day of the episode; empty when older than the episode window."),
        Column("days_open", I, "Days the episode has lasted (56 = 56 and more).", required=True),
        Column("money_at_stake", M, "Money at stake in 7 days, base currency."),
        Column("currency_code", S, "Base currency of the advertiser.", required=True),
        Column("confidence", F, "(1 - p) x data quality, 0 to 1.", required=True),
        Column("p_value", F, "p-value of the rule's test, if it has one."),
        Column("sample_size", F, "Observations behind the test or floor."),
        Column("evaluated_day", D, "Last complete and settled day of the entity's account.", required=True),
        Column(
            "action_limit", S, "'monitor_only' while tracking is not trusted, else 'none'.", required=True, allowed=("none", "monitor_only")
        ),
        Column("suppressed_by", J, "Ids of the findings that explain this one (JSON list).", required=True),
        Column("is_shadow", B, "True for findings of a rule on trial, which nobody is shown."),
        Column("body", J, "The whole finding: entity, facts, causes, playbook (JSON of rules.finding.Finding).", required=True),
    ),
)

RULE_EVALUATIONS = TableContract(
    name="rule_evaluations",
    description="What every rule said for the day, counted: fired, clear, or not evaluable and why.",
    grain="date x rule x outcome x reason",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "rule_id", "outcome", "reason"),
    columns=(
        _ADVERTISER,
        _DATE,
        Column("rule_id", S, "Rule.", required=True),
        Column("outcome", S, "Outcome.", required=True, allowed=("fired", "clear", "not_evaluable")),
        Column("reason", S, "Why it was not evaluable; empty text otherwise.", required=True),
        Column("detail", S, "What is missing or blocked.", required=True),
        Column("entities", I, "Entities with this outcome.", required=True, minimum=0),
        Column("is_shadow", B, "True for a rule on trial."),
    ),
)

ANALYSES = TableContract(
    name="analyses",
    description="What one domain agent wrote: findings grouped under causes, proposals, text and who wrote it.",
    grain="date x domain",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "domain"),
    columns=(
        _ADVERTISER,
        _DATE,
        Column("domain", S, "Domain.", required=True),
        Column(
            "status",
            S,
            "ok, or degraded after an error of the model; follows the writer, so not part of identity.",
            required=True,
            allowed=("ok", "degraded"),
        ),
        Column(
            "writer",
            S,
            "Who wrote the text; not part of identity.",
            required=True,
            allowed=("model", "model_repaired", "template", "template_after_error", "quiet"),
        ),
        Column("insights", I, "Number of insights; not part of identity where a model groups findings.", required=True, minimum=0),
        Column("proposals", I, "Number of proposals.", required=True, minimum=0),
        Column("prompt_version", S, "Prompt that produced the text; not part of identity."),
        Column("model", S, "Model; not part of identity."),
        Column("cost_usd", F, "Cost of the calls; empty when unknown; not part of identity."),
        Column("trace_id", S, "Trace; not part of identity."),
        Column("body", J, "The whole analysis (JSON of agents.analysis.DomainAnalysis).", required=True),
    ),
)

RECOMMENDATIONS = TableContract(
    name="recommendations",
    description="The ranked list of the day, with what was merged, held, blocked or suppressed and why.",
    grain="date x recommendation",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "recommendation_id"),
    columns=(
        _ADVERTISER,
        _DATE,
        Column("recommendation_id", S, "Stable id of (advertiser, entity, action).", required=True),
        Column("rank", I, "1 = first; empty for suppressed ones."),
        Column("score", F, "Deterministic score (rules.md section 6).", required=True),
        Column(
            "status", S, "What may happen with it.", required=True, allowed=("proposed", "needs_approval", "blocked", "held", "suppressed")
        ),
        Column("reasons", J, "Why it has this status (JSON list of text).", required=True),
        Column("action", S, "Action of the closed vocabulary.", required=True),
        Column("parameters", J, "Typed parameters of the action.", required=True),
        Column("entity_type", S, "Kind of entity.", required=True),
        Column("entity_id", S, "Entity.", required=True),
        Column("entity_name", S, "Name of the entity; outside text.", required=True),
        Column("severity", S, "Highest severity of its findings.", required=True),
        Column("money_at_stake", M, "Money at stake in 7 days, base currency."),
        Column("currency_code", S, "Base currency.", required=True),
        Column("domains", J, "Domains that agree (JSON list).", required=True),
        Column("finding_ids", J, "Evidence (JSON list).", required=True),
        Column("first_seen", D, "First day of the oldest episode behind it; empty when older than the window."),
        Column("days_open", I, "Days open (56 = 56 and more).", required=True),
        Column("headline", S, "One sentence; not part of identity.", required=True),
        Column("text", S, "Explanation in Markdown; not part of identity.", required=True),
        Column("writer", S, "Who wrote the text; not part of identity.", required=True),
        Column("prompt_version", S, "Prompt version; not part of identity."),
        Column("model", S, "Model; not part of identity."),
        Column("cost_usd", F, "Share of the cost; not part of identity."),
        Column("body", J, "The whole recommendation (JSON of decisions.recommendation.Recommendation).", required=True),
    ),
)

RESULT_TABLE_CONTRACTS = (FINDINGS, RULE_EVALUATIONS, ANALYSES, RECOMMENDATIONS)
