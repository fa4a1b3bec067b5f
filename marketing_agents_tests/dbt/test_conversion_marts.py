"""The marts of conversion tracking, column by column, against a brute-force reading of the same raw rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from marketing_agents.days import end_of_local_day
from marketing_agents_tests.dbt.conftest import END, Agency
from marketing_agents_tests.dbt.raw_database import read_mart
from marketing_agents_tests.dbt.reference import Known, Row, actions, blank_money, micro, pair, ratio

DAYS_BEFORE_END = (0, 1, 3, 8, 17, 30, 55)
PLATFORM_OF_TAG = {"pixel": "meta_ads", "capi": "meta_ads", "gtag": "google_ads"}


@pytest.fixture(scope="module")
def known(agency: Agency) -> list[Known]:
    return [Known(agency.raw, advertiser, END - timedelta(days=n)) for advertiser in agency.raw.advertisers for n in DAYS_BEFORE_END]


def own_e(k: Known) -> date:
    """The latest day that is over and settled in the advertiser's own zone."""
    e = k.d
    while end_of_local_day(e, ZoneInfo(k.advertiser.time_zone)) + timedelta(hours=k.advertiser.settle_lag_hours) > k.instant:
        e -= timedelta(days=1)
    return e


def tags(k: Known) -> list[Row]:
    e = own_e(k)
    rows = {day: k.slice("tag_health_daily", day) or [] for day in k.days(e - timedelta(days=55), e)}
    week = {day: of_day for day, of_day in rows.items() if day >= e - timedelta(days=6)}
    names = {(r["platform"], r["name"].lower()) for r in k.current("conversion_actions") if r["is_primary"]}

    def weighted(column: str, source: str, event: str) -> Decimal | None:
        found = [
            r for of_day in week.values() for r in of_day if (r["source"], r["event_name"]) == (source, event) and r[column] is not None
        ]
        weights = [r["browser_events"] + r["server_events"] for r in found]
        total = sum(Decimal(str(r[column])) * n for r, n in zip(found, weights, strict=True))
        return ratio(total, sum(weights))

    out = []
    for source, event in sorted({(r["source"], r["event_name"]) for of_day in rows.values() for r in of_day}):
        platform = PLATFORM_OF_TAG[source]

        def total(column: str, sources: tuple[str, ...], event: str = event) -> int:
            return sum(r[column] for of_day in week.values() for r in of_day if r["source"] in sources and r["event_name"] == event)

        accounts = {key: a for key, a in k.accounts.items() if key[0] == platform}
        spent = [
            r
            for (_, account_id), a in accounts.items()
            for r in k.pick(k.ad_rows, *k.back(a["e"], 6), platform=platform, account_id=account_id)
        ]
        first = min(day for day, of_day in rows.items() for r in of_day if (r["source"], r["event_name"]) == (source, event))
        both = ("pixel", "capi")
        server, browser = total("server_events", both), total("browser_events", both)
        result = {
            **k.head(e, None, first),
            "platform": platform,
            "source": source,
            "event_name": event,
            "is_result_event": event == "Purchase" or (platform, event.lower()) in names,
            "events_w7": total("browser_events", (source,)) + total("server_events", (source,)),
            "browser_events_w7": total("browser_events", (source,)),
            "server_events_w7": total("server_events", (source,)),
            "emq_score_w7": weighted("emq_score", source, event),
            "dedup_rate_w7": weighted("dedup_rate", source, event),
            "server_share_w7": ratio(server, server + browser) if source in both else None,
            "spend_w7": sum((r["spend"] for r in spent), Decimal(0)),
        }
        out.append(blank_money(result, pair(spent), ("spend_w7",)))
    return out


def conversion_actions(k: Known) -> list[Row]:
    listed = {(r["platform"], r["account_id"], r["conversion_action_id"]): r for r in k.current("conversion_actions")}
    return [_tracked(k, base, listed) for base in actions(k)]


