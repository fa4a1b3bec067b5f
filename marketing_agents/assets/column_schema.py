"""`dagster/column_schema` of every asset, from the same contracts that make the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from marketing_agents.warehouse.contract import DUCKDB_TYPES, TableContract
from marketing_agents.warehouse.marts import MartContract


def table_metadata(contract: TableContract) -> Mapping[str, Any]:
    """Static metadata of a table's asset: schema, name, grain, version of the contract."""
    columns = [
        dg.TableColumn(
            name=c.name,
            type=DUCKDB_TYPES[c.type],
            description=c.description,
            constraints=dg.TableColumnConstraints(nullable=not c.required, unique=False),
        )
        for c in contract.columns
    ]
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/table_name": contract.name,
        "grain": contract.grain,
        "contract_version": contract.version,
    }


def mart_metadata(mart: MartContract) -> Mapping[str, Any]:
    """Static metadata of a mart's asset."""
    columns = [dg.TableColumn(name=c.name, type=c.data_type.upper(), description=c.description) for c in mart.columns]
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/table_name": mart.name,
        "grain": " x ".join(mart.grain),
    }
