"""From what the agents propose to the day's list: guard, merge, resolve, shorten, rank. The order of the inputs never matters.

1. Every proposal passes the guardrails (`guardrails.py`); one that its finding's tracking or another finding disqualifies is held or suppressed.
2. Same entity and action become one candidate (`candidate.py`): strongest parameters within limits, domains that agree, all evidence.
3. The conflict matrix holds what must wait (`conflicts.py`).
4. One line per finding and one per entity and lever (`shortlist.py`): a reader gets a list to act on, the rest is named beside it.
5. Deterministic score and ranks (`ranking.py`), then the policy's limit of changes a day.

Headline and text are the analyses' own words, unchanged: figures in them were checked where they were written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from marketing_agents.advertisers.registry import Advertiser
from marketing_agents.agents.analysis import DomainAnalysis, Insight, Proposal
from marketing_agents.agents.outside_text import clean, escape_markdown
from marketing_agents.decisions.actions import ACTIONS
from marketing_agents.decisions.candidate import Candidate, merge_proposals, name_findings
from marketing_agents.decisions.conflicts import resolve
from marketing_agents.decisions.guardrails import Guarded, guard
from marketing_agents.decisions.policy import Policy
from marketing_agents.decisions.ranking import in_order, limit_changes, ranks, score_of, score_parts
from marketing_agents.decisions.recommendation import Recommendation
from marketing_agents.decisions.shortlist import Line, shortlist
from marketing_agents.rules.finding import Finding

# What may still be done while a finding's conversions are not trusted (rules catalogue, section 2).
_ALLOWED_WHEN_UNTRUSTED = frozenset({"none", "tracking", "data"})


def decide(
    advertiser: Advertiser, day: date, analyses: Sequence[DomainAnalysis], findings: Sequence[Finding], policy: Policy
) -> list[Recommendation]:
    """The recommendations of one advertiser and day, ranked ones first, then what is refused, held and suppressed.

    Args:
        advertiser: whose list it is; money is in its base currency.
        day: the partition's day, against which the policy's expiry is measured.
        analyses: one per domain; a missing or quiet domain contributes nothing.
        findings: all findings of the day, the evidence that proposals refer to.
        policy: guardrails; a broken one leaves advice only.

    Raises:
        ValueError: an analysis or a finding of another advertiser or day. Mixing partitions is a bug of the caller.
    """
    _require_same_partition(advertiser, day, analyses, findings)
    by_id = {finding.finding_id: finding for finding in findings}
    ordered_analyses = sorted(analyses, key=lambda a: a.domain)

    proposals = [proposal for analysis in ordered_analyses for proposal in analysis.proposals]
    guarded = [(p, _checked(p, by_id, policy, day)) for p in proposals]
    candidates = merge_proposals(advertiser.id, guarded, by_id)
    resolved = resolve(candidates, by_id, currency=advertiser.base_currency)
    lines = {line.candidate.recommendation_id: line for line in shortlist(resolved, by_id)}

    ordered = limit_changes(in_order([line.candidate for line in lines.values()]), policy.limits.max_daily_changes)
    rank_of = ranks(ordered)
    words = _words({c.recommendation_id: c for c in ordered}, ordered_analyses)
    listed = [
        _recommendation(
            advertiser,
            day,
            replace(lines[c.recommendation_id], candidate=c),
            rank=rank_of.get(c.recommendation_id),
            findings=by_id,
            words=words[c.recommendation_id],
        )
        for c in ordered
    ]
    return sorted(listed, key=_listing_order)


def _require_same_partition(advertiser: Advertiser, day: date, analyses: Iterable[DomainAnalysis], findings: Iterable[Finding]) -> None:
    for what, owner, of_day in [
        *((f"analysis {a.domain}", a.advertiser_id, a.date) for a in analyses),
        *((f"finding {f.finding_id}", f.advertiser_id, f.date) for f in findings),
    ]:
        if (owner, of_day) != (advertiser.id, day):
            raise ValueError(f"{what} belongs to {owner}|{of_day}, not to {advertiser.id}|{day}")


def _checked(proposal: Proposal, findings: Mapping[str, Finding], policy: Policy, day: date) -> Guarded:
    """The guardrails' verdict, then what the findings themselves say: over, explained by others, or not trusted enough to act on."""
    verdict = guard(proposal, findings, policy, day)
    if verdict.status == "blocked" and not verdict.is_in_order:
        return verdict
    known = [findings[i] for i in sorted(proposal.finding_ids) if i in findings]
    if known and not any(f.is_open for f in known):
        return replace(verdict, status="suppressed", reasons=(f"the episode is {known[0].episode_state}",), is_in_order=False)
    explained_by = {i for f in known for i in f.suppressed_by} | set(proposal.suppressed_by)
    if explained_by:
        return replace(verdict, status="suppressed", reasons=(f"explained by {name_findings(explained_by, findings)}",), is_in_order=False)
    untrusted = proposal.action_limit == "monitor_only" or any(f.action_limit == "monitor_only" for f in known)
    if untrusted and ACTIONS[proposal.action].lever not in _ALLOWED_WHEN_UNTRUSTED:
        return replace(verdict, status="held", reasons=("held until tracking is trusted: watch only", *verdict.reasons), is_in_order=False)
    return verdict


