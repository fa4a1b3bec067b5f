"""Overrides: for whom a rule has other limits, or is off, until when, and who decided it. Made by `override_file.py` from YAML.

Every row is judged with what was in force on its own day: the day of a row decides whether an entry has expired, never the clock, so a replay
judges as the run did and yesterday's verdict does not change when an entry ends today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from marketing_agents.rules.finding import AppliedOverride

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from marketing_agents.rules.mart_rows import MartRows
    from marketing_agents.rules.rule import Rule
    from marketing_agents.rules.vectors import Mask

    Choice = npt.NDArray[np.int16]

LABELS_MART = "campaign_features"
LABEL_SEPARATOR = "\x1f"
"""What joins the labels of a campaign in `campaign_features.campaign_labels`."""
_CAMPAIGN_KEY = ("advertiser_id", "date", "platform", "account_id", "campaign_id")


@dataclass(frozen=True)
class Reach:
    """Whom an entry is for. An empty set means everybody."""

    advertisers: frozenset[str] = frozenset()
    platforms: frozenset[str] = frozenset()
    campaign_labels: frozenset[str] = frozenset()
    campaigns: frozenset[str] = frozenset()

    @property
    def specificity(self) -> int:
        """Campaigns before labels before platforms before advertisers before everybody."""
        return 8 * bool(self.campaigns) + 4 * bool(self.campaign_labels) + 2 * bool(self.platforms) + bool(self.advertisers)

    @property
    def text(self) -> str:
        parts = (
            ("advertiser", self.advertisers),
            ("platform", self.platforms),
            ("campaign label", self.campaign_labels),
            ("campaign", self.campaigns),
        )
        return ", ".join(f"{name} {' or '.join(sorted(values))}" for name, values in parts if values) or "everybody"


@dataclass(frozen=True)
class Override:
    """One entry for one rule. `rule`: the rule as it is for its reach; None = switched off. `place`: file and number of the entry."""

    rule_id: str
    place: str
    reach: Reach
    rule: Rule | None = field(compare=False)
    changes: str
    owner: str
    reason: str
    starts: date | None
    expires: date

    def is_in_force(self, day: date) -> bool:
        return (self.starts is None or self.starts <= day) and day <= self.expires

    def is_expired(self, day: date) -> bool:
        return day > self.expires

    def concerns(self, advertiser_id: str) -> bool:
        return not self.reach.advertisers or advertiser_id in self.reach.advertisers

    @property
    def content(self) -> str:
        """Everything that decides what the entry does, as text for the hash of the catalogue."""
        reach = self.reach
        members = [sorted(values) for values in (reach.advertisers, reach.platforms, reach.campaign_labels, reach.campaigns)]
        patched = None if self.rule is None else self.rule.content_hash
        return f"{self.rule_id} {members} {patched} {self.owner!r} {self.reason!r} {self.starts} {self.expires}"

    @property
    def applied(self) -> AppliedOverride:
        """As a finding shows it."""
        return AppliedOverride(place=self.place, changes=self.changes, owner=self.owner, reason=self.reason, expires=self.expires)


def expired(overrides: Iterable[Override], advertiser_id: str, day: date) -> list[Override]:
    """Entries that would concern the advertiser had they not expired before the day."""
    return [override for override in overrides if override.is_expired(day) and override.concerns(advertiser_id)]


def choose(rule: Rule, overrides: Sequence[Override], rows: MartRows, features: Mapping[str, pd.DataFrame]) -> Choice | None:
    """For each row the position of the entry in force, -1 where there is none; None when no entry meets any row.

    `overrides`: of this rule, the most specific first; the first that fits is in force, alone.
    """
    import numpy as np

    if not overrides or not len(rows):
        return None
    chosen = np.full(len(rows), -1, dtype="int16")
    for position, override in enumerate(overrides):
        mask = (chosen < 0) & _days_in_force(override, rows)[rows.cell]
        if mask.any():
            mask &= _fits(rule, override.reach, rows, mask, features)
            chosen[mask] = position
    return chosen if (chosen >= 0).any() else None


def _days_in_force(override: Override, rows: MartRows) -> Mask:
    """Per calendar cell: the entry is in force for the advertiser on the day."""
    import numpy as np

    calendar = rows.calendar
    by_day = np.array([override.is_in_force(day) for day in calendar.dates], dtype=bool)
    by_advertiser = np.array([override.concerns(advertiser) for advertiser in calendar.advertisers], dtype=bool)
    return np.asarray(np.outer(by_advertiser, by_day).ravel())


def _fits(rule: Rule, reach: Reach, rows: MartRows, among: Mask, features: Mapping[str, pd.DataFrame]) -> Mask:
    import numpy as np

    frame, entity = rows.columns.frame, rule.entity
    mask = among.copy()
    for column, wanted in ((entity.platform, reach.platforms), (entity.campaign, reach.campaigns)):
        if wanted:
            mask &= np.asarray(frame[column].isin(wanted))
    if reach.campaign_labels and mask.any():
        mask &= _labelled(rule, reach.campaign_labels, rows, mask, features)
    return mask


def _labelled(rule: Rule, labels: frozenset[str], rows: MartRows, among: Mask, features: Mapping[str, pd.DataFrame]) -> Mask:
    """Rows whose campaign carries one of the labels on the row's day, as `campaign_features` knows it."""
    import numpy as np

    result = np.zeros(len(rows), dtype=bool)
    campaigns = features.get(LABELS_MART)
    if campaigns is None or campaigns.empty:
        return result
    texts = campaigns["campaign_labels"]
    carrying = {text for text in texts.dropna().unique() if labels & set(str(text).split(LABEL_SEPARATOR))}
    found = campaigns[texts.isin(carrying)]
    keys = set(zip(*(found[column].astype(str) for column in _CAMPAIGN_KEY), strict=True))
    entity = rule.entity
    columns = ("advertiser_id", "date", entity.platform, entity.account, entity.campaign)
    positions = np.flatnonzero(among & np.asarray(rows.columns.frame[entity.campaign].isin(set(found["campaign_id"]))))
    part = rows.columns.frame.iloc[positions]
    own = zip(*(part[column].astype(str) for column in columns), strict=True)
    result[positions] = [key in keys for key in own]
    return result
