"""Daily facts as platforms report them: ads, campaigns, conversions by action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketing_agents.sample.columns import MICROS_PER_CENT, Coded, ColumnValues, Constant, Scaled, build_table
from marketing_agents.sample.delivery import BUDGET_AIR
from marketing_agents.sample.reporting import known_counts
from marketing_agents.sample.structure import SEARCH_PLATFORMS, Campaign

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts

_NETWORKS = {
    "brand": "SEARCH",
    "generic": "SEARCH",
    "shopping": "SHOPPING",
    "prospecting": "CONTENT",
    "retargeting": "CONTENT",
    "other": "SEARCH",
}


def campaign_columns(facts: AdvertiserFacts, day: np.ndarray, campaign: np.ndarray) -> dict[str, ColumnValues]:
    """The columns that rows of (day, campaign) share: advertiser, date, platform, account, campaign, currency."""
    accounts, campaigns = facts.structure.accounts, facts.structure.campaigns
    account = facts.campaign_accounts[campaign]
    return {
        "advertiser_id": Constant(facts.advertiser_id),
        "date": facts.date_array[day],
        "platform": Coded([a.platform for a in accounts], account),
        "account_id": Coded([a.account_id for a in accounts], account),
        "campaign_id": Coded([c.campaign_id for c in campaigns], campaign),
        "currency_code": Coded([a.profile.currency for a in accounts], account),
    }


def ad_performance_daily(facts: AdvertiserFacts) -> pa.Table:
    """One row per ad, device and day with impressions."""
    import numpy as np

    structure, delivery, cells = facts.structure, facts.delivery, facts.delivery.cells
    shown = (delivery.impressions > 0) & facts.reported.has_rows[:, cells.account]
    day, cell = np.nonzero(shown)
    platforms = [account.platform for account in structure.accounts]
    is_social_video = np.array([ad.format in {"video", "spark"} for ad in structure.ads])[cells.ad] & ~np.isin(
        np.array(platforms)[cells.account], list(SEARCH_PLATFORMS)
    )
    hears_views = ~np.isin(np.array(platforms), ["microsoft_ads", "linkedin_ads"])[cells.account]
    views = facts.streams.of("video views").binomial(delivery.impressions, np.minimum(0.9, 0.27 * facts.effects.hook_rate[:, cells.ad]))
    finished = facts.streams.of("video ends").binomial(views, 0.3)
    after_view = facts.streams.of("view-through").poisson(delivery.impressions * 2e-5)
    conversions = facts.reported.conversions_hundredths.sum(axis=0)
    value = facts.reported.value_cents.sum(axis=0)
    is_video, has_views = is_social_video[cell], hears_views[cell]
    columns: dict[str, ColumnValues] = campaign_columns(facts, day, cells.campaign[cell]) | {
        "adgroup_id": Coded([group.adgroup_id for group in structure.adgroups], cells.adgroup[cell]),
        "ad_id": Coded([ad.ad_id for ad in structure.ads], cells.ad[cell]),
        "network": Coded([_network(facts, campaign) for campaign in structure.campaigns], cells.campaign[cell]),
        "device": Coded(cells.devices, cells.device[cell]),
        "impressions": delivery.impressions[shown],
        "clicks": delivery.clicks[shown],
        "spend": Scaled(delivery.spend_cents[shown] * MICROS_PER_CENT),
        "conversions": conversions[shown] / 100,
        "conversion_value": Scaled(value[shown] * MICROS_PER_CENT),
        "view_through_conversions": np.ma.masked_array(after_view[shown].astype(float), mask=~has_views),
        "video_3s_views": np.ma.masked_array(views[shown], mask=~is_video),
        "video_p100": np.ma.masked_array(finished[shown], mask=~is_video),
        "account_time_zone": Coded([account.time_zone for account in structure.accounts], cells.account[cell]),
    }
    return build_table("ad_performance_daily", len(day), columns)


def _network(facts: AdvertiserFacts, campaign: Campaign) -> str:
    platform = facts.structure.account_of(campaign).platform
    return _NETWORKS[campaign.idea.role] if platform in SEARCH_PLATFORMS else "NA"


def campaign_metrics_daily(facts: AdvertiserFacts) -> pa.Table:
    """One row per campaign and day with impressions."""
    import numpy as np

    structure, streams = facts.structure, facts.streams
    shape = facts.campaign_has_rows.shape
    shown = facts.campaign_has_rows
    day, campaign = np.nonzero(shown)
    is_search = np.array([structure.account_of(c).platform in SEARCH_PLATFORMS for c in structure.campaigns])
    usual_share = streams.of("impression share level").uniform(0.08, 0.8, size=shape[1])
    by_budget = streams.of("impression share budget").uniform(0.02, 0.10, size=shape)
    share = np.clip(usual_share * facts.effects.auction_share + streams.of("impression share").normal(0, 0.02, size=shape), 0.0999, 0.89)
    # What the budget cuts off would have had its part of everything else.
    unserved = facts.delivery.unserved
    lost_by_budget = by_budget * (1 - share) * (1 - unserved) + unserved
    share = share * (1 - unserved)
    clicks = facts.delivery.cells.by_campaign(facts.delivery.clicks)
    invalid = streams.of("invalid clicks").binomial(clicks, 0.03)
    events = facts.delivery.cells.by_campaign(facts.reported.conversions_hundredths.sum(axis=0)) // 100
    units = np.array([a.profile.units_per_base for a in structure.accounts])[facts.campaign_accounts]
    budget = np.array([c.daily_spend for c in structure.campaigns]) * units * BUDGET_AIR * facts.effects.budget
    in_flight = np.array([c.flight_end is not None for c in structure.campaigns])
    weekly = np.array([c.daily_spend * c.conversion_rate / c.click_cost * 7 for c in structure.campaigns])
    # What has left learning stays out of it, also with fewer results than it took; "limited" is for incidents.
    learning = np.where(weekly >= 10, 0, 1)
    hidden = ~is_search[campaign]
    columns: dict[str, ColumnValues] = campaign_columns(facts, day, campaign) | {
        "search_impression_share": np.ma.masked_array(share[shown].round(4), mask=hidden),
        "search_budget_lost_impression_share": np.ma.masked_array(lost_by_budget[shown].round(4), mask=hidden),
        "search_rank_lost_impression_share": np.ma.masked_array((1 - share - lost_by_budget)[shown].round(4), mask=hidden),
        "is_censored": np.ma.masked_array(share[shown] <= 0.0999, mask=hidden),
        "invalid_clicks": np.ma.masked_array(invalid[shown], mask=hidden),
        "daily_budget_effective": Scaled(np.rint(budget[shown]).astype(np.int64) * 1_000_000, in_flight[campaign]),
        "learning_status": Coded(("learned", "none"), learning[campaign]),
        "optimisation_events": events[shown],
    }
    return build_table("campaign_metrics_daily", len(day), columns)


def conversions_by_action_daily(facts: AdvertiserFacts) -> pa.Table:
    """One row per campaign, action and day with clicks. Primary actions add up to the conversions of the ads.

    A day of a broken tag has no rows: platforms do not report zeros of an action that never fired.
    """
    import numpy as np

    structure, delivery = facts.structure, facts.delivery
    cells = delivery.cells
    clicks = cells.by_campaign(delivery.clicks)
    ideas = [*(a for a in facts.profile.actions if a.is_primary), *(a for a in facts.profile.actions if not a.is_primary)]
    primary = sum(a.is_primary for a in ideas)
    final = cells.by_campaign(delivery.conversions.sum(axis=0))
    counts = [*cells.by_campaign(facts.reported.conversions_hundredths)]
    values = [*cells.by_campaign(facts.reported.value_cents)]
    for idea in ideas[primary:]:
        drawn = facts.streams.of(f"secondary {idea.name}").poisson(final * idea.ratio)
        counts.append(known_counts(drawn, facts.dates, facts.spec.known, facts.streams, idea.name) * 100)
        values.append(np.zeros_like(counts[-1]))
    stacked, value = np.stack(counts, axis=-1), np.stack(values, axis=-1)  # (days, campaigns, actions)
    shown = np.repeat((facts.campaign_has_rows & (clicks > 0))[:, :, None], len(ideas), axis=2)
    shown[:, :, :primary] &= facts.effects.is_recorded.transpose(1, 2, 0)[:, facts.campaign_accounts, :] > 0
    day, campaign, action = np.nonzero(shown)
    account = facts.campaign_accounts[campaign]
    names = [idea.name for idea in ideas]
    ids = [next(x.action_id for x in a.actions if x.idea.name == name) for a in structure.accounts for name in names]
    columns: dict[str, ColumnValues] = campaign_columns(facts, day, campaign) | {
        "conversion_action_id": Coded(ids, account * len(ideas) + action),
        "conversions": stacked[shown] / 100,
        "conversion_value": Scaled(value[shown] * MICROS_PER_CENT, action >= primary),
        "all_conversions": stacked[shown] / 100,
    }
    return build_table("conversions_by_action_daily", len(day), columns)
