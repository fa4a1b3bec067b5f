"""Which partitions a backfill computes, which it leaves out, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.assets.report_page import STEP
from marketing_agents.days import LocalDay
from marketing_agents.operations.backfill_plan import last_day_over, plan_backfill, spans
from marketing_agents.operations.morning import LAST_STEP

DAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)  # 03-21 in Kiritimati and Auckland, 03-20 elsewhere


def advertiser(advertiser_id: str, zone: str = "Europe/London", **fields) -> Advertiser:
    return Advertiser(id=advertiser_id, name=advertiser_id, time_zone=zone, **fields)


def keys(plan) -> list[str]:
    return [day.key for day in plan.wanted]


def test_the_whole_rectangle_when_nothing_stands_against_it():
    plan = plan_backfill([advertiser("b"), advertiser("a")], DAY, DAY + timedelta(days=1), now=NOON, paused={})
    assert keys(plan) == ["a|2026-03-10", "a|2026-03-11", "b|2026-03-10", "b|2026-03-11"]
    assert (plan.left_out, plan.finished) == ((), 0)


@pytest.mark.parametrize(
    ("zone", "now", "over"),
    [
        ("Pacific/Kiritimati", datetime(2026, 3, 20, 9, 59, tzinfo=UTC), date(2026, 3, 19)),
        ("Pacific/Kiritimati", datetime(2026, 3, 20, 10, 0, tzinfo=UTC), date(2026, 3, 20)),  # midnight at +14
        ("Pacific/Pago_Pago", datetime(2026, 3, 20, 10, 59, tzinfo=UTC), date(2026, 3, 18)),
        ("Pacific/Pago_Pago", datetime(2026, 3, 20, 11, 0, tzinfo=UTC), date(2026, 3, 19)),  # midnight at -11
        ("Africa/Cairo", datetime(2026, 4, 23, 21, 59, tzinfo=UTC), date(2026, 4, 22)),
        ("Africa/Cairo", datetime(2026, 4, 23, 22, 0, tzinfo=UTC), date(2026, 4, 23)),  # the 24th starts at 01:00
    ],
)
def test_a_day_is_over_at_local_midnight(zone, now, over):
    assert last_day_over(advertiser("a", zone), now) == over


def test_days_that_are_not_over_are_listed_and_not_computed():
    far, near = advertiser("far", "Pacific/Auckland"), advertiser("near", "America/Los_Angeles")
    plan = plan_backfill([far, near], date(2026, 3, 19), date(9999, 12, 31), now=NOON, paused={})
    assert keys(plan) == ["far|2026-03-19", "far|2026-03-20", "near|2026-03-19"]
    assert [(x.advertiser_id, x.first, x.reason) for x in plan.left_out] == [
        ("far", date(2026, 3, 21), "not over yet in Pacific/Auckland"),
        ("near", date(2026, 3, 20), "not over yet in America/Los_Angeles"),
    ]


def test_a_range_in_the_future_leaves_nothing():
    plan = plan_backfill([advertiser("a")], date(2026, 4, 1), date(2026, 4, 3), now=NOON, paused={})
    assert plan.wanted == ()
    assert [str(x) for x in plan.left_out] == ["a: 2026-04-01 to 2026-04-03 (3 days): not over yet in Europe/London"]


def test_paused_advertisers_are_left_out_with_the_reason_and_cost_nobody_else_a_day():
    everyone = [advertiser("a"), advertiser("b", paused=True), advertiser("c")]
    plan = plan_backfill(everyone, DAY, DAY, now=NOON, paused={"c": "paused by kim: fraud"})
    assert keys(plan) == ["a|2026-03-10"]
    assert [str(x) for x in plan.left_out] == ["b: 2026-03-10: paused in the registry", "c: 2026-03-10: paused by kim: fraud"]


def test_finished_days_are_counted_and_not_computed():
    plan = plan_backfill(
        [advertiser("a")],
        DAY,
        DAY + timedelta(days=2),
        now=NOON,
        paused={},
        finished=[LocalDay("a", DAY + timedelta(days=1)), LocalDay("other", DAY)],
    )
    assert keys(plan) == ["a|2026-03-10", "a|2026-03-12"]
    assert plan.finished == 1


def test_spans_join_days_that_follow_each_other():
    days = [LocalDay("a", DAY + timedelta(days=n)) for n in (0, 1, 3)] + [LocalDay("b", DAY + timedelta(days=4))]
    assert spans(days) == [
        ("a", DAY, DAY + timedelta(days=1)),
        ("a", DAY + timedelta(days=3), DAY + timedelta(days=3)),
        ("b", DAY + timedelta(days=4), DAY + timedelta(days=4)),
    ]


def test_done_means_that_the_last_asset_of_the_day_was_written():
    assert LAST_STEP == STEP