def _tracked(k: Known, base: Row, listed: dict[Any, Row]) -> Row:
    names = ("platform", "account_id", "conversion_action_id")
    ids = {name: base[name] for name in names}
    account = {"platform": base["platform"], "account_id": base["account_id"]}
    e = base["evaluated_day"]
    m = max(day for day in k.days(e - timedelta(days=9), e) if k.is_mature(day))

    def converted(days: list[date], column: str = "conversions") -> Decimal:
        return sum((r[column] for x in days for r in k.pick(k.action_rows, x, x, **ids)), Decimal(0))

    def clicked(days: list[date]) -> int:
        return sum(r["clicks"] for x in days for r in k.pick(k.ad_rows, x, x, **account))

    reach = k.days(*k.back(e, 119))
    last = max((x for x in reach if converted([x]) > 0), default=None)
    expected = None
    if last is not None and (e - last).days >= 7:
        before = [x for x in reach if last - timedelta(days=27) <= x <= last]
        complete = sum((clicked([x]) * k.known_share(x) for x in reach if x > last), Decimal(0))
        clicks_before = clicked(before)
        expected = micro(float(complete) * float(converted(before)) / clicks_before) if clicks_before else None

    week, month = k.days(*k.back(m, 6)), k.days(*k.back(m, 34, 7))

    def ordered(days: list[date], *, of_platform: bool = True) -> list[Row]:
        return [r for x in days for r in k.order_rows.get(x, []) if not of_platform or r["channel_touch"] == base["platform"]]

    def loaded(days: list[date]) -> list[date]:
        return [x for x in days if k.slice("orders_daily", x) is not None]

    ratios = []
    for nth in range(1, 5):
        days = loaded(k.days(*k.back(m, 6 + 7 * nth, 7 * nth)))
        orders = sum(r["orders"] for r in ordered(days))
        if orders and len(days) >= 5:
            ratios.append(float(converted(days)) / orders)
    ratios.sort(reverse=True)

    fortnight = k.days(*k.back(e, 13))
    raw = {x: [r for r in k.slice("conversions_by_action_daily", x) or [] if all(r[n] == base[n] for n in names)] for x in fortnight}
    valued = {x: [r for r in rows if r["conversion_value"] is not None] for x, rows in raw.items()}
    counted = {x: sum((micro(r["conversions"]) for r in rows), Decimal(0)) for x, rows in valued.items()}
    each = [float(sum(r["conversion_value"] for r in valued[x])) / float(n) for x, n in counted.items() if n > 0]
    touched, everything = ordered(fortnight), ordered(fortnight, of_platform=False)
    chosen = touched if sum(r["orders"] for r in touched) >= 30 else everything
    sold = {x: ordered([x], of_platform=False) for x in fortnight}
    baskets = [float(sum(r["revenue"] for r in rows)) / n for rows in sold.values() if (n := sum(r["orders"] for r in rows))]

    known_changes = [rows for x in k.days(k.d - timedelta(days=13), k.d) if (rows := k.slice("change_events", x)) is not None]
    dated = [
        (x, r["occurred_at"], r["event_id"], r)
        for x in k.days(k.d - timedelta(days=13), k.d)
        for r in k.slice("change_events", x) or []
        if r["resource_type"] == "conversion_action"
        and (r["platform"], r["account_id"], r["entity_id"]) == (base["platform"], base["account_id"], base["conversion_action_id"])
        and r["field"].lower() != "name"
    ]
    latest = max(dated, key=lambda item: item[:3], default=None)
    spent = k.pick(k.ad_rows, *k.back(e, 6), **account)
    row = listed.get(tuple(base[name] for name in names))
    days_of_orders, days_before = loaded(week), loaded(month)
    result = {
        **base,
        "value_mode": row and row.get("value_mode"),
        "days_since_last_conversion": (e - last).days if last else None,
        "expected_conversions_gap": expected,
        "conversions_w7m_settled": converted(week),
        "conversions_b28m_settled": converted(month),
        "clicks_w7m_settled": clicked(week),
        "clicks_b28m_settled": clicked(month),
        "account_spend_w7": sum((r["spend"] for r in spent), Decimal(0)),
        "orders_w7m_settled": sum(r["orders"] for r in ordered(week)) if days_of_orders else None,
        "order_days_w7m_settled": len(days_of_orders),
        "orders_b28m_settled": sum(r["orders"] for r in ordered(month)) if days_before else None,
        "order_days_b28m_settled": len(days_before),
        "ordered_conversions_w7m_settled": converted(days_of_orders) if days_of_orders else None,
        "ratio_weeks_b28m_settled": len(ratios),
        "conversions_per_order_usual": ratios[1] if len(ratios) > 1 else None,
        "conversion_value_w14": converted(fortnight, "conversion_value"),
        "conversions_valued_w14": sum(counted.values(), Decimal(0)),
        "conversions_zero_value_w14": sum(
            (micro(r["conversions"]) for rows in valued.values() for r in rows if r["conversion_value"] == 0), Decimal(0)
        ),
        "value_days_w14": len(each),
        "value_spread_w14": (max(each) - min(each)) / max(each) if each and max(each) else None,
        "value_currencies_w14": len({r["currency_code"] for rows in valued.values() for r in rows if r["conversion_value"] > 0}),
        "aov_w14": ratio(sum((r["revenue"] for r in chosen), Decimal(0)), sum(r["orders"] for r in chosen)),
        "aov_orders_w14": sum(r["orders"] for r in chosen) if loaded(fortnight) else None,
        "aov_spread_w14": (max(baskets) - min(baskets)) / max(baskets) if baskets and max(baskets) else None,
        "changes_w14": len(dated) if known_changes else None,
        "last_change_day": latest[0] if latest else None,
        "last_change_field": latest[3]["field"] if latest else None,
        "last_change_old_value": latest[3]["old_value"] if latest else None,
        "last_change_new_value": latest[3]["new_value"] if latest else None,
    }
    missing = base["missing_fx_pair"] or pair([*spent, *everything])
    return blank_money(result, missing, ("value_per_conversion", "account_spend_w7", "conversion_value_w14", "aov_w14"))


