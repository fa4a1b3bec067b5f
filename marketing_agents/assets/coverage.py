"""`rules/coverage`: for every advertiser, which rules its data lets speak, and what is missing for the others. Not partitioned.

No postponed annotations in this module: Dagster reads the annotations of `context` and `config` as they are.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from marketing_agents.assets.catalogue import CATALOGUE_KEY, FINDINGS_KEY, catalogue_version, markdown_table, read_catalogue
from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.settings import Settings
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.marts import load_marts

if TYPE_CHECKING:
    from marketing_agents.rules.coverage import Coverage
    from marketing_agents.warehouse.store import Warehouse

COVERAGE_KEY = dg.AssetKey(["rules", "coverage"])
_FACTS = "ad_performance_daily"
_HEADER = ("advertiser", "full", "reduced", "impossible", "would unlock most")


def coverage_of(settings: Settings, warehouse: "Warehouse", advertiser_ids: Sequence[str]) -> "list[Coverage]":
    """Coverage by advertiser, from stored rows and the outcomes of the last four weeks."""
    from marketing_agents.rules.coverage import coverage
    from marketing_agents.rules.known_inputs import known_inputs, last_outcomes

    catalogue, marts = read_catalogue(settings), load_marts(dbt_project_dir())
    return [
        coverage(a, catalogue, marts, INPUT_TABLES, known_inputs(warehouse, a, INPUT_TABLES), last_outcomes(warehouse, a, _FACTS))
        for a in advertiser_ids
    ]


def build_coverage_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `rules/coverage`."""

    @dg.asset(
        key=COVERAGE_KEY,
        deps=[CATALOGUE_KEY, FINDINGS_KEY],
        group_name="rules",
        owners=OWNERS,
        kinds={"python"},
        code_version=catalogue_version(settings),
        tags={"layer": "rules"},
        metadata={"dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn(name=name, type="VARCHAR") for name in _HEADER])},
        description="Which rules each advertiser's data lets speak in full, reduced or not at all, and which missing table or column would unlock the most. Reads four weeks of stored rows of everybody, so it is materialized on demand.",
    )
    def rules_coverage(
        context: dg.AssetExecutionContext, registry: dg.ResourceParam[Any], warehouse: dg.ResourceParam[Any]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        found = coverage_of(settings, warehouse, registry.load().ids)
        context.log.info("coverage of %d advertisers", len(found))
        return dg.MaterializeResult(metadata=coverage_metadata(found))

    return rules_coverage


def coverage_metadata(found: "Sequence[Coverage]") -> dict[str, Any]:
    """A row per advertiser, and a row per missing input over all of them."""
    rows = []
    gains: Counter[str] = Counter()
    for one in found:
        best = one.unlocks[0] if one.unlocks else None
        rows.append((one.advertiser_id, *one.counts.values(), "" if best is None else f"{best.item} ({len(best.unlocks)} rules)"))
        for unlock in one.unlocks:
            gains[unlock.item] += len(unlock.unlocks)
    wanted = [(item, count) for item, count in sorted(gains.items(), key=lambda pair: (-pair[1], pair[0])) if count]
    return {
        "dagster/row_count": len(rows),
        "status": "ok",
        "coverage": dg.MetadataValue.md(markdown_table(_HEADER, rows)),
        "missing_inputs": dg.MetadataValue.md(markdown_table(("missing input", "rules it would unlock, over all advertisers"), wanted)),
    }
