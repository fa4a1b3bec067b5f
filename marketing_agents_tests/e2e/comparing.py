"""What two data folders hold for the same partitions, in a form that can be compared; and what a killed writer may leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marketing_agents.days import LocalDay
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.warehouse.embedded.layout import TEMPORARY_PREFIX
from marketing_agents.warehouse.embedded.publishing import LOCK_NAME
from marketing_agents.warehouse.marts import load_marts
from marketing_agents.warehouse.store import Warehouse
from marketing_agents_tests.e2e.results import identity

PUBLISHED = tuple(name for name, mart in load_marts(dbt_project_dir()).items() if mart.layer == "marts")


def ingestion_log(warehouse: Warehouse, advertiser_ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """The log without the clock reading."""
    return [
        (e.table, e.advertiser_id, e.date, e.as_of, e.rows, e.content_hash) for e in warehouse.ingestion_log(sorted(set(advertiser_ids)))
    ]


def differences(one: Warehouse, other: Warehouse, days: Sequence[LocalDay]) -> list[str]:
    """Names of everything that is not the same: raw versions, rows of marts, rows of results."""
    found = []
    advertiser_ids = [day.advertiser_id for day in days]
    if ingestion_log(one, advertiser_ids) != ingestion_log(other, advertiser_ids):
        found.append("ingestion log")
    for day in days:
        found += [f"{mart} {day.key}" for mart in PUBLISHED if not one.read_slices(mart, [day]).equals(other.read_slices(mart, [day]))]
        mine, theirs = identity(one, day), identity(other, day)
        found += [f"{table} {day.key}" for table in mine if mine[table] != theirs[table]]
    return found


def stray_files(data_dir: Path) -> list[str]:
    """Files of the warehouse and the reports that are neither slices, versions or pages nor what readers pass over by its name, and slices
    that are there twice.
    """
    root = data_dir / "warehouse"
    files = [p for p in root.rglob("*") if p.is_file()]
    visible = [p for p in files if not p.name.startswith(TEMPORARY_PREFIX) and p.name != LOCK_NAME]
    strays = [str(p) for p in visible if p.suffix != ".parquet"]
    versions = Counter((p.parent, p.name.split("~")[0]) for p in visible if p.is_relative_to(root / "raw"))
    strays += [f"{folder}/{as_of} {count} times" for (folder, as_of), count in versions.items() if count > 1]
    pages = [p for p in (data_dir / "reports").rglob("*") if p.is_file() and not p.name.startswith(TEMPORARY_PREFIX)]
    return strays + [str(p) for p in pages if p.suffix not in {".html", ".md"}]
