"""What ingestion asks of a source, and the rows it gets: as the source has them, with the place each came from.

A new source is one adapter file that implements `SourceAdapter`. Adapters select and rename; they do not judge: types, ranges and keys
are `validation.py`'s work, so that every source is held to the same contract.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, Protocol

from marketing_agents.warehouse.contract import TableContract

if TYPE_CHECKING:
    import pyarrow as pa


class SourceError(RuntimeError):
    """The source as a whole cannot be used: not bad data, but a configuration to correct (folder missing, mapping file wrong) or, when
    `is_transient`, a host that is not reached and may be in a while. None: the cause decides (see `failures.py`).
    """

    def __init__(self, message: str, *, is_transient: bool | None = None) -> None:
        super().__init__(message)
        self.is_transient = is_transient


class DataError(ValueError):
    """Data that cannot be loaded. `problems` name file, row, column, value and what is expected."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class TableProblem(DataError):  # noqa: N818 - "problem" is what users read; an error ends a run, this does not
    """A table cannot be used at all: unreadable file, missing required column, a type that no row can have."""

    def __init__(self, message: str) -> None:
        super().__init__((message,))


@dataclass(frozen=True)
class RawRows:
    """Rows of one table and advertiser before validation.

    `table`: our column names where the mapping knows them, types as the source has them (CSV: text).
    `place`: name of the file or source table, for messages.
    `ignored_columns`: columns of the source that no column of ours takes.
    `row_numbers`: 1-based number of each row in that place; called only when a message needs it.
    `line_numbers`: the same as lines of a text file, or None where there are no lines.
    """

    table: pa.Table
    place: str
    ignored_columns: tuple[str, ...]
    row_numbers: Callable[[], list[int]]
    line_numbers: Callable[[], list[int]] | None = None


class ArrivedDay(NamedTuple):
    """A table has rows of this account's day. `platform` and `account_id` are None in tables without accounts; `time_zone` is the account's
    reporting zone as the rows state it, unchecked, or None.
    """

    table: str
    advertiser_id: str
    platform: str | None
    account_id: str | None
    day: date
    time_zone: str | None = None


class AccountClock(NamedTuple):
    """When an account's day ends and settles, as `platform_accounts` states it, unchecked; None where it does not say."""

    advertiser_id: str
    platform: str
    account_id: str
    time_zone: str | None
    settle_lag_hours: int | None


@dataclass(frozen=True)
class Arrivals:
    """What a source has of some tables. `unusable`: tables it lacks or that cannot be read, each with one sentence that says why."""

    days: tuple[ArrivedDay, ...]
    accounts: tuple[AccountClock, ...]
    unusable: Mapping[str, str]


class SourceAdapter(Protocol):
    """Where input tables come from."""

    @property
    def name(self) -> str: ...

    def tables(self) -> frozenset[str]:
        """Input tables that the source has.

        Raises:
            SourceError: the source cannot be reached.
        """
        ...

    def read(self, contract: TableContract, advertiser_id: str, start: date, end: date) -> RawRows:
        """Rows of one advertiser. DAILY tables: `start <= date <= end`, and every row whose date is empty or cannot be read (such a row
        is a problem to report, not to drop). HISTORY and REFERENCE tables: all rows.

        Raises:
            SourceError: the source cannot be reached.
            TableProblem: the table cannot be read.
        """
        ...

    def arrivals(self, contracts: Sequence[TableContract], advertiser_ids: Collection[str], start: date, end: date) -> Arrivals:
        """Which days of these DAILY tables have rows in `start <= date <= end`, and the accounts' clocks: one cheap query for all
        advertisers, however many. Rows whose date cannot be read are left out; judging them is the work of loading.

        Raises:
            SourceError: the source cannot be reached.
        """
        ...
