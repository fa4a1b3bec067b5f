"""Small healthy worlds for rule tests: one advertiser, one entity per mart, nothing wrong with it. A test changes what it is about."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from marketing_agents.days import LocalDay
from marketing_agents.rules.availability import InputAvailability, availability
from marketing_agents.rules.catalogue_file import load_packaged_catalogue
from marketing_agents.rules.evaluate import Evaluation, evaluate
from marketing_agents.rules.finding import Finding
from marketing_agents.rules.outcomes import RuleOutcome
from marketing_agents.rules.rule import Catalogue
from marketing_agents.warehouse.marts import MartContract, load_marts
from marketing_agents.warehouse.store import SliceVersion
from marketing_agents_tests.rules import areas

PROJECT_DIR = Path(__file__).parents[2] / "dbt_project"
DAY = date(2026, 11, 20)
ADVERTISER = "acme"

_FIRST_TABLES = (
    "ad_performance_daily",
    "ads",
    "budget_plans",
    "calendar_events",
    "campaigns",
    "conversion_actions",
    "conversions_by_action_daily",
    "orders_daily",
)
USED_TABLES = tuple(sorted({*_FIRST_TABLES, *areas.used_tables()}))

_COMMON: dict[str, Any] = {"currency_code": "USD", "data_age_days": 0, "history_days": 120, "missing_fx_pair": None}

_FIRST_MARTS: dict[str, dict[str, Any]] = {
    "campaign_features": {
        "platform": "google_ads", "account_id": "111", "campaign_id": "c1", "campaign_name": "Shoes", "campaign_role": "prospecting", "campaign_status": "enabled",
        "impressions_w7": 50_000, "clicks_w7": 1000, "spend_w7": 700.0, "conversions_w7": 35.0,
        "impressions_b28": 200_000, "clicks_b28": 4000, "spend_b28": 2800.0, "conversions_b28": 140.0,
        "matured_days_w14": 11, "clicks_w14m": 1600, "spend_w14m": 1100.0, "conversions_w14m": 55.0,
        "spend_w28": 2800.0, "clicks_w28": 4000, "conversions_w28": 140.0, "campaign_target_cpa": 20.0, "advertiser_target_cpa": 25.0, "daily_budget": 120.0,
        "orders_w28": 100, "orders_known_w28": 90, "new_customer_orders_w28": 85, "has_purchaser_exclusion": True,
    },
    "adgroup_features": {
        "platform": "google_ads", "account_id": "111", "campaign_id": "c1", "adgroup_id": "g1", "adgroup_name": "Running", "campaign_name": "Shoes",
        "adgroup_status": "enabled", "is_dynamic_creative": False, "spend_w7": 500.0, "spend_w14": 1000.0, "active_ads_w14": 4,
        "top_ad_id": "a1", "top_ad_name": "Blue", "top_ad_spend_w14": 400.0, "top_ad_impressions_w14": 20_000, "top_ad_clicks_w14": 400,
        "second_ad_id": "a2", "second_ad_name": "Red", "second_ad_spend_w14": 300.0, "second_ad_impressions_w14": 15_000, "second_ad_clicks_w14": 300,
    },
    "budget_plan_features": {
        "plan_id": "p1", "plan_name": "November", "plan_scope": "advertiser", "period_start": date(2026, 11, 1), "period_end": date(2026, 11, 30), "is_hard_cap": False,
        "plan_amount": 6000.0, "spend_mtd": 4000.0, "curve_share": 20 / 30, "spend_projected": 6000.0, "spend_w7": 1400.0, "required_daily": 200.0,
        "days_elapsed": 20, "days_left": 10,
    },
    "calendar_event_features": {
        "event_id": "bf", "event_name": "Black Friday", "date_from": DAY + timedelta(days=7), "date_to": DAY + timedelta(days=10), "days_until_start": 14, "event_days": 4,
        "expected_index_orders": 1.2, "last_year_index_orders": None, "planned_spend_per_day": 200.0, "spend_per_day_w28": 200.0, "revenue_per_day_w28": 1000.0, "gross_margin": 0.5,
    },
    "conversion_action_features": {
        "platform": "google_ads", "account_id": "111", "conversion_action_id": "buy", "action_name": "Purchase", "action_category": "purchase", "action_status": "enabled",
        "is_primary": True, "zero_days": 0, "clicks_zero_days": 0, "expected_conversions_zero_days": 0.0, "conversions_b28": 140.0, "conversions_w7": 35.0, "clicks_b28": 4000,
        "clicks_d": 150, "clicks_dow_median": 150.0, "clicks_dow_values": 8, "value_per_conversion": 60.0,
    },
    "platform_account_features": {
        "platform": "google_ads", "account_id": "111", "table_name": "ad_performance_daily", "account_name": "Main", "account_status": "active",
        "last_day_with_rows": DAY, "age_hours": 6.0, "gap_days_w14": 0, "rows_d": 40, "rows_dow_values": 8, "rows_dow_median": 40.0, "spend_per_day_w28": 200.0,
    },
}  # fmt: skip
_AREA_MARTS = areas.healthy()
HEALTHY = {mart: {**_FIRST_MARTS.get(mart, {}), **_AREA_MARTS.get(mart, {})} for mart in sorted({*_FIRST_MARTS, *_AREA_MARTS})}
"""A healthy row of each mart; an area adds the columns of its rules to a mart that exists."""


@cache
def marts() -> dict[str, MartContract]:
    return load_marts(PROJECT_DIR)


@cache
def catalogue() -> Catalogue:
    return load_packaged_catalogue(marts())


def row(mart: str, day: date = DAY, advertiser: str = ADVERTISER, **changes: Any) -> dict[str, Any]:
    """One healthy row of a mart with changes; every contract column is there."""
    values = {column.name: None for column in marts()[mart].columns}
    values |= _COMMON | HEALTHY[mart] | {"advertiser_id": advertiser, "date": day, "evaluated_day": day}
    if mart == "platform_account_features":
        values["last_day_with_rows"] = day
    unknown = set(changes) - set(values)
    assert not unknown, f"{mart} has no column {sorted(unknown)}"
    return values | changes


def frame(mart: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=[column.name for column in marts()[mart].columns])


def features(*frames: tuple[str, Iterable[Mapping[str, Any]]]) -> dict[str, pd.DataFrame]:
    """A healthy world of one day in all marts, with the given marts replaced."""
    world = {mart: frame(mart, [row(mart)]) for mart in HEALTHY}
    return world | {mart: frame(mart, rows) for mart, rows in frames}


def versions(days: Iterable[date], tables: Iterable[str] = USED_TABLES, advertiser: str = ADVERTISER) -> list[SliceVersion]:
    loaded_at = datetime(2026, 11, 21, 6, tzinfo=UTC)
    return [SliceVersion(table, advertiser, day, day, 1, "hash", loaded_at, False) for table in tables for day in days]


def span(end: date = DAY, days: int = 60) -> list[date]:
    return [end - timedelta(days=back) for back in range(days)]


def all_loaded(
    days: Iterable[LocalDay] = (LocalDay(ADVERTISER, DAY),),
    missing: Iterable[str] = (),
    absent_on: Mapping[str, Iterable[date]] | None = None,
) -> InputAvailability:
    """Every table loaded on every day, but for `missing` ones (never) and `absent_on` (table -> days without it)."""
    return _availability(tuple(days), frozenset(missing), tuple((table, tuple(on)) for table, on in sorted((absent_on or {}).items())))


@cache
def _availability(
    days: tuple[LocalDay, ...], missing: frozenset[str], absent_on: tuple[tuple[str, tuple[date, ...]], ...]
) -> InputAvailability:
    absent = dict(absent_on)
    log = [
        version
        for advertiser in sorted({day.advertiser_id for day in days})
        for version in versions(span(max(day.day for day in days if day.advertiser_id == advertiser), 90), USED_TABLES, advertiser)
        if version.table not in missing and version.date not in absent.get(version.table, ())
    ]
    return availability(log, days)


def run(
    world: Mapping[str, pd.DataFrame], inputs: InputAvailability | None = None, days: Iterable[LocalDay] = (LocalDay(ADVERTISER, DAY),)
) -> Evaluation:
    days = list(days)
    return evaluate(catalogue(), world, days, inputs or all_loaded(days))


def run_rule(rule_id: str, rows: Iterable[Mapping[str, Any]], inputs: InputAvailability | None = None) -> Evaluation:
    """One rule on rows of its mart, with the gates on a healthy world: a case of one rule need not pay for all of them."""
    rules = tuple(rule for rule in catalogue().rules if rule.gate is not None or rule.id == rule_id)
    wanted = catalogue().by_id[rule_id].mart
    world = {mart: frame(mart, [row(mart)]) for mart in sorted({rule.mart for rule in rules})} | {wanted: frame(wanted, rows)}
    days = [LocalDay(ADVERTISER, DAY)]
    return evaluate(dataclasses.replace(catalogue(), rules=rules), world, days, inputs or all_loaded(days))


def findings_of(evaluation: Evaluation, rule_id: str, day: date = DAY, advertiser: str = ADVERTISER) -> list[Finding]:
    return [finding for finding in evaluation.findings[LocalDay(advertiser, day)] if finding.rule_id == rule_id]


def outcomes_of(evaluation: Evaluation, rule_id: str, day: date = DAY, advertiser: str = ADVERTISER) -> list[RuleOutcome]:
    return [outcome for outcome in evaluation.outcomes[LocalDay(advertiser, day)] if outcome.rule_id == rule_id]


def verdict(evaluation: Evaluation, rule_id: str, day: date = DAY) -> str:
    """'high' when the rule fired with high severity on the day, else 'clear' or the reason why it was not evaluable. One entity only."""
    (outcome,) = outcomes_of(evaluation, rule_id, day)
    if outcome.outcome == "fired":
        (finding,) = findings_of(evaluation, rule_id, day)
        return finding.severity
    return outcome.reason or outcome.outcome


def fact(finding: Finding, name: str) -> str:
    """Display of a fact by its name."""
    return next(fact.display for fact in finding.facts if fact.name == name)
