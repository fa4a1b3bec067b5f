"""The series behind a finding: 60 days of its metric for its entity, as known on the day, with the anomaly's span and what it is compared with.

Read from raw facts, so that the picture shows what happened and not what the rule made of it. A day without a row counts as zero once
the entity has had a row; before that there is no value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import TYPE_CHECKING

from marketing_agents.report.daily_facts import DailyFacts, read_daily_facts
from marketing_agents.rules.finding import Finding, Unit
from marketing_agents.warehouse.catalog import INPUT_TABLES

if TYPE_CHECKING:
    from marketing_agents.warehouse.store import Warehouse

DAYS = 60
_ROLLING_DAYS = 7
_BASELINE_DAYS = 28
_FEWEST_BASELINE_DAYS = 7
_LOOK_BACK_DAYS = 95  # 60 days with their rolling lead-in, and a plan of a quarter
_UNSETTLED_DAYS = 3
_AD_PERFORMANCE = "ad_performance_daily"
_BY_ACTION = "conversions_by_action_daily"
_ORDERS = "orders_daily"
_BY_SEGMENT = "segment_performance_daily"
_LATE = frozenset({"conversions", "cost_per_conversion"})
_DEFAULT_METRIC = {
    "campaign": "spend",
    "adgroup": "ad_share",
    "ad": "spend",
    "budget_plan": "spend",
    "conversion_action": "conversions",
    "platform_account": "rows",
    "calendar_event": "orders",
    "advertiser": "spend",
    "segment": "spend",
}
_TITLES = {
    "cost_per_conversion": "Cost per conversion, 7-day rolling",
    "spend": "Spend per day",
    "conversions": "Conversions per day",
    "clicks": "Clicks per day",
    "impressions": "Impressions per day",
    "orders": "Orders per day",
    "rows": "Rows per day",
    "ad_share": "Share of spend on the largest ad, 7-day rolling",
    "cumulative_spend": "Spend since the start of the plan",
}


@dataclass(frozen=True)
class Trend:
    """A series to draw. `values` has one entry per day of `days`; None where there is no value.

    `unit`: 'money' (then `currency` is set), 'count' or 'percent' (fractions). `baseline` is a level, `reference` an optional second line (the plan).
    `anomaly_from`..`anomaly_to` is the span to mark, both inclusive. `title` holds the entity's name, which is outside text.
    """

    title: str
    unit: str
    currency: str | None
    days: tuple[date, ...]
    values: tuple[float | None, ...]
    baseline: float | None
    baseline_label: str
    anomaly_from: date | None
    anomaly_to: date | None
    note: str
    reference: tuple[float | None, ...] = ()
    reference_label: str = ""


def trend_series(warehouse: Warehouse, finding: Finding, known_on: date, days: int = DAYS) -> Trend | None:
    """The trend of one finding; None when its entity has no series (or amounts in several currencies). For many findings use `TrendReader`."""
    return TrendReader(warehouse, finding.advertiser_id, known_on).trend(finding, days)


class TrendReader:
    """Trends of one partition's findings. Every raw table is read and reduced once, at its first use."""

    def __init__(self, warehouse: Warehouse, advertiser_id: str, known_on: date) -> None:
        self._warehouse = warehouse
        self._advertiser_id = advertiser_id
        self._known_on = known_on
        self._tables: dict[str, DailyFacts] = {}
        self._plans: dict[str, Mapping[str, object]] | None = None

    def trend(self, finding: Finding, days: int = DAYS) -> Trend | None:
        """The trend of a finding of this partition, up to its evaluated day; None when there is nothing to draw."""
        if finding.entity.type == "budget_plan":
            return self._plan_trend(finding)
        metric = finding.trend_metric or _DEFAULT_METRIC.get(finding.entity.type, "spend")
        # Lateness is about the days after the last complete one as well.
        end = finding.date if metric == "rows" else finding.evaluated_day
        shown = tuple(end - timedelta(days=n) for n in reversed(range(days)))
        series = self._series(metric, finding, shown)
        if series is None:
            return None
        values, currency = series
        if not any(value for value in values):
            return None
        first, last = _anomaly(finding, shown)
        baseline, label = _baseline(metric, finding, shown, values, first, currency)
        return Trend(
            title=f"{_TITLES.get(metric, metric)} · {finding.entity.name}",
            unit={"cost_per_conversion": "money", "spend": "money", "ad_share": "percent"}.get(metric, "count"),
            currency=currency,
            days=shown,
            values=values,
            baseline=baseline,
            baseline_label=label,
            anomaly_from=first,
            anomaly_to=last,
            note=f"The last {_UNSETTLED_DAYS} days still gain conversions." if metric in _LATE else "",
        )

    def _series(self, metric: str, finding: Finding, shown: Sequence[date]) -> tuple[tuple[float | None, ...], str | None] | None:
        """A value for each shown day, and the currency where they are money; None without any row or with several currencies."""
        facts, where = self._facts_for(metric, finding)
        chosen = facts.where(**where)
        if metric in ("spend", "cost_per_conversion") and len(chosen.currencies()) != 1:
            return None
        currency = chosen.currencies()[0] if metric in ("spend", "cost_per_conversion") else None
        first_row = chosen.first_day()
        if first_row is None:
            return None
        match metric:
            case "cost_per_conversion":
                spend, conversions = (_rolling(chosen.per_day(name), shown) for name in ("spend", "conversions"))
                values = [s / c if c > 0 else None for s, c in zip(spend, conversions, strict=True)]
            case "ad_share":
                values = chosen.largest_share("ad_id", "spend", shown, _ROLLING_DAYS)
            case _:
                per_day = chosen.per_day(metric)
                values = [per_day.get(day, 0.0) for day in shown]
        return tuple(value if day >= first_row else None for day, value in zip(shown, values, strict=True)), currency

    def _facts_for(self, metric: str, finding: Finding) -> tuple[DailyFacts, dict[str, str]]:  # noqa: PLR0911 - one return per kind of entity
        """The table that holds the metric, and which of its rows are the entity's."""
        entity = finding.entity
        account = {name: value for name, value in (("platform", entity.platform), ("account_id", entity.account_id)) if value != "NA"}
        match entity.type:
            case "conversion_action":
                return self._table(_BY_ACTION), account | {"conversion_action_id": entity.id}
            case "platform_account":
                watched = next((fact.text for fact in finding.facts if fact.name == "table_name" and fact.text), _AD_PERFORMANCE)
                return self._table(watched if watched in INPUT_TABLES else _AD_PERFORMANCE), account
            case "calendar_event" | "advertiser":
                return self._table(_ORDERS if metric == "orders" else _AD_PERFORMANCE), {}
            case "campaign" if metric == "orders":
                return self._table(_ORDERS), {"campaign_key": entity.id}
            case "segment":
                dimension = next((fact.text for fact in finding.facts if fact.name == "dimension" and fact.text), "")
                segment = {"campaign_id": entity.campaign_id, "dimension": dimension, "value": entity.name}
                return self._table(_BY_SEGMENT), account | segment
            case "campaign" | "adgroup" | "ad":
                return self._table(_AD_PERFORMANCE), account | {f"{entity.type}_id": entity.id}
            case _:
                return self._table(_AD_PERFORMANCE), account

    def _table(self, name: str) -> DailyFacts:
        if name not in self._tables:
            start = self._known_on - timedelta(days=_LOOK_BACK_DAYS)
            rows = self._warehouse.read_raw(name, self._advertiser_id, start, self._known_on, known_on=self._known_on)
            self._tables[name] = read_daily_facts(rows)
        return self._tables[name]

    def _plan_trend(self, finding: Finding) -> Trend | None:
        """Spend since the start of the plan, day by day, against an even course to the agreed amount."""
        plan = self._plan(finding.entity.id)
        if plan is None:
            return None
        start, end, amount = plan["period_start"], plan["period_end"], plan["amount"]
        if not isinstance(start, date) or not isinstance(end, date) or (self._known_on - start).days > _LOOK_BACK_DAYS:
            return None
        chosen = self._in_scope(plan)
        if chosen.currencies() != (str(plan["currency_code"]),):
            return None
        days = tuple(start + timedelta(days=n) for n in range((end - start).days + 1))
        per_day, total, values = chosen.per_day("spend"), 0.0, []
        for day in days:
            total += per_day.get(day, 0.0)
            values.append(round(total, 2) if day <= finding.evaluated_day else None)
        planned = float(str(amount))
        first, last = _anomaly(finding, tuple(day for day in days if day <= finding.evaluated_day))
        return Trend(
            title=f"{_TITLES['cumulative_spend']} · {finding.entity.name}",
            unit="money",
            currency=str(plan["currency_code"]),
            days=days,
            values=tuple(values),
            baseline=planned,
            baseline_label="agreed plan",
            anomaly_from=first,
            anomaly_to=last,
            note="",
            reference=tuple(planned * (n + 1) / len(days) for n in range(len(days))),
            reference_label="even course",
        )

    def _plan(self, plan_id: str) -> Mapping[str, object] | None:
        if self._plans is None:
            start = self._known_on - timedelta(days=_ROLLING_DAYS)
            rows = self._warehouse.read_raw("budget_plans", self._advertiser_id, start, self._known_on, known_on=self._known_on).to_pylist()
            # The list arrives once a day; the newest slice is the one that counts.
            self._plans = {str(row["plan_id"]): row for row in sorted(rows, key=lambda row: row["date"])}
        return self._plans.get(plan_id)

    def _in_scope(self, plan: Mapping[str, object]) -> DailyFacts:
        scope, listed = plan["scope"], plan["scope_ids"]
        ids = frozenset(str(i) for i in listed) if isinstance(listed, list) else frozenset()
        facts = self._table(_AD_PERFORMANCE)
        return facts if scope == "advertiser" else facts.where_in("account_id" if scope == "account" else "campaign_id", ids)


