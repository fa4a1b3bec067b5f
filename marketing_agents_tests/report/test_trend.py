from datetime import date, timedelta
from decimal import Decimal

import pytest

from marketing_agents.report.trend import Trend, TrendReader, trend_series
from marketing_agents.rules.finding import Entity, Finding, Unit
from marketing_agents_tests.decisions.builders import adgroup, budget_plan, calendar_event, campaign, conversion_action, fact, finding
from marketing_agents_tests.report.stored_facts import END, StoredRows, action_rows, ad_rows, order_rows, plan_row


def trend(stored: StoredRows, item: Finding) -> Trend:
    made = trend_series(stored, item, END)  # type: ignore[arg-type]
    assert made is not None
    assert len(made.values) == len(made.days)
    return made


def about(entity: Entity, metric: str | None, **changes: object) -> Finding:
    return finding("MEDIA-001", entity, **{"trend_metric": metric, **changes})


def test_cost_per_conversion_is_a_seven_day_ratio_in_account_currency_against_the_target() -> None:
    target = fact("target_cpa", 18.0, Unit.MONEY, currency="GBP")
    rows = ad_rows(80)
    for row in rows[-2 * 7 :]:
        row["conversions"] = 0.5
    made = trend(
        StoredRows(ad_performance_daily=rows), about(campaign(), "cost_per_conversion", facts=[target], opened_on=END - timedelta(days=3))
    )
    assert (made.unit, made.currency, made.baseline) == ("money", "GBP", 18.0)
    assert made.values[0] == pytest.approx(25.0)
    assert made.values[-1] == pytest.approx(50.0)
    assert made.days == tuple(END - timedelta(days=59 - n) for n in range(60))
    assert (made.anomaly_from, made.anomaly_to) == (END - timedelta(days=3), END)
    assert "still gain conversions" in made.note


def test_a_day_without_conversions_in_the_window_has_no_cost_per_conversion() -> None:
    made = trend(
        StoredRows(ad_performance_daily=[*ad_rows(60, end=END - timedelta(days=10)), *ad_rows(8, conversions=0.0)]),
        about(campaign(), "cost_per_conversion"),
    )
    assert made.values[-1] is None


def test_a_target_in_another_currency_is_not_drawn() -> None:
    target = fact("target_cpa", 18.0, Unit.MONEY, currency="GBP")
    made = trend(StoredRows(ad_performance_daily=ad_rows(currency="EUR")), about(campaign(), "cost_per_conversion", facts=[target]))
    assert made.currency == "EUR"
    assert made.baseline == pytest.approx(25.0)
    assert "median" in made.baseline_label


def test_absent_days_are_zero_and_days_before_the_first_row_have_no_value() -> None:
    gap = (END - timedelta(days=5), END - timedelta(days=4))
    made = trend(StoredRows(ad_performance_daily=ad_rows(20, skip=gap)), about(campaign(), "spend"))
    assert made.values[:40] == (None,) * 40
    assert made.values[40] == 50.0
    assert made.values[-6:-4] == (0.0, 0.0)


def test_only_the_entity_counts() -> None:
    rows = [*ad_rows(spend=50.0), *ad_rows(campaign="c2", spend=900.0), *ad_rows(account="a2", spend=700.0)]
    assert trend(StoredRows(ad_performance_daily=rows), about(campaign(), "spend")).values[-1] == 50.0


@pytest.mark.parametrize(("metric", "last"), [("spend", 50.0), ("conversions", 2.0), ("clicks", 40.0), ("impressions", 1000.0)])
def test_daily_metrics_sum_over_devices(metric: str, last: float) -> None:
    assert trend(StoredRows(ad_performance_daily=ad_rows()), about(campaign(), metric)).values[-1] == pytest.approx(last)


def test_ad_share_is_the_largest_ad_against_the_alarm_line() -> None:
    item = about(adgroup(), "ad_share")
    line = fact("limit", 0.85, Unit.PERCENT, finding=item.finding_id)
    item = item.model_copy(update={"facts": (line,), "threshold": line.id})
    made = trend(StoredRows(ad_performance_daily=[*ad_rows(ad="x", spend=90.0), *ad_rows(ad="y", spend=10.0)]), item)
    assert made.unit == "percent"
    assert made.values[-1] == pytest.approx(0.9)
    assert (made.baseline, made.baseline_label) == (0.85, "alarm line")


def test_silence_of_a_conversion_action_is_marked_from_its_first_day() -> None:
    item = about(conversion_action(), "conversions", facts=[fact("zero_days", 3.0)], opened_on=END)
    made = trend(StoredRows(conversions_by_action_daily=action_rows(silent=3)), item)
    assert made.values[-4:] == (6.0, 0.0, 0.0, 0.0)
    assert made.anomaly_from == END - timedelta(days=2)
    assert made.baseline == 6.0


