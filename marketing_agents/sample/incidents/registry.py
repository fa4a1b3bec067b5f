"""All kinds of incidents, found by looking into this folder."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from marketing_agents.sample.incidents.kind import IncidentKind
from marketing_agents.sample.incidents.placed import Place, PlacedIncident

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.profile import AdvertiserProfile
    from marketing_agents.sample.structure import Structure


@cache
def kinds() -> Mapping[str, IncidentKind]:
    """Every kind by name.

    Raises:
        TypeError: two kinds have one name.
    """
    package = importlib.import_module("marketing_agents.sample.incidents")
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        importlib.import_module(f"{package.__name__}.{module.name}")
    found: dict[str, IncidentKind] = {}
    for cls in sorted(_leaves(IncidentKind.__subclasses__()), key=lambda c: c.name):
        if cls.name in found:
            raise TypeError(f"two kinds of incidents are called {cls.name!r}: {type(found[cls.name]).__name__} and {cls.__name__}")
        found[cls.name] = cls()
    return MappingProxyType(found)


def _leaves(classes: Iterable[type[IncidentKind]]) -> Iterable[type[IncidentKind]]:
    for cls in classes:
        if cls.__subclasses__():
            yield from _leaves(cls.__subclasses__())
        elif cls.__module__.startswith("marketing_agents."):
            yield cls


def place_incidents(profile: AdvertiserProfile, structure: Structure, anchor: date, start: date) -> tuple[PlacedIncident, ...]:
    """The incidents of one advertiser.

    Raises:
        ValueError: an incident names a kind that does not exist, or an account or campaign that the profile does not have.
    """
    place = Place(profile, structure, anchor, start)
    for incident in profile.incidents:
        if incident.kind not in kinds():
            raise ValueError(f"{profile.advertiser.id}: unknown kind of incident {incident.kind!r}; there are: {', '.join(kinds())}")
    return tuple(kinds()[incident.kind].place(place, incident) for incident in profile.incidents)


def rewritten(table: str, rows: pa.Table, facts: AdvertiserFacts) -> pa.Table:
    """Rows of a table after every incident that changes what is written there."""
    for incident in facts.incidents:
        kind = kinds()[incident.kind]
        if table in kind.tables:
            rows = kind.rewrite(table, rows, facts, incident)
    return rows
