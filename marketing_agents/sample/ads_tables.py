"""How often each ad is seen, what its landing page answers, and the product feed behind shopping campaigns."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from marketing_agents.sample import audience_tables
from marketing_agents.sample.columns import MICROS_PER_CENT, Coded, Constant, Scaled, build_table, money
from marketing_agents.sample.structure import SEARCH_PLATFORMS
from marketing_agents.sample.structure_tables import NEW_PAGE, landing_page, new_landing_page

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts

_WEEK = 7
_VIEWS_A_WEEK = {"retargeting": 1.8}
"""Impressions per reachable person and week; others see an ad 0.6 times."""
_REGIONS = ("eu-west", "us-east")
_ROUNDS_A_DAY = 4
_ITEMS = 140
_SELLERS = 110
"""Items that sell; the rest is the long tail of a catalogue, some of it out of stock at any time."""


def reach_window(facts: AdvertiserFacts) -> pa.Table:
    """Reach of campaigns and accounts, and of each social ad over 7 days."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pa.concat_tables([audience_tables.reach_window(facts), _ad_reach(facts)])
    order = pc.sort_indices(rows, sort_keys=[("date", "ascending")])
    return rows.take(order)


def _ad_reach(facts: AdvertiserFacts) -> pa.Table:
    import numpy as np

    structure, delivery = facts.structure, facts.delivery
    starts = np.flatnonzero(np.diff(delivery.cells.ad, prepend=-1))
    account = delivery.cells.account[starts]
    has_rows = facts.reported.has_rows[:, account]
    shown_on_day = np.add.reduceat(delivery.impressions, starts, axis=1) * has_rows
    total = np.cumsum(shown_on_day, axis=0)
    before = np.zeros_like(total)
    before[_WEEK:] = total[:-_WEEK]
    seen = total - before
    people = _people(facts) * facts.effects.reachable
    reach = np.clip(np.rint(people * (1 - np.exp(-seen / people))), 1, np.maximum(seen, 1)).astype(np.int64)
    social = np.array([a.platform not in SEARCH_PLATFORMS for a in structure.accounts])[account]
    day, ad = np.nonzero((seen > 0) & has_rows & social)
    return build_table(
        "reach_window",
        len(day),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": facts.date_array[day],
            "platform": Coded([a.platform for a in structure.accounts], account[ad]),
            "account_id": Coded([a.account_id for a in structure.accounts], account[ad]),
            "window_days": Constant(_WEEK),
            "level": Constant("ad"),
            "entity_id": Coded([a.ad_id for a in structure.ads], ad),
            "reach": reach[day, ad],
            "impressions": seen[day, ad],
            "frequency": (seen / reach)[day, ad].round(4),
        },
    )


def _people(facts: AdvertiserFacts) -> np.ndarray:
    """(ads,): how many people each ad can reach; set by the expected impressions, so that it is the same whatever `end` is."""
    import numpy as np

    structure = facts.structure
    groups = [structure.adgroups[ad.adgroup] for ad in structure.ads]
    parents = [structure.campaigns[group.campaign] for group in groups]
    weekly = np.array(
        [
            c.daily_spend * g.share * ad.share / (c.click_cost * c.click_rate * ad.click_index) * _WEEK
            for ad, g, c in zip(structure.ads, groups, parents, strict=True)
        ]
    )
    people: np.ndarray = np.maximum(1, weekly / np.array([_VIEWS_A_WEEK.get(c.idea.role, 0.6) for c in parents]))
    return people


def url_checks(facts: AdvertiserFacts) -> pa.Table:
    """Each page visited four times a day from two regions twenty minutes apart. Now and then a single visit fails."""
    import numpy as np

    numbers = range(len(facts.structure.campaigns))
    pages = [landing_page(facts, campaign) for campaign in numbers]
    if any(new_landing_page(facts, campaign) for campaign in numbers):
        pages.append(f"{facts.profile.site}/{NEW_PAGE}")
    shape = (len(facts.dates), _ROUNDS_A_DAY, len(_REGIONS), len(pages))
    usual = facts.streams.of("page speed").uniform(1100, 1700, size=len(pages))
    speed = np.rint(usual * np.exp(facts.streams.of("page visits").standard_normal(shape) * 0.18)).astype(np.int64)
    fails = facts.streams.of("page failures").uniform(size=shape) < 0.002
    day, turn, region, page = (index.ravel() for index in np.indices(shape))
    zone = facts.profile.advertiser.zone
    midnights = np.array(
        [datetime.combine(d, time(0), tzinfo=zone).astimezone(UTC).replace(tzinfo=None) for d in facts.dates], dtype="datetime64[us]"
    )
    # Five minutes past 1, 7, 13 and 19 o'clock, the second region twenty minutes later.
    instants = midnights[day] + (turn * 360 + 65 + region * 20) * np.timedelta64(60_000_000, "us")
    failed = fails.ravel()
    return build_table(
        "url_checks",
        len(day),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": facts.date_array[day],
            "url": Coded(pages, page),
            "checked_at": instants,
            "region": Coded(_REGIONS, region),
            "http_status": np.ma.masked_array(np.full(len(day), 200), mask=failed),
            "redirect_kind": Coded(["none", None], failed.astype(int)),
            "tls_ok": np.ma.masked_array(np.ones(len(day), dtype=bool), mask=failed),
            "is_out_of_stock": np.ma.masked_array(np.zeros(len(day), dtype=bool), mask=failed),
            "lcp_ms": np.ma.masked_array(speed.ravel(), mask=failed),
        },
    )


