"""Write a sample agency: one Parquet file per input table, all advertisers in it, and the truth file.

Advertisers are drawn and written one after another (one row group each), so memory holds one advertiser whatever the size.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING

from marketing_agents.sample import (
    ads_tables,
    audience_tables,
    business_tables,
    change_events,
    feedback_tables,
    performance_tables,
    platform_tables,
    search_tables,
    segments,
    structure_tables,
)
from marketing_agents.sample.facts import AdvertiserFacts, draw_facts
from marketing_agents.sample.incidents.registry import rewritten
from marketing_agents.sample.truth import AgencyTruth, make_truth
from marketing_agents.warehouse.catalog import INPUT_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa

    from marketing_agents.sample.incidents.placed import PlacedIncident
    from marketing_agents.sample.spec import AgencySpec

TABLES: Mapping[str, Callable[[AdvertiserFacts], pa.Table]] = MappingProxyType(
    {
        "ad_performance_daily": performance_tables.ad_performance_daily,
        "campaign_metrics_daily": performance_tables.campaign_metrics_daily,
        "segment_performance_daily": segments.segment_performance_daily,
        "conversions_by_action_daily": performance_tables.conversions_by_action_daily,
        "reach_window": ads_tables.reach_window,
        "tag_health_daily": audience_tables.tag_health_daily,
        "campaigns": structure_tables.campaigns,
        "adgroups": structure_tables.adgroups,
        "ads": structure_tables.ads,
        "conversion_actions": structure_tables.conversion_actions,
        "platform_accounts": structure_tables.platform_accounts,
        "audiences": audience_tables.audiences,
        "audience_overlap": audience_tables.audience_overlap,
        "change_events": change_events.change_events,
        "orders_daily": business_tables.orders_daily,
        "web_sessions_daily": business_tables.web_sessions_daily,
        "consent_daily": business_tables.consent_daily,
        "budget_plans": business_tables.budget_plans,
        "calendar_events": business_tables.calendar_events,
        "fx_rates": business_tables.fx_rates,
        "search_terms_daily": search_tables.search_terms_daily,
        "auction_insights_daily": search_tables.auction_insights_daily,
        "url_checks": ads_tables.url_checks,
        "feed_items": ads_tables.feed_items,
        "product_performance_daily": ads_tables.product_performance_daily,
        "connector_runs": platform_tables.connector_runs,
        "feedback": feedback_tables.feedback,
    }
)


def write_agency(directory: Path, spec: AgencySpec) -> AgencyTruth:
    """Write `<directory>/input/<table>.parquet`, `<directory>/advertisers.yaml` (the registry) and, last, `<directory>/truth.json`.

    Rows are sorted by advertiser and, in daily tables, by date. Every file appears whole or not at all; as long as there is no
    truth file the agency is not complete. Equal specs give equal bytes.

    Raises:
        ValueError: `spec.tables` names a table that does not exist.
    """
    wanted = _wanted_tables(spec)
    folder = directory / "input"
    folder.mkdir(parents=True, exist_ok=True)
    (directory / "truth.json").unlink(missing_ok=True)
    rows = dict.fromkeys(wanted, 0)
    placed: list[PlacedIncident] = []
    _write_tables(folder, spec, rows, placed)
    _replace_text(directory / "advertisers.yaml", registry_yaml(spec))
    truth = make_truth(spec, placed, rows)
    _replace_text(directory / "truth.json", truth.to_json())
    return truth


def _wanted_tables(spec: AgencySpec) -> tuple[str, ...]:
    unknown = sorted(set(spec.tables or ()) - set(TABLES))
    if unknown:
        raise ValueError(f"unknown input table(s) {', '.join(unknown)}; there are: {', '.join(TABLES)}")
    return tuple(table for table in TABLES if spec.tables is None or table in spec.tables)


def _write_tables(folder: Path, spec: AgencySpec, rows: dict[str, int], placed: list[PlacedIncident]) -> None:
    """Write all tables to temporary names, then rename; on an error nothing is left behind."""
    import pyarrow.parquet as pq

    paths = {table: folder / f".{table}.{os.getpid()}.tmp" for table in rows}
    try:
        with ExitStack() as stack:
            writers = {
                table: stack.enter_context(
                    pq.ParquetWriter(path, INPUT_TABLES[table].arrow_schema(), compression="zstd", compression_level=1)
                )
                for table, path in paths.items()
            }
            for profile in sorted(spec.advertisers, key=lambda p: p.advertiser.id):
                facts = draw_facts(profile, spec)
                placed.extend(facts.incidents)
                for table, writer in writers.items():
                    content = rewritten(table, TABLES[table](facts), facts)
                    rows[table] += content.num_rows
                    if content.num_rows:
                        writer.write_table(content, row_group_size=content.num_rows)
        for table, path in paths.items():
            path.replace(folder / f"{table}.parquet")
    finally:
        for path in paths.values():
            path.unlink(missing_ok=True)


def registry_yaml(spec: AgencySpec) -> str:
    """The registry of the agency's advertisers, in the form that `load_registry` reads."""
    import yaml

    entries = []
    for profile in sorted(spec.advertisers, key=lambda p: p.advertiser.id):
        entry = profile.advertiser.model_dump(mode="json", exclude_defaults=True)
        entries.append(
            {key: float(value) if key in {"gross_margin", "target_cpa", "target_roas"} else value for key, value in entry.items()}
        )
    return yaml.safe_dump({"advertisers": entries}, allow_unicode=True, sort_keys=False)


def _replace_text(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
