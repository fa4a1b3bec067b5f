"""`advertiser_freshness`: which advertiser is behind, since when and why, as a table, a chart and figures that Dagster plots over time.

Dagster's freshness policies never look at partitions, so this asset asks the records. Not partitioned and not part of `daily_analysis`.

No postponed annotations in this module: Dagster reads the annotations of `context` and `config` as they are.
"""

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from marketing_agents.assets.partition_step import OWNERS

if TYPE_CHECKING:
    from marketing_agents.operations.freshness import Freshness

FRESHNESS_KEY = dg.AssetKey(["advertiser_freshness"])
UP_TO_DATE_CHECK = "advertisers_up_to_date"
SCHEDULED_FOR_TAG = "marketing_agents/scheduled_for"
"""Scheduled time of the tick that started the run (ISO, UTC): the run tells how things stood then, however long it was queued."""


def build_freshness_asset() -> dg.AssetsDefinition:
    """The asset `advertiser_freshness` with its check."""

    @dg.asset(
        key=FRESHNESS_KEY,
        group_name="operations",
        owners=OWNERS,
        kinds={"python"},
        code_version="1",
        tags={"layer": "operations"},
        metadata={"dagster/column_schema": _schema()},
        check_specs=[
            dg.AssetCheckSpec(
                UP_TO_DATE_CHECK,
                asset=FRESHNESS_KEY,
                description="Warns when an advertiser is one day behind, an error beyond that. Paused and new advertisers are not behind.",
            )
        ],
        description="Which advertiser is behind, since when and why. A day's report is due at local noon of the day after.",
    )
    def advertiser_freshness(
        context: dg.AssetExecutionContext, registry: dg.ResourceParam[Any], state: dg.ResourceParam[Any]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        from marketing_agents.operations.freshness_records import read_freshness
        from marketing_agents.operations.freshness_table import summary

        scheduled_for = context.run.tags.get(SCHEDULED_FOR_TAG)
        now = datetime.fromisoformat(scheduled_for).astimezone(UTC) if scheduled_for else datetime.now(UTC)
        freshness = read_freshness(registry.load(), state, now)
        context.log.info("%s", summary(freshness))
        return dg.MaterializeResult(metadata=freshness_metadata(freshness), check_results=[up_to_date(freshness)])

    return advertiser_freshness


def freshness_metadata(freshness: "Freshness") -> dict[str, Any]:
    """Figures, table and chart of one materialization."""
    from marketing_agents.operations.freshness_chart import draw_days_behind
    from marketing_agents.operations.freshness_table import freshness_markdown

    metadata: dict[str, Any] = {
        "dagster/row_count": len(freshness.advertisers),
        "status": "ok",
        "at": dg.MetadataValue.timestamp(freshness.at),
        "behind": freshness.count("behind"),
        "paused": freshness.count("paused"),
        "new": freshness.count("new"),
        "total": len(freshness.advertisers),
        "most_days_behind": freshness.worst_days,
        "advertisers": dg.MetadataValue.md(freshness_markdown(freshness)),
    }
    chart = draw_days_behind(freshness)
    if chart is not None:
        metadata["chart"] = dg.MetadataValue.md(f"![days behind](data:image/png;base64,{base64.b64encode(chart).decode()})")
    return metadata


def up_to_date(freshness: "Freshness") -> dg.AssetCheckResult:
    """Passes when nobody is behind."""
    behind = [one for one in freshness.advertisers if one.state == "behind"]
    named = ", ".join(f"{one.advertiser_id} ({one.days_behind} d)" for one in behind[:20])
    more = f" and {len(behind) - 20} more" if len(behind) > 20 else ""
    return dg.AssetCheckResult(
        check_name=UP_TO_DATE_CHECK,
        passed=not behind,
        severity=dg.AssetCheckSeverity.ERROR if freshness.worst_days > 1 else dg.AssetCheckSeverity.WARN,
        description=f"{len(behind)} behind: {named}{more}" if behind else "Nobody is behind.",
        metadata={"behind": len(behind), "most_days_behind": freshness.worst_days, "advertisers": f"{named}{more}" or "none"},
    )


def _schema() -> dg.TableSchema:
    from marketing_agents.operations.freshness_table import COLUMNS

    return dg.TableSchema(columns=[dg.TableColumn(name=name, type="VARCHAR") for name in COLUMNS])
