"""Contracts of what search and shopping campaigns meet: the queries that showed the ads, and the rivals in the same auctions.

Source: the search term and auction insight reports of Google Ads and Microsoft Ads (Fivetran `search_term_*`, transfer `ads_SearchQueryStats`).
Platforms hide rare queries, so the queries of a campaign add up to less than the campaign.
"""

from __future__ import annotations

from marketing_agents.warehouse.contract import Column, TableContract, TableKind
from marketing_agents.warehouse.tables.performance import (
    ACCOUNT_ID,
    ADVERTISER_ID,
    CAMPAIGN_ID,
    CURRENCY,
    DATE,
    PLATFORM,
    F,
    S,
    amount,
    count,
    share,
)

SEARCH_TERMS_DAILY = TableContract(
    name="search_terms_daily",
    description="What the queries that showed a campaign's ads cost and brought on a day; rare queries are hidden by the platform.",
    grain="date x campaign x search term",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "platform", "account_id", "campaign_id", "search_term"),
    look_back_days=60,
    restates=True,
    currency="currency_code",
    columns=(
        ADVERTISER_ID,
        DATE,
        PLATFORM,
        ACCOUNT_ID,
        CAMPAIGN_ID,
        Column("search_term", S, "What people typed; outside text.", required=True),
        count("impressions", "Times shown.", required=True),
        count("clicks", "Clicks.", required=True),
        amount("spend", "Cost in account currency.", required=True),
        Column("conversions", F, "Conversions attributed to the day of the click; may be fractional.", required=True, minimum=0),
        amount("conversion_value", "Value of these conversions."),
        CURRENCY,
    ),
)

AUCTION_INSIGHTS_DAILY = TableContract(
    name="auction_insights_daily",
    description="Rivals in the auctions of a campaign: how often they were there, and how often the campaign was above them.",
    grain="date x campaign x rival domain",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "platform", "account_id", "campaign_id", "rival_domain"),
    look_back_days=60,
    restates=True,
    columns=(
        ADVERTISER_ID,
        DATE,
        PLATFORM,
        ACCOUNT_ID,
        CAMPAIGN_ID,
        Column("rival_domain", S, "Domain of the rival; outside text.", required=True),
        share("impression_share", "The rival's share of the impressions it could have had."),
        share("overlap_rate", "Share of the campaign's impressions in which the rival was shown too."),
        share("outranking_share", "Share of the auctions in which the campaign was above the rival, or was shown when it was not."),
    ),
)

SEARCH_TABLES = (SEARCH_TERMS_DAILY, AUCTION_INSIGHTS_DAILY)
