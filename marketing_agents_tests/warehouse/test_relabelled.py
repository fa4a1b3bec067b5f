"""Versions as the second look at a day lays them out, against a plain walk over all of them."""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pytest

from marketing_agents.advertisers.registry import ADVERTISER_ID_PATTERN
from marketing_agents.days import LOOK_BACK_DAYS, LocalDay
from marketing_agents.warehouse.embedded.relabelled import stand_in
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents_tests.warehouse.rows import DAY, NOW, REGISTRY, before, rates

ASKED = [LocalDay(advertiser, before(n)) for advertiser, n in (("acme", 1), ("acme", 2), ("beta", 1))]


@pytest.fixture(scope="module")
def written() -> dict[tuple[str, date, date], int]:
    """(advertiser, day, as_of) -> rate: every combination of versions of a day within three days after it, on some days."""
    rng = random.Random(7)
    lags = [subset for n in range(1, 5) for subset in itertools.combinations(range(4), n)]
    versions = {
        (advertiser, before(n), before(n) + timedelta(days=lag)): rng.randrange(1, 1000)
        for advertiser in ("acme", "beta")
        for n in range(25)
        for lag in lags[(n * 5) % len(lags)]
    }
    return versions | {("acme", before(n), before(n)): n for n in (LOOK_BACK_DAYS + 1, LOOK_BACK_DAYS + 2, LOOK_BACK_DAYS + 3)}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory, written):
    store = EmbeddedWarehouse(tmp_path_factory.mktemp("store"), is_durable=False)
    for (advertiser, day, as_of), rate in written.items():
        rows = rates(day, str(rate), advertiser_id=advertiser)
        store.write_version("fx_rates", LocalDay(advertiser, day), as_of, rows, loaded_at=NOW, is_backfilled=False)
    return store


def run(look, sql):
    with duckdb.connect(look.dbt_environment["MARKETING_AGENTS_DBT_DATABASE"]) as connection:
        return connection.execute(sql).fetchall()


def known_a_day_later(written, advertiser: str, day: date) -> dict[tuple[str, date, date], int]:
    """(stand-in, slice, label) -> rate, as one would write it down by hand."""
    found = {}
    for (owner, slice_day, as_of), rate in sorted(written.items()):  # by as_of: the later one stands
        if owner == advertiser and day - timedelta(days=LOOK_BACK_DAYS) <= slice_day <= day and as_of <= day + timedelta(days=1):
            found[f"{advertiser}@{day}", slice_day, min(as_of, day)] = rate
    return found


def test_stand_ins_carry_what_was_known_a_day_later(warehouse, written):
    expected = {key: rate for day in ASKED for key, rate in known_a_day_later(written, *day).items()}
    with warehouse.second_look(REGISTRY, ASKED, run_id="run-1") as look:
        rows = run(look, "SELECT advertiser_id, date, as_of, rate FROM raw.fx_rates")
        log = run(look, "SELECT advertiser_id, date, as_of FROM raw.ingestion_log")
        latest = run(look, "SELECT max(as_of - split_part(advertiser_id, '@', 2)::DATE), max(date - as_of) FROM raw.ingestion_log")
    assert len(rows) == len(expected)
    assert {(a, day, as_of): int(rate) for a, day, as_of, rate in rows} == expected
    assert sorted(log) == sorted(expected)
    assert latest == [(0, 0)]


def test_a_stand_in_has_the_registry_entry_of_its_advertiser_and_asks_for_one_day(warehouse):
    with warehouse.second_look(REGISTRY, ASKED, run_id="run-1") as look:
        entries = run(look, "SELECT advertiser_id, time_zone, target_cpa FROM raw.advertisers ORDER BY 1")
        asked = run(look, "SELECT * FROM raw.asked_slices ORDER BY 1")
        database = look.dbt_environment["MARKETING_AGENTS_DBT_DATABASE"]
    assert entries[0] == (f"acme@{before(2)}", "Europe/London", Decimal("12.500000"))
    assert asked == [(stand_in(day), day.day, 0) for day in sorted(ASKED)]
    assert database
    assert not any(ADVERTISER_ID_PATTERN.fullmatch(stand_in(day)) for day in ASKED)


def test_features_bear_the_name_of_the_advertiser(warehouse):
    day = LocalDay("acme", before(1))
    with warehouse.second_look(REGISTRY, [day], run_id="run-1") as look:
        run(look, "CREATE TABLE marts.rate_features AS SELECT advertiser_id, max(date) AS date, count(*) AS n FROM raw.fx_rates GROUP BY 1")
        features = look.features(["rate_features"])
    assert [(r["advertiser_id"], r["date"]) for r in features["rate_features"].to_pylist()] == [("acme", day.day)]


def test_nothing_of_the_day_after_is_read(warehouse):
    with warehouse.second_look(REGISTRY, [LocalDay("acme", before(1))], run_id="run-1") as look:
        assert run(look, f"SELECT count(*) FROM raw.fx_rates WHERE date >= DATE '{DAY}'") == [(0,)]
