"""slice_replace and the data tests: one rebuild of a changed database, looked at from several sides."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from marketing_agents_tests.dbt.building import Built, dbt
from marketing_agents_tests.dbt.conftest import END, Agency
from marketing_agents_tests.dbt.raw_database import read_mart

ASKED, OTHER = "s1-adv-0", "s1-adv-1"
LONG_AGO = END - timedelta(days=300)


@pytest.fixture(scope="module")
def rebuilt(agency: Agency, target: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Built]:
    """Given a built database: one partition is asked for again; a stale row lies in one of its slices, foreign rows in others; one mart has
    a column of an older release; the spend of one campaign has turned negative."""
    database = tmp_path_factory.mktemp("rebuilt") / "private.duckdb"
    shutil.copy(agency.database, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from raw.asked_slices where advertiser_id <> ? or date <> ?", [ASKED, END])
        for advertiser_id, day in ((ASKED, END), (ASKED, LONG_AGO), (OTHER, END)):
            connection.execute(
                "insert into marts.platform_account_features (advertiser_id, date, platform, account_id, table_name) values (?, ?, 'other', 'stale', 'x')",
                [advertiser_id, day],
            )
        connection.execute("alter table marts.calendar_event_features add column from_older_release integer")
        connection.execute("update raw.ad_performance_daily set spend = -1 - spend where advertiser_id = ? and campaign_id = 'c0'", [ASKED])
    return database, dbt(database, target, "build")


def stale_days(database: Path) -> set[tuple[object, object]]:
    return {(row["advertiser_id"], row["date"]) for row in read_mart(database, "platform_account_features") if row["account_id"] == "stale"}


def test_computed_slices_are_replaced_and_others_left_alone(rebuilt: tuple[Path, Built]) -> None:
    assert stale_days(rebuilt[0]) == {(ASKED, LONG_AGO), (OTHER, END)}


def test_same_input_gives_the_same_rows(agency: Agency, rebuilt: tuple[Path, Built]) -> None:
    for mart in ("traffic_source_features", "platform_account_features"):
        before = [r for r in read_mart(agency.database, mart, [(OTHER, END), (ASKED, END)]) if "spend_per_day_w28" not in r]
        after = [r for r in read_mart(rebuilt[0], mart, [(OTHER, END), (ASKED, END)]) if "spend_per_day_w28" not in r]
        assert before == after, mart


def test_changed_columns_are_a_clear_error(rebuilt: tuple[Path, Built]) -> None:
    result = rebuilt[1].results["calendar_event_features"]
    assert result["status"] == "error"
    assert "from_older_release is gone" in result["message"]
    assert "--full-refresh --select calendar_event_features" in result["message"]


def test_failing_rows_say_whose_they_are_and_stop_nobody(rebuilt: tuple[Path, Built]) -> None:
    database, built = rebuilt
    failed = {name: r for name, r in built.results.items() if r["status"] == "warn"}
    assert {name.split("_features")[0] for name in failed} >= {"mart_contract_campaign", "mart_contract_adgroup"}
    relation = next(n["relation_name"] for n in built.manifest["nodes"].values() if n["name"].startswith("mart_contract_campaign_features"))
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            f"select distinct advertiser_id, date <= ?, problem like '%is below zero' from {relation}", [END]
        ).fetchall()
    assert rows == [(ASKED, True, True)]
    assert [name for name, r in built.results.items() if r["status"] == "skipped" and name.endswith("_features")] == []


def test_grain_test_would_find_a_duplicate(agency: Agency) -> None:
    """The compiled test, run on a mart with one row twice."""
    node = next(n for n in agency.built.manifest["nodes"].values() if n["name"].startswith("mart_contract_budget_plan"))
    compiled = (agency.built.target / "compiled" / "marketing_agents" / node["original_file_path"] / Path(node["path"]).name).read_text()
    with duckdb.connect() as connection:
        connection.execute(f"attach '{agency.database}' as private (read_only)")
        plain = connection.execute(compiled).fetchall()
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.budget_plan_features as from private.marts.budget_plan_features union all (from private.marts.budget_plan_features limit 1)"
        )
        doubled = connection.execute(compiled.replace('"private"."marts"', "marts")).fetchall()
    assert plain == []
    assert len(doubled) == 1
    assert isinstance(doubled[0][1], date)
    assert doubled[0][2] == "two rows of one key"
