"""Which days have arrived in BigQuery: one query over all required tables and advertisers, with the accounts' clocks in the same result.

Only the key columns of a few days are read; on tables that are partitioned by date this bills the least BigQuery can bill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from marketing_agents.ingestion.source import AccountClock, Arrivals, ArrivedDay

if TYPE_CHECKING:
    import pyarrow as pa

ACCOUNTS_TABLE = "platform_accounts"
_OURS = "`advertiser_id` IN UNNEST(@advertiser_ids)"


def arrivals_query(dataset: str, columns: Mapping[str, Sequence[str]]) -> str:
    """The query for these tables (name -> columns it has). Parameters: @advertiser_ids, @start, @end.

    Columns of the result: source_table, advertiser_id, platform, account_id, date (null for accounts), time_zone, settle_lag_hours.
    """
    parts = []
    for table, present in columns.items():
        is_accounts = table == ACCOUNTS_TABLE
        zone = "time_zone" if is_accounts else "account_time_zone"
        selected = (
            f"'{table}' AS source_table",
            "`advertiser_id` AS advertiser_id",
            f"{_cast('platform', 'STRING', present)} AS platform",
            f"{_cast('account_id', 'STRING', present)} AS account_id",
            f"{'CAST(NULL AS DATE)' if is_accounts else '`date`'} AS date",
            f"{_cast(zone, 'STRING', present)} AS time_zone",
            f"{_cast('settle_lag_hours', 'INT64', present if is_accounts else ())} AS settle_lag_hours",
        )
        days = "" if is_accounts else " AND `date` BETWEEN @start AND @end"
        # Names only: the dataset was checked, the rest comes from our contracts.
        parts.append(f"SELECT DISTINCT {', '.join(selected)} FROM `{dataset}`.`{table}` WHERE {_OURS}{days}")  # noqa: S608
    return " UNION ALL ".join(parts)


def arrivals_of(rows: pa.Table, unusable: Mapping[str, str]) -> Arrivals:
    """The result of the query."""
    days, accounts = [], []
    for row in rows.to_pylist():
        advertiser_id, platform, account_id = row["advertiser_id"], row["platform"] or None, row["account_id"] or None
        if row["source_table"] != ACCOUNTS_TABLE:
            days.append(ArrivedDay(row["source_table"], advertiser_id, platform, account_id, row["date"], row["time_zone"] or None))
        elif platform is not None and account_id is not None:
            accounts.append(AccountClock(advertiser_id, platform, account_id, row["time_zone"] or None, row["settle_lag_hours"]))
    return Arrivals(tuple(days), tuple(accounts), unusable)


def _cast(column: str, kind: str, present: Sequence[str]) -> str:
    return f"SAFE_CAST(`{column}` AS {kind})" if column in present else f"CAST(NULL AS {kind})"