def _rolling(per_day: Mapping[date, float], days: Sequence[date]) -> list[float]:
    return [sum(per_day.get(day - timedelta(days=n), 0.0) for n in range(_ROLLING_DAYS)) for day in days]


def _anomaly(finding: Finding, days: Sequence[date]) -> tuple[date | None, date | None]:
    """The span to mark, within `days`. Nothing for events, which lie ahead, and for episodes that are over."""
    if not days or not finding.is_open or finding.entity.type == "calendar_event":
        return None, None
    first = days[0] if finding.opened_on is None else min(finding.opened_on, days[-1])
    silent = next((fact.number for fact in finding.facts if fact.name == "zero_days" and fact.number), None)
    if silent:
        # Silence began before anybody could be sure of it.
        first = min(first, days[-1] - timedelta(days=int(silent) - 1))
    return max(first, days[0]), days[-1]


def _baseline(
    metric: str, finding: Finding, days: Sequence[date], values: Sequence[float | None], anomaly_from: date | None, currency: str | None
) -> tuple[float | None, str]:
    """What the series is compared with: the target or threshold of the rule where it is in the chart's unit, else the usual level before."""
    if metric == "cost_per_conversion":
        for fact in finding.facts:
            if (
                fact.unit is Unit.MONEY
                and fact.number is not None
                and fact.name.startswith("target")
                and fact.currency in (None, currency)
                and currency == finding.currency_code
            ):
                return fact.number, fact.label
    if metric == "ad_share":
        threshold = next((fact for fact in finding.facts if fact.id == finding.threshold), None)
        if threshold is not None and threshold.unit is Unit.PERCENT and threshold.number is not None:
            return threshold.number, "alarm line"
    before = [value for day, value in zip(days, values, strict=True) if value is not None and (anomaly_from is None or day < anomaly_from)][
        -_BASELINE_DAYS:
    ]
    if len(before) < _FEWEST_BASELINE_DAYS:
        return None, ""
    return median(
        before
    ), f"usual level (median of {len(before)} days before)" if anomaly_from else f"usual level (median of {len(before)} days)"
