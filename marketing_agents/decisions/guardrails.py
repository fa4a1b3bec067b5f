"""Hard limits in code: which status one proposed action gets, and why. Fails closed.

What a status says:

* `proposed`: nothing here writes to an ad platform, so nobody has to approve: watching, telling somebody, loading data again, or a ticket for
  the team that owns the tag, the site, the feed or the billing. A broken policy does not touch these.
* `needs_approval`: it would change an ad platform, is complete and within every limit. A person decides. Under autonomy `read_only` it is advice
  that a person carries out in the platform; no level lets this system act without a person today.
* `blocked`: must not be done as it stands: the policy is broken (advice only), the action is unknown, a parameter is missing or
  senseless, the entity is protected or too young, a hard cap would be passed, or the evidence is not there.
* `held`: right in itself, but something else comes first (tracking is not trusted, the plan is spent): see `conflicts.py`.
* `suppressed`: its finding is explained by another finding, or its episode is over.

A step beyond the limit is cut down to the limit, with a note: the direction is right, the size is a matter of caution. A hard cap is not
negotiable, so a change that would pass it is blocked. Limits: research, rules catalogue section 4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from marketing_agents.agents.analysis import Proposal
from marketing_agents.decisions.actions import ACTIONS, ActionSpec
from marketing_agents.decisions.policy import Policy, PolicyFile
from marketing_agents.decisions.recommendation import RecommendationStatus
from marketing_agents.decisions.wording import format_money, format_number
from marketing_agents.rules.finding import Finding, Unit

Parameters = dict[str, float | str]

_PERCENT_PARAMETERS = frozenset({"step_pct"})
_AMOUNT_PARAMETERS = frozenset({"amount_per_day"})
_COUNT_OR_TEXT_PARAMETERS = frozenset({"days"})
# Largest values that hold for every advertiser, by action and parameter (rules catalogue, section 4).
_FIXED_MAXIMA: dict[tuple[str, str], float] = {("RERUN_INGEST", "days"): 30, ("FREEZE_CHANGES", "days"): 7, ("ADD_NEGATIVES", "terms"): 50}
# Where playbooks and facts keep the present daily budget, the age and the spend of an entity; first match wins.
_BUDGET_NAMES = ("daily_budget", "budget_per_day", "current_budget_per_day")
_TOTAL_NAMES = ("planned_spend_per_day", "spend_per_day_w28", "spend_per_day")
_SPANS_CAMPAIGNS = frozenset({"budget_plan", "calendar_event", "advertiser", "platform_account"})
_RECEIVER_BUDGET_NAMES = ("receiver_daily_budget", "receiver_budget_per_day")
_AGE_NAMES = ("age_days", "entity_age_days", "history_days")
_SPEND_NAMES = ("spend_total", "spend_w28", "spend_w14", "spend_w14m", "spend_w7", "spend")
_TEXT_LIMIT = 200


@dataclass(frozen=True)
class Guarded:
    """The verdict on one proposal. `parameters` are within limits (and finite, whatever was asked).

    `is_in_order`: nothing is wrong with the action itself, so that it may be shown as advice although the policy makes it not executable.
    """

    status: RecommendationStatus
    reasons: tuple[str, ...]
    parameters: Parameters
    is_in_order: bool


def is_executable(action: str) -> bool:
    """True for actions that would change an ad platform. An unknown action counts as one: nothing is known that makes it harmless."""
    spec = ACTIONS.get(action)
    return spec is None or spec.approval == "human"


def guard(proposal: Proposal, findings: Mapping[str, Finding], policy: Policy, day: date) -> Guarded:
    """Status, reasons and bounded parameters of one proposal on a day.

    `findings` are the day's findings by id: they hold what is known about the entity (budget, age, spend).
    """
    spec = ACTIONS.get(proposal.action)
    parameters = _finite(proposal.parameters)
    if spec is None:
        return Guarded("blocked", (f"{proposal.action[:60]!r} is not an action of the closed vocabulary",), parameters, is_in_order=False)
    problems = _parameter_problems(spec, proposal.parameters)
    if problems:
        return Guarded("blocked", tuple(problems), parameters, is_in_order=False)
    evidence = [findings[i] for i in sorted(proposal.finding_ids) if i in findings]
    if not evidence:
        return Guarded("blocked", ("no finding of the day supports it",), parameters, is_in_order=False)

    parameters, notes = _within_fixed_maxima(spec, _with_receiver_name(parameters, evidence))
    if spec.approval != "human":
        task = ("a task for the team that owns it; no platform is written to",) if spec.approval == "owner_team" else ()
        return Guarded("proposed", (*task, *notes), parameters, is_in_order=True)
    parameters, step_notes = _within_step(spec, parameters, evidence, policy.limits)
    return _guard_change(proposal, parameters, evidence, policy.limits, broken=policy.problem_on(day), notes=notes + step_notes)


def _guard_change(
    proposal: Proposal, parameters: Parameters, evidence: list[Finding], limits: PolicyFile, *, broken: str | None, notes: list[str]
) -> Guarded:
    """The verdict on a complete change of a platform, its step already within the limit."""
    refusals = [
        *_protected(proposal, parameters, limits),
        *_above_cap(proposal, parameters, evidence, limits),
        *_pause_refusals(proposal, evidence, limits),
    ]
    if refusals:
        return Guarded("blocked", (*refusals, *notes), parameters, is_in_order=False)
    if broken is not None:
        return Guarded("blocked", (f"advice only: {broken}", *notes), parameters, is_in_order=True)
    return Guarded(
        "needs_approval",
        (*_approval_reasons(proposal, limits, evidence), *notes, *_pause_unknowns(proposal, evidence)),
        parameters,
        is_in_order=True,
    )


def _finite(parameters: Mapping[str, float | str]) -> Parameters:
    """Parameters that can be stored and shown: no NaN or infinity, text of bounded length, in the order of their names."""
    kept: Parameters = {}
    for name in sorted(parameters):
        value = parameters[name]
        if isinstance(value, str):
            kept[name] = value[:_TEXT_LIMIT]
        elif math.isfinite(value):
            kept[name] = float(value)
    return kept


def _with_receiver_name(parameters: Parameters, evidence: Iterable[Finding]) -> Parameters:
    """An id says nothing to a reader: the receiver's name, where the evidence knows it. Outside text."""
    if "receiver_campaign_id" not in parameters or "receiver_campaign_name" in parameters:
        return parameters
    names = (fact.text for finding in evidence for fact in finding.facts if fact.name == "receiver_campaign_name" and fact.text)
    name = next(names, None)
    return parameters if name is None else parameters | {"receiver_campaign_name": name[:_TEXT_LIMIT]}


