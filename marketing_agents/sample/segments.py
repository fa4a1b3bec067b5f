"""Figures of campaigns cut by device, by age and gender, by placement and by country; each dimension adds up to the campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketing_agents.sample.columns import MICROS_PER_CENT, Coded, ColumnValues, Scaled, build_table
from marketing_agents.sample.performance_tables import campaign_columns
from marketing_agents.sample.structure import SEARCH_PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts

AGE_GENDER = {
    "18-24 female": 0.12,
    "25-34 female": 0.23,
    "35-54 female": 0.21,
    "18-24 male": 0.09,
    "25-34 male": 0.17,
    "35-54 male": 0.14,
    "unknown": 0.04,
}
PLACEMENTS = {"feed": 0.46, "stories": 0.27, "video": 0.19, "partner apps": 0.08}
ABROAD, ABROAD_SHARE = "TR", 0.002  # travellers, and addresses that are taken for another country
_PAGE_LOADS = 0.86  # landing page views / clicks


@dataclass(frozen=True)
class _Part:
    """One value of one dimension. `measures`: impressions, clicks, cents, hundredths of conversions, cents of value; each (days, campaigns)."""

    dimension: str
    value: str
    measures: Sequence[np.ndarray]


def home_countries(facts: AdvertiserFacts) -> tuple[str, ...]:
    """Where the advertiser sells: its regions without their parts (US-West: US)."""
    return tuple(dict.fromkeys(region.split("-", maxsplit=1)[0] for region in facts.profile.regions))


def segment_performance_daily(facts: AdvertiserFacts) -> pa.Table:
    """One row per campaign, dimension, value and day with impressions. Placements: social and display campaigns only."""
    import numpy as np

    cells, delivery = facts.delivery.cells, facts.delivery
    conversions, value = facts.reported.conversions_hundredths.sum(axis=0), facts.reported.value_cents.sum(axis=0)
    measures = [delivery.impressions, delivery.clicks, delivery.spend_cents, conversions, value]
    parts: list[_Part] = []
    if len(cells.devices) > 1:
        for code, device in enumerate(cells.devices):
            parts.append(_Part("device", device, [cells.by_campaign(np.where(cells.device == code, m, 0)) for m in measures]))
    totals = [cells.by_campaign(m) for m in measures]
    countries = home_countries(facts)
    home = {country: (1 - ABROAD_SHARE) * 2.0 ** -(n + 1) for n, country in enumerate(countries)}
    home[countries[0]] += 1 - ABROAD_SHARE - sum(home.values())
    parts += _split(facts, totals, "age_gender", AGE_GENDER)
    parts += _split(facts, totals, "placement", PLACEMENTS)
    parts += _split(facts, totals, "country", {**home, ABROAD: ABROAD_SHARE}, spread=20_000)
    stacked = [np.stack([part.measures[m] for part in parts], axis=-1) for m in range(len(measures))]
    shown = facts.campaign_has_rows[:, :, None] & (stacked[0] > 0)
    has_placements = np.array(
        [
            facts.structure.account_of(c).platform not in SEARCH_PLATFORMS or c.idea.role in {"prospecting", "retargeting"}
            for c in facts.structure.campaigns
        ]
    )
    shown[:, ~has_placements, :] &= np.array([part.dimension != "placement" for part in parts])
    day, campaign, segment = np.nonzero(shown)
    loads = facts.streams.of("page loads").binomial(stacked[1], _PAGE_LOADS)
    says_loads = np.array([a.platform == "meta_ads" for a in facts.structure.accounts])[facts.campaign_accounts[campaign]]
    columns: dict[str, ColumnValues] = campaign_columns(facts, day, campaign) | {
        "dimension": Coded([part.dimension for part in parts], segment),
        "value": Coded([part.value for part in parts], segment),
        "impressions": stacked[0][shown],
        "clicks": stacked[1][shown],
        "landing_page_views": np.ma.masked_array(loads[shown], mask=~says_loads),
        "spend": Scaled(stacked[2][shown] * MICROS_PER_CENT),
        "conversions": stacked[3][shown] / 100,
        "conversion_value": Scaled(stacked[4][shown] * MICROS_PER_CENT),
    }
    return build_table("segment_performance_daily", len(day), columns)


def _split(facts: AdvertiserFacts, totals: list[np.ndarray], dimension: str, usual: dict[str, float], spread: float = 200) -> list[_Part]:
    """Split each total by shares that differ a little per campaign (less with a larger `spread`).

    Clicks and cost follow the impressions. Conversions scatter as counts do: their shares of a day are gamma draws around those of the
    impressions, as wide as the day's final conversions ask for, so that a later `known_on` changes no share.
    """
    import numpy as np

    impressions, clicks, cents, conversions, value = totals
    draw = facts.streams.of(dimension)
    weights = draw.dirichlet(np.array(list(usual.values())) * spread, size=impressions.shape[1])  # (campaigns, segments)
    left, shown = impressions.copy(), []
    for i in range(len(usual)):
        later = weights[:, i:].sum(axis=1)
        is_last = i == len(usual) - 1
        part = left if is_last else facts.streams.of(f"{dimension} {i}").binomial(left, np.clip(weights[:, i] / later, 0, 1))
        shown.append(part)
        left = left - part
    reached = np.stack(shown, axis=-1)  # (days, campaigns, segments)
    final = facts.delivery.cells.by_campaign(facts.delivery.conversions.sum(axis=0))
    expected = reached / np.maximum(impressions, 1)[..., None] * np.maximum(final, 0.5)[..., None]
    converting = facts.streams.of(f"{dimension} conversions").gamma(np.maximum(expected, 1e-9)) * (reached > 0)
    split = [
        _shared(clicks, reached),
        _shared(cents, reached),
        _shared(conversions, converting),
        _shared(value, converting),
    ]
    return [_Part(dimension, label, [shown[i], *(part[..., i] for part in split)]) for i, label in enumerate(usual)]


def _shared(total: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Whole parts of a total in proportion to the weights: cumulative shares, rounded down, so that the parts add up exactly."""
    import numpy as np

    upto = np.cumsum(weights, axis=-1)
    share = upto / np.maximum(upto[..., -1:], 1e-300)
    share[upto[..., -1] <= 0] = 1.0  # nothing to go by: all to the first
    parts: np.ndarray = np.diff(np.floor(total[..., None] * share + 1e-9).astype(np.int64), axis=-1, prepend=0)
    return parts
