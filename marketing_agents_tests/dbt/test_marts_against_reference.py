"""Every mart, column by column, equals a brute-force reading of the same raw rows, on agencies with everything that hurts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from marketing_agents.days import EPISODE_DAYS, LOOK_BACK_DAYS
from marketing_agents.warehouse.marts import load_marts
from marketing_agents_tests.dbt.building import PROJECT, dbt
from marketing_agents_tests.dbt.conftest import END, Agency
from marketing_agents_tests.dbt.raw_database import Raw, read_mart, write_raw
from marketing_agents_tests.dbt.reference import Known, Row, adgroups, campaigns, completeness, platform_accounts
from marketing_agents_tests.dbt.reference_plans import events, plans

# Feature days that are compared: the asked ones and some of the episode window before them.
DAYS_BEFORE_END = (0, 1, 2, 7, 9, 15, 23, 31, 40, 57)

MARTS: list[tuple[str, tuple[str, ...], Callable[[Known], list[Row]]]] = [
    ("campaign_features", ("platform", "account_id", "campaign_id"), campaigns),
    ("adgroup_features", ("platform", "account_id", "campaign_id", "adgroup_id"), adgroups),
    ("platform_account_features", ("platform", "account_id", "table_name"), platform_accounts),
    ("budget_plan_features", ("plan_id",), plans),
    ("calendar_event_features", ("event_id",), events),
]


@pytest.fixture(scope="module")
def known(agency: Agency) -> list[Known]:
    return [Known(agency.raw, advertiser, END - timedelta(days=n)) for advertiser in agency.raw.advertisers for n in DAYS_BEFORE_END]


@pytest.mark.parametrize(("mart", "key", "expected_rows"), MARTS, ids=[name for name, _, _ in MARTS])
def test_mart_equals_reference(
    agency: Agency, known: list[Known], mart: str, key: tuple[str, ...], expected_rows: Callable[[Known], list[Row]]
) -> None:
    def by_key(rows: list[Row]) -> dict[tuple[object, ...], Row]:
        return {(row["advertiser_id"], row["date"], *(row[k] for k in key)): row for row in rows}

    expected = by_key([row for k in known for row in expected_rows(k)])
    found = by_key(read_mart(agency.database, mart, [(k.id, k.d) for k in known]))  # type: ignore[arg-type]

    assert sorted(found, key=str) == sorted(expected, key=str)
    different = {
        (*entity, column): (found[entity][column], value)
        for entity, row in expected.items()
        for column, value in row.items()
        if found[entity][column] != value
    }
    assert different == {}
    assert set(next(iter(found.values()))) == set(next(iter(expected.values())))


def test_random_agencies_hurt(agency: Agency, known: list[Known]) -> None:
    """The comparison means something only where the data has what it is about."""
    versions = agency.raw.versions.values()
    assert sum(len(v) > 1 for v in versions) > 200, "restatements"
    assert any(not rows for v in versions for rows in v.values()), "empty versions"
    assert any(min(v) > day for (_, _, day), v in agency.raw.versions.items()), "late first versions"
    rows = read_mart(agency.database, "campaign_features")
    assert 0 < sum(row["missing_fx_pair"] is not None for row in rows) < len(rows) / 2, "missing rates"
    assert {row["data_age_days"] for row in rows} >= {0, 1}, "accounts that are judged on another day"
    assert any(row["history_days"] < 60 for row in rows), "short histories"  # type: ignore[operator]
    assert any(k.learned_curve for k in known), "curves that are learned"


def test_learned_curves_are_those_of_the_versions(agency: Agency, known: list[Known]) -> None:
    rows = {(r["advertiser_id"], r["date"], r["lag_days"]): r for r in read_mart(agency.database, "int_lag_curves")}
    for k in known:
        for lag in range(8):
            found = rows[k.id, k.d, lag]  # type: ignore[index]
            assert found["is_learned"] == (k.learned_curve is not None)
            assert found["completeness"] == (k.learned_curve[lag] if k.learned_curve else completeness(lag)), (k.id, k.d, lag)


def _until(raw: Raw, advertiser_id: str) -> Raw:
    return Raw(raw.advertisers, [(advertiser_id, END - timedelta(days=20))], raw.versions)


def test_features_of_a_day_do_not_depend_on_what_is_asked(agency: Agency, tmp_path_factory: pytest.TempPathFactory, target: Path) -> None:
    """Given a database that knows nothing after D-20 and asks only for it, then its features are those of the later, larger run."""
    advertiser_id = agency.raw.advertisers[0].advertiser_id
    day = END - timedelta(days=20)
    database = tmp_path_factory.mktemp("earlier") / "private.duckdb"
    write_raw(database, _until(agency.raw, advertiser_id), since=day - timedelta(days=EPISODE_DAYS + LOOK_BACK_DAYS), known_on=day)
    built = dbt(database, target, "build", "--exclude-resource-type", "test")

    assert built.returncode == 0, built.output[-4000:]
    days = [(advertiser_id, day - timedelta(days=n)) for n in range(38)]  # the days that both runs compute
    for mart in load_marts(PROJECT):
        assert read_mart(database, mart, days) == read_mart(agency.database, mart, days), mart
