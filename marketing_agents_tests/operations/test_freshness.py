"""Who is behind, since when and why: from the registry, an instant and what is on record, whatever the zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from marketing_agents.advertisers.registry import Advertiser, Registry
from marketing_agents.assets import findings, marts, raw, recommendations, report_page
from marketing_agents.assets.analysis import analysis_step
from marketing_agents.days import LocalDay
from marketing_agents.operations.freshness import Progress, days_to_explain, explain, last_due_day, measure
from marketing_agents.operations.freshness_chart import draw_days_behind
from marketing_agents.operations.freshness_records import read_freshness
from marketing_agents.operations.freshness_table import as_data, freshness_markdown, summary
from marketing_agents.operations.why_missing import STEPS, step_rank, why_missing
from marketing_agents.state.kill_switch import KillSwitch, SwitchEntry
from marketing_agents.state.mornings import Morning, Mornings
from marketing_agents.state.onboardings import Onboarding, Onboardings
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus, RecordedStatus

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 12, 50, tzinfo=UTC)  # London: the report of the 20th was due 50 minutes ago
DAYS = timedelta(days=1)


def registry(*ids: str, time_zone: str = "Europe/London", **fields: object) -> Registry:
    return Registry(advertisers=tuple(Advertiser(id=i, name=i, time_zone=time_zone, **fields) for i in ids or ("acme",)))


def standing(progress: Progress, *, now: datetime = NOW, **fields: object):
    """The only advertiser's standing, without reasons from records."""
    [one] = measure(registry(**fields), now, progress)
    return one


def done(*days_before: int) -> Progress:
    """`acme` has reports of these days, counted back from DAY."""
    return Progress(done={"acme": frozenset(DAY - n * DAYS for n in days_before)})


def step(name: str, status: str, reason: str = "", *, at: datetime = NOW, run: str = "run-0001") -> RecordedStatus:
    return RecordedStatus(PartitionStatus(name, "acme", DAY, status, reason), run, at)


def morning(outcome: str, reason: str, *, attempts: int = 0, at: datetime = NOW) -> Morning:
    return Morning("acme", DAY, outcome, reason, attempts, at)


# --- when a day is due ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "local", "day"),
    [
        ("Europe/London", "2026-11-21T11:59:59", "2026-11-19"),
        ("Europe/London", "2026-11-21T12:00:00", "2026-11-20"),
        ("Europe/London", "2026-11-21T23:59:59", "2026-11-20"),
        ("Europe/London", "2026-11-22T00:00:00", "2026-11-20"),
        ("Europe/London", "2026-03-29T12:00:00", "2026-03-28"),  # 23 hours, clocks went forward at night
        ("America/New_York", "2026-11-01T11:59:59", "2026-10-30"),  # 25 hours
        ("America/New_York", "2026-11-01T12:00:00", "2026-10-31"),
        ("Asia/Kathmandu", "2026-11-21T12:00:00", "2026-11-20"),  # +05:45
        ("Pacific/Kiritimati", "2026-11-21T12:00:00", "2026-11-20"),  # +14
        ("Pacific/Pago_Pago", "2026-11-21T12:00:00", "2026-11-20"),  # -11
        ("America/Santiago", "2026-09-06T00:30:00", "2026-09-04"),  # a day whose 00:00 does not exist
    ],
)
def test_a_report_is_due_at_local_noon_of_the_day_after(zone, local, day):
    now = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert last_due_day(now, ZoneInfo(zone)) == date.fromisoformat(day)


def test_the_due_day_grows_by_one_a_day_through_both_clock_changes():
    zone = ZoneInfo("Australia/Lord_Howe")  # half an hour
    noons = [datetime.combine(date(2026, 1, 1) + n * DAYS, time(12), tzinfo=zone).astimezone(UTC) for n in range(365)]
    assert [last_due_day(noon, zone) for noon in noons] == [date(2025, 12, 31) + n * DAYS for n in range(365)]
    assert [last_due_day(noon - timedelta(seconds=1), zone) for noon in noons] == [date(2025, 12, 30) + n * DAYS for n in range(365)]


# --- who is behind ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("progress", "missing", "since"),
    [
        (done(0), (), None),
        (done(-1), (), None),  # done early: this morning's report was not even due
        (done(1), (DAY,), datetime(2026, 11, 21, 12, tzinfo=UTC)),
        (done(3, 4), (DAY - 2 * DAYS, DAY - DAYS, DAY), datetime(2026, 11, 19, 12, tzinfo=UTC)),
    ],
)
def test_an_advertiser_is_behind_by_the_due_days_after_its_last_report(progress, missing, since):
    one = standing(progress)
    assert (one.missing, one.since, one.days_behind) == (missing, since, len(missing))
    assert one.state == ("behind" if missing else "up to date")
    assert (one.last_done, one.due) == (max(progress.done["acme"]), DAY)


