"""Loading partitions of one advertiser: which versions of which days are written, and how each partition's load ended.

For partition D and one table (DESIGN section 8):

* D itself always has a version `as_of=D`, empty when the source has no row;
* past days in the restatement window that differ from their newest version known on D get a version `as_of=D`;
* look-back days without any version get their first one, `as_of` = the day itself, back to the first day on which the source has a row
  (an advertiser's history begins there).

All three depend on the source and on D only, never on which partitions were loaded before or beside it, so any order and any cut into
chunks ends in the same visible rows for every `known_on`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.days import EPISODE_DAYS, LocalDay, end_of_local_day
from marketing_agents.ingestion.daily_slices import DailySlices
from marketing_agents.ingestion.source import RawRows, SourceAdapter, TableProblem
from marketing_agents.ingestion.validation import CheckedRows, check
from marketing_agents.status import Status
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableContract, TableKind
from marketing_agents.warehouse.store import SliceRows, SliceVersion, Warehouse

IngestMode = Literal["refresh", "frozen"]
FACTS = "ad_performance_daily"
BACKFILLED_AFTER = timedelta(hours=48)
_LISTED_DAYS = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TableLoad:
    """How one table ended for one partition.

    `rows`: rows of the partition's own day as now known. `versions_written`/`versions_kept`: versions of any day that this partition
    needed and that were written, or were there with equal content. `problem`: what could not be loaded, with file, row and column.
    `is_missing`: the source (frozen: the store) does not have the table. `notes`: worth knowing, no problem.
    """

    rows: int = 0
    versions_written: int = 0
    versions_kept: int = 0
    problem: str | None = None
    is_missing: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DayLoad:
    """How the ingestion of one partition ended: status, one sentence of reason (empty for ok), and every table."""

    status: Status
    reason: str
    tables: Mapping[str, TableLoad]


def load_advertiser(
    warehouse: Warehouse,
    source: SourceAdapter,
    advertiser: Advertiser,
    days: Sequence[date],
    *,
    tables: Sequence[str],
    also_judge: Sequence[str] = (),
    mode: IngestMode,
    restatement_days: int,
    now: datetime,
    recorded: Mapping[date, str] | None = None,
) -> dict[LocalDay, DayLoad]:
    """Load partitions of one advertiser; the source is read once per table.

    Args:
        warehouse: where versions are kept.
        source: where rows come from; not touched in mode `frozen`.
        advertiser: whose.
        days: the partitions' local days.
        tables: input tables to load.
        also_judge: tables that are not loaded now but belong to the day: what is stored of them decides the outcome too.
        mode: `refresh` reads the source, `frozen` uses stored versions only.
        restatement_days: past days that are compared with the source again.
        now: the clock reading that becomes `loaded_at`; must have a zone.
        recorded: reasons that the ingestion of these days gave before. Stored versions do not tell that rows were rejected, so a `frozen`
            day repeats what its own loading said about them.

    Returns:
        One outcome per partition. Bad data is an outcome, not an exception.

    Raises:
        SourceError: the source as a whole cannot be used (configuration).
        WarehouseError: the warehouse cannot be written or read.
    """
    if now.tzinfo is None:
        raise ValueError("load_advertiser: `now` has no time zone")
    finished = sorted({d for d in days if end_of_local_day(d, advertiser.zone) <= now})
    outcomes = {LocalDay(advertiser.id, d): _refused(advertiser, d) for d in sorted(set(days)) if d not in finished}
    loads: dict[date, dict[str, TableLoad]] = {d: {} for d in finished}
    others: dict[date, dict[str, TableLoad]] = {d: {} for d in finished}
    if finished:
        available = source.tables() if mode == "refresh" else frozenset()
        for table in tables:
            contract = INPUT_TABLES[table]
            if mode == "frozen":
                loaded = _stored(warehouse, contract, advertiser, finished)
            elif table in available:
                loaded = _TableLoading(warehouse, source, contract, advertiser, finished, restatement_days, now).run()
            else:
                loaded = {d: TableLoad(is_missing=True) for d in finished}
            for d in finished:
                loads[d][table] = loaded[d]
        for table in also_judge:
            for d, stored in _stored(warehouse, INPUT_TABLES[table], advertiser, finished).items():
                others[d][table] = stored
    facts = _stored(warehouse, INPUT_TABLES[FACTS], advertiser, finished) if finished else {}
    for d in finished:
        then = problems_recorded((recorded or {}).get(d, "")) if mode == "frozen" else ""
        outcomes[LocalDay(advertiser.id, d)] = _outcome(d, loads[d], others[d], has_facts=not facts[d].is_missing, mode=mode, then=then)
    return dict(sorted(outcomes.items()))


@dataclass
class _TableLoading:
    """One table of one advertiser for all partitions of the call."""

    warehouse: Warehouse
    source: SourceAdapter
    contract: TableContract
    advertiser: Advertiser
    days: list[date]
    restatement_days: int
    now: datetime
    known: dict[date, dict[date, tuple[str, int]]] = field(default_factory=dict)
    """(content hash, rows) by date and as_of: what is stored, and what this call is about to store."""
    planned: list[SliceRows] = field(default_factory=list)

    def run(self) -> dict[date, TableLoad]:
        start = self.days[0] - timedelta(days=max(self._look_back, self._restatement))
        for entry in self.warehouse.ingestion_log([self.advertiser.id], tables=[self.contract.name], start=start, end=self.days[-1]):
            self._remember(entry.date, entry.as_of, entry.content_hash, entry.rows)
        try:
            raw = self.source.read(self.contract, self.advertiser.id, start, self.days[-1])
            slices = DailySlices(check(self.contract, raw))
        except TableProblem as problem:
            return {d: TableLoad(rows=self._rows_of(d), problem=str(problem)) for d in self.days}
        notes = _notes(self.contract, raw)
        results = {d: self._plan_day(slices, d, notes) for d in self.days}
        self.warehouse.write_versions(self.contract.name, self.advertiser.id, self.planned, loaded_at=self.now)
        return results

    @property
    def _look_back(self) -> int:
        # Feature rows of 55 days of episodes are computed, and each reaches back the table's look-back.
        return self.contract.look_back_days + (EPISODE_DAYS if self.contract.kind is TableKind.DAILY else 0)

    @property
    def _restatement(self) -> int:
        return self.restatement_days if self.contract.restates else 0

    def _plan_day(self, slices: DailySlices, day: date, notes: tuple[str, ...]) -> TableLoad:
        """Decide what partition `day` needs. Days are planned in ascending order, each seeing what the ones before it will write."""
        begin = slices.first_day(day - timedelta(days=self._look_back), day)
        written = kept = 0
        bad: list[date] = []
        for x, as_of, is_fill in self._needed(day, begin):
            if slices.bad_rows(x) is not None:
                bad.append(x)
                continue
            cut = slices.slice_of(x)
            newest = self._newest(x, as_of)
            if newest is not None and newest[0] == cut.content_hash:
                kept += 1
                continue
            self.planned.append(
                SliceRows(x, as_of, cut.rows, self._is_backfilled(as_of), keep_existing=is_fill, content_hash=cut.content_hash)
            )
            self._remember(x, as_of, cut.content_hash, cut.rows.num_rows)
            written += 1
        problem = _problem(slices, bad, {x for x in bad if x not in self.known})
        return TableLoad(self._rows_of(day), written, kept, problem, notes=notes)

    def _needed(self, day: date, begin: date | None) -> list[tuple[date, date, bool]]:
        """(day, as_of, is a look-back fill) of every version that partition `day` may have to write, by day."""
        needed: list[tuple[date, date, bool]] = []
        for n in range(max(self._look_back, self._restatement), 0, -1):
            x = day - timedelta(days=n)
            if x in self.known:
                if n <= self._restatement:
                    needed.append((x, day, False))
            elif begin is not None and x >= begin and n <= self._look_back:
                needed.append((x, x, True))
        return [*needed, (day, day, False)]

    def _newest(self, x: date, known_on: date) -> tuple[str, int] | None:
        versions = {as_of: entry for as_of, entry in self.known.get(x, {}).items() if as_of <= known_on}
        return versions[max(versions)] if versions else None

    def _rows_of(self, day: date) -> int:
        newest = self._newest(day, day)
        return newest[1] if newest else 0

    def _remember(self, x: date, as_of: date, content_hash: str, rows: int) -> None:
        self.known.setdefault(x, {})[as_of] = (content_hash, rows)

    def _is_backfilled(self, as_of: date) -> bool:
        return self.now > end_of_local_day(as_of, self.advertiser.zone) + BACKFILLED_AFTER


def _stored(warehouse: Warehouse, contract: TableContract, advertiser: Advertiser, days: Sequence[date]) -> dict[date, TableLoad]:
    """What the store knows of each day on that day."""
    entries: dict[date, SliceVersion] = {}
    for entry in warehouse.ingestion_log([advertiser.id], tables=[contract.name], start=min(days), end=max(days)):
        if entry.as_of <= entry.date:
            entries[entry.date] = entry
    return {d: TableLoad(rows=entries[d].rows, versions_kept=1) if d in entries else TableLoad(is_missing=True) for d in days}


def _refused(advertiser: Advertiser, day: date) -> DayLoad:
    end = end_of_local_day(day, advertiser.zone)
    reason = f"{day} is not over yet in {advertiser.time_zone} (it ends at {end:%Y-%m-%d %H:%M} UTC); run this partition after that"
    return DayLoad("refused", reason, {})


def problems_recorded(reason: str) -> str:
    """What a recorded reason of ingestion says about rows that were not loaded. Missing tables are left out: the store still tells them."""
    return re.sub(r"^(missing tables: [a-z0-9_, ]+(; |$))?(when it was loaded: )?", "", reason)


def _outcome(
    day: date, tables: Mapping[str, TableLoad], others: Mapping[str, TableLoad], *, has_facts: bool, mode: IngestMode, then: str
) -> DayLoad:
    if mode == "frozen" and not has_facts:
        reason = f"no stored version of {FACTS} of {day} is known on {day}, and `ingest: frozen` reads no source; run once with `ingest: refresh`"
        return DayLoad("blocked", reason, tables)
    judged = {**others, **tables}
    if FACTS in judged and not has_facts:
        facts = judged[FACTS]
        return DayLoad(
            "failed", f"{FACTS} of {day} could not be loaded: {_in_one_line(facts.problem) or 'the source does not have the table'}", tables
        )
    missing = sorted(name for name, load in judged.items() if load.is_missing and not INPUT_TABLES[name].is_optional)
    reasons = [f"missing tables: {', '.join(missing)}"] if missing else []
    reasons += [f"{name}: {_in_one_line(load.problem)}" for name, load in tables.items() if load.problem]
    reasons += [f"when it was loaded: {then}"] if then else []
    return DayLoad("degraded" if reasons else "ok", "; ".join(reasons), tables)


def _in_one_line(problem: str | None) -> str:
    """The problem as far as it fits into a status: what, and the first row. The whole list is in the table's outcome."""
    what, *rows = (problem or "").split("\n")
    rest = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return f"{what} {rows[0]}{rest}" if rows else what


