"""What the page and the digest show, in the order and words in which they show it: one view of the day for both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.agents.analysis import DomainAnalysis
from marketing_agents.agents.evidence import urgency
from marketing_agents.decisions.recommendation import Recommendation
from marketing_agents.decisions.wording import format_money
from marketing_agents.report.trend import Trend
from marketing_agents.report.wording import money_in_words
from marketing_agents.rules.finding import RETRACTED, Finding

_ADVICE_ONLY = "advice only: "
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_REASONS = {
    "missing_input": "a table it needs was not delivered",
    "below_minimum_volume": "too little volume to judge",
    "blocked_by_data": "the data is late or incomplete",
    "short_history": "the history is too short",
    "disabled": "the rule is switched off",
}


class Outcome(Protocol):
    """What one rule said about some entities of the day (`rules.outcomes.RuleOutcome`)."""

    @property
    def rule_id(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def entities(self) -> int: ...


@dataclass(frozen=True)
class PageInput:
    """Everything that one day's page is made of. `trends` by finding id; `data_notes`: sentences about late, missing or odd data."""

    advertiser: Advertiser
    day: date
    recommendations: Sequence[Recommendation]
    analyses: Sequence[DomainAnalysis]
    outcomes: Sequence[Outcome]
    trends: Mapping[str, Trend]
    data_notes: Sequence[str] = ()
    findings: Sequence[Finding] = ()


@dataclass(frozen=True)
class DayView:
    """The day, sorted and counted."""

    page: PageInput

    @property
    def ranked(self) -> list[Recommendation]:
        return sorted((r for r in self.page.recommendations if r.rank is not None), key=lambda r: r.rank or 0)

    @property
    def waiting(self) -> list[Recommendation]:
        """Blocked, held and suppressed ones, in the order of the list."""
        return [r for r in self.page.recommendations if r.rank is None]

    @property
    def open_findings(self) -> list[Finding]:
        return sorted((f for f in self.page.findings if f.is_open), key=urgency)

    @property
    def ended(self) -> list[Finding]:
        return sorted((f for f in self.page.findings if f.episode_state == "resolved"), key=urgency)

    @property
    def retracted(self) -> list[tuple[Finding, str]]:
        """Findings that restated data overturned, and why."""
        found = sorted((f for f in self.page.findings if f.episode_state == "superseded"), key=urgency)
        return [(f, next((fact.display for fact in f.facts if fact.name == RETRACTED), "")) for f in found]

    @property
    def money_at_stake(self) -> float:
        """Of the ranked ones; each entity counts once, because several findings on it speak of the same money."""
        by_entity: dict[str, float] = {}
        for r in self.ranked:
            by_entity[r.entity.key] = max(by_entity.get(r.entity.key, 0.0), r.money_at_stake or 0.0)
        return math.fsum(by_entity[key] for key in sorted(by_entity))

    @property
    def advice_only(self) -> str | None:
        """Why nothing is executable today, in one sentence."""
        for r in self.page.recommendations:
            for reason in r.reasons:
                if reason.startswith(_ADVICE_ONLY):
                    return f"No change of a platform may be carried out: {reason.removeprefix(_ADVICE_ONLY)}."
        return None

    @property
    def headline(self) -> str:
        """The day in one sentence."""
        ranked = self.ranked
        if not ranked and self.page.outcomes and all(o.outcome == "not_evaluable" for o in self.page.outcomes):
            return "Nothing could be checked today; what is missing is below."
        if not ranked:
            return "Nothing to do today." if not self.waiting else "Nothing to do today; what waits, and for what, is below."
        count = "One thing to do" if len(ranked) == 1 else f"{len(ranked)} things to do"
        worth = f", {self.money(self.money_at_stake)} at stake in 7 days" if self.money_at_stake > 0 else ""
        new = sum(any(f.episode_state == "opened" for f in self.findings_of(r)) for r in ranked)
        return f"{count}{worth}{f'; {new} of them new' if new and new < len(ranked) else '; all new' if new and len(ranked) > 1 else '; new' if new else ''}."

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Label and value of the figures at the top."""
        severe = sum(f.severity in ("high", "critical") for f in self.open_findings)
        through = min((f.evaluated_day for f in self.open_findings), default=None)
        figures = [
            ("to do", str(len(self.ranked))),
            ("at stake, 7 days", self.money(self.money_at_stake) if self.money_at_stake > 0 else "–"),
            ("open findings", f"{len(self.open_findings)}" + (f" ({severe} severe)" if severe else "")),
            ("not now", str(len(self.waiting))),
        ]
        if through is not None and through != self.page.day:
            figures.append(("oldest data", through.isoformat()))
        return figures

    @property
    def unchecked(self) -> list[tuple[str, str]]:
        """Rule id, and why it has no verdict for how many entities."""
        rows = sorted((o for o in self.page.outcomes if o.outcome == "not_evaluable"), key=lambda o: (o.rule_id, o.reason, o.detail))
        told = []
        for o in rows:
            reason = _REASONS.get(o.reason, o.reason.replace("_", " "))
            entities = f", {o.entities} {'entity' if o.entities == 1 else 'entities'}" if o.entities else ""
            told.append((o.rule_id, f"{reason}{f': {o.detail}' if o.detail else ''}{entities}"))
        return told

    @property
    def coverage(self) -> str:
        """How many rules were asked, and how many could answer."""
        rules = {o.rule_id for o in self.page.outcomes}
        answered = {o.rule_id for o in self.page.outcomes if o.outcome != "not_evaluable"}
        if not rules:
            return "No rule outcomes are recorded for this day."
        return f"{'One rule was' if len(rules) == 1 else f'{len(rules)} rules were'} evaluated, {len(answered)} had data to judge by."

    @property
    def day_in_words(self) -> str:
        day = self.page.day
        return f"{_WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"

    def findings_of(self, recommendation: Recommendation) -> list[Finding]:
        wanted = set(recommendation.finding_ids)
        return sorted((f for f in self.page.findings if f.finding_id in wanted), key=urgency)

    def money(self, amount: float | None) -> str:
        return format_money(amount, self.page.advertiser.base_currency)

    def worth(self, recommendation: Recommendation) -> str:
        if recommendation.money_at_stake is None:
            return "worth not known"
        return f"{money_in_words(recommendation)} at stake in 7 days"

    def since(self, recommendation: Recommendation) -> str:
        states = {f.episode_state for f in self.findings_of(recommendation)}
        if recommendation.first_seen is None:
            return f"open {recommendation.days_open} days or more"
        if "worsened" in states:
            return f"worse, open since {recommendation.first_seen}"
        return f"new, since {recommendation.first_seen}" if "opened" in states else f"open since {recommendation.first_seen}"
