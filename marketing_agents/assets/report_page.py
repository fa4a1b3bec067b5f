"""`daily_report`: the day's list as a self-contained HTML page and a Markdown digest, for people who do not open Dagster.

No postponed annotations in this module: Dagster reads the annotations of `context` and `config` as they are.
"""

from typing import TYPE_CHECKING, Any

import dagster as dg

from marketing_agents.assets.failure_policy import failure_policy
from marketing_agents.assets.partition_step import OWNERS, PartitionStep
from marketing_agents.assets.recommendations import RECOMMENDATIONS_KEY, day_results
from marketing_agents.assets.recommendations import STEP as RECOMMENDATIONS_STEP
from marketing_agents.checks.per_partition import STATUS_CHECK, partition_check
from marketing_agents.days import LocalDay
from marketing_agents.partitions import ADVERTISER_DATE, chunked
from marketing_agents.settings import Settings

if TYPE_CHECKING:
    from marketing_agents.report.page_view import PageInput
    from marketing_agents.resources.platform import RegistryFile
    from marketing_agents.state.store import StateStore
    from marketing_agents.warehouse.store import Warehouse

STEP = "daily_report"
REPORT_KEY = dg.AssetKey(["daily_report"])


def build_report_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `daily_report`."""

    spec = dg.AssetSpec(
        REPORT_KEY,
        deps=[RECOMMENDATIONS_KEY],
        group_name="recommendations",
        owners=OWNERS,
        kinds={"html", "markdown"},
        code_version="1",
        tags={"layer": "report"},
        metadata={
            "dagster/column_schema": dg.TableSchema(
                columns=[dg.TableColumn(name="page", type="HTML"), dg.TableColumn(name="digest", type="MARKDOWN")]
            )
        },
        description="The day on one page: ranked list, evidence on demand, trend charts, what was held and why, age of the data, who wrote the text.",
    )

    # A subsettable multi-asset of one asset: only there may checks be reported through log_event, one per partition.
    @dg.multi_asset(
        name="daily_report",
        specs=[spec],
        can_subset=True,
        partitions_def=ADVERTISER_DATE,
        backfill_policy=chunked(settings.backfill_chunk_size),
        check_specs=[partition_check(STATUS_CHECK, REPORT_KEY)],
    )
    def daily_report(  # type: ignore[no-untyped-def]  # noqa: ANN202 - Dagster refuses an annotation beside checks
        context: dg.AssetExecutionContext, registry: dg.ResourceParam[Any], warehouse: dg.ResourceParam[Any], state: dg.ResourceParam[Any]
    ):
        with failure_policy(context):
            _report(context, registry, warehouse, state)
        yield dg.MaterializeResult(asset_key=REPORT_KEY)

    return daily_report


def _report(context: dg.AssetExecutionContext, registry: "RegistryFile", warehouse: "Warehouse", state: "StateStore") -> None:
    from marketing_agents.report.page import render_digest, render_page

    step = PartitionStep.begin(STEP, context, state, registry, after=RECOMMENDATIONS_STEP)
    details: dict[LocalDay, dict[str, Any]] = {}
    pages = page_inputs(warehouse, step) if step.usable else {}
    for day, page in pages.items():
        digest = render_digest(page)
        where = warehouse.save_document(f"{day.advertiser_id}/{day.day.isoformat()}.html", render_page(page).encode())
        warehouse.save_document(f"{day.advertiser_id}/{day.day.isoformat()}.md", digest.encode())
        details[day] = {"page": dg.MetadataValue.path(str(where)), "digest": dg.MetadataValue.md(digest)}
    step.report([REPORT_KEY], {REPORT_KEY: dict.fromkeys(pages, 1)}, {REPORT_KEY: details})


def page_inputs(warehouse: "Warehouse", step: PartitionStep) -> "dict[LocalDay, PageInput]":
    """What the page of each usable day shows."""
    from marketing_agents.decisions.tables import recommendations_from_table
    from marketing_agents.report.page_view import PageInput
    from marketing_agents.report.trend import TrendReader
    from marketing_agents.rules.tables import told_outcomes

    read = day_results(warehouse, step.usable)
    listed = recommendations_from_table(warehouse.read_slices("recommendations", step.usable))
    outcomes = told_outcomes(warehouse.read_slices("rule_evaluations", step.usable))
    pages: dict[LocalDay, PageInput] = {}
    for day in step.usable:
        analyses, found = read[day]
        reader = TrendReader(warehouse, day.advertiser_id, day.day)
        trends = {f.finding_id: trend for f in found if f.is_open and (trend := reader.trend(f)) is not None}
        reason = step.outcomes[day].reason
        pages[day] = PageInput(
            advertiser=step.advertisers.require(day.advertiser_id),
            day=day.day,
            recommendations=tuple(r for r in listed if (r.advertiser_id, r.date) == day),
            analyses=tuple(analyses),
            findings=tuple(found),
            outcomes=tuple(o for o in outcomes if (o.advertiser_id, o.date) == day),
            trends=trends,
            data_notes=(reason,) if reason else (),
        )
    return pages
