"""From rows and episodes to findings: every number that may be quoted becomes a fact, every action gets its parameters.

Facts, playbook and money are computed for the rows that findings show only, all rows of a rule together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from marketing_agents.rules.display import display_value
from marketing_agents.rules.episodes import OLDER_THAN_WINDOW_DAYS, Episode
from marketing_agents.rules.finding import RETRACTED, RETRACTED_DAY, SEVERITIES, Entity, Fact, Finding, PlannedAction, Unit
from marketing_agents.rules.outcomes import Code
from marketing_agents.rules.vectors import TRUE, Vector

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from marketing_agents.days import LocalDay
    from marketing_agents.rules.evaluate import JudgedRule
    from marketing_agents.rules.expression import Expression
    from marketing_agents.rules.interpret import Scope
    from marketing_agents.rules.mart_rows import MartRows
    from marketing_agents.rules.overrides import Override
    from marketing_agents.rules.rule import Catalogue, Observation, Peer, Rule

    Rows = npt.NDArray[np.int64]

FRESH_WITHIN_DAYS = 1
STALE_LOSS_PER_DAY = 0.1
STALE_FLOOR = 0.5
_NA = "NA"
_TEST_FACTS = (
    ("p_adjusted", "the same among all entities tested (false discovery rate)", Unit.PROBABILITY),
    ("entities_tested", "entities tested on the day", Unit.COUNT),
)


@dataclass(frozen=True)
class Draft:
    """A finding to be: the partition, the row that holds its evidence, the episode, and today's outcome."""

    day: LocalDay
    row: int
    episode: Episode
    today: Code


def finding_id(advertiser_id: str, rule_id: str, entity_key: str) -> str:
    """Stable id of (advertiser, rule, entity): the same on every day."""
    return hashlib.sha256(f"{advertiser_id}\x1f{rule_id}\x1f{entity_key}".encode()).hexdigest()[:16]


def fact_prefix(rule_id: str, entity_key: str) -> str:
    return f"{rule_id}.{hashlib.sha256(entity_key.encode()).hexdigest()[:6]}"


def retraction_text(day: date) -> str:
    """Why a finding is retracted that was told on `day`."""
    return f"data restated since then show that it did not hold on {day}"


def entity_at(rule: Rule, scope: Scope, row: int) -> Entity:
    """The entity of one row; missing ids are 'NA', a missing name is the id."""

    def text(column: str | None) -> str:
        return _NA if column is None else str(scope.get(column).at(row) or _NA)

    columns = rule.entity
    identity = "/".join(text(column) for column in columns.id)
    name = _NA if columns.name is None else text(columns.name)
    return Entity(
        type=columns.type,
        id=identity,
        name=identity if name == _NA else name,
        platform=text(columns.platform),
        account_id=text(columns.account),
        campaign_id=text(columns.campaign),
        adgroup_id=text(columns.adgroup),
    )


def build_findings(judged: JudgedRule, catalogue: Catalogue, drafts: Sequence[Draft]) -> list[Finding]:
    """Findings of one rule, in the order of `drafts`; what findings do to each other comes later (`interplay.py`)."""
    import numpy as np

    rule, rows, scope = judged.rule, judged.rows, judged.scope
    chosen = np.array([draft.row for draft in drafts], dtype="int64")
    part = scope.take(chosen)
    if rule.peer is not None:
        part.add(_peers(rule.peer, rule, rows, scope, chosen))
    tests = _tests(judged, chosen)
    sheets: dict[Override | None, _Sheet] = {}
    findings = []
    for position, draft in enumerate(drafts):
        override = judged.override_at(draft.row)
        if override not in sheets:
            sheets[override] = _Sheet(judged.rule_at(draft.row), part, tests, override)
        findings.append(sheets[override].finding(catalogue, position, draft))
    return findings


def _tests(judged: JudgedRule, chosen: Rows) -> dict[str, Vector]:
    """What the rows of a rule with `false_discovery` say about being one of many: facts by name."""
    outcomes = judged.outcomes
    if outcomes.adjusted_p is None or outcomes.tested is None:
        return {}
    return {
        "p_adjusted": Vector("number", outcomes.adjusted_p[chosen]),
        "entities_tested": Vector("number", outcomes.tested[chosen].astype("float64")),
    }


def _peers(peer: Peer, rule: Rule, rows: MartRows, scope: Scope, chosen: Rows) -> dict[str, Vector]:
    """The peer's values for each chosen row: the best other row of the same advertiser and day; ties by id."""
    import numpy as np

    cells = np.zeros(rows.calendar.size, dtype=bool)
    cells[rows.cell[chosen]] = True
    around = np.flatnonzero(cells[rows.cell])
    near = scope.take(around)
    usable = np.flatnonzero((near.compute(peer.condition).data == TRUE) & ~near.compute(peer.order_by).missing())
    order = near.compute(peer.order_by).data
    keys = list(zip(*(near.get(column).values(len(around)) for column in rule.entity.columns), strict=True))
    cells_of, order_of = rows.cell[around].tolist(), order.tolist()
    best: dict[int, list[int]] = {}
    for row in sorted(usable.tolist(), key=lambda row: (cells_of[row], order_of[row], [str(part) for part in keys[row]])):
        kept = best.setdefault(cells_of[row], [])
        if len(kept) < 2:  # a row must not be its own peer, so the second best is needed too
            kept.append(row)
    picked = np.array([next((row for row in best.get(int(rows.cell[own]), []) if around[row] != own), -1) for own in chosen], dtype="int64")
    result = {}
    for name, expression in peer.names.items():
        vector = near.compute(expression)
        result[name] = vector.take_or_missing(picked)
    return result


