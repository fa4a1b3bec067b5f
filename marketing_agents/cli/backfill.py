"""`marketing-agents backfill`: a range of days of some advertisers, as Dagster's own backfills.

The command plans, estimates and watches; the daemon that serves the UI does the work, so that the backfill can be seen, cancelled and
repeated there, and goes on when this command ends.
"""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console

from marketing_agents.advertisers.registry import Advertiser, Registry, load_registry
from marketing_agents.cli.errors import UsageError
from marketing_agents.days import LocalDay
from marketing_agents.operations.backfill_cut import Run, cut
from marketing_agents.operations.backfill_plan import BackfillPlan, plan_backfill
from marketing_agents.operations.estimate import RunCost, in_words, run_cost, wall_time_s
from marketing_agents.operations.morning import LAST_STEP
from marketing_agents.settings import Settings, load_settings
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.store import StateStore

if TYPE_CHECKING:
    import dagster as dg

    from marketing_agents.cli.backfill_progress import Launched, Seen

SHOWN = 20
STOPPED, USABLE_ALL, SOME_FAILED, DETACHED = 1, 0, 1, 130


@dataclass(frozen=True)
class BackfillOptions:
    """The arguments of the command. `first` and `last` as written (YYYY-MM-DD); `chunk`: partitions per run, None = the policy's size."""

    advertisers: str
    first: str
    last: str
    is_missing_only: bool = False
    is_frozen: bool = False
    chunk: int | None = None
    is_confirmed: bool = False
    is_waiting: bool = True
    as_json: bool = False


@dataclass(frozen=True)
class Prepared:
    """A plan with its cut into Dagster backfills and runs, and what it may cost."""

    plan: BackfillPlan
    backfills: list[list[Run]]
    seconds: float | None
    cost: RunCost | None
    parallel: int
    model_calls: int

    @property
    def sizes(self) -> list[int]:
        return [len(run) for backfill in self.backfills for run in backfill]


def run_backfill(options: BackfillOptions) -> int:
    """Plan, tell, ask, launch, watch. 0: every partition is ok or degraded (or there was nothing to do); 1: some are not; 130: detached.

    Raises:
        UsageError: an argument is wrong, or no daemon would do the work. RegistryError: an unknown advertiser.
    """
    settings, console, now = load_settings(), Console(stderr=True), datetime.now(UTC)
    chunk = _chunk(options.chunk, settings)
    state = StateStore(settings.resolved_state_url)
    registry = load_registry(settings.resolved_advertisers)
    plan = _plan(options, settings, registry, state, now)
    if not plan.wanted:
        return _tell_nothing_to_do(options, plan, console)

    from marketing_agents.cli.home import ensure_dagster_home

    home = ensure_dagster_home()
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        prepared = _prepare(plan, instance, state, registry, settings, chunk)
        if not options.as_json:
            _tell_plan(prepared, console)
        _require_daemon(instance, now, str(home), is_waiting=options.is_waiting, console=console)
        if not options.is_confirmed and sys.stdin.isatty() and not _is_wanted(console):
            console.print("nothing was started")
            return STOPPED
        with console.status("handing it to Dagster"):
            launched = _launch(prepared, settings, is_frozen=options.is_frozen)
        if not options.as_json:
            _tell_launched(launched, console)
        if not options.is_waiting:
            _print_json(options, prepared, launched, None)
            return USABLE_ALL
        return _follow(options, prepared, launched, instance, state, console)


def _follow(
    options: BackfillOptions, prepared: Prepared, launched: Launched, instance: dg.DagsterInstance, state: StateStore, console: Console
) -> int:
    from marketing_agents.cli.backfill_progress import problems, watch

    try:
        seen = watch(instance, state, launched, console, lambda: datetime.now(UTC), is_quiet=options.as_json)
    except KeyboardInterrupt:
        console.print(
            "\ndetached; the backfill goes on in the daemon. To stop it: UI (make dev) > Runs > Backfills > Cancel: "
            + ", ".join(launched.ids)
        )
        return DETACHED
    if not options.as_json:
        _tell_end(launched, seen, console)
    _print_json(options, prepared, launched, seen)
    return SOME_FAILED if problems(launched, seen) else USABLE_ALL


def _plan(options: BackfillOptions, settings: Settings, registry: Registry, state: StateStore, now: datetime) -> BackfillPlan:
    chosen = _advertisers(options.advertisers, registry)
    first, last = _date("--from", options.first), _date("--to", options.last)
    if last < first:
        raise UsageError(f"--to {last} is before --from {first}")
    if first < settings.start_date:
        raise UsageError(
            f"--from {first} is before the first partition, {settings.start_date}; start there, or set MARKETING_AGENTS_START_DATE "
            "(the daemon has to be started again with it)"
        )
    ids = [a.id for a in chosen]
    finished: list[LocalDay] = []
    if options.is_missing_only:
        recorded = state.recorded(LAST_STEP, advertiser_ids=ids, start=first, end=last)
        finished = [LocalDay(r.outcome.advertiser_id, r.outcome.date) for r in recorded if r.outcome.is_usable]
    paused = {advertiser: entry.reason for advertiser, entry in KillSwitch(state).paused(now, ids).items()}
    return plan_backfill(chosen, first, last, now=now, paused=paused, finished=finished)


