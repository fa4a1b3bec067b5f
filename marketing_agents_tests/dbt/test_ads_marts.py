"""The marts of ads, landing pages and product feeds equal a brute-force reading of the same raw rows. Written from their descriptions."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import pytest

from marketing_agents_tests.dbt.conftest import END, Agency
from marketing_agents_tests.dbt.raw_database import read_mart
from marketing_agents_tests.dbt.reference import Known, Row, micro, pair

DAYS_BEFORE_END = (0, 1, 3, 8, 17, 30, 41)
AD_KEY = ("platform", "account_id", "campaign_id", "adgroup_id", "ad_id")
WINDOWS = {"w7": (6, 0), "p7": (13, 7), "b28": (34, 7), "w28": (27, 0), "past": (119, 28)}


@pytest.fixture(scope="module")
def known(agency: Agency) -> list[Known]:
    return [Known(agency.raw, advertiser, END - timedelta(days=n)) for advertiser in agency.raw.advertisers for n in DAYS_BEFORE_END]


def compare(agency: Agency, known: list[Known], mart: str, key: tuple[str, ...], expected_rows: list[Row]) -> None:
    def by_key(rows: list[Row]) -> dict[tuple[object, ...], Row]:
        return {(row["advertiser_id"], row["date"], *(row[k] for k in key)): row for row in rows}

    expected = by_key(expected_rows)
    found = by_key(read_mart(agency.database, mart, [(k.id, k.d) for k in known]))
    assert len(expected) > 60
    assert sorted(found, key=str) == sorted(expected, key=str)
    different = {
        (*entity, column): (found[entity][column], value)
        for entity, row in expected.items()
        for column, value in row.items()
        if found[entity][column] != value
    }
    assert dict(list(different.items())[:8]) == {}
    assert set(next(iter(found.values()))) == set(next(iter(expected.values())))


def total(rows: list[Row], measure: str) -> Any:
    return sum(row[measure] or 0 for row in rows)


# --- ads


def ad_figures(k: Known) -> list[Row]:
    """Each ad that has rows in the look-back or is enabled, with its own figures only."""
    listed = {tuple(r[c] for c in AD_KEY): r for r in k.current("ads")}
    rows_of: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for day, rows in k.ad_rows.items():
        for row in rows:
            rows_of[tuple(row[c] for c in AD_KEY)].append({**row, "day": day})
    found = []
    for ad in sorted(set(listed) | set(rows_of)):
        e = k.accounts[ad[0], ad[1]]["e"]
        mine = [r for r in rows_of[ad] if 0 <= (e - r["day"]).days <= 119]
        row = listed.get(ad)
        if not mine and (row is None or row["status"] != "enabled"):
            continue
        back = {name: [r for r in mine if last <= (e - r["day"]).days <= first] for name, (first, last) in WINDOWS.items()}
        w14 = [r for r in mine if (e - r["day"]).days <= 13]
        w14m = [r for r in mine if (e - r["day"]).days <= 13 and k.is_mature(r["day"])]
        result: Row = {**k.head(e, mine), **dict(zip(AD_KEY, ad, strict=True)), "e": e, "row": row}
        for name in ("w7", "p7", "w28", "past"):
            result[f"spend_{name}"] = total(back[name], "spend")
        for name in ("w7", "p7", "b28", "w28"):
            result |= {f"impressions_{name}": total(back[name], "impressions"), f"clicks_{name}": total(back[name], "clicks")}
        for name in ("w28", "past"):
            result[f"conversions_{name}"] = total(back[name], "conversions")
        result |= {"spend_w14m": total(w14m, "spend"), "conversions_w14m": total(w14m, "conversions")}
        result["impression_days_w28"] = len({r["day"] for r in back["w28"] if r["impressions"] > 0})
        seen = [r for r in w14 if r["video_3s_views"] is not None]
        views, shown = total(seen, "video_3s_views"), total(seen, "impressions")
        is_reported = shown > 0 or total(w14, "impressions") == 0
        result |= {"video_impressions_w14": shown if is_reported else None, "video_3s_views_w14": views if is_reported else None}
        found.append(result)
    return found


def best(others: list[Row], volume: str, least: int, rate: tuple[str, str], group: list[Row]) -> Row | None:
    money = sum(r["spend_w28"] for r in group)
    fit = [
        r
        for r in others
        if r[volume] >= least
        and r["row"]
        and r["row"]["status"] == "enabled"
        and r["impression_days_w28"] >= 20
        and r["spend_w28"] >= money * Decimal("0.1")
    ]
    return min(fit, key=lambda r: (-float(r[rate[0]]) / float(r[rate[1]]), r["ad_id"]), default=None)


def ads(k: Known) -> list[Row]:
    figures = ad_figures(k)
    groups = {(r["platform"], r["account_id"], r["campaign_id"], r["adgroup_id"]): r for r in k.current("adgroups")}
    campaigns = {(r["platform"], r["account_id"], r["campaign_id"]): r for r in k.current("campaigns")}
    out = []
    for ad in figures:
        account, campaign_id, adgroup_id, row = (ad["platform"], ad["account_id"]), ad["campaign_id"], ad["adgroup_id"], ad["row"] or {}
        in_account = [r for r in figures if (r["platform"], r["account_id"]) == account]
        in_campaign = [r for r in in_account if r["campaign_id"] == campaign_id]
        in_group = [r for r in in_campaign if r["adgroup_id"] == adgroup_id]
        others = [r for r in in_group if r is not ad]
        group, campaign = groups.get((*account, campaign_id, adgroup_id)), campaigns.get((*account, campaign_id))
        compared = others if sum(r["conversions_past"] for r in others) >= 30 else [r for r in in_campaign if r is not ad]
        by_ctr = best(others, "impressions_w28", 1000, ("clicks_w28", "impressions_w28"), in_group) or {}
        by_cvr = best(others, "clicks_w28", 200, ("conversions_w28", "clicks_w28"), in_group) or {}
        target, target_pair = k.advertiser.target_cpa, None
        if campaign and campaign["target_cpa"] is not None:
            target, target_pair = k.in_base(campaign["target_cpa"], campaign["currency_code"], k.d)
        e = ad["e"]
        reach = [
            r["reach"]
            for r in k.slice("reach_window", e) or []
            if (r["platform"], r["account_id"]) == account and (r["level"], r["window_days"], r["entity_id"]) == ("ad", 7, ad["ad_id"])
        ]
        formats = [r for r in in_account if r["row"] and row and r["row"]["format"] == row["format"] is not None]
        hooks = [r["video_3s_views_w14"] / r["video_impressions_w14"] for r in formats if (r["video_impressions_w14"] or 0) >= 5000]
        labels = [label.lower() for listed in (group, campaign) if listed for label in listed["labels"] or []]
        money = list(k.pick(k.ad_rows, *k.back(e, 119), platform=account[0], account_id=account[1], campaign_id=campaign_id))
        recent = k.pick(k.ad_rows, *k.back(e, 34), platform=account[0], account_id=account[1], campaign_id=campaign_id)
        far_pair, near_pair = pair(money), pair(recent)
        result = {
            **{name: value for name, value in ad.items() if name not in {"e", "row"}},
            "ad_name": row.get("name"),
            "ad_status": row.get("status"),
            "ad_format": row.get("format"),
            **{name: row.get(name) for name in ("ad_strength", "n_headlines", "n_descriptions", "n_images", "n_videos")},
            "adgroup_name": group and group["name"],
            "campaign_name": campaign and campaign["name"],
            "campaign_role": campaign and campaign["role"],
            "campaign_objective": campaign and campaign.get("objective"),
            "reach_w7": max(reach, default=None),
            "adgroup_spend_w28": sum(r["spend_w28"] for r in in_group),
            "is_in_experiment": any("experiment" in label for label in labels) if group or campaign else None,
            "siblings_w28": sum(r["impressions_w28"] >= 1000 for r in others),
            "account_ads_w7": sum(r["impressions_w7"] > 0 for r in in_account),
            "best_ctr_ad_id": by_ctr.get("ad_id"),
            "best_ctr_ad_name": by_ctr.get("row") and by_ctr["row"]["name"],
            "best_cvr_ad_id": by_cvr.get("ad_id"),
            "best_cvr_ad_name": by_cvr.get("row") and by_cvr["row"]["name"],
            **{f"best_ctr_{name}": by_ctr.get(name) for name in ("impressions_w28", "clicks_w28", "spend_w28", "conversions_w28")},
            **{f"best_cvr_{name}": by_cvr.get(name) for name in ("clicks_w28", "spend_w28", "conversions_w28")},
            **{
                f"sibling_{name}": sum(r[name] for r in compared)
                for name in ("spend_w14m", "conversions_w14m", "spend_past", "conversions_past")
            },
            "target_cpa": target,
            "hook_rate_ads": len(hooks),
            "hook_rate_median": micro(median(hooks)) if hooks else None,
            "missing_fx_pair": far_pair or target_pair,
        }
        for name in result:
            if "spend" in name and (far_pair if name.endswith("past") else near_pair):
                result[name] = None
        out.append(result)
    return out


def test_ads(agency: Agency, known: list[Known]) -> None:
    compare(agency, known, "ad_features", AD_KEY, [row for k in known for row in ads(k)])


def test_the_random_ads_have_what_the_comparison_is_about(agency: Agency) -> None:
    rows = read_mart(agency.database, "ad_features")
    for column in (
        "reach_w7",
        "is_in_experiment",
        "missing_fx_pair",
        "video_3s_views_w14",
        "ad_strength",
        "best_ctr_ad_id",
        "best_cvr_ad_id",
        "hook_rate_median",
    ):
        assert 0 < sum(row[column] is not None for row in rows) < len(rows), column
    assert {row["is_in_experiment"] for row in rows} == {None, False, True}


# --- landing pages


def run_since(checks: list[Row], is_well: Any) -> list[Row]:
    """Checks after the last good one."""
    last = max((c["checked_at"] for c in checks if is_well(c)), default=None)
    return [c for c in checks if last is None or c["checked_at"] > last]


def is_broken(check: Row) -> bool:
    status = check["http_status"]
    return status is None or (status >= 400 and status != 429) or check["tls_ok"] is False


def is_gone(check: Row) -> bool:
    return check["redirect_kind"] == "home" or check["is_out_of_stock"] is True


def minutes(checks: list[Row]) -> int:
    times = [c["checked_at"] for c in checks]
    return round((max(times) - min(times)).total_seconds() / 60) if times else 0


def pages(k: Known) -> list[Row]:
    ads_of: dict[str, list[Row]] = defaultdict(list)
    for row in k.current("ads"):
        if row.get("final_url") is not None:
            ads_of[re.split(r"[?#]", row["final_url"])[0]].append(row)
    week = {day: k.slice("url_checks", day) or [] for day in k.days(*k.back(k.d, 6))}
    out = []
    for page, listed in sorted(ads_of.items()):
        delivered: list[Row] = []
        touched: list[Row] = []
        for row in listed:
            e = k.accounts[row["platform"], row["account_id"]]["e"]
            ids = {name: row[name] for name in AD_KEY}
            delivered += k.pick(k.ad_rows, *k.back(e, 6), **ids)
            touched += k.pick(k.ad_rows, *k.back(e, 6), **{name: ids[name] for name in AD_KEY[:4]})
        live = sum(row["status"] == "enabled" for row in listed)
        if not live and not total(delivered, "spend"):
            continue
        today = [c for c in week[k.d] if c["url"] == page]
        failed = run_since(today, lambda c: not is_broken(c))
        lost = run_since(today, lambda c: not is_broken(c) and not is_gone(c))
        times = sorted(c["lcp_ms"] for checks in week.values() for c in checks if c["url"] == page and c["lcp_ms"] is not None)
        missing = pair(touched)
        out.append(
            {
                "advertiser_id": k.id,
                "date": k.d,
                "page_url": page,
                "currency_code": k.advertiser.base_currency,
                "evaluated_day": k.advertiser_e,
                "data_age_days": (k.d - k.advertiser_e).days,
                "history_days": sum(any(c["url"] == page for c in checks) for checks in week.values()),
                "live_ads": live,
                "spend_w7": None if missing else total(delivered, "spend"),
                "clicks_w7": total(delivered, "clicks"),
                "checks_of_day": len(today) or None,
                "broken_checks": len(failed) if today else None,
                "broken_regions": len({c["region"] for c in failed}) if today else None,
                "broken_minutes": minutes(failed) if today else None,
                "gone_checks": len(lost) if today else None,
                "gone_regions": len({c["region"] for c in lost}) if today else None,
                "gone_minutes": minutes(lost) if today else None,
                "error_status": max((c["http_status"] for c in failed if c["http_status"] is not None), default=None),
                "lcp_checks_w7": len(times),
                "lcp_p75_ms_w7": times[math.ceil(0.75 * len(times)) - 1] if times else None,
                "missing_fx_pair": missing,
            }
        )
    return out


def test_landing_pages(agency: Agency, known: list[Known]) -> None:
    rows = [row for k in known for row in pages(k)]
    compare(agency, known, "landing_page_features", ("page_url",), rows)
    assert {row["broken_regions"] for row in rows} >= {None, 0, 1, 2}


# --- product feeds


def feeds(k: Known) -> list[Row]:
    sales = k._with_money("product_performance_daily", "revenue")
    listed = {(r["platform"], r["account_id"], r["item_id"]): r for r in k.current("feed_items")}
    has_list = k.has_current("feed_items")
    out = []
    for account in sorted(k.accounts):
        platform, account_id = account
        ids = {"platform": platform, "account_id": account_id}
        e = k.accounts[account]["e"]
        mine = {item: r for (*key, item), r in listed.items() if tuple(key) == account}
        first_day = k.first_day(sales, e, **ids)
        if not mine and first_day is None:
            continue
        sold: dict[str, Decimal] = defaultdict(Decimal)
        window = k.pick(sales, *k.back(e, 34, 7), **ids)
        for row in window:
            sold[row["item_id"]] += row["revenue"]
        rejected = {i for i, r in mine.items() if r["status"] == "disapproved"}
        empty = {i for i, r in mine.items() if i not in rejected and r["availability"] == "out_of_stock"}
        lost = {i: money for i, money in sold.items() if i not in mine or i in rejected | empty}
        top = min((i for i, money in lost.items() if money > 0), key=lambda i: (-lost[i], i), default=None)
        counts = []
        for day in k.days(*k.back(k.d, 28, 1)):
            n = sum((r["platform"], r["account_id"]) == account for r in k.slice("feed_items", day) or [])
            counts += [n] if n else []
        row, missing = k.accounts[account]["row"], pair(window)
        out.append(
            {
                **k.head(e, None, first_day),
                **ids,
                "account_name": row and row["name"],
                "items": len(mine) if has_list else None,
                "feed_days_w28": len(counts),
                "items_median_w28": float(median(counts)) if counts else None,
                "rejected_items": len(rejected) if has_list else None,
                "out_of_stock_items": len(empty) if has_list else None,
                "vanished_items": sum(money > 0 for i, money in sold.items() if i not in mine) if has_list else None,
                "revenue_b28": None if missing else sum(sold.values()),
                "lost_revenue_b28": None if missing or not has_list else sum(lost.values()),
                "top_lost_item_id": top if has_list else None,
                "top_lost_item_title": mine[top]["title"] if has_list and top in mine else None,
                "gross_margin": k.advertiser.gross_margin,
                "missing_fx_pair": missing,
            }
        )
    return out


def test_feeds(agency: Agency, known: list[Known]) -> None:
    compare(agency, known, "feed_features", ("platform", "account_id"), [row for k in known for row in feeds(k)])
