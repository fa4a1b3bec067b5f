"""Each account is judged on its own clock (E), and E on a day depends on nothing that this day cannot know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from marketing_agents.days import EPISODE_DAYS, LOOK_BACK_DAYS, evaluation_instant
from marketing_agents.warehouse.marts import load_marts
from marketing_agents_tests.dbt.building import PROJECT, dbt
from marketing_agents_tests.dbt.raw_database import AdvertiserRow, Raw, Row, read_mart, write_raw

DAY = date(2026, 11, 20)
SPRING_LONDON, AUTUMN_LONDON, AUTUMN_LOS_ANGELES = (
    date(2026, 3, 28),
    date(2026, 10, 24),
    date(2026, 10, 31),
)  # the night after, clocks change


def ad_row(platform: str, account_id: str, zone: str, *, campaign: str = "c", spend: int = 5) -> Row:
    return {
        "platform": platform, "account_id": account_id, "campaign_id": campaign, "adgroup_id": "g", "ad_id": "a", "network": "NA", "device": "NA",
        "impressions": 10, "clicks": 2, "spend": Decimal(spend), "conversions": 1.0, "conversion_value": Decimal(5),
        "currency_code": "USD", "account_time_zone": zone,
    }  # fmt: skip


@dataclass(frozen=True)
class Case:
    """Advertiser: zone, run time, settle lag. Account: as platform_accounts has it (None: it does not), and the zone in its facts.
    `days_before`: E lies so many days before the partition's day."""

    zone: str
    listed: tuple[str, int | None] | None
    days_before: int
    day: date = DAY
    run_time: str = "06:00"
    settle_lag_hours: int = 3
    in_facts: str = "UTC"


CASES = {
    # 06:00 in Kiritimati is 16:00 UTC of the same date as the label: the UTC day is not over, the one before is.
    "UTC account of an advertiser in Kiritimati": Case("Pacific/Kiritimati", ("UTC", 3), 1),
    "UTC account of an advertiser in Los Angeles": Case("America/Los_Angeles", ("UTC", 3), 0),
    # 06:00 in Auckland is 17:00 UTC, noon in New York.
    "New York account of an advertiser in Auckland": Case("Pacific/Auckland", ("America/New_York", 3), 1),
    "Pago Pago account of an advertiser in Kiritimati": Case("Pacific/Kiritimati", ("Pacific/Pago_Pago", 3), 1),
    "the same, settled an hour after the morning": Case("Pacific/Kiritimati", ("Pacific/Pago_Pago", 6), 2),
    "Kiritimati account of an advertiser in Pago Pago: never a later day": Case("Pacific/Pago_Pago", ("Pacific/Kiritimati", 0), 0),
    "account that settles in 48 hours": Case("Europe/London", ("Europe/London", 48), 2),
    "account that settles in 72 hours, far west": Case("Pacific/Kiritimati", ("Pacific/Pago_Pago", 72), 4),
    "settled to the minute": Case("Europe/London", ("Europe/London", 6), 0),
    "an hour short": Case("Europe/London", ("Europe/London", 7), 1),
    "half-hour zone": Case("Asia/Kolkata", ("UTC", 1), 1),  # 06:00 is 00:30 UTC
    "half-hour zone, half an hour after the day's end": Case("Asia/Kolkata", ("UTC", 0), 0),
    "the morning waits for the advertiser's settle lag": Case("Europe/London", ("Europe/London", 8), 0, settle_lag_hours=8),
    "the morning does not wait past noon": Case("Europe/London", ("Europe/London", None), 1, settle_lag_hours=13),
    "the account has no settle lag of its own": Case("Europe/London", ("Europe/London", None), 0, settle_lag_hours=6),
    "unlisted: the zone is that of its facts": Case("Pacific/Kiritimati", None, 1, in_facts="UTC"),
    "unlisted, in the advertiser's zone": Case("Pacific/Kiritimati", None, 0, in_facts="Pacific/Kiritimati"),
    "unlisted, with a zone that nobody knows": Case("Pacific/Kiritimati", None, 0, in_facts="Nowhere/Atlantis"),
    "listed with a zone that nobody knows": Case("Pacific/Kiritimati", ("Nowhere/Atlantis", 3), 1, in_facts="UTC"),
    "the list wins over the facts": Case("Pacific/Kiritimati", ("Pacific/Kiritimati", 3), 0, in_facts="UTC"),
    # Elapsed hours: with clocks put forward it is 09:00 when eight hours have passed, with clocks put back 07:00.
    "clocks are put forward": Case("Europe/London", ("Europe/London", 8), 0, day=SPRING_LONDON, settle_lag_hours=8),
    "clocks are put forward: 06:00 is five hours after midnight": Case("Europe/London", ("Europe/London", 6), 1, day=SPRING_LONDON),
    "clocks are put back: 06:00 is seven hours after midnight": Case("Europe/London", ("Europe/London", 7), 0, day=AUTUMN_LONDON),
    "clocks are put back in Los Angeles": Case("America/Los_Angeles", ("America/Los_Angeles", 7), 0, day=AUTUMN_LOS_ANGELES),
    "midnight does not exist": Case("Asia/Beirut", ("Asia/Beirut", 7), 1, day=date(2026, 3, 28)),  # 22:00 to 03:00 UTC are five hours
}