def _problem(slices: DailySlices, bad: Sequence[date], never_loaded: set[date]) -> str | None:
    """One text on everything of a table that partition could not load."""
    import functools
    import operator

    checked: CheckedRows = slices.checked
    masks = [mask for mask in (*(slices.bad_rows(x) for x in bad), slices.undated_rows) if mask is not None]
    if not masks:
        return None
    parts = []
    for words, xs in (
        ("not loaded", [x for x in bad if x in never_loaded]),
        ("older version kept", [x for x in bad if x not in never_loaded]),
    ):
        if xs:
            listed = ", ".join(str(x) for x in xs[-_LISTED_DAYS:])
            parts.append(f"{words}: {listed}" + (f" and {len(xs) - _LISTED_DAYS} days before" if len(xs) > _LISTED_DAYS else ""))
    if slices.undated_rows is not None:
        parts.append("rows without a usable date belong to no day and are left out")
    return "; ".join(parts) + ":\n" + "\n".join(checked.problems(functools.reduce(operator.or_, masks)))


def _notes(contract: TableContract, raw: RawRows) -> tuple[str, ...]:
    if not raw.ignored_columns:
        return ()
    names = ", ".join(repr(name[:60]) for name in raw.ignored_columns[:10])
    rest = f" and {len(raw.ignored_columns) - 10} more" if len(raw.ignored_columns) > 10 else ""
    note = f"{raw.place}: columns that {contract.name} does not have are ignored: {names}{rest}"
    log.info("%s", note)
    return (note,)
