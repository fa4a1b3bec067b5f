"""What daily loads of a generated advertiser would have seen, as the raw tables of a private database.

An advertiser that was loaded every morning holds its days as they were known then: a day's version of the next morning lacks conversions, and
each morning after brings a newer one as long as the restatement window reads the day again. Rules meet the same incomplete days here as in
production; figures of one final file would flatter them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.agency import TABLES
from marketing_agents.sample.facts import AdvertiserFacts, draw_facts
from marketing_agents.sample.incidents.registry import kinds, rewritten
from marketing_agents.sample.spec import AgencySpec
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableContract, TableKind
from marketing_agents.warehouse.embedded.parquet import quote_name
from marketing_agents.warehouse.store import SliceVersion

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from marketing_agents.evaluation.seeded import SeededAdvertiser
    from marketing_agents.sample.incidents.placed import PlacedIncident

RESTATEMENT_DAYS = 3
"""The default of the setting: days are read again on three mornings."""
HISTORY_DAYS = 200
"""Days generated up to the last one: the look-back of the data, the window of episodes, and some days to evaluate."""
LOADED_AT = datetime(2000, 1, 1, tzinfo=UTC)
"""No rule may depend on it; a constant shows when one does."""


@dataclass(frozen=True)
class Drawn:
    """One advertiser as it is on its last morning, with and without its incidents (the same draws)."""

    advertiser: SeededAdvertiser
    facts: AdvertiserFacts
    tables: Mapping[str, pa.Table]
    clean_tables: Mapping[str, pa.Table]

    @property
    def incidents(self) -> tuple[PlacedIncident, ...]:
        return self.facts.incidents


def write_versions(
    connection: duckdb.DuckDBPyConnection, advertisers: Sequence[SeededAdvertiser], end: date, told: Callable[[str], None]
) -> tuple[list[Drawn], list[SliceVersion]]:
    """Fill `raw.<table>` (with `as_of`, `loaded_at`) for all advertisers; what was drawn, and the ingestion log.

    `told` hears the id of each advertiser when it is done.
    """
    for contract in INPUT_TABLES.values():
        connection.register("empty", _with_versions(contract))
        connection.execute(f"CREATE TABLE raw.{quote_name(contract.name)} AS SELECT * FROM empty")
        connection.unregister("empty")
    drawn: list[Drawn] = []
    log: list[SliceVersion] = []
    for advertiser in advertisers:
        spec = AgencySpec(end=end, seed=advertiser.seed, days=HISTORY_DAYS, advertisers=(advertiser.profile,), known_after=0)
        one = _draw(advertiser, spec)
        later = [_restated(advertiser, replace(spec, known_after=lag)) for lag in range(1, RESTATEMENT_DAYS + 1)]
        for name, rows in one.tables.items():
            log += _insert(connection, INPUT_TABLES[name], one, rows, [tables[name] for tables in later if name in tables], spec)
        drawn.append(one)
        told(advertiser.profile.advertiser.id)
    return drawn, log


def _draw(advertiser: SeededAdvertiser, spec: AgencySpec) -> Drawn:
    facts = draw_facts(advertiser.profile, spec)
    tables = {name: rewritten(name, make(facts), facts) for name, make in TABLES.items()}
    if not facts.incidents:
        return Drawn(advertiser, facts, tables, tables)
    clean = draw_facts(advertiser.profile, replace(spec, incidents=False))
    return Drawn(advertiser, facts, tables, {name: make(clean) for name, make in TABLES.items()})


def _restated(advertiser: SeededAdvertiser, spec: AgencySpec) -> dict[str, pa.Table]:
    facts = draw_facts(advertiser.profile, spec)
    return {name: rewritten(name, TABLES[name](facts), facts) for name in TABLES if INPUT_TABLES[name].restates}


def _with_versions(contract: TableContract) -> pa.Table:
    import pyarrow as pa

    fields = list(contract.arrow_schema())
    if "date" not in contract.by_name:
        fields.append(pa.field("date", pa.date32()))
    return pa.schema([*fields, pa.field("as_of", pa.date32()), pa.field("loaded_at", pa.timestamp("us", tz="UTC"))]).empty_table()


def _insert(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    one: Drawn,
    rows: pa.Table,
    later: Sequence[pa.Table],
    spec: AgencySpec,
) -> list[SliceVersion]:
    """Write all versions of one table of one advertiser; their entries in the log."""
    advertiser_id = one.facts.advertiser_id
    columns = ", ".join(quote_name(name) for name in contract.column_names)
    target = f"INSERT INTO raw.{quote_name(contract.name)} BY NAME"
    connection.register("days", _days(spec.dates))
    try:
        if contract.kind is TableKind.DAILY:
            return _insert_daily(connection, contract, advertiser_id, [rows, *later], spec)
        if contract.kind is TableKind.HISTORY:
            connection.register("rows", rows)
            condition = "valid_from <= day AND (valid_to IS NULL OR valid_to > day)"
            sql = f"{target} SELECT {columns}, day AS date, day AS as_of, $at AS loaded_at FROM rows, days WHERE {condition}"
            connection.execute(sql, {"at": LOADED_AT})
        else:
            # A list has no dates of its own: before an incident it stood as it would have without.
            begins = min((i.first for i in one.incidents if contract.name in kinds()[i.kind].tables), default=None)
            for table, condition in ((one.clean_tables[contract.name], "day < $begins"), (rows, "($begins IS NULL OR day >= $begins)")):
                connection.register("rows", table)
                sql = f"{target} SELECT {columns}, day AS date, day AS as_of, $at AS loaded_at FROM rows, days WHERE {condition}"
                connection.execute(sql, {"at": LOADED_AT, "begins": begins})
        counts = dict(
            connection.execute(
                f"SELECT date, count(*) FROM raw.{quote_name(contract.name)} WHERE advertiser_id = $id GROUP BY date", {"id": advertiser_id}
            ).fetchall()
        )
        return [_entry(contract, advertiser_id, day, day, counts.get(day, 0)) for day in spec.dates]
    finally:
        for name in ("days", "rows"):
            connection.unregister(name)


def _insert_daily(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, advertiser_id: str, by_lag: Sequence[pa.Table], spec: AgencySpec
) -> list[SliceVersion]:
    columns = ", ".join(quote_name(name) for name in contract.column_names)
    log: list[SliceVersion] = []
    before: dict[date, tuple[int, int]] = {}
    for lag, rows in enumerate(by_lag):
        connection.register("rows", rows)
        content = {
            day: (int(count), int(content))
            for day, count, content in connection.execute(
                f"SELECT date, count(*), coalesce(sum(hash(row({columns}))::HUGEINT), 0) FROM rows GROUP BY date"
            ).fetchall()
        }
        changed = [
            day
            for day in spec.dates
            if day + timedelta(days=lag) <= spec.end and (lag == 0 or content.get(day, (0, 0)) != before.get(day, (0, 0)))
        ]
        connection.register("changed", _days(changed))
        connection.execute(
            f"INSERT INTO raw.{quote_name(contract.name)} BY NAME"
            f" SELECT {columns}, CAST(date + INTERVAL (CAST($lag AS INTEGER)) DAY AS DATE) AS as_of, $at AS loaded_at"
            " FROM rows SEMI JOIN changed ON changed.day = rows.date",
            {"lag": lag, "at": LOADED_AT},
        )
        connection.unregister("changed")
        log += [_entry(contract, advertiser_id, day, day + timedelta(days=lag), content.get(day, (0, 0))[0]) for day in changed]
        before = content
    return log


def _entry(contract: TableContract, advertiser_id: str, day: date, as_of: date, rows: int) -> SliceVersion:
    return SliceVersion(contract.name, advertiser_id, day, as_of, rows, "", LOADED_AT, is_backfilled=False)


def _days(days: Sequence[date]) -> pa.Table:
    import pyarrow as pa

    return pa.table({"day": pa.array(list(days), pa.date32())})


def in_groups(advertisers: Sequence[SeededAdvertiser], size: int) -> Iterator[Sequence[SeededAdvertiser]]:
    """Groups that share one build of the features."""
    for start in range(0, len(advertisers), size):
        yield advertisers[start : start + size]
