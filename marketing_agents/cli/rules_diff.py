"""`marketing-agents rules diff`: what another version of the rules would have said on the features that are stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.assets.findings import to_frames
from marketing_agents.cli.errors import UsageError
from marketing_agents.cli.outside_text import outside_text
from marketing_agents.days import EPISODE_DAYS, LocalDay
from marketing_agents.resources.platform import dbt_project_dir, open_warehouse
from marketing_agents.rules.catalogue_diff import KINDS, Change, compare, counts, examples, told
from marketing_agents.rules.catalogue_file import load_catalogue
from marketing_agents.rules.catalogue_version import VersionNotFoundError, catalogue_at
from marketing_agents.settings import Settings, load_settings
from marketing_agents.warehouse.marts import MartContract, load_marts

if TYPE_CHECKING:
    import pyarrow as pa

    from marketing_agents.rules.rule import Catalogue
    from marketing_agents.warehouse.store import Warehouse

FACTS = "ad_performance_daily"


def run_diff(against: str, days: int, advertisers: Sequence[str], *, examples_shown: int, as_json: bool) -> int:
    """Print findings that appear, vanish or change between the other version and the settings' own.

    Raises:
        UsageError: the version does not exist, or no features are stored. CatalogueError: one of the two is not valid.
    """
    settings = load_settings()
    registry = load_registry(settings.resolved_advertisers)
    chosen = [registry.require(advertiser).id for advertiser in advertisers] or list(registry.ids)
    marts = load_marts(dbt_project_dir())
    new = load_catalogue(settings.resolved_catalogue_dir, marts)
    old = _other(settings, against, marts)
    warehouse = open_warehouse(settings)
    changes: list[Change] = []
    compared = 0
    for advertiser in chosen:
        found, n_days = _changes_of(warehouse, old, new, marts, advertiser, days)
        changes += found
        compared += n_days
    if not compared:
        raise UsageError("no features are stored for these advertisers; materialize some of their partitions first (or run `make demo`)")
    rules = _changed_rules(old, new)
    if as_json:
        print(json.dumps(_data(changes, rules, compared, examples_shown), indent=2, ensure_ascii=False))
    else:
        _print(changes, rules, compared, against, examples_shown)
    return 0


def _other(settings: Settings, against: str, marts: dict[str, MartContract]) -> Catalogue:
    try:
        with catalogue_at(against, settings.resolved_catalogue_dir) as folder:
            return load_catalogue(folder, marts)
    except VersionNotFoundError as error:
        raise UsageError(f"--against: {error}") from None


def _changes_of(
    warehouse: Warehouse, old: Catalogue, new: Catalogue, marts: dict[str, MartContract], advertiser: str, days: int
) -> tuple[list[Change], int]:
    """Changes of one advertiser over its last `days` stored days, and how many of them have features."""
    from marketing_agents.rules.availability import availability
    from marketing_agents.rules.evaluate import evaluate

    log = warehouse.ingestion_log([advertiser])
    loaded = {version.date for version in log if version.table == FACTS and version.as_of <= version.date}
    if not loaded:
        return [], 0
    last = max(loaded)
    window = [LocalDay(advertiser, last - timedelta(days=back)) for back in range(days + EPISODE_DAYS)]
    read = {mart.mart for mart in (*old.rules, *new.rules)}
    tables = {name: _complete(warehouse.read_slices(name, window), marts[name]) for name in sorted(read)}
    published = {day for table in tables.values() for day in table.column("date").to_pylist()}
    asked = [day for day in window[:days] if day.day in published]
    if not asked:
        return [], 0
    features, inputs = to_frames(tables), availability(log, asked)
    before, after = (told(evaluate(catalogue, features, asked, inputs).findings) for catalogue in (old, new))
    return compare(before, after), len(asked)


def _complete(table: pa.Table, mart: MartContract) -> pa.Table:
    """The table with every column of the contract: slices may be older than a column, which is then empty."""
    import pyarrow as pa

    for column in mart.columns:
        if column.name not in table.schema.names:
            table = table.append_column(column.name, pa.nulls(table.num_rows))
    return table


def _changed_rules(old: Catalogue, new: Catalogue) -> dict[str, list[str]]:
    return {
        "added": sorted(set(new.by_id) - set(old.by_id)),
        "removed": sorted(set(old.by_id) - set(new.by_id)),
        "changed": sorted(
            rule_id for rule_id, rule in new.by_id.items() if rule_id in old.by_id and old.by_id[rule_id].content_hash != rule.content_hash
        ),
    }


def _data(changes: Sequence[Change], rules: dict[str, list[str]], compared: int, shown: int) -> dict[str, Any]:
    counted = [{"rule": rule, "advertiser": advertiser, **numbers} for (rule, advertiser), numbers in counts(changes).items()]
    return {
        "rules": rules,
        "advertiser_days": compared,
        "changes": counted,
        "examples": [change.model_dump(mode="json") for change in examples(changes, shown)],
    }


def _print(changes: Sequence[Change], rules: dict[str, list[str]], compared: int, against: str, shown: int) -> None:
    console = Console(highlight=False)
    for what, ids in rules.items():
        if ids:
            console.print(Text(f"rules {what}: {', '.join(ids)}"))
    if not changes:
        console.print(Text(f"No finding differs from {against} on {compared} advertiser-days."))
        return
    table = Table("rule", "advertiser", *KINDS, title=f"Findings against {against}, {compared} advertiser-days", title_justify="left")
    for (rule, advertiser), numbers in counts(changes).items():
        table.add_row(rule, advertiser, *(str(numbers[kind]) if numbers[kind] else "" for kind in KINDS))
    console.print(table)
    listed = Table("rule", "advertiser", "change", "entity", "day", "severity", "days open", title="Examples", title_justify="left")
    for c in examples(changes, shown):
        severity = f"{c.severity_before or '-'} > {c.severity_after or '-'}"
        listed.add_row(
            c.rule_id, c.advertiser_id, c.kind, outside_text(c.entity_name), str(c.day), severity, f"{c.days_before} > {c.days_after}"
        )
    console.print(listed)
