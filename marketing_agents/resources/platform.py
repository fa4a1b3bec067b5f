"""The resources every asset may ask for, by name. All are plain objects that open lazily, so importing definitions opens nothing.

They are hard-coded resources rather than configurable ones because Dagster shows the configuration of a resource in the UI, and two of
these hold secrets (the state store's URL, the model's key).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from marketing_agents.resources.agents import AgentRuntime
from marketing_agents.resources.source import SourceOpener
from marketing_agents.settings import PROJECT_DIR, Settings
from marketing_agents.state.store import StateStore
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse

if TYPE_CHECKING:
    from marketing_agents.advertisers.registry import Registry
    from marketing_agents.warehouse.store import Warehouse


class RegistryFile:
    """Reads the advertiser registry anew each time: a changed file takes effect without a restart."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Registry:
        """Raises RegistryError, which names file, advertiser, field and fix."""
        from marketing_agents.advertisers.registry import load_registry

        return load_registry(self.path)


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse that the settings name."""
    return EmbeddedWarehouse(settings.data_dir)


def dbt_project_dir() -> Path:
    """Where the dbt project lies: beside the package."""
    return PROJECT_DIR / "dbt_project"


def build_resources(settings: Settings, overrides: dict[str, Any]) -> dict[str, dg.ResourceDefinition]:
    """Resource definitions by name; `overrides` replaces the object of a name.

    Raises:
        ValueError: an override has a name that no resource has.
    """
    objects: dict[str, tuple[Any, str]] = {
        "settings": (settings, "Validated settings (MARKETING_AGENTS_* and the ecosystem's own variables)."),
        "registry": (RegistryFile(settings.resolved_advertisers), "The advertiser registry file."),
        "warehouse": (open_warehouse(settings), "Where rows live: embedded Parquet + DuckDB."),
        "state": (StateStore(settings.resolved_state_url), "Control state: rule labels, partition outcomes."),
        "source": (SourceOpener(settings), "The source adapter that ingestion reads."),
        "agents": (AgentRuntime(settings), "Model, prompts and tracing of the domain agents; all optional."),
    }
    unknown = sorted(set(overrides) - set(objects))
    if unknown:
        raise ValueError(f"unknown resource override {unknown[0]!r}; resources are: {', '.join(sorted(objects))}")
    return {name: _hardcoded(overrides.get(name, thing), description) for name, (thing, description) in objects.items()}


def _hardcoded(thing: Any, description: str) -> dg.ResourceDefinition:
    return dg.ResourceDefinition(resource_fn=lambda _context: thing, description=description)
