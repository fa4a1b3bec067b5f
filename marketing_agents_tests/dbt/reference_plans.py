"""Brute-force reference of the plan and calendar marts (see reference.py)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from marketing_agents_tests.dbt.reference import Known, Row, blank_money, micro, pair, ratio


def scope_of(k: Known, plan: Row) -> tuple[date, dict[date, list[Row]]]:
    """E of a plan, and the ad rows it covers."""

    def covers(row: Row) -> bool:
        if plan["scope"] == "advertiser":
            return True
        return (row["account_id"] if plan["scope"] == "account" else row["campaign_id"]) in plan["scope_ids"]

    rows = {day: [r for r in found if covers(r)] for day, found in k.ad_rows.items()}
    if plan["scope"] == "advertiser":
        return k.advertiser_e, rows
    delivering = {(r["platform"], r["account_id"]) for day, found in rows.items() if (k.d - day).days <= 125 for r in found}
    return min((k.accounts[a]["e"] for a in delivering), default=k.advertiser_e), rows


def plan_in_base(k: Known, plan: Row) -> tuple[Decimal | None, str | None]:
    return k.in_base(plan["amount"], plan["currency_code"], k.d)


def event_index(k: Known) -> dict[date, float]:
    index: dict[date, float] = {}
    for event in k.current("calendar_events"):
        if event["mask_baseline"]:
            for day in k.days(event["date_from"], event["date_to"]):
                index[day] = max(index.get(day, 0), event["expected_index_orders"] or 1)
    return index


def efficiency(k: Known, rows: dict[date, list[Row]], e: date) -> Row:
    """Conversions on settled days of W14, and those that the spend would buy at the targets; campaigns without a target are left out."""
    listed = {(r["platform"], r["account_id"], r["campaign_id"]): r for r in k.current("campaigns")}
    days = [x for x in k.days(*k.back(e, 13)) if k.is_mature(x)]
    by_campaign: dict[tuple[str, str, str], list[Row]] = {}
    for r in (r for x in days for r in rows.get(x, [])):
        by_campaign.setdefault((r["platform"], r["account_id"], r["campaign_id"]), []).append(r)
    conversions, expected = [], []
    for key, found in by_campaign.items():
        target = k.advertiser.target_cpa
        if key in listed and listed[key]["target_cpa"] is not None:
            target, _ = k.in_base(listed[key]["target_cpa"], listed[key]["currency_code"], k.d)
        if target:
            conversions.append(sum(r["conversions"] for r in found))
            expected.append(ratio(sum(r["spend"] for r in found), target) or Decimal(0))
    return {"conversions_w14m": sum(conversions) if conversions else None, "expected_conversions_w14m": sum(expected) if expected else None}


def plans(k: Known) -> list[Row]:
    out = []
    index = event_index(k)
    for plan in k.current("budget_plans"):
        start, end = plan["period_start"], plan["period_end"]
        if not start <= k.d <= end:
            continue
        e, rows = scope_of(k, plan)
        first_day = k.first_day(rows, e)
        horizon = e - timedelta(days=119)

        def spend(x: date, rows: dict[date, list[Row]] = rows) -> Decimal:
            return sum((r["spend"] for r in rows.get(x, [])), Decimal(0))

        def by_weekday(days: list[date]) -> dict[int, Decimal]:
            means = {}
            for weekday in range(7):
                same = [spend(x) for x in days if x.weekday() == weekday]
                if same:
                    means[weekday] = ratio(sum(same, Decimal(0)), len(same)) or Decimal(0)
            return means

        history = []
        if first_day:
            days = k.days(max(first_day, start - timedelta(days=56), horizon), min(start - timedelta(days=1), e))
            history = [x for x in days if x not in index]
        is_linear = len(history) < 28 or not sum(spend(x) for x in history)
        weights = by_weekday(history)
        recent = k.days(max(first_day, e - timedelta(days=27)), e) if first_day else []
        rates = by_weekday(recent)
        overall = ratio(sum((spend(x) for x in recent), Decimal(0)), len(recent)) if recent else Decimal(0)
        period = k.days(start, end)
        weight = {x: micro((1.0 if is_linear else float(weights.get(x.weekday(), 0))) * index.get(x, 1)) for x in period}
        mtd = sum((spend(x) for x in period if x <= e), Decimal(0)) if start >= horizon else None
        expected = sum((micro(float(rates.get(x.weekday(), overall) or 0) * index.get(x, 1)) for x in period if x > e), Decimal(0))
        amount, amount_missing = plan_in_base(k, plan)
        left = sum(x > e for x in period)
        required = max(ratio(amount - mtd, left), Decimal(0)) if left and amount is not None and mtd is not None else None
        result = {
            **k.head(e, None, first_day),
            "plan_id": plan["plan_id"],
            "plan_name": plan["name"],
            "plan_scope": plan["scope"],
            "period_start": start,
            "period_end": end,
            "is_hard_cap": plan["is_hard_cap"],
            "plan_amount": amount,
            "spend_mtd": mtd,
            "curve_share": float(sum(weight[x] for x in period if x <= e)) / float(sum(weight.values())),
            "spend_projected": mtd + expected if mtd is not None else None,
            "spend_w7": sum((spend(x) for x in k.days(*k.back(e, 6))), Decimal(0)),
            "required_daily": required,
            "days_elapsed": len(period) - left,
            "days_left": left,
        }
        missing = pair([r for x in k.days(horizon, e) for r in rows.get(x, [])], amount_missing)
        result |= efficiency(k, rows, e)
        if missing:
            result["expected_conversions_w14m"] = None
        out.append(blank_money(result, missing, ("plan_amount", "spend_mtd", "spend_projected", "spend_w7", "required_daily")))
    return out


def events(k: Known) -> list[Row]:
    out = []
    e = k.advertiser_e
    first_day = k.first_day(k.ad_rows, e)
    w28 = k.pick(k.ad_rows, *k.back(e, 27))
    order_days = [x for x in k.days(*k.back(e, 27)) if k.slice("orders_daily", x) is not None]
    revenue = sum((r["revenue"] for x in order_days for r in k.order_rows[x]), Decimal(0))
    orders_w28 = k.pick(k.order_rows, *k.back(e, 27))
    for event in k.current("calendar_events"):
        until = (event["date_from"] - k.d).days
        if not 0 <= until <= 30:
            continue
        days = k.days(event["date_from"], event["date_to"])
        planned: list[Decimal] = []
        plan_missing: list[str] = []
        for x in days:
            covering = [p for p in k.current("budget_plans") if p["period_start"] <= x <= p["period_end"]]
            for scope in ("advertiser", "account", "campaigns"):
                level = [p for p in covering if p["scope"] == scope]
                if level:
                    amounts = [(*plan_in_base(k, p), (p["period_end"] - p["period_start"]).days + 1) for p in level]
                    plan_missing += [missing for _, missing, _ in amounts if missing]
                    planned.append(sum((ratio(a, n) or Decimal(0) for a, _, n in amounts if a is not None), Decimal(0)))
                    break
        result = {
            **k.head(e, None, first_day),
            "event_id": event["event_id"],
            "event_name": event["name"],
            "date_from": event["date_from"],
            "date_to": event["date_to"],
            "days_until_start": until,
            "event_days": len(days),
            "expected_index_orders": event["expected_index_orders"],
            "last_year_index_orders": last_year(k, e, days),
            "planned_spend_per_day": ratio(sum(planned, Decimal(0)), len(planned)) if planned else None,
            "spend_per_day_w28": ratio(sum((r["spend"] for r in w28), Decimal(0)), min(28, (e - first_day).days + 1))
            if first_day
            else None,
            "revenue_per_day_w28": ratio(revenue, len(order_days)) if order_days else None,
            "gross_margin": float(k.advertiser.gross_margin) if k.advertiser.gross_margin else None,
        }
        missing = pair(w28 + orders_w28, *sorted(plan_missing))
        out.append(blank_money(result, missing, ("planned_spend_per_day", "spend_per_day_w28", "revenue_per_day_w28")))
    return out


def last_year(k: Known, e: date, days: list[date]) -> float | None:
    during = [x - timedelta(days=364) for x in days]
    before = k.days(during[0] - timedelta(days=28), during[0] - timedelta(days=1))
    slices = {x: k.slice("orders_daily", x) for x in (*before, *during) if x <= e}
    if len(slices) < len(before) + len(during) or any(rows is None for rows in slices.values()):
        return None
    total = {name: sum(r["orders"] for x in group for r in slices[x] or []) for name, group in (("during", during), ("before", before))}
    return total["during"] / len(during) / (total["before"] / 28) if total["before"] else None