def _parameter_problems(spec: ActionSpec, parameters: Mapping[str, float | str]) -> list[str]:
    problems = [f"parameter {name} is missing" for name in spec.parameters if name not in parameters]
    for name in sorted(parameters):
        value = parameters[name]
        if isinstance(value, str):
            problems += _text_problems(spec, name, value)
        elif not math.isfinite(value):
            problems.append(f"parameter {name} is not a finite number")
        else:
            problems += _number_problems(spec, name, value)
    return problems


def _text_problems(spec: ActionSpec, name: str, value: str) -> list[str]:
    if name in _PERCENT_PARAMETERS or name in _AMOUNT_PARAMETERS:
        return [f"parameter {name} must be a number"]
    if name in spec.parameters and not value.strip():
        return [f"parameter {name} is empty"]
    return []


def _number_problems(spec: ActionSpec, name: str, value: float) -> list[str]:
    if name in _PERCENT_PARAMETERS and spec.direction == 0:
        # The bid target has no direction of its own: the sign of the step gives it.
        return ["parameter step_pct must not be 0"] if value == 0 else []
    if name in _PERCENT_PARAMETERS or name in _AMOUNT_PARAMETERS or name in _COUNT_OR_TEXT_PARAMETERS:
        return [] if value > 0 else [f"parameter {name} must be above 0, not {value:g}"]
    if name in spec.parameters:
        return [f"parameter {name} must be text, not the number {value:g}"]
    return []


def _within_fixed_maxima(spec: ActionSpec, parameters: Parameters) -> tuple[Parameters, list[str]]:
    notes = []
    bounded = dict(parameters)
    for (action, name), maximum in _FIXED_MAXIMA.items():
        value = bounded.get(name)
        if action == spec.name and isinstance(value, float) and value > maximum:
            bounded[name] = maximum
            notes.append(f"{name} cut from {format_number(value)} to the limit of {format_number(maximum)}")
    return bounded, notes


def _within_step(spec: ActionSpec, parameters: Parameters, evidence: Iterable[Finding], limits: PolicyFile) -> tuple[Parameters, list[str]]:
    """Cut `step_pct` (and `amount_per_day`, where the present budget is known) down to the largest step."""
    maximum = limits.max_step(spec.name)
    if maximum is None:
        return parameters, []
    step = parameters.get("step_pct")
    if isinstance(step, float) and abs(step) > maximum:
        return parameters | {"step_pct": math.copysign(maximum, step)}, [
            f"step cut from {format_number(abs(step))}% to the limit of {format_number(maximum)}%"
        ]
    amount, budget = parameters.get("amount_per_day"), _known(_BUDGET_NAMES, parameters, evidence)
    if isinstance(amount, float) and budget is not None and amount > budget * maximum / 100:
        bounded = round(budget * maximum / 100, 2)
        return parameters | {"amount_per_day": bounded}, [
            f"amount a day cut from {format_number(amount)} to {format_number(bounded)}, {format_number(maximum)}% of the budget"
        ]
    return parameters, []


