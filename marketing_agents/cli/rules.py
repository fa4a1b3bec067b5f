"""`marketing-agents rules check|list`."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table

from marketing_agents.assets.catalogue import label_rules, read_catalogue
from marketing_agents.rules.catalogue_file import CatalogueError
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
    return 0


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
        table.add_row(r.id, r.title, r.category, label.domain, f"{label.tier} ({label.confidence:.2f})", ", ".join(r.requires))
    Console().print(table)
    return 0
