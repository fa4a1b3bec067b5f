"""Brute-force reference of the marts: for each entity and feature day, look up every row as it was known on that day, and add up. Plain Python, no windows.

Written from the contract (models/marts/*.yml and rules.md section 1), not from the SQL, so that the two can disagree.
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
from marketing_agents_tests.dbt import reference_media
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
            return (None, f"{currency or ''}->{self.advertiser.base_currency}") if amount else (Decimal(0), None)
        return micro(amount * factor), None

    @cached_property
    def learned_curve(self) -> list[Decimal] | None:
        """c(0)..c(7) from the days D-74..D-15 that were loaded on time; None where too little was learned."""
        known, final, longest = [Decimal(0)] * 8, Decimal(0), 0
        snapshots = 0
        for day in self.days(self.d - timedelta(days=74), self.d - timedelta(days=15)):
            versions = self.raw.versions.get(("ad_performance_daily", self.id, day), {})
            seen = sorted(as_of for as_of in versions if (as_of - day).days <= 14)
            if not seen or seen[0] != day:
                continue
            snapshots += 1
            longest = max(longest, (seen[-1] - day).days)
            totals = {as_of: sum((micro(r["conversions"] or 0) for r in versions[as_of]), Decimal(0)) for as_of in seen}  # type: ignore[arg-type]
            final += totals[seen[-1]]
            for lag in range(8):
                known[lag] += totals[max(as_of for as_of in seen if (as_of - day).days <= lag)]
        if snapshots < 30 or longest < 7 or not final:
            return None
        return [micro(float(min(k, final)) / float(final)) for k in known]

    def known_share(self, day: date) -> Decimal:
        """c(k) of a day: learned or the default."""
        lag = (self.d - day).days
        if self.learned_curve is None:
            return completeness(lag)
        return self.learned_curve[lag] if lag < len(self.learned_curve) else Decimal(1)

    def is_mature(self, day: date) -> bool:
        """Whether so much of the day's conversions is known that it may be judged."""
        return (self.d - day).days >= self.mature_lag

    @property
    def mature_lag(self) -> int:
        """Days after which a day may be judged."""
        curve = self.learned_curve or [*COMPLETENESS, Decimal(1)]
        return next((k for k, c in enumerate(curve) if c >= Decimal("0.90")), len(curve))

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
                conversions = micro(row.get("conversions") or 0)
                out[day].append({**row, "conversions": conversions, column: value or Decimal(0), "missing": missing})
                if table == "ad_performance_daily":
                    worth, _ = self.in_base(row["conversion_value"], row["currency_code"], day)
                    out[day][-1] |= {"conversion_value": worth or Decimal(0), "has_value": row["conversion_value"] > 0}
                elif table == "orders_daily":
                    granted = row.get("discount")
                    out[day][-1]["discount_in_base"] = (
                        None if granted is None else self.in_base(granted, row["currency_code"], day)[0] or Decimal(0)
                    )
        return out

    def reports_conversions(self, platform: str, account_id: str) -> bool:
        """Whether any row of the account in the look-back says how many conversions it brought."""
        return any(
            (row["platform"], row["account_id"]) == (platform, account_id) and row["conversions"] is not None
            for day in self.days(self.d - timedelta(days=125), self.d)
            for row in self.slice("ad_performance_daily", day) or []
        )

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

    def reach(self, e: date, level: str, entity: str, account: Row) -> dict[int, Row]:
        """Windows that end at E, by their length."""
        rows = self.slice("reach_window", e) or []
        return {r["window_days"]: r for r in rows if (r["level"], r["entity_id"]) == (level, entity) and account.items() <= r.items()}

    def learning_status(self, e: date, campaign_id: str, account: Row) -> str | None:
        for back in range(7):
            for r in self.slice("campaign_metrics_daily", e - timedelta(days=back)) or []:
                if r["campaign_id"] == campaign_id and r["learning_status"] and account.items() <= r.items():
                    return str(r["learning_status"])
        return None

    def days_since_edit(self, e: date, entities: tuple[str, ...], account: Row) -> int | None:
        for back in range(14):
            for r in self.slice("change_events", e - timedelta(days=back)) or []:
                is_edit = r["resource_type"] in ("campaign", "adgroup", "budget", "bid", "audience")
                if is_edit and r["entity_id"] in entities and account.items() <= r.items():
                    return back
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
        w = {n: k.pick(k.ad_rows, *k.back(e, *span), **ids) for n, span in {"w7": (6,), "b28": (34, 7), "w28": (27,), "w57": (56,)}.items()}
        matured = [x for x in k.days(*k.back(e, 13)) if k.is_mature(x)]
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
            "campaign_labels": row and ("\x1f".join(row["labels"] or []) or None),
        }
        for name in ("w7", "b28", "w28"):
            for measure in ("impressions", "clicks", "spend", "conversions"):
                if (name, measure) != ("w28", "impressions"):
                    result[f"{measure}_{name}"] = sum(r[measure] for r in w[name])
        if not k.reports_conversions(platform, account_id):
            result |= dict.fromkeys(name for name in result if name.startswith("conversions_"))
        money = ("spend_w7", "spend_b28", "spend_w14m", "spend_w28", "campaign_target_cpa", "advertiser_target_cpa", "daily_budget")
        result |= reference_media.campaign_columns(k, ids, e, first_day, row)
        out.append(blank_money(result, pair(w["w57"], target_missing, budget_missing), (*money, *reference_media.MONEY)))
    return out


