"""The agency of tomorrow is the agency of today, one day longer; figures of past days only grow by late conversions."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from marketing_agents.sample.agency import TABLES, write_agency
from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.reporting import COMPLETENESS
from marketing_agents.sample.spec import AgencySpec
from marketing_agents.sample.truth import read_truth
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableKind
from marketing_agents_tests.sample.conftest import ANCHOR

LAG_DAYS = len(COMPLETENESS)
DAILY = [name for name, contract in INPUT_TABLES.items() if contract.kind is TableKind.DAILY]
AD_KEY = "advertiser_id, date, platform, account_id, campaign_id, adgroup_id, ad_id, network, device"


def test_equal_specs_give_equal_bytes(tmp_path, agency):
    again = write_agency(tmp_path, AgencySpec(end=ANCHOR))
    assert again == agency.truth
    for name in TABLES:
        file = f"input/{name}.parquet"
        assert (tmp_path / file).read_bytes() == (agency.directory / file).read_bytes(), name
    assert sorted(p.name for p in (tmp_path / "input").iterdir()) == sorted(f"{name}.parquet" for name in TABLES)


def test_another_seed_gives_other_figures(tmp_path, agency):
    write_agency(tmp_path, AgencySpec(end=ANCHOR, seed=8, tables=("orders_daily",)))
    assert (tmp_path / "input/orders_daily.parquet").read_bytes() != (agency.directory / "input/orders_daily.parquet").read_bytes()


@pytest.mark.parametrize("name", DAILY)
def test_days_older_than_the_lag_are_the_same_one_day_later(agency, next_day, name):
    old = ANCHOR - timedelta(days=LAG_DAYS - 1)
    sql = f"select * from {name} where date <= '{old}'"
    later = f"select * from read_parquet('{next_day.directory}/input/{name}.parquet') where date <= '{old}'"
    assert agency.value(f"select count(*) from ({sql})") == agency.value(f"select count(*) from ({later})") > 0
    assert agency.query(f"({sql}) except ({later})") == []
    assert next_day.value(f"select max(date) from {name}") == ANCHOR + timedelta(days=1)


@pytest.mark.parametrize("name", sorted(set(INPUT_TABLES) - set(DAILY)))
def test_lists_are_the_same_one_day_later(agency, next_day, name):
    assert agency.query(f"from {name}") == next_day.query(f"from {name}")


def test_a_change_that_lies_ahead_is_not_known_yet(tmp_path, agency):
    # Given the same agency as it was a month before the anchor, when no incident had begun that changes a budget
    write_agency(tmp_path, AgencySpec(end=ANCHOR - timedelta(days=30), anchor=ANCHOR, tables=("campaigns",)))
    import pyarrow.parquet as pq

    valid_from = pq.read_table(tmp_path / "input/campaigns.parquet")["valid_from"].to_pylist()
    assert max(valid_from) <= ANCHOR - timedelta(days=30)
    assert agency.value("select max(valid_from) from campaigns") > ANCHOR - timedelta(days=30)


@pytest.mark.parametrize("table", ["ad_performance_daily", "conversions_by_action_daily", "segment_performance_daily"])
def test_conversions_grow_by_the_curve_until_they_are_final(agency, settled, table):
    sql = f"select date, sum(conversions) from {table} where date > '{ANCHOR - timedelta(days=LAG_DAYS)}' and platform = 'meta_ads' group by 1 order by 1"
    known, final = dict(agency.query(sql)), dict(settled.query(sql))
    for day, late in final.items():
        k = (ANCHOR - day).days
        expected = COMPLETENESS[min(k, LAG_DAYS - 1)]
        assert known[day] <= late + 1e-6
        assert known[day] / late == pytest.approx(expected, abs=0.04), (day, k)


def test_every_ad_has_the_same_delivery_and_no_fewer_conversions_later(agency, next_day, settled):
    sql = f"select {AD_KEY}, impressions, clicks, spend, conversions, conversion_value from ad_performance_daily where date > '{ANCHOR - timedelta(days=10)}'"
    today, tomorrow, later = ({row[:9]: row[9:] for row in a.query(sql)} for a in (agency, next_day, settled))
    assert today.keys() <= tomorrow.keys()
    assert today.keys() <= later.keys()
    for key, (impressions, clicks, spend, conversions, value) in today.items():
        for other in (tomorrow[key], later[key]):
            assert other[:3] == (impressions, clicks, spend)
            assert other[3] >= conversions
            assert other[4] >= value
    assert sum(later[key][3] for key in today) > sum(row[3] for row in today.values())


@pytest.mark.parametrize(
    ("advertiser_id", "platform", "days_behind"),
    [
        ("kowhai-outdoors", "tiktok_ads", 1),
        ("kowhai-outdoors", "google_ads", 0),
        ("vidya-path", "linkedin_ads", 1),
        ("harbour-thread", "pinterest_ads", 0),
        ("ledgerline", "linkedin_ads", 0),
        ("kiritimati-bonefish", "tiktok_ads", 1),
        ("kiritimati-bonefish", "meta_ads", 0),
    ],
)
def test_a_day_that_is_not_over_in_utc_has_no_rows_yet(agency, settled, advertiser_id, platform, days_behind):
    sql = f"select max(date) from ad_performance_daily where advertiser_id = '{advertiser_id}' and platform = '{platform}'"
    assert agency.value(sql) == ANCHOR - timedelta(days=days_behind)
    assert settled.value(sql) == ANCHOR


def test_the_first_day_hangs_on_the_anchor_only():
    assert AgencySpec(end=ANCHOR).start == AgencySpec(end=ANCHOR + timedelta(days=3), anchor=ANCHOR).start == date(2026, 5, 25)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"known_on": ANCHOR - timedelta(days=1)}, "known_on 2026-11-19 is before end 2026-11-20"),
        ({"days": 0}, "no day to write"),
        ({"anchor": ANCHOR + timedelta(days=200)}, "no day to write"),
        ({"advertisers": sample_profiles()[:1] * 2}, "same id"),
    ],
)
def test_a_spec_that_contradicts_itself_says_so(arguments, message):
    with pytest.raises(ValueError, match=message):
        AgencySpec(**{"end": ANCHOR} | arguments)


def test_an_unknown_table_is_named_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"unknown input table.* orders; there are"):
        write_agency(tmp_path, AgencySpec(end=ANCHOR, tables=("orders",)))
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_tables_and_no_truth(tmp_path, monkeypatch):
    # Given a complete small agency
    spec = AgencySpec(end=ANCHOR, days=20, tables=("campaigns", "ads"))
    write_agency(tmp_path, spec)
    before = {p.name: p.read_bytes() for p in (tmp_path / "input").iterdir()}

    # When the next write breaks half-way (the third advertiser's ads)
    calls = []

    def breaks(facts):
        calls.append(facts.advertiser_id)
        if len(calls) == 3:
            raise OSError("disk full")
        return TABLES["ads"](facts)

    with monkeypatch.context() as patch:
        patch.setattr("marketing_agents.sample.agency.TABLES", {**TABLES, "ads": breaks})
        with pytest.raises(OSError, match="disk full"):
            write_agency(tmp_path, AgencySpec(end=ANCHOR, days=20, seed=9, tables=("campaigns", "ads")))
    # Then the tables are the old ones, nothing temporary is left, and the missing truth file says "incomplete"
    assert {p.name: p.read_bytes() for p in (tmp_path / "input").iterdir()} == before
    with pytest.raises(FileNotFoundError):
        read_truth(tmp_path / "truth.json")


def test_the_truth_file_reads_back(agency):
    assert read_truth(agency.directory / "truth.json") == agency.truth
