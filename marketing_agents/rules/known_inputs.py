"""What an advertiser delivers, read from the warehouse: tables that ever had a row, and optional columns that are always empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from marketing_agents.days import LocalDay
from marketing_agents.rules.coverage import KnownInputs
from marketing_agents.warehouse.contract import ColumnType, TableContract, TableKind

if TYPE_CHECKING:
    import pyarrow as pa

    from marketing_agents.rules.outcomes import RuleOutcome
    from marketing_agents.warehouse.store import SliceVersion, Warehouse

LOOKED_AT_DAYS = 28
"""Last days of a table whose rows are looked at, and last days whose outcomes are read: a column unused for four weeks is not delivered."""


def known_inputs(warehouse: Warehouse, advertiser_id: str, tables: Mapping[str, TableContract]) -> KnownInputs:
    """The newest days with rows decide, of daily tables four weeks of them, of lists the newest."""
    newest: dict[str, SliceVersion] = {}
    for version in warehouse.ingestion_log([advertiser_id]):
        if version.rows and (version.table not in newest or newest[version.table].date < version.date):
            newest[version.table] = version
    empty: set[str] = set()
    for name, version in newest.items():
        contract = tables.get(name)
        if contract is None:
            continue
        back = LOOKED_AT_DAYS - 1 if contract.kind is TableKind.DAILY else 0
        rows = warehouse.read_raw(name, advertiser_id, version.date - timedelta(days=back), version.date, known_on=date.max)
        empty |= {
            f"{name}.{column.name}" for column in contract.columns if not column.required and _is_empty(rows, column.name, column.type)
        }
    return KnownInputs(frozenset(newest), frozenset(empty))


def last_outcomes(warehouse: Warehouse, advertiser_id: str, facts_table: str) -> list[RuleOutcome]:
    """What rules said on the last days that have facts."""
    from marketing_agents.rules.tables import outcomes_from_table

    days = {version.date for version in warehouse.ingestion_log([advertiser_id], tables=[facts_table]) if version.as_of <= version.date}
    wanted = [LocalDay(advertiser_id, day) for day in sorted(days)[-LOOKED_AT_DAYS:]]
    return outcomes_from_table(warehouse.read_slices("rule_evaluations", wanted))


def _is_empty(rows: pa.Table, column: str, kind: ColumnType) -> bool:
    import pyarrow.compute as pc

    values = rows.column(column)
    if kind is ColumnType.STRINGS:
        longest = pc.max(pc.list_value_length(values)).as_py()
        return longest is None or longest == 0
    return bool(values.null_count == len(values))
