"""Recommendations as rows of their result table, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from marketing_agents.decisions.recommendation import Recommendation
from marketing_agents.warehouse.tables.results import RECOMMENDATIONS

if TYPE_CHECKING:
    import pyarrow as pa

_CENT_FRACTION = Decimal("0.000001")


def recommendations_table(recommendations: Sequence[Recommendation]) -> pa.Table:
    """Rows in the columns of the RECOMMENDATIONS contract; `body` holds the whole recommendation."""
    import pyarrow as pa

    return pa.Table.from_pylist([_row(r) for r in recommendations], schema=RECOMMENDATIONS.arrow_schema())


def recommendations_from_table(table: pa.Table) -> list[Recommendation]:
    """The recommendations of a table's rows: ranked ones first, the rest by score, ties by id, whatever the order of the rows.

    Raises:
        pydantic.ValidationError: a row that an incompatible version wrote.
    """
    found = [Recommendation.model_validate_json(body) for body in table.column("body").to_pylist()]
    return sorted(found, key=lambda r: (r.advertiser_id, r.date, r.rank is None, r.rank or 0, -r.score, r.recommendation_id))


def _row(r: Recommendation) -> dict[str, object]:
    return {
        "advertiser_id": r.advertiser_id,
        "date": r.date,
        "recommendation_id": r.recommendation_id,
        "rank": r.rank,
        "score": r.score,
        "status": r.status,
        "reasons": _json(r.reasons),
        "action": r.action,
        "parameters": _json(r.parameters),
        "entity_type": r.entity.type,
        "entity_id": r.entity.id,
        "entity_name": r.entity.name,
        "severity": r.severity,
        "money_at_stake": None if r.money_at_stake is None else Decimal(str(r.money_at_stake)).quantize(_CENT_FRACTION),
        "currency_code": r.currency_code,
        "domains": _json(r.domains),
        "finding_ids": _json(r.finding_ids),
        "first_seen": r.first_seen,
        "days_open": r.days_open,
        "headline": r.headline,
        "text": r.text,
        "writer": r.writer,
        "prompt_version": r.prompt_version,
        "model": r.model,
        "cost_usd": r.cost_usd,
        "body": r.model_dump_json(),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
