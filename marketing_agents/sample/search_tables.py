"""What people searched for before they saw the ads of search and shopping campaigns, and who else was in the auction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketing_agents.sample.columns import MICROS_PER_CENT, Coded, ColumnValues, Scaled, build_table
from marketing_agents.sample.performance_tables import campaign_columns
from marketing_agents.sample.structure import SEARCH_PLATFORMS, Campaign

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts

SEARCH_ROLES = frozenset({"brand", "generic", "shopping", "other"})
USELESS_WORDS = ("free {}", "{} jobs", "{} diy", "what is {}", "{} second hand", "{} pictures")
_MODIFIERS = (
    "{}", "buy {}", "best {}", "{} online", "{} price", "{} near me", "{} reviews", "cheap {}", "{} sale", "good {}", "{} shop", "{} for beginners",
    "new {}", "{} delivery", "compare {}", "{} offers", "top {}", "{} 2026",
)  # fmt: skip
_HIDDEN_SHARE = 0.18  # clicks of queries too rare to be shown
_OWN_NAME_SHARE = 0.015  # clicks of other campaigns that come from searches for the advertiser
OWN_NAME_RATE = 2.5  # conversion rate of searches for the advertiser / others
_RIVALS = ("alpine-deals.example", "bestofall.example", "cornershop.example", "directly.example")


def shows_queries(platform: str, campaign: Campaign) -> bool:
    """Whether the platform names the searches of the campaign."""
    return platform in SEARCH_PLATFORMS and campaign.idea.role in SEARCH_ROLES


def search_terms_daily(facts: AdvertiserFacts) -> pa.Table:
    """One row per campaign, search and day with clicks. A part of the clicks belongs to searches that the platform hides."""
    import numpy as np

    structure = facts.structure
    cells, delivery = facts.delivery.cells, facts.delivery
    clicks, impressions = cells.by_campaign(delivery.clicks), cells.by_campaign(delivery.impressions)
    cents = cells.by_campaign(delivery.spend_cents)
    final = cells.by_campaign(delivery.conversions.sum(axis=0))
    hundredths = cells.by_campaign(facts.reported.conversions_hundredths.sum(axis=0))
    value = cells.by_campaign(facts.reported.value_cents.sum(axis=0))
    terms: list[str] = []
    blocks: list[tuple[np.ndarray, ...]] = []
    for c, campaign in enumerate(structure.campaigns):
        if not shows_queries(structure.account_of(campaign).platform, campaign):
            continue
        queries, shares, rates = _queries(facts, c)
        draw = facts.streams.of(f"searches {campaign.campaign_id}")
        split = draw.multinomial(clicks[:, c], shares)  # (days, queries), hidden ones last
        weights = split * rates
        weights[weights.sum(axis=1) == 0, -1] = 1.0
        converted = facts.streams.of(f"search conversions {campaign.campaign_id}").multinomial(
            final[:, c], weights / weights.sum(axis=1, keepdims=True)
        )
        shown = split[:, :-1] * facts.campaign_has_rows[:, c, None]
        day, query = np.nonzero(shown)
        of_clicks = split[day, query] / np.maximum(clicks[day, c], 1)
        of_conversions = converted[day, query] / np.maximum(final[day, c], 1)
        blocks.append(
            (
                day,
                np.full(len(day), c),
                query + len(terms),
                np.maximum(np.floor(impressions[day, c] * of_clicks).astype(np.int64), split[day, query]),
                split[day, query],
                np.floor(cents[day, c] * of_clicks).astype(np.int64),
                np.floor(hundredths[day, c] * of_conversions + 1e-6).astype(np.int64),
                np.floor(value[day, c] * of_conversions + 1e-6).astype(np.int64),
            )
        )
        terms += queries
    joined = [np.concatenate([block[n] for block in blocks]) if blocks else np.zeros(0, dtype=np.int64) for n in range(8)]
    by_day = np.argsort(joined[0], kind="stable")
    day, position, term, shown_times, clicked, spent, brought, worth = (values[by_day] for values in joined)
    columns: dict[str, ColumnValues] = campaign_columns(facts, day, position) | {
        "search_term": Coded(terms, term),
        "impressions": shown_times,
        "clicks": clicked,
        "spend": Scaled(spent * MICROS_PER_CENT),
        "conversions": brought / 100,
        "conversion_value": Scaled(worth * MICROS_PER_CENT),
    }
    return build_table("search_terms_daily", len(day), columns)


def _queries(facts: AdvertiserFacts, position: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Searches of a campaign; their shares of its clicks by day, (days, searches + 1), the last for hidden ones; their relative rates."""
    import numpy as np

    campaign, effects = facts.structure.campaigns[position], facts.effects
    theme = campaign.idea.theme.lower().removeprefix("long tail: ")
    own_names = list(facts.profile.advertiser.brand_tokens)
    is_brand = campaign.idea.role == "brand"
    subject = own_names[0] if is_brand and own_names else theme
    useful = [modifier.format(subject) for modifier in _MODIFIERS]
    useless = [words.format(subject) for words in USELESS_WORDS]
    own = [] if is_brand else [f"{name} {theme}" for name in own_names]
    draw = facts.streams.of(f"search mix {campaign.campaign_id}")
    usual = 1 / np.arange(1, len(useful) + 1) ** 0.9 * draw.uniform(0.8, 1.25, size=len(useful))
    days = len(facts.dates)
    share_of_useless = effects.useless_searches[:, position, None]
    share_of_own = np.zeros((days, 1)) if not own else _OWN_NAME_SHARE + effects.own_name_searches[:, position, None]
    rest = np.clip(1 - share_of_useless - share_of_own - _HIDDEN_SHARE, 0.02, 1)
    shares = np.concatenate(
        [
            rest * usual / usual.sum(),
            np.repeat(share_of_useless / len(useless), len(useless), axis=1),
            np.repeat(share_of_own / max(len(own), 1), len(own), axis=1),
            np.full((days, 1), _HIDDEN_SHARE),
        ],
        axis=1,
    )
    rates = np.concatenate([draw.uniform(0.8, 1.2, size=len(useful)), np.zeros(len(useless)), np.full(len(own), OWN_NAME_RATE), [1.0]])
    return [*useful, *useless, *own], shares / shares.sum(axis=1, keepdims=True), rates


