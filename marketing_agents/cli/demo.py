"""`marketing-agents demo`: from nothing to ranked recommendations for yesterday, with progress; the second time, only the result."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from marketing_agents.advertisers.registry import Registry, load_registry
from marketing_agents.cli.errors import UsageError
from marketing_agents.cli.home import ensure_dagster_home
from marketing_agents.cli.sample_agency import ensure_sample, local_yesterday, require_sample
from marketing_agents.days import LocalDay
from marketing_agents.settings import PROJECT_DIR, Settings, load_settings
from marketing_agents.state.store import StateStore

if TYPE_CHECKING:
    from marketing_agents.decisions.recommendation import Recommendation
    from marketing_agents.status import PartitionStatus

LAST_STEP = "daily_report"
SHOWN = 5
_STEPS = {
    "ingest": "loading and checking input tables",
    "build_marts": "building features with dbt",
    "findings": "evaluating rules",
    "analyse": "running six domain agents",
    "recommendations": "merging and ranking",
    "daily_report": "drawing the report pages",
}


def run_demo(*, as_json: bool, is_fresh: bool, is_forced: bool) -> int:
    """Generate, materialize, print. Returns 0, or 1 when an advertiser has no usable result.

    Raises:
        UsageError: a real source or registry is configured, or the run failed.
    """
    started = time.monotonic()
    settings = load_settings()
    require_sample(settings)
    console = Console(stderr=True, quiet=as_json)
    registry = load_registry(settings.resolved_advertisers)
    if is_fresh:
        _start_over(settings, registry)
    now = datetime.now(UTC)
    days = [LocalDay(a.id, local_yesterday(a, now)) for a in registry.advertisers]
    with _status(console, "generating the sample agency", as_json):
        ensure_sample(settings, registry.advertisers, now)
    state = StateStore(settings.resolved_state_url)
    fingerprint = _fingerprint(settings, days)
    is_done = (
        not is_forced
        and _read_fingerprint(settings) == fingerprint
        and all(s.is_usable for s in _outcomes(state, days).values())
        and len(_outcomes(state, days)) == len(days)
    )
    if not is_done:
        _materialize(settings, registry, days, console, as_json=as_json)
        (settings.data_dir / "demo.json").write_text(json.dumps({"fingerprint": fingerprint}), encoding="utf-8")
    outcomes = _outcomes(state, days)
    listed = _recommendations(settings, days)
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        print(json.dumps(_as_json(settings, registry, days, outcomes, listed, seconds), indent=2, ensure_ascii=False))
    else:
        _print(Console(), settings, registry, days, outcomes, listed, seconds, was_done=is_done)
    return 0 if all(day in outcomes and outcomes[day].is_usable for day in days) else 1


def _start_over(settings: Settings, registry: Registry) -> None:
    """Remove the agency and its results.

    Raises:
        UsageError: the data folder holds data of somebody who is not in the sample agency.
    """
    stored = {path.name.removeprefix("advertiser_id=") for path in (settings.data_dir / "warehouse").glob("*/*/advertiser_id=*")}
    others = sorted(stored - set(registry.ids))
    if others:
        raise UsageError(
            f"--fresh would delete stored data of {', '.join(others[:5])} in {settings.data_dir}; set MARKETING_AGENTS_DATA_DIR to a folder of the demo's own"
        )
    for name in ("sample", "warehouse", "reports", "scratch", "state.db", "state.db-wal", "state.db-shm", "demo.json"):
        path = settings.data_dir / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _materialize(settings: Settings, registry: Registry, days: Sequence[LocalDay], console: Console, *, as_json: bool) -> None:
    import dagster as dg

    from marketing_agents.cli.materialize import contiguous_blocks, register_advertisers, run_job
    from marketing_agents.definitions import build_definitions

    ensure_dagster_home()
    definitions = build_definitions(settings)
    with dg.DagsterInstance.get() as instance:
        register_advertisers(instance, registry.ids)
        with _status(console, "validating and labelling rules", as_json):
            run_job(definitions, "rules_refresh", instance)
        order = [key for key in instance.get_dynamic_partitions("advertisers") if key in registry.ids]
        for block in contiguous_blocks(days, order):
            names = ", ".join(day.advertiser_id for day in block)
            with _status(console, f"{block[0].day} · {names}", as_json) as status:

                def show(step: str, status: Status | None = status, block: list[LocalDay] = block) -> None:
                    if status is not None:
                        status.update(f"{block[0].day} · {len(block)} advertisers · {_STEPS.get(step, step)}")

                began = time.monotonic()
                run_job(definitions, "daily_analysis", instance, block=block, on_step=show)
            console.print(f"  [green]done[/green] {block[0].day} · {names} · {time.monotonic() - began:.0f} s", highlight=False)


def _status(console: Console, text: str, as_json: bool) -> Any:
    return nullcontext() if as_json else console.status(text)


def _outcomes(state: StateStore, days: Sequence[LocalDay]) -> dict[LocalDay, PartitionStatus]:
    return state.statuses(LAST_STEP, days)


def _recommendations(settings: Settings, days: Sequence[LocalDay]) -> dict[LocalDay, list[Recommendation]]:
    from marketing_agents.decisions.tables import recommendations_from_table
    from marketing_agents.resources.platform import open_warehouse

    listed: dict[LocalDay, list[Recommendation]] = {day: [] for day in days}
    for item in recommendations_from_table(open_warehouse(settings).read_slices("recommendations", days)):
        listed[LocalDay(item.advertiser_id, item.date)].append(item)
    return {day: sorted(items, key=lambda r: (r.rank is None, r.rank or 0, r.recommendation_id)) for day, items in listed.items()}


def _as_json(
    settings: Settings,
    registry: Registry,
    days: Sequence[LocalDay],
    outcomes: dict[LocalDay, PartitionStatus],
    listed: dict[LocalDay, list[Recommendation]],
    seconds: float,
) -> dict[str, Any]:
    return {
        "advertisers": [
            {
                "advertiser_id": day.advertiser_id,
                "name": registry.require(day.advertiser_id).name,
                "date": day.day.isoformat(),
                "status": outcomes[day].status if day in outcomes else "failed",
                "reason": outcomes[day].reason if day in outcomes else "no outcome on record",
                "report": str(_page(settings, day)),
                "recommendations": [r.model_dump(mode="json") for r in listed[day]],
            }
            for day in days
        ],
        "seconds": seconds,
    }


def _page(settings: Settings, day: LocalDay) -> Path:
    return settings.data_dir / "reports" / day.advertiser_id / f"{day.day.isoformat()}.html"


def _print(
    console: Console,
    settings: Settings,
    registry: Registry,
    days: Sequence[LocalDay],
    outcomes: dict[LocalDay, PartitionStatus],
    listed: dict[LocalDay, list[Recommendation]],
    seconds: float,
    *,
    was_done: bool,
) -> None:
    from marketing_agents.agents.outside_text import clean
    from marketing_agents.report.wording import action_in_words, headline_in_words, money_in_words

    for day in days:
        advertiser = registry.require(day.advertiser_id)
        outcome = outcomes.get(day)
        ranked = [r for r in listed[day] if r.rank is not None]
        rest = len(listed[day]) - len(ranked)
        title = Text(f"{advertiser.name}  ·  {day.day}  ·  {advertiser.time_zone}")
        note = "" if outcome is None or outcome.status == "ok" else f"{outcome.status}: {outcome.reason}"
        if not ranked:
            console.print(title, Text(f"  nothing to do{f', {rest} held back' if rest else ''}. {note}"), style="dim")
            console.print()
            continue
        table = Table(
            "#", "what to do, and why", "at stake", "status", title=title, title_justify="left", caption=Text(note) if note else None
        )
        for r in ranked[:SHOWN]:
            what = Text.assemble((action_in_words(r), "bold"), "\n", clean(r.entity.name, limit=70), "\n", (headline_in_words(r), "dim"))
            table.add_row(str(r.rank), what, Text(money_in_words(r)), r.status.replace("_", " "))
        console.print(table)
        more = [f"{len(ranked) - SHOWN} more in the report"] if len(ranked) > SHOWN else []
        more += [f"{rest} held or suppressed, with reasons in the report"] if rest else []
        if more:
            console.print(Text("  " + "; ".join(more)), style="dim")
        console.print()
    day, rule = next(((d, r.rule_ids[0]) for d in days for r in listed[d] if r.rank == 1), (days[0], "MEDIA-001"))
    console.print(f"[bold]{'Nothing had changed; shown' if was_done else 'Done'} in {seconds} s.[/bold] Next:")
    console.print(Text(f"  reports   {settings.data_dir / 'reports'}/<advertiser>/<date>.html"), soft_wrap=True)
    console.print(
        Text(f"  why       .venv/bin/marketing-agents explain --advertiser {day.advertiser_id} --date {day.day} --rule {rule}"),
        soft_wrap=True,
    )
    console.print(Text("  the UI    make dev   (asset graph, partitions, backfills)"))


def _fingerprint(settings: Settings, days: Sequence[LocalDay]) -> str:
    """Hash of what the result depends on: code, rules, SQL, settings, input files, days."""
    digest = hashlib.sha256(
        settings.model_dump_json(exclude={"gemini_api_key", "langfuse_public_key", "langfuse_secret_key", "state_url"}).encode()
    )
    digest.update(repr((sorted(days), settings.has_model)).encode())
    folders = (
        PROJECT_DIR / "marketing_agents",
        PROJECT_DIR / "dbt_project",
        settings.resolved_policies_dir,
        settings.resolved_catalogue_dir,
        settings.resolved_domains_dir,
    )
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and not {"__pycache__", "target", "logs"} & set(p.parts)):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    for path in settings.rule_files:
        digest.update(str(path).encode() + b"\0" + path.read_bytes())
    for path in sorted(settings.resolved_source_dir.glob("*")):
        stat = path.stat()
        digest.update(f"{path.name}:{stat.st_size}:{stat.st_mtime_ns}".encode())
    return digest.hexdigest()


def _read_fingerprint(settings: Settings) -> str | None:
    path = settings.data_dir / "demo.json"
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["fingerprint"])
    except (FileNotFoundError, ValueError, KeyError):
        return None
