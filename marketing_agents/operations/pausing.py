"""Pausing and resuming as people ask for it, on the command line and in the Launchpad: until when, and what is in force afterwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from marketing_agents.advertisers.registry import Advertiser, Registry
from marketing_agents.operations.freshness_table import markdown_table
from marketing_agents.state.kill_switch import KillSwitch, KillSwitchError, SwitchEntry

HISTORY_COLUMNS = ("advertiser", "when", "what", "who", "why", "until")
UNTIL_FORMS = "2026-11-30T08:00, 2026-11-30, 3d or 12h"
_LONGEST_DAYS = 3660
_LENGTH = re.compile(r"(\d{1,6})\s*([dh])", re.IGNORECASE)


def pause_end(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant (UTC) that `until` names.

    A time without a zone is the advertiser's own; a date is the first instant of that local day; `3d` ends three days from now at the same
    local time, also across a clock change, and `12h` after twelve elapsed hours.

    Raises:
        KillSwitchError: not one of these forms, more than ten years, or over already.
    """
    wanted = text.strip()
    length = _LENGTH.fullmatch(wanted)
    try:
        if length:
            amount = min(int(length[1]), _LONGEST_DAYS * 24)
            if length[2].lower() == "h":
                end = now.astimezone(UTC) + timedelta(hours=amount)
            else:
                end = (now.astimezone(zone) + timedelta(days=amount)).astimezone(UTC)
        else:
            moment = datetime.combine(date.fromisoformat(wanted), time.min) if _is_date(wanted) else datetime.fromisoformat(wanted)
            end = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise KillSwitchError(f"until {wanted[:80]!r} is not a time; write it as {UNTIL_FORMS}") from None
    if end <= now:
        raise KillSwitchError(f"until {wanted!r} is over already ({both_times(end, zone)})")
    if end - now > timedelta(days=_LONGEST_DAYS):
        raise KillSwitchError(f"until {wanted!r} is more than ten years away; leave it out for a pause without an end")
    return end


def pause(
    registry: Registry, switch: KillSwitch, advertiser_id: str, *, who: str, why: str, until: str | None, now: datetime
) -> SwitchEntry:
    """Pause an advertiser of the registry; a paused one gets the new reason and end.

    Raises:
        RegistryError: the advertiser is unknown. KillSwitchError: nobody or nothing is named, or `until` is wrong.
    """
    advertiser = registry.require(advertiser_id.strip())
    end = pause_end(until, advertiser.zone, now) if until and until.strip() else None
    return switch.pause(advertiser.id, who=who, why=why, until=end, at=now)


def resume(registry: Registry, switch: KillSwitch, advertiser_id: str, *, who: str, why: str, now: datetime) -> SwitchEntry:
    """Let a paused advertiser go.

    Raises:
        RegistryError: the advertiser is unknown. KillSwitchError: nobody or nothing is named, or it is not paused, or only in the registry.
    """
    advertiser = registry.require(advertiser_id.strip())
    if advertiser.paused and advertiser.id not in switch.paused(now, [advertiser.id]):
        raise KillSwitchError(f"{advertiser.id} is paused in the registry file, not by the kill switch: take `paused: true` out there")
    return switch.resume(advertiser.id, who=who, why=why, at=now)


def in_force(advertiser: Advertiser, entry: SwitchEntry | None, now: datetime) -> str:
    """What holds for an advertiser at `now`; `entry` is its last one."""
    parts = []
    if entry is not None and entry.holds(now):
        end = f"until {both_times(entry.until, advertiser.zone)}" if entry.until else "until somebody resumes it"
        parts.append(f"{advertiser.id} is paused by {entry.who} {end}: {entry.why}")
    if advertiser.paused:
        parts.append(f"{advertiser.id} is paused in the registry")
    return "; ".join(parts) or f"{advertiser.id} is not paused"


def both_times(moment: datetime, zone: ZoneInfo) -> str:
    """`2026-11-30 08:00 in Asia/Kolkata (02:30 UTC)`"""
    local, utc = moment.astimezone(zone), moment.astimezone(UTC)
    shown = f"{utc:%H:%M} UTC" if local.date() == utc.date() else f"{utc:%Y-%m-%d %H:%M} UTC"
    return f"{local:%Y-%m-%d %H:%M} in {zone.key} ({shown})"


def history_rows(entries: Sequence[SwitchEntry], registry: Registry) -> list[tuple[str, ...]]:
    """Cells of HISTORY_COLUMNS, newest first. Advertisers that left the registry are shown in UTC."""
    zones = {advertiser.id: advertiser.zone for advertiser in registry.advertisers}
    rows: list[tuple[str, ...]] = []
    for entry in reversed(entries):
        zone = zones.get(entry.advertiser_id, ZoneInfo("UTC"))
        end = both_times(entry.until, zone) if entry.until else ""
        rows.append((entry.advertiser_id, both_times(entry.at, zone), entry.action, entry.who, entry.why, end))
    return rows


def history_markdown(entries: Sequence[SwitchEntry], registry: Registry) -> str:
    """The history as a table, newest first; what people wrote is escaped."""
    if not entries:
        return "Nobody was ever paused."
    return markdown_table(HISTORY_COLUMNS, history_rows(entries, registry), cell_chars=1000)


def _is_date(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None
