"""Brute-force reference of the marts: for each entity and feature day, look up every row as it was known on that day, and add up. Plain Python, no windows.

Written from the contract (marts.yml and rules.md section 1), not from the SQL, so that the two can disagree.
"""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from marketing_agents.days import end_of_local_day, evaluation_instant
from marketing_agents_tests.dbt.raw_database import AdvertiserRow, Raw

COMPLETENESS = [Decimal(c) for c in ("0.60", "0.80", "0.88", "0.92", "0.95", "0.97", "0.98")]
ZONES = available_timezones()
MICRO = Decimal("0.000001")
LISTS = ("campaigns", "adgroups", "ads", "conversion_actions")
Row = dict[str, Any]


def micro(value: Decimal | float) -> Decimal:
    """Six digits, half away from zero; a float is scaled first, as the engine does (0.6157695 is a hair below the half, its product is not)."""
    if isinstance(value, float):
        return Decimal(math.floor(value * 1e6 + 0.5)) * MICRO
    return Decimal(value).quantize(MICRO, rounding=ROUND_HALF_UP)


def ratio(numerator: Decimal | int, denominator: Decimal | int) -> Decimal | None:
    return micro(float(numerator) / float(denominator)) if denominator else None


def completeness(lag: int) -> Decimal:
    return COMPLETENESS[lag] if lag < len(COMPLETENESS) else Decimal(1)


class Known:
    """What one advertiser's raw tables said on feature day `d`."""

    def __init__(self, raw: Raw, advertiser: AdvertiserRow, d: date) -> None:
        from datetime import time

        self.raw, self.advertiser, self.d, self.id = raw, advertiser, d, advertiser.advertiser_id
        run_time = time.fromisoformat(advertiser.run_time_local)
        self.instant = evaluation_instant(d, ZoneInfo(advertiser.time_zone), run_time, advertiser.settle_lag_hours)

    def days(self, first: date, last: date) -> list[date]:
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def slice(self, table: str, day: date) -> list[Row] | None:
        return self.raw.known(table, self.id, day, self.d)  # type: ignore[return-value]

    def current(self, table: str) -> list[Row]:
        """The list as it stood: the slice of d, or the newest one of the week before."""
        for back in range(8):
            rows = self.slice(table, self.d - timedelta(days=back))
            if rows is not None:
                return rows
        return []

    def has_current(self, table: str) -> bool:
        return any(self.slice(table, self.d - timedelta(days=back)) is not None for back in range(8))

    def factor(self, currency: str, day: date) -> Decimal | None:
        base = self.advertiser.base_currency
        if currency == base:
            return Decimal(1)
        for back in range(8):
            rows = self.slice("fx_rates", day - timedelta(days=back)) or []
            for row in rows:
                if (row["from_currency"], row["to_currency"]) == (currency, base):
                    return Decimal(row["rate"])
            for row in rows:
                if (row["from_currency"], row["to_currency"]) == (base, currency):
                    return Decimal(1 / float(row["rate"])).quantize(Decimal("0.000000000001"), rounding=ROUND_HALF_UP)
        return None

    def in_base(self, amount: Decimal | None, currency: str, day: date) -> tuple[Decimal | None, str | None]:
        """Amount in base currency, and the missing pair when there is no rate for a nonzero amount."""
        if amount is None:
            return None, None
        factor = self.factor(currency, day)
        if factor is None:
            return (None, f"{currency}->{self.advertiser.base_currency}") if amount else (Decimal(0), None)
        return micro(amount * factor), None

    @cached_property
    def ad_rows(self) -> dict[date, list[Row]]:
        return self._with_money("ad_performance_daily", "spend")

    @cached_property
    def action_rows(self) -> dict[date, list[Row]]:
        return self._with_money("conversions_by_action_daily", "conversion_value")

    @cached_property
    def order_rows(self) -> dict[date, list[Row]]:
        return self._with_money("orders_daily", "revenue")

    def _with_money(self, table: str, column: str) -> dict[date, list[Row]]:
        out: dict[date, list[Row]] = {}
        for day in self.days(self.d - timedelta(days=130), self.d):
            rows = self.slice(table, day)
            if rows is None:
                continue
            out[day] = []
            for row in rows:
                value, missing = self.in_base(row[column], row["currency_code"], day)
                out[day].append({**row, "conversions": micro(row.get("conversions", 0)), column: value or Decimal(0), "missing": missing})
        return out

    def pick(self, rows: dict[date, list[Row]], first: date, last: date, **keys: Any) -> list[Row]:
        return [r for day in self.days(first, last) for r in rows.get(day, []) if all(r[k] == v for k, v in keys.items())]

    def back(self, e: date, first: int, last: int = 0) -> tuple[date, date]:
        return e - timedelta(days=first), e - timedelta(days=last)

    # --- accounts

    @cached_property
    def accounts(self) -> dict[tuple[str, str], Row]:
        """Accounts with E. Known on d are those that are listed or have facts in the look-back; the zone of an unlisted one is the newest that
        its facts name. Others have the advertiser's clock.
        """
        keys: dict[tuple[str, str], str | None] = {}
        known = set()
        for day in self.days(self.d - timedelta(days=130), self.d):
            for row in self.slice("conversions_by_action_daily", day) or []:
                keys.setdefault((row["platform"], row["account_id"]))
            for row in self.slice("ad_performance_daily", day) or []:
                key, zone = (row["platform"], row["account_id"]), row["account_time_zone"]
                if (self.d - day).days <= 125:
                    keys[key] = zone if zone in ZONES else keys.get(key)
                    known.add(key)
                else:
                    keys.setdefault(key)
        for table in ("platform_accounts", *LISTS):
            for row in self.current(table):
                keys.setdefault((row["platform"], row["account_id"]))
        listed = {(r["platform"], r["account_id"]): r for r in self.current("platform_accounts")}
        out: dict[tuple[str, str], Row] = {}
        for key, fact_zone in keys.items():
            row = listed.get(key)
            zones = [row["time_zone"] if row else None, fact_zone, self.advertiser.time_zone]
            zone = ZoneInfo(next(z for z in zones if z in ZONES))
            lag = row["settle_lag_hours"] if row and row["settle_lag_hours"] is not None else self.advertiser.settle_lag_hours
            e = self.d
            while end_of_local_day(e, zone) + timedelta(hours=lag) > self.instant:
                e -= timedelta(days=1)
            out[key] = {"row": row, "zone": zone, "e": e, "is_known": row is not None or key in known}
        return out

    @cached_property
    def advertiser_e(self) -> date:
        known = [a for a in self.accounts.values() if a["is_known"]]
        active = [a["e"] for a in known if a["row"] and a["row"]["account_status"] == "active"]
        return min(active or [a["e"] for a in known])

    def head(self, e: date, rows: list[Row] | None, first_day: date | None = None) -> Row:
        first_day = first_day or min((r["day"] for r in rows or []), default=None)
        return {
            "advertiser_id": self.id,
            "date": self.d,
            "currency_code": self.advertiser.base_currency,
            "evaluated_day": e,
            "data_age_days": (self.d - e).days,
            "history_days": (e - first_day).days + 1 if first_day else 0,
        }

    def first_day(self, rows: dict[date, list[Row]], e: date, **keys: Any) -> date | None:
        for day in self.days(*self.back(e, 119)):
            if self.pick(rows, day, day, **keys):
                return day
        return None

    def has_orders(self, e: date, first: int) -> bool:
        return any(self.slice("orders_daily", day) is not None for day in self.days(*self.back(e, first)))