def test_since_is_the_noon_of_the_advertisers_own_zone():
    one = standing(done(2), time_zone="Asia/Kolkata")
    assert one.since == datetime(2026, 11, 20, 6, 30, tzinfo=UTC)


def test_days_without_a_report_before_the_last_one_are_gaps_and_not_behind():
    one = standing(done(0, 1, 4, 13, 20))
    assert one.state == "up to date"
    assert one.gaps == tuple(DAY - n * DAYS for n in (12, 11, 10, 9, 8, 7, 6, 5, 3, 2))  # the last 14 days only


def test_a_paused_advertiser_is_paused_and_not_behind():
    entry = SwitchEntry("acme", "pause", "jo", "wrong budgets", None, NOW - 5 * DAYS)
    one = standing(replace(done(9), switch={"acme": [entry]}))
    assert (one.state, one.why, one.missing, one.since) == ("paused", "paused by jo: wrong budgets", (), None)
    one = standing(done(9), paused=True)
    assert (one.state, one.why) == ("paused", "paused in the registry")


@pytest.mark.parametrize(
    ("until", "missing"),
    [
        (NOW - 1 * DAYS, (DAY,)),  # ended before the 20th was due, after the 19th was
        (NOW - timedelta(minutes=10), ()),  # everything was due during the pause
    ],
)
def test_days_that_were_due_during_a_pause_are_not_missed_but_shown_as_gaps(until, missing):
    entry = SwitchEntry("acme", "pause", "jo", "outage", until, NOW - 4 * DAYS)
    one = standing(replace(done(4, 5), switch={"acme": [entry]}))
    assert one.missing == missing
    assert one.gaps == tuple(d for d in (DAY - n * DAYS for n in (3, 2, 1, 0)) if d not in missing)


def test_a_resume_ends_a_pause_for_the_days_after_it():
    entries = [
        SwitchEntry("acme", "pause", "jo", "outage", None, NOW - 4 * DAYS),
        SwitchEntry("acme", "resume", "jo", "over", None, NOW - 2 * DAYS),
    ]
    one = standing(replace(done(4), switch={"acme": entries}))
    assert (one.state, one.missing) == ("behind", (DAY - DAYS, DAY))


@pytest.mark.parametrize(
    ("first_seen", "state", "missing"),
    [
        (NOW - timedelta(minutes=10), "new", ()),  # added after noon: tomorrow's report is its first
        (NOW - timedelta(hours=3), "behind", (DAY,)),  # added before noon, and noon has passed
        (NOW - 2 * DAYS - timedelta(hours=3), "behind", (DAY - 2 * DAYS, DAY - DAYS, DAY)),
    ],
)
def test_a_new_advertiser_is_new_until_its_first_report_was_due(first_seen, state, missing):
    one = standing(Progress(first_seen={"acme": first_seen}))
    assert (one.state, one.missing, one.last_done) == (state, missing, None)


def test_an_advertiser_that_nobody_ever_saw_says_what_to_look_at():
    one = standing(Progress())
    assert (one.state, one.why) == ("new", "never seen by a schedule or the sensor: are they on?")


def test_history_that_onboarding_makes_is_not_late():
    seen = {"acme": NOW - timedelta(minutes=10)}
    assert standing(replace(done(13), first_seen=seen)).state == "new"
    assert standing(replace(done(*range(14)), first_seen=seen)).state == "up to date"


@pytest.mark.parametrize(("hour", "underway"), [(11, DAY), (12, None), (23, None)])
def test_before_noon_the_day_of_this_morning_is_underway(hour, underway):
    assert standing(done(1), now=datetime(2026, 11, 21, hour, 30, tzinfo=UTC)).underway == underway
    assert standing(done(0), now=datetime(2026, 11, 21, hour, 30, tzinfo=UTC)).underway is None


# --- why ---------------------------------------------------------------------------------------------------------------------------------

EARLIER = NOW - timedelta(hours=2)


