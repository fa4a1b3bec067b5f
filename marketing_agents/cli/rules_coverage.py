"""`marketing-agents rules coverage`: what an advertiser's data lets rules say."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table
from rich.text import Text

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.assets.coverage import coverage_of
from marketing_agents.cli.errors import UsageError
from marketing_agents.cli.outside_text import outside_text
from marketing_agents.resources.platform import open_warehouse
from marketing_agents.rules.coverage import Coverage
from marketing_agents.settings import load_settings


def run_coverage(advertiser: str, *, as_json: bool) -> int:
    """Print every rule with its state, and what each missing input would unlock.

    Raises:
        RegistryError: the advertiser is unknown. UsageError: no data of it was loaded.
    """
    settings = load_settings()
    load_registry(settings.resolved_advertisers).require(advertiser)
    warehouse = open_warehouse(settings)
    if not warehouse.ingestion_log([advertiser]):
        raise UsageError(f"no data of {advertiser} is stored; materialize one of its partitions first (or run `make demo`)")
    [found] = coverage_of(settings, warehouse, [advertiser])
    if as_json:
        print(json.dumps({**found.model_dump(mode="json"), "counts": found.counts}, indent=2, ensure_ascii=False))
    else:
        _print(found)
    return 0


def _print(found: Coverage) -> None:
    counts = ", ".join(f"{count} {state}" for state, count in found.counts.items())
    rules = Table("rule", "title", "state", "missing", title=f"{found.advertiser_id}: {counts}", title_justify="left")
    colours = {"full": "green", "reduced": "yellow", "impossible": "red"}
    for rule in found.rules:
        rules.add_row(
            rule.rule_id,
            outside_text(rule.title),
            Text(rule.state, style=colours[rule.state]),
            outside_text(", ".join(rule.missing) or rule.why),
        )
    console = Console(highlight=False)
    console.print(rules)
    if found.unlocks:
        gains = Table("missing input", "unlocks", "makes full", "helps, with others", title="What would change it", title_justify="left")
        for unlock in found.unlocks:
            gains.add_row(unlock.item, *(_counted(ids) for ids in (unlock.unlocks, unlock.completes, unlock.also_for)))
        console.print(gains)


def _counted(ids: tuple[str, ...]) -> str:
    return f"{len(ids)}: {', '.join(ids)}" if ids else ""
