"""Brute-force reference of the media columns of campaign_features (see reference.py)."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marketing_agents_tests.dbt.reference import Known, Row

MONEY = (
    "spend_w7n",
    "spend_b28n",
    "cpm_index_at_mix",
    "complete_spend_s7",
    "spend_p28",
    "complete_spend_w14m",
    "conversion_value_w14m",
    "value_spread_w14m",
    "spend_d",
    "spend_dow_median",
)


def matured_day(k: Known, e: date) -> date:
    return min(e, k.d - timedelta(days=k.mature_lag))


def masked_days(k: Known) -> set[date]:
    return {day for event in k.current("calendar_events") if event["mask_baseline"] for day in k.days(event["date_from"], event["date_to"])}


def expected_cpm(k: Known, day: date) -> Decimal:
    from marketing_agents_tests.dbt.reference import micro

    found = [
        event.get("expected_index_cpm")
        for event in k.current("calendar_events")
        if event["date_from"] <= day <= event["date_to"] and event.get("expected_index_cpm") is not None
    ]
    return micro(float(max(found))) if found else Decimal(1)


def campaign_columns(k: Known, ids: Row, e: date, first_day: date | None, row: Row | None) -> Row:
    from marketing_agents_tests.dbt.reference import micro, ratio

    masked, settled = masked_days(k), matured_day(k, e)
    windows = {
        "w7": k.days(*k.back(e, 6)),
        "b28": k.days(*k.back(e, 34, 7)),
        "s7": k.days(*k.back(settled, 6)),
        "p28": k.days(*k.back(settled, 34, 7)),
    }
    normal = {name: [day for day in days if day not in masked] for name, days in windows.items()}

    def rows(days: list[date], **keys: Any) -> list[Row]:
        return [r for day in days for r in k.pick(k.ad_rows, day, day, **ids, **keys)]

    def total(days: list[date], measure: str, **keys: Any) -> Any:
        return sum(r[measure] for r in rows(days, **keys))

    def complete(days: list[date], measure: str) -> Decimal:
        return micro(sum((total([day], measure) * k.known_share(day) for day in days), Decimal(0)))

    networks = sorted({r["network"] for r in rows(windows["w7"] + windows["b28"])})
    served = [n for n in networks if total(normal["w7"], "impressions", network=n) and total(normal["b28"], "impressions", network=n)]

    def index_at_mix(measure: str) -> Decimal | None:
        at_mix = [
            micro(
                float(total(normal["b28"], "impressions", network=n))
                * float(total(normal["w7"], measure, network=n))
                / float(total(normal["w7"], "impressions", network=n))
            )
            for n in served
        ]
        before = sum(total(normal["b28"], measure, network=n) for n in served)
        return ratio(sum(at_mix, Decimal(0)), before) if served and before else None

    w14m = [day for day in k.days(*k.back(e, 13)) if k.is_mature(day)]
    valued = [r for r in rows(w14m) if r["has_value"] and r["conversions"] > 0]
    value, conversions = total(w14m, "conversion_value"), sum((r["conversions"] for r in valued), Decimal(0))
    squares = sum(
        (micro(float(r["conversion_value"]) * float(r["conversion_value"]) / float(r["conversions"])) for r in valued), Decimal(0)
    )
    spread = None
    if len(valued) > 1 and value > 0:
        variance = max(float(squares) - float(value) * float(value) / float(conversions), 0) / (len(valued) - 1)
        spread = micro(math.sqrt(variance) * float(conversions) / float(value))

    weekdays = [e - timedelta(weeks=n) for n in range(1, 9)]
    weekdays = [day for day in weekdays if first_day and day >= first_day and day not in masked]
    last_two = [e - timedelta(days=1), e]
    changes = [k.slice("change_events", day) for day in last_two]
    events = k.current("calendar_events")
    result: Row = {f"normal_days_{name}": len(days) for name, days in normal.items()}
    for name in ("w7", "b28"):
        result |= {f"{measure}_{name}n": total(normal[name], measure) for measure in ("impressions", "clicks", "spend")}
    return result | {
        "cpm_index_at_mix": index_at_mix("spend"),
        "ctr_index_at_mix": index_at_mix("clicks"),
        "expected_cpm_index_w7": micro(1 + float(sum(expected_cpm(k, day) - 1 for day in windows["w7"])) / 7)
        if k.has_current("calendar_events")
        else None,
        "clicks_s7": total(normal["s7"], "clicks"),
        "complete_clicks_s7": complete(normal["s7"], "clicks"),
        "complete_spend_s7": complete(normal["s7"], "spend"),
        "conversions_s7": total(normal["s7"], "conversions"),
        "clicks_p28": total(normal["p28"], "clicks"),
        "spend_p28": total(normal["p28"], "spend"),
        "conversions_p28": total(normal["p28"], "conversions"),
        "complete_spend_w14m": complete(w14m, "spend"),
        "conversion_value_w14m": value,
        "valued_conversions_w14m": conversions,
        "value_spread_w14m": spread,
        "campaign_target_roas": row and row.get("target_roas"),
        "advertiser_target_roas": float(k.advertiser.target_roas) if k.advertiser.target_roas is not None else None,
        "gross_margin": k.advertiser.gross_margin,
        "campaign_end_date": row and row.get("end_date"),
        "impressions_d": total([e], "impressions"),
        "spend_d": total([e], "spend"),
        "dow_values": len(weekdays),
        "impressions_dow_median": float(median(total([day], "impressions") for day in weekdays)) if weekdays else None,
        "spend_dow_median": micro(float(median(float(total([day], "spend")) for day in weekdays))) if weekdays else None,
        "has_event_d": any(event["date_from"] <= e <= event["date_to"] for event in events) if k.has_current("calendar_events") else None,
        "recent_changes": None
        if all(rows is None for rows in changes)
        else sum(_is_of_status_or_budget(r, ids) for rows in changes for r in rows or []),
    }


def _is_of_status_or_budget(change: Row, ids: Row) -> bool:
    is_of_campaign = (change["platform"], change["account_id"], change["entity_id"]) == (
        ids["platform"],
        ids["account_id"],
        ids["campaign_id"],
    )
    is_status = change["resource_type"] == "campaign" and ("status" in change["field"] or "budget" in change["field"])
    return is_of_campaign and (change["resource_type"] == "budget" or is_status)


def advertisers(k: Known) -> list[Row]:
    from marketing_agents_tests.dbt.reference import blank_money, pair, ratio

    e, masked = k.advertiser_e, masked_days(k)
    known = [day for day in k.days(*k.back(e, 55)) if k.slice("orders_daily", day) is not None]
    w28, p28 = ([day for day in known if day in set(k.days(*k.back(e, *span)))] for span in ((27,), (55, 28)))
    comparable = {
        name: [day for day in known if day not in masked and day in set(k.days(*k.back(e, *span)))]
        for name, span in {"w7": (6,), "b28": (34, 7)}.items()
    }
    all_ads = k.pick(k.ad_rows, *k.back(e, 55))
    all_orders = k.pick(k.order_rows, *k.back(e, 55))

    def of(rows: dict[date, list[Row]], days: list[date]) -> list[Row]:
        return [r for day in days for r in rows.get(day, [])]

    first_day = next((day for day in k.days(*k.back(e, 55)) if k.ad_rows.get(day)), None)
    has_ads = bool(all_ads)
    by_platform = {
        p: sum(r["conversions"] for r in of(k.ad_rows, w28) if r["platform"] == p) for p in sorted({r["platform"] for r in all_ads})
    }
    claiming = [p for p in sorted(by_platform, key=lambda p: (-by_platform[p], p)) if by_platform[p] > 0]
    views = [Decimal(str(r["view_through_conversions"])) for r in of(k.ad_rows, w28) if r.get("view_through_conversions") is not None]
    primary = [r for r in k.current("conversion_actions") if r["is_primary"] and r["status"] == "enabled"]
    result: Row = {
        **k.head(e, None, first_day),
        "gross_margin": k.advertiser.gross_margin,
        "spend_w7": sum(r["spend"] for r in k.pick(k.ad_rows, *k.back(e, 6))) if has_ads else None,
        "comparable_days_w7": len(comparable["w7"]),
        "comparable_days_b28": len(comparable["b28"]),
        "known_days_w28": len(w28),
        "known_days_p28": len(p28),
        "orders_w28": sum(r["orders"] for r in of(k.order_rows, w28)) if w28 else None,
        "orders_p28": sum(r["orders"] for r in of(k.order_rows, p28)) if p28 else None,
        "paid_orders_w28": sum(r["orders"] for r in of(k.order_rows, w28) if r["channel_touch"].endswith("_ads")) if w28 else None,
        "conversions_w28": sum(by_platform.values()) if has_ads else None,
        "conversions_p28": sum(r["conversions"] for r in of(k.ad_rows, p28)) if has_ads else None,
        "view_through_conversions_w28": sum(views) if views else None,
        "claiming_platforms_w28": len(claiming),
        "top_platform": claiming[0] if claiming else None,
        "top_platform_conversions_w28": by_platform[claiming[0]] if claiming else None,
        "counts_purchases_only": all(r["category"] == "purchase" for r in primary) if primary else None,
    }
    for name, days in comparable.items():
        orders = of(k.order_rows, days)
        granted = [r["discount_in_base"] for r in orders if r["discount_in_base"] is not None]
        revenue = sum(r["revenue"] for r in orders)
        result |= {
            f"spend_{name}c": sum(r["spend"] for r in of(k.ad_rows, days)) if has_ads else None,
            f"orders_{name}c": sum(r["orders"] for r in orders) if days else None,
            f"revenue_{name}c": revenue if days else None,
            f"discount_share_{name}c": ratio(sum(granted), sum(granted) + revenue) if granted else None,
        }
    money = ("spend_w7", *(f"{column}_{name}c" for column in ("spend", "revenue", "discount_share") for name in comparable))
    return [blank_money(result, pair([*all_ads, *all_orders]), money)]