@pytest.mark.parametrize(
    ("decided", "steps", "told"),
    [
        (None, [], "never requested: is the schedule of Europe/London on?"),
        (morning("waiting", "ad_performance_daily"), [], "waiting: ad_performance_daily"),
        (morning("unregistered", "sensor is off"), [], "no partition: sensor is off"),
        (morning("paused", "paused by jo: x"), [], "passed over: paused by jo: x"),
        (morning("gave_up", "disk full", attempts=3), [step("ingestion", "failed", "x", at=EARLIER)], "gave up after 3 runs: disk full"),
        (morning("gave_up", "wrong key", attempts=1), [], "gave up after 1 run: wrong key"),
        (morning("requested", "", attempts=2), [], "requested at 12:50 UTC (attempt 2), no result yet"),
        (morning("running", ""), [step("ingestion", "ok", at=EARLIER)], "running at 12:50 UTC, no result yet"),
        (morning("requested", "", attempts=1, at=EARLIER), [step("ingestion", "failed", "no file")], "ingestion failed: no file"),
        (None, [step("ingestion", "refused", "the day is not over")], "ingestion refused: the day is not over"),
        (None, [step("marts", "blocked", "")], "marts blocked"),
        (
            None,
            [step("daily_report", "failed", "bad"), step("findings", "failed", "bad"), step("ingestion", "ok"), step("marts", "ok")],
            "findings failed: bad",
        ),
        (
            None,
            [step("ingestion", "ok"), step("findings", "ok"), step("marts", "ok")],
            "came as far as findings at 2026-11-21 12:50 UTC (run run-0001): interrupted, or still going",
        ),
        # A newer run that began again does not repeat what an older one failed at, and the furthest step is the news.
        (None, [step("ingestion", "ok", run="new"), step("recommendations", "failed", "old", at=EARLIER)], "recommendations failed: old"),
    ],
)
def test_the_reason_is_the_last_decision_or_the_furthest_step(decided, steps, told):
    assert why_missing("Europe/London", decided, steps) == told


def test_the_steps_are_those_of_the_assets():
    assets = (raw.STEP, marts.STEP, findings.STEP, analysis_step("budget"), recommendations.STEP, report_page.STEP)
    assert [step_rank(name) for name in assets] == list(range(len(STEPS)))
    assert step_rank("unheard of") == -1


def test_the_first_and_the_last_missing_day_are_explained():
    measured = measure(registry(), NOW, done(3))
    first, last = LocalDay("acme", DAY - 2 * DAYS), LocalDay("acme", DAY)
    assert days_to_explain(measured) == {first, last}
    waiting = replace(morning("waiting", "orders"), date=DAY)
    [one] = explain(measured, NOW, {last: waiting}, {first: [step("marts", "failed", "dbt")]}).advertisers
    assert one.why == "2026-11-18: marts failed: dbt; 2026-11-20: waiting: orders"
    [one] = explain(measured, NOW, {first: waiting, last: waiting}, {}).advertisers
    assert one.why == "waiting: orders"


def test_this_mornings_day_is_told_without_being_behind():
    before_noon = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    measured = measure(registry(), before_noon, done(1))
    [one] = explain(measured, before_noon, {LocalDay("acme", DAY): morning("waiting", "orders", at=before_noon)}, {}).advertisers
    assert (one.state, one.underway, one.morning) == ("up to date", DAY, "waiting: orders")
    [one] = explain(measured, before_noon, {}, {}).advertisers
    assert one.morning == "not started"


# --- from the state store ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def state(tmp_path):
    store = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    yield store
    store.close()


def report_done(state, advertiser_id, *days, status="ok"):
    state.record_status([PartitionStatus("daily_report", advertiser_id, day, status, "") for day in days], run_id="run-0001", at=NOW)


def test_the_worst_come_first_and_everybody_has_a_reason(state):
    report_done(state, "fine", DAY)
    report_done(state, "degraded", DAY, status="degraded")
    report_done(state, "late", DAY - DAYS)
    report_done(state, "failing", DAY - 30 * DAYS)
    report_done(state, "failing", DAY, status="failed")
    report_done(state, "held", DAY - 30 * DAYS)
    KillSwitch(state).pause("held", who="jo", why="outage", at=NOW)
    Onboardings(state).record([Onboarding("newcomer", DAY - 13 * DAYS, DAY, "")], at=NOW)
    Mornings(state).record([Morning("late", DAY, "waiting", "orders_daily has no rows", 0, NOW)])
    freshness = read_freshness(registry("fine", "held", "newcomer", "late", "degraded", "failing"), state, NOW)
    assert [(a.advertiser_id, a.state, a.days_behind, a.why) for a in freshness.advertisers] == [
        ("failing", "behind", 30, "2026-10-22: never requested: is the schedule of Europe/London on?; 2026-11-20: daily_report failed"),
        ("late", "behind", 1, "waiting: orders_daily has no rows"),
        ("held", "paused", 0, "paused by jo: outage"),
        ("newcomer", "new", 0, "first report due 2026-11-22 12:00 UTC"),
        ("degraded", "up to date", 0, ""),
        ("fine", "up to date", 0, ""),
    ]
    assert summary(freshness) == "6 advertisers at 2026-11-21 12:50 UTC: 2 behind, 1 paused, 1 new"
    assert freshness.worst_days == 30


