from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from marketing_agents.advertisers.registry import parse_registry
from marketing_agents.days import EPISODE_DAYS, LOOK_BACK_DAYS, LocalDay
from marketing_agents.ingestion.files import FilesSource
from marketing_agents.ingestion.load import load_advertiser
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents_tests.ingestion.sources import ACME, DAY, NOW, MemorySource, before, campaign, event, order, performance

FACTS = "ad_performance_daily"


@pytest.fixture
def warehouse(tmp_path):
    return EmbeddedWarehouse(tmp_path / "data", is_durable=False)


def load(warehouse, source, *days, tables=None, mode="refresh", restatement_days=3, now=NOW, advertiser=ACME, recorded=None):
    result = load_advertiser(
        warehouse,
        source,
        advertiser,
        list(days),
        tables=tables or sorted(source.tables()),
        mode=mode,
        restatement_days=restatement_days,
        now=now,
        recorded=recorded,
    )
    assert list(result) == sorted(LocalDay(advertiser.id, d) for d in set(days))
    return result[LocalDay(advertiser.id, days[-1])]


def versions(warehouse, table):
    return [(e.date, e.as_of, e.rows) for e in warehouse.ingestion_log(["acme"], tables=[table])]


def test_a_new_advertiser_gets_its_day_and_its_history(warehouse):
    """Given a source that begins 5 days ago, with a gap: the look-back is filled back to the first row, each day with its own label."""
    source = MemorySource({"orders_daily": [order(before(n)) for n in (5, 4, 2, 0)]})

    result = load(warehouse, source, DAY)

    assert versions(warehouse, "orders_daily") == [(before(n), before(n), int(n not in {3, 1})) for n in (5, 4, 3, 2, 1, 0)]
    assert (result.status, result.reason) == ("ok", "")
    assert (result.tables["orders_daily"].rows, result.tables["orders_daily"].versions_written) == (1, 6)


def test_the_look_back_ends_where_windows_end(warehouse):
    source = MemorySource({"orders_daily": [order(before(n)) for n in range(200)]})
    load(warehouse, source, DAY)
    assert min(versions(warehouse, "orders_daily"))[0] == before(EPISODE_DAYS + LOOK_BACK_DAYS)


def test_a_day_before_the_data_begins_has_an_empty_version(warehouse):
    source = MemorySource({"orders_daily": [order(DAY)]})
    load(warehouse, source, before(9))
    assert versions(warehouse, "orders_daily") == [(before(9), before(9), 0)]


def test_restated_days_get_a_version_of_the_partition_that_saw_the_change(warehouse):
    rows = [order(before(n)) for n in range(1, 8)]
    load(warehouse, MemorySource({"orders_daily": rows}), before(1), now=NOW - timedelta(days=1))
    changed = [order(before(n), orders=2) if n in {3, 4, 7} else order(before(n)) for n in range(8)]

    result = load(warehouse, MemorySource({"orders_daily": changed}), DAY)

    new = [v for v in versions(warehouse, "orders_daily") if v[1] == DAY]
    assert new == [(before(3), DAY, 1), (DAY, DAY, 1)], "4 and 7 days ago lie outside the window of 3 days"
    assert (result.tables["orders_daily"].versions_written, result.tables["orders_daily"].versions_kept) == (2, 2)
    known = {
        d: warehouse.read_raw("orders_daily", "acme", before(3), before(3), known_on=d).column("orders").to_pylist()
        for d in (before(1), DAY)
    }
    assert known == {before(1): [1], DAY: [2]}, "yesterday's answer can still be made"


def test_rows_that_disappear_are_a_restatement(warehouse):
    load(warehouse, MemorySource({"orders_daily": [order(before(2)), order(before(1))]}), before(1))
    load(warehouse, MemorySource({"orders_daily": [order(before(2))]}), DAY)
    assert (before(1), DAY, 0) in versions(warehouse, "orders_daily")


def test_tables_that_do_not_restate_are_not_compared(warehouse):
    def rates(value):
        keys = {"advertiser_id": "acme", "from_currency": "USD", "to_currency": "EUR", "rate": value}
        return MemorySource({"fx_rates": [{**keys, "date": before(n)} for n in range(3)]})

    load(warehouse, rates("0.9"), before(1))
    load(warehouse, rates("0.8"), DAY)
    assert versions(warehouse, "fx_rates") == [(before(n), before(n), 1) for n in (2, 1, 0)]


