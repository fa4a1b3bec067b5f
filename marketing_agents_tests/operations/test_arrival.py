"""Required tables are complete for a day: every account that had rows lately has rows of the day it is evaluated on."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketing_agents.advertisers.registry import parse_registry
from marketing_agents.days import evaluation_instant
from marketing_agents.ingestion.source import AccountClock, Arrivals, ArrivedDay
from marketing_agents.operations.arrival import Account, Arrived

DAY = date(2026, 11, 20)
ADS = "ad_performance_daily"


def advertiser(**fields):
    return parse_registry([{"id": "acme", "name": "Acme", "time_zone": "Europe/London", **fields}], source="test").advertisers[0]


def before(n):
    return DAY - timedelta(days=n)


def rows(*days, account="1", platform="google_ads", zone="Europe/London", table=ADS, owner="acme"):
    return tuple(ArrivedDay(table, owner, platform, account, day, zone) for day in days)


def missing(acme, days, accounts=(), unusable=None):
    instant = evaluation_instant(DAY, acme.zone, acme.run_time_local, acme.settle_lag_hours)
    return Arrived(Arrivals(tuple(days), tuple(accounts), unusable or {})).missing(acme, DAY, instant)


CASES = {
    "the day has rows": (rows(before(0), before(1)), ()),
    "a first day has no past to expect more from": (rows(before(0)), ()),
    "the day before had rows, the day has none": (rows(before(1)), (f"{ADS} has no rows of {DAY} for google_ads 1",)),
    "two days before had rows, the day has none": (rows(before(2)), (f"{ADS} has no rows of {DAY} for google_ads 1",)),
    "an account that stopped three days before is not waited for": (rows(before(0), before(1), account="2") + rows(before(3)), ()),
    "one of two accounts is late": (
        rows(before(0), before(1), account="2") + rows(before(1)),
        (f"{ADS} has no rows of {DAY} for google_ads 1",),
    ),
    "the same account id of another platform is another account": (
        rows(before(0), before(1)) + rows(before(1), platform="meta_ads"),
        (f"{ADS} has no rows of {DAY} for meta_ads 1",),
    ),
    "nothing at all": ((), (f"{ADS} has no rows of the last 7 days",)),
    "nothing lately": (rows(before(5), before(4)), (f"{ADS} has no rows since {before(4)}",)),
    "rows of somebody else": (rows(before(0), owner="other"), (f"{ADS} has no rows of the last 7 days",)),
    "rows without an account are loading's to reject": (rows(before(0), account=None), (f"{ADS} has no rows of the last 7 days",)),
    "rows of today are no rows of yesterday": (rows(before(1), before(-1)), (f"{ADS} has no rows of {DAY} for google_ads 1",)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_missing(case):
    days, expected = CASES[case]
    assert missing(advertiser(), days) == expected


def test_many_late_accounts_are_named_up_to_five():
    late = tuple(row for n in range(8) for row in rows(before(1), account=str(n)))
    (sentence,) = missing(advertiser(), late)
    assert sentence.endswith("google_ads 4 and 3 more")


def test_a_table_without_accounts_is_expected_of_the_advertiser():
    acme = advertiser(required_tables=["orders_daily"])
    orders = rows(before(1), table="orders_daily", platform=None, account=None, zone=None)
    assert missing(acme, orders) == (f"orders_daily has no rows of {DAY}",)
    assert missing(acme, orders + rows(before(0), table="orders_daily", platform=None, account=None)) == ()


def test_every_required_table_is_looked_at_and_no_other():
    acme = advertiser(required_tables=[ADS, "orders_daily"])
    unusable = {"orders_daily": "no such file", "web_sessions_daily": "no such file"}
    assert missing(acme, rows(before(0)), unusable=unusable) == ("orders_daily: no such file",)
    assert missing(advertiser(required_tables=[]), ()) == ()


# The rule of int_evaluated_days: least(partition's day, local day of the account at (instant - settle lag), minus one).
NEEDED = {
    # zone of the advertiser, run time, account's zone, its lag -> days before the partition's
    "own zone": ("Europe/London", "06:00", "Europe/London", 3, 0),
    "a UTC account at breakfast in Auckland: its yesterday has not begun to settle": ("Pacific/Auckland", "06:00", "UTC", 3, 1),
    "and in Kiritimati": ("Pacific/Kiritimati", "06:00", "UTC", 3, 1),
    "a UTC account at breakfast in Los Angeles": ("America/Los_Angeles", "06:00", "UTC", 3, 0),
    "never later than the partition's day": ("Pacific/Pago_Pago", "11:00", "Pacific/Kiritimati", 0, 0),
    "a lag of three days": ("Europe/London", "06:00", "Europe/London", 72, 3),
    "a lag that ends just in time": ("Europe/London", "06:00", "Europe/London", 6, 0),
    "a lag that ends an hour late": ("Europe/London", "06:00", "Europe/London", 7, 1),
    "the furthest apart": ("Pacific/Kiritimati", "03:00", "Pacific/Pago_Pago", 72, 4),
}


@pytest.mark.parametrize("case", NEEDED)
def test_an_account_is_needed_up_to_its_last_settled_day(case):
    zone, run_time, account_zone, lag, expected = NEEDED[case]
    acme = advertiser(time_zone=zone, run_time_local=run_time)
    instant = evaluation_instant(DAY, acme.zone, acme.run_time_local, acme.settle_lag_hours)
    clock = AccountClock("acme", "google_ads", "1", account_zone, lag)
    needed = Arrived(Arrivals((), (clock,), {})).needed_day(acme, Account("google_ads", "1"), DAY, instant)
    assert needed == before(expected)
    assert needed - timedelta(days=2) >= before(7), "the source is asked far enough back"


@pytest.mark.parametrize(
    ("listed", "in_rows", "expected"),
    [
        ("UTC", "Pacific/Auckland", 1),
        (None, "UTC", 1),
        ("Not/A_Zone", "UTC", 1),
        ("../etc/passwd", None, 0),
        (None, "\0", 0),
        (None, None, 0),
    ],
)
def test_the_zone_is_the_listed_one_else_that_of_the_rows_else_the_advertisers(listed, in_rows, expected):
    acme = advertiser(time_zone="Pacific/Auckland")
    arrived = Arrived(Arrivals(rows(before(1), zone=in_rows), (AccountClock("acme", "google_ads", "1", listed, None),), {}))
    instant = datetime(2026, 11, 21, 6, tzinfo=ZoneInfo("Pacific/Auckland"))
    assert arrived.needed_day(acme, Account("google_ads", "1"), DAY, instant) == before(expected)


def test_an_account_that_moved_is_judged_by_where_it_is():
    acme = advertiser(time_zone="Pacific/Auckland")
    moved = rows(before(2), zone="UTC") + rows(before(1), zone="Pacific/Auckland")
    assert missing(acme, moved) == (f"{ADS} has no rows of {DAY} for google_ads 1",)


def test_a_utc_account_in_auckland_is_not_waited_for():
    acme = advertiser(time_zone="Pacific/Auckland")
    assert missing(acme, rows(before(1), before(2), zone="UTC")) == ()
    assert missing(acme, rows(before(2), before(3), zone="UTC")) == (f"{ADS} has no rows of {before(1)} for google_ads 1",)