UNLABELLED = {"all_other"}


def traffic(k: Known) -> list[Row]:
    e = k.advertiser_e
    rows = {week: found for week in range(9) if (found := k.slice("web_sessions_daily", e - timedelta(weeks=week)))}
    if not rows:
        return []
    platforms = {key[0] for key, a in k.accounts.items() if a["is_known"]}
    named = {r["source_bucket"].lower() for of_day in rows.values() for r in of_day}
    figures: dict[int, dict[str, Any]] = {}
    for week, of_day in rows.items():
        sessions = sum(r["sessions"] for r in of_day)
        unassigned = sum(r["sessions"] if r["source_bucket"] in UNLABELLED else r["unassigned_sessions"] or 0 for r in of_day)
        direct = sum(r["sessions"] for r in of_day if r["source_bucket"] == "Direct")
        clicked = [r for r in k.pick(k.ad_rows, e - timedelta(weeks=week), e - timedelta(weeks=week)) if r["platform"] in named]
        paid = sum(r["sessions"] for r in of_day if r["source_bucket"] in platforms)
        figures[week] = {
            "sessions": sessions,
            "unassigned": unassigned / sessions if sessions else None,
            "direct": direct / sessions if sessions else None,
            "paid": paid,
            "clicks": sum(r["clicks"] for r in clicked) or None,
        }

    def usual(values: list[Any]) -> float | None:
        found = [v for v in values if v is not None]
        return float(median(found)) if found else None

    def weekdays(name: str) -> list[Any]:
        return [figures[week][name] for week in figures if week]

    fallen = []
    for source in {r["source_bucket"] for of_day in rows.values() for r in of_day} - UNLABELLED:
        visits = {week: sum(r["sessions"] for r in of_day if r["source_bucket"] == source) for week, of_day in rows.items()}
        before = usual([n for week, n in visits.items() if week])
        if before is not None and before >= 50 and 0 in visits and visits[0] <= 0.5 * before:
            fallen.append((-before, source, visits[0]))
    names = [source for _, source, _ in sorted(fallen)]
    lost = [source for _, source, n in sorted(fallen) if n == 0]
    today = figures.get(0, {})
    with_both = [figures[week] for week in figures if week and figures[week]["clicks"] and figures[week]["paid"]]
    return [
        {
            **k.head(e, None, e - timedelta(weeks=max(rows))),
            "sessions_dow_values": len(weekdays("sessions")),
            "sessions_d": today.get("sessions"),
            "sessions_dow_median": usual(weekdays("sessions")),
            "unassigned_share_d": today.get("unassigned"),
            "unassigned_share_dow_median": usual(weekdays("unassigned")),
            "direct_share_d": today.get("direct"),
            "direct_share_dow_median": usual(weekdays("direct")),
            "lost_sources": len(lost) if today else None,
            "lost_source_names": ", ".join(lost) or None,
            "fallen_sources": len(names) if today else None,
            "fallen_source_names": ", ".join(names) or None,
            "paid_sessions_d": today.get("paid"),
            "clicks_d": today.get("clicks"),
            "click_to_session_dow_values": len(with_both),
            "click_to_session_dow_median": usual([f["paid"] / f["clicks"] for f in with_both]),
            "missing_fx_pair": None,
        }
    ]


