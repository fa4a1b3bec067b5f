"""Keeps the sample agency's input files current for the demo and the local UI."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.cli.errors import UsageError
from marketing_agents.settings import Settings


def local_yesterday(advertiser: Advertiser, now: datetime) -> date:
    """The advertiser's last finished local day."""
    return now.astimezone(advertiser.zone).date() - timedelta(days=1)


def uses_sample(settings: Settings) -> bool:
    """True when neither another source nor another registry is configured."""
    return settings.source == "files" and settings.source_dir is None and settings.source_mapping is None and settings.advertisers is None


def require_sample(settings: Settings) -> None:
    """Raises UsageError when the settings point at somebody's real data."""
    if not uses_sample(settings):
        raise UsageError(
            "the demo runs on the sample agency, but a source or a registry is configured; unset MARKETING_AGENTS_SOURCE, "
            "MARKETING_AGENTS_SOURCE_DIR, MARKETING_AGENTS_SOURCE_MAPPING and MARKETING_AGENTS_ADVERTISERS, or use `make dev` with them"
        )


def ensure_sample(settings: Settings, advertisers: Iterable[Advertiser], now: datetime | None = None) -> bool:
    """Generate the agency up to the latest local yesterday; True when files were written.

    The anchor (where incidents are planted) stays that of the first generation, so that the next day is the same agency, one day older.
    """
    moment = now or datetime.now(UTC)
    end = max(local_yesterday(a, moment) for a in advertisers)
    anchor, known_end = _existing(settings)
    if known_end == end:
        return False
    from marketing_agents.sample.agency import write_agency
    from marketing_agents.sample.spec import AgencySpec

    write_agency(settings.sample_dir, AgencySpec(end=end, anchor=anchor or end))
    return True


def _existing(settings: Settings) -> tuple[date | None, date | None]:
    truth = settings.sample_dir / "truth.json"
    if not truth.exists():
        return None, None
    document = json.loads(truth.read_text(encoding="utf-8"))
    return date.fromisoformat(document["anchor"]), date.fromisoformat(document["end"])
