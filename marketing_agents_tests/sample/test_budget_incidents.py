"""Each planted incident of the budget area is in the data, by plain arithmetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.profile import Incident
from marketing_agents_tests.sample.conftest import ANCHOR, Agency, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROFILES = {profile.advertiser.id: profile for profile in sample_profiles()}


@pytest.fixture
def plant(tmp_path: Path) -> Callable[..., Agency]:
    """Writes one advertiser with one incident (or none)."""

    def write(advertiser_id: str, *incidents: Incident, tables: tuple[str, ...]) -> Agency:
        name = incidents[0].kind if incidents else "clean"
        return written(
            tmp_path / name,
            advertisers=(replace(PROFILES[advertiser_id], incidents=incidents),),
            tables=tables,
            known_on=ANCHOR + timedelta(days=14),
        )

    return write


def test_behind_plan_spends_less_of_the_same_plan(plant: Callable[..., Agency]) -> None:
    tables = ("ad_performance_daily", "budget_plans")
    hurt, clean = plant("ledgerline", Incident("behind_plan", 0.7), tables=tables), plant("ledgerline", tables=tables)
    [incident] = hurt.truth.incidents
    spend = f"select sum(spend)::double from ad_performance_daily where date between '{incident.first_day}' and '{ANCHOR}'"
    before = f"select sum(spend)::double from ad_performance_daily where date < '{incident.first_day}'"
    amount = f"select amount from budget_plans where plan_id = '{incident.entity_id}'"
    assert hurt.value(spend) / clean.value(spend) == pytest.approx(0.7, abs=0.02)  # type: ignore[operator]
    assert hurt.value(before) == clean.value(before)
    assert hurt.value(amount) == clean.value(amount)


BUDGET_TABLES = ("ad_performance_daily", "campaign_metrics_daily", "campaigns", "change_events")


def daily(agency: Agency, campaign_id: str, column: str, since: int) -> list[float]:
    """A figure of the campaign's days from `since` days before the anchor on, oldest first."""
    table = "ad_performance_daily" if column in {"spend", "conversions", "clicks"} else "campaign_metrics_daily"
    sql = f"select sum({column})::double from {table} where campaign_id = '{campaign_id}' and date > '{ANCHOR - timedelta(days=since)}' group by date order by date"
    return [value for (value,) in agency.query(sql)]


def test_a_winner_stopped_by_its_budget_spends_it_every_day_and_loses_the_rest(plant: Callable[..., Agency]) -> None:
    hurt = plant("harbour-thread", Incident("winner_stopped_by_budget", 1.6, "google_ads", "Knitwear"), tables=BUDGET_TABLES)
    [incident] = hurt.truth.incidents
    spend = daily(hurt, incident.entity_id, "spend", 14)
    budget = daily(hurt, incident.entity_id, "daily_budget_effective", 14)
    lost = daily(hurt, incident.entity_id, "search_budget_lost_impression_share", 14)
    assert sum(spend) / sum(budget) == pytest.approx(1, abs=0.05)
    # 1 - 1 / 1.6 of the demand, more or less by weekday
    assert sum(lost) / len(lost) == pytest.approx(0.38, abs=0.06)


def test_a_healthy_campaign_loses_little_and_keeps_clear_of_its_budget(plant: Callable[..., Agency]) -> None:
    clean = plant("harbour-thread", tables=BUDGET_TABLES)
    assert clean.value("select max(search_budget_lost_impression_share) from campaign_metrics_daily") < 0.1  # type: ignore[operator]
    capped = clean.query(
        "with days as (select campaign_id, date, sum(spend) as spend from ad_performance_daily group by all)"
        " select campaign_id, avg((spend >= daily_budget_effective * 0.95)::int) from days join campaign_metrics_daily using (campaign_id, date)"
        " where daily_budget_effective > 100 group by 1"
    )
    assert max(share for _, share in capped) < 0.1


def test_a_loser_stopped_by_its_budget_converts_worse_and_is_in_demand(plant: Callable[..., Agency]) -> None:
    incident = Incident("loser_stopped_by_budget", 0.5, "google_ads", "Knitwear")
    hurt, clean = plant("harbour-thread", incident, tables=BUDGET_TABLES), plant("harbour-thread", tables=BUDGET_TABLES)
    [placed] = hurt.truth.incidents

    def rate(agency: Agency) -> float:
        return sum(daily(agency, placed.entity_id, "conversions", 30)) / sum(daily(agency, placed.entity_id, "clicks", 30))

    assert rate(hurt) / rate(clean) == pytest.approx(0.5, rel=0.15)
    lost = daily(hurt, placed.entity_id, "search_budget_lost_impression_share", 30)
    assert sum(lost) / len(lost) > 0.25