def platforms(k: Known) -> list[Row]:
    by_platform: dict[str, list[tuple[str, Row]]] = {}
    for (platform, account_id), account in k.accounts.items():
        if account["is_known"]:
            by_platform.setdefault(platform, []).append((account_id, account))
    actions = {(r["platform"], r["account_id"], r["conversion_action_id"]): r for r in k.current("conversion_actions") if r["is_primary"]}
    out = []
    for platform, accounts in by_platform.items():
        ids = {account_id for account_id, _ in accounts}
        e = min(account["e"] for _, account in accounts)
        m = max(day for day in k.days(e - timedelta(days=9), e) if k.is_mature(day))
        own = {key: r for key, r in actions.items() if key[0] == platform}
        purchases = {key for key, r in own.items() if r["category"] == "purchase"}
        chosen = {key for key in purchases or set(own) if key[1] in {a for p, a in k.accounts if p == platform}}
        weeks = []
        for week in range(9):
            days = [
                x for x in k.days(m - timedelta(days=7 * week + 6), m - timedelta(days=7 * week)) if k.slice("orders_daily", x) is not None
            ]
            orders = sum(r["orders"] for x in days for r in k.order_rows[x] if r["channel_touch"] == platform)
            conversions = sum(
                (
                    r["conversions"]
                    for x in days
                    for r in k.action_rows.get(x, [])
                    if (r["platform"], r["account_id"], r["conversion_action_id"]) in chosen
                ),
                Decimal(0),
            )
            weeks.append((days, orders, conversions))
        ratios = [float(c) / o for days, o, c in weeks[1:] if o and c and len(days) >= 5]
        middle = median(ratios) if ratios else None
        spent = [r for x in k.days(*k.back(e, 6)) for r in k.ad_rows.get(x, []) if r["platform"] == platform]
        days, orders, conversions = weeks[0]
        is_judged = bool(chosen)
        only = next(iter(ids)) if len(ids) == 1 else None
        name = accounts[0][1]["row"]["name"] if only and accounts[0][1]["row"] else None
        result = {
            **k.head(e, None, k.first_day(k.ad_rows, e, platform=platform)),
            "platform": platform,
            "account_id": only,
            "account_name": name,
            "matured_day": m,
            "counts_purchases": bool(purchases) if is_judged else None,
            "conversions_w7m": conversions if is_judged and days else None,
            "orders_w7m": orders if days else None,
            "order_days_w7m": len(days),
            "ratio_weeks": len(ratios) if is_judged else None,
            "ratio_median": middle if is_judged else None,
            "ratio_mad": median(abs(r - middle) for r in ratios) if is_judged and middle is not None else None,
            "spend_w7": sum((r["spend"] for r in spent), Decimal(0)),
        }
        out.append(blank_money(result, pair(spent), ("spend_w7",)))
    return out


MARTS: list[tuple[str, tuple[str, ...], Callable[[Known], list[Row]]]] = [
    ("conversion_action_features", ("platform", "account_id", "conversion_action_id"), conversion_actions),
    ("tag_features", ("source", "event_name"), tags),
    ("traffic_source_features", (), traffic),
    ("platform_conversion_features", ("platform",), platforms),
]


@pytest.mark.parametrize(("mart", "key", "expected_rows"), MARTS, ids=[name for name, _, _ in MARTS])
def test_mart_equals_reference(
    agency: Agency, known: list[Known], mart: str, key: tuple[str, ...], expected_rows: Callable[[Known], list[Row]]
) -> None:
    def by_key(rows: list[Row]) -> dict[tuple[Any, ...], Row]:
        return {(row["advertiser_id"], row["date"], *(row[name] for name in key)): row for row in rows}

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
