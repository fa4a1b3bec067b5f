"""Who was reached: segments of campaigns, reach over windows, audiences and their overlap, tag health."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.columns import MICROS_PER_CENT, Coded, ColumnValues, Constant, Scaled, build_table
from marketing_agents.sample.performance_tables import campaign_columns
from marketing_agents.sample.structure import SEARCH_PLATFORMS, audience_id

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts

_AGE_GENDER = ("18-24 female", "25-34 female", "35-54 female", "18-24 male", "25-34 male", "35-54 male", "unknown")
_AGE_GENDER_SHARE = (0.12, 0.23, 0.21, 0.09, 0.17, 0.14, 0.04)
_WINDOWS = (7, 14, 28)
_AUDIENCES = (
    ("website", "retargeting", "All visitors 30 d"),
    ("customer_list", "exclusion", "Buyers 180 d"),
    ("lookalike", "prospecting", "Lookalike 1%"),
    ("interest", "prospecting", "Interest mix"),
)
_TAGS = {"google_ads": "gtag", "meta_ads": "pixel", "microsoft_ads": "uet", "linkedin_ads": "insight_tag"}


def segment_performance_daily(facts: AdvertiserFacts) -> pa.Table:
    """Campaign figures by device, and by age and gender; each dimension adds up to the campaign."""
    import numpy as np

    cells, delivery = facts.delivery.cells, facts.delivery
    conversions, value = facts.reported.conversions_hundredths.sum(axis=0), facts.reported.value_cents.sum(axis=0)
    measures = [delivery.impressions, delivery.clicks, delivery.spend_cents, conversions, value]
    segments: list[list[np.ndarray]] = []
    labels: list[str] = []
    dimensions: list[str] = []
    if len(cells.devices) > 1:
        for code, device in enumerate(cells.devices):
            segments.append([cells.by_campaign(np.where(cells.device == code, m, 0)) for m in measures])
            labels.append(device)
            dimensions.append("device")
    totals = [cells.by_campaign(m) for m in measures]
    for part, label in zip(_by_age_gender(facts, totals), _AGE_GENDER, strict=True):
        segments.append(part)
        labels.append(label)
        dimensions.append("age_gender")
    stacked = [np.stack([segment[m] for segment in segments], axis=-1) for m in range(len(measures))]
    shown = facts.campaign_has_rows[:, :, None] & (stacked[0] > 0)
    day, campaign, segment = np.nonzero(shown)
    columns: dict[str, ColumnValues] = campaign_columns(facts, day, campaign) | {
        "dimension": Coded(dimensions, segment),
        "value": Coded(labels, segment),
        "impressions": stacked[0][shown],
        "clicks": stacked[1][shown],
        "spend": Scaled(stacked[2][shown] * MICROS_PER_CENT),
        "conversions": stacked[3][shown] / 100,
        "conversion_value": Scaled(stacked[4][shown] * MICROS_PER_CENT),
    }
    return build_table("segment_performance_daily", len(day), columns)


def _by_age_gender(facts: AdvertiserFacts, totals: list[np.ndarray]) -> list[list[np.ndarray]]:
    """Split each total by shares that differ a little per campaign. The first segment with impressions takes what rounding leaves."""
    import numpy as np

    impressions, *others = totals
    draw = facts.streams.of("age gender")
    weights = draw.dirichlet(np.array(_AGE_GENDER_SHARE) * 200, size=impressions.shape[1])  # (campaigns, segments)
    left, shown = impressions.copy(), []
    for i in range(len(_AGE_GENDER)):
        later = weights[:, i:].sum(axis=1)
        part = (
            facts.streams.of(f"age gender {i}").binomial(left, np.clip(weights[:, i] / later, 0, 1)) if i < len(_AGE_GENDER) - 1 else left
        )
        shown.append(part)
        left = left - part
    # Other figures follow the impressions: cumulative shares, rounded down, so that the parts add up exactly.
    reached = np.cumsum(np.stack(shown), axis=0)
    parts: list[list[np.ndarray]] = [[part] for part in shown]
    for total in others:
        upto = np.floor_divide(total * reached, np.maximum(impressions, 1))
        for i, part in enumerate(np.diff(upto, axis=0, prepend=0)):
            parts[i].append(part)
    return parts


def reach_window(facts: AdvertiserFacts) -> pa.Table:
    """Reach of social campaigns and accounts over 7, 14 and 28 days."""
    import numpy as np

    structure = facts.structure
    social = np.array([a.platform not in SEARCH_PLATFORMS for a in structure.accounts])
    impressions = facts.delivery.cells.by_campaign(facts.delivery.impressions) * facts.campaign_has_rows
    account_starts = np.flatnonzero(np.diff(facts.campaign_accounts, prepend=-1))
    shown_by = np.concatenate([impressions, np.add.reduceat(impressions, account_starts, axis=1)], axis=1)
    owner = np.concatenate([facts.campaign_accounts, np.arange(len(structure.accounts))])
    # How many people there are to reach: set by the expected impressions, not the drawn ones, so that it is the same whatever `end` is.
    monthly = np.array([c.daily_spend / (c.click_cost * c.click_rate) * 28 for c in structure.campaigns])
    people = np.concatenate([monthly, np.add.reduceat(monthly, account_starts)]) / 2.4
    level = np.repeat([0, 1], [impressions.shape[1], len(structure.accounts)])
    ids = [c.campaign_id for c in structure.campaigns] + [a.account_id for a in structure.accounts]
    total = np.cumsum(shown_by, axis=0)
    windows = []
    for length in _WINDOWS:
        before = np.zeros_like(total)
        before[length:] = total[:-length]
        windows.append(total - before)
    seen = np.stack(windows, axis=-1)
    reach = np.maximum(1, np.rint(people[:, None] * (1 - np.exp(-seen / people[:, None])))).astype(np.int64)
    shown = (seen > 0) & (facts.reported.has_rows & social)[:, owner][:, :, None]
    day, entity, window = np.nonzero(shown)
    return build_table(
        "reach_window",
        len(day),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": facts.date_array[day],
            "platform": Coded([a.platform for a in structure.accounts], owner[entity]),
            "account_id": Coded([a.account_id for a in structure.accounts], owner[entity]),
            "window_days": np.array(_WINDOWS)[window],
            "level": Coded(("campaign", "account"), level[entity]),
            "entity_id": Coded(ids, entity),
            "reach": np.minimum(reach, seen)[shown],
            "impressions": seen[shown],
            "frequency": (seen / np.minimum(reach, np.maximum(seen, 1)))[shown].round(4),
        },
    )


def tag_health_daily(facts: AdvertiserFacts) -> pa.Table:
    """Events of the tags of each platform. Meta has a pixel and a server feed."""
    import numpy as np

    delivery, structure = facts.delivery, facts.structure
    account_starts = np.flatnonzero(np.diff(delivery.cells.account, prepend=-1))
    recorded = np.add.reduceat(delivery.recorded[0], account_starts, axis=1)
    sources = [(i, _TAGS[a.platform]) for i, a in enumerate(structure.accounts) if a.platform in _TAGS]
    sources += [(i, "capi") for i, source in sources if source == "pixel"]
    shape = (len(facts.dates), len(sources))
    # A tag hears the whole site, of which the account's own conversions are a part.
    events = facts.streams.of("tag events").poisson(1.7 * np.stack([recorded[:, i] for i, _ in sources], axis=1))
    from_server = np.array([source == "capi" for _, source in sources])
    two_ways = np.array([source in {"capi", "pixel"} for _, source in sources])
    day, tag = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
    match = facts.streams.of("tag match").uniform(0.72, 0.84, size=shape).round(4)
    return build_table(
        "tag_health_daily",
        len(day),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": facts.date_array[day],
            "source": Coded([source for _, source in sources], tag),
            "event_name": Constant(facts.profile.actions[0].name),
            "browser_events": np.where(from_server, 0, events).ravel(),
            "server_events": np.where(from_server, events, 0).ravel(),
            "dedup_rate": np.ma.masked_array(
                facts.streams.of("tag dedup").uniform(0.86, 0.93, size=shape).round(4).ravel(), mask=~two_ways[tag]
            ),
            "emq_score": np.ma.masked_array(
                facts.streams.of("tag quality").uniform(6.8, 7.9, size=shape).round(2).ravel(), mask=~two_ways[tag]
            ),
            "match_rate": match.ravel(),
            "error_count": facts.streams.of("tag errors").binomial(events, 0.004).ravel(),
        },
    )


def audiences(facts: AdvertiserFacts) -> pa.Table:
    """Four audiences per social account."""
    accounts = [a for a in facts.structure.accounts if a.platform not in SEARCH_PLATFORMS]
    rows = [(account, n, *_AUDIENCES[n]) for account in accounts for n in range(len(_AUDIENCES))]
    ids = [audience_id(account, n) for account, n, *_ in rows]
    sizes = [int(facts.streams.of(f"audience {i}").integers(40_000, 900_000)) for i in ids]
    users = [[g.adgroup_id for g in facts.structure.adgroups if i in g.audience_ids] for i in ids]
    return build_table(
        "audiences",
        len(rows),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "platform": [account.platform for account, *_ in rows],
            "account_id": [account.account_id for account, *_ in rows],
            "audience_id": ids,
            "name": [name for *_, name in rows],
            "type": [kind for _, _, kind, _, _ in rows],
            "role": [role for _, _, _, role, _ in rows],
            "size_lower": sizes,
            "size_upper": [int(size * 1.2) for size in sizes],
            "membership_days": [30 if kind == "website" else 180 for _, _, kind, _, _ in rows],
            "last_refreshed": [facts.spec.anchor_day - timedelta(days=n + 1) for _, n, *_ in rows],
            "status": Constant("enabled"),
            "attached_adgroups": users,
        },
    )


def audience_overlap(facts: AdvertiserFacts) -> pa.Table:
    """Overlap of neighbouring audiences of an account, all small."""
    accounts = [a for a in facts.structure.accounts if a.platform not in SEARCH_PLATFORMS]
    pairs = [(account, audience_id(account, n), audience_id(account, n + 1)) for account in accounts for n in range(len(_AUDIENCES) - 1)]
    shares = [float(facts.streams.of(f"overlap {a}").uniform(0.02, 0.14)) for _, a, _ in pairs]
    return build_table(
        "audience_overlap",
        len(pairs),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "platform": [account.platform for account, _, _ in pairs],
            "account_id": [account.account_id for account, _, _ in pairs],
            "audience_a": [a for _, a, _ in pairs],
            "audience_b": [b for _, _, b in pairs],
            "overlap_abs": [int(share * 40_000) for share in shares],
            "overlap_share_of_smaller": [round(share, 4) for share in shares],
        },
    )