def test_loading_twice_writes_nothing(warehouse):
    source = MemorySource({"orders_daily": [order(before(n)) for n in range(5)]})
    load(warehouse, source, DAY)
    log = warehouse.ingestion_log(["acme"])

    again = load(warehouse, source, DAY, now=NOW + timedelta(days=9))

    assert warehouse.ingestion_log(["acme"]) == log
    assert (again.tables["orders_daily"].versions_written, again.tables["orders_daily"].versions_kept) == (0, 4)


def test_a_chunk_reads_the_source_once_per_table(warehouse):
    source = MemorySource({"orders_daily": [order(before(n)) for n in range(30)], "calendar_events": [event()]})
    load(warehouse, source, *(before(n) for n in range(20)))
    assert source.reads == 2


def test_history_slices_hold_the_rows_valid_on_the_day(warehouse):
    rows = [campaign(before(4), before(2), "old"), campaign(before(2), None, "new"), campaign(before(1), before(1), "never", "9")]
    load(warehouse, MemorySource({"campaigns": rows}), DAY)

    stored = warehouse.read_raw("campaigns", "acme", before(9), DAY, known_on=DAY).to_pylist()

    assert [(r["date"], r["name"]) for r in stored] == [(before(4), "old"), (before(3), "old"), *((before(n), "new") for n in (2, 1, 0))]


def test_reference_slices_of_the_past_hold_the_list_as_it_is(warehouse):
    load(warehouse, MemorySource({"calendar_events": [event("e1")]}), before(1))
    load(warehouse, MemorySource({"calendar_events": [event("e1"), event("e2")]}), DAY)

    log = versions(warehouse, "calendar_events")

    assert (log[0], log[-2], log[-1]) == ((before(61), before(61), 1), (before(1), before(1), 1), (DAY, DAY, 2))


@pytest.mark.parametrize(
    ("zone", "now", "status"),
    [
        ("Pacific/Kiritimati", datetime(2026, 11, 20, 10, 0, tzinfo=UTC), "ok"),
        ("Pacific/Kiritimati", datetime(2026, 11, 20, 9, 59, tzinfo=UTC), "refused"),
        ("America/Los_Angeles", datetime(2026, 11, 21, 8, 0, tzinfo=UTC), "ok"),
        ("America/Los_Angeles", datetime(2026, 11, 21, 7, 59, tzinfo=UTC), "refused"),
    ],
)
def test_a_local_day_that_is_not_over_is_refused(warehouse, zone, now, status):
    advertiser = parse_registry([{"id": "acme", "name": "A", "time_zone": zone}], source="test").advertisers[0]
    result = load(warehouse, MemorySource({"orders_daily": [order(DAY)]}), DAY, now=now, advertiser=advertiser)

    assert result.status == status
    assert bool(warehouse.ingestion_log(["acme"])) is (status == "ok")
    if status == "refused":
        assert "is not over yet in" in result.reason


@pytest.mark.parametrize(("hours", "is_backfilled"), [(48, False), (48.01, True)])
def test_versions_loaded_late_are_backfilled(warehouse, hours, is_backfilled):
    now = datetime(2026, 11, 21, tzinfo=UTC) + timedelta(hours=hours)
    load(warehouse, MemorySource({"orders_daily": [order(DAY)]}), DAY, now=now)
    assert [(e.is_backfilled, e.loaded_at) for e in warehouse.ingestion_log(["acme"])] == [(is_backfilled, now)]


def test_a_restatement_seen_in_time_is_not_backfilled(warehouse):
    load(warehouse, MemorySource({"orders_daily": [order(before(3))]}), before(3), now=NOW - timedelta(days=3))
    load(warehouse, MemorySource({"orders_daily": [order(before(3), orders=2)]}), DAY)
    (restated,) = [e for e in warehouse.ingestion_log(["acme"]) if e.date == before(3) and e.as_of == DAY]
    assert not restated.is_backfilled, "it says truly what was known on that day: lag learning lives on it"


