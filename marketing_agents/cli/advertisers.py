"""`marketing-agents advertisers add|edit|remove|list`: the registry file, edited and shown."""

from __future__ import annotations

import difflib
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from marketing_agents.advertisers.registry import Advertiser, load_registry
from marketing_agents.advertisers.registry_file import add_advertiser, edit_advertiser, fields_of, nearest, remove_advertiser
from marketing_agents.advertisers.yaml_values import Value
from marketing_agents.cli.errors import UsageError
from marketing_agents.operations.advertiser_list import ListedAdvertiser, list_advertisers
from marketing_agents.settings import Settings, load_settings
from marketing_agents.state.store import StateStore

OPTIONS = {
    "name": "--name",
    "time_zone": "--time-zone",
    "run_time_local": "--run-time",
    "base_currency": "--currency",
    "gross_margin": "--gross-margin",
    "target_cpa": "--target-cpa",
    "target_roas": "--target-roas",
    "brand_tokens": "--brand-token",
    "settle_lag_hours": "--settle-lag-hours",
    "required_tables": "--required-table",
    "paused": "--paused",
    "prompt_label": "--prompt-label",
}
_NUMBERS = ("gross_margin", "target_cpa", "target_roas")


def run_add(advertiser_id: str, given: Mapping[str, object]) -> int:
    """Append an advertiser to the registry file.

    Raises:
        UsageError: no file of one's own is configured, or an option is missing or wrong. RegistryError: a field is wrong.
    """
    settings = load_settings()
    path = own_registry(settings)
    fields = _fields(given)
    for name in ("name", "time_zone"):
        if name not in fields:
            raise UsageError(f"advertisers add {advertiser_id}: {OPTIONS[name]} is needed")
    added = add_advertiser(path, {"id": advertiser_id, **fields}).require(advertiser_id)
    print(f"added {added.id} ({added.name}, {added.time_zone}) to {path}")
    print("The sensor advertiser_registry makes its partitions within half a minute while the daemon runs.")
    if settings.onboarding_days and not added.paused:
        print(f"Then its last {settings.onboarding_days} days are run by themselves, once.")
    policy = settings.resolved_policies_dir / f"{added.id}.yaml"
    if not policy.exists():
        print(f"There is no guardrail policy {policy}: until there is, its recommendations are advice only.")
    return 0


def run_edit(advertiser_id: str, given: Mapping[str, object], unset: Sequence[str]) -> int:
    """Change an advertiser's entry. Raises UsageError, RegistryError."""
    path = own_registry(load_settings())
    changes = _fields(given)
    gone = [_field_named(name) for name in unset]
    both = sorted(set(changes) & set(gone))
    if both:
        raise UsageError(f"{OPTIONS[both[0]]} is given and unset at once")
    if not changes and not gone:
        raise UsageError(f"advertisers edit {advertiser_id}: nothing to change; give {', '.join(OPTIONS.values())} or --unset FIELD")
    edit_advertiser(path, advertiser_id, changes, gone)
    told = [*(f"{name} = {_shown(value)}" for name, value in changes.items()), *(f"{name} unset" for name in gone)]
    print(f"{advertiser_id}: {', '.join(told)} ({path})")
    return 0


def run_remove(advertiser_id: str, *, is_sure: bool) -> int:
    """Take an advertiser out of the registry file. Raises UsageError, RegistryError."""
    settings = load_settings()
    path = own_registry(settings)
    registry = load_registry(path)
    found = registry.get(advertiser_id)
    if found is None:
        raise UsageError(f"unknown advertiser {advertiser_id[:80]!r} ({nearest(advertiser_id, registry.ids)})")
    if not is_sure and not _confirmed(f"Remove {found.id} ({found.name}) from {path}? Its data stays. [y/N] "):
        print("nothing was changed")
        return 1
    left = remove_advertiser(path, advertiser_id)
    print(f"removed {advertiser_id} from {path}")
    print(f"No data is deleted: raw tables, results and reports stay in {settings.data_dir}, outcomes in the state store.")
    if left.ids:
        print("The sensor advertiser_registry takes its partitions out of Dagster within half a minute while the daemon runs.")
    else:
        print("The registry lists nobody now. The sensor takes that for a mistake: its partitions stay until somebody is added.")
    print(f"To get it back, with the partitions it had: {_command_to_add(found)}")
    return 0