def test_rows_of_an_account_count_the_watched_table_up_to_the_partitions_day() -> None:
    account = Entity(type="platform_account", id="a1/ad_performance_daily", name="Main", platform="google_ads", account_id="a1")
    late = fact("table_name", None, Unit.TEXT).model_copy(update={"text": "ad_performance_daily"})
    item = about(account, "rows", facts=[late], evaluated_day=END - timedelta(days=1))
    made = trend(StoredRows(ad_performance_daily=ad_rows(58, end=END - timedelta(days=2))), item)
    assert made.days[-1] == END
    assert made.values[-3:] == (2.0, 0.0, 0.0)


def test_orders_of_a_campaign_and_of_everything_before_an_event() -> None:
    stored = StoredRows(orders_daily=order_rows())
    assert trend(stored, about(campaign(), "orders")).values[-1] == 4.0
    event = trend(stored, about(calendar_event(), "orders"))
    assert event.values[-1] == 8.0
    assert (event.anomaly_from, event.baseline) == (None, 8.0)


def test_a_plan_shows_spend_so_far_against_an_even_course() -> None:
    stored = StoredRows(ad_performance_daily=ad_rows(30), budget_plans=[plan_row()])
    made = trend(stored, about(budget_plan(), "spend", opened_on=date(2026, 11, 8)))
    assert len(made.days) == 30
    assert (made.values[0], made.values[19], made.values[20]) == (50.0, 1000.0, None)
    assert (made.baseline, made.reference[-1], made.reference[14]) == (1200.0, 1200.0, 600.0)
    assert (made.anomaly_from, made.anomaly_to) == (date(2026, 11, 8), END)


def test_a_plan_of_campaigns_counts_these_only_and_its_newest_version() -> None:
    rows = [*ad_rows(30), *ad_rows(30, campaign="c2", spend=10.0)]
    plans = [plan_row(date=END - timedelta(days=1), amount=1), plan_row(scope="campaigns", scope_ids=["c2"])]
    made = trend(StoredRows(ad_performance_daily=rows, budget_plans=plans), about(budget_plan(), "spend"))
    assert made.values[19] == 200.0
    assert made.baseline == 1200.0


def test_amounts_in_two_currencies_are_not_added() -> None:
    rows = [*ad_rows(), *ad_rows(campaign="c2", currency="EUR")]
    stored = StoredRows(ad_performance_daily=rows, budget_plans=[plan_row()])
    assert trend_series(stored, about(budget_plan(), "spend"), END) is None  # type: ignore[arg-type]
    assert trend_series(stored, about(calendar_event(), "spend"), END) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("entity", [campaign("gone"), budget_plan(), conversion_action("a9")])
def test_an_entity_without_rows_has_no_trend(entity: Entity) -> None:
    assert trend_series(StoredRows(ad_performance_daily=ad_rows()), about(entity, None), END) is None  # type: ignore[arg-type]


def test_rows_that_became_known_later_are_not_seen() -> None:
    rows = ad_rows()
    rows[-1]["as_of"] = rows[-2]["as_of"] = END + timedelta(days=1)
    assert trend(StoredRows(ad_performance_daily=rows), about(campaign(), "spend")).values[-1] == 0.0


def test_one_read_per_table_serves_all_findings() -> None:
    stored = StoredRows(ad_performance_daily=[*ad_rows(), *ad_rows(campaign="c2")], orders_daily=order_rows())
    reader = TrendReader(stored, "acme", END)  # type: ignore[arg-type]
    for item in (
        about(campaign(), "spend"),
        about(campaign("c2"), "cost_per_conversion"),
        about(campaign(), "orders"),
        about(adgroup(), "ad_share"),
    ):
        assert reader.trend(item) is not None
    assert stored.reads == {"ad_performance_daily": 1, "orders_daily": 1}


def test_an_episode_older_than_the_window_is_marked_from_the_first_day_and_a_resolved_one_not_at_all() -> None:
    stored = StoredRows(ad_performance_daily=ad_rows())
    assert trend(stored, about(campaign(), "spend", opened_on=None)).anomaly_from == END - timedelta(days=59)
    assert trend(stored, about(campaign(), "spend", episode_state="resolved")).anomaly_from is None


def test_a_segment_is_drawn_from_its_own_rows() -> None:
    names = {"network", "device", "ad_id", "adgroup_id", "account_time_zone"}
    rows = [
        {
            **{name: value for name, value in row.items() if name not in names},
            "dimension": "placement",
            "value": value,
            "spend": Decimal(spend),
        }
        for row in ad_rows(60)[::2]
        for value, spend in (("feed", 40), ("games", 7))
    ]
    games = Entity(type="segment", id="c1/placement/games", name="games", platform="google_ads", account_id="a1", campaign_id="c1")
    kind = fact("dimension", None, Unit.TEXT).model_copy(update={"text": "placement"})
    made = trend(StoredRows(segment_performance_daily=rows), about(games, None, facts=[kind]))
    assert set(made.values) == {7.0}