class _Sheet:
    """All computed values of one rule for the rows of its findings."""

    def __init__(self, rule: Rule, scope: Scope, tests: Mapping[str, Vector], override: Override | None) -> None:
        self.rule = rule
        self.override = override
        self.scope = scope
        self.tests = tests
        self.facts = {spec.name: self._all(spec.value) for spec in rule.facts}
        self.specs = {spec.name: spec for spec in rule.facts}
        self.conditions = [None if o.condition is None else self._all(o.condition) for o in rule.observations]
        self.thresholds = [{severity: self._all(limit) for severity, limit in o.thresholds.items()} for o in rule.observations]
        self.p_value = [p if p is not None and 0 <= p <= 1 else None for p in self._all(rule.test.p_value)] if rule.test else None
        self.sample = self._all(rule.sample_size) if rule.sample_size else None
        self.impact = self._all(rule.impact) if rule.impact else None
        self.quality = self._all(rule.quality) if rule.quality else None
        self.playbook = [
            (
                step,
                None if step.condition is None else self._all(step.condition),
                {name: self._all(expression) for name, expression in step.parameters.items()},
                None if step.effect is None else self._all(step.effect),
            )
            for step in rule.playbook
        ]
        self.currency = scope.get("currency_code").values(len(scope.columns))
        self.evaluated_day = scope.get("evaluated_day").values(len(scope.columns))

    def _all(self, expression: Expression) -> list[Any]:
        """The expression's value for every row, as plain Python values."""
        return self.scope.compute(expression).values(len(self.scope.columns))

    def finding(self, catalogue: Catalogue, row: int, draft: Draft) -> Finding:
        rule, episode = self.rule, draft.episode
        entity = entity_at(rule, self.scope, row)
        currency = str(self.currency[row] or "XXX")
        evaluated = self.evaluated_day[row]
        evaluated_day = evaluated if isinstance(evaluated, date) else draft.day.day
        age = max((draft.day.day - evaluated_day).days, 0)
        severity = SEVERITIES[episode.severity - 1]
        observation, limit = self._observation(row, draft)
        p_value, sample, money = (_number(values, row) for values in (self.p_value, self.sample, self.impact))
        money = None if money is None else round(max(money, 0.0), 2)
        prefix = fact_prefix(rule.id, entity.key)
        facts = [
            self._fact(prefix, name, spec.label, spec.unit, values[row], currency, spec.decimals)
            for name, values in self.facts.items()
            for spec in (self.specs[name],)
            if name in (observation.observed, observation.baseline) or values[row] is not None
        ]
        observed = self.specs[observation.observed]
        facts.append(
            self._fact(
                prefix, "threshold", f"limit for severity '{severity}': {observed.label}", observed.unit, limit, currency, observed.decimals
            )
        )
        facts += self._common_facts(prefix, entity, draft, evaluated_day, age, currency, p_value, sample, money)
        facts += [
            self._fact(prefix, name, label, unit, value, currency)
            for name, label, unit in _TEST_FACTS
            if name in self.tests and (value := self.tests[name].at(row)) is not None
        ]
        if episode.state == "superseded":
            facts += [
                self._fact(prefix, RETRACTED, "retracted", Unit.TEXT, retraction_text(episode.last_fired), currency),
                self._fact(prefix, RETRACTED_DAY, "day that restated data overturned", Unit.DATE, episode.last_fired, currency),
            ]
        if self.override is not None:
            text = f"{self.override.changes}, by {self.override.owner} until {self.override.expires}"
            facts.append(self._fact(prefix, "override", "limits set for this advertiser or campaign", Unit.TEXT, text, currency))
        return Finding(
            finding_id=finding_id(draft.day.advertiser_id, rule.id, entity.key),
            advertiser_id=draft.day.advertiser_id,
            date=draft.day.day,
            rule_id=rule.id,
            rule_title=rule.title,
            category=rule.category,
            catalogue_hash=catalogue.hash,
            description=rule.description,
            entity=entity,
            severity=severity,
            previous_severity=None if episode.previous_severity is None else SEVERITIES[episode.previous_severity - 1],
            episode_state=episode.state,
            opened_on=episode.opened_on,
            days_open=episode.days_open,
            observed=f"{prefix}.{observation.observed}",
            baseline=None if observation.baseline is None else f"{prefix}.{observation.baseline}",
            threshold=f"{prefix}.threshold",
            money_at_stake=money,
            currency_code=currency,
            confidence=self._confidence(row, p_value, sample, age),
            p_value=p_value,
            sample_size=sample,
            evaluated_day=evaluated_day,
            data_age_days=age,
            is_shadow=rule.is_shadow,
            override=None if self.override is None else self.override.applied,
            facts=tuple(facts),
            causes=rule.causes,
            playbook=self._actions(row, entity, draft),
            trend_metric=rule.trend_metric,
        )

    def _observation(self, row: int, draft: Draft) -> tuple[Observation, float | bool | str | date | None]:
        """What is shown as observed, and the threshold in force: that of today's severity, of the lowest one on a clear day."""
        is_fired = draft.today in (Code.FIRED, Code.BLOCKED)
        for observation, condition, limits in zip(self.rule.observations, self.conditions, self.thresholds, strict=True):
            if condition is None or (is_fired and condition[row] is True):
                severity = SEVERITIES[draft.episode.severity - 1]
                values = limits.get(severity) if is_fired else None
                values = values or limits[next(s for s in SEVERITIES if s in limits)]
                limit: float | bool | str | date | None = values[row]
                return observation, limit
        raise AssertionError(f"{self.rule.id}: the last observation has no condition")

    def _common_facts(
        self,
        prefix: str,
        entity: Entity,
        draft: Draft,
        evaluated_day: date,
        age: int,
        currency: str,
        p_value: float | None,
        sample: float | None,
        money: float | None,
    ) -> list[Fact]:
        episode = draft.episode
        entries: list[tuple[str, str, Unit, float | str | date | None]] = [
            ("entity_name", "name", Unit.TEXT, entity.name),
            ("p_value", "probability that chance alone explains it", Unit.PROBABILITY, p_value),
            ("sample_size", "observations behind it", Unit.COUNT, sample),
            ("money_at_stake", "money at stake in 7 days", Unit.MONEY, money),
            ("window_days", "days looked at", Unit.DAYS, float(self.rule.window_days)),
            ("evaluated_day", "newest complete day", Unit.DATE, evaluated_day),
            ("opened_on", "first day of the episode", Unit.DATE, episode.opened_on),
            ("days_open", "days the episode lasts", Unit.DAYS, float(episode.days_open)),
            ("data_age_days", "age of the data", Unit.DAYS, float(age)),
        ]
        facts = [self._fact(prefix, name, label, unit, value, currency) for name, label, unit, value in entries if value is not None]
        if episode.days_open >= OLDER_THAN_WINDOW_DAYS:
            facts = [
                fact.model_copy(update={"display": f"{OLDER_THAN_WINDOW_DAYS}+ days"}) if fact.name == "days_open" else fact
                for fact in facts
            ]
        return facts

    def _fact(
        self,
        prefix: str,
        name: str,
        label: str,
        unit: Unit,
        value: float | bool | str | date | None,
        currency: str,
        decimals: int | None = None,
    ) -> Fact:
        is_text = isinstance(value, (str, date))
        return Fact(
            id=f"{prefix}.{name}",
            name=name,
            label=label,
            unit=unit,
            number=None if is_text or value is None else float(value),  # type: ignore[arg-type]
            text=str(value) if is_text else None,
            currency=currency if unit is Unit.MONEY else None,
            display=display_value(value, unit, currency, decimals),
        )

    def _confidence(self, row: int, p_value: float | None, sample: float | None, age: int) -> float:
        """(1 - p) x freshness x sample / floor (at most 1) x the rule's own quality, as in rules.md section 6."""
        freshness = max(STALE_FLOOR, 1.0 - STALE_LOSS_PER_DAY * max(age - FRESH_WITHIN_DAYS, 0))
        enough = 1.0 if sample is None or self.rule.sample_floor is None else min(sample / self.rule.sample_floor, 1.0)
        quality = _number(self.quality, row)
        return round((1.0 - (p_value or 0.0)) * freshness * max(enough, 0.0) * min(max(1.0 if quality is None else quality, 0.0), 1.0), 4)

    def _actions(self, row: int, entity: Entity, draft: Draft) -> tuple[PlannedAction, ...]:
        if draft.episode.state == "superseded":
            return (PlannedAction(action="NO_ACTION_MONITOR", entity=entity, rationale="Restated data show that it did not hold."),)
        if draft.today is not Code.FIRED:
            why = (
                "It does not show today; a change now would act on what has passed."
                if draft.today is not Code.BLOCKED
                else "Its data of today cannot be judged yet."
            )
            return (PlannedAction(action="NO_ACTION_MONITOR", entity=entity, rationale=why),)
        actions = []
        for step, condition, parameters, effect in self.playbook:
            values = {name: each[row] for name, each in parameters.items()}
            if (condition is not None and condition[row] is not True) or any(value is None for value in values.values()):
                continue
            typed: dict[str, float | str] = {
                name: value if isinstance(value, str) else float(value) for name, value in values.items() if value is not None
            }
            gain = _number(effect, row)
            actions.append(
                PlannedAction(
                    action=step.action,
                    entity=entity,
                    parameters=typed,
                    expected_effect=None if gain is None else round(max(gain, 0.0), 2),
                    rationale=step.rationale,
                )
            )
        return tuple(actions)


def _number(values: list[Any] | None, row: int) -> float | None:
    value = None if values is None else values[row]
    return None if value is None else float(value)