def test_two_days_beyond_the_allowance(plant: Callable[..., Agency]) -> None:
    hurt = plant("sol-and-sage", Incident("beyond_allowance", 2.8, "google_ads", "Vitamin C serum"), tables=BUDGET_TABLES)
    [incident] = hurt.truth.incidents
    spend, budget = (daily(hurt, incident.entity_id, column, 10) for column in ("spend", "daily_budget_effective"))
    used = [s / b for s, b in zip(spend, budget, strict=True)]
    assert min(used[-2:]) > 2.2
    assert max(used[:-2]) < 1.2


def test_a_flight_runs_dry_before_its_end(plant: Callable[..., Agency]) -> None:
    tables = ("ad_performance_daily", "campaigns")
    incident = Incident("flight_runs_dry", 1.4, "tiktok_ads", "Spark: trail runners")
    hurt, clean = plant("kowhai-outdoors", incident, tables=tables), plant("kowhai-outdoors", tables=tables)
    sql = (
        "select any_value(lifetime_budget)::double - sum(spend)::double, sum(spend) filter (where date > '{week}')::double / 7, any_value(end_date)"
        " from ad_performance_daily join campaigns using (campaign_id) where lifetime_budget is not null"
    )
    gaps = []
    for agency in (hurt, clean):
        [(left, per_day, end)] = agency.query(sql.format(week=ANCHOR - timedelta(days=7)))
        gaps.append(left / per_day - (end - ANCHOR).days)
    assert gaps[0] < -5
    assert abs(gaps[1]) < 1.5


def test_a_raise_buys_little(plant: Callable[..., Agency]) -> None:
    hurt = plant("harbour-thread", Incident("raise_buys_little", 1.6, "google_ads", "Knitwear"), tables=BUDGET_TABLES)
    [incident] = hurt.truth.incidents
    spend, conversions = (daily(hurt, incident.entity_id, column, 28) for column in ("spend", "conversions"))
    before, after = sum(spend[:13]) / sum(conversions[:13]), sum(spend[14:]) / sum(conversions[14:])
    assert after / before == pytest.approx(1.6, rel=0.2)
    [(old, new)] = hurt.query(
        f"select old_value::double, new_value::double from change_events where entity_id = '{incident.entity_id}' and field = 'daily_budget'"
        f" and date = '{incident.first_day}'"
    )
    assert new / old == pytest.approx(1.4, abs=0.01)


@pytest.mark.parametrize(("kind", "size", "changes", "step"), [("budget_jumps", 1.8, 1, 0.8), ("budget_tug_of_war", 4, 4, 0.15)])
def test_budgets_are_changed_too_hard_or_too_often(plant: Callable[..., Agency], kind: str, size: float, changes: int, step: float) -> None:
    hurt = plant("harbour-thread", Incident(kind, size, "google_ads", "Knitwear"), tables=BUDGET_TABLES)
    [incident] = hurt.truth.incidents
    found = hurt.query(
        f"select abs(new_value::double / old_value::double - 1) from change_events where entity_id = '{incident.entity_id}'"
        f" and field = 'daily_budget' and date > '{ANCHOR - timedelta(days=7)}'"
    )
    assert len(found) == changes
    assert max(value for (value,) in found) == pytest.approx(step, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "size", "share"),
    [("consent_refused", 0.45, "granted"), ("consent_signal_lost", 0.35, "granted"), ("consent_signal_lost", 0.9, "unset")],
)
def test_consent_is_refused_or_not_passed_on(plant: Callable[..., Agency], kind: str, size: float, share: str) -> None:
    tables = ("consent_daily",)
    hurt, clean = plant("harbour-thread", Incident(kind, size), tables=tables), plant("harbour-thread", tables=tables)
    [incident] = hurt.truth.incidents
    sql = f"select sum({share})::double / sum(granted + denied + unset) from consent_daily where region = '{incident.entity_id}' and date > '{ANCHOR - timedelta(days=7)}'"
    normal = clean.value(sql)
    expected = normal * (1 - size) if share == "granted" else normal + 0.73 * size  # type: ignore[operator]
    assert hurt.value(sql) == pytest.approx(expected, abs=0.01)
    elsewhere = sql.replace("region =", "region <>")
    assert hurt.value(elsewhere) == clean.value(elsewhere)
