"""dbt-duckdb plugin: opens the database file of this run, whose path is in the environment and not in the profile.

dbt parses the whole project anew when anything in the profile changed, about 3 s of CPU. Each run has its own file, so its path must not be
part of the profile; only its name is, because DuckDB calls the database by it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

VARIABLE = "MARKETING_AGENTS_DBT_DATABASE"


class Plugin(BasePlugin):
    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:  # noqa: ARG002 - signature of dbt-duckdb
        """Called before DuckDB opens `creds.path`."""
        path = Path(os.environ.get(VARIABLE) or "target/private.duckdb")
        if path.stem != creds.database:
            raise DbtRuntimeError(
                f"{VARIABLE}={path}: the file must be called {creds.database}.duckdb, so that compiled SQL fits every run"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        creds.path = str(path)
