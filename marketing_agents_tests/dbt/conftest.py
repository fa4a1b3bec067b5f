from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from marketing_agents_tests.dbt.building import Built, dbt
from marketing_agents_tests.dbt.random_agency import random_agency
from marketing_agents_tests.dbt.raw_database import Raw, write_raw

END = date(2026, 11, 20)


@dataclass(frozen=True)
class Agency:
    """Random agencies side by side in one database, built once for all tests of this folder."""

    raw: Raw
    database: Path
    built: Built


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dbt_target")


@pytest.fixture(scope="session")
def agency(tmp_path_factory: pytest.TempPathFactory, target: Path) -> Agency:
    raw = Raw()
    for seed in (1, 2, 3):
        part = random_agency(seed, end=END, prefix=f"s{seed}-")
        raw.advertisers += part.advertisers
        raw.asked += part.asked
        raw.versions |= part.versions
    database = tmp_path_factory.mktemp("dbt") / "private.duckdb"
    write_raw(database, raw)
    built = dbt(database, target, "build")
    assert built.returncode == 0, built.output[-4000:]
    return Agency(raw, database, built)