def pair(rows: list[Row], *more: str | None) -> str | None:
    found = sorted(r["missing"] for r in rows if r["missing"])
    return found[0] if found else next((m for m in more if m), None)


def blank_money(row: Row, missing: str | None, columns: tuple[str, ...]) -> Row:
    return {**row, **(dict.fromkeys(columns) if missing else {}), "missing_fx_pair": missing}


def campaigns(k: Known) -> list[Row]:
    listed = {(r["platform"], r["account_id"], r["campaign_id"]): r for r in k.current("campaigns")}
    keys = set(listed) | {(r["platform"], r["account_id"], r["campaign_id"]) for rows in k.ad_rows.values() for r in rows}
    out = []
    for platform, account_id, campaign_id in sorted(keys):
        ids = {"platform": platform, "account_id": account_id, "campaign_id": campaign_id}
        e = k.accounts[platform, account_id]["e"]
        row = listed.get((platform, account_id, campaign_id))
        first_day = k.first_day(k.ad_rows, e, **ids)
        if first_day is None and (row is None or row["status"] != "enabled"):
            continue
        w = {n: k.pick(k.ad_rows, *k.back(e, *span), **ids) for n, span in {"w7": (6,), "b28": (34, 7), "w28": (27,), "w35": (34,)}.items()}
        matured = [x for x in k.days(*k.back(e, 13)) if completeness((k.d - x).days) >= Decimal("0.90")]
        w14m = [r for x in matured for r in k.pick(k.ad_rows, x, x, **ids)]
        orders = list(k.pick(k.order_rows, *k.back(e, 27), channel_touch=platform, campaign_key=campaign_id))
        known = [r for r in orders if r["new_customer_orders"] is not None]
        target, target_missing = k.in_base(row["target_cpa"], row["currency_code"], k.d) if row else (None, None)
        budget, budget_missing = k.in_base(row["daily_budget"], row["currency_code"], k.d) if row else (None, None)
        has_orders = k.has_orders(e, 27)
        result = {
            **k.head(e, None, first_day),
            **ids,
            "campaign_name": row and row["name"],
            "campaign_role": row and row["role"],
            "campaign_status": row and row["status"],
            "matured_days_w14": len(matured),
            "clicks_w14m": sum(r["clicks"] for r in w14m),
            "spend_w14m": sum(r["spend"] for r in w14m),
            "conversions_w14m": sum(r["conversions"] for r in w14m),
            "campaign_target_cpa": target,
            "advertiser_target_cpa": k.advertiser.target_cpa,
            "daily_budget": budget,
            "orders_w28": sum(r["orders"] for r in orders) if has_orders else None,
            "orders_known_w28": sum(r["orders"] for r in known) if has_orders else None,
            "new_customer_orders_w28": sum(r["new_customer_orders"] for r in known) if has_orders else None,
            "has_purchaser_exclusion": row and row["has_purchaser_exclusion"],
        }
        for name in ("w7", "b28", "w28"):
            for measure in ("impressions", "clicks", "spend", "conversions"):
                if (name, measure) != ("w28", "impressions"):
                    result[f"{measure}_{name}"] = sum(r[measure] for r in w[name])
        money = ("spend_w7", "spend_b28", "spend_w14m", "spend_w28", "campaign_target_cpa", "advertiser_target_cpa", "daily_budget")
        out.append(blank_money(result, pair(w["w35"], target_missing, budget_missing), money))
    return out


