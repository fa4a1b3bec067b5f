"""Searches, auctions, places and segments, column by column, against a brute-force reading of the same raw rows.

Written from the contracts (models/marts/campaign_market_features.yml, segment_features.yml and rules.md), not from the SQL.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from marketing_agents_tests.dbt.conftest import END, Agency
from marketing_agents_tests.dbt.raw_database import read_mart
from marketing_agents_tests.dbt.reference import Known, Row, blank_money, micro, ratio

DAYS_BEFORE_END = (0, 1, 2, 9, 23, 40, 57)
JUDGED = ("device", "age_gender", "region", "placement")


def words(text: str) -> list[str]:
    """Runs of letters, marks and digits."""
    composed = unicodedata.normalize("NFC", text).lower()
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in composed).split()


def is_brand(term: str, tokens: Iterable[str]) -> bool:
    found = words(term)
    for token in tokens:
        phrase = words(token)
        if phrase and any(found[n : n + len(phrase)] == phrase for n in range(len(found))):
            return True
    return False


class Search(Known):
    """`Known` with the tables of this area, in base currency, conversions at six digits."""

    def rows(self, table: str) -> dict[date, list[Row]]:
        if table not in self.__dict__.setdefault("_tables", {}):
            out: dict[date, list[Row]] = {}
            for day in self.days(self.d - timedelta(days=130), self.d):
                rows = self.slice(table, day)
                if rows is not None:
                    out[day] = [self._row(row, day) for row in rows]
            self.__dict__["_tables"][table] = out
        return self.__dict__["_tables"][table]  # type: ignore[no-any-return]

    def _row(self, row: Row, day: date) -> Row:
        if "spend" not in row:
            return {**row, "missing": None}
        value, missing = self.in_base(row["spend"], row["currency_code"], day)
        return {**row, "conversions": micro(row["conversions"]), "spend": value or Decimal(0), "missing": missing}

    def window(self, table: str, e: date, first: int, last: int = 0, *, matured: bool = False, **keys: Any) -> list[Row]:
        days = [x for x in self.days(*self.back(e, first, last)) if not matured or self.is_mature(x)]
        rows = self.ad_rows if table == "ad_performance_daily" else self.rows(table)
        return [r for x in days for r in self.pick(rows, x, x, **keys)]


def total(rows: Iterable[Row], measure: str) -> Any:
    return sum((r[measure] or 0 for r in rows), start=0 if measure in {"clicks", "impressions", "landing_page_views"} else Decimal(0))


def first_pair(*groups: list[Row]) -> str | None:
    """The first missing pair by name of the first table that lacks one."""
    for rows in groups:
        found = sorted(r["missing"] for r in rows if r["missing"])
        if found:
            return str(found[0])
    return None


def market(k: Search) -> list[Row]:
    listed = {(r["platform"], r["account_id"], r["campaign_id"]): r for r in k.current("campaigns")}
    keys = {(r["platform"], r["account_id"], r["campaign_id"]) for rows in k.ad_rows.values() for r in rows}
    out = []
    for platform, account_id, campaign_id in sorted(keys):
        ids = {"platform": platform, "account_id": account_id, "campaign_id": campaign_id}
        e = k.accounts[platform, account_id]["e"]
        first_day = k.first_day(k.ad_rows, e, **ids)
        if first_day is None:
            continue
        row = listed.get((platform, account_id, campaign_id))

        def ads(first: int, *, matured: bool = False, e: date = e, ids: Row = ids) -> list[Row]:
            return k.window("ad_performance_daily", e, first, matured=matured, **ids)

        result = {
            **k.head(e, None, first_day),
            **ids,
            "campaign_name": row and row["name"],
            "campaign_role": row and row["role"],
            "campaign_status": row and row["status"],
            "impressions_w14": total(ads(13), "impressions"),
            "spend_w7": total(ads(6), "spend"),
            "spend_w28": total(ads(27), "spend"),
            "conversions_w28": total(ads(27), "conversions"),
            "spend_w28m": total(ads(27, matured=True), "spend"),
            **queries(k, e, ids),
            **auctions(k, e, ids),
            **places(k, e, ids, row),
        }
        missing = first_pair(
            ads(27),
            k.window("search_terms_daily", e, 34, **ids),
            [r for r in k.window("segment_performance_daily", e, 6, **ids) if r["dimension"] in {*JUDGED, "country"}],
        )
        money = [name for name in result if "spend" in name] + [
            "barren_expected_w28m",
            "chance_expected_w28m",
            "chance_log_w28m",
            "top_barren_query",
        ]
        out.append(blank_money(result, missing, tuple(money)))
    return out


def queries(k: Search, e: date, ids: Row) -> Row:
    w28, b28 = k.window("search_terms_daily", e, 27, **ids), k.window("search_terms_daily", e, 34, 7, **ids)
    has_queries = total(w28, "clicks") > 0 or total(w28, "spend") > 0 or total(b28, "spend") > 0
    matured = k.window("search_terms_daily", e, 27, matured=True, **ids)
    spend, conversions = total(matured, "spend"), total(matured, "conversions")
    by_term: dict[str, list[Row]] = defaultdict(list)
    for r in matured:
        by_term[r["search_term"]].append(r)
    barren: list[tuple[Decimal, str, float]] = []
    chance, chance_log = Decimal(0), Decimal(0)
    for term, rows in by_term.items():
        cost = total(rows, "spend")
        if not cost or not conversions:
            continue
        expected = float(cost) * float(conversions) / float(spend)
        if expected < 0.5:
            continue
        zero = math.exp(-expected)
        chance += micro(expected * zero)
        chance_log += micro(math.log(1 - zero + math.exp(-expected / 2)))
        if not total(rows, "conversions"):
            barren.append((cost, term, expected))
    barren.sort(key=lambda item: (-item[0], item[1].encode()))
    tokens = k.advertiser.brand_tokens

    def own(rows: list[Row], measure: str) -> Any:
        if not has_queries or not tokens:
            return None
        return total([r for r in rows if is_brand(r["search_term"], tokens)], measure)

    w7 = k.window("search_terms_daily", e, 6, **ids)
    return {
        "query_clicks_w28": total(w28, "clicks") if has_queries else None,
        "query_spend_w28m": spend if has_queries else None,
        "query_conversions_w28m": conversions if has_queries else None,
        "barren_queries_w28m": len(barren) if has_queries else None,
        "barren_spend_w28m": sum((b[0] for b in barren), start=Decimal(0)) if has_queries else None,
        "barren_expected_w28m": sum((micro(b[2]) for b in barren), start=Decimal(0)) if has_queries else None,
        "chance_expected_w28m": chance if has_queries else None,
        "chance_log_w28m": chance_log if has_queries else None,
        "top_barren_query": barren[0][1] if barren else None,
        "top_barren_spend_w28m": barren[0][0] if barren else None,
        "brand_clicks_w7": own(w7, "clicks"),
        "brand_spend_w7": own(w7, "spend"),
        "brand_clicks_b28": own(b28, "clicks"),
        "brand_spend_b28": own(b28, "spend"),
        "brand_clicks_w28": own(w28, "clicks"),
        "brand_spend_w28": own(w28, "spend"),
        "brand_conversions_w28": own(w28, "conversions"),
    }


def auctions(k: Search, e: date, ids: Row) -> Row:
    result: Row = {}
    days: dict[str, int] = {}
    rivals: dict[str, dict[str, list[Row]]] = {}
    for name, first, last in (("w14", 13, 0), ("p28", 41, 14)):
        known = [
            r
            for r in k.window("campaign_metrics_daily", e, first, last, **ids)
            if r["search_impression_share"] is not None and r["search_rank_lost_impression_share"] is not None
        ]
        sums = dict.fromkeys(("impression_share_low", "rank_lost_low", "rank_lost_high", "budget_lost"), Decimal(0))
        for r in known:
            by_budget = micro(r["search_budget_lost_impression_share"] or 0.0)
            censored = bool(r["is_censored"])
            sums["budget_lost"] += by_budget
            sums["impression_share_low"] += Decimal("0.05") if censored else micro(r["search_impression_share"])
            lost = micro(r["search_rank_lost_impression_share"])
            sums["rank_lost_low"] += max(Decimal("0.90") - by_budget, Decimal(0)) if censored else lost
            sums["rank_lost_high"] += max(Decimal("0.95") - by_budget, Decimal(0)) if censored else lost
        result[f"share_days_{name}"] = len(known)
        if name == "w14":
            result["censored_days_w14"] = sum(bool(r["is_censored"]) for r in known)
        result |= {f"{measure}_{name}": ratio(value, len(known)) for measure, value in sums.items()}
        rows_by_day = [k.window("auction_insights_daily", x, 0, **ids) for x in k.days(*k.back(e, first, last))]
        days[name] = sum(any(r["overlap_rate"] is not None for r in rows) for rows in rows_by_day)
        rivals[name] = defaultdict(list)
        for rows in rows_by_day:
            for r in rows:
                rivals[name][r["rival_domain"]].append(r)
        result[f"auction_days_{name}"] = days[name]

    def mean(name: str, rival: str, measure: str) -> Decimal:
        found = ratio(sum((micro(r[measure]) for r in rivals[name][rival] if r[measure] is not None), start=Decimal(0)), days[name])
        return found if found is not None else Decimal(0)

    named = []
    if all(days.values()):
        for rival in sorted({*rivals["w14"], *rivals["p28"]}):
            now, before = mean("w14", rival, "overlap_rate"), mean("p28", rival, "overlap_rate")
            if now > 0:
                named.append((-(now - before), rival, now, before))
    top = min(named, default=None)
    return result | {
        "rival_domain": top and top[1],
        "rival_overlap_w14": top and top[2],
        "rival_overlap_p28": top and top[3],
        "rival_outranked_w14": top and mean("w14", top[1], "outranking_share"),
    }


def places(k: Search, e: date, ids: Row, campaign: Row | None) -> Row:
    allowed = {geo.strip().lower() for geo in (campaign or {}).get("allowed_geos") or []}
    rows = k.window("segment_performance_daily", e, 6, **ids, dimension="country")
    by_value: dict[str, list[Row]] = defaultdict(list)
    for r in rows:
        by_value[r["value"]].append(r)
    shown = {value: (total(part, "impressions"), total(part, "spend")) for value, part in by_value.items()}
    shown = {value: sums for value, sums in shown.items() if any(sums)}
    outside = {value: sums for value, sums in shown.items() if allowed and value.strip().lower() not in allowed}
    top = min(((-n, -money, value) for value, (n, money) in outside.items()), default=None)
    return {
        "has_allowed_geos": bool(allowed),
        "geo_impressions_w7": sum(n for n, _ in shown.values()) if shown else None,
        "geo_spend_w7": sum((money for _, money in shown.values()), start=Decimal(0)) if shown else None,
        "outside_impressions_w7": sum(n for n, _ in outside.values()) if shown and allowed else None,
        "outside_spend_w7": sum((money for _, money in outside.values()), start=Decimal(0)) if shown and allowed else None,
        "top_outside_country": top and top[2],
    }


def segments(k: Search) -> list[Row]:
    listed = {(r["platform"], r["account_id"], r["campaign_id"]): r for r in k.current("campaigns")}
    table = "segment_performance_daily"
    names = ("platform", "account_id", "campaign_id", "dimension", "value")
    keys = {tuple(r[n] for n in names) for rows in k.rows(table).values() for r in rows if r["dimension"] in JUDGED}
    out: list[Row] = []
    for key in sorted(keys):
        ids = dict(zip(names, key, strict=True))
        e = k.accounts[key[0], key[1]]["e"]
        w14, w28m = k.window(table, e, 13, **ids), k.window(table, e, 27, matured=True, **ids)
        if not total(w28m, "spend") and not total(w14, "spend") and not total(w14, "impressions"):
            continue
        row = listed.get(key[:3])  # type: ignore[call-overload]
        known = [r for r in w14 if r["landing_page_views"] is not None]
        w14m = k.window(table, e, 13, matured=True, **ids)
        result = {
            **k.head(e, None, k.first_day(k.rows(table), e, **ids)),
            **{n: ids[n] for n in names[:4]},
            "segment": ids["value"],
            "campaign_name": row and row["name"],
            "campaign_status": row and row["status"],
            "special_ad_category": row and row["special_ad_category"],
            "spend_w7": total(k.window(table, e, 6, **ids), "spend"),
            "spend_w14": total(w14, "spend"),
            "impressions_w14": total(w14, "impressions"),
            "clicks_w14": total(w14, "clicks"),
            "landing_page_views_w14": total(known, "landing_page_views") if total(known, "clicks") else None,
            "clicks_with_views_known_w14": total(known, "clicks"),
            "clicks_w14m": total(w14m, "clicks"),
            "conversions_w14m": total(w14m, "conversions"),
            "spend_w28m": total(w28m, "spend"),
            "conversions_w28m": total(w28m, "conversions"),
        }
        of_kind = {n: ids[n] for n in names[:4]}
        for measure in ("spend", "impressions", "clicks"):
            result[f"campaign_{measure}_w14"] = total(k.window(table, e, 13, **of_kind), measure)
        for measure, name, first in (
            ("clicks", "w14m", 13),
            ("conversions", "w14m", 13),
            ("spend", "w28m", 27),
            ("conversions", "w28m", 27),
        ):
            result[f"campaign_{measure}_{name}"] = total(k.window(table, e, first, matured=True, **of_kind), measure)
        campaign = {n: ids[n] for n in names[:3]}
        missing = first_pair([r for r in k.window(table, e, 27, **campaign) if r["dimension"] in {*JUDGED, "country"}])
        out.append(blank_money(result, missing, tuple(name for name in result if "spend" in name)))
    return out


MARTS: list[tuple[str, tuple[str, ...], Callable[[Search], list[Row]]]] = [
    ("campaign_market_features", ("platform", "account_id", "campaign_id"), market),
    ("segment_features", ("platform", "account_id", "campaign_id", "dimension", "segment"), segments),
]


@pytest.fixture(scope="module")
def known(agency: Agency) -> list[Search]:
    return [Search(agency.raw, advertiser, END - timedelta(days=n)) for advertiser in agency.raw.advertisers for n in DAYS_BEFORE_END]


@pytest.mark.parametrize(("mart", "key", "expected_rows"), MARTS, ids=[name for name, _, _ in MARTS])
def test_mart_equals_reference(
    agency: Agency, known: list[Search], mart: str, key: tuple[str, ...], expected_rows: Callable[[Search], list[Row]]
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
        if found[entity][column] != value
    }
    assert different == {}
    assert set(next(iter(found.values()))) == set(next(iter(expected.values())))


def test_the_comparison_is_about_something(agency: Agency) -> None:
    rows = read_mart(agency.database, "campaign_market_features")
    for column in ("barren_queries_w28m", "brand_clicks_w28", "censored_days_w14", "outside_impressions_w7"):
        assert any(row[column] for row in rows), column
        assert any(not row[column] for row in rows), column
    assert {row["rival_domain"] for row in rows} == {None, "rival.example", "other.example"}
    cells = read_mart(agency.database, "segment_features")
    assert {row["dimension"] for row in cells} == {"device", "placement"}
    assert any(row["landing_page_views_w14"] is None for row in cells)
    assert {row["special_ad_category"] for row in cells} == {None, True, False}


@pytest.mark.parametrize(
    ("term", "token", "expected"),
    [
        ("ACME-Boots!", "acme", True),
        ("pacmen", "acme", False),
        ("boots of acme co", "Acme Co", True),
        ("acme & co", "acme co", True),
        ("co acme", "acme co", False),
        ("विद्या पथ कोर्स", "विद्या पथ", True),
        ("विद्यालय", "विद्या", False),
        ("ko\u0304whai", "KŌWHAI", True),
        ("anything", "!!", False),
    ],
)
def test_own_name_is_found_as_whole_words(term: str, token: str, *, expected: bool) -> None:
    """The reference, which the mart equals on random rows with such names, is right about them."""
    assert is_brand(term, [token]) is expected
