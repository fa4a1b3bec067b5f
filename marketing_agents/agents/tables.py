"""Analyses as rows of the `analyses` table and back. The body holds the whole analysis; the columns are for reading and filtering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from marketing_agents.agents.analysis import DomainAnalysis
from marketing_agents.warehouse.tables.results import ANALYSES

if TYPE_CHECKING:
    import pyarrow as pa


def analyses_table(analyses: Sequence[DomainAnalysis]) -> pa.Table:
    """One row per analysis, by the contract `ANALYSES`, sorted by its key."""
    import pyarrow as pa

    ordered = sorted(analyses, key=lambda analysis: (analysis.advertiser_id, analysis.date, analysis.domain))
    return pa.Table.from_pylist([_row(analysis) for analysis in ordered], schema=ANALYSES.arrow_schema())


def analyses_from_table(table: pa.Table) -> list[DomainAnalysis]:
    """The analyses of a table, in row order.

    Raises:
        pydantic.ValidationError: a body that is no analysis.
    """
    return [DomainAnalysis.model_validate_json(body) for body in table.column("body").to_pylist()]


def _row(analysis: DomainAnalysis) -> dict[str, object]:
    use = analysis.model_use
    return {
        "advertiser_id": analysis.advertiser_id,
        "date": analysis.date,
        "domain": analysis.domain,
        "status": analysis.status,
        "writer": analysis.writer,
        "insights": len(analysis.insights),
        "proposals": len(analysis.proposals),
        "prompt_version": use.prompt_version,
        "model": use.model,
        "cost_usd": use.cost_usd,
        "trace_id": analysis.trace_id,
        "body": analysis.model_dump_json(),
    }
