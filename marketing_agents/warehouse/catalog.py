"""All table contracts by name: what ingestion loads, and what the pipeline writes."""

from __future__ import annotations

from marketing_agents.warehouse.contract import TableContract
from marketing_agents.warehouse.tables.ads import ADS_TABLES
from marketing_agents.warehouse.tables.business import BUSINESS_TABLES
from marketing_agents.warehouse.tables.feedback import FEEDBACK_TABLES
from marketing_agents.warehouse.tables.performance import PERFORMANCE_TABLES
from marketing_agents.warehouse.tables.platform import PLATFORM_TABLES
from marketing_agents.warehouse.tables.results import RESULT_TABLE_CONTRACTS
from marketing_agents.warehouse.tables.search import SEARCH_TABLES
from marketing_agents.warehouse.tables.structure import STRUCTURE_TABLES

INPUT_TABLES: dict[str, TableContract] = {
    t.name: t
    for t in (
        *PERFORMANCE_TABLES,
        *STRUCTURE_TABLES,
        *BUSINESS_TABLES,
        *SEARCH_TABLES,
        *PLATFORM_TABLES,
        *ADS_TABLES,
        *FEEDBACK_TABLES,
    )
}
RESULT_TABLES: dict[str, TableContract] = {t.name: t for t in RESULT_TABLE_CONTRACTS}
