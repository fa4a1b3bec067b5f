"""What the advertiser knows itself: orders, sessions, consent, plans, calendar, exchange rates, and who changed what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketing_agents.sample.columns import MICROS_PER_CENT, Coded, Constant, Scaled, build_table, money
from marketing_agents.sample.facts import ORDERS_PER_CONVERSION, AdvertiserFacts
from marketing_agents.sample.plans import plans
from marketing_agents.sample.rhythm import day_factors, events

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_OWN_CHANNELS = {
    "direct": (0.30, 0.55),
    "organic": (0.28, 0.24),
    "email": (0.16, 0.85),
    "other": (0.03, 0.3),
}  # orders / expected paid ones, existing share
_LEAD_QUALIFIED = 0.45
STRICT_COUNTRIES = frozenset({"GB", "IE"})  # those of the sample's regions
_RATE_STEP, _RATE_PULL = 0.0015, 0.06  # daily spread of the exchange rate, and how fast it returns to its level


def orders_daily(facts: AdvertiserFacts) -> pa.Table:
    """Orders per campaign of the last touch, and of the channels that cost nothing. They are real: a broken tag does not lose them."""
    import numpy as np

    profile, structure, streams = facts.profile, facts.structure, facts.streams
    per_conversion = ORDERS_PER_CONVERSION[profile.vertical]
    conversions = facts.delivery.cells.by_campaign(facts.delivery.conversions.sum(axis=0))
    paid = streams.of("orders").binomial(conversions, per_conversion)
    expected = sum(c.daily_spend * c.conversion_rate / c.click_cost for c in structure.campaigns) * per_conversion
    rate = day_factors(profile, facts.spec.anchor_day, facts.dates) * _peak(facts) * facts.effects.own_orders
    own = streams.of("own orders").poisson(expected * rate[:, None] * np.array([share for share, _ in _OWN_CHANNELS.values()]))
    orders = np.concatenate([paid, own], axis=1)
    own_existing = np.tile([existing for _, existing in _OWN_CHANNELS.values()], (len(facts.dates), 1))
    existing = np.concatenate([facts.effects.existing_share, own_existing], axis=1)
    # Per day, so that the draws of one day do not hang on how many columns another has.
    new_customers = streams.of("new customers").binomial(orders, 1 - existing)
    order_value = profile.order_value * np.exp(
        streams.of("order value").standard_normal(orders.shape) * 0.5 / np.sqrt(np.maximum(orders, 1))
    )
    revenue = np.rint(orders * order_value * 100).astype(np.int64)
    refunds = np.rint(revenue * streams.of("refunds").uniform(0.01, 0.05, size=orders.shape)).astype(np.int64)
    leads = streams.of("leads").binomial(conversions, _LEAD_QUALIFIED)
    leads = np.concatenate([leads, np.zeros_like(own)], axis=1)
    keeps_leads = profile.vertical != "retail"
    day, touch = np.nonzero((orders > 0) | (leads > 0) & keeps_leads)
    channels = [structure.account_of(c).platform for c in structure.campaigns] + list(_OWN_CHANNELS)
    keys = [c.campaign_id for c in structure.campaigns] + ["NA"] * len(_OWN_CHANNELS)
    unknown = np.array([channel == "other" for channel in channels])[touch]
    return build_table(
        "orders_daily",
        len(day),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": facts.date_array[day],
            "channel_touch": Coded(channels, touch),
            "campaign_key": Coded(keys, touch),
            "orders": orders[day, touch],
            "new_customer_orders": np.ma.masked_array(new_customers[day, touch], mask=unknown),
            "revenue": Scaled(revenue[day, touch] * MICROS_PER_CENT),
            "discount": Scaled(revenue[day, touch] // 12 * MICROS_PER_CENT),
            "refunds": Scaled(refunds[day, touch] * MICROS_PER_CENT),
            "qualified_leads": np.ma.masked_array(leads[day, touch], mask=np.full(len(day), not keeps_leads)),
            "currency_code": Constant(profile.advertiser.base_currency),
        },
    )


def _peak(facts: AdvertiserFacts) -> np.ndarray:
    import numpy as np

    factor = np.ones(len(facts.dates))
    for event in events(facts.profile, facts.spec.anchor_day, with_incidents=facts.spec.incidents):
        inside = np.array([event.first <= day <= event.last for day in facts.dates], dtype=bool)
        factor[inside] *= event.orders_index / event.spend_index
    return factor


def web_sessions_daily(facts: AdvertiserFacts) -> pa.Table:
    """Sessions by source: a little fewer than the clicks for paid sources."""
    import numpy as np

    cells, streams = facts.delivery.cells, facts.streams
    starts = np.flatnonzero(np.diff(cells.account, prepend=-1))
    paid = streams.of("sessions").binomial(np.add.reduceat(facts.delivery.clicks, starts, axis=1), 0.91)
    usual = sum(c.daily_spend / c.click_cost for c in facts.structure.campaigns)
    rate = day_factors(facts.profile, facts.spec.anchor_day, facts.dates)
    own = streams.of("own sessions").poisson(usual * rate[:, None] * np.array([0.42, 0.35, 0.09]))
    sessions = np.concatenate([paid, own], axis=1)
    engaged = streams.of("engaged").binomial(sessions, 0.58)
    unassigned = streams.of("unassigned").binomial(sessions, 0.02)
    sources = [a.platform for a in facts.structure.accounts] + ["direct", "organic", "email"]
    day, source = np.nonzero(sessions > 0)
    return build_table(
        "web_sessions_daily",
        len(day),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": facts.date_array[day],
            "source_bucket": Coded(sources, source),
            "sessions": sessions[day, source],
            "engaged_sessions": engaged[day, source],
            "unassigned_sessions": unassigned[day, source],
        },
    )


def consent_daily(facts: AdvertiserFacts) -> pa.Table:
    """Answers to the consent banner by region."""
    import numpy as np

    regions = facts.profile.regions
    usual = sum(c.daily_spend / c.click_cost for c in facts.structure.campaigns) * 1.3 / len(regions)
    rate = day_factors(facts.profile, facts.spec.anchor_day, facts.dates)
    asked = facts.streams.of("consent asked").poisson(np.repeat(usual * rate[:, None], len(regions), axis=1))
    # Where the law wants an answer, tags send "denied" until there is one; elsewhere few sites ask everybody.
    silent = np.array([0.015 if region[:2] in STRICT_COUNTRIES else 0.12 for region in regions])
    unset = facts.streams.of("consent unset").binomial(asked, silent)
    granted = facts.streams.of("consent granted").binomial(asked - unset, 0.74)
    day, region = np.divmod(np.arange(asked.size), len(regions))
    return build_table(
        "consent_daily",
        asked.size,
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": facts.date_array[day],
            "region": Coded(regions, region),
            "granted": granted.ravel(),
            "denied": (asked - unset - granted).ravel(),
            "unset": unset.ravel(),
        },
    )


def budget_plans(facts: AdvertiserFacts) -> pa.Table:
    """All plans, in base currency."""
    rows = plans(facts.profile, facts.structure, facts.spec.anchor_day, facts.spec.start)
    return build_table(
        "budget_plans",
        len(rows),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "plan_id": [p.plan_id for p in rows],
            "name": [p.name for p in rows],
            "period_start": [p.first for p in rows],
            "period_end": [p.last for p in rows],
            "scope": [p.scope for p in rows],
            "scope_ids": [list(p.scope_ids) or None for p in rows],
            "amount": money([float(p.amount) for p in rows]),
            "currency_code": Constant(facts.profile.advertiser.base_currency),
            "is_hard_cap": [p.is_hard_cap for p in rows],
            "owner": Constant("media@agency.example"),
        },
    )


def calendar_events(facts: AdvertiserFacts) -> pa.Table:
    """The calendar."""
    rows = events(facts.profile, facts.spec.anchor_day, with_incidents=facts.spec.incidents)
    return build_table(
        "calendar_events",
        len(rows),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "event_id": [e.event_id for e in rows],
            "name": [e.name for e in rows],
            "date_from": [e.first for e in rows],
            "date_to": [e.last for e in rows],
            "region": Constant(facts.profile.regions[0]),
            "expected_index_orders": [e.orders_index for e in rows],
            "expected_index_cpm": [e.price_index for e in rows],
            "mask_baseline": [e.mask_baseline for e in rows],
        },
    )


def fx_rates(facts: AdvertiserFacts) -> pa.Table:
    """Rates from every account currency that is not the base currency; none for an advertiser with one currency."""
    import numpy as np

    base = facts.profile.advertiser.base_currency
    pairs = sorted({(a.profile.currency, a.profile.units_per_base) for a in facts.structure.accounts if a.profile.currency != base})
    steps = facts.streams.of("exchange rates").standard_normal((len(facts.dates), max(1, len(pairs)))) * _RATE_STEP
    level, levels = np.zeros(steps.shape[1]), []
    for step in steps:
        level = level * (1 - _RATE_PULL) + step
        levels.append(level)
    path = np.exp(np.array(levels))
    day, pair = np.divmod(np.arange(len(facts.dates) * len(pairs)), max(1, len(pairs)))
    usual = np.array([1 / units for _, units in pairs] or [1.0])
    return build_table(
        "fx_rates",
        len(day),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": facts.date_array[day],
            "from_currency": Coded([currency for currency, _ in pairs], pair),
            "to_currency": Constant(base),
            "rate": Scaled(np.rint(usual[pair] * path[day, pair] * 1e6).astype(np.int64) * 1000),
        },
    )