def run_list(*, as_json: bool) -> int:
    """Print the registry with what the state store knows about each advertiser."""
    settings = load_settings()
    registry = load_registry(settings.resolved_advertisers)
    rows = list_advertisers(registry, StateStore(settings.resolved_state_url), datetime.now(UTC))
    if as_json:
        print(json.dumps([_as_json(row) for row in rows], indent=2, ensure_ascii=False))
        return 0
    table = Table(Column("id", no_wrap=True), "name", Column("time zone", overflow="fold"), "run time", "state", "history", "last day done")
    for row in rows:
        a = row.advertiser
        texts = (a.id, a.name, a.time_zone, f"{a.run_time_local:%H:%M}", row.state, _history(row), str(row.last_done or "none yet"))
        table.add_row(*(Text(text) for text in texts), style="dim" if row.state != "active" else None)
    console = Console()
    console.print(table)
    console.print(Text(f"{len(rows)} advertisers in {settings.resolved_advertisers}"), style="dim", soft_wrap=True)
    return 0


def own_registry(settings: Settings) -> Path:
    """The registry file that commands may edit.

    Raises:
        UsageError: none is configured; the sample agency's belongs to the package.
    """
    if settings.advertisers is None:
        raise UsageError(
            "the sample agency's registry is part of the package and is not edited; set MARKETING_AGENTS_ADVERTISERS to a file of your own "
            "(in the environment or in .env, for example MARKETING_AGENTS_ADVERTISERS=advertisers.yaml); `advertisers add` makes the file"
        )
    return settings.advertisers


def _fields(given: Mapping[str, object]) -> dict[str, Value]:
    """Options that were given, as values of the registry, in the order of the file."""
    fields: dict[str, Value] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in _NUMBERS:
            fields[name] = _number(OPTIONS[name], str(value))
        elif isinstance(value, list):
            fields[name] = tuple(value)
        elif isinstance(value, bool | int | str):
            fields[name] = value
    return fields


def _number(option: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise UsageError(f"{option} {text[:80]!r} is not a number; write for example 20 or 0.5")
    return number


def _field_named(text: str) -> str:
    """The field that `target-cpa`, `--target-cpa` or `target_cpa` names."""
    name = text.removeprefix("--").replace("-", "_")
    by_option = {option.removeprefix("--").replace("-", "_"): field for field, option in OPTIONS.items()}
    if name == "id":
        raise UsageError("an id cannot be unset; add the advertiser under its new id and remove this one")
    if name not in OPTIONS and name not in by_option:
        near = difflib.get_close_matches(name, [*by_option, *OPTIONS], n=1)
        hint = f"did you mean {near[0].replace('_', '-')!r}?" if near else f"fields: {', '.join(OPTIONS)}"
        raise UsageError(f"--unset {text[:80]!r}: no such field ({hint})")
    return by_option.get(name, name)


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("remove asks before it acts, and nobody can answer here; add --yes")
    return input(question).strip().lower() in {"y", "yes"}


def _command_to_add(advertiser: Advertiser) -> str:
    words = ["marketing-agents", "advertisers", "add", advertiser.id]
    for name, value in fields_of(advertiser).items():
        if name == "id":
            continue
        if isinstance(value, bool):
            words += [OPTIONS[name]] if value else []
        else:
            for item in value if isinstance(value, tuple) else (value,):
                words += [OPTIONS[name], str(item)]
    return shlex.join(words)


def _shown(value: Value) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _history(row: ListedAdvertiser) -> str:
    onboarding = row.onboarding
    if onboarding is None or onboarding.recorded_at is None:
        return "not onboarded yet"
    days = f", {onboarding.first_date} to {onboarding.last_date}" if onboarding.first_date else ""
    return f"onboarded {onboarding.recorded_at:%Y-%m-%d}{days}"


def _as_json(row: ListedAdvertiser) -> dict[str, Any]:
    switch, onboarding = row.switch, row.onboarding
    return {
        **row.advertiser.model_dump(mode="json"),
        "run_time_local": f"{row.advertiser.run_time_local:%H:%M}",
        "state": "active" if row.state == "active" else "paused",
        "kill_switch": {
            "who": switch.who,
            "why": switch.why,
            "at": switch.at.isoformat(),
            "until": switch.until.isoformat() if switch.until else None,
        }
        if switch
        else None,
        "onboarding": {
            "recorded_at": onboarding.recorded_at.isoformat() if onboarding.recorded_at else None,
            "first_date": onboarding.first_date.isoformat() if onboarding.first_date else None,
            "last_date": onboarding.last_date.isoformat() if onboarding.last_date else None,
            "note": onboarding.note,
        }
        if onboarding
        else None,
        "last_day_done": row.last_done.isoformat() if row.last_done else None,
    }
