"""The results of a day without what may differ between two computations of it (text and who wrote it)."""

from __future__ import annotations

import json
from typing import Any

from marketing_agents.days import LocalDay
from marketing_agents.warehouse.store import Warehouse

# DESIGN section 1: identity covers every column except text, cause, writer, prompt and model version, cost, trace and run ids.
NOT_IDENTITY = {
    "findings": set(),
    "rule_evaluations": set(),
    "analyses": {"body", "insights", "writer", "prompt_version", "model", "cost_usd", "trace_id", "status"},
    "recommendations": {"body", "headline", "text", "writer", "prompt_version", "model", "cost_usd"},
}
NAMES = {"entity_name", "body"}


def identity(
    warehouse: Warehouse, day: LocalDay, *, tables: tuple[str, ...] = tuple(NOT_IDENTITY), without: set[str] | None = None
) -> dict[str, list[Any]]:
    """Rows of the result tables of a day, in a fixed order."""
    found = {}
    for table in tables:
        left_out = NOT_IDENTITY[table] | (without or set())
        rows = [{k: v for k, v in row.items() if k not in left_out} for row in warehouse.read_slices(table, [day]).to_pylist()]
        found[table] = sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))
    return found