def _prepare(
    plan: BackfillPlan, instance: dg.DagsterInstance, state: StateStore, registry: Registry, settings: Settings, chunk: int
) -> Prepared:
    from marketing_agents.cli.materialize import register_advertisers
    from marketing_agents.cli.run_history import past_runs
    from marketing_agents.domains.registry import load_domains
    from marketing_agents.partitions import ADVERTISER

    register_advertisers(instance, registry.ids)
    order = instance.get_dynamic_partitions(ADVERTISER.name or "")
    backfills = cut(plan.wanted, order, size=chunk, policy_size=settings.backfill_chunk_size)
    sizes = [len(run) for backfill in backfills for run in backfill]
    parallel = _runs_at_once(instance, len(sizes))
    cost = run_cost(past_runs(instance, state))
    seconds = wall_time_s(sizes, cost, parallel=parallel) if cost is not None else None
    domains = len(load_domains(settings.resolved_domains_dir)) if settings.has_model else 0
    return Prepared(plan, backfills, seconds, cost, parallel, domains * len(plan.wanted))


def _runs_at_once(instance: dg.DagsterInstance, wanted: int) -> int:
    """How many runs of a backfill the queue lets go at once."""
    queue = instance.get_concurrency_config().run_queue_config
    if queue is None:
        return wanted
    limits = [
        int(limit["limit"]) for limit in queue.tag_concurrency_limits if limit.get("key") == "dagster/backfill" and "value" not in limit
    ]
    return min([wanted, *limits, *([queue.max_concurrent_runs] if queue.max_concurrent_runs > 0 else [])])


def _launch(prepared: Prepared, settings: Settings, *, is_frozen: bool) -> Launched:
    import dagster as dg

    from marketing_agents.automation.jobs import UNPARTITIONED
    from marketing_agents.automation.run_tags import TRIGGER_TAG
    from marketing_agents.cli.backfill_progress import GROUP_TAG, Launched
    from marketing_agents.cli.graphql import BackfillRequest, launch_backfills
    from marketing_agents.definitions import build_definitions

    graph = build_definitions(settings).resolve_asset_graph()
    assets = sorted(list(key.path) for key in (dg.AssetSelection.all() - UNPARTITIONED).resolve(graph))
    group, at = uuid.uuid4().hex[:8], datetime.now(UTC)
    total = len(prepared.backfills)
    requests = [
        BackfillRequest(
            assets=assets,
            partitions=[day.key for run in runs for day in run],
            title=_span([day for run in runs for day in run]) + (f" ({n} of {total})" if total > 1 else ""),
            tags={TRIGGER_TAG: "backfill", GROUP_TAG: group},
            run_config={"ops": {"ingest": {"config": {"ingest": "frozen"}}}} if is_frozen else {},
        )
        for n, runs in enumerate(prepared.backfills, start=1)
    ]
    return Launched(group, tuple(launch_backfills(requests)), prepared.plan.wanted, at)


def _require_daemon(instance: dg.DagsterInstance, now: datetime, home: str, *, is_waiting: bool, console: Console) -> None:
    from marketing_agents.cli.backfill_progress import missing_daemons

    if missing_daemons(instance, now):
        problem = (
            f"no Dagster daemon works on the instance in {home}, so nothing would run; start one with `make dev` (or `dagster-daemon run`)"
        )
        if is_waiting:
            raise UsageError(f"{problem}, or queue the backfill for later with --no-wait")
        console.print(f"warning: {problem}; the backfill waits until then", style="yellow")


def _tell_nothing_to_do(options: BackfillOptions, plan: BackfillPlan, console: Console) -> int:
    if options.as_json:
        print(json.dumps({"partitions": 0, "finished": plan.finished, "left_out": _left_out(plan), "backfills": []}))
        return USABLE_ALL
    _tell_left_out(plan, console)
    done = f": all {plan.finished} partitions have a result" if plan.finished and not plan.left_out else ""
    console.print(f"nothing to do{done}")
    return USABLE_ALL


