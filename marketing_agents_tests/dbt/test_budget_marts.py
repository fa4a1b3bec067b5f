"""Budgets, flights, raises and consent: every figure against a plain reading of the same raw rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from marketing_agents.days import end_of_local_day
from marketing_agents_tests.dbt.conftest import END, Agency
from marketing_agents_tests.dbt.raw_database import read_mart
from marketing_agents_tests.dbt.reference import Known, Row, blank_money, campaigns, pair, ratio

DAYS_BEFORE_END = (0, 1, 3, 9, 16, 24, 33, 57)
BUDGET_FIELDS = {"daily_budget", "lifetime_budget", "budget", "amount_micros", "campaign_budget.amount_micros"}
KEPT = (
    "advertiser_id",
    "date",
    "platform",
    "account_id",
    "campaign_id",
    "campaign_name",
    "campaign_status",
    "currency_code",
    "evaluated_day",
    "data_age_days",
    "history_days",
    "spend_w7",
    "daily_budget",
    "matured_days_w14",
    "spend_w14m",
    "conversions_w14m",
    "complete_spend_w14m",
    "conversion_value_w14m",
    "valued_conversions_w14m",
    "value_spread_w14m",
    "campaign_target_cpa",
    "advertiser_target_cpa",
    "campaign_target_roas",
    "advertiser_target_roas",
)
MONEY = (
    *("complete_spend_w14m", "conversion_value_w14m", "value_spread_w14m"),
    *("spend_w7", "daily_budget", "spend_w14m", "campaign_target_cpa", "advertiser_target_cpa", "budget_d", "spend_d", "budget_1_before"),
    *("spend_1_before", "budget_w7", "spend_budgeted_w7", "spend_mtd", "budget_per_day_mtd", "lifetime_budget", "flight_spend"),
    *("flight_expected_spend", "spend_before_raise", "spend_after_raise"),
)


def number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


class Campaign:
    """One campaign as known on a feature day."""

    def __init__(self, k: Known, features: Row) -> None:
        self.k, self.features, self.e = k, features, features["evaluated_day"]
        self.ids = {n: features[n] for n in ("platform", "account_id", "campaign_id")}
        self.listed = next((r for r in k.current("campaigns") if all(r[n] == v for n, v in self.ids.items())), None)
        self.matured = max(x for x in k.days(*k.back(self.e, 40)) if k.is_mature(x))
        self.metrics = {x: self.rows("campaign_metrics_daily", x) for x in k.days(*k.back(self.e, 34))}

    def rows(self, table: str, day: date) -> list[Row]:
        return [r for r in self.k.slice(table, day) or [] if all(r[n] == v for n, v in self.ids.items())]

    def total(self, measure: str, days: list[date]) -> Any:
        return sum((r[measure] for x in days for r in self.k.pick(self.k.ad_rows, x, x, **self.ids)), Decimal(0))

    def budget(self, day: date) -> Decimal | None:
        amounts = [self.k.in_base(r["daily_budget_effective"], r["currency_code"], day)[0] for r in self.metrics[day]]
        known = [a for a in amounts if a is not None]
        return sum(known, Decimal(0)) if any(a > 0 for a in known) else None

    # --- parts of the row

    def limits(self) -> Row:
        k, e = self.k, self.e
        w7, w14 = k.days(*k.back(e, 6)), k.days(*k.back(e, 13))
        lost = [r["search_budget_lost_impression_share"] for x in w7 for r in self.metrics[x]]
        lost = [Decimal(str(v)) for v in lost if v is not None]
        reporting = [x for x in w7 if self.metrics[x]]
        budgets = {x: self.budget(x) for x in self.metrics}

        def capped(days: list[date]) -> int | None:
            known = [(self.total("spend", [x]), b) for x in days if (b := budgets[x]) is not None]
            return sum(b * Decimal("0.95") <= s <= b * Decimal("1.05") for s, b in known) if known else None

        month = [x for x in self.metrics if (x.year, x.month) == (e.year, e.month) and budgets[x] is not None]
        week = [x for x in w7 if budgets[x] is not None]
        before = e - timedelta(days=1)
        return {
            "lost_share_w7": float(sum(lost)) / len(lost) if lost else None,
            "capped_days_w7": capped(w7),
            "capped_days_w14": capped(w14),
            "is_learning": any(r["learning_status"] == "learning" for r in self.metrics[reporting[-1]]) if reporting else None,
            "budget_d": budgets[e],
            "budget_1_before": budgets[before],
            "budget_w7": sum((budgets[x] for x in week), Decimal(0)) if week else None,  # type: ignore[misc]
            "spend_budgeted_w7": self.total("spend", week) if week else None,
            "budget_days_w7": len(week),
            "spend_mtd": self.total("spend", month) if month else None,
            "budget_per_day_mtd": ratio(sum(budgets[x] for x in month), len(month)) if month else None,  # type: ignore[misc]
        }

    def flight(self) -> tuple[Row, str | None]:
        k, e, listed = self.k, self.e, self.listed
        names = ("lifetime_budget", "flight_end", "flight_days_elapsed", "flight_days_left", "flight_spend", "flight_expected_spend")
        none: Row = dict.fromkeys(names)
        if not listed or not listed.get("lifetime_budget"):
            return none, None
        start, end = listed["start_date"], listed["end_date"]
        oldest = k.d - timedelta(days=125)
        if not (start <= e <= end and start >= e - timedelta(days=119)):
            return none, None
        if not any(k.slice("ad_performance_daily", x) is not None for x in k.days(oldest, start)):
            return none, None
        lifetime, missing = k.in_base(listed["lifetime_budget"], listed["currency_code"], k.d)
        elapsed, left = (e - start).days + 1, (end - e).days
        weeks = 2 if elapsed >= 14 else 1
        recent = k.days(*k.back(e, 7 * weeks - 1))
        expected = None
        if elapsed >= 7:
            rates = {w: ratio(self.total("spend", [x for x in recent if x.weekday() == w]), weeks) or Decimal(0) for w in range(7)}
            expected = sum((rates[x.weekday()] for x in k.days(e + timedelta(days=1), end)), Decimal(0))
        values = (lifetime, end, elapsed, left, self.total("spend", k.days(start, e)), expected)
        looked_at = [r for x in k.days(*k.back(e, 119)) for r in k.pick(k.ad_rows, x, x, **self.ids)]
        return dict(zip(names, values, strict=True)), missing or pair(looked_at)

    def changes(self) -> Row:
        k, e = self.k, self.e
        names = {self.ids["campaign_id"], *([self.listed["budget_id"]] if self.listed and self.listed.get("budget_id") else [])}
        by_day: dict[date, list[Row]] = {}
        for x in k.days(*k.back(e, 34)):
            for r in k.slice("change_events", x) or []:
                same_account = (r["platform"], r["account_id"]) == (self.ids["platform"], self.ids["account_id"])
                if same_account and r["entity_id"] in names and r["field"] in BUDGET_FIELDS:
                    by_day.setdefault(x, []).append(r)
        w7 = k.days(*k.back(e, 6))
        steps = []
        ratios: dict[date, float | None] = {}
        for x, found in by_day.items():
            found.sort(key=lambda r: (r["occurred_at"], r["event_id"]))
            for r in found:
                old, new = number(r["old_value"]), number(r["new_value"])
                if x in w7 and old is not None and new is not None and old > 0:
                    steps.append(abs(new / old - 1))
            first, last = number(found[0]["old_value"]), number(found[-1]["new_value"])
            ratios[x] = last / first if first and last is not None else None
        row: Row = {
            "budget_changes_w7": sum(len(by_day.get(x, [])) for x in w7)
            if any(k.slice("change_events", x) is not None for x in w7)
            else None,
            "largest_budget_step_w7": max(steps, default=None),
            "days_since_budget_change": (e - max(by_day)).days if by_day else None,
        }
        return row | self.raised(by_day, ratios)

    def raised(self, by_day: dict[date, list[Row]], ratios: dict[date, float | None]) -> Row:
        k, e = self.k, self.e
        latest = self.matured - timedelta(days=7)
        candidates = [x for x, r in ratios.items() if r is not None and r >= 1.1 and e - timedelta(days=20) <= x <= latest]
        names = (
            *("raised_on", "raise_ratio", "days_before_raise", "days_after_raise", "spend_before_raise", "conversions_before_raise"),
            *("spend_after_raise", "conversions_after_raise", "other_changes_around_raise", "has_event_around_raise"),
        )
        if not candidates:
            return dict.fromkeys(names)
        on = max(candidates)
        two_weeks = timedelta(days=14)
        before = k.days(on - two_weeks, on - timedelta(days=1))
        after = [x for x in k.days(on + timedelta(days=1), on + two_weeks) if x <= self.matured]
        others = [x for x, r in ratios.items() if x != on and abs((x - on).days) <= 14 and (r is None or abs(r - 1) >= 0.1)]
        events = [v for v in k.current("calendar_events") if v["mask_baseline"]]
        around = any(v["date_from"] <= on + two_weeks and v["date_to"] >= on - two_weeks for v in events)
        values = (
            on,
            ratios[on],
            min(14, self.features["history_days"] - 1 - (e - on).days),
            len(after),
            self.total("spend", before),
            self.total("conversions", before),
            self.total("spend", after),
            self.total("conversions", after),
            sum(len(by_day[x]) for x in others),
            around if k.has_current("calendar_events") else None,
        )
        return dict(zip(names, values, strict=True))

    def row(self) -> Row:
        k, e = self.k, self.e
        flight, flight_missing = self.flight()
        soon = any(
            v["mask_baseline"] and v["date_from"] <= k.d + timedelta(days=14) and v["date_to"] >= k.d - timedelta(days=7)
            for v in k.current("calendar_events")
        )
        result = {n: self.features[n] for n in KEPT} | self.limits() | flight | self.changes()
        before = e - timedelta(days=1)
        result |= {
            "spend_d": self.total("spend", [e]),
            "clicks_d": int(self.total("clicks", [e])),
            "spend_1_before": self.total("spend", [before]),
        }
        result["has_event_soon"] = soon if k.has_current("calendar_events") else None
        return blank_money(result, self.features["missing_fx_pair"] or flight_missing, MONEY)


def budgets(k: Known) -> list[Row]:
    return [Campaign(k, features).row() for features in campaigns(k)]


def needs_signal(region: str) -> bool | None:
    if region.upper() in {"EEA", "EU"}:
        return True
    if len(region) == 2 or region[2] == "-":
        return region[:2].upper() in {"DE", "GB"}
    return None


def consent(k: Known) -> list[Row]:
    zone = ZoneInfo(k.advertiser.time_zone)
    e = k.d
    while end_of_local_day(e, zone) + timedelta(hours=k.advertiser.settle_lag_hours) > k.instant:
        e -= timedelta(days=1)
    windows = {"w7": k.days(*k.back(e, 6)), "b28": k.days(*k.back(e, 34, 7))}
    known = {x: rows for x in k.days(*k.back(e, 34)) if (rows := k.slice("consent_daily", x)) is not None}
    found = [(x, r) for x, rows in known.items() for r in rows]
    spending = campaigns(k)
    missing = min((r["missing_fx_pair"] for r in spending if r["missing_fx_pair"]), default=None)
    spend = sum((r["spend_w7"] for r in spending), Decimal(0)) if spending and not missing else None
    all_hits = sum(r["granted"] + r["denied"] + r["unset"] for x, r in found if x in windows["w7"])
    out = []
    for region in sorted({r["region"] for _, r in found}):
        result: Row = {
            **k.head(e, None, min(x for x, r in found if r["region"] == region)),
            "region": region,
            "needs_consent_signal": needs_signal(region),
            "missing_fx_pair": missing,
        }
        for name, days in windows.items():
            rows = [r for x, r in found if x in days and r["region"] == region]
            for answer in ("granted", "denied", "unset"):
                result[f"{answer}_{name}"] = sum(r[answer] for r in rows)
            result[f"hits_{name}"] = sum(r["granted"] + r["denied"] + r["unset"] for r in rows)
            result[f"days_{name}"] = sum(x in known for x in days)
        share = Decimal(0)
        if spend is not None and all_hits:
            share = ratio(spend * result["hits_w7"], all_hits) or Decimal(0)
        result["spend_share_w7"] = share if spend is not None and all_hits else None
        out.append(result)
    return out


@pytest.fixture(scope="module")
def known(agency: Agency) -> list[Known]:
    return [Known(agency.raw, advertiser, END - timedelta(days=n)) for advertiser in agency.raw.advertisers for n in DAYS_BEFORE_END]


@pytest.mark.parametrize(
    ("mart", "key", "expected_rows"),
    [
        ("campaign_budget_features", ("platform", "account_id", "campaign_id"), budgets),
        ("consent_features", ("region",), consent),
    ],
    ids=["campaign_budget_features", "consent_features"],
)
def test_mart_equals_reference(
    agency: Agency, known: list[Known], mart: str, key: tuple[str, ...], expected_rows: Callable[[Known], list[Row]]
) -> None:
    def by_key(rows: list[Row]) -> dict[tuple[object, ...], Row]:
        return {(row["advertiser_id"], row["date"], *(row[k] for k in key)): row for row in rows}

    expected = by_key([row for k in known for row in expected_rows(k)])
    found = by_key(read_mart(agency.database, mart, [(k.id, k.d) for k in known]))  # type: ignore[arg-type]

    assert sorted(found, key=str) == sorted(expected, key=str)
    different = {
        (*entity, column): (found[entity][column], value)
        for entity, row in expected.items()
        for column, value in row.items()
        if found[entity][column] != value and not _close(found[entity][column], value)
    }
    assert different == {}
    assert set(next(iter(found.values()))) == set(next(iter(expected.values())))


def _close(found: object, expected: object) -> bool:
    """Ratios in double precision, and shares rounded to micros after a division."""
    if isinstance(found, (float, Decimal)) and isinstance(expected, (float, Decimal)):
        return abs(float(found) - float(expected)) <= 2e-6
    return False


def test_random_rows_hurt(agency: Agency) -> None:
    rows = read_mart(agency.database, "campaign_budget_features")
    for column in ("lost_share_w7", "lifetime_budget", "flight_expected_spend", "raised_on", "budget_changes_w7", "largest_budget_step_w7"):
        assert 0 < sum(row[column] is not None for row in rows) < len(rows), column
    assert {row["is_learning"] for row in rows} == {None, True, False}
    assert {row["needs_consent_signal"] for row in read_mart(agency.database, "consent_features")} == {None, True, False}
