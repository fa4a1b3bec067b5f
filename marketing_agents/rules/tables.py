"""Findings and outcomes as rows of their result tables, and back. Contracts: `warehouse/tables/results.py`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from marketing_agents.rules.finding import Finding
from marketing_agents.rules.outcomes import RuleOutcome
from marketing_agents.warehouse.tables.results import FINDINGS, RULE_EVALUATIONS

if TYPE_CHECKING:
    import pyarrow as pa

_MICROS = Decimal("0.000001")


def findings_table(findings: Iterable[Finding]) -> pa.Table:
    """One row per finding, by partition and id, columns of `findings`."""
    import pyarrow as pa

    ordered = sorted(findings, key=lambda finding: (finding.advertiser_id, finding.date, finding.finding_id))
    return pa.Table.from_pylist([_finding_row(finding) for finding in ordered], schema=FINDINGS.arrow_schema())


def _finding_row(finding: Finding) -> dict[str, Any]:
    money = finding.money_at_stake
    return {
        **{name: getattr(finding, name) for name in FINDINGS.column_names if name in Finding.model_fields},
        "entity_type": finding.entity.type,
        "entity_id": finding.entity.id,
        "entity_name": finding.entity.name,
        "money_at_stake": None if money is None else Decimal(repr(money)).quantize(_MICROS),
        "suppressed_by": json.dumps(list(finding.suppressed_by)),
        "body": finding.model_dump_json(),
    }


def findings_from_table(table: pa.Table) -> list[Finding]:
    """The findings of stored rows, in their order."""
    return [Finding.model_validate_json(body) for body in table.column("body").to_pylist()]


def told_findings(table: pa.Table) -> list[Finding]:
    """The findings of stored rows that anybody may see: those of rules on trial are left out."""
    return [finding for finding in findings_from_table(table) if not finding.is_shadow]


def outcomes_table(outcomes: Iterable[RuleOutcome]) -> pa.Table:
    """One row per partition, rule, outcome and reason, columns of `rule_evaluations`."""
    import pyarrow as pa

    rows = [outcome.model_dump() for outcome in outcomes]
    rows.sort(key=lambda row: (row["advertiser_id"], row["date"], row["rule_id"], row["outcome"], row["reason"]))
    return pa.Table.from_pylist(rows, schema=RULE_EVALUATIONS.arrow_schema())


def outcomes_from_table(table: pa.Table) -> list[RuleOutcome]:
    """The outcomes of stored rows, in their order."""
    rows = table.select(list(RuleOutcome.model_fields)).to_pylist()
    # Rows from before there were rules on trial have an empty `is_shadow`.
    return [RuleOutcome.model_validate(row | {"is_shadow": bool(row["is_shadow"])}) for row in rows]


def told_outcomes(table: pa.Table) -> list[RuleOutcome]:
    """The outcomes of stored rows but for those of rules on trial."""
    return [outcome for outcome in outcomes_from_table(table) if not outcome.is_shadow]
