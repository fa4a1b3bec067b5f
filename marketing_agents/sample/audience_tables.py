"""Who was reached: segments of campaigns, reach over windows, audiences and their overlap, tag health."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.columns import Coded, Constant, build_table
from marketing_agents.sample.structure import BUYERS, LOOKALIKE, SEARCH_PLATFORMS, audience_id

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.structure import Account, Structure

_WINDOWS = {"account": (7, 14, 28), "campaign": (7, 14, 28), "adgroup": (7, 30)}
_AUDIENCES = (
    ("website", "retargeting", "All visitors 30 d"),
    ("customer_list", "exclusion", "Buyers 180 d"),
    ("lookalike", "prospecting", "Lookalike 1%"),
    ("interest", "prospecting", "Interest mix"),
)
_TAGS = {"google_ads": "gtag", "meta_ads": "pixel", "microsoft_ads": "uet", "linkedin_ads": "insight_tag"}


def people_of_adgroups(structure: Structure) -> np.ndarray:
    """How many people each ad group has to reach: set by the expected impressions, not the drawn ones, so that it is the same whatever the
    period is. An average person sees 2.4 impressions in four weeks.
    """
    import numpy as np

    monthly = np.array([c.daily_spend / (c.click_cost * c.click_rate) * 28 for c in structure.campaigns])
    people: np.ndarray = np.array([monthly[g.campaign] * g.share for g in structure.adgroups]) / 2.4
    return people


def reached(people: np.ndarray | float, seen: np.ndarray) -> np.ndarray:
    """People who saw at least one of `seen` impressions that are spread at random."""
    import numpy as np

    reach: np.ndarray = np.minimum(np.maximum(1, np.rint(people * (1 - np.exp(-seen / people)))).astype(np.int64), seen)
    return reach


def reach_window(facts: AdvertiserFacts) -> pa.Table:
    """Reach of social accounts, campaigns and ad groups over whole windows."""
    import numpy as np
    import pyarrow as pa

    structure = facts.structure
    people = people_of_adgroups(structure)
    campaign_of = np.array([g.campaign for g in structure.adgroups])
    campaign_starts = np.flatnonzero(np.diff(campaign_of, prepend=-1))
    account_starts = np.flatnonzero(np.diff(facts.campaign_accounts, prepend=-1))
    group_of_cell = facts.delivery.cells.adgroup
    group_starts = np.flatnonzero(np.diff(group_of_cell, prepend=-1))
    by_group = np.add.reduceat(facts.delivery.impressions, group_starts, axis=1) * facts.campaign_has_rows[:, campaign_of]
    by_campaign, campaign_people = np.add.reduceat(by_group, campaign_starts, axis=1), np.add.reduceat(people, campaign_starts)
    by_account, account_people = np.add.reduceat(by_campaign, account_starts, axis=1), np.add.reduceat(campaign_people, account_starts)
    levels = [
        ("account", [a.account_id for a in structure.accounts], np.arange(len(structure.accounts)), by_account, account_people),
        ("campaign", [c.campaign_id for c in structure.campaigns], facts.campaign_accounts, by_campaign, campaign_people),
        ("adgroup", [g.adgroup_id for g in structure.adgroups], facts.campaign_accounts[campaign_of], by_group, people),
    ]
    tables = [
        _reach_of_level(facts, level, ids, owner=owner, impressions=impressions, people=n) for level, ids, owner, impressions, n in levels
    ]
    return pa.concat_tables(tables).sort_by([("date", "ascending"), ("level", "ascending")])


def _reach_of_level(
    facts: AdvertiserFacts, level: str, ids: list[str], *, owner: np.ndarray, impressions: np.ndarray, people: np.ndarray
) -> pa.Table:
    """`owner`: position of the account of each entity; `impressions` (days, entities); `people` each entity has to reach."""
    import numpy as np

    accounts, lengths = facts.structure.accounts, _WINDOWS[level]
    social = np.array([a.platform not in SEARCH_PLATFORMS for a in accounts])
    total = np.cumsum(impressions, axis=0)
    windows = []
    for length in lengths:
        before = np.zeros_like(total)
        before[length:] = total[:-length]
        windows.append(total - before)
    seen = np.stack(windows, axis=-1)
    reach = reached(people[:, None], seen)
    shown = (seen > 0) & (facts.reported.has_rows & social)[:, owner][:, :, None]
    day, entity, window = np.nonzero(shown)
    return build_table(
        "reach_window",
        len(day),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": facts.date_array[day],
            "platform": Coded([a.platform for a in accounts], owner[entity]),
            "account_id": Coded([a.account_id for a in accounts], owner[entity]),
            "window_days": np.array(lengths)[window],
            "level": Constant(level),
            "entity_id": Coded(ids, entity),
            "reach": reach[shown],
            "impressions": seen[shown],
            "frequency": (seen / np.maximum(reach, 1))[shown].round(4),
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
                facts.streams.of("tag dedup").uniform(0.945, 0.985, size=shape).round(4).ravel(), mask=~two_ways[tag]
            ),
            "emq_score": np.ma.masked_array(
                facts.streams.of("tag quality").uniform(8.95, 9.6, size=shape).round(2).ravel(), mask=~two_ways[tag]
            ),
            "match_rate": match.ravel(),
            "error_count": facts.streams.of("tag errors").binomial(events, 0.004).ravel(),
        },
    )


def audiences(facts: AdvertiserFacts) -> pa.Table:
    """Four audiences per social account, refreshed every week. Each has several times the people whom its ad groups reach."""
    structure, anchor = facts.structure, facts.spec.anchor_day
    people = people_of_adgroups(structure)
    accounts = [a for a in structure.accounts if a.platform not in SEARCH_PLATFORMS]
    # Never on the morning after the anchor: the demo's next day shows the same lists.
    last = anchor - timedelta(days=2)
    refreshes = [last + timedelta(days=7 * week) for week in range(-60, (facts.spec.end - last).days // 7 + 1)]
    rows: list[tuple[Account, int, str, date, date | None, int]] = []
    users: dict[str, list[int]] = {}
    for position, group in enumerate(structure.adgroups):
        for audience in group.audience_ids:
            users.setdefault(audience, []).append(position)
    for account in accounts:
        for n in range(len(_AUDIENCES)):
            audience = audience_id(account, n)
            draw = facts.streams.of(f"audience {audience}")
            size = max(
                int(draw.integers(40_000, 900_000)), max((people[g] for g in users.get(audience, [])), default=0) * draw.uniform(3.5, 8)
            )
            sizes = size * draw.uniform(0.98, 1.02, size=len(refreshes))
            ends = [*refreshes[1:], None]
            rows += [(account, n, audience, day, end, int(now)) for day, end, now in zip(refreshes, ends, sizes, strict=True)]
    kinds = [_AUDIENCES[n] for _, n, *_ in rows]
    return build_table(
        "audiences",
        len(rows),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "platform": [account.platform for account, *_ in rows],
            "account_id": [account.account_id for account, *_ in rows],
            "audience_id": [audience for _, _, audience, *_ in rows],
            "name": [name for _, _, name in kinds],
            "type": [kind for kind, _, _ in kinds],
            "role": [role for _, role, _ in kinds],
            "size_lower": [size for *_, size in rows],
            "size_upper": [int(size * 1.2) for *_, size in rows],
            "membership_days": [30 if kind == "website" else 180 for kind, _, _ in kinds],
            "last_refreshed": [day for _, _, _, day, _, _ in rows],
            "seed_audience_id": [audience_id(account, BUYERS) if n == LOOKALIKE else None for account, n, *_ in rows],
            "status": Constant("enabled"),
            "attached_adgroups": [[structure.adgroups[g].adgroup_id for g in users.get(audience, [])] for _, _, audience, *_ in rows],
            "valid_from": [day for _, _, _, day, _, _ in rows],
            "valid_to": [end for _, _, _, _, end, _ in rows],
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