def adgroups(k: Known) -> list[Row]:  # noqa: C901 - one step per column of the mart
    names = ("platform", "account_id", "campaign_id", "adgroup_id")
    listed = {tuple(r[n] for n in names): r for r in k.current("adgroups")}
    listed_campaigns = {(r["platform"], r["account_id"], r["campaign_id"]): r for r in k.current("campaigns")}
    ads = {tuple(r[n] for n in (*names, "ad_id")): r for r in k.current("ads")}
    keys = set(listed) | {tuple(r[n] for n in names) for rows in k.ad_rows.values() for r in rows}
    out = []
    for key in sorted(keys):
        ids = dict(zip(names, key, strict=True))
        account = {"platform": key[0], "account_id": key[1]}
        e = k.accounts[key[0], key[1]]["e"]
        row = listed.get(key)
        first_day = k.first_day(k.ad_rows, e, **ids)
        if first_day is None and (row is None or row["status"] != "enabled"):
            continue
        w = {
            n: k.pick(k.ad_rows, *k.back(e, *span), **ids)
            for n, span in {"w7": (6,), "w14": (13,), "w28": (27,), "b28": (34, 7), "w35": (34,)}.items()
        }
        matured = [x for x in k.days(*k.back(e, 13)) if k.is_mature(x)]
        w14m = [r for x in matured for r in k.pick(k.ad_rows, x, x, **ids)]
        by_ad: dict[str, list[Row]] = defaultdict(list)
        for r in w["w14"]:
            by_ad[r["ad_id"]].append(r)
        sums = {ad: {m: sum(r[m] for r in rows) for m in ("spend", "impressions", "clicks")} for ad, rows in by_ad.items()}
        order = sorted((ad for ad, s in sums.items() if s["spend"] or s["impressions"]), key=lambda ad: (-sums[ad]["spend"], ad))
        active = 0
        for ad in by_ad:
            days = [x for x in k.days(*k.back(e, 13)) if sum(r["impressions"] for r in k.pick(k.ad_rows, x, x, **ids, ad_id=ad)) > 0]
            active += len(days) >= 10 and (*key, ad) in ads and ads[*key, ad]["status"] == "enabled"
        own_ads = [r for ad_key, r in ads.items() if ad_key[:4] == key]
        enabled = [r for r in own_ads if r["status"] == "enabled"]
        refused = [r for r in enabled if r["approval_status"] == "disapproved"]
        is_reviewed = any(r["approval_status"] for r in own_ads)
        creatives = [r[c] for r in enabled for c in ("created_date", "first_serve_date", "creative_since") if r[c]]
        campaign = listed_campaigns.get(key[:3])
        currency = campaign and campaign["currency_code"]
        target, target_missing = k.in_base(campaign["target_cpa"], currency, k.d) if campaign else (None, None)
        shared, shared_missing = k.in_base(campaign["daily_budget"], currency, k.d) if campaign else (None, None)
        own, own_missing = k.in_base(row["daily_budget"], row["currency_code"] or currency, k.d) if row else (None, None)
        spend_w14 = sum(r["spend"] for r in w["w14"])
        of_campaign = sum(r["spend"] for r in k.pick(k.ad_rows, *k.back(e, 13), **account, campaign_id=key[2]))
        if own is None and shared is not None and of_campaign:
            own = micro(float(shared) * float(spend_w14) / float(of_campaign))
        reach = k.reach(e, "adgroup", key[3], account)
        labels = [label.lower() for r in (row, campaign) if r for label in r["labels"] or ()]
        result = {
            **k.head(e, None, first_day),
            **ids,
            "adgroup_name": row and row["name"],
            "campaign_name": campaign and campaign["name"],
            "adgroup_status": row and row["status"],
            "is_dynamic_creative": row and row["is_dynamic_creative"],
            "active_ads_w14": active if k.has_current("ads") else None,
            "campaign_role": campaign and campaign["role"],
            "campaign_objective": campaign and campaign["objective"] and campaign["objective"].lower(),
            "campaign_type": campaign and campaign["campaign_type"] and campaign["campaign_type"].lower(),
            "is_evergreen": "evergreen" in labels,
            "matured_days_w14": len(matured),
            "clicks_w14m": sum(r["clicks"] for r in w14m),
            "spend_w14m": sum(r["spend"] for r in w14m),
            "campaign_target_cpa": target,
            "advertiser_target_cpa": k.advertiser.target_cpa,
            "daily_budget": own,
            "account_spend_w7": sum(r["spend"] for r in k.pick(k.ad_rows, *k.back(e, 6), **account)),
            "account_conversions_w14": sum(r["conversions"] for r in k.pick(k.ad_rows, *k.back(e, 13), **account)),
            "enabled_ads": len(enabled) if own_ads else None,
            "enabled_rsa_ads": sum(r["format"] == "rsa" for r in enabled) if own_ads else None,
            "eligible_ads": len(enabled) - len(refused) if is_reviewed else None,
            "disapproved_ads": len(refused) if is_reviewed else None,
            "blocked_spend_b28": sum(r["spend"] for ad in refused for r in w["b28"] if r["ad_id"] == ad["ad_id"]) if is_reviewed else None,
            "days_since_new_creative": max((e - max(creatives)).days, 0) if creatives else None,
            "reach_w7": reach[7]["reach"] if 7 in reach else None,
            "reach_impressions_w7": reach[7]["impressions"] if 7 in reach else None,
            "reach_w30": reach[30]["reach"] if 30 in reach else None,
            "learning_status": k.learning_status(e, key[2], account),
            "days_since_edit": k.days_since_edit(e, (key[2], key[3]), account),
        }
        for measure, windows in (("spend", ("w7", "w14", "w28", "b28")), ("conversions", ("w7", "w14", "w28"))):
            result |= {f"{measure}_{name}": sum(r[measure] for r in w[name]) for name in windows}
        for place, name in enumerate(("top_ad", "second_ad")):
            ad = order[place] if len(order) > place else None
            result[f"{name}_id"] = ad
            result[f"{name}_name"] = ads[*key, ad]["name"] if ad and (*key, ad) in ads else None
            for measure in ("spend", "impressions", "clicks"):
                result[f"{name}_{measure}_w14"] = sums[ad][measure] if ad else None
        missing = pair(w["w35"], own_missing, shared_missing or target_missing)
        out.append(blank_money(result, missing, ADGROUP_MONEY))
        if pair(k.pick(k.ad_rows, *k.back(e, 34), **account)):
            out[-1]["account_spend_w7"] = None
    for result in out:
        states = [
            other["learning_status"]
            for other in out
            if other["adgroup_status"] == "enabled"
            and other["learning_status"]
            and all(other[n] == result[n] for n in ("platform", "account_id"))
        ]
        result |= {"account_learning_adgroups": len(states), "account_limited_adgroups": states.count("limited")}
    return out


ADGROUP_MONEY = (
    "spend_w7", "spend_w14", "spend_w28", "spend_b28", "spend_w14m", "top_ad_spend_w14", "second_ad_spend_w14", "campaign_target_cpa",
    "advertiser_target_cpa", "daily_budget", "blocked_spend_b28",
)  # fmt: skip


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
        complete = sum(clicks_on(x) * k.known_share(x) for x in zero)
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
