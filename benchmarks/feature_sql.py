"""All dbt models on 100 advertisers x 90 days x 200 campaigns x 5 ads, against one scan of the ad rows they read.

The raw tables are views over the generator's Parquet files, one version per day, and the last day of every advertiser is asked, so the
features of its 56 episode days are built. BENCH_ADVERTISERS=10 gives a quick look.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb

from marketing_agents.sample.agency import write_agency
from marketing_agents.sample.businesses import generated_profiles
from marketing_agents.sample.spec import AgencySpec
from marketing_agents.settings import PROJECT_DIR
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import DUCKDB_TYPES, TableKind

END = date(2026, 10, 15)
DAYS = 90
CAMPAIGNS = 200
ADS = 5
ADVERTISERS = int(os.environ.get("BENCH_ADVERTISERS", "100"))
TABLES = (
    "ad_performance_daily",
    "campaigns",
    "adgroups",
    "ads",
    "platform_accounts",
    "conversion_actions",
    "conversions_by_action_daily",
    "orders_daily",
    "budget_plans",
    "calendar_events",
    "fx_rates",
)
SCAN = "select advertiser_id, sum(spend), sum(impressions), sum(clicks), sum(conversions) from raw.ad_performance_daily group by 1"


def measure() -> dict[str, float]:
    """Seconds of generating, of one scan, and of the SQL of all models; the ratio of the last two."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        profiles = generated_profiles(ADVERTISERS, campaigns=CAMPAIGNS, ads_per_adgroup=ADS)
        started = time.perf_counter()
        write_agency(root, AgencySpec(end=END, days=DAYS, incidents=False, tables=TABLES, advertisers=profiles))
        generated = time.perf_counter() - started
        database = root / "private.duckdb"
        rows = _prepare(database, root / "input", [p.advertiser for p in profiles])
        scan = min(_scan(database) for _ in range(3))
        nodes, wall = _build(database, root / "target")
        return {
            "ad rows": rows,
            "generating, s": generated,
            "one scan of the ad rows, s": scan,
            "dbt process, s": wall,
            "SQL of all models, s": sum(nodes.values()),
            "SQL / one scan": sum(nodes.values()) / scan,
            **{f"  {name}, s": seconds for name, seconds in sorted(nodes.items(), key=lambda item: -item[1])[:8]},
        }


def _prepare(database: Path, source: Path, advertisers) -> int:
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema raw")
        connection.execute(
            f"create table raw.days as select unnest(generate_series(date '{END}' - {DAYS - 1}, date '{END}', interval 1 day))::date as date"
        )
        logs = []
        for name, contract in INPUT_TABLES.items():
            columns = ", ".join(f't."{c.name}"' for c in contract.columns)
            if name not in TABLES:
                fields = [f'"{c.name}" {DUCKDB_TYPES[c.type]}' for c in contract.columns]
                fields += [] if "date" in contract.by_name else ["date DATE"]
                connection.execute(f"create table raw.{name} ({', '.join(fields)}, as_of DATE, loaded_at TIMESTAMPTZ)")
                continue
            file = f"read_parquet('{source / name}.parquet') t"
            match contract.kind:
                case TableKind.DAILY:
                    body = f"select {columns}, t.date as as_of, now() as loaded_at from {file}"
                case TableKind.HISTORY:
                    valid = "t.valid_from <= d.date and (t.valid_to is null or d.date < t.valid_to)"
                    body = f"select {columns}, d.date, d.date as as_of, now() as loaded_at from {file} join raw.days d on {valid}"
                case TableKind.REFERENCE:
                    body = f"select {columns}, d.date, d.date as as_of, now() as loaded_at from {file} cross join raw.days d"
            connection.execute(f"create view raw.{name} as {body}")
            logs.append(f"select '{name}' as table_name, advertiser_id, date, as_of, count(*) as rows from raw.{name} group by all")
        connection.execute(
            f"create table raw.ingestion_log as select *, '' as content_hash, now() as loaded_at, false as is_backfilled from ({' union all '.join(logs)})"
        )
        connection.execute(
            "create table raw.advertisers (advertiser_id VARCHAR, name VARCHAR, time_zone VARCHAR, run_time_local VARCHAR, base_currency VARCHAR, "
            "gross_margin DECIMAL(9,6), target_cpa DECIMAL(18,6), target_roas DECIMAL(18,6), settle_lag_hours INTEGER, "
            "brand_tokens VARCHAR[], trusted_actors VARCHAR[])"
        )
        connection.executemany(
            "insert into raw.advertisers values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    a.id,
                    a.name,
                    a.time_zone,
                    f"{a.run_time_local:%H:%M}",
                    a.base_currency,
                    a.gross_margin,
                    a.target_cpa,
                    a.target_roas,
                    a.settle_lag_hours,
                    list(a.brand_tokens),
                    list(a.trusted_actors),
                )
                for a in advertisers
            ],
        )
        connection.execute(
            f"create table raw.asked_slices as select advertiser_id, date '{END}' as date, 55 as episode_days from raw.advertisers"
        )
        found = connection.execute("select count(*) from raw.ad_performance_daily").fetchone()
    return int(found[0]) if found else 0


def _scan(database: Path) -> float:
    with duckdb.connect(str(database), read_only=True) as connection:
        started = time.perf_counter()
        connection.execute(SCAN).fetchall()
        return time.perf_counter() - started


def _build(database: Path, target: Path) -> tuple[dict[str, float], float]:
    project = PROJECT_DIR / "dbt_project"
    flags = ["--quiet", "--log-level-file", "none"]
    command = [
        str(Path(sys.executable).with_name("dbt")),
        *flags,
        "build",
        "--exclude",
        "resource_type:test",
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(project),
        "--target-path",
        str(target),
        "--threads",
        "1",
    ]
    started = time.perf_counter()
    subprocess.run(command, check=True, cwd=project, env={**os.environ, "MARKETING_AGENTS_DBT_DATABASE": str(database)})
    wall = time.perf_counter() - started
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    return {result["unique_id"].rsplit(".", 1)[-1]: float(result["execution_time"]) for result in results}, wall
