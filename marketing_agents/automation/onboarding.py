"""Onboarding on Dagster's side: reads what was requested from the instance, and turns chunks into run requests.

One run holds one advertiser's days: the two range tags make Dagster expand them to a range run without a backfill. The row in the state store is
written when the runs exist, not when they are asked for: a tick that dies in between is repeated by Dagster, or planned again here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

import dagster as dg

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.automation.run_tags import ADVERTISER_TAG, ONBOARDING_PRIORITY, PRIORITY_TAG, TRIGGER_TAG
from marketing_agents.operations.onboarding import (
    TAKEN_BY_THE_MORNING,
    DayRange,
    Newcomer,
    OnboardingChunk,
    OnboardingPlan,
    first_results,
    plan_onboardings,
)
from marketing_agents.partitions import local_days, partition_key
from marketing_agents.settings import Settings
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.mornings import Mornings
from marketing_agents.state.onboardings import Onboardings
from marketing_agents.state.store import StateStore

TRIGGER = "onboarding"
WINDOW_TAG = "marketing_agents/onboarding_window"
"""`2026-11-06/2026-11-19`: all days of the onboarding that a run is part of."""
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
REQUESTS_PER_TICK = 4
"""As many as run at once. Dagster writes an event per asset and partition when it creates a run (569 for 14 days, 22 s of CPU on SQLite, on a busy
machine), and until a tick's runs exist the daemon looks at no other sensor."""


def onboard(
    registered: Iterable[Advertiser], state: StateStore, instance: dg.DagsterInstance, settings: Settings, now: datetime
) -> OnboardingPlan:
    """Plan what new advertisers need, and record those that need nothing more. The same few queries, however many advertisers.

    `registered`: advertisers of the registry whose partition exists.
    """
    if settings.advertisers is None:
        return OnboardingPlan()  # the sample agency: 84 partitions must not start on a laptop that only wants to look
    known = Onboardings(state).read()
    new = [advertiser for advertiser in registered if advertiser.id not in known]
    if not new:
        return OnboardingPlan()
    plan = plan_onboardings(
        newcomers(new, state, instance, settings, now),
        now,
        days=settings.onboarding_days,
        start_date=settings.start_date,
        chunk_size=settings.backfill_chunk_size,
        limit=REQUESTS_PER_TICK,
    )
    Onboardings(state).record(plan.finished, at=now)
    return plan


def newcomers(new: list[Advertiser], state: StateStore, instance: dg.DagsterInstance, settings: Settings, now: datetime) -> list[Newcomer]:
    """What is known about new advertisers, from the state store and the runs of the instance."""
    ids = [advertiser.id for advertiser in new]
    requested = requested_chunks(instance, ids)
    results = first_results(state, ids)
    held = KillSwitch(state).paused(now, ids)
    oldest = min([chunk.window.first for chunks in requested.values() for chunk in chunks], default=now.date())
    taken: dict[str, set[date]] = defaultdict(set)
    for morning in Mornings(state).read(advertiser_ids=ids, start=min(oldest, now.date() - timedelta(days=settings.onboarding_days + 2))):
        if morning.outcome in TAKEN_BY_THE_MORNING:
            taken[morning.advertiser_id].add(morning.date)
    return [
        Newcomer(
            advertiser,
            pause="paused in the registry" if advertiser.paused else held[advertiser.id].reason if advertiser.id in held else "",
            first_result=results.get(advertiser.id),
            requested=requested.get(advertiser.id, []),
            taken=frozenset(taken[advertiser.id]),
        )
        for advertiser in new
    ]


def requested_chunks(instance: dg.DagsterInstance, advertiser_ids: list[str]) -> dict[str, list[OnboardingChunk]]:
    """Onboarding chunks whose runs exist, in whatever state, by advertiser. One query."""
    found: dict[str, list[OnboardingChunk]] = defaultdict(list)
    for run in instance.get_runs(dg.RunsFilter(tags={TRIGGER_TAG: TRIGGER, ADVERTISER_TAG: advertiser_ids})):
        if {WINDOW_TAG, RANGE_START_TAG, RANGE_END_TAG} <= run.tags.keys():
            days = local_days([run.tags[RANGE_START_TAG], run.tags[RANGE_END_TAG]])
            chunk = OnboardingChunk(days[0].advertiser_id, DayRange(days[0].day, days[-1].day), DayRange.parse(run.tags[WINDOW_TAG]))
            found[chunk.advertiser_id].append(chunk)
    return found


def run_request(chunk: OnboardingChunk) -> dg.RunRequest:
    """The run for a chunk. Dagster makes one run per run key, whatever happens to ticks."""
    return dg.RunRequest(
        run_key=f"{TRIGGER}|{chunk.advertiser_id}|{chunk.days}",
        tags={
            RANGE_START_TAG: partition_key(chunk.advertiser_id, chunk.days.first),
            RANGE_END_TAG: partition_key(chunk.advertiser_id, chunk.days.last),
            ADVERTISER_TAG: chunk.advertiser_id,
            TRIGGER_TAG: TRIGGER,
            PRIORITY_TAG: ONBOARDING_PRIORITY,
            WINDOW_TAG: str(chunk.window),
        },
    )
