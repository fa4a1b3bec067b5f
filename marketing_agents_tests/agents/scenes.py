"""Findings, requests and ports for the agents' tests: believable, small, and changed by keyword."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.agents.request import AgentDeps, AnalysisRequest
from marketing_agents.domains.registry import Domain, load_domains
from marketing_agents.llm.port import LLMError, ModelReply, ModelRequest, Prompt
from marketing_agents.rules.finding import Cause, Entity, Fact, Finding, PlannedAction, Unit

DAY = date(2026, 11, 20)
ACME = Advertiser(id="acme", name="Acme Outdoor", time_zone="Europe/London", base_currency="GBP")
DOMAINS = {domain.name: domain for domain in load_domains(Path(__file__).parents[2] / "marketing_agents" / "domains")}


def campaign(name: str = "Generic | UK", entity_id: str = "c-1", **fields: str) -> Entity:
    return Entity(
        **{
            "type": "campaign",
            "id": entity_id,
            "name": name,
            "platform": "google_ads",
            "account_id": "acc-1",
            "campaign_id": entity_id,
            **fields,
        }
    )


def fact(finding_id: str, name: str, label: str, unit: Unit, display: str, number: float | None = None, **fields: object) -> Fact:
    currency = "GBP" if unit is Unit.MONEY else None
    return Fact(
        **{
            "id": f"{finding_id}.{name}",
            "name": name,
            "label": label,
            "unit": unit,
            "number": number,
            "display": display,
            "currency": currency,
            **fields,
        }
    )


def cpa_finding(finding_id: str = "f-cpa", entity: Entity | None = None, **changes: object) -> Finding:
    """MEDIA-001 on a campaign: 54.20 GBP against a target of 36.00 GBP."""
    entity = entity or campaign()
    facts = (
        fact(finding_id, "cpa", "cost per conversion, last 14 days (settled)", Unit.MONEY, "54.20 GBP", 54.2),
        fact(finding_id, "target_cpa", "target cost per conversion", Unit.MONEY, "36.00 GBP", 36.0),
        fact(finding_id, "cpa_idx", "cost per conversion against target", Unit.MULTIPLE, "1.51x", 1.50556),
        fact(finding_id, "threshold", "alarm line for high", Unit.MULTIPLE, "1.50x", 1.5),
        fact(finding_id, "conversions", "conversions, last 14 days", Unit.COUNT, "82", 82),
        fact(finding_id, "spend", "spend, last 14 days", Unit.MONEY, "4,444.40 GBP", 4444.4),
        fact(finding_id, "ctr_change", "change of the click rate against the 28 days before", Unit.PERCENT, "-12.4 %", -0.124),
    )
    return Finding(
        **{
            "finding_id": finding_id,
            "advertiser_id": "acme",
            "date": DAY,
            "rule_id": "MEDIA-001",
            "rule_title": "CPA above target",
            "category": "MEDIA",
            "catalogue_hash": "0" * 12,
            "description": "The campaign is paying clearly more per conversion than agreed, and there are enough conversions that luck does not explain it.",
            "entity": entity,
            "severity": "high",
            "previous_severity": "medium",
            "episode_state": "worsened",
            "opened_on": date(2026, 11, 14),
            "days_open": 6,
            "observed": f"{finding_id}.cpa",
            "baseline": f"{finding_id}.target_cpa",
            "threshold": f"{finding_id}.threshold",
            "money_at_stake": 1492.4,
            "currency_code": "GBP",
            "confidence": 0.973,
            "p_value": 0.0004,
            "sample_size": 82.0,
            "evaluated_day": DAY,
            "facts": facts,
            "causes": (Cause(id="drift", text="audience or query drift"), Cause(id="bid", text="bid target set too loose")),
            "playbook": (
                PlannedAction(
                    action="ADJUST_BID_TARGET",
                    entity=entity,
                    parameters={"step_pct": -15.0},
                    expected_effect=310.0,
                    rationale="a tighter target stops the dearest auctions first",
                ),
                PlannedAction(
                    action="DECREASE_BUDGET",
                    entity=entity,
                    parameters={"step_pct": 20.0},
                    rationale="limits the damage while the target works in",
                ),
            ),
            **changes,
        }
    )


def tag_finding(finding_id: str = "f-tag", **changes: object) -> Finding:
    """CONV-001 on a conversion action."""
    entity = Entity(type="conversion_action", id="ca-9", name="Purchase", platform="meta", account_id="acc-2")
    facts = (
        fact(finding_id, "observed", "conversions recorded, last 3 days", Unit.COUNT, "0", 0),
        fact(finding_id, "expected", "conversions expected from the clicks", Unit.COUNT, "18.4", 18.4),
        fact(finding_id, "p0", "chance of none by luck", Unit.PROBABILITY, "under 0.001", 1e-8),
        fact(finding_id, "threshold", "alarm line for critical", Unit.PROBABILITY, "0.001", 0.001),
        fact(finding_id, "last_seen", "last conversion", Unit.DATE, "17 Nov 2026", text="2026-11-17"),
    )
    changed = {
        "rule_id": "CONV-001",
        "rule_title": "Conversion flatline",
        "category": "CONVERSION",
        "description": "Clicks arrive as usual but no conversion of this kind has been recorded, which is almost impossible by chance.",
        "severity": "critical",
        "previous_severity": None,
        "episode_state": "opened",
        "opened_on": date(2026, 11, 20),
        "days_open": 1,
        "observed": f"{finding_id}.observed",
        "baseline": f"{finding_id}.expected",
        "threshold": f"{finding_id}.threshold",
        "facts": facts,
        "causes": (Cause(id="tag", text="tag removed in a release"), Cause(id="consent", text="consent banner change")),
        "playbook": (
            PlannedAction(action="FIX_TAG", entity=entity, rationale="nothing can be judged before it works"),
            PlannedAction(action="FREEZE_CHANGES", entity=entity, parameters={"days": 7.0}),
        ),
    }
    return cpa_finding(finding_id, entity, **{**changed, **changes})


def request(
    *findings: Finding, domain: str | Domain = "media_performance", advertiser: Advertiser = ACME, day: date = DAY, **fields: object
) -> AnalysisRequest:
    return AnalysisRequest(
        advertiser=advertiser, day=day, domain=DOMAINS[domain] if isinstance(domain, str) else domain, findings=findings, **fields
    )


class PackagedPrompts:
    """A prompt store without prompts."""

    def get(self, name: str, *, label: str | None, packaged: str) -> Prompt:
        return Prompt(name=name, version="packaged:test", text=packaged)


class SilentGeneration:
    def __init__(self, log: list[tuple[str, object]]) -> None:
        self._log = log

    def record(self, reply: ModelReply) -> None:
        self._log.append(("record", reply))

    def fail(self, error: LLMError) -> None:
        self._log.append(("fail", error))


class SilentSpan:
    def __init__(self, log: list[tuple[str, object]]) -> None:
        self.trace_id: str | None = "trace-1"
        self.trace_url: str | None = None
        self._log = log

    @contextmanager
    def generation(self, request: ModelRequest, prompt: Prompt) -> Iterator[SilentGeneration]:
        yield SilentGeneration(self._log)

    def score(self, name: str, value: float, comment: str = "") -> None:
        self._log.append((name, value))

    def finish(self, output: Mapping[str, object]) -> None:
        self._log.append(("finish", dict(output)))


class SilentTracer:
    """A tracer that keeps what it is told in `log`."""

    def __init__(self) -> None:
        self.log: list[tuple[str, object]] = []

    @contextmanager
    def agent(self, *, domain: str, advertiser_id: str, day: str, run_id: str, tags: tuple[str, ...] = ()) -> Iterator[SilentSpan]:
        yield SilentSpan(self.log)


class ScriptedModel:
    """A model that answers with what a function of the request says; exceptions are raised. Keeps the requests."""

    def __init__(self, answer: Callable[[ModelRequest, int], str | Exception]) -> None:
        self._answer = answer
        self.requests: list[ModelRequest] = []

    async def generate(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        answer = self._answer(request, len(self.requests))
        if isinstance(answer, Exception):
            raise answer
        return ModelReply(text=answer, model=request.model, input_tokens=100, output_tokens=50, cost_usd=0.01, latency_s=0.5)


def deps(model: object = None, **fields: object) -> AgentDeps:
    return AgentDeps(**{"writer_model": model, "prompts": PackagedPrompts(), "tracer": SilentTracer(), **fields})


def answer(*groups: dict[str, object], summary: str = "CPA is above target on “Generic | UK”.") -> str:
    return json.dumps({"groups": list(groups), "summary": summary})


def good_group(finding_id: str = "f-cpa", **changes: object) -> dict[str, object]:
    return {
        "finding_ids": [finding_id],
        "cause_id": "drift",
        "headline": "“Generic | UK” pays 54.20 GBP per conversion, above its target of 36.00 GBP.",
        "text": "Cost per conversion is 54.20 GBP against 36.00 GBP, open since 14 Nov 2026. Lower the bid target by 15 %. At stake: 1,492 GBP.",
        "cited_facts": [
            f"{finding_id}.cpa",
            f"{finding_id}.target_cpa",
            f"{finding_id}#opened_on",
            f"{finding_id}#action0",
            f"{finding_id}#money_at_stake",
        ],
        **changes,
    }