def adgroups(k: Known) -> list[Row]:
    names = ("platform", "account_id", "campaign_id", "adgroup_id")
    listed = {tuple(r[n] for n in names): r for r in k.current("adgroups")}
    campaign_names = {(r["platform"], r["account_id"], r["campaign_id"]): r["name"] for r in k.current("campaigns")}
    ads = {tuple(r[n] for n in (*names, "ad_id")): r for r in k.current("ads")}
    keys = set(listed) | {tuple(r[n] for n in names) for rows in k.ad_rows.values() for r in rows}
    out = []
    for key in sorted(keys):
        ids = dict(zip(names, key, strict=True))
        e = k.accounts[key[0], key[1]]["e"]
        row = listed.get(key)
        first_day = k.first_day(k.ad_rows, e, **ids)
        if first_day is None and (row is None or row["status"] != "enabled"):
            continue
        w14 = k.pick(k.ad_rows, *k.back(e, 13), **ids)
        by_ad: dict[str, list[Row]] = defaultdict(list)
        for r in w14:
            by_ad[r["ad_id"]].append(r)
        sums = {ad: {m: sum(r[m] for r in rows) for m in ("spend", "impressions", "clicks")} for ad, rows in by_ad.items()}
        order = sorted((ad for ad, s in sums.items() if s["spend"] or s["impressions"]), key=lambda ad: (-sums[ad]["spend"], ad))
        active = 0
        for ad in by_ad:
            days = [x for x in k.days(*k.back(e, 13)) if sum(r["impressions"] for r in k.pick(k.ad_rows, x, x, **ids, ad_id=ad)) > 0]
            active += len(days) >= 10 and (*key, ad) in ads and ads[*key, ad]["status"] == "enabled"
        result = {
            **k.head(e, None, first_day),
            **ids,
            "adgroup_name": row and row["name"],
            "campaign_name": campaign_names.get(key[:3]),
            "adgroup_status": row and row["status"],
            "is_dynamic_creative": row and row["is_dynamic_creative"],
            "spend_w7": sum(r["spend"] for r in k.pick(k.ad_rows, *k.back(e, 6), **ids)),
            "spend_w14": sum(r["spend"] for r in w14),
            "active_ads_w14": active if k.has_current("ads") else None,
        }
        for place, name in enumerate(("top_ad", "second_ad")):
            ad = order[place] if len(order) > place else None
            result[f"{name}_id"] = ad
            result[f"{name}_name"] = ads[*key, ad]["name"] if ad and (*key, ad) in ads else None
            for measure in ("spend", "impressions", "clicks"):
                result[f"{name}_{measure}_w14"] = sums[ad][measure] if ad else None
        out.append(blank_money(result, pair(w14), ("spend_w7", "spend_w14", "top_ad_spend_w14", "second_ad_spend_w14")))
    return out


