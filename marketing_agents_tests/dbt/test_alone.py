"""`dbt build` by hand: it lays out schema raw from the embedded warehouse's files, or says what is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from marketing_agents.days import LocalDay
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents_tests.dbt.building import dbt
from marketing_agents_tests.dbt.raw_database import read_mart

DAY = date(2026, 11, 20)
AD = {
    "advertiser_id": "acme", "platform": "google_ads", "account_id": "1", "campaign_id": "c", "adgroup_id": "g", "ad_id": "a", "network": "NA", "device": "NA",
    "impressions": 10, "clicks": 2, "conversions": 1.0, "conversion_value": Decimal(5), "currency_code": "USD", "account_time_zone": "UTC",
}  # fmt: skip
REGISTRY = """
advertisers:
  - {id: acme, name: "Acme's", time_zone: Europe/London, run_time_local: 09:30, target_cpa: 20}
  - {id: idle, name: Idle, time_zone: UTC}
"""


def test_builds_the_latest_day_from_files(tmp_path: Path, target: Path) -> None:
    warehouse = EmbeddedWarehouse(tmp_path / "data")
    schema = INPUT_TABLES["ad_performance_daily"].arrow_schema()
    for back in range(3):
        day = DAY - timedelta(days=back)
        rows = pa.Table.from_pylist([{**AD, "date": day, "spend": Decimal(back + 1)}], schema=schema)
        warehouse.write_version(
            "ad_performance_daily", LocalDay("acme", day), day, rows, loaded_at=datetime(2026, 11, 21, tzinfo=UTC), is_backfilled=False
        )
    restated = pa.Table.from_pylist([{**AD, "date": DAY - timedelta(days=2), "spend": Decimal("7.5")}], schema=schema)
    warehouse.write_version(
        "ad_performance_daily",
        LocalDay("acme", DAY - timedelta(days=2)),
        DAY,
        restated,
        loaded_at=datetime(2026, 11, 21, tzinfo=UTC),
        is_backfilled=False,
    )
    (tmp_path / "advertisers.yaml").write_text(REGISTRY)
    database = tmp_path / "private.duckdb"

    built = dbt(
        database,
        target,
        "build",
        MARKETING_AGENTS_DATA_DIR=str(tmp_path / "data"),
        MARKETING_AGENTS_ADVERTISERS=str(tmp_path / "advertisers.yaml"),
    )

    assert built.returncode == 0, built.output[-4000:]
    spend = {row["date"]: row["spend_w7"] for row in read_mart(database, "campaign_features") if row["evaluated_day"] == row["date"]}
    assert spend == {DAY: Decimal("10.5"), DAY - timedelta(days=1): Decimal(5), DAY - timedelta(days=2): Decimal(3)}


def test_says_what_is_missing(tmp_path: Path, target: Path) -> None:
    built = dbt(tmp_path / "private.duckdb", target, "build", MARKETING_AGENTS_DATA_DIR=str(tmp_path))
    assert built.returncode != 0
    assert f"No slice of ad_performance_daily below {tmp_path}/warehouse/raw" in built.output
    assert "Materialize the raw assets" in built.output
