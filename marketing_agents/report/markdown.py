"""Findings, analyses and recommendations as Markdown: tables and texts for Dagster's metadata and the digest. Bounded, and inert."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from marketing_agents.agents.analysis import DomainAnalysis
from marketing_agents.agents.evidence import urgency
from marketing_agents.decisions.recommendation import Recommendation
from marketing_agents.decisions.wording import format_money
from marketing_agents.report.prose import markdown_name, markdown_text, safe_line, safe_markdown
from marketing_agents.report.wording import STATUSES, WRITERS, action_in_words, money_in_words
from marketing_agents.rules.finding import Finding

MAX_ROWS = 50
MAX_CHARS = 30_000
_CELL = 160


def findings_markdown(findings: Sequence[Finding]) -> str:
    """A table of findings, most urgent first; a sentence when there are none."""
    if not findings:
        return "No rule fired."
    rows = [
        (
            f"{finding.severity} · {finding.episode_state}",
            f"{markdown_text(finding.rule_id)} {markdown_text(finding.rule_title)}",
            markdown_name(finding.entity.name),
            _observed(finding),
            f"{finding.opened_on or 'before the look-back'} ({finding.days_open} d)",
            format_money(finding.money_at_stake, finding.currency_code),
            _limits(finding),
        )
        for finding in sorted(findings, key=urgency)
    ]
    return _table(("severity", "rule", "entity", "observed", "since", "at stake, 7 days", "limits"), rows)


def analysis_markdown(analysis: DomainAnalysis) -> str:
    """What one domain says: summary, insights with their text, who wrote it, and what went wrong while writing."""
    parts = [safe_markdown(analysis.summary, 600), f"_{WRITERS[analysis.writer]}_"]
    parts += [f"**{safe_line(insight.headline)}** ({insight.severity})\n\n{safe_markdown(insight.text)}" for insight in analysis.insights]
    if analysis.problems:
        parts.append("Problems:\n" + "\n".join(f"- {markdown_text(problem, 300)}" for problem in analysis.problems[:10]))
    return bounded(parts)


def recommendations_markdown(recommendations: Sequence[Recommendation]) -> str:
    """The list as a table: ranked ones first, then what is refused, on hold or explained, each with the reason."""
    if not recommendations:
        return "Nothing to do: no rule asks for an action."
    rows = [
        (
            str(r.rank) if r.rank is not None else "–",
            markdown_text(action_in_words(r), _CELL),
            f"{markdown_name(r.entity.name)} ({markdown_name(r.entity.type.replace('_', ' '))})",
            safe_line(r.headline, 240),
            money_in_words(r),
            f"{r.severity} · {', '.join(r.domains)}",
            f"{STATUSES[r.status]}{f': {markdown_text(r.reasons[0], _CELL)}' if r.reasons else ''}",
        )
        for r in recommendations
    ]
    return _table(("#", "do", "on", "why", "at stake, 7 days", "severity · domains", "status"), rows)


def bounded(parts: Iterable[str], limit: int = MAX_CHARS) -> str:
    """The parts, separated by blank lines, as far as they fit; says how many are left out."""
    kept: list[str] = []
    wanted = [part for part in parts if part]
    used = 0
    for part in wanted:
        if used + len(part) > limit:
            kept.append(f"… and {len(wanted) - len(kept)} more")
            break
        kept.append(part)
        used += len(part) + 2
    return "\n\n".join(kept)


def _observed(finding: Finding) -> str:
    displays = {fact.id: fact.display for fact in finding.facts}
    observed, baseline, threshold = (displays.get(fact_id or "") for fact_id in (finding.observed, finding.baseline, finding.threshold))
    parts = [observed, f"against {baseline}" if baseline else None, f"alarm at {threshold}" if threshold else None]
    return markdown_text(", ".join(part for part in parts if part), _CELL)


def _limits(finding: Finding) -> str:
    limits = ["watch only"] if finding.action_limit == "monitor_only" else []
    if finding.rolled_up_to:
        limits.append(f"context of {finding.rolled_up_to}")
    elif finding.suppressed_by:
        limits.append(f"explained by {', '.join(finding.suppressed_by)}")
    return markdown_text(", ".join(limits), _CELL)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    shown = list(rows[:MAX_ROWS])
    lines += [f"| {' | '.join(cells)} |" for cells in shown]
    while len("\n".join(lines)) > MAX_CHARS:
        lines.pop()
    left_out = len(rows) - (len(lines) - 2)
    return "\n".join(lines) + (f"\n\n… and {left_out} more" if left_out else "")
