"""Runs the rules over seeded advertisers, group by group: draw, write what was known, build features with dbt, evaluate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from marketing_agents.advertisers.registry import Registry
from marketing_agents.days import LocalDay
from marketing_agents.evaluation.known_versions import Drawn, in_groups, write_versions
from marketing_agents.rules.availability import availability
from marketing_agents.rules.evaluate import Evaluation, evaluate
from marketing_agents.warehouse.embedded.parquet import connect, to_arrow
from marketing_agents.warehouse.embedded.transform import DATABASE_VARIABLE, MARTS_SCHEMA, write_log_and_request

if TYPE_CHECKING:
    from marketing_agents.evaluation.seeded import SeededAdvertiser
    from marketing_agents.rules.rule import Catalogue
    from marketing_agents.warehouse.marts import MartContract

END = date(2026, 11, 20)
"""Last day of every seeded agency: any day would do, a fixed one makes runs comparable."""
GROUP_SIZE = 12
"""Advertisers per build: enough to share dbt's start, few enough for a small machine."""

Builder = Callable[[Mapping[str, str]], None]
"""Builds all models in the database that the environment variables name; raises when a model fails."""


@dataclass(frozen=True)
class EvaluatedGroup:
    """Some advertisers with what the rules said about the asked days."""

    drawn: Sequence[Drawn]
    days: Sequence[LocalDay]
    evaluation: Evaluation


def evaluate_seeded(
    advertisers: Sequence[SeededAdvertiser],
    catalogue: Catalogue,
    marts: Mapping[str, MartContract],
    build: Builder,
    *,
    days: int,
    told: Callable[[str], None] = lambda _: None,
) -> Iterator[EvaluatedGroup]:
    """Evaluate the last `days` days of every advertiser.

    Raises:
        WarehouseError: a private database cannot be written.
    """
    for group in in_groups(advertisers, GROUP_SIZE):
        with TemporaryDirectory(prefix="marketing-agents-evaluation-") as folder:
            yield _evaluate_group(group, catalogue, marts, build, Path(folder) / "private.duckdb", days, told)


def _evaluate_group(
    group: Sequence[SeededAdvertiser],
    catalogue: Catalogue,
    marts: Mapping[str, MartContract],
    build: Builder,
    database: Path,
    days: int,
    told: Callable[[str], None],
) -> EvaluatedGroup:
    asked = [
        LocalDay(advertiser.profile.advertiser.id, END - timedelta(days=back)) for advertiser in group for back in range(days - 1, -1, -1)
    ]
    with connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA raw")
        connection.execute(f"CREATE SCHEMA {MARTS_SCHEMA}")
        drawn, log = write_versions(connection, group, END, told)
        write_log_and_request(connection, log, registry_of(group), asked)
    told("features")
    build({DATABASE_VARIABLE: str(database)})
    told("rules")
    with connect(str(database), read_only=True) as connection:
        features = {name: _frame(connection, name) for name, mart in marts.items() if mart.layer == "marts"}
    return EvaluatedGroup(drawn, asked, evaluate(catalogue, features, asked, availability(log, asked)))


def registry_of(group: Sequence[SeededAdvertiser]) -> Registry:
    """The registry of some seeded advertisers."""
    return Registry(advertisers=tuple(advertiser.profile.advertiser for advertiser in group))


def _frame(connection: Any, mart: str) -> Any:
    import pyarrow as pa

    rows = to_arrow(connection, f"SELECT * FROM {MARTS_SCHEMA}.{mart}", what=f"mart {mart}")  # noqa: S608 - names of the project's models
    schema = pa.schema([pa.field(f.name, pa.float64()) if pa.types.is_decimal(f.type) else f for f in rows.schema])
    return rows.cast(schema).to_pandas()
