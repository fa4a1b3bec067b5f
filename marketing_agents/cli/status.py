"""`marketing-agents status`: who is behind, since when and why; with an advertiser or a date, every step on record.

Reads the state store and the registry only, and never imports dagster: the answer is there in under a second.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from marketing_agents.advertisers.registry import Registry, load_registry
from marketing_agents.cli.errors import UsageError
from marketing_agents.days import LocalDay
from marketing_agents.operations.day_records import DayRecord, day_cells, read_days
from marketing_agents.operations.freshness import AdvertiserFreshness, Freshness
from marketing_agents.operations.freshness_records import read_freshness
from marketing_agents.operations.freshness_table import COLUMNS, as_data, cells, summary
from marketing_agents.operations.pausing import HISTORY_COLUMNS, history_rows
from marketing_agents.operations.why_missing import STEPS
from marketing_agents.settings import load_settings
from marketing_agents.state.kill_switch import KillSwitch, SwitchEntry
from marketing_agents.state.onboardings import Onboarding, Onboardings
from marketing_agents.state.store import StateStore

SHOWN_DAYS = 14
_COLOURS = {
    "behind": "red",
    "paused": "yellow",
    "new": "cyan",
    "failed": "red",
    "blocked": "red",
    "refused": "yellow",
    "degraded": "yellow",
}


def run_status(advertiser: str | None, day: str | None, *, as_json: bool) -> int:
    """Print where everybody stands; 1 when somebody is behind, or has no report of the day that was asked for although it is due.

    Raises:
        UsageError: the day is not a date. RegistryError: the advertiser is unknown.
    """
    settings = load_settings()
    registry = load_registry(settings.resolved_advertisers)
    if advertiser is not None:
        registry = Registry(advertisers=(registry.require(advertiser),))
    asked = _date(day) if day is not None else None
    state = StateStore(settings.resolved_state_url)
    now = datetime.now(UTC)
    freshness = read_freshness(registry, state, now)
    if asked is not None:
        return _show_days(freshness, read_days(registry, state, [LocalDay(a, asked) for a in registry.ids]), now, as_json=as_json)
    if advertiser is not None:
        return _show_advertiser(registry, state, freshness, as_json=as_json)
    if as_json:
        _print_json({**_counts(freshness), "advertisers": [as_data(one) for one in freshness.advertisers]})
    else:
        print_table(COLUMNS, [cells(one) for one in freshness.advertisers], title=summary(freshness))
    return _exit_code(freshness)


def _show_days(freshness: Freshness, records: Sequence[DayRecord], now: datetime, *, as_json: bool) -> int:
    """One line per advertiser for one day; of a single advertiser, every step with its run."""
    paused = {one.advertiser_id for one in freshness.advertisers if one.state == "paused"}
    late = [r for r in records if not r.is_done and r.due <= now and r.where.advertiser_id not in paused]
    if as_json:
        _print_json({"at": now.isoformat(), "late": len(late), "days": [record.as_data() for record in records]})
    else:
        print_table(("advertiser", *STEPS, "morning", "note"), [day_cells(r, r.where.advertiser_id) for r in records])
        if len(records) == 1 and records[0].steps:
            rows = [
                (s.outcome.step, s.outcome.status, s.outcome.reason, s.run_id[:8], f"{s.updated_at:%Y-%m-%d %H:%M} UTC")
                for s in records[0].steps
            ]
            print_table(("step", "status", "reason", "run", "when"), rows)
    return 1 if late else 0


def _show_advertiser(registry: Registry, state: StateStore, freshness: Freshness, *, as_json: bool) -> int:
    """The last days, pauses and onboarding of the registry's only advertiser."""
    [advertiser] = registry.advertisers
    yesterday = freshness.at.astimezone(advertiser.zone).date() - timedelta(days=1)
    records = read_days(registry, state, [LocalDay(advertiser.id, yesterday - timedelta(days=n)) for n in range(SHOWN_DAYS)])
    entries = KillSwitch(state).history([advertiser.id])
    onboarding = Onboardings(state).read().get(advertiser.id)
    [one] = freshness.advertisers
    if as_json:
        _print_json(_advertiser_data(one, records, entries, onboarding))
        return _exit_code(freshness)
    console = _console()
    console.print(Text(f"{_printable(advertiser.name)} ({advertiser.id}), {advertiser.time_zone}: {_sentence(one)}"))
    print_table(("day", *STEPS, "morning", "note"), [day_cells(r, r.where.day) for r in records], title=f"the last {SHOWN_DAYS} days")
    if entries:
        print_table(HISTORY_COLUMNS, history_rows(entries, registry), title="pauses")
    if onboarding:
        days = f"{onboarding.first_date} to {onboarding.last_date}" if onboarding.first_date else "no days"
        console.print(Text(f"onboarding: {days}{f' ({_printable(onboarding.note)})' if onboarding.note else ''}"))
    return _exit_code(freshness)


def _sentence(one: AdvertiserFreshness) -> str:
    words = [one.state, f"last day done {one.last_done or 'never'}", f"due {one.due}"]
    if one.missing:
        words.append(f"{one.days_behind} d behind since {one.since:%Y-%m-%d %H:%M} UTC")
    return _printable("; ".join([*words, *([one.why] if one.why else [])]))


def _advertiser_data(
    one: AdvertiserFreshness, records: Sequence[DayRecord], entries: Sequence[SwitchEntry], onboarding: Onboarding | None
) -> dict[str, Any]:
    return {
        **as_data(one),
        "days": [record.as_data() for record in records],
        "pauses": [
            {"action": e.action, "who": e.who, "why": e.why, "at": e.at.isoformat(), "until": e.until.isoformat() if e.until else None}
            for e in entries
        ],
        "onboarding": {
            "first_date": str(onboarding.first_date) if onboarding.first_date else None,
            "last_date": str(onboarding.last_date) if onboarding.last_date else None,
            "note": onboarding.note,
        }
        if onboarding
        else None,
    }


def _counts(freshness: Freshness) -> dict[str, Any]:
    return {
        "at": freshness.at.isoformat(),
        "behind": freshness.count("behind"),
        "paused": freshness.count("paused"),
        "new": freshness.count("new"),
        "total": len(freshness.advertisers),
        "most_days_behind": freshness.worst_days,
    }


def _exit_code(freshness: Freshness) -> int:
    return 1 if freshness.count("behind") else 0


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--date {text!r} is not a date; write it as YYYY-MM-DD") from None


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """A table in the terminal. Columns that are empty throughout are left out; outside text in cells is never markup or a control code."""
    shown = [n for n in range(len(header)) if n == 0 or any(row[n] for row in rows)]
    table = Table(*(header[n] for n in shown), title=title, title_justify="left", title_style="bold")
    for row in rows:
        table.add_row(*(Text(_printable(row[n]), style=_COLOURS.get(row[n], "")) for n in shown))
    _console().print(table)


def _console() -> Console:
    return Console(highlight=False)


def _print_json(data: dict[str, Any]) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False))


def _printable(text: str) -> str:
    return "".join(ch if ch.isprintable() else " " for ch in text)