@pytest.fixture(scope="module")
def judged(target: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All cases side by side, an advertiser each."""
    raw = Raw()
    for number, case in enumerate(CASES.values()):
        advertiser_id = f"case-{number:02d}"
        raw.advertisers.append(AdvertiserRow(advertiser_id, case.zone, case.run_time, settle_lag_hours=case.settle_lag_hours))
        raw.asked.append((advertiser_id, case.day))
        raw.add("ad_performance_daily", advertiser_id, case.day, [ad_row("meta_ads", "1", case.in_facts)])
        if case.listed:
            zone, lag = case.listed
            row = {"platform": "meta_ads", "account_id": "1", "name": "A", "account_status": "active", "currency_code": "USD"}
            raw.add("platform_accounts", advertiser_id, case.day, [{**row, "time_zone": zone, "settle_lag_hours": lag}])
    database = tmp_path_factory.mktemp("judged") / "private.duckdb"
    write_raw(database, raw)
    built = dbt(database, target, "build", "--exclude-resource-type", "test", "--select", "+int_evaluated_days")
    assert built.returncode == 0, built.output[-4000:]
    return database


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES.values())), ids=list(CASES))
def test_an_account_is_judged_on_its_latest_day_that_is_over_and_settled(judged: Path, number: int, case: Case) -> None:
    (row,) = read_mart(judged, "int_evaluated_days", [(f"case-{number:02d}", case.day)])
    assert row["evaluated_day"] == case.day - timedelta(days=case.days_before)


def test_sql_and_python_agree_on_the_morning_of_every_day(judged: Path) -> None:
    with duckdb.connect(str(judged), read_only=True) as connection:
        found = connection.execute("select advertiser_id, date, epoch_ms(evaluation_instant) from marts.int_feature_days").fetchall()
    cases = {f"case-{number:02d}": case for number, case in enumerate(CASES.values())}
    assert len(found) == len(CASES) * (EPISODE_DAYS + 1)
    for advertiser_id, day, instant in found:
        case = cases[advertiser_id]
        expected = evaluation_instant(day, ZoneInfo(case.zone), time.fromisoformat(case.run_time), case.settle_lag_hours)
        assert instant == expected.timestamp() * 1000, (advertiser_id, day, datetime.fromtimestamp(instant / 1000, expected.tzinfo))


# --- what a day cannot know ---------------------------------------------------------------------------------------------------------------

FIRST = DAY - timedelta(days=3)
"""The partition that is asked for alone, and as the first of a chunk up to DAY."""


def changing_accounts() -> Raw:
    """Advertisers in Auckland whose accounts nobody lists: one moves to another zone, one wins an account, one loses one, one plans ahead."""
    raw = Raw()
    for advertiser_id in ("late-news", "moving", "newcomer", "planned", "veteran"):
        raw.advertisers.append(AdvertiserRow(advertiser_id, "Pacific/Auckland"))
        raw.asked += [(advertiser_id, FIRST + timedelta(days=n)) for n in range(4)]
        for back in range(40):
            day = DAY - timedelta(days=back)
            is_new = day > FIRST
            own = ad_row("google_ads", "own", "Pacific/Auckland")
            rows = {
                "moving": [ad_row("meta_ads", "m", "Pacific/Auckland" if is_new else "UTC")],
                "newcomer": [own, ad_row("meta_ads", "m", "UTC")] if is_new else [own],
                "planned": [own, ad_row("meta_ads", "m", "UTC", campaign="launch")] if is_new else [own],
            }.get(advertiser_id, [own])
            raw.add("ad_performance_daily", advertiser_id, day, rows)
    # The zone of an account is restated later, for a day that the first partition knows.
    for zone, as_of in (("Pacific/Auckland", FIRST), ("UTC", DAY)):
        raw.add("ad_performance_daily", "late-news", FIRST, [ad_row("google_ads", "own", zone)], as_of=as_of)
    # An account whose last rows lie before anything the partitions' feature days may use, but within what a longer run loads.
    raw.add("ad_performance_daily", "veteran", FIRST - timedelta(days=EPISODE_DAYS + LOOK_BACK_DAYS), [ad_row("meta_ads", "m", "UTC")])
    plan = {
        "plan_id": "p", "name": "Plan", "is_hard_cap": False, "currency_code": "USD", "scope": "campaigns", "scope_ids": ["c", "launch"],
        "amount": Decimal(900), "period_start": FIRST - timedelta(days=9), "period_end": DAY + timedelta(days=9),
    }  # fmt: skip
    for n in range(4):
        raw.add("budget_plans", "planned", FIRST + timedelta(days=n), [plan])
    return raw


@dataclass(frozen=True)
class Runs:
    chunk: Path
    alone: Path


@pytest.fixture(scope="module")
def runs(target: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    raw = changing_accounts()
    folder = tmp_path_factory.mktemp("changing")
    databases = {name: folder / name / "private.duckdb" for name in ("chunk", "alone")}
    for database in databases.values():
        database.parent.mkdir()
    reach = timedelta(days=EPISODE_DAYS + LOOK_BACK_DAYS)
    write_raw(databases["chunk"], raw, since=FIRST - reach)
    only = Raw(raw.advertisers[1:], [(a, d) for a, d in raw.asked if d == FIRST and a != "late-news"], raw.versions)
    write_raw(databases["alone"], only, since=FIRST - reach, known_on=FIRST)
    for database in databases.values():
        built = dbt(database, target, "build", "--exclude-resource-type", "test")
        assert built.returncode == 0, built.output[-4000:]
    return Runs(**databases)


def evaluated(database: Path, mart: str, advertiser_id: str) -> dict[date, list[int]]:
    """Days from E to the partition's day, one per row."""
    found: dict[date, list[int]] = {}
    for n in range(4):
        day = FIRST + timedelta(days=n)
        found[day] = [(day - row["evaluated_day"]).days for row in read_mart(database, mart, [(advertiser_id, day)])]  # type: ignore[operator]
    return found


def days_of(*values: list[int]) -> dict[date, list[int]]:
    return {FIRST + timedelta(days=n): value for n, value in enumerate(values)}


@pytest.mark.parametrize(
    ("mart", "advertiser_id", "expected"),
    [
        pytest.param("int_evaluated_days", "moving", days_of([1], [0], [0], [0]), id="an account is judged by where it is on the day"),
        pytest.param("int_evaluated_days", "late-news", days_of([0], [0], [0], [0]), id="its newest rows count"),
        pytest.param("int_evaluated_days", "newcomer", days_of([0], [0, 1], [0, 1], [0, 1]), id="an account exists from its first row on"),
        pytest.param("int_evaluated_days", "veteran", days_of([0], [0], [0], [0]), id="an account is forgotten after the look-back"),
        pytest.param("int_advertiser_days", "newcomer", days_of([0], [1], [1], [1]), id="nobody waits for an account to come"),
        pytest.param("int_budget_plans", "planned", days_of([0], [1], [1], [1]), id="nor does a plan that names its campaign"),
    ],
)
def test_what_comes_later_changes_no_earlier_day_of_a_chunk(
    runs: Runs, mart: str, advertiser_id: str, expected: dict[date, list[int]]
) -> None:
    assert evaluated(runs.chunk, mart, advertiser_id) == expected


@pytest.mark.parametrize("mart", sorted(load_marts(PROJECT)))
def test_a_day_alone_has_the_rows_of_the_same_day_in_a_chunk(runs: Runs, mart: str) -> None:
    """Whatever is published, column by column; alone the run also lacks an advertiser, so that all numbers of entities are others."""
    days = [(a, FIRST) for a in ("moving", "newcomer", "planned", "veteran")]
    assert read_mart(runs.alone, mart, days) == read_mart(runs.chunk, mart, days)