def test_frozen_reads_no_source_and_writes_nothing(warehouse):
    source = MemorySource({FACTS: [performance(DAY)], "orders_daily": [order(DAY)]})
    load(warehouse, source, DAY)
    log, reads = warehouse.ingestion_log(["acme"]), source.reads
    source.rows[FACTS][0]["spend"] = "999"

    replayed = load(warehouse, source, DAY, mode="frozen")
    missing = load(warehouse, source, before(1), mode="frozen", tables=[FACTS])
    partly = load(warehouse, source, DAY, mode="frozen", tables=[FACTS, "campaigns"])

    assert (replayed.status, replayed.tables[FACTS].rows) == ("ok", 1)
    assert (missing.status, "`ingest: frozen` reads no source" in missing.reason) == ("blocked", True)
    assert (partly.status, partly.reason) == ("degraded", "missing tables: campaigns")
    assert (warehouse.ingestion_log(["acme"]), source.reads) == (log, reads)


def test_a_frozen_day_repeats_what_its_loading_said_about_rejected_rows(warehouse):
    """Given a day that was degraded by a bad row of the day before and by a missing table; then the source is repaired."""
    first = MemorySource({FACTS: [performance(before(1), spend="9")]})
    load(warehouse, first, before(1))
    rejected = load(
        warehouse, MemorySource({FACTS: [performance(before(1), spend="much"), performance(DAY)]}), DAY, tables=[FACTS, "campaigns"]
    )
    frozen = {"mode": "frozen", "tables": [FACTS, "campaigns"]}

    replayed = load(warehouse, first, DAY, **frozen, recorded={DAY: rejected.reason})
    again = load(warehouse, first, DAY, **frozen, recorded={DAY: replayed.reason})
    forgotten = load(warehouse, first, DAY, **frozen)
    refreshed = load(warehouse, MemorySource({FACTS: [performance(DAY)], "campaigns": []}), DAY, recorded={DAY: rejected.reason})

    missing, problem = rejected.reason.split("; ", 1)
    assert missing == "missing tables: campaigns"
    assert "older version kept" in problem
    assert (replayed.status, replayed.reason) == ("degraded", f"missing tables: campaigns; when it was loaded: {problem}")
    assert again == replayed
    assert forgotten.reason == "missing tables: campaigns"
    assert (refreshed.status, refreshed.reason) == ("ok", "")


def test_an_optional_table_is_not_missed(warehouse):
    result = load(warehouse, MemorySource({FACTS: [performance(DAY)]}), DAY, tables=[FACTS, "feedback"])

    assert (result.status, result.reason) == ("ok", "")
    assert result.tables["feedback"].is_missing


def test_a_missing_table_costs_nobody_else_the_day(warehouse):
    result = load(warehouse, MemorySource({FACTS: [performance(DAY)]}), DAY, tables=[FACTS, "campaigns"])

    assert (result.status, result.reason) == ("degraded", "missing tables: campaigns")
    assert (result.tables["campaigns"].is_missing, result.tables["campaigns"].problem) == (True, None)
    assert versions(warehouse, "campaigns") == []


def test_an_empty_table_is_there_and_empty(warehouse):
    result = load(warehouse, MemorySource({FACTS: [performance(DAY)], "orders_daily": []}), DAY)

    assert (result.status, result.tables["orders_daily"].is_missing) == ("ok", False)
    assert versions(warehouse, "orders_daily") == [(DAY, DAY, 0)]


def test_without_the_facts_the_day_failed(warehouse):
    result = load(warehouse, MemorySource({"orders_daily": [order(DAY)]}), DAY, tables=[FACTS, "orders_daily"])

    assert result.status == "failed"
    assert result.reason == f"{FACTS} of {DAY} could not be loaded: the source does not have the table"
    assert versions(warehouse, "orders_daily") == [(DAY, DAY, 1)], "what could be loaded is kept"


