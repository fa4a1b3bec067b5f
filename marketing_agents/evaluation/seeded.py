"""Which agencies are evaluated: the six sample businesses under other seeds, clean or with incidents of every kind and size.

An advertiser carries few incidents at a time, each on another campaign, so that one does not hide another; kinds that would blind the others
(missing rows, silent tags, blocked accounts) come alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.incidents.registry import kinds
from marketing_agents.sample.profile import Incident

if TYPE_CHECKING:
    from marketing_agents.sample.incidents.kind import IncidentKind
    from marketing_agents.sample.profile import AccountProfile, AdvertiserProfile, CampaignIdea

MOST_TOGETHER = 3


@dataclass(frozen=True)
class Planting:
    """One incident to plant: a kind and a size."""

    kind: str
    size: float


@dataclass(frozen=True)
class SeededAdvertiser:
    """One advertiser to evaluate. `seed` draws its figures."""

    profile: AdvertiserProfile
    seed: int


def clean_advertisers(seeds: Sequence[int]) -> list[SeededAdvertiser]:
    """The six businesses without incidents, under each seed."""
    return [SeededAdvertiser(_renamed(model, f"s{seed}", ()), seed) for seed in seeds for model in sample_profiles()]


def plantings(only: frozenset[str] | None = None, sizes: Sequence[int] | None = None) -> list[Planting]:
    """Every kind in every size. `only`: names of kinds or ids of rules; `sizes`: positions among the sizes of each kind, from the smallest."""
    found = []
    for kind in kinds().values():
        if only is None or kind.name in only or set(kind.rules) & only:
            chosen = [size for n, size in enumerate(kind.sizes) if sizes is None or n in sizes or n - len(kind.sizes) in sizes]
            found += [Planting(kind.name, size) for size in chosen]
    return found


def planted_advertisers(chosen: Sequence[Planting], seed: int) -> list[SeededAdvertiser]:
    """Advertisers that carry all of `chosen` between them, where a business of the six suits the kind.

    The same `chosen` and `seed` give the same advertisers.
    """
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    waiting = list(chosen)
    rng.shuffle(waiting)
    found: list[SeededAdvertiser] = []
    while waiting:
        number = len(found)
        models = list(sample_profiles())
        rng.shuffle(models)
        best: tuple[AdvertiserProfile, list[tuple[Planting, Incident]]] | None = None
        for model in models:
            taken = list(_fitting(model, waiting, rng))
            if taken and (best is None or len(taken) > len(best[1])):
                best = (model, taken)
        if best is None:
            break  # no business suits what is left: `unplaced` tells
        model, taken = best
        for planting, _ in taken:
            waiting.remove(planting)
        found.append(SeededAdvertiser(_renamed(model, f"p{seed}-{number}", tuple(incident for _, incident in taken)), seed * 1000 + number))
    return found


def unplaced(chosen: Sequence[Planting], advertisers: Sequence[SeededAdvertiser]) -> list[str]:
    """Kinds that no business suits."""
    placed = {incident.kind for advertiser in advertisers for incident in advertiser.profile.incidents}
    return sorted({planting.kind for planting in chosen} - placed)


def _fitting(model: AdvertiserProfile, waiting: Sequence[Planting], rng: random.Random) -> Iterator[tuple[Planting, Incident]]:
    """What of `waiting` one business can carry together."""
    used: set[tuple[str, str]] = set()
    used_kinds: set[str] = set()
    is_alone = False
    for planting in waiting:
        kind = kinds()[planting.kind]
        if is_alone or len(used_kinds) >= MOST_TOGETHER or planting.kind in used_kinds or (kind.comes_alone and used_kinds):
            continue
        places = [(a, c) for a, c in _places(kind, model) if (a.platform, c.theme) not in used]
        if not places:
            continue
        account, campaign = rng.choice(places)
        used.add((account.platform, campaign.theme))
        used_kinds.add(planting.kind)
        is_alone = kind.comes_alone
        yield planting, Incident(planting.kind, planting.size, account.platform, campaign.theme if kind.needs_campaign else "")


def _places(kind: IncidentKind, model: AdvertiserProfile) -> list[tuple[AccountProfile, CampaignIdea]]:
    return [(account, campaign) for account in model.accounts for campaign in account.campaigns if kind.suits(model, account, campaign)]


def _renamed(model: AdvertiserProfile, suffix: str, incidents: tuple[Incident, ...]) -> AdvertiserProfile:
    update: Mapping[str, object] = {"id": f"{model.advertiser.id[:40]}-{suffix}"}
    return replace(model, advertiser=model.advertiser.model_copy(update=dict(update)), incidents=incidents)
