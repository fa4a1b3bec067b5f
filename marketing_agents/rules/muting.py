"""Findings that people do not want to be told: the notes of the input table `feedback`, applied to the findings of one day.

A pure function of the day: its findings, and the list of notes as it was known on it. Three verdicts:

* `mute`: true and known. `done`: acted upon, give it time. Both findings stay what they are for the others (they explain, limit, stand for
  their parent), and are not told.
* `wrong`: a false alarm. For the others it is as if the rule had not fired.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from marketing_agents.days import LocalDay
from marketing_agents.rules.finding import Finding, Frozen, Muted

if TYPE_CHECKING:
    import pyarrow as pa

    from marketing_agents.warehouse.store import SliceVersion

TABLE = "feedback"
READABLE_DAYS = 7
"""How old the newest list may be, as for every list of input."""
DONE_FOR_DAYS = 14
"""How long `done` holds without `until`: creative and audience changes show after two weeks at the latest (rules.md section 3)."""


class Feedback(Frozen):
    """One note. It fits a finding when everything it states fits; a note that states neither finding, rule nor entity fits none."""

    feedback_id: str
    given_on: dt.date
    finding_id: str | None = None
    rule_id: str | None = None
    entity_key: str | None = None
    verdict: Literal["mute", "wrong", "done"]
    until: dt.date | None = None
    author: str
    reason: str | None = None

    @property
    def last_day(self) -> dt.date:
        if self.until is not None:
            return self.until
        return self.given_on + timedelta(days=DONE_FOR_DAYS - 1) if self.verdict == "done" else dt.date.max

    def holds_on(self, day: dt.date) -> bool:
        return self.given_on <= day <= self.last_day

    def fits(self, finding: Finding) -> bool:
        stated = [
            (wanted, own)
            for wanted, own in (
                (self.finding_id, finding.finding_id),
                (self.rule_id, finding.rule_id),
                (self.entity_key, finding.entity.key),
            )
            if wanted
        ]
        return bool(stated) and all(wanted == own for wanted, own in stated)


def muted(findings: Sequence[Finding], notes: Iterable[Feedback], *, wrong: bool) -> list[Finding]:
    """The findings of one day, in their order, `muted` where a note holds. `wrong`: by notes of that verdict, else by the other two."""
    wanted = [note for note in notes if (note.verdict == "wrong") == wrong]
    return [_muted(finding, wanted) for finding in findings] if wanted else list(findings)


def _muted(finding: Finding, notes: Sequence[Feedback]) -> Finding:
    if finding.episode_state == "muted" or finding.is_shadow:
        return finding
    fitting = [note for note in notes if note.holds_on(finding.date) and note.fits(finding)]
    if not fitting:
        return finding
    newest = max(fitting, key=lambda note: (note.given_on, note.feedback_id))
    until = None if newest.last_day == dt.date.max else newest.last_day
    by = Muted(
        feedback_id=newest.feedback_id,
        verdict=newest.verdict,
        author=newest.author,
        until=until,
        reason=newest.reason,
        was_open=finding.is_open,
    )
    return finding.model_copy(update={"episode_state": "muted", "muted": by})


def feedback_of_days(
    log: Iterable[SliceVersion], rows: Mapping[str, pa.Table], days: Sequence[LocalDay]
) -> dict[LocalDay, tuple[Feedback, ...]]:
    """The list of each day: the newest slice of the last week that was known on it.

    `rows`: by advertiser, rows of the table with the day of their slice (`date`), as `Warehouse.read_raw` gives them.
    """
    slices: dict[str, set[dt.date]] = {}
    for version in log:
        if version.table == TABLE and version.as_of <= version.date:  # a list is loaded for its own day only
            slices.setdefault(version.advertiser_id, set()).add(version.date)
    by_slice: dict[LocalDay, list[Feedback]] = {}
    for advertiser_id, table in rows.items():
        for row in table.select([*Feedback.model_fields, "date"]).to_pylist():
            day = LocalDay(advertiser_id, row.pop("date"))
            by_slice.setdefault(day, []).append(Feedback.model_validate(row))
    result = {}
    for day in days:
        readable = [d for d in slices.get(day.advertiser_id, ()) if timedelta(0) <= day.day - d < timedelta(days=READABLE_DAYS)]
        result[day] = tuple(by_slice.get(LocalDay(day.advertiser_id, max(readable)), ())) if readable else ()
    return result
