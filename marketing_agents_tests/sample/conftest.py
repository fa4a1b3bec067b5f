"""Agencies that several tests read, each written once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import duckdb
import pytest

from marketing_agents.sample.agency import write_agency
from marketing_agents.sample.spec import AgencySpec

if TYPE_CHECKING:
    from pathlib import Path

    from marketing_agents.sample.truth import AgencyTruth, PlantedTruth

ANCHOR = date(2026, 11, 20)


@dataclass(frozen=True)
class Agency:
    """A written agency. `query` runs SQL in which each input table is a view."""

    directory: Path
    truth: AgencyTruth

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(config={"threads": 2})
        for file in sorted((self.directory / "input").glob("*.parquet")):
            connection.execute(f"create view {file.stem} as select * from read_parquet('{file}')")
        return connection

    def query(self, sql: str) -> list[tuple]:
        return self.connection.execute(sql).fetchall()

    def value(self, sql: str) -> object:
        [(value,)] = self.query(sql)
        return value

    def incidents(self, rule_id: str) -> tuple[PlantedTruth, ...]:
        found = self.truth.of_rule(rule_id)
        assert found, f"no incident planted for {rule_id}"
        return found


def written(directory: Path, **arguments: object) -> Agency:
    spec = AgencySpec(**{"end": ANCHOR, "anchor": ANCHOR} | arguments)
    return Agency(directory, write_agency(directory, spec))


@pytest.fixture(scope="session")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Agency:
    """The demo's agency: six advertisers, 180 days, incidents."""
    return written(tmp_path_factory.mktemp("agency"))


@pytest.fixture(scope="session")
def clean_agency(tmp_path_factory: pytest.TempPathFactory) -> Agency:
    return written(tmp_path_factory.mktemp("clean"), incidents=False)


@pytest.fixture(scope="session")
def next_day(tmp_path_factory: pytest.TempPathFactory) -> Agency:
    """The same agency one day later."""
    return written(tmp_path_factory.mktemp("next"), end=ANCHOR + timedelta(days=1))


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Agency:
    """The same days, seen two weeks later."""
    return written(tmp_path_factory.mktemp("settled"), known_on=ANCHOR + timedelta(days=14))
