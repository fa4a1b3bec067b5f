"""What a partition answers: every row it wrote that counts, and whether two answers are one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from marketing_agents.days import LocalDay
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.settings import Settings
from marketing_agents.warehouse.catalog import RESULT_TABLES
from marketing_agents.warehouse.marts import load_marts
from marketing_agents_tests.e2e.pipeline import Pipeline, materializations

RESTATEMENT_DAYS = 3
# Marked "not part of identity" in the contracts, or the same thing inside a body.
FREE_COLUMNS = {
    table: {c.name for c in contract.columns if "not part of identity" in c.description} for table, contract in RESULT_TABLES.items()
}
FREE_IN_BODY = {
    "recommendations": {"headline", "text", "writer", "prompt_version", "model", "cost_usd"},
    "analyses": {"summary", "insights", "writer", "model_use", "problems", "trace_id", "trace_url"},
    "findings": set(),
}


def open_pipeline(data_dir: Path, source: Path, instance: dg.DagsterInstance) -> Pipeline:
    """A store of its own on an agency that lies elsewhere."""
    settings = Settings(
        data_dir=data_dir,
        source_dir=source / "input",
        advertisers=source / "advertisers.yaml",
        writer="template",
        charts="never",
        restatement_days=RESTATEMENT_DAYS,
    )
    return Pipeline(settings, instance, None)


def identity(table: str, row: dict) -> dict:
    """The columns that must be equal whenever inputs are equal; bodies are opened and stripped of the same things."""
    kept = {name: value for name, value in row.items() if name not in FREE_COLUMNS[table]}
    if "body" in kept:
        body = json.loads(kept["body"])
        kept["body"] = {name: value for name, value in body.items() if name not in FREE_IN_BODY[table]}
        if table == "analyses":
            kept["body"]["explained"] = sorted(f for insight in body["insights"] for f in insight["finding_ids"])
    return kept


def answer(pipeline: Pipeline, day: LocalDay) -> dict[str, list[dict]]:
    """Everything a partition wrote that counts, by table."""
    found = {}
    for table in RESULT_TABLES:
        rows = [identity(table, row) for row in pipeline.warehouse.read_slices(table, [day]).to_pylist()]
        found[table] = sorted(rows, key=lambda row: [str(row[k]) for k in RESULT_TABLES[table].key])
    for mart, contract in load_marts(dbt_project_dir()).items():
        rows = pipeline.warehouse.read_slices(mart, [day]).to_pylist()
        found[f"marts/{mart}"] = sorted(rows, key=lambda row: [str(row[k]) for k in contract.grain])
    return found


def raw_view(pipeline: Pipeline, table: str, day: LocalDay) -> dict:
    """Rows of a raw table by day, as known on `day`."""
    rows = pipeline.warehouse.read_raw(table, day.advertiser_id, day.day - timedelta(days=60), day.day, known_on=day.day).to_pylist()
    by_day = defaultdict(list)
    for row in rows:
        by_day[row["date"]].append(sorted((k, str(v)) for k, v in row.items() if k not in ("loaded_at", "as_of")))
    return {d: sorted(found) for d, found in by_day.items()}


def assert_same(first: dict, second: dict) -> None:
    """Equal in every table; says which table and which row is not."""
    assert first.keys() == second.keys()
    for table, rows in first.items():
        assert len(rows) == len(second[table]), table
        for one, other in zip(rows, second[table], strict=True):
            differing = {k: (one.get(k), other.get(k)) for k in one.keys() | other.keys() if one.get(k) != other.get(k)}
            assert not differing, (table, differing)


def run(pipeline: Pipeline, days: list[LocalDay], **options) -> None:
    results = pipeline.run(days, **options)
    assert all(r.success for r in results)
    for asset, partition, metadata in materializations(results):
        assert metadata["status"] in ("ok", "degraded"), (asset, partition, metadata)


def change_source(source: Path, table: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Rewrite an input table row by row; a row for which `change` gives None is left out."""
    path = source / "input" / f"{table}.parquet"
    stored = pq.read_table(path)
    rows = [changed for row in stored.to_pylist() if (changed := change(row)) is not None]
    pq.write_table(pa.Table.from_pylist(rows, schema=stored.schema), path)
