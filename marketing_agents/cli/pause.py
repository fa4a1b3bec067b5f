"""`marketing-agents pause` and `resume`: the kill switch. Takes effect at once, also for runs that work on the advertiser already."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime

from marketing_agents.advertisers.registry import Registry, load_registry
from marketing_agents.cli.errors import UsageError
from marketing_agents.cli.status import print_table
from marketing_agents.operations import pausing
from marketing_agents.settings import Settings, load_settings
from marketing_agents.state.kill_switch import KillSwitch, SwitchEntry
from marketing_agents.state.store import StateStore


def run_pause(advertiser: str | None, why: str | None, *, by: str | None, until: str | None) -> int:
    """Pause an advertiser and say what is in force.

    Raises:
        UsageError: no advertiser or no reason. RegistryError: an unknown one. KillSwitchError: `until` is no time to come.
    """
    if advertiser is None or why is None:
        raise UsageError("pause needs --advertiser and --why (or --history)")
    settings, now = load_settings(), datetime.now(UTC)
    registry = load_registry(settings.resolved_advertisers)
    entry = pausing.pause(registry, _switch(settings), advertiser, who=_who(by), why=why, until=until, now=now)
    _tell(registry, entry, now)
    print(
        "schedules pass it over, and a run that works on it stops at its next step; "
        f"to let it go: marketing-agents resume --advertiser {entry.advertiser_id} --why '...'"
    )
    return 0


def run_resume(advertiser: str, why: str, *, by: str | None) -> int:
    """Let an advertiser go and say what is in force.

    Raises:
        RegistryError: an unknown advertiser. KillSwitchError: it is not paused, or no reason is given.
    """
    settings, now = load_settings(), datetime.now(UTC)
    registry = load_registry(settings.resolved_advertisers)
    entry = pausing.resume(registry, _switch(settings), advertiser, who=_who(by), why=why, now=now)
    _tell(registry, entry, now)
    print(f"the next morning requests it again; days that were passed over: marketing-agents status --advertiser {entry.advertiser_id}")
    return 0


def run_history(advertiser: str | None) -> int:
    """Print every pause and resume, newest first.

    Raises:
        RegistryError: no registry.
    """
    settings = load_settings()
    registry = load_registry(settings.resolved_advertisers)
    # An advertiser that left the registry has a history, too.
    entries = _switch(settings).history([advertiser] if advertiser is not None else None)
    if advertiser is not None and not entries:
        registry.require(advertiser)
    if entries:
        print_table(pausing.HISTORY_COLUMNS, pausing.history_rows(entries, registry))
    else:
        print(f"{advertiser or 'nobody'} was {'never' if advertiser else 'ever'} paused")
    return 0


def _tell(registry: Registry, entry: SwitchEntry, now: datetime) -> None:
    print(pausing.in_force(registry.require(entry.advertiser_id), entry, now))


def _switch(settings: Settings) -> KillSwitch:
    return KillSwitch(StateStore(settings.resolved_state_url))


def _who(by: str | None) -> str:
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # KeyError until Python 3.12: a process without a name, as in some containers
        raise UsageError("this process has no user name; say who you are with --by") from None