def test_a_bad_row_rejects_its_day_only_and_the_old_version_stays(warehouse):
    load(warehouse, MemorySource({FACTS: [performance(before(n)) for n in (3, 2, 1)]}), before(1))
    rows = [performance(before(3), spend="2.5"), performance(before(2), spend="-1"), performance(before(1), spend="2.5"), performance(DAY)]

    result = load(warehouse, MemorySource({FACTS: rows}), DAY)

    assert result.status == "degraded"
    assert f"older version kept: {before(2)}" in result.reason
    assert "memory: row 2: spend: '-1': expected at least 0" in result.reason
    spend = warehouse.read_raw(FACTS, "acme", before(3), DAY, known_on=DAY).column("spend").to_pylist()
    assert spend == [Decimal("2.5"), Decimal("1.5"), Decimal("2.5"), Decimal("1.5")]


def test_a_bad_day_fails_its_own_partition_and_degrades_its_neighbours(warehouse):
    rows = [performance(before(2)), performance(before(1)), performance(before(1)), performance(DAY)]
    source = MemorySource({FACTS: rows})
    result = load_advertiser(
        warehouse, source, ACME, [before(2), before(1), DAY], tables=[FACTS], mode="refresh", restatement_days=3, now=NOW
    )

    assert [result[LocalDay("acme", before(n))].status for n in (2, 1, 0)] == ["ok", "failed", "degraded"]
    failed = result[LocalDay("acme", before(1))]
    assert "memory: row 2: device: 'NA': expected a key" in failed.reason
    assert failed.reason.endswith("(and 1 more)")
    assert "memory: row 3: device" in failed.tables[FACTS].problem
    assert versions(warehouse, FACTS) == [(before(2), before(2), 1), (DAY, DAY, 1)]


def test_rows_without_a_usable_date_are_reported(warehouse):
    rows = [performance(str(DAY)), performance("20.11.2026", ad="a2"), performance("", ad="a3")]
    result = load(warehouse, MemorySource({FACTS: rows}), DAY)

    assert result.status == "degraded"
    assert "belong to no day" in result.reason
    assert "row 2: date: '20.11.2026': expected a day as YYYY-MM-DD" in result.reason
    assert "row 3: date: '': expected a value" in result.tables[FACTS].problem
    assert versions(warehouse, FACTS) == [(DAY, DAY, 1)]


def test_a_bad_history_row_rejects_the_days_on_which_it_is_valid(warehouse):
    rows = [campaign(before(5), None, "good"), campaign(before(3), before(1), "", "7")]
    result = load(warehouse, MemorySource({"campaigns": rows}), DAY)

    assert result.status == "degraded"
    assert [v[0] for v in versions(warehouse, "campaigns")] == [before(5), before(4), before(1), DAY]


def test_a_bad_reference_row_rejects_the_list(warehouse):
    result = load(warehouse, MemorySource({"calendar_events": [event("e1"), event("e1")]}), DAY)

    assert (result.status, versions(warehouse, "calendar_events")) == ("degraded", [])


def test_a_table_that_cannot_be_used_degrades_the_day(warehouse):
    rows = [{k: v for k, v in order(DAY).items() if k != "revenue"}]
    result = load(warehouse, MemorySource({FACTS: [performance(DAY)], "orders_daily": rows}), DAY)

    assert result.status == "degraded"
    assert result.reason == "orders_daily: memory: required columns are missing: 'revenue'; add them, or name theirs in the mapping file"


def test_other_advertisers_rows_are_not_judged(warehouse):
    rows = [performance(DAY), performance(DAY, spend="-5", advertiser_id="beta"), performance("never", advertiser_id="beta")]
    assert load(warehouse, MemorySource({FACTS: [{**r, "date": str(r["date"])} for r in rows]}), DAY).status == "ok"


def test_files_with_columns_of_their_own_load_with_a_note(warehouse, tmp_path):
    header = "advertiser_id,date,channel_touch,campaign_key,orders,revenue,currency_code,comment\n"
    (tmp_path / "orders_daily.csv").write_text(f"{header}acme,{DAY},direct,c1,3,12.5,EUR,hello\n")

    result = load(warehouse, FilesSource(tmp_path), DAY)

    assert (result.status, result.tables["orders_daily"].rows) == ("ok", 1)
    assert result.tables["orders_daily"].notes == ("orders_daily.csv: columns that orders_daily does not have are ignored: 'comment'",)


def test_now_needs_a_zone(warehouse):
    with pytest.raises(ValueError, match="no time zone"):
        load(warehouse, MemorySource({}), DAY, tables=[FACTS], now=datetime(2026, 11, 21))
