"""The marts of audiences and of pairs of audiences, column by column, against a plain reading of the same random rows.

What the ad groups spend and reach is read from the reference of their own mart, which `test_marts_against_reference.py` holds against the SQL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

import pytest

from marketing_agents_tests.dbt.conftest import END, Agency
from marketing_agents_tests.dbt.raw_database import read_mart
from marketing_agents_tests.dbt.reference import Known, Row, adgroups, blank_money, pair

DAYS_BEFORE_END = (0, 1, 2, 7, 9, 15, 23, 31, 40, 57)
AudienceKey = tuple[str, str, str]


class Audiences:
    """The audiences of a day, and which enabled ad groups use them."""

    def __init__(self, k: Known) -> None:
        self.k = k
        self.listed: dict[AudienceKey, Row] = {_key(r): r for r in k.current("audiences")}
        enabled = {_group(r): r for r in adgroups(k) if r["adgroup_status"] == "enabled"}
        named = {
            (*key, group)
            for key, r in self.listed.items()
            for group in enabled
            if group[:2] == key[:2] and group[3] in (r["attached_adgroups"] or ())
        }
        for r in k.current("adgroups"):
            named |= {(*_group(r)[:2], audience, _group(r)) for audience in r["audience_ids"] or () if _group(r) in enabled}
        self.users: dict[AudienceKey, list[Row]] = defaultdict(list)
        for platform, account, audience, group in sorted(named):
            self.users[platform, account, audience].append(enabled[group])

    def targets(self, group: Row) -> set[str]:
        """Audiences that an ad group wants to reach."""
        return {
            key[2]
            for key, users in self.users.items()
            if group in users and (key not in self.listed or self.listed[key]["role"] != "exclusion")
        }

    def size_before(self, key: AudienceKey) -> Row:
        for back in range(28, 36):
            rows = self.k.slice("audiences", self.k.d - timedelta(days=back))
            if rows is not None:
                return next((r for r in rows if _key(r) == key), {})
        return {}


def _key(row: Row) -> AudienceKey:
    return row["platform"], row["account_id"], row["audience_id"]


def _group(row: Row) -> tuple[str, str, str, str]:
    return row["platform"], row["account_id"], row["campaign_id"], row["adgroup_id"]


def audiences(k: Known) -> list[Row]:
    known = Audiences(k)
    out = []
    for key, row in known.listed.items():
        account = k.accounts.get(key[:2])
        if account is None:
            continue
        users = known.users[key]
        own = [u["reach_w30"] for u in users if known.targets(u) == {key[2]}]
        before = known.size_before(key)
        lookalikes = [
            s for other, s in known.listed.items() if other[:2] == key[:2] and s["seed_audience_id"] == key[2] and known.users[other]
        ]
        result = {
            **k.head(account["e"], None),
            "platform": key[0],
            "account_id": key[1],
            "audience_id": key[2],
            "audience_name": row["name"],
            "audience_type": row["type"],
            "audience_role": row["role"],
            "audience_status": row["status"],
            "history_days": max((u["history_days"] for u in users), default=0),
            "active_adgroups": len(users),
            "active_lookalikes": len(lookalikes),
            "spend_w7": sum(u["spend_w7"] or 0 for u in users),
            "reach_w30": max((r for r in own if r is not None), default=None) if row["role"] != "exclusion" else None,
            "size_lower": row["size_lower"],
            "size_upper": row["size_upper"],
            "size_upper_28d_before": before.get("size_upper"),
            "membership_days": row["membership_days"],
            "membership_days_28d_before": before.get("membership_days"),
            "days_since_refresh": (k.d - row["last_refreshed"]).days if row["last_refreshed"] else None,
        }
        out.append(blank_money(result, pair([{"missing": u["missing_fx_pair"]} for u in users]), ("spend_w7",)))
    return out


def pairs(k: Known) -> list[Row]:
    known = Audiences(k)
    out = []
    for row in k.current("audience_overlap"):
        platform, account_id = row["platform"], row["account_id"]
        account = k.accounts.get((platform, account_id))
        if account is None:
            continue
        ids = (row["audience_a"], row["audience_b"])
        both = [known.users[platform, account_id, i] for i in ids]
        sides = [[u for u in own if u not in other] for own, other in (both, both[::-1])]
        objectives = [{u["campaign_objective"] for u in side} - {None} for side in sides]
        everyone = [u for side in sides for u in side]
        names = [known.listed.get((platform, account_id, i), {}) for i in ids]
        result = {
            **k.head(account["e"], None),
            "platform": platform,
            "account_id": account_id,
            "audience_a": ids[0],
            "audience_b": ids[1],
            "pair_name": " / ".join(n.get("name", i) for n, i in zip(names, ids, strict=True)),
            "audience_a_name": names[0].get("name"),
            "audience_b_name": names[1].get("name"),
            "audience_a_role": names[0].get("role"),
            "audience_b_role": names[1].get("role"),
            "history_days": max((u["history_days"] for u in everyone), default=0),
            "overlap_abs": row["overlap_abs"],
            "overlap_share": row["overlap_share_of_smaller"],
            "spend_a_w7": sum(u["spend_w7"] or 0 for u in sides[0]),
            "spend_b_w7": sum(u["spend_w7"] or 0 for u in sides[1]),
            "account_spend_w7": max((u["account_spend_w7"] or 0 for u in everyone), default=0),
            "has_same_objective": bool(objectives[0] & objectives[1]),
        }
        missing = pair([{"missing": u["missing_fx_pair"]} for u in everyone])
        out.append(blank_money(result, missing, ("spend_a_w7", "spend_b_w7", "account_spend_w7")))
    return out


MARTS: list[tuple[str, tuple[str, ...], Callable[[Known], list[Row]]]] = [
    ("audience_features", ("platform", "account_id", "audience_id"), audiences),
    ("audience_pair_features", ("platform", "account_id", "audience_a", "audience_b"), pairs),
]


@pytest.fixture(scope="module")
def known(agency: Agency) -> list[Known]:
    return [Known(agency.raw, advertiser, END - timedelta(days=n)) for advertiser in agency.raw.advertisers for n in DAYS_BEFORE_END]


@pytest.mark.parametrize(("mart", "key", "expected_rows"), MARTS, ids=[name for name, _, _ in MARTS])
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
        if found[entity][column] != value
    }
    assert different == {}
    assert set(next(iter(found.values()))) == set(next(iter(expected.values())))


@pytest.mark.parametrize(("mart", "columns"), [
    ("audience_features", ("reach_w30", "size_upper_28d_before", "active_lookalikes", "missing_fx_pair")),
    ("audience_pair_features", ("spend_a_w7", "spend_b_w7", "overlap_share", "missing_fx_pair")),
])  # fmt: skip
def test_the_comparison_is_about_something(agency: Agency, mart: str, columns: tuple[str, ...]) -> None:
    rows = read_mart(agency.database, mart)
    assert {column for column in columns if not any(row[column] for row in rows)} == set()