def _tell_plan(prepared: Prepared, console: Console) -> None:
    plan, sizes = prepared.plan, prepared.sizes
    if plan.finished:
        console.print(f"already done: {plan.finished} partitions", highlight=False)
    _tell_left_out(plan, console)
    in_backfills = f", handed over as {len(prepared.backfills)} backfills" if len(prepared.backfills) > 1 else ""
    console.print(
        f"backfill: {_span(plan.wanted)}: {len(plan.wanted)} partitions in {len(sizes)} runs of at most {max(sizes)}{in_backfills}"
    )
    if prepared.cost is None or prepared.seconds is None:
        console.print("estimate: no earlier run on record to estimate from")
    else:
        side_by_side = min(prepared.parallel, len(sizes))
        parts = f"{prepared.cost.fixed_s:.0f} s a run + {prepared.cost.each_s:.1f} s a partition"
        console.print(
            f"estimate: {in_words(prepared.seconds)} and up to a minute of the daemon's waits "
            f"({parts}, from {prepared.cost.runs} earlier runs; {side_by_side} at a time)",
            highlight=False,
        )
    if prepared.model_calls:
        console.print(f"model calls: at most {prepared.model_calls} (one per domain and partition; unchanged evidence costs none)")


def _tell_left_out(plan: BackfillPlan, console: Console) -> None:
    for line in plan.left_out[:SHOWN]:
        console.print(f"left out: {line}", highlight=False)
    if len(plan.left_out) > SHOWN:
        console.print(f"left out: {len(plan.left_out) - SHOWN} more advertisers")


def _tell_launched(launched: Launched, console: Console) -> None:
    ids = ", ".join(launched.ids[:SHOWN]) + (" ..." if len(launched.ids) > SHOWN else "")
    console.print(f"started: {ids}  (UI: Runs > Backfills; Ctrl-C leaves it running)", highlight=False)


def _tell_end(launched: Launched, seen: Seen, console: Console) -> None:
    from marketing_agents.cli.backfill_progress import problems

    for run_id, error in list(seen.broken_runs.items())[:SHOWN]:
        console.print(f"run {run_id[:8]} failed: {error}", highlight=False, markup=False)
    lines = problems(launched, seen)
    for line in lines[:SHOWN]:
        console.print(line, highlight=False, markup=False)
    if len(lines) > SHOWN:
        console.print(f"... and {len(lines) - SHOWN} more")
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(seen.by_status.items())) or "none has a result"
    console.print(f"ended: {len(launched.wanted)} partitions: {statuses}", highlight=False)


def _print_json(options: BackfillOptions, prepared: Prepared, launched: Launched, seen: Seen | None) -> None:
    if not options.as_json:
        return
    told: dict[str, Any] = {
        "partitions": len(prepared.plan.wanted),
        "finished": prepared.plan.finished,
        "left_out": _left_out(prepared.plan),
        "runs": prepared.sizes,
        "estimate_s": round(prepared.seconds) if prepared.seconds is not None else None,
        "run_cost": asdict(prepared.cost) if prepared.cost is not None else None,
        "model_calls_at_most": prepared.model_calls,
        "group": launched.group,
        "backfills": list(launched.ids),
    }
    if seen is not None:
        from marketing_agents.cli.backfill_progress import problems

        told |= {"statuses": dict(seen.by_status), "problems": problems(launched, seen), "failed_runs": seen.broken_runs}
    print(json.dumps(told, indent=2))


def _left_out(plan: BackfillPlan) -> list[dict[str, str]]:
    return [{k: str(v) for k, v in asdict(x).items()} for x in plan.left_out]


def _span(days: tuple[LocalDay, ...] | list[LocalDay]) -> str:
    """`3 advertisers, 2026-09-16 to 2026-10-15`: also a title, in which Dagster allows 100 characters and no quotes."""
    advertisers, dates = sorted({d.advertiser_id for d in days}), sorted({d.day for d in days})
    who = advertisers[0] if len(advertisers) == 1 else f"{len(advertisers)} advertisers"
    return f"{who}, {dates[0]}" + (f" to {dates[-1]}" if len(dates) > 1 else "")


def _advertisers(text: str, registry: Registry) -> list[Advertiser]:
    """Raises UsageError (nobody named) or RegistryError (unknown)."""
    if text.strip() == "all":
        return list(registry.advertisers)
    ids = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not ids:
        raise UsageError("--advertisers names nobody; write ids separated by commas, or `all`")
    return [registry.require(advertiser_id) for advertiser_id in ids]


def _date(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a date; write it as YYYY-MM-DD") from None


def _chunk(chunk: int | None, settings: Settings) -> int:
    size = settings.backfill_chunk_size
    if chunk is None:
        return size
    if chunk < 1:
        raise UsageError(f"--chunk {chunk}: a run holds at least one partition")
    if chunk > size:
        raise UsageError(
            f"--chunk {chunk} is more than a run may hold: the backfill policy of the loaded definitions cuts at {size}. Set "
            f"MARKETING_AGENTS_BACKFILL_CHUNK_SIZE={chunk} and start Dagster again (make dev)"
        )
    return chunk


def _is_wanted(console: Console) -> bool:
    return console.input("start it? [y/N] ").strip().lower() in {"y", "yes"}
