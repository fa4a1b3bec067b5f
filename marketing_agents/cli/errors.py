"""Errors that are the user's to mend: shown as one message. Everything else is a bug and keeps its traceback."""

from __future__ import annotations

from marketing_agents.advertisers.registry import RegistryError
from marketing_agents.domains.registry import DomainError
from marketing_agents.ingestion.source import SourceError
from marketing_agents.rules.catalogue_file import CatalogueError
from marketing_agents.settings import SettingsError
from marketing_agents.state.kill_switch import KillSwitchError
from marketing_agents.state.migrate import StateError
from marketing_agents.warehouse.store import WarehouseError


class UsageError(ValueError):
    """An argument of a command is wrong; the message says which and what is expected."""


KNOWN_ERRORS = (
    CatalogueError,
    DomainError,
    KillSwitchError,
    RegistryError,
    SettingsError,
    SourceError,
    StateError,
    UsageError,
    WarehouseError,
)
