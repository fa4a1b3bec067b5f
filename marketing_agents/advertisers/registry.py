"""The advertiser registry: one YAML file, validated as a whole.

Ids are slugs because they become partition keys, folder names and SQL parameters: `|` is dropped silently by multi-partitions, a comma
breaks selections in the UI. The zone decides when a local day is over; every figure about "yesterday" depends on it.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections import Counter
from collections.abc import Iterable
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

ADVERTISER_ID_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
LATEST_RUN_TIME = time(12, 0)
_CURRENCY = r"^[A-Z]{3}$"


class RegistryError(ValueError):
    """The registry file cannot be used. The message names the file, the advertiser, the field and the fix."""


class Advertiser(BaseModel):
    """One advertiser. Money is in `base_currency`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="slug: lower-case letters, digits and hyphens, at most 63 characters")
    name: str = Field(min_length=1, max_length=200)
    time_zone: str = Field(description="IANA zone, e.g. Europe/London")
    run_time_local: time = Field(default=time(6, 0), description="local time of the morning run, at noon at the latest")
    base_currency: Annotated[str, Field(pattern=_CURRENCY)] = "USD"
    gross_margin: Decimal | None = Field(default=None, gt=0, le=1, description="share of revenue left after cost of goods")
    target_cpa: Decimal | None = Field(default=None, gt=0, description="default target cost per conversion")
    target_roas: Decimal | None = Field(default=None, gt=0, description="default target revenue per unit of spend")
    brand_tokens: tuple[str, ...] = ()
    settle_lag_hours: int = Field(
        default=3, ge=0, le=72, description="hours after the end of an account's day until its figures are usable"
    )
    required_tables: tuple[str, ...] = Field(
        default=("ad_performance_daily",), description="tables with rows by day that must have arrived before the morning run starts"
    )
    trusted_actors: tuple[str, ...] = Field(
        default=(),
        description="who may change settings on the platforms: names as the platforms write them, or '@agency.example' for a whole mail domain; "
        "empty: nobody is unknown, only changes that a platform applies by itself are reported",
    )
    paused: bool = Field(default=False, description="no run does anything for a paused advertiser; its history stays")
    prompt_label: str | None = Field(default=None, description="Langfuse label in place of the default one")

    @field_validator("id")
    @classmethod
    def _slug(cls, value: str) -> str:
        if not ADVERTISER_ID_PATTERN.fullmatch(value):
            raise ValueError(
                f"advertiser id {value[:80]!r} is not a slug: use lower-case letters, digits and hyphens, "
                "1 to 63 characters, starting and ending with a letter or digit"
            )
        return value

    @field_validator("run_time_local", mode="before")
    @classmethod
    def _hour_and_minute(cls, value: object) -> object:
        # YAML reads an unquoted 10:30 as the number 630, and a time with a zone cannot be compared with local ones.
        if isinstance(value, time) or (isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value)):
            return value
        raise ValueError(f'write it as "HH:MM" in quotes, for example "06:00" (found {value!r})')

    @field_validator("run_time_local")
    @classmethod
    def _in_the_morning(cls, value: time) -> time:
        if value > LATEST_RUN_TIME:
            raise ValueError(f"is after {LATEST_RUN_TIME:%H:%M}: mornings end at noon, when a run starts with whatever data is there")
        return value

    @field_validator("required_tables")
    @classmethod
    def _daily_tables(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from marketing_agents.warehouse.catalog import INPUT_TABLES
        from marketing_agents.warehouse.contract import TableKind

        daily = sorted(name for name, table in INPUT_TABLES.items() if table.kind is TableKind.DAILY)
        for name in value:
            if name not in daily:
                near = difflib.get_close_matches(name, daily, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"choose from: {', '.join(daily)}"
                raise ValueError(f"{name[:80]!r} is not an input table with rows by day ({hint})")
        return value

    @field_validator("trusted_actors")
    @classmethod
    def _actors(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Lower case without surrounding spaces, as they are compared."""
        actors = tuple(actor.strip().lower() for actor in value)
        if "" in actors or "@" in actors:
            raise ValueError("an entry without a name would trust everybody or nobody: write a name, an e-mail address or '@domain'")
        if len(set(actors)) < len(actors):
            raise ValueError("names somebody twice")
        return actors

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in _known_zones():
            raise ValueError(f"unknown IANA time zone {value[:80]!r} (for example Europe/London)")
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Registry(BaseModel):
    """All advertisers, by id, in file order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    advertisers: tuple[Advertiser, ...]

    def get(self, advertiser_id: str) -> Advertiser | None:
        return next((a for a in self.advertisers if a.id == advertiser_id), None)

    def require(self, advertiser_id: str) -> Advertiser:
        found = self.get(advertiser_id)
        if found is None:
            raise RegistryError(f"unknown advertiser {advertiser_id[:80]!r}; the registry has: {', '.join(self.ids) or 'nobody'}")
        return found

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(a.id for a in self.advertisers)

    @property
    def time_zones(self) -> tuple[str, ...]:
        return tuple(sorted({a.time_zone for a in self.advertisers}))

    def in_zone(self, time_zone: str) -> tuple[Advertiser, ...]:
        return tuple(a for a in self.advertisers if a.time_zone == time_zone)


@functools.cache
def _known_zones() -> frozenset[str]:
    """Listing them walks the zone folders: 7 ms each time, which made a registry of 500 take 3.7 s."""
    return frozenset(available_timezones())


def load_registry(path: Path) -> Registry:
    """Read and validate the registry file.

    Raises:
        RegistryError: no file, not YAML, an unknown zone or field, an id that is no slug, or two equal ids.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RegistryError(
            f"{path}: no such registry file; set MARKETING_AGENTS_ADVERTISERS to one (see README, 'Adding an advertiser')"
        ) from None
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RegistryError(f"{path}: not valid YAML: {str(error)[:300]}") from None
    if not isinstance(document, dict) or not isinstance(document.get("advertisers"), list):
        raise RegistryError(f"{path}: expected a mapping with a list under 'advertisers'")
    return parse_registry(document["advertisers"], source=str(path))


def parse_registry(entries: Iterable[object], *, source: str) -> Registry:
    """Validate registry entries; every problem is listed at once."""
    advertisers: list[Advertiser] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        label = str(entry.get("id", f"entry {number}"))[:80] if isinstance(entry, dict) else f"entry {number}"
        try:
            advertisers.append(Advertiser.model_validate(entry))
        except ValidationError as error:
            for e in error.errors(include_url=False):
                where = ".".join(str(part) for part in e["loc"]) or "entry"
                problems.append(f"{source}: advertiser {label!r}: {where}: {e['msg'].removeprefix('Value error, ')}")
    for advertiser_id, n in Counter(a.id for a in advertisers).items():
        if n > 1:
            problems.append(f"{source}: advertiser id {advertiser_id!r} is used {n} times; ids must be unique")
    if problems:
        raise RegistryError("\n".join(problems))
    return Registry(advertisers=tuple(advertisers))
