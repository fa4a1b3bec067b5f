"""Contracts of what the advertiser itself knows: orders, web sessions, consent, plans, calendar, exchange rates."""

from __future__ import annotations

from marketing_agents.days import LOOK_BACK_DAYS
from marketing_agents.warehouse.contract import Column, ColumnType, TableContract, TableKind
from marketing_agents.warehouse.tables.performance import ADVERTISER_ID, CURRENCY, B, D, F, S, amount, count

LOCAL_DATE = Column("date", D, "Day in the advertiser's zone.", required=True)

ORDERS_DAILY = TableContract(
    name="orders_daily",
    description="Orders of the shop or CRM, by last known touch: the truth that platforms are compared with.",
    grain="date x touch channel x campaign",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "channel_touch", "campaign_key"),
    look_back_days=LOOK_BACK_DAYS,
    restates=True,
    currency="currency_code",
    columns=(
        ADVERTISER_ID,
        LOCAL_DATE,
        Column("channel_touch", S, "Platform by click id or utm, or 'direct', 'organic', 'email', 'other'.", required=True),
        Column("campaign_key", S, "Campaign id of the touch or 'NA'.", required=True),
        count("orders", "Orders.", required=True),
        count("new_customer_orders", "Orders of first-time customers; empty when not known."),
        amount("revenue", "Revenue net of discount.", required=True),
        amount("discount", "Discount granted."),
        amount("refunds", "Refunds booked on the day."),
        count("qualified_leads", "Leads accepted by sales."),
        CURRENCY,
    ),
)

WEB_SESSIONS_DAILY = TableContract(
    name="web_sessions_daily",
    description="Sessions of the site by source.",
    grain="date x source",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "source_bucket"),
    look_back_days=60,
    columns=(
        ADVERTISER_ID,
        LOCAL_DATE,
        Column("source_bucket", S, "Source of the session.", required=True),
        count("sessions", "Sessions.", required=True),
        count("engaged_sessions", "Engaged sessions."),
        count("unassigned_sessions", "Sessions without a source."),
    ),
)

CONSENT_DAILY = TableContract(
    name="consent_daily",
    description="Answers to the consent banner.",
    grain="date x region",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "region"),
    look_back_days=60,
    columns=(
        ADVERTISER_ID,
        LOCAL_DATE,
        Column("region", S, "Region.", required=True),
        count("granted", "Consent granted.", required=True),
        count("denied", "Consent denied.", required=True),
        count("unset", "No answer.", required=True),
    ),
)

BUDGET_PLANS = TableContract(
    name="budget_plans",
    description="Agreed spending by period; comes from a sheet, no platform has it.",
    grain="plan",
    kind=TableKind.REFERENCE,
    key=("advertiser_id", "plan_id"),
    look_back_days=60,
    currency="currency_code",
    columns=(
        ADVERTISER_ID,
        Column("plan_id", S, "Plan id.", required=True),
        Column("name", S, "Name; outside text.", required=True),
        Column("period_start", D, "First day.", required=True),
        Column("period_end", D, "Last day (inclusive).", required=True),
        Column("scope", S, "What the plan covers.", required=True, allowed=("advertiser", "account", "campaigns")),
        Column("scope_ids", ColumnType.STRINGS, "Account or campaign ids for the scopes account and campaigns."),
        amount("amount", "Agreed spending.", required=True),
        CURRENCY,
        Column("is_hard_cap", B, "True when the amount must not be passed.", required=True),
        Column("owner", S, "Who answers for it."),
    ),
)

CALENDAR_EVENTS = TableContract(
    name="calendar_events",
    description="Holidays, sales and promotions with the effect that is expected of them.",
    grain="event",
    kind=TableKind.REFERENCE,
    key=("advertiser_id", "event_id"),
    look_back_days=60,
    columns=(
        ADVERTISER_ID,
        Column("event_id", S, "Event id.", required=True),
        Column("name", S, "Name; outside text.", required=True),
        Column("date_from", D, "First day.", required=True),
        Column("date_to", D, "Last day (inclusive).", required=True),
        Column("region", S, "Region."),
        Column("expected_index_orders", F, "Orders during the event / normal (last year or peers of the vertical).", minimum=0),
        Column("expected_index_cpm", F, "Price per impression during the event / normal.", minimum=0),
        Column("mask_baseline", B, "True when the days must stay out of baselines.", required=True),
    ),
)

FX_RATES = TableContract(
    name="fx_rates",
    description="Exchange rates: one unit of `from_currency` is `rate` units of `to_currency`.",
    grain="date x currency pair",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "from_currency", "to_currency"),
    look_back_days=LOOK_BACK_DAYS,
    columns=(
        ADVERTISER_ID,
        Column("date", D, "Day of the rate.", required=True),
        Column("from_currency", S, "ISO 4217 code.", required=True),
        Column("to_currency", S, "ISO 4217 code.", required=True),
        Column("rate", ColumnType.RATE, "Units of `to_currency` for one of `from_currency`.", required=True, minimum=0.000001),
    ),
)

BUSINESS_TABLES = (ORDERS_DAILY, WEB_SESSIONS_DAILY, CONSENT_DAILY, BUDGET_PLANS, CALENDAR_EVENTS, FX_RATES)
