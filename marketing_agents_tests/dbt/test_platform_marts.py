"""Accounts and connectors, column by column, against a brute-force reading of the same raw rows."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from marketing_agents.days import end_of_local_day
from marketing_agents_tests.dbt.conftest import END, Agency
from marketing_agents_tests.dbt.raw_database import read_mart
from marketing_agents_tests.dbt.reference import Known, Row, blank_money, micro, pair

DAYS_BEFORE_END = (0, 1, 2, 3, 5, 9, 15, 23, 31, 40)
AUTOMATIC = {"GOOGLE_ADS_RECOMMENDATIONS_SUBSCRIPTION", "RECOMMENDATIONS_SUBSCRIPTION", "AUTO_APPLY"}
MONEY = (
    "spend_w7",
    "spend_w28",
    "balance",
    "spend_cap",
    "amount_spent",
    "restated_spend_before",
    "restated_spend_now",
    "doubled_spend",
    "touched_spend_w7",
)


def spend_of(k: Known, ids: Row, day: date, known_on: date) -> Decimal | None:
    """Spend of an account on a day in its own currency as known on a day; None when nothing was known of the day."""
    rows = k.raw.known("ad_performance_daily", k.id, day, known_on)
    return None if rows is None else sum((r["spend"] for r in rows if all(r[n] == v for n, v in ids.items())), Decimal(0))  # type: ignore[misc]


def restatements(k: Known, ids: Row, currency: str, e: date) -> Row:
    """Days E-30..E-2 whose spend is not what it was a day ago, and those that are twice what they were when first judged."""
    compared, restated, doubled = 0, [], []
    age = (k.d - e).days
    for day in k.days(*k.back(e, 30, 2)):
        before, now = spend_of(k, ids, day, k.d - timedelta(days=1)), spend_of(k, ids, day, k.d)
        first_known = min((v for v in k.raw.versions.get(("ad_performance_daily", k.id, day), {}) if v <= k.d), default=None)
        if first_known is None or now is None:
            continue
        judged = spend_of(k, ids, day, max(day + timedelta(days=1 + age), first_known))
        assert judged is not None
        compared += before is not None
        if before and now != before and abs(now - judged) > judged / 100:
            restated.append((abs(now - before), day, before, now))
        if judged > 0 and abs(now - 2 * judged) <= judged / 50:
            doubled.append((day, now))
    rate = k.factor(currency, k.d)

    def base(amount: Decimal | None) -> Decimal | None:
        return None if amount is None or rate is None else micro(amount * rate)

    _, day, before, now = max(restated, default=(None, None, None, None))  # type: ignore[type-var]
    return {
        "restated_days": len(restated) if compared else None,
        "restated_day": day,
        "restated_spend_before": base(before),
        "restated_spend_now": base(now),
        "doubled_days": len(doubled) if compared else None,
        "doubled_day": max((x for x, _ in doubled), default=None),
        "doubled_spend": base(max((n for _, n in doubled), default=None)),
        "missing": f"{currency}->{k.advertiser.base_currency}" if rate is None and (restated or doubled) else None,
    }


OF_ACCOUNT = ("account", "audience", "conversion_action")  # their changes touch every campaign


def is_unknown(k: Known, event: Row) -> bool:
    actor = event["actor"].strip().lower() if event["actor"] else None
    trusted = k.advertiser.trusted_actors
    if actor and any(actor == entry or (entry.startswith("@") and actor.endswith(entry)) for entry in trusted):
        return False
    return (event["client_type"] or "").upper() in AUTOMATIC or bool(trusted and actor)


def subject_of(event: Row) -> str:
    """What a change is about, for the fields of the random agencies."""
    if event["resource_type"] in ("budget", "bid") or event["field"] in ("target_cpa", "budget", "daily_budget", "amount_micros", "cpc"):
        return "money"
    if event["resource_type"] in OF_ACCOUNT or (event["resource_type"] == "campaign" and event["field"] in ("status", "geo_targets")):
        return "settings"
    return "content"


def number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def budget_step(event: Row) -> float | None:
    old, new = number(event["old_value"]), number(event["new_value"])
    return abs(new / old - 1) if event["resource_type"] == "budget" and old and new is not None else None


def changes(k: Known, ids: Row, e: date) -> Row:
    names = (
        "unknown_changes_w3",
        "unknown_changes_w30",
        "unknown_settings_changes_w3",
        "unknown_money_changes_w3",
        "top_campaign_switched",
        "touched_spend_w7",
    )
    nothing = {"unknown_budget_step": None, "unknown_actor": None, "unknown_change": None}
    slices = {day: k.slice("change_events", day) for day in k.days(*k.back(e, 29))}
    if all(slices[day] is None for day in k.days(*k.back(e, 2))):
        return dict.fromkeys(names) | shown(k, ids, slices, e) | {"unknown_budget_step": steps_of(k, ids, slices, e)}
    unknown = [r for rows in slices.values() for r in rows or [] if matches(r, ids) and is_unknown(k, r)]
    recent = recent_of(k, ids, slices, e)
    campaigns: dict[str, list[Decimal]] = {}
    for r in k.pick(k.ad_rows, *k.back(e, 27), **ids):
        campaigns.setdefault(r["campaign_id"], []).append(r["spend"])
    total = {c: sum(s) for c, s in campaigns.items() if sum(s) > 0}
    top = min(total, key=lambda c: (-total[c], c), default=None)
    touched = {c for r in recent for c in campaigns_of(k, ids, r["entity_id"])}
    w7 = sum(r["spend"] for r in k.pick(k.ad_rows, *k.back(e, 6), **ids))
    touched_w7 = sum(r["spend"] for r in k.pick(k.ad_rows, *k.back(e, 6), **ids) if r["campaign_id"] in touched)
    switched = {
        c for r in recent if (r["resource_type"], r["field"]) == ("campaign", "status") for c in campaigns_of(k, ids, r["entity_id"])
    }
    return {
        **nothing,
        "unknown_changes_w3": len(recent),
        "unknown_changes_w30": len(unknown),
        "unknown_settings_changes_w3": sum(subject_of(r) == "settings" for r in recent),
        "unknown_money_changes_w3": sum(subject_of(r) == "money" for r in recent),
        "unknown_budget_step": steps_of(k, ids, slices, e),
        "top_campaign_switched": top is not None and top in switched,
        "touched_spend_w7": w7 if any(r["resource_type"] in OF_ACCOUNT for r in recent) else touched_w7,
        **shown(k, ids, slices, e),
    }


def matches(row: Row, ids: Row) -> bool:
    return all(row[n] == v for n, v in ids.items())


def recent_of(k: Known, ids: Row, slices: dict[date, Any], e: date) -> list[Row]:
    return [r for day in k.days(*k.back(e, 2)) for r in slices[day] or [] if matches(r, ids) and is_unknown(k, r)]


def steps_of(k: Known, ids: Row, slices: dict[date, Any], e: date) -> float | None:
    return max((s for r in recent_of(k, ids, slices, e) if (s := budget_step(r)) is not None), default=None)


def shown(k: Known, ids: Row, slices: dict[date, Any], e: date) -> Row:
    order = {"money": 0, "settings": 1, "content": 2}
    recent = recent_of(k, ids, slices, e)
    if not recent:
        return {"unknown_actor": None, "unknown_change": None}
    best = min(recent, key=lambda r: (order[subject_of(r)], -r["occurred_at"].timestamp(), r["event_id"]))
    return {"unknown_actor": best["actor"], "unknown_change": f"{best['resource_type']} {best['field']}"}


def campaigns_of(k: Known, ids: Row, entity_id: str) -> set[str]:
    """Campaigns that are, or have, the entity: ids of ad groups and ads repeat over campaigns in the random agencies."""
    if entity_id.startswith("c"):
        return {entity_id}
    column = "adgroup_id" if entity_id.startswith("g") else "ad_id"
    rows = [r for versions in k.raw.versions.items() if versions[0][1] == k.id for v in versions[1].values() for r in v]
    return {str(r["campaign_id"]) for r in rows if r.get(column) == entity_id and matches(r, ids)}  # type: ignore[arg-type]


def accounts(k: Known) -> list[Row]:
    out = []
    for (platform, account_id), account in k.accounts.items():
        e, row, ids = account["e"], account["row"], {"platform": platform, "account_id": account_id}
        first_day = k.first_day(k.ad_rows, e, **ids)
        if row is None and first_day is None:
            continue
        w28 = k.pick(k.ad_rows, *k.back(e, 27), **ids)
        amounts = {
            name: k.in_base(row[name], row["currency_code"], k.d) if row else (None, None)
            for name in ("spend_cap", "amount_spent", "balance")
        }
        currency = next(
            (
                r["currency_code"]
                for (t, a, _), v in k.raw.versions.items()
                if (t, a) == ("ad_performance_daily", k.id)
                for rows in v.values()
                for r in rows
                if matches(r, ids)
            ),  # type: ignore[arg-type]
            "USD",
        )
        history = restatements(k, ids, str(currency), e)
        balance = amounts["balance"][0]
        result = {
            **k.head(e, None, first_day),
            **ids,
            "table_name": "ad_performance_daily",
            "account_name": row and row["name"],
            **{name: row and row[name] for name in ("account_status", "is_test", "payment_failed", "funding_type", "auto_top_up")},
            "spend_w7": sum(r["spend"] for r in k.pick(k.ad_rows, *k.back(e, 6), **ids)),
            "spend_w28": sum(r["spend"] for r in w28),
            "balance": None if balance is None else max(balance, Decimal(0)),
            "spend_cap": amounts["spend_cap"][0],
            "amount_spent": amounts["amount_spent"][0],
            **{name: value for name, value in history.items() if name != "missing"},
            **changes(k, ids, e),
        }
        settings_missing = next((m for _, m in amounts.values() if m), None)
        out.append(blank_money(result, pair(w28, settings_missing, history["missing"]), MONEY))
    return out


def connectors(k: Known) -> list[Row]:
    out = []
    for row in k.current("connector_runs"):
        ids = {"platform": row["platform"], "account_id": row["account_id"]}
        account = k.accounts.get((row["platform"], row["account_id"]), {"e": k.advertiser_e, "zone": ZoneInfo(k.advertiser.time_zone)})
        e = account["e"]
        w28 = k.pick(k.ad_rows, *k.back(e, 27), **ids)
        success, expiry = row["last_success_at"], row["token_expires_at"]
        result = {
            **k.head(e, None, k.first_day(k.ad_rows, e, **ids)),
            **ids,
            "connector_id": row["connector_id"],
            "connector_name": row["name"],
            "table_name": "ad_performance_daily",
            "connector_status": row["status"],
            "error_code": row["error_code"],
            "consecutive_failures": row["consecutive_failures"],
            "hours_since_success": (k.instant.astimezone(UTC) - success).total_seconds() / 3600 if success else None,
            "has_loaded_evaluated_day": success >= end_of_local_day(e, account["zone"]) if success else None,
            "days_to_token_expiry": (expiry - k.instant.astimezone(UTC)).total_seconds() / 3600 / 24 if expiry else None,
            "quota_429_rate": row["quota_429_rate"],
            "spend_w28": sum(r["spend"] for r in w28),
        }
        out.append(blank_money(result, pair(w28), ("spend_w28",)))
    return out


@pytest.fixture(scope="module")
def known(agency: Agency) -> list[Known]:
    return [Known(agency.raw, advertiser, END - timedelta(days=n)) for advertiser in agency.raw.advertisers for n in DAYS_BEFORE_END]


@pytest.mark.parametrize(
    ("mart", "key", "expected_rows"),
    [
        ("account_features", ("platform", "account_id"), accounts),
        ("connector_features", ("platform", "account_id", "connector_id"), connectors),
    ],
    ids=["account_features", "connector_features"],
)
def test_mart_equals_reference(agency: Agency, known: list[Known], mart: str, key: tuple[str, ...], expected_rows: Any) -> None:
    def by_key(rows: list[Row]) -> dict[tuple[object, ...], Row]:
        return {(row["advertiser_id"], row["date"], *(row[k] for k in key)): row for row in rows}

    expected = by_key([row for k in known for row in expected_rows(k)])
    found = by_key(read_mart(agency.database, mart, [(k.id, k.d) for k in known]))  # type: ignore[arg-type]

    assert sorted(found, key=str) == sorted(expected, key=str)
    different = {
        (*entity, column): (found[entity][column], value)
        for entity, row in expected.items()
        for column, value in row.items()
        if found[entity][column] != value
    }
    assert different == {}
    assert set(next(iter(found.values()))) == set(next(iter(expected.values())))


def test_the_random_agencies_have_what_the_marts_are_about(agency: Agency) -> None:
    rows = read_mart(agency.database, "account_features")
    assert {row["restated_days"] for row in rows} >= {0, 1}
    assert any(row["doubled_days"] for row in rows)
    assert any(row["unknown_changes_w3"] for row in rows)
    assert any(row["unknown_changes_w3"] is None for row in rows)
    assert any(row["top_campaign_switched"] for row in rows)
    assert any(row["unknown_budget_step"] for row in rows)