def actions(k: Known) -> list[Row]:
    names = ("platform", "account_id", "conversion_action_id")
    listed = {tuple(r[n] for n in names): r for r in k.current("conversion_actions")}
    keys = set(listed) | {tuple(r[n] for n in names) for rows in k.action_rows.values() for r in rows}
    out = []
    for key in sorted(keys):
        ids = dict(zip(names, key, strict=True))
        account = {"platform": key[0], "account_id": key[1]}
        e = k.accounts[key[0], key[1]]["e"]
        row = listed.get(key)
        first_day = k.first_day(k.action_rows, e, **ids)
        if first_day is None and (row is None or row["status"] != "enabled"):
            continue
        account_first = k.first_day(k.ad_rows, e, **account)
        zero: list[date] = []
        for back in range(3):
            x = e - timedelta(days=back)
            if sum(r["conversions"] for r in k.pick(k.action_rows, x, x, **ids)) > 0:
                break
            zero.append(x)

        def clicks_on(x: date, account: Row = account) -> int:
            return sum(r["clicks"] for r in k.pick(k.ad_rows, x, x, **account))

        looked_at = zero or [e]
        weekdays = [
            [clicks_on(x - timedelta(weeks=n)) for n in range(1, 9) if account_first and x - timedelta(weeks=n) >= account_first]
            for x in looked_at
        ]
        medians = [median(values) for values in weekdays if values]
        b28 = k.pick(k.action_rows, *k.back(e, 34, 7), **ids)
        conversions, value = sum(r["conversions"] for r in b28), sum(r["conversion_value"] for r in b28)
        clicks_b28 = sum(r["clicks"] for r in k.pick(k.ad_rows, *k.back(e, 34, 7), **account))
        complete = sum(clicks_on(x) * completeness((k.d - x).days) for x in zero)
        default, default_missing = k.in_base(row["default_value"], row["currency_code"], k.d) if row else (None, None)
        result = {
            **k.head(e, None, first_day),
            **ids,
            "action_name": row and row["name"],
            "action_category": row and row["category"],
            "action_status": row and row["status"],
            "is_primary": row and row["is_primary"],
            "zero_days": len(zero),
            "clicks_zero_days": sum(clicks_on(x) for x in zero),
            "expected_conversions_zero_days": micro(float(complete) * float(conversions) / clicks_b28) if clicks_b28 else None,
            "conversions_b28": conversions,
            "conversions_w7": sum(r["conversions"] for r in k.pick(k.action_rows, *k.back(e, 6), **ids)),
            "clicks_b28": clicks_b28,
            "clicks_d": sum(clicks_on(x) for x in looked_at) / len(looked_at),
            "clicks_dow_median": sum(medians) / len(medians) if medians else None,
            "clicks_dow_values": min(len(values) for values in weekdays),
            "value_per_conversion": ratio(value, conversions) if value and conversions else default,
        }
        out.append(blank_money(result, pair(k.pick(k.action_rows, *k.back(e, 34), **ids), default_missing), ("value_per_conversion",)))
    return out


def platform_accounts(k: Known) -> list[Row]:
    out = []
    for (platform, account_id), account in k.accounts.items():
        e, row, ids = account["e"], account["row"], {"platform": platform, "account_id": account_id}
        w28 = k.pick(k.ad_rows, *k.back(e, 27), **ids)
        days28 = sum(bool(k.pick(k.ad_rows, x, x, **ids)) for x in k.days(*k.back(e, 27)))
        for table, rows in (("ad_performance_daily", k.ad_rows), ("conversions_by_action_daily", k.action_rows)):
            first_day = k.first_day(rows, e, **ids)
            if row is None and first_day is None:
                continue
            count = {x: len(k.pick(rows, x, x, **ids)) for x in k.days(*k.back(e, 119))}
            last = max((x for x, n in count.items() if n), default=None)
            same = [count[e - timedelta(weeks=n)] for n in range(1, 9) if first_day and e - timedelta(weeks=n) >= first_day]
            before = sum(count[x] > 0 for x in k.days(*k.back(e, 27, 14)))
            result = {
                **k.head(e, None, first_day),
                **ids,
                "table_name": table,
                "account_name": row and row["name"],
                "account_status": row and row["account_status"],
                "last_day_with_rows": last,
                "age_hours": (k.instant - end_of_local_day(last, account["zone"])).total_seconds() / 3600 if last else None,
                "gap_days_w14": sum(count[x] == 0 for x in k.days(*k.back(e, 13))) if before >= 12 else 0,
                "rows_d": count[e],
                "rows_dow_values": len(same),
                "rows_dow_median": float(median(same)) if same else None,
                "spend_per_day_w28": ratio(sum(r["spend"] for r in w28), days28) if days28 else None,
            }
            out.append(blank_money(result, pair(w28), ("spend_per_day_w28",)))
    return out
