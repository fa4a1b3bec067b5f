"""Contracts of daily facts that platforms report: ads, campaigns, segments, conversions, reach, tags.

Source of columns and grain: research of real warehouses (Google Ads and Meta transfers, Fivetran, Airbyte); see `docs/tables.md`.
Facts are sparse: a missing row of an enabled entity means zero.
"""

from __future__ import annotations

from marketing_agents.days import LOOK_BACK_DAYS
from marketing_agents.warehouse.contract import Column, ColumnType, TableContract, TableKind

PLATFORMS = (
    "google_ads",
    "meta_ads",
    "microsoft_ads",
    "tiktok_ads",
    "linkedin_ads",
    "pinterest_ads",
    "snapchat_ads",
    "reddit_ads",
    "amazon_ads",
    "other",
)

S, I, F, M, D, B = (
    ColumnType.STRING,
    ColumnType.INTEGER,
    ColumnType.FLOAT,
    ColumnType.MONEY,
    ColumnType.DATE,
    ColumnType.BOOLEAN,
)

ADVERTISER_ID = Column("advertiser_id", S, "Advertiser (tenant) slug of the registry.", required=True)
DATE = Column("date", D, "Platform reporting day, in the zone of the platform account.", required=True)
PLATFORM = Column("platform", S, "Advertising platform.", required=True, allowed=PLATFORMS)
ACCOUNT_ID = Column("account_id", S, "Platform account id.", required=True)
CAMPAIGN_ID = Column("campaign_id", S, "Campaign id.", required=True)
ADGROUP_ID = Column("adgroup_id", S, "Ad group id (Meta: ad set; LinkedIn: campaign).", required=True)
AD_ID = Column("ad_id", S, "Ad id.", required=True)
CURRENCY = Column("currency_code", S, "ISO 4217 code of the account currency; all money columns of the row are in it.", required=True)
ACCOUNT_ZONE = Column("account_time_zone", S, "IANA zone in which the platform cuts the reporting day.", required=True)


def count(name: str, description: str, *, required: bool = False) -> Column:
    """A non-negative whole number."""
    return Column(name, I, description, required=required, minimum=0)


def amount(name: str, description: str, *, required: bool = False) -> Column:
    """A non-negative amount of money in the row's currency."""
    return Column(name, M, description, required=required, minimum=0)


def share(name: str, description: str) -> Column:
    """A share between 0 and 1."""
    return Column(name, F, description, minimum=0, maximum=1)


AD_PERFORMANCE_DAILY = TableContract(
    name="ad_performance_daily",
    description="What each ad showed, cost and brought on a day.",
    grain="date x platform x account x campaign x ad group x ad x network x device",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "platform", "account_id", "campaign_id", "adgroup_id", "ad_id", "network", "device"),
    look_back_days=LOOK_BACK_DAYS,
    restates=True,
    currency="currency_code",
    columns=(
        ADVERTISER_ID,
        DATE,
        PLATFORM,
        ACCOUNT_ID,
        CAMPAIGN_ID,
        ADGROUP_ID,
        AD_ID,
        Column("network", S, "Network or 'NA'.", required=True),
        Column("device", S, "Device or 'NA'.", required=True),
        count("impressions", "Times shown.", required=True),
        count("clicks", "Clicks on the link (Meta: inline link clicks).", required=True),
        amount("spend", "Cost in account currency.", required=True),
        Column(
            "conversions",
            F,
            "Conversions attributed to the day of the click; fractional under data-driven attribution; empty when not known by ad (never 0 then).",
            minimum=0,
        ),
        amount("conversion_value", "Value of these conversions."),
        Column("view_through_conversions", F, "Conversions after a view without a click; never added to conversions.", minimum=0),
        count("video_3s_views", "Video views of 3 seconds and more."),
        count("video_p100", "Videos watched to the end."),
        CURRENCY,
        ACCOUNT_ZONE,
    ),
)

CAMPAIGN_METRICS_DAILY = TableContract(
    name="campaign_metrics_daily",
    description="Figures that platforms report for campaigns only: impression share, learning state, effective budget.",
    grain="date x campaign",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "platform", "account_id", "campaign_id"),
    look_back_days=60,
    restates=True,
    currency="currency_code",
    columns=(
        ADVERTISER_ID,
        DATE,
        PLATFORM,
        ACCOUNT_ID,
        CAMPAIGN_ID,
        share("search_impression_share", "Share of the impressions the campaign could have had."),
        share("search_budget_lost_impression_share", "Share lost because the budget ran out."),
        share("search_rank_lost_impression_share", "Share lost by ad rank."),
        Column("is_censored", B, "True when the platform reported a bound ('below 10 %') in place of a figure."),
        count("invalid_clicks", "Clicks the platform filtered out."),
        amount("daily_budget_effective", "Daily budget, weighted over the hours of the day."),
        Column("learning_status", S, "Learning phase of the bidding.", allowed=("learning", "learned", "limited", "none")),
        count("optimisation_events", "Events the bidding learned from on the day."),
        CURRENCY,
    ),
)

