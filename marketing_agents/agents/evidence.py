"""The evidence of one partition and domain: every fact that may be quoted, with names cleaned. Prompt, template and check all read this.

A finding's own facts are joined by those that follow from it (money at stake, days open, dates, confidence, the actions in words): a
figure that is no fact here cannot appear in any text.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from functools import cached_property

from marketing_agents.agents.outside_text import clean
from marketing_agents.agents.request import AnalysisRequest
from marketing_agents.decisions.actions import ACTIONS
from marketing_agents.decisions.wording import describe_action
from marketing_agents.rules.display import display_value
from marketing_agents.rules.finding import SEVERITIES, Fact, Finding, Frozen, PlannedAction, Unit

MAX_TEXT_FACT_CHARS = 200
OLDEST_EPISODE_DAYS = 56  # the episode window: an older start is not known


class EvidenceAction(Frozen):
    """A planned action in words. `is_held`: not before tracking is trusted again, or explained by another finding."""

    action: str
    fact_id: str
    text: str
    effect_fact_id: str | None
    rationale: str
    is_held: bool


class EvidenceFinding(Frozen):
    """A finding as text may speak of it. `name` is the cleaned entity name; `facts` include the derived ones (ids `<finding_id>#...`)."""

    finding: Finding
    name: str
    facts: tuple[Fact, ...]
    actions: tuple[EvidenceAction, ...]

    @property
    def id(self) -> str:
        return self.finding.finding_id

    def derived(self, name: str) -> Fact | None:
        return next((fact for fact in self.facts if fact.id == f"{self.id}#{name}"), None)

    def own(self, fact_id: str | None) -> Fact | None:
        return next((fact for fact in self.facts if fact.id == fact_id), None)

    @property
    def phrases(self) -> tuple[str, ...]:
        """Wording of the catalogue: may be repeated as it stands, numbers in it included."""
        finding = self.finding
        return (
            finding.rule_title,
            finding.description,
            *(fact.label for fact in self.facts),
            *(cause.text for cause in finding.causes),
            *(action.text for action in self.actions),
            *(action.rationale for action in self.actions),
        )


class Evidence(Frozen):
    """Everything one agent may speak of. Findings are sorted: most severe, then most money, then id."""

    advertiser_id: str
    advertiser_name: str
    currency: str
    day: dt.date
    findings: tuple[EvidenceFinding, ...]
    pack_facts: tuple[Fact, ...]
    known_gaps: tuple[str, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, EvidenceFinding]:
        return {item.id: item for item in self.findings}

    @cached_property
    def owners(self) -> dict[str, tuple[str, ...]]:
        """Fact id -> ids of the findings it belongs to; empty for facts of the whole partition."""
        owners: dict[str, tuple[str, ...]] = {fact.id: () for fact in self.pack_facts}
        for item in self.findings:
            for fact in item.facts:
                owners[fact.id] = (*owners.get(fact.id, ()), item.id)
        return owners

    @cached_property
    def facts(self) -> dict[str, Fact]:
        return {fact.id: fact for facts in (self.pack_facts, *(item.facts for item in self.findings)) for fact in facts}

    @cached_property
    def digest(self) -> str:
        """Stable hash of the content: equal evidence gives equal text requests."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def gather(request: AnalysisRequest) -> Evidence:
    """The evidence of a request. Findings that are neither open nor resolved (muted, superseded) are not told and left out."""
    told = [finding for finding in request.findings if finding.is_open or finding.episode_state == "resolved"]
    findings = tuple(_evidence_finding(finding, request) for finding in sorted(told, key=urgency))
    return Evidence(
        advertiser_id=request.advertiser.id,
        advertiser_name=clean(request.advertiser.name),
        currency=request.advertiser.base_currency,
        day=request.day,
        findings=findings,
        pack_facts=_pack_facts(request, findings),
        known_gaps=tuple(clean(gap, limit=300) for gap in request.known_gaps),
    )


def urgency(finding: Finding) -> tuple[bool, bool, int, float, str]:
    """Sort key: open before resolved, unexplained before suppressed, then severity, money at stake, id."""
    return (
        not finding.is_open,
        bool(finding.suppressed_by),
        -SEVERITIES.index(finding.severity),
        -(finding.money_at_stake or 0.0),
        finding.finding_id,
    )


def _evidence_finding(finding: Finding, request: AnalysisRequest) -> EvidenceFinding:
    own = tuple(_cleaned(fact) for fact in finding.facts)
    facts, actions = [*own, *_derived(finding)], []
    if finding.is_open:
        planned = [action for action in finding.playbook if action.action in request.domain.allowed_actions]
        for number, action in enumerate(planned):
            described, new_facts = _action(finding, action, number)
            actions.append(described)
            facts.extend(new_facts)
    return EvidenceFinding(
        finding=finding, name=clean(finding.entity.name) or finding.entity.id[:80], facts=tuple(facts), actions=tuple(actions)
    )


def _cleaned(fact: Fact) -> Fact:
    if fact.unit is not Unit.TEXT:
        return fact
    return fact.model_copy(
        update={
            "display": clean(fact.display, limit=MAX_TEXT_FACT_CHARS),
            "text": clean(fact.text or fact.display, limit=MAX_TEXT_FACT_CHARS),
        }
    )


