"""The registry as an operator looks at it: who runs when, who is held and by whom, whose history was requested, which day was done last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from marketing_agents.advertisers.registry import Advertiser, Registry
from marketing_agents.operations.freshness_records import read_freshness
from marketing_agents.state.kill_switch import KillSwitch, SwitchEntry
from marketing_agents.state.onboardings import Onboarding, Onboardings
from marketing_agents.state.store import StateStore


@dataclass(frozen=True)
class ListedAdvertiser:
    """One advertiser. `switch`: the pause in force, if the kill switch holds it; `last_done`: its last day with a report."""

    advertiser: Advertiser
    switch: SwitchEntry | None
    onboarding: Onboarding | None
    last_done: date | None

    @property
    def state(self) -> str:
        """`active` or why it is held."""
        reasons = [*(["paused in the registry"] if self.advertiser.paused else []), *([self.switch.reason] if self.switch else [])]
        return "; ".join(reasons) or "active"


def list_advertisers(registry: Registry, state: StateStore, now: datetime) -> list[ListedAdvertiser]:
    """In registry order; a handful of queries, however many there are."""
    held = KillSwitch(state).paused(now, registry.ids)
    onboardings = Onboardings(state).read()
    done = {a.advertiser_id: a.last_done for a in read_freshness(registry, state, now).advertisers}
    return [ListedAdvertiser(a, held.get(a.id), onboardings.get(a.id), done.get(a.id)) for a in registry.advertisers]
