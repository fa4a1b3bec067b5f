"""Freshness as a table: the same cells for Dagster's metadata, the terminal and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from marketing_agents.operations.freshness import GAP_DAYS, AdvertiserFreshness, Freshness
from marketing_agents.report.prose import markdown_text

COLUMNS = ("advertiser", "zone", "state", "last day done", "due", "behind", "since", "why", f"gaps, {GAP_DAYS} d", "this morning")
MAX_ROWS = 200
_CELL = 240


def cells(one: AdvertiserFreshness) -> tuple[str, ...]:
    """The cells of one advertiser, in the order of COLUMNS, as plain text."""
    return (
        one.advertiser_id,
        one.time_zone,
        one.state,
        str(one.last_done or "never"),
        str(one.due),
        f"{one.days_behind} d" if one.missing else "",
        instant(one.since) if one.since else "",
        one.why,
        str(len(one.gaps)) if one.gaps else "",
        f"{one.underway}: {one.morning}" if one.underway else "",
    )


def summary(freshness: Freshness) -> str:
    """One line of counts."""
    parts = [f"{freshness.count('behind')} behind", f"{freshness.count('paused')} paused", f"{freshness.count('new')} new"]
    return f"{len(freshness.advertisers)} advertisers at {instant(freshness.at)}: {', '.join(parts)}"


def freshness_markdown(freshness: Freshness) -> str:
    """The table for Dagster's metadata. Reasons may quote files and people: every cell is escaped."""
    if not freshness.advertisers:
        return "The registry lists nobody."
    return markdown_table(COLUMNS, [cells(one) for one in freshness.advertisers])


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, cell_chars: int = _CELL) -> str:
    """A table of at most MAX_ROWS rows, in which no cell can become anything but text."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(markdown_text(cell, cell_chars) for cell in row)} |" for row in rows[:MAX_ROWS]]
    return "\n".join(lines) + (f"\n\n… and {len(rows) - MAX_ROWS} more" if len(rows) > MAX_ROWS else "")


def as_data(one: AdvertiserFreshness) -> dict[str, Any]:
    """One advertiser for JSON: days as YYYY-MM-DD, instants in UTC."""
    return {
        "advertiser": one.advertiser_id,
        "time_zone": one.time_zone,
        "state": one.state,
        "last_day_done": _text(one.last_done),
        "due": _text(one.due),
        "days_behind": one.days_behind,
        "missing": [day.isoformat() for day in one.missing],
        "since": _text(one.since),
        "why": one.why,
        "gaps": [day.isoformat() for day in one.gaps],
        "underway": _text(one.underway),
        "this_morning": one.morning,
    }


def _text(moment: date | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def instant(moment: datetime) -> str:
    """2026-11-21 12:00 UTC; the moment is in UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