def _derived(finding: Finding) -> list[Fact]:
    """What follows from a finding's own fields, in the display forms of its other facts."""
    prefix, currency = f"{finding.finding_id}#", finding.currency_code
    facts = [
        _day_fact(f"{prefix}evaluated_day", "last complete day of the figures", finding.evaluated_day),
        _number_fact(f"{prefix}data_age", "age of the data", Unit.DAYS, finding.data_age_days),
        # Rounded down and never 100: certainty is not on offer.
        _number_fact(f"{prefix}confidence", "confidence", Unit.PERCENT, min(99, math.floor(finding.confidence * 100)) / 100, decimals=0),
        _number_fact(f"{prefix}days_open", "days open", Unit.DAYS, finding.days_open),
    ]
    if finding.days_open >= OLDEST_EPISODE_DAYS:
        facts[-1] = facts[-1].model_copy(update={"display": f"{finding.days_open} days or more"})
    if finding.money_at_stake is not None:
        facts.append(
            _number_fact(f"{prefix}money_at_stake", "money at stake in 7 days", Unit.MONEY, finding.money_at_stake, currency=currency)
        )
    if finding.sample_size is not None:
        facts.append(_number_fact(f"{prefix}sample_size", "observations behind it", Unit.COUNT, round(finding.sample_size)))
    if finding.opened_on is not None:
        facts.append(_day_fact(f"{prefix}opened_on", "open since", finding.opened_on))
    return facts


def _number_fact(fact_id: str, label: str, unit: Unit, number: float, *, currency: str | None = None, decimals: int | None = None) -> Fact:
    display = display_value(number, unit, currency, decimals)
    return Fact(
        id=fact_id,
        name=fact_id.rpartition("#")[2].rpartition(".")[2],
        label=label,
        unit=unit,
        number=number,
        currency=currency,
        display=display,
    )


def _day_fact(fact_id: str, label: str, day: dt.date) -> Fact:
    return Fact(id=fact_id, name=fact_id.rpartition("#")[2], label=label, unit=Unit.DATE, text=day.isoformat(), display=day.isoformat())


def _action(finding: Finding, action: PlannedAction, number: int) -> tuple[EvidenceAction, list[Fact]]:
    parameters = {key: clean(value) if isinstance(value, str) else value for key, value in action.parameters.items()}
    text = clean(
        describe_action(action.action, {**parameters, **_names_of_ids(finding, action)}, finding.currency_code), limit=MAX_TEXT_FACT_CHARS
    )
    if action.entity.key != finding.entity.key:
        text = f"{text} on “{clean(action.entity.name) or action.entity.id[:80]}”"
    action_id = f"{finding.finding_id}#action{number}"
    facts = [Fact(id=action_id, name="action", label=ACTIONS[action.action].verb, unit=Unit.TEXT, text=text, display=text)]
    facts.extend(_parameter_facts(finding, action, action_id))
    effect_id = None
    if action.expected_effect is not None:
        effect_id = f"{action_id}.effect"
        facts.append(
            _number_fact(effect_id, "expected effect in 7 days", Unit.MONEY, action.expected_effect, currency=finding.currency_code)
        )
    held = bool(finding.suppressed_by) or (
        finding.action_limit == "monitor_only" and ACTIONS[action.action].lever not in ("none", "tracking", "data")
    )
    return EvidenceAction(
        action=action.action, fact_id=action_id, text=text, effect_fact_id=effect_id, rationale=action.rationale, is_held=held
    ), facts


def _names_of_ids(finding: Finding, action: PlannedAction) -> dict[str, str]:
    """For a parameter `<x>_id` the name in the finding's fact `<x>_name`: people know campaigns by name."""
    by_name = {fact.name: fact for fact in finding.facts if fact.unit is Unit.TEXT}
    wanted = (key.removesuffix("_id") + "_name" for key in action.parameters if key.endswith("_id"))
    return {name: clean(by_name[name].text or by_name[name].display) for name in wanted if name in by_name}


def _parameter_facts(finding: Finding, action: PlannedAction, action_id: str) -> list[Fact]:
    """The numbers of an action. A step is signed by the way its action moves the lever, so that "raise" cannot stand for "lower"."""
    facts = []
    for key, value in sorted(action.parameters.items()):
        if isinstance(value, str) or not math.isfinite(value):
            continue
        fact_id = f"{action_id}.{key}"
        if key == "step_pct":
            signed = abs(value) * (ACTIONS[action.action].direction or (-1 if value < 0 else 1))
            facts.append(
                Fact(id=fact_id, name="step_change", label="step", unit=Unit.PERCENT, number=signed / 100, display=f"{abs(value):g} %")
            )
        elif key.startswith("amount"):
            facts.append(_number_fact(fact_id, "amount", Unit.MONEY, value, currency=finding.currency_code))
        elif key == "days":
            facts.append(_number_fact(fact_id, "days", Unit.DAYS, value))
    return facts


def _pack_facts(request: AnalysisRequest, findings: tuple[EvidenceFinding, ...]) -> tuple[Fact, ...]:
    n_open = sum(1 for item in findings if item.finding.is_open)
    return (
        _day_fact("pack#day", "day of this report", request.day),
        _number_fact("pack#open", "open findings", Unit.COUNT, n_open),
        _number_fact("pack#resolved", "findings that ended", Unit.COUNT, len(findings) - n_open),
    )