def test_an_advertiser_is_first_seen_by_its_first_trace(state):
    Mornings(state).record([Morning("acme", DAY - n * DAYS, "waiting", "x", 0, NOW - n * DAYS - timedelta(hours=5)) for n in (0, 1)])
    [one] = read_freshness(registry(), state, NOW).advertisers
    assert (one.state, one.missing) == ("behind", (DAY - DAYS, DAY))


def test_an_onboarding_that_came_late_does_not_hide_missing_days(state):
    report_done(state, "acme", DAY - 3 * DAYS)
    Onboardings(state).record([Onboarding("acme", None, None, "had results already")], at=NOW)
    assert read_freshness(registry(), state, NOW).worst_days == 3


def test_others_records_do_not_count(state):
    report_done(state, "zeta", DAY)
    KillSwitch(state).pause("zeta", who="jo", why="x", at=NOW)
    [one] = read_freshness(registry(), state, NOW).advertisers
    assert (one.last_done, one.state) == (None, "new")


@pytest.mark.parametrize("advertisers", [1, 500])
def test_a_handful_of_queries_however_many_advertisers(state, advertisers):
    ids = [f"adv-{n:03d}" for n in range(advertisers)]
    for advertiser_id in ids:
        report_done(state, advertiser_id, DAY - DAYS)
    asked: list[str] = []
    sa.event.listen(state.engine(), "before_cursor_execute", lambda _c, _cur, statement, *_: asked.append(statement))
    assert read_freshness(registry(*ids), state, NOW).count("behind") == advertisers
    assert len(asked) <= 7


# --- as people see it -------------------------------------------------------------------------------------------------------------------


def late_by(days: dict[str, int], why: str = ""):
    """Freshness of advertisers that are so many days behind, all for the same reason."""
    progress = Progress(done={a: frozenset([DAY - n * DAYS]) for a, n in days.items()})
    measured = measure(registry(*days), NOW, progress)
    return explain(measured, NOW, {d: replace(morning("waiting", why), date=d.day) for d in days_to_explain(measured)}, {})


def test_reasons_from_outside_stay_text_in_the_table():
    hostile = "a | b\n| x | y |\n![i](http://evil.example/x.png) <script>alert(1)</script> [l](javascript:x) **bold** `code`"
    table = freshness_markdown(late_by({"acme": 1}, hostile))
    [header, rule, row] = table.splitlines()
    unescaped = row.replace("\\|", "")
    assert header.count("|") == rule.count("|") == unescaped.count("|")
    for active in ("![", "](", "<script", "**bold", "http://"):
        assert active not in row.replace("\\[", "").replace("\\]", "").replace("\\*", "")


def test_the_table_is_bounded_and_says_what_it_leaves_out():
    table = freshness_markdown(late_by({f"adv-{n:03d}": 1 for n in range(250)}))
    assert len([line for line in table.splitlines() if line.startswith("| adv-")]) == 200
    assert table.endswith("… and 50 more")
    assert freshness_markdown(explain([], NOW, {}, {})) == "The registry lists nobody."


def test_json_holds_days_and_instants():
    [one] = late_by({"acme": 2}, "orders").advertisers
    told = as_data(one)
    assert (told["state"], told["days_behind"], told["missing"]) == ("behind", 2, ["2026-11-19", "2026-11-20"])
    assert (told["since"], told["last_day_done"], told["why"]) == ("2026-11-20T12:00:00+00:00", "2026-11-18", "waiting: orders")


def test_the_chart_shows_the_thirty_worst_and_stays_small():
    assert draw_days_behind(late_by({"acme": 0})) is None
    few, many = draw_days_behind(late_by({"acme": 3})), draw_days_behind(late_by({f"adv-{n:03d}": n + 1 for n in range(100)}))
    assert few is not None
    assert many is not None
    assert few.startswith(b"\x89PNG")
    height = {name: int.from_bytes(png[20:24], "big") for name, png in (("few", few), ("many", many))}
    assert height["few"] < 100 < height["many"] < 700
    assert len(many) < 20_000
