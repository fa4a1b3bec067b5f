"""The data gates: what makes rows of a rule `blocked_by_data` or impossible before any threshold is looked at.

(a) A required table was never loaded for the advertiser: `missing_input`. (b) It was loaded before but has no version of the day: blocked.
(c) A gate rule (PLAT-004, 005, 006) fires on the day for (account, table): blocked for rules that require the table, on entities of that account; entities
that belong to no account are blocked by any account of the advertiser. The gate of a day counts for that day only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from marketing_agents.days import LocalDay
from marketing_agents.rules.finding import SEVERITIES
from marketing_agents.rules.outcomes import Code, RowOutcomes, join_details
from marketing_agents.rules.vectors import TRUE

if TYPE_CHECKING:
    from marketing_agents.rules.availability import InputAvailability
    from marketing_agents.rules.interpret import Scope
    from marketing_agents.rules.mart_rows import Calendar, MartRows
    from marketing_agents.rules.rule import Rule
    from marketing_agents.rules.vectors import Mask


@dataclass(frozen=True, order=True)
class GateHit:
    """A gate that fired: data of (account, table) cannot be trusted on the day."""

    advertiser_id: str
    day: date
    platform: str
    account_id: str
    table: str
    rule_id: str
    severity: str
    says: str

    @property
    def text(self) -> str:
        return f"{self.platform} {self.account_id}: {self.table} {self.says} ({self.rule_id} {self.severity})"


def gate_hits(rule: Rule, rows: MartRows, outcomes: RowOutcomes, scope: Scope) -> list[GateHit]:
    """What a gate rule blocks, sorted. Empty for rules that are no gate."""
    import numpy as np

    gate, entity = rule.gate, rule.entity
    if gate is None or entity.platform is None or entity.account is None:
        return []
    least = SEVERITIES.index(gate.severity) + 1
    fired = np.flatnonzero((outcomes.code == Code.FIRED) & (outcomes.severity >= least))
    if gate.condition is not None:
        fired = fired[scope.take(fired).compute(gate.condition).data == TRUE]
    part = rows.columns.take(fired)
    platform, account, table = (part.get(column) for column in (entity.platform, entity.account, gate.table))
    return sorted(
        GateHit(
            *rows.local_day(int(row)),
            platform=str(platform.at(position)),
            account_id=str(account.at(position)),
            table=str(table.at(position)),
            rule_id=rule.id,
            severity=SEVERITIES[int(outcomes.severity[row]) - 1],
            says=gate.says,
        )
        for position, row in enumerate(fired)
    )


class Gates:
    """All gates of one evaluation: availability from the log, and the hits of the gate rules so far."""

    def __init__(self, calendar: Calendar, inputs: InputAvailability) -> None:
        self.calendar = calendar
        self.inputs = inputs
        self._hits: dict[LocalDay, list[GateHit]] = defaultdict(list)

    def add(self, hits: Iterable[GateHit]) -> None:
        for hit in hits:
            self._hits[LocalDay(hit.advertiser_id, hit.day)].append(hit)

    def hits(self, day: LocalDay, tables: Iterable[str]) -> list[GateHit]:
        wanted = set(tables)
        return [hit for hit in self._hits.get(day, []) if hit.table in wanted]

    def masks(self, rule: Rule, rows: MartRows) -> tuple[Mask, Mask]:
        """(never loaded, blocked) per row."""
        import numpy as np

        cells = self.calendar.size
        never, blocked = np.zeros(cells, dtype=bool), np.zeros(cells, dtype=bool)
        partly: list[tuple[int, GateHit]] = []
        for day, cell in self.calendar.cells():
            if self.inputs.never_loaded(day, rule.requires):
                never[cell] = True
            elif self.inputs.not_loaded(day, rule.requires):
                blocked[cell] = True
            for hit in self.hits(day, rule.requires):
                if rule.entity.account is None:
                    blocked[cell] = True
                else:
                    partly.append((cell, hit))
        mask = blocked[rows.cell]
        if partly:
            mask = mask | self._of_accounts(rule, rows, partly)
        return never[rows.cell], mask

    def _of_accounts(self, rule: Rule, rows: MartRows, partly: list[tuple[int, GateHit]]) -> Mask:
        import numpy as np

        touched = np.zeros(self.calendar.size, dtype=bool)
        touched[[cell for cell, _ in partly]] = True
        candidates = np.flatnonzero(touched[rows.cell])
        part = rows.columns.take(candidates)
        account = part.get(rule.entity.account or "").data
        platform = part.get(rule.entity.platform).data if rule.entity.platform else np.full(len(candidates), None, dtype=object)
        hit_accounts = {(cell, hit.account_id, hit.platform if rule.entity.platform else None) for cell, hit in partly}
        mask = np.zeros(len(rows), dtype=bool)
        mask[
            [
                int(row)
                for row, *key in zip(candidates, rows.cell[candidates], account, platform, strict=True)
                if (int(key[0]), key[1], key[2]) in hit_accounts
            ]
        ] = True
        return mask

    def blocked_detail(self, rule: Rule, day: LocalDay) -> str:
        tables = [f"{table} has not been loaded for the day" for table in self.inputs.not_loaded(day, rule.requires)]
        return join_details([*tables, *(hit.text for hit in self.hits(day, rule.requires))])
