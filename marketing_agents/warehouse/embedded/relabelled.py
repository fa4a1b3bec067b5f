"""Features of a day as they would have been with what was known a day later, from the unchanged dbt project.

Models know one day of knowledge per feature day: its own. So the versions are laid out under other labels: for each wanted (advertiser, day) a
stand-in of the advertiser, whose id no registry entry can have, carries the versions that were known on day + 1 of the slices up to the day, and
what was loaded on day + 1 says that it was loaded on the day. The stand-ins of all wanted days share one private database and one run of dbt; each
asks for one feature day and no episode window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from marketing_agents.advertisers.registry import Registry
from marketing_agents.days import LOOK_BACK_DAYS, LocalDay
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.embedded.layout import Layout, VersionFile
from marketing_agents.warehouse.embedded.parquet import connect, quote_name, to_arrow
from marketing_agents.warehouse.embedded.reading import select_files
from marketing_agents.warehouse.embedded.transform import (
    DATABASE_VARIABLE,
    MARTS_SCHEMA,
    create_view,
    new_database,
    private_database,
    write_log_and_request,
)
from marketing_agents.warehouse.embedded.versions import VersionStore
from marketing_agents.warehouse.store import SliceVersion

if TYPE_CHECKING:
    import pyarrow as pa

    from marketing_agents.warehouse.contract import TableContract

SEPARATOR = "@"
"""Between advertiser and day in the id of a stand-in. No slug has it."""


@dataclass
class RelabelledRun:
    """See `warehouse.store.SecondLook`."""

    database: Path

    @property
    def dbt_environment(self) -> Mapping[str, str]:
        return {DATABASE_VARIABLE: str(self.database)}

    def features(self, marts: Iterable[str]) -> dict[str, pa.Table]:
        select = f"SELECT * REPLACE (split_part(advertiser_id, '{SEPARATOR}', 1) AS advertiser_id) FROM {MARTS_SCHEMA}."  # noqa: S608 - constants
        with connect(str(self.database), read_only=True) as connection:
            return {mart: to_arrow(connection, f"{select}{quote_name(mart)} ORDER BY ALL", what=f"mart {mart}") for mart in sorted(marts)}


@contextmanager
def open_relabelled(
    layout: Layout, versions: VersionStore, registry: Registry, days: Sequence[LocalDay], run_id: str
) -> Iterator[RelabelledRun]:
    """The private database of the second look at `days`; removed when the context is left.

    Raises:
        WarehouseError: a folder or private database that cannot be written.
        RegistryError: a day of an advertiser that is not in the registry.
    """
    asked = sorted(set(days))
    stand_ins = {day: stand_in(day) for day in asked}
    renamed = Registry(
        advertisers=tuple(registry.require(day.advertiser_id).model_copy(update={"id": name}) for day, name in stand_ins.items())
    )
    with private_database(layout, run_id) as database:
        with new_database(database, run_id, asked) as connection:
            log: list[SliceVersion] = []
            for contract in INPUT_TABLES.values():
                selects = []
                for day, name in stand_ins.items():
                    files = known_next_day(_files(versions, contract, day), day.day)
                    log += [replace(relabelled(file.entry, day.day), advertiser_id=name) for file in files]
                    selects.append(_select(contract, files, name, day.day))
                create_view(connection, contract.name, " UNION ALL ".join(selects))
            write_log_and_request(connection, log, renamed, [LocalDay(name, day.day) for day, name in stand_ins.items()], episode_days=0)
        yield RelabelledRun(database)


def stand_in(day: LocalDay) -> str:
    """Id of the stand-in of an advertiser for one day."""
    return f"{day.advertiser_id}{SEPARATOR}{day.day.isoformat()}"


def known_next_day(files: Iterable[VersionFile], day: date) -> list[VersionFile]:
    """Of the versions of one table and advertiser those that count when slices up to `day` are read with what was known on day + 1.

    Where a slice has a version of the day and one of the day after, the later one stands for both.
    """
    next_day = day + timedelta(days=1)
    by_slice: dict[date, dict[date, VersionFile]] = defaultdict(dict)
    for file in files:
        if file.entry.date <= day and file.entry.as_of <= next_day:
            by_slice[file.entry.date][file.entry.as_of] = file
    return [file for found in by_slice.values() for as_of, file in found.items() if as_of != day or next_day not in found]


def relabelled(entry: SliceVersion, day: date) -> SliceVersion:
    """The entry as if what was loaded on the day after `day` had been loaded on it."""
    return replace(entry, as_of=min(entry.as_of, day))


def _files(versions: VersionStore, contract: TableContract, day: LocalDay) -> Iterator[VersionFile]:
    return versions.files(contract.name, day.advertiser_id, day.day - timedelta(days=LOOK_BACK_DAYS), day.day)


def _select(contract: TableContract, files: Sequence[VersionFile], name: str, day: date) -> str:
    labels = f"'{name}' AS advertiser_id, least(as_of, DATE '{day.isoformat()}') AS as_of"
    return f"SELECT * REPLACE ({labels}) FROM ({select_files(contract, files)})"  # noqa: S608 - a slug, a date and quoted names
