"""Which days have arrived in files: the distinct (advertiser, account, day) of a table, from its key columns only.

Values are made distinct before they are converted: a file of a million rows holds a few thousand account days.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from marketing_agents.ingestion.conversion import UnusableTypeError, convert
from marketing_agents.ingestion.source import AccountClock, Arrivals, ArrivedDay, TableProblem
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableContract

if TYPE_CHECKING:
    import pyarrow as pa

DAY_COLUMNS = ("advertiser_id", "platform", "account_id", "date", "account_time_zone")
CLOCK_COLUMNS = ("advertiser_id", "platform", "account_id", "time_zone", "settle_lag_hours")


def arrivals_of(
    columns: Callable[[TableContract, Sequence[str]], pa.Table],
    contracts: Sequence[TableContract],
    advertiser_ids: Collection[str],
    start: date,
    end: date,
) -> Arrivals:
    """Arrivals of tables. `columns` gives some columns of all rows of a table under our names, or raises TableProblem."""
    wanted = frozenset(advertiser_ids)
    days: list[ArrivedDay] = []
    unusable: dict[str, str] = {}
    for contract in contracts:
        names = [name for name in DAY_COLUMNS if name in contract.by_name]
        try:
            days.extend(_days(contract, columns(contract, names), names, wanted, start, end))
        except TableProblem as problem:
            unusable[contract.name] = str(problem)
    accounts = INPUT_TABLES["platform_accounts"]
    try:
        clocks = tuple(_clocks(accounts, columns(accounts, CLOCK_COLUMNS), wanted))
    except TableProblem:
        clocks = ()  # loading tells what is wrong with it; the accounts then keep the zone of their rows and the advertiser's settle lag
    return Arrivals(tuple(days), clocks, unusable)


def _days(
    contract: TableContract, rows: pa.Table, names: Sequence[str], wanted: Collection[str], start: date, end: date
) -> Iterator[ArrivedDay]:
    missing = [name for name in names if name not in rows.column_names and contract.by_name[name].required]
    if missing:
        raise TableProblem(f"{contract.name}: column {missing[0]!r} is missing")
    for row in _distinct(contract, rows, names):
        if row["advertiser_id"] in wanted and row["date"] is not None and start <= row["date"] <= end:
            yield ArrivedDay(
                contract.name, row["advertiser_id"], row.get("platform"), row.get("account_id"), row["date"], row.get("account_time_zone")
            )


def _clocks(contract: TableContract, rows: pa.Table, wanted: Collection[str]) -> Iterator[AccountClock]:
    for row in _distinct(contract, rows, CLOCK_COLUMNS):
        platform, account_id = row.get("platform"), row.get("account_id")
        if row["advertiser_id"] in wanted and platform is not None and account_id is not None:
            yield AccountClock(row["advertiser_id"], platform, account_id, row.get("time_zone"), row.get("settle_lag_hours"))


def _distinct(contract: TableContract, rows: pa.Table, names: Sequence[str]) -> list[dict[str, Any]]:
    """Distinct rows over these columns (where the table has them), each value in the contract's type or None.

    Raises:
        TableProblem: the type of a column cannot hold its values at all.
    """
    import pyarrow as pa

    present = [name for name in names if name in rows.column_names]
    plain = pa.table(
        {
            name: column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
            for name in present
            for column in [rows.column(name)]
        }
    )
    distinct = plain.group_by(present).aggregate([])
    values: dict[str, list[Any]] = {}
    for name in present:
        try:
            values[name] = convert(contract.by_name[name], distinct.column(name)).values.to_pylist()
        except UnusableTypeError as problem:
            raise TableProblem(f"{contract.name}: column {name!r}: {problem}") from None
    return [dict(zip(present, row, strict=True)) for row in zip(*values.values(), strict=True)]