def _shops(facts: AdvertiserFacts) -> list[int]:
    """Positions of the accounts that advertise a product feed: those with a shopping campaign."""
    return sorted({c.account for c in facts.structure.campaigns if c.idea.role == "shopping"})


def item_ids(account_id: str) -> list[str]:
    """Items of an account's feed, best sellers first."""
    return [f"sku-{account_id[-3:]}-{number:04d}" for number in range(1, _ITEMS + 1)]


def seller_weights() -> np.ndarray:
    """(items,): share of the revenue of each item; 0 for the long tail."""
    import numpy as np

    weights = np.zeros(_ITEMS)
    weights[:_SELLERS] = 1 / np.sqrt(np.arange(1, _SELLERS + 1) + 8)
    shares: np.ndarray = weights / weights.sum()
    return shares


def feed_items(facts: AdvertiserFacts) -> pa.Table:
    """Every item of the feeds. What sells is approved and in stock; some of the long tail is not."""
    shops = _shops(facts)
    rows = [
        (facts.structure.accounts[shop], position, item)
        for shop in shops
        for position, item in enumerate(item_ids(facts.structure.accounts[shop].account_id))
    ]
    prices = [
        facts.profile.order_value * (0.3 + 1.2 * ((position * 37) % 100) / 100) * account.profile.units_per_base
        for account, position, _ in rows
    ]
    return build_table(
        "feed_items",
        len(rows),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "platform": [account.platform for account, _, _ in rows],
            "account_id": [account.account_id for account, _, _ in rows],
            "item_id": [item for _, _, item in rows],
            "title": [f"Item {position + 1}" for _, position, _ in rows],
            "status": ["disapproved" if position >= _SELLERS and position % 9 == 0 else "approved" for _, position, _ in rows],
            "availability": ["out_of_stock" if position >= _SELLERS and position % 5 == 0 else "in_stock" for _, position, _ in rows],
            "price": money(prices),
            "currency_code": [account.profile.currency for account, _, _ in rows],
        },
    )


def product_performance_daily(facts: AdvertiserFacts) -> pa.Table:
    """Clicks, cost and revenue of the shopping campaigns, split over the items that sell."""
    import numpy as np

    shops = _shops(facts)
    if not shops:
        return build_table("product_performance_daily", 0, {})
    campaigns = facts.structure.campaigns
    by_shop = []
    for values in (facts.delivery.clicks, facts.delivery.spend_cents, facts.reported.value_cents.sum(axis=0)):
        of_campaign = facts.delivery.cells.by_campaign(values) * facts.campaign_has_rows
        sells = [[c.account == shop and c.idea.role == "shopping" for c in campaigns] for shop in shops]
        by_shop.append(of_campaign @ np.array(sells, dtype=np.int64).T)
    mood = np.exp(facts.streams.of("items").standard_normal((len(facts.dates), len(shops), _ITEMS)) * 0.5)
    weights = seller_weights() * mood
    upto = np.cumsum(weights, axis=2) / weights.sum(axis=2, keepdims=True)
    # Cumulative shares, rounded down, so that the items add up exactly.
    clicks, cost, revenue = (np.diff(np.floor(total[:, :, None] * upto + 1e-6), axis=2, prepend=0).astype(np.int64) for total in by_shop)
    day, shop, item = np.nonzero((clicks > 0) | (cost > 0) | (revenue > 0))
    accounts = [facts.structure.accounts[i] for i in shops]
    ids = [name for account in accounts for name in item_ids(account.account_id)]
    return build_table(
        "product_performance_daily",
        len(day),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": facts.date_array[day],
            "platform": Coded([a.platform for a in accounts], shop),
            "account_id": Coded([a.account_id for a in accounts], shop),
            "item_id": Coded(ids, shop * _ITEMS + item),
            "clicks": clicks[day, shop, item],
            "cost": Scaled(cost[day, shop, item] * MICROS_PER_CENT),
            "revenue": Scaled(revenue[day, shop, item] * MICROS_PER_CENT),
            "currency_code": Coded([a.profile.currency for a in accounts], shop),
        },
    )
