"""Insights out of a verified answer: ids, severity and money by code, words by the model, names escaped."""

from __future__ import annotations

from collections.abc import Sequence

from marketing_agents.agents.analysis import Insight
from marketing_agents.agents.evidence import Evidence
from marketing_agents.agents.grouping import highest_severity, total_money
from marketing_agents.agents.offline_writer import insight_id, write_insight
from marketing_agents.agents.outside_text import escape_markdown
from marketing_agents.agents.wire_answer import UNKNOWN_CAUSE, WireAnswer, WireGroup


def told_insights(evidence: Evidence, answer: WireAnswer, groups: Sequence[Sequence[str]]) -> tuple[Insight, ...]:
    """The model's groups, then the template's for findings that the model was not shown; most urgent first. Every finding is in one insight."""
    insights = [_insight(evidence, group) for group in answer.groups]
    told = {finding_id for insight in insights for finding_id in insight.finding_ids}
    for group in groups:
        left = [finding_id for finding_id in group if finding_id not in told]
        if left:
            insights.append(write_insight(evidence, left))
    return sorted_insights(evidence, insights)


def sorted_insights(evidence: Evidence, insights: Sequence[Insight]) -> tuple[Insight, ...]:
    """By the most urgent finding of each; the order never depends on the model."""
    place = {item.id: number for number, item in enumerate(evidence.findings)}
    return tuple(sorted(insights, key=lambda insight: min(place[finding_id] for finding_id in insight.finding_ids)))


def escape_names(evidence: Evidence, text: str) -> str:
    """A model's text with the outside names in it escaped, so that a name cannot become a link or markup on the page."""
    names = dict.fromkeys([evidence.advertiser_name, *(item.name for item in evidence.findings)])
    for name in sorted(names, key=lambda name: (-len(name), name)):
        if escape_markdown(name) != name:
            text = text.replace(name, escape_markdown(name))
    return text


def _insight(evidence: Evidence, group: WireGroup) -> Insight:
    place = {item.id: number for number, item in enumerate(evidence.findings)}
    ids = sorted(group.finding_ids, key=place.__getitem__)
    findings = [evidence.by_id[finding_id].finding for finding_id in ids]
    causes = {cause.id: cause.text for finding in findings for cause in finding.causes}
    known = group.cause_id != UNKNOWN_CAUSE
    return Insight(
        insight_id=insight_id(evidence, ids),
        finding_ids=tuple(ids),
        cause_id=group.cause_id if known else None,
        cause=causes[group.cause_id] if known else "",
        headline=escape_names(evidence, group.headline.strip()),
        text=escape_names(evidence, group.text.strip()),
        cited_facts=tuple(dict.fromkeys(group.cited_facts)),
        severity=highest_severity(findings),
        money_at_stake=total_money(findings),
    )