def _protected(proposal: Proposal, parameters: Parameters, limits: PolicyFile) -> list[str]:
    entity = proposal.entity
    touched = {entity.id, entity.account_id, entity.campaign_id, entity.adgroup_id, str(parameters.get("receiver_campaign_id", ""))} - {
        "NA",
        "",
    }
    return [f"{name!r} is protected by the policy" for name in sorted(touched & set(limits.protected_entities))]


def _above_cap(proposal: Proposal, parameters: Parameters, evidence: list[Finding], limits: PolicyFile) -> list[str]:
    """Why a raise would pass a hard cap, or cannot be shown not to."""
    if proposal.action == "INCREASE_BUDGET":
        is_total = proposal.entity.type in _SPANS_CAMPAIGNS
        cap = limits.never_above.total_per_day if is_total else limits.never_above.for_entity(proposal.entity.id)
        present, step = _known(_TOTAL_NAMES if is_total else _BUDGET_NAMES, parameters, evidence), parameters.get("step_pct")
        after = present * (1 + step / 100) if present is not None and isinstance(step, float) else None
    elif proposal.action == "SHIFT_BUDGET":
        raised = str(parameters.get("receiver_campaign_id", "NA"))
        if raised in {"NA", proposal.entity.id}:
            return ["donor and receiver of the budget must be two different campaigns"]
        cap = limits.never_above.for_entity(raised)
        present, amount = _known(_RECEIVER_BUDGET_NAMES, parameters, evidence), parameters.get("amount_per_day")
        after = present + amount if present is not None and isinstance(amount, float) else None
    else:
        return []
    if cap is None:
        return []
    currency = evidence[0].currency_code
    if after is None:
        return [f"hard cap of {format_money(cap, currency)} a day: the present budget is not known, so it cannot be kept for certain"]
    return (
        [f"would lead to {format_money(after, currency)} a day, above the hard cap of {format_money(cap, currency)}"] if after > cap else []
    )


def _pause_refusals(proposal: Proposal, evidence: list[Finding], limits: PolicyFile) -> list[str]:
    if proposal.action != "PAUSE_ENTITY":
        return []
    age, spend = _known(_AGE_NAMES, {}, evidence), _known(_SPEND_NAMES, {}, evidence)
    refusals = []
    if age is not None and age < limits.pause.min_age_days:
        refusals.append(f"too young to pause: {format_number(age)} days old, at least {limits.pause.min_age_days} needed")
    if spend is not None and spend < limits.pause.min_spend:
        refusals.append(
            f"too little spend to judge: {format_money(spend, evidence[0].currency_code)}, at least {format_money(limits.pause.min_spend, evidence[0].currency_code)} needed"
        )
    return refusals


def _pause_unknowns(proposal: Proposal, evidence: list[Finding]) -> list[str]:
    if proposal.action != "PAUSE_ENTITY":
        return []
    unknown = [what for what, names in (("age", _AGE_NAMES), ("spend", _SPEND_NAMES)) if _known(names, {}, evidence) is None]
    return [f"{' and '.join(unknown)} not known: check before approving"] if unknown else []


def _approval_reasons(proposal: Proposal, limits: PolicyFile, evidence: list[Finding]) -> list[str]:
    reasons = (
        ["advice: the policy is read-only, a person makes the change in the platform"]
        if limits.autonomy == "read_only"
        else ["a person must approve it"]
    )
    threshold, money = limits.approval.second_person_above, proposal.money_at_stake
    if threshold is not None and money is not None and money > threshold:
        reasons.append(f"two people must approve: more than {format_money(threshold, evidence[0].currency_code)} is at stake")
    return reasons


def _known(names: Iterable[str], parameters: Mapping[str, float | str], evidence: Iterable[Finding]) -> float | None:
    """A figure by name, from the parameters or else from the facts of the findings; None when nobody knows it."""
    facts = [fact for finding in evidence for fact in finding.facts if fact.number is not None and fact.unit is not Unit.PROBABILITY]
    for name in names:
        value = parameters.get(name)
        if isinstance(value, (int, float)) and math.isfinite(value):
            return float(value)
        found = [fact.number for fact in facts if fact.name == name and fact.number is not None and math.isfinite(fact.number)]
        if found:
            return found[0]
    return None
