"""Every table is a valid delivery by its contract, for agencies of every kind."""

from __future__ import annotations

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from marketing_agents.sample.agency import TABLES, write_agency
from marketing_agents.sample.businesses import REGISTRY_FILE, generated_profiles
from marketing_agents.sample.spec import AgencySpec
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableContract, TableKind
from marketing_agents_tests.sample.conftest import ANCHOR, Agency


def problems(contract: TableContract, table) -> list[str]:
    """What breaks the contract, in words."""
    found = [] if table.schema.equals(contract.arrow_schema()) else ["schema differs"]
    for column in contract.columns:
        values = table[column.name]
        if column.required and values.null_count:
            found.append(f"{column.name}: {values.null_count} empty")
        if column.minimum is not None and pc.any(pc.less(values, column.minimum)).as_py():
            found.append(f"{column.name}: below {column.minimum}")
        if column.maximum is not None and pc.any(pc.greater(values, column.maximum)).as_py():
            found.append(f"{column.name}: above {column.maximum}")
        if column.allowed:
            strange = set(pc.unique(values).to_pylist()) - {*column.allowed, None}
            found += [f"{column.name}: {strange}"] if strange else []
    if table.group_by(list(contract.key)).aggregate([]).num_rows != table.num_rows:
        found.append("key is not unique")
    return found


def test_there_is_a_maker_for_every_input_table():
    assert set(TABLES) == set(INPUT_TABLES)


@pytest.mark.parametrize("name", INPUT_TABLES)
@pytest.mark.parametrize("which", ["agency", "next_day"])
def test_table_satisfies_its_contract(name, which, request):
    agency: Agency = request.getfixturevalue(which)
    table = pq.read_table(agency.directory / "input" / f"{name}.parquet")
    assert table.num_rows > 0
    assert problems(INPUT_TABLES[name], table) == []


def test_the_checker_itself_finds_a_broken_table(agency):
    contract = INPUT_TABLES["orders_daily"]
    table = pq.read_table(agency.directory / "input" / "orders_daily.parquet").slice(0, 3)
    twice = table.take([0, 0])
    negative = table.set_column(4, contract.arrow_schema().field("orders"), [[-1, 1, 1]])
    assert problems(contract, twice) == ["key is not unique"]
    assert problems(contract, negative) == ["orders: below 0"]


@pytest.mark.parametrize("name", [name for name, contract in INPUT_TABLES.items() if contract.kind is TableKind.DAILY])
def test_daily_rows_are_sorted_by_advertiser_and_date_and_lie_in_the_period(agency, name):
    table = pq.read_table(agency.directory / "input" / f"{name}.parquet", columns=["advertiser_id", "date"])
    rows = list(zip(table["advertiser_id"].to_pylist(), table["date"].to_pylist(), strict=True))
    assert rows == sorted(rows)
    assert {day for _, day in rows} <= set(AgencySpec(end=ANCHOR).dates)


def test_each_advertiser_has_a_row_group_of_its_own(agency):
    file = pq.ParquetFile(agency.directory / "input" / "ad_performance_daily.parquet")
    owners = [set(file.read_row_group(i, columns=["advertiser_id"])["advertiser_id"].to_pylist()) for i in range(file.num_row_groups)]
    assert owners == [{advertiser_id} for advertiser_id in agency.truth.advertisers]


@pytest.mark.parametrize("table", ["campaigns", "ads"])
def test_history_periods_of_an_entity_follow_each_other(agency, table):
    key = {"campaigns": "campaign_id", "ads": "ad_id"}[table]
    broken = agency.query(
        f"select {key} from (select {key}, valid_to, lead(valid_from) over (partition by advertiser_id, {key} order by valid_from) following from {table})"
        " where valid_to is distinct from following"
    )
    assert broken == []
    assert agency.value(f"select count(*) from {table} where valid_to is not null") > 0


def test_generated_agency_satisfies_the_contracts_and_has_the_size_asked_for(tmp_path):
    # Given a benchmark of 7 advertisers x 10 days x 30 campaigns x 4 ads, with only some tables
    names = ("ad_performance_daily", "campaigns", "ads", "fx_rates", "conversions_by_action_daily")
    spec = AgencySpec(end=ANCHOR, days=10, advertisers=generated_profiles(7, campaigns=30, ads_per_adgroup=4), tables=names)
    # When it is written
    truth = write_agency(tmp_path, spec)
    # Then the files are those asked for, valid, and of that size
    assert sorted(p.name for p in (tmp_path / "input").iterdir()) == sorted(f"{name}.parquet" for name in names)
    assert truth.incidents == ()
    assert truth.advertisers == tuple(f"adv-00{i}" for i in range(1, 8))
    for name in names:
        assert problems(INPUT_TABLES[name], pq.read_table(tmp_path / "input" / f"{name}.parquet")) == []
    agency = Agency(tmp_path, truth)
    assert agency.query("select distinct count(distinct campaign_id) from campaigns group by advertiser_id") == [(30,)]
    assert agency.query(
        "select distinct count(*) from (select distinct advertiser_id, campaign_id, ad_id from ads) group by advertiser_id"
    ) == [(120,)]
    assert agency.value("select count(*) from ad_performance_daily") > 0.9 * 7 * 9 * 120
    assert agency.value("select count(distinct device) from ad_performance_daily") == 1


def test_the_written_registry_is_the_packaged_one(agency):
    from marketing_agents.advertisers.registry import load_registry

    written, packaged = load_registry(agency.directory / "advertisers.yaml"), load_registry(REGISTRY_FILE)
    assert sorted(written.advertisers, key=lambda a: a.id) == sorted(packaged.advertisers, key=lambda a: a.id)
