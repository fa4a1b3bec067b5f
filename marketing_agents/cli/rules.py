"""`marketing-agents rules check|list|overrides`."""

from __future__ import annotations

import json
import sys
from datetime import date

from rich.console import Console
from rich.table import Table

from marketing_agents.assets.catalogue import label_rules, read_catalogue
from marketing_agents.cli.errors import UsageError
from marketing_agents.cli.outside_text import outside_text
from marketing_agents.rules.catalogue_file import CatalogueError
from marketing_agents.rules.overrides import Override
from marketing_agents.settings import load_settings
from marketing_agents.state.store import StateStore


def check() -> int:
    """0 when every rule is valid, else 1 with the list of problems on standard error."""
    settings = load_settings()
    try:
        catalogue = read_catalogue(settings)
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(catalogue.rules)} rules are valid (catalogue {catalogue.hash[:12]}, {settings.resolved_catalogue_dir})")
    if settings.overrides is not None:
        print(f"{len(catalogue.overrides)} overrides are valid ({settings.overrides})")
    return 0


def list_overrides(day: str | None, *, as_json: bool) -> int:
    """Entries with their reach, changes and owner; with a day, whether they hold on it. 1 when one expired before the day.

    Raises:
        UsageError: the day is not a date.
    """
    settings = load_settings()
    on = None if day is None else _date(day)
    overrides = read_catalogue(settings).overrides
    rows = [
        {
            "rule": o.rule_id,
            "reach": o.reach.text,
            "changes": o.changes,
            "owner": o.owner,
            "reason": o.reason,
            "starts": None if o.starts is None else o.starts.isoformat(),
            "expires": o.expires.isoformat(),
            "place": o.place,
            "state": _state(o, on),
        }
        for o in overrides
    ]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        print("There are no overrides" + (" (MARKETING_AGENTS_OVERRIDES is not set)." if settings.overrides is None else "."))
    else:
        shown = [name for name in rows[0] if name != "state" or on is not None]
        table = Table(*shown, title=f"{len(rows)} overrides")
        for row in rows:
            table.add_row(*(outside_text(row[name] or "") for name in shown))
        Console().print(table)
    return 1 if any(row["state"] == "expired" for row in rows) else 0


def _state(override: Override, day: date | None) -> str | None:
    """A state on a day; None without one: only a day decides, never the clock."""
    if day is None:
        return None
    return "in force" if override.is_in_force(day) else "expired" if override.is_expired(day) else "not yet"


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--date {text!r} is not a date; write it as YYYY-MM-DD") from None


def list_rules(*, as_json: bool) -> int:
    """Rules with their domain label."""
    settings = load_settings()
    catalogue = read_catalogue(settings)
    labels = {label.rule_id: label for label in label_rules(settings, catalogue, StateStore(settings.resolved_state_url))}
    if as_json:
        rows = [
            {
                "id": r.id,
                "title": r.title,
                "category": r.category,
                "order": r.order,
                "mart": r.mart,
                "requires": list(r.requires),
                "shadow": r.is_shadow,
                "domain": labels[r.id].domain,
                "tier": labels[r.id].tier,
                "confidence": labels[r.id].confidence,
            }
            for r in catalogue.rules
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    table = Table(
        "rule", "title", "category", "domain", "tier", "needs", title=f"{len(catalogue.rules)} rules, catalogue {catalogue.hash[:12]}"
    )
    for r in catalogue.rules:
        label = labels[r.id]
        table.add_row(
            f"{r.id} (on trial)" if r.is_shadow else r.id,
            outside_text(r.title),
            r.category,
            label.domain,
            f"{label.tier} ({label.confidence:.2f})",
            ", ".join(r.requires),
        )
    Console().print(table)
    return 0
