"""What another catalogue would have said on the same features: findings that appear, vanish, change severity or last longer or shorter."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from marketing_agents.rules.finding import SEVERITIES, Finding, Frozen, Severity

if TYPE_CHECKING:
    from marketing_agents.days import LocalDay

Kind = Literal["appears", "vanishes", "severity", "days"]
KINDS: tuple[Kind, ...] = ("appears", "vanishes", "severity", "days")


class Change(Frozen):
    """One finding over the compared days. `day`: the first on which the two differ; severities: of that day (None = not open then)."""

    advertiser_id: str
    rule_id: str
    kind: Kind
    finding_id: str
    entity_name: str
    day: dt.date
    severity_before: Severity | None
    severity_after: Severity | None
    days_before: int
    days_after: int
    money_at_stake: float | None


def compare(before: Iterable[Finding], after: Iterable[Finding]) -> list[Change]:
    """Changes by advertiser, rule, kind, then most money first. Only days on which a finding is open and told count."""
    old, new = _by_finding(before), _by_finding(after)
    changes = [
        change for finding_id in sorted({*old, *new}) if (change := _change(old.get(finding_id, {}), new.get(finding_id, {}))) is not None
    ]
    return sorted(changes, key=_order)


def counts(changes: Iterable[Change]) -> dict[tuple[str, str], dict[Kind, int]]:
    """Changes of each kind by (rule, advertiser)."""
    counted: dict[tuple[str, str], dict[Kind, int]] = defaultdict(lambda: dict.fromkeys(KINDS, 0))
    for change in changes:
        counted[change.rule_id, change.advertiser_id][change.kind] += 1
    return dict(sorted(counted.items()))


def examples(changes: Sequence[Change], most: int) -> list[Change]:
    """At most `most` changes of each kind, rule and advertiser."""
    seen: dict[tuple[str, str, Kind], int] = defaultdict(int)
    shown = []
    for change in changes:
        place = (change.rule_id, change.advertiser_id, change.kind)
        seen[place] += 1
        if seen[place] <= most:
            shown.append(change)
    return shown


def told(findings: Mapping[LocalDay, Sequence[Finding]]) -> list[Finding]:
    """Findings of all days that would be told."""
    return [finding for of_day in findings.values() for finding in of_day if finding.is_open and not finding.is_shadow]


def _by_finding(findings: Iterable[Finding]) -> dict[str, dict[dt.date, Finding]]:
    found: dict[str, dict[dt.date, Finding]] = defaultdict(dict)
    for finding in findings:
        if finding.is_open:
            found[finding.finding_id][finding.date] = finding
    return found


def _change(old: Mapping[dt.date, Finding], new: Mapping[dt.date, Finding]) -> Change | None:
    different = [day for day in sorted({*old, *new}) if _severity(old.get(day)) != _severity(new.get(day))]
    if not different:
        return None
    on_both = [day for day in different if day in old and day in new]
    kind: Kind = "appears" if not old else "vanishes" if not new else "severity" if on_both else "days"
    day = on_both[0] if on_both else different[0]
    shown = new.get(day) or old[day]
    return Change(
        advertiser_id=shown.advertiser_id,
        rule_id=shown.rule_id,
        kind=kind,
        finding_id=shown.finding_id,
        entity_name=shown.entity.name,
        day=day,
        severity_before=_severity(old.get(day)),
        severity_after=_severity(new.get(day)),
        days_before=len(old),
        days_after=len(new),
        money_at_stake=shown.money_at_stake,
    )


def _severity(finding: Finding | None) -> Severity | None:
    return None if finding is None else finding.severity


def _order(change: Change) -> tuple[object, ...]:
    severe = max((SEVERITIES.index(s) for s in (change.severity_before, change.severity_after) if s is not None), default=0)
    kind = KINDS.index(change.kind)
    return (change.rule_id, change.advertiser_id, kind, -severe, -(change.money_at_stake or 0.0), change.finding_id)