def auction_insights_daily(facts: AdvertiserFacts) -> pa.Table:
    """Four rivals of each search and shopping campaign and day. What a campaign loses in the auctions, the first of them gains."""
    import numpy as np

    structure, effects, streams = facts.structure, facts.effects, facts.streams
    named = np.array([shows_queries(structure.account_of(c).platform, c) for c in structure.campaigns])
    shape = (*facts.campaign_has_rows.shape, len(_RIVALS))
    level = streams.of("rival overlap level").uniform(0.12, 0.45, size=shape[1:])
    overlap = level + streams.of("rival overlap").normal(0, 0.02, size=shape)
    above = streams.of("rival outranking level").uniform(0.45, 0.75, size=shape[1:]) + streams.of("rival outranking").normal(
        0, 0.02, size=shape
    )
    pressed = 1 - effects.auction_share
    overlap[:, :, 0] += pressed * 0.6
    above[:, :, 0] -= pressed * 0.5
    share = np.clip(streams.of("rival share").uniform(0.1, 0.4, size=shape[1:]) + 0.3 * (overlap - level), 0.0999, 0.95)
    shown = np.repeat((facts.campaign_has_rows & named)[:, :, None], len(_RIVALS), axis=2)
    day, campaign, rival = np.nonzero(shown)
    columns = campaign_columns(facts, day, campaign)
    del columns["currency_code"]
    return build_table(
        "auction_insights_daily",
        len(day),
        columns
        | {
            "rival_domain": Coded(_RIVALS, rival),
            "impression_share": share[shown].round(4),
            "overlap_rate": np.clip(overlap, 0.01, 0.98)[shown].round(4),
            "outranking_share": np.clip(above, 0.02, 0.98)[shown].round(4),
        },
    )