def _recommendation(
    advertiser: Advertiser,
    day: date,
    line: Line,
    *,
    rank: int | None,
    findings: Mapping[str, Finding],
    words: Words | None,
) -> Recommendation:
    candidate = line.candidate
    parts = score_parts(candidate)
    evidence = [findings[i] for i in line.finding_ids if i in findings]
    use = words.analysis.model_use if words else None
    return Recommendation(
        recommendation_id=candidate.recommendation_id,
        advertiser_id=advertiser.id,
        date=day,
        rank=rank,
        score=score_of(parts),
        score_parts=parts,
        status=candidate.status,
        reasons=line.reasons(),
        action=candidate.action,
        parameters=candidate.parameters,
        entity=candidate.entity,
        severity=candidate.severity,
        confidence=candidate.confidence,
        money_at_stake=candidate.money_at_stake,
        expected_effect=candidate.expected_effect,
        currency_code=advertiser.base_currency,
        domains=candidate.domains,
        rule_ids=tuple(sorted({*candidate.rule_ids, *(f.rule_id for f in evidence)})),
        finding_ids=line.finding_ids,
        first_seen=candidate.first_seen,
        days_open=candidate.days_open,
        headline=words.insight.headline if words else _plain_headline(candidate, evidence),
        text=words.insight.text if words else " ".join(f.description for f in evidence[:1]),
        rationale=next((p.rationale for p in candidate.proposals if p.rationale), ""),
        other_actions=line.other_actions(),
        writer=words.analysis.writer if words else "template",
        prompt_version=use.prompt_version if use else None,
        model=use.model if use else None,
        cost_usd=words.cost_usd if words else None,
    )


@dataclass(frozen=True)
class Words:
    """Where the text of one recommendation comes from, and its share of what that analysis cost (shares add up to the cost)."""

    analysis: DomainAnalysis
    insight: Insight
    cost_usd: float | None


def _words(candidates: Mapping[str, Candidate], analyses: Sequence[DomainAnalysis]) -> dict[str, Words | None]:
    sources = {key: _insight_for(candidate, analyses) for key, candidate in candidates.items()}
    users = Counter(source[0].domain for source in sources.values() if source is not None)
    words: dict[str, Words | None] = {}
    for key, source in sources.items():
        if source is None:
            words[key] = None
            continue
        analysis, insight = source
        cost = analysis.model_use.cost_usd
        words[key] = Words(analysis, insight, None if cost is None else round(cost / users[analysis.domain], 8))
    return words


def _insight_for(candidate: Candidate, analyses: Sequence[DomainAnalysis]) -> tuple[DomainAnalysis, Insight] | None:
    """Whose words to use: of the strongest proposal's domain, else of the first domain with an insight about one of the findings."""
    strongest = candidate.proposals[0]
    for analysis in sorted(analyses, key=lambda a: (a.domain != strongest.domain, a.domain)):
        # The strongest proposal's own findings first, so that the words are about what the parameters come from.
        for wanted in (set(strongest.finding_ids), set(candidate.finding_ids)):
            for insight in analysis.insights:
                if not wanted.isdisjoint(insight.finding_ids):
                    return analysis, insight
    return None


def _plain_headline(candidate: Candidate, evidence: Sequence[Finding]) -> str:
    title = evidence[0].rule_title if evidence else candidate.action
    return f"{title}: “{escape_markdown(clean(candidate.entity.name))}”"


_PLACE = {"proposed": 0, "needs_approval": 0, "blocked": 1, "held": 2, "suppressed": 3}


def _listing_order(recommendation: Recommendation) -> tuple[bool, int, int, float, str]:
    unranked = recommendation.rank is None
    return (
        unranked,
        recommendation.rank or 0,
        _PLACE[recommendation.status] if unranked else 0,
        -recommendation.score,
        recommendation.recommendation_id,
    )
