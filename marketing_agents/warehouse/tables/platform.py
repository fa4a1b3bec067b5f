"""Contracts of what the machinery reports about itself: the connectors that bring data from the platforms."""

from __future__ import annotations

from marketing_agents.warehouse.contract import Column, ColumnType, TableContract, TableKind
from marketing_agents.warehouse.tables.performance import ACCOUNT_ID, ADVERTISER_ID, PLATFORM, D, S, count, share

CONNECTOR_RUNS = TableContract(
    name="connector_runs",
    description="How the connectors stood on the morning after each day: one row per connector and account that it loads.",
    grain="date x connector x platform account",
    kind=TableKind.DAILY,
    key=("advertiser_id", "date", "platform", "account_id", "connector_id"),
    look_back_days=0,
    columns=(
        ADVERTISER_ID,
        Column("date", D, "Day in the advertiser's zone; the row is what was known on the morning after it.", required=True),
        PLATFORM,
        ACCOUNT_ID,
        Column("connector_id", S, "Connector (transfer, connection, job).", required=True),
        Column("name", S, "Name; outside text."),
        Column("status", S, "How the last run ended.", required=True, allowed=("succeeded", "failed", "running", "paused")),
        Column("error_code", S, "Error of the last run as the connector writes it."),
        count("consecutive_failures", "Failed runs since the last one that succeeded.", required=True),
        Column("last_success_at", ColumnType.TIMESTAMP, "End of the last run that succeeded."),
        Column("token_expires_at", ColumnType.TIMESTAMP, "When the access token expires; empty for tokens that do not."),
        share("quota_429_rate", "Share of the day's requests that the platform refused because a quota was used up."),
    ),
)

PLATFORM_TABLES = (CONNECTOR_RUNS,)
