"""Contracts of what ads lead to: checks of landing pages, the items of product feeds and what they sell."""

from __future__ import annotations

from marketing_agents.days import LOOK_BACK_DAYS
from marketing_agents.warehouse.contract import Column, ColumnType, TableContract, TableKind
from marketing_agents.warehouse.tables.performance import ACCOUNT_ID, ADVERTISER_ID, CURRENCY, DATE, PLATFORM, B, D, I, S, amount, count

ITEM_ID = Column("item_id", S, "Item id of the feed.", required=True)

URL_CHECKS = TableContract(
    name="url_checks",
    description="Visits of a monitor to the pages that ads lead to; several a day, from several regions.",
    grain="page x region x instant",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "url", "region", "checked_at"),
    look_back_days=65,
    columns=(
        ADVERTISER_ID,
        Column("date", D, "Day in the advertiser's zone.", required=True),
        Column("url", S, "Address without query and fragment; all ads that lead there share its checks.", required=True),
        Column("checked_at", ColumnType.TIMESTAMP, "Instant of the check.", required=True),
        Column("region", S, "Region from which it was visited.", required=True),
        Column("http_status", I, "Status of the final answer; empty when there was none.", minimum=100, maximum=599),
        Column("redirect_kind", S, "Where redirects ended.", allowed=("none", "same_site", "home", "other_site")),
        Column("tls_ok", B, "False when the certificate was refused."),
        Column("is_out_of_stock", B, "True when the page says that its product cannot be bought."),
        count("lcp_ms", "Milliseconds to the largest contentful paint on a phone."),
    ),
)

FEED_ITEMS = TableContract(
    name="feed_items",
    description="Items of the product feed as the merchant platform sees them.",
    grain="platform account x item",
    kind=TableKind.REFERENCE,
    key=("advertiser_id", "platform", "account_id", "item_id"),
    look_back_days=90,
    currency="currency_code",
    columns=(
        ADVERTISER_ID,
        PLATFORM,
        Column("account_id", S, "Platform account that advertises the feed.", required=True),
        ITEM_ID,
        Column("title", S, "Title; outside text."),
        Column("status", S, "Review result.", required=True, allowed=("approved", "limited", "pending", "disapproved")),
        Column("availability", S, "Availability.", allowed=("in_stock", "out_of_stock", "preorder", "backorder")),
        amount("price", "Price."),
        CURRENCY,
    ),
)

PRODUCT_PERFORMANCE_DAILY = TableContract(
    name="product_performance_daily",
    description="What ads of each item of the feed cost and sold on a day.",
    grain="date x platform account x item",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "platform", "account_id", "item_id"),
    look_back_days=LOOK_BACK_DAYS,
    restates=True,
    currency="currency_code",
    columns=(
        ADVERTISER_ID,
        DATE,
        PLATFORM,
        ACCOUNT_ID,
        ITEM_ID,
        count("clicks", "Clicks."),
        amount("cost", "Cost in account currency."),
        amount("revenue", "Value of the conversions.", required=True),
        CURRENCY,
    ),
)

ADS_TABLES = (URL_CHECKS, FEED_ITEMS, PRODUCT_PERFORMANCE_DAILY)
