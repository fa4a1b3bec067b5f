"""Small findings, proposals and analyses for the tests of decisions and report: only what a test names differs from a plain case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.agents.analysis import DomainAnalysis, Insight, ModelUse, Proposal
from marketing_agents.decisions.policy import Policy, PolicyFile
from marketing_agents.rules.finding import Cause, Entity, Fact, Finding, PlannedAction, Unit

DAY = date(2026, 11, 20)
ACME = Advertiser(id="acme", name="Acme", time_zone="Europe/London", base_currency="GBP")
OPEN_POLICY = Policy(limits=PolicyFile(version=1, autonomy="approval", max_daily_changes=1000))


def campaign(id_: str = "c1", *, account: str = "a1", name: str = "Tents", platform: str = "google_ads") -> Entity:
    return Entity(type="campaign", id=id_, name=name, platform=platform, account_id=account, campaign_id=id_)


def adgroup(id_: str = "g1", *, campaign_id: str = "c1", account: str = "a1") -> Entity:
    return Entity(type="adgroup", id=id_, name="Group", platform="google_ads", account_id=account, campaign_id=campaign_id, adgroup_id=id_)


def conversion_action(account: str = "a1") -> Entity:
    return Entity(type="conversion_action", id="x1", name="Purchase", platform="google_ads", account_id=account)


def budget_plan() -> Entity:
    return Entity(type="budget_plan", id="p1", name="November plan")


def calendar_event() -> Entity:
    return Entity(type="calendar_event", id="e1", name="Black Friday")


def planned(action: str, entity: Entity, **parameters: float | str) -> PlannedAction:
    return PlannedAction(action=action, entity=entity, parameters=parameters, expected_effect=120.0, rationale="because")


def fact(
    name: str, number: float | None, unit: Unit = Unit.COUNT, *, finding: str = "f", display: str | None = None, currency: str | None = None
) -> Fact:
    return Fact(
        id=f"{finding}.{name}",
        name=name,
        label=name.replace("_", " "),
        unit=unit,
        number=number,
        currency=currency,
        display=display or f"{number}",
    )


def finding(
    rule: str = "MEDIA-001",
    entity: Entity | None = None,
    *playbook: PlannedAction,
    severity: str = "high",
    money: float | None = 1000.0,
    confidence: float = 0.9,
    facts: Sequence[Fact] = (),
    **changes: object,
) -> Finding:
    entity = entity or campaign()
    id_ = f"{rule}.{entity.key}"
    base = Finding(
        finding_id=id_, advertiser_id="acme", date=DAY, rule_id=rule, rule_title=f"Title of {rule}", category="MEDIA", catalogue_hash="h",
        description="What the rule means.", entity=entity, severity=severity, episode_state="opened", opened_on=DAY, days_open=1,
        observed=f"{id_}.cpa", baseline=None, threshold=f"{id_}.limit", money_at_stake=money, currency_code="GBP", confidence=confidence,
        evaluated_day=DAY, facts=(fact("cpa", 54.2, Unit.MONEY, finding=id_, display="54.20 GBP"), fact("limit", 1.5, Unit.MULTIPLE, finding=id_, display="1.5x"), *facts),
        causes=(Cause(id="drift", text="audience drift"),), playbook=playbook, trend_metric="cost_per_conversion",
    )  # fmt: skip
    return base.model_copy(update=changes)


def proposals_of(item: Finding, domain: str) -> list[Proposal]:
    """As the agents make them: one per action of the playbook."""
    return [
        Proposal(
            proposal_id=f"{domain}.{item.finding_id}.{number}", domain=domain, action=action.action, entity=action.entity, parameters=action.parameters,
            finding_ids=(item.finding_id,), rule_ids=(item.rule_id,), severity=item.severity, confidence=item.confidence, money_at_stake=item.money_at_stake,
            expected_effect=action.expected_effect, opened_on=item.opened_on, days_open=item.days_open, action_limit=item.action_limit,
            suppressed_by=item.suppressed_by, rationale=action.rationale,
        )
        for number, action in enumerate(item.playbook)
    ]  # fmt: skip


def analysis(domain: str, *findings: Finding, proposals: Sequence[Proposal] | None = None, cost: float | None = 0.0) -> DomainAnalysis:
    return DomainAnalysis(
        advertiser_id="acme", date=DAY, domain=domain, status="ok", writer="template", summary=f"{domain} summary",
        insights=tuple(
            Insight(
                insight_id=f"i-{f.finding_id}", finding_ids=(f.finding_id,), cause_id=None, cause="", headline=f"Headline of {f.finding_id}",
                text=f"**What happened.** Text of {f.finding_id}.", cited_facts=(), severity=f.severity, money_at_stake=f.money_at_stake,
            )
            for f in findings
        ),
        proposals=tuple(proposals if proposals is not None else [p for f in findings for p in proposals_of(f, domain)]),
        model_use=ModelUse(cost_usd=cost),
    )  # fmt: skip