SEGMENT_PERFORMANCE_DAILY = TableContract(
    name="segment_performance_daily",
    description="Campaign figures cut by one dimension at a time (device, age and gender, region, placement, hour, search term).",
    grain="date x campaign x dimension x value",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "platform", "account_id", "campaign_id", "dimension", "value"),
    look_back_days=60,
    restates=True,
    currency="currency_code",
    columns=(
        ADVERTISER_ID,
        DATE,
        PLATFORM,
        ACCOUNT_ID,
        CAMPAIGN_ID,
        Column(
            "dimension",
            S,
            "What the figures are cut by.",
            required=True,
            allowed=("age_gender", "device", "country", "region", "placement", "publisher_platform", "hour", "product_type", "search_term"),
        ),
        Column("value", S, "Value of the dimension; outside text.", required=True),
        count("impressions", "Times shown.", required=True),
        count("clicks", "Clicks.", required=True),
        count("landing_page_views", "Clicks after which the page was seen to load (Meta: landing page views; others: sessions)."),
        amount("spend", "Cost in account currency.", required=True),
        Column("conversions", F, "Conversions.", required=True, minimum=0),
        amount("conversion_value", "Value of the conversions."),
        CURRENCY,
    ),
)

CONVERSIONS_BY_ACTION_DAILY = TableContract(
    name="conversions_by_action_daily",
    description="Conversions of each conversion action, by campaign.",
    grain="date x campaign x conversion action",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "platform", "account_id", "campaign_id", "conversion_action_id"),
    look_back_days=LOOK_BACK_DAYS,
    restates=True,
    currency="currency_code",
    columns=(
        ADVERTISER_ID,
        DATE,
        PLATFORM,
        ACCOUNT_ID,
        CAMPAIGN_ID,
        Column("conversion_action_id", S, "Conversion action id.", required=True),
        Column("conversions", F, "Conversions of this action.", required=True, minimum=0),
        amount("conversion_value", "Value of these conversions."),
        Column("all_conversions", F, "Including those not used for bidding.", minimum=0),
        CURRENCY,
    ),
)

REACH_WINDOW = TableContract(
    name="reach_window",
    description="People reached over a window; daily reach cannot be summed, so platforms are asked for whole windows.",
    grain="window end x window length x entity",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "platform", "account_id", "window_days", "level", "entity_id"),
    look_back_days=60,
    # Accounts that cut the day in UTC have not ended it when the advertiser's morning run loads it: it is read again.
    restates=True,
    columns=(
        ADVERTISER_ID,
        Column("date", D, "Last day of the window.", required=True),
        PLATFORM,
        ACCOUNT_ID,
        Column("window_days", I, "Length of the window in days.", required=True, minimum=1, maximum=90),
        Column("level", S, "Entity level.", required=True, allowed=("account", "campaign", "adgroup", "ad")),
        Column("entity_id", S, "Id of the entity.", required=True),
        count("reach", "People reached at least once.", required=True),
        count("impressions", "Times shown in the window.", required=True),
        Column("frequency", F, "Impressions per person.", minimum=0),
    ),
)

TAG_HEALTH_DAILY = TableContract(
    name="tag_health_daily",
    description="Health of the measurement tags: events from browser and server, deduplication, match quality.",
    grain="date x tag source x event",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "source", "event_name"),
    look_back_days=60,
    columns=(
        ADVERTISER_ID,
        Column("date", D, "Day in the advertiser's zone.", required=True),
        Column("source", S, "Tag.", required=True, allowed=("pixel", "capi", "gtag", "uet", "insight_tag")),
        Column("event_name", S, "Event the tag reports.", required=True),
        count("browser_events", "Events from browsers.", required=True),
        count("server_events", "Events from servers.", required=True),
        share("dedup_rate", "Share of events recognised as duplicates."),
        Column("emq_score", F, "Event match quality, 0 to 10.", minimum=0, maximum=10),
        share("match_rate", "Share of events matched to a user."),
        count("error_count", "Events with an error."),
    ),
)

PERFORMANCE_TABLES = (
    AD_PERFORMANCE_DAILY,
    CAMPAIGN_METRICS_DAILY,
    SEGMENT_PERFORMANCE_DAILY,
    CONVERSIONS_BY_ACTION_DAILY,
    REACH_WINDOW,
    TAG_HEALTH_DAILY,
)
