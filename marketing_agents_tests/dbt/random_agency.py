"""Small random agencies that hurt: restatements, deletions, empty versions, gaps, late first versions, UTC accounts, missing rates."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from marketing_agents_tests.dbt.areas import add_area_rows
from marketing_agents_tests.dbt.raw_database import AdvertiserRow, Raw, Row

ZONES = ("Europe/London", "Pacific/Auckland", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kolkata")
ACCOUNT_ZONES = ("UTC", "Europe/London", "Pacific/Auckland", "America/Los_Angeles", "Nowhere/Atlantis")
CURRENCIES = ("USD", "USD", "EUR", "JPY")


def random_agency(seed: int, *, end: date, days: int = 150, asked: int = 3, prefix: str = "") -> Raw:
    """Two advertisers with two accounts each; the last `asked` days of both are asked for."""
    rng = random.Random(seed)
    raw = Raw()
    for number in range(2):
        advertiser = AdvertiserRow(
            advertiser_id=f"{prefix}adv-{number}",
            time_zone=rng.choice(ZONES),
            run_time_local=rng.choice(("06:00", "09:30", "05:00")),
            gross_margin=rng.choice((None, Decimal("0.4"))),
            target_cpa=rng.choice((None, Decimal(25))),
            target_roas=None if number else Decimal("2.5"),
            settle_lag_hours=rng.choice((0, 3, 8, 24)),
        )
        raw.advertisers.append(advertiser)
        raw.asked += [(advertiser.advertiser_id, end - timedelta(days=n)) for n in range(asked)]
        _Advertiser(rng, raw, advertiser, end, days).write()
    return raw


class _Advertiser:
    def __init__(self, rng: random.Random, raw: Raw, advertiser: AdvertiserRow, end: date, days: int) -> None:
        self.rng, self.raw, self.id, self.end = rng, raw, advertiser.advertiser_id, end
        self.days = [end - timedelta(days=n) for n in range(days - 1, -1, -1)]
        self.accounts = [
            {
                "platform": rng.choice(("google_ads", "meta_ads")),
                "account_id": f"acc-{n}",
                "currency_code": rng.choice(CURRENCIES),
                "time_zone": rng.choice(ACCOUNT_ZONES),
                "settle_lag_hours": rng.choice((None, 0, 3, 36, 72)),
            }
            for n in range(2)
        ]
        # Some are never listed, and platforms move: then the zone is that of the newest rows known on the day.
        self.unlisted = {account["account_id"] for account in self.accounts if rng.random() < 0.4}
        self.moves = {
            account["account_id"]: (end - timedelta(days=rng.randint(1, 60)), rng.choice(ACCOUNT_ZONES)) for account in self.accounts
        }
        gap_start = end - timedelta(days=rng.randint(5, 90))
        self.rate_gap = (gap_start, gap_start + timedelta(days=rng.choice((5, 9, 12))))
        # Entities that begin late and with few rows: a row that comes or goes between versions moves their first day.
        self.young_since = {account["account_id"]: end - timedelta(days=rng.randint(5, 70)) for account in self.accounts}
        list_gap_start = end - timedelta(days=rng.randint(8, 50))
        self.list_gap = (list_gap_start, list_gap_start + timedelta(days=rng.choice((6, 7, 8, 10))))
        self.has_orders = rng.random() < 0.7
        self.has_ads_table = rng.random() < 0.8

    def write(self) -> None:
        for day in self.days:
            self._facts(day)
            self._lists(day)
        add_area_rows(self.raw, self.id, self.accounts, self.days, self.end)

    def _facts(self, day: date) -> None:
        rng = self.rng
        self._versions("ad_performance_daily", day, self._ad_rows)
        self._versions("conversions_by_action_daily", day, self._conversion_rows)
        if self.has_orders and rng.random() < 0.9:
            self._versions("orders_daily", day, self._order_rows)
        if rng.random() < 0.85 and not self.rate_gap[0] <= day <= self.rate_gap[1]:
            self._versions("fx_rates", day, self._fx_rows, restates=0.1)

    def _versions(self, table: str, day: date, rows_of: object, *, restates: float = 0.5) -> None:
        rng = self.rng
        if rng.random() < 0.06:
            return
        as_of = day if rng.random() < 0.9 else day + timedelta(days=rng.randint(1, 9))
        self.raw.add(table, self.id, day, rows_of(day), as_of=as_of)  # type: ignore[operator]
        while rng.random() < restates:
            as_of += timedelta(days=rng.choice((1, 1, 1, 2, 5, 20)))
            if as_of > self.end:
                break
            self.raw.add(table, self.id, day, [] if rng.random() < 0.1 else rows_of(day), as_of=as_of)  # type: ignore[operator]

    def _money(self) -> Decimal:
        return Decimal(self.rng.randint(0, 200_000_000)) / 1_000_000 if self.rng.random() < 0.9 else Decimal(0)

    def _zone_of(self, account: Row, day: date) -> object:
        moved_on, zone = self.moves[account["account_id"]]
        return zone if day >= moved_on else account["time_zone"]

    def _ad_rows(self, day: date) -> list[Row]:
        rng = self.rng
        rows: list[Row] = []
        for account in self.accounts:
            if rng.random() < 0.1:
                continue
            for campaign in range(2):
                for ad in range(3):
                    for network in ("search", "NA"):
                        if rng.random() < (0.9 if campaign else 0.35) or (campaign and day < self.young_since[str(account["account_id"])]):
                            continue
                        rows.append(
                            {
                                "platform": account["platform"],
                                "account_id": account["account_id"],
                                "campaign_id": f"c{campaign}",
                                "adgroup_id": f"g{ad // 2}",
                                "ad_id": f"ad-{ad}",
                                "network": network,
                                "device": "NA",
                                "impressions": rng.choice((0, 1, 250)),
                                "clicks": rng.randint(0, 30),
                                "spend": rng.choice((Decimal(5), self._money())),
                                "conversions": round(rng.random() * 4, rng.choice((0, 2, 9))),
                                "view_through_conversions": 0.25 * ad if network == "search" and campaign else None,
                                "conversion_value": Decimal(3 if campaign else 0) + Decimal(ad) / 8,
                                "currency_code": account["currency_code"],
                                "account_time_zone": self._zone_of(account, day),
                            }
                        )
        return rows

    def _conversion_rows(self, day: date) -> list[Row]:
        rng = self.rng
        return [
            {
                "platform": account["platform"],
                "account_id": account["account_id"],
                "campaign_id": f"c{campaign}",
                "conversion_action_id": f"act-{action}",
                "conversions": rng.choice((0, 0, 0, 1, 2.25)) if action else float(rng.random() < 0.3),
                "conversion_value": rng.choice((None, self._money())),
                "currency_code": account["currency_code"],
            }
            for account in self.accounts
            for campaign in range(2)
            for action in range(2)
            if rng.random() < 0.5 and (not action or day >= self.young_since[str(account["account_id"])])
        ]

    def _order_rows(self, day: date) -> list[Row]:
        rng = self.rng
        return [
            {
                "channel_touch": channel,
                "campaign_key": key,
                "orders": rng.randint(0, 9),
                "new_customer_orders": rng.choice((None, 0, 2)),
                "revenue": self._money(),
                "discount": Decimal(7) if key == "c1" and day.day > 7 else None,
                "currency_code": rng.choice(("USD", "EUR")),
            }
            for channel in ("google_ads", "meta_ads", "direct")
            for key in ("c0", "c1", "NA")
            if rng.random() < 0.5
        ]

    def _fx_rows(self, day: date) -> list[Row]:
        rng = self.rng
        rows: list[Row] = []
        if rng.random() < 0.9:
            rows.append({"from_currency": "EUR", "to_currency": "USD", "rate": Decimal(rng.randint(1_050_000_000, 1_150_000_000)) / 10**9})
        if rng.random() < 0.7:
            rows.append({"from_currency": "USD", "to_currency": "JPY", "rate": Decimal(rng.randint(140_000, 160_000)) / 1000})
        if rng.random() < 0.2:
            rows.append({"from_currency": "USD", "to_currency": "EUR", "rate": Decimal("0.9")})
        return rows

    def _lists(self, day: date) -> None:
        rng = self.rng
        if self.list_gap[0] <= day <= self.list_gap[1]:
            return
        if rng.random() < 0.9:
            self.raw.add(
                "platform_accounts",
                self.id,
                day,
                [
                    {**account, "name": f"Account {n}", "account_status": "active" if rng.random() < 0.9 else "disabled"}
                    for n, account in enumerate(self.accounts)
                    if account["account_id"] not in self.unlisted and rng.random() < 0.95
                ],
            )
        if rng.random() < 0.5:
            self.raw.add("campaigns", self.id, day, self._campaigns(day))
            if rng.random() < 0.2:
                self.raw.add("campaigns", self.id, day, self._campaigns(day), as_of=day + timedelta(days=2))
        if rng.random() < 0.5:
            self.raw.add(
                "adgroups",
                self.id,
                day,
                [
                    {
                        "platform": a["platform"],
                        "account_id": a["account_id"],
                        "campaign_id": f"c{c}",
                        "adgroup_id": f"g{g}",
                        "name": f"Group {g}",
                        "status": rng.choice(("enabled", "paused")),
                        "is_dynamic_creative": rng.choice((None, True, False)),
                        "valid_from": day,
                    }
                    for a in self.accounts
                    for c in range(3)
                    for g in range(2)
                ],
            )
        if self.has_ads_table and rng.random() < 0.5:
            self.raw.add(
                "ads",
                self.id,
                day,
                [
                    {
                        "platform": a["platform"],
                        "account_id": a["account_id"],
                        "campaign_id": f"c{c}",
                        "adgroup_id": f"g{n // 2}",
                        "ad_id": f"ad-{n}",
                        "name": f"Ad {n}",
                        "status": rng.choice(("enabled", "enabled", "paused")),
                        "valid_from": day,
                    }
                    for a in self.accounts
                    for c in range(2)
                    for n in range(3)
                ],
            )
        if rng.random() < 0.5:
            self.raw.add(
                "conversion_actions",
                self.id,
                day,
                [
                    {
                        "platform": a["platform"],
                        "account_id": a["account_id"],
                        "conversion_action_id": f"act-{n}",
                        "name": f"Action {n}",
                        "category": "lead" if day.day % 5 == 0 else "purchase",
                        "status": rng.choice(("enabled", "paused")),
                        "is_primary": n == 0,
                        "default_value": rng.choice((None, Decimal(12))),
                        "currency_code": a["currency_code"],
                        "valid_from": day,
                    }
                    for a in self.accounts
                    for n in range(3)
                ],
            )
        if rng.random() < 0.6:
            self.raw.add("budget_plans", self.id, day, self._plans(day))
        if rng.random() < 0.6:
            self.raw.add("calendar_events", self.id, day, self._events())

    def _campaigns(self, day: date) -> list[Row]:
        rng = self.rng
        return [
            {
                "platform": account["platform"],
                "account_id": account["account_id"],
                "campaign_id": f"c{number}",
                "name": f"Campaign {number}; DROP TABLE x; --",
                "role": rng.choice(("brand", "prospecting", None)),
                "status": rng.choice(("enabled", "enabled", "paused")),
                "daily_budget": rng.choice((None, Decimal(50))),
                "target_cpa": rng.choice((None, Decimal("20.5"))),
                "has_purchaser_exclusion": rng.choice((None, True, False)),
                "labels": rng.choice((None, [], ["brand"], ["a, b", "brand|x", "Größe"])),
                "currency_code": account["currency_code"],
                "valid_from": day,
            }
            for account in self.accounts
            for number in range(3)
        ]

    def _plans(self, day: date) -> list[Row]:
        month = day.replace(day=1)
        following = (month + timedelta(days=32)).replace(day=1)
        half_year = date(day.year, 1 if day.month < 7 else 7, 1)
        plan = {"name": "Plan", "is_hard_cap": False, "currency_code": "USD", "scope_ids": None}
        return [
            {
                **plan,
                "plan_id": "month",
                "period_start": month,
                "period_end": following - timedelta(days=1),
                "scope": "advertiser",
                "amount": Decimal(9000),
            },
            {
                **plan,
                "plan_id": "account",
                "period_start": month,
                "period_end": following - timedelta(days=1),
                "scope": "account",
                "scope_ids": ["acc-1"],
                "amount": Decimal(2500),
                "currency_code": "EUR",
            },
            {
                **plan,
                "plan_id": "next",
                "period_start": following,
                "period_end": following + timedelta(days=27),
                "scope": "campaigns",
                "scope_ids": ["c1", "c7"],
                "amount": Decimal(1000) if day.day % 2 else Decimal(1200),
            },
            {
                **plan,
                "plan_id": "campaigns",
                "period_start": month,
                "period_end": following + timedelta(days=3),
                "scope": "campaigns",
                "scope_ids": ["c0", "c1"][: 1 + day.day % 2],
                "amount": Decimal(4000),
                "is_hard_cap": True,
            },
            {
                **plan,
                "plan_id": "half-year",
                "period_start": half_year,
                "period_end": half_year + timedelta(days=183),
                "scope": "advertiser",
                "amount": Decimal(60000),
            },
        ]

    def _events(self) -> list[Row]:
        events = [
            ("sale", 12, 3, 1.8, True),
            ("holiday", -20, 1, None, True),
            ("fair", 3, 2, 1.3, False),
            ("peak", 20, 10, 2.5, True),
            ("now", 0, 0, 1.1, True),
            ("festival", -33, 4, 2.75, False),
        ]
        return [
            {
                "event_id": name,
                "name": name.title(),
                "date_from": self.end + timedelta(days=offset),
                "date_to": self.end + timedelta(days=offset + length),
                "expected_index_orders": index,
                "expected_index_cpm": index and index / 2,
                "mask_baseline": mask,
            }
            for name, offset, length, index, mask in events
        ]
