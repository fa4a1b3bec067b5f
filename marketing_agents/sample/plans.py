"""Budget plans: what the advertiser agreed to spend, drawn up from the same curve that normal spending follows.

Advertisers with `plan_period = "month"` plan by calendar month; those with `"four_weeks"` in periods of 28 days of which 20 have
passed at the anchor, so that an incident of pacing is far enough into a period whatever the day of the month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.rhythm import day_factors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketing_agents.sample.profile import AdvertiserProfile, PlanIdea
    from marketing_agents.sample.structure import Campaign, Structure

ELAPSED_AT_ANCHOR = 20
_FOUR_WEEKS = 28


@dataclass(frozen=True)
class Plan:
    """One plan; `amount` in base currency. `campaigns`: positions in the structure whose spend it covers."""

    plan_id: str
    name: str
    first: date
    last: date
    scope: str
    scope_ids: tuple[str, ...]
    amount: int
    is_hard_cap: bool
    campaigns: tuple[int, ...]
    themes: tuple[str, ...]


def plans(profile: AdvertiserProfile, structure: Structure, anchor: date, start: date) -> tuple[Plan, ...]:
    """All plans whose period overlaps [start, anchor + 40 days]."""
    made: list[Plan] = []
    for first, last in _periods(profile, anchor, start):
        made.append(_plan(profile, structure, anchor, idea=None, first=first, last=last))
        made.extend(_plan(profile, structure, anchor, idea=idea, first=first, last=last) for idea in profile.plans)
    return tuple(made)


def _periods(profile: AdvertiserProfile, anchor: date, start: date) -> list[tuple[date, date]]:
    until = anchor + timedelta(days=40)
    periods: list[tuple[date, date]] = []
    if profile.plan_period == "four_weeks":
        first = anchor - timedelta(days=ELAPSED_AT_ANCHOR - 1)
        while first > start:
            first -= timedelta(days=_FOUR_WEEKS)
        while first <= until:
            periods.append((first, first + timedelta(days=_FOUR_WEEKS - 1)))
            first += timedelta(days=_FOUR_WEEKS)
    else:
        first = start.replace(day=1)
        while first <= until:
            following = (first + timedelta(days=32)).replace(day=1)
            periods.append((first, following - timedelta(days=1)))
            first = following
    # The data begin on `start`: a plan for days that nobody can see spending on would look far behind for ever.
    return [(max(first, start), last) for first, last in periods]


def _plan(profile: AdvertiserProfile, structure: Structure, anchor: date, *, idea: PlanIdea | None, first: date, last: date) -> Plan:
    covered = [
        i
        for i, campaign in enumerate(structure.campaigns)
        if idea is None
        or (structure.account_of(campaign).platform == idea.platform and (not idea.campaigns or campaign.idea.theme in idea.campaigns))
    ]
    scope, number = "advertiser", 0
    scope_ids: tuple[str, ...] = ()
    if idea is not None:
        number = 1 + profile.plans.index(idea)
        if idea.campaigns:
            scope, scope_ids = "campaigns", tuple(structure.campaigns[i].campaign_id for i in covered)
        else:
            scope, scope_ids = "account", (structure.accounts[structure.find_account(idea.platform)].account_id,)
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    expected = _expected_spend(profile, [structure.campaigns[i] for i in covered], anchor, days)
    # A hard cap leaves some air above the expected spend; round amounts, as people agree on them.
    is_hard_cap = idea is not None and idea.is_hard_cap
    return Plan(
        plan_id=f"{profile.advertiser.id}-{first:%Y%m%d}-{number}",
        name=f"{idea.name if idea else 'All channels'} {first:%d %b}–{last:%d %b %Y}",
        first=first,
        last=last,
        scope=scope,
        scope_ids=scope_ids,
        amount=_rounded(expected * (1.08 if is_hard_cap else 1.01)),
        is_hard_cap=is_hard_cap,
        campaigns=tuple(covered),
        themes=idea.campaigns if idea else (),
    )


def _rounded(amount: float) -> int:
    """To about three significant digits, at least one unit."""
    step: int = 10 ** max(0, len(str(int(amount))) - 3)
    return max(1, round(amount / step)) * step


def _expected_spend(profile: AdvertiserProfile, campaigns: Sequence[Campaign], anchor: date, days: Sequence[date]) -> float:
    factors = day_factors(profile, anchor, days)
    total = 0.0
    for campaign in campaigns:
        total += campaign.daily_spend * sum(float(f) for f, day in zip(factors, days, strict=True) if is_live(campaign, day))
    return total


def is_live(campaign: Campaign, day: date) -> bool:
    """True while the campaign is launched, not paused, and its flight goes on."""
    return (
        campaign.launched <= day
        and (campaign.paused is None or day < campaign.paused)
        and (campaign.flight_end is None or day <= campaign.flight_end)
    )


def lifetime_budget(profile: AdvertiserProfile, campaign: Campaign, anchor: date) -> float | None:
    """What a flight may spend in all, in base currency, drawn up from the curve that it follows; None without a flight."""
    if campaign.flight_end is None:
        return None
    days = [campaign.launched + timedelta(days=i) for i in range((campaign.flight_end - campaign.launched).days + 1)]
    return _expected_spend(profile, [campaign], anchor, days)
