"""The page of the day (one HTML file that needs nothing else) and its digest (Markdown).

Self-contained: style sheet inline and named by hash in the page's content policy, charts as inline SVG, no script, no request. Every piece of
outside text passes the template's autoescape or `prose.py`.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from marketing_agents.agents.outside_text import clean
from marketing_agents.decisions.recommendation import Recommendation
from marketing_agents.report.chart import draw_trend_svg, legend_text, one_line
from marketing_agents.report.markdown import bounded
from marketing_agents.report.page_view import DayView, PageInput
from marketing_agents.report.prose import line_html, markdown_name, markdown_text, prose_html, safe_line
from marketing_agents.report.wording import STATUSES, WRITERS, action_in_words, other_in_words, writer_in_words
from marketing_agents.rules.finding import Finding, Unit

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

_TEMPLATES = Path(__file__).with_name("templates")
_MAX_CHARTS = 3
_MAX_TABLES = 6
_WIDE_FACTS = frozenset({Unit.TEXT})


@dataclass(frozen=True)
class _Chart:
    svg: Markup
    title: str
    legend: str


@dataclass(frozen=True)
class _FactRow:
    label: str
    display: str
    kind: str


@dataclass(frozen=True)
class _Evidence:
    rule_id: str
    title: str
    entity: str
    rows: tuple[_FactRow, ...]


@dataclass(frozen=True)
class _Line:
    """A recommendation as the template shows it. Fields of type Markup are ready HTML, the rest is escaped by the template."""

    id: str
    rank: int | None
    action: str
    entity: str
    headline: Markup
    text: Markup
    rationale: str
    severity: str
    worth: str
    since: str
    domains: str
    status: str
    status_class: str
    reasons: str
    others: tuple[str, ...]
    evidence: tuple[_Evidence, ...]
    charts: tuple[_Chart, ...]
    score: str
    score_parts: str
    writer: str


def render_page(page: PageInput) -> str:
    """The HTML of one advertiser's day. Equal inputs give equal text."""
    from markupsafe import Markup

    view = DayView(page)
    css = (_TEMPLATES / "page.css").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return _template().render(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'",
        css=Markup(css),  # noqa: S704  (our own file)
        advertiser=clean(page.advertiser.name),
        day=page.day.isoformat(),
        day_in_words=view.day_in_words,
        headline=view.headline,
        figures=[{"label": label, "display": display} for label, display in view.figures],
        advice_only=view.advice_only,
        notes=[one_line(note, 300) for note in page.data_notes],
        ranked=[_line(view, r) for r in view.ranked],
        waiting=[_line(view, r) for r in view.waiting],
        ended=[
            {"title": f.rule_title, "entity": clean(f.entity.name), "when": f", open since {f.opened_on}" if f.opened_on else ""}
            for f in view.ended
        ],
        retracted=[{"title": f.rule_title, "entity": clean(f.entity.name), "why": one_line(why, 200)} for f, why in view.retracted],
        domains=[
            {
                "title": a.domain.replace("_", " ").capitalize(),
                "summary": Markup(prose_html(a.summary)),  # noqa: S704  (escaped there)
                "writer": _sentence(WRITERS[a.writer]),
                "problems": [one_line(p, 200) for p in a.problems[:3]],
            }
            for a in sorted(page.analyses, key=lambda a: a.domain)
        ],
        unchecked=[{"rule_id": rule_id, "reason": one_line(reason, 300)} for rule_id, reason in view.unchecked],
        coverage=view.coverage,
        currency=page.advertiser.base_currency,
    )


def render_digest(page: PageInput) -> str:
    """The same day as Markdown: headline, the list with what each line is worth, what waits and why, notes about the data."""
    view = DayView(page)
    parts = [f"# {markdown_name(page.advertiser.name)}, {page.day.isoformat()}", f"**{markdown_text(view.headline, 300)}**"]
    if view.advice_only:
        parts.append(f"**Advice only.** {markdown_text(view.advice_only, 400)}")
    if page.data_notes:
        parts.append("About the data:\n" + "\n".join(f"- {markdown_text(note, 300)}" for note in page.data_notes))
    for r in view.ranked:
        lines = [
            f"{r.rank}. **{markdown_text(action_in_words(r), 200)}: {markdown_name(r.entity.name)}** ({STATUSES[r.status]})",
            f"   - {safe_line(r.headline)}",
            f"   - {r.severity}, {markdown_text(view.worth(r))}, {view.since(r)}, {', '.join(r.domains)}",
        ]
        lines += [f"   - {markdown_text(other_in_words(other, r.currency_code), 200)}" for other in r.other_actions]
        parts.append("\n".join(lines))
    if view.waiting:
        parts.append(
            "Not now:\n"
            + "\n".join(
                f"- {markdown_text(action_in_words(r), 200)}: {markdown_name(r.entity.name)} – {STATUSES[r.status]}: {markdown_text('; '.join(r.reasons[:2]), 300)}"
                for r in view.waiting
            )
        )
    if view.ended:
        parts.append("Over:\n" + "\n".join(f"- {markdown_text(f.rule_title)}: {markdown_name(f.entity.name)}" for f in view.ended))
    if view.retracted:
        parts.append(
            "Retracted:\n"
            + "\n".join(
                f"- {markdown_text(f.rule_title)}: {markdown_name(f.entity.name)} – {markdown_text(why, 200)}" for f, why in view.retracted
            )
        )
    if view.unchecked:
        parts.append(
            "Could not be checked:\n"
            + "\n".join(f"- {markdown_text(rule_id)}: {markdown_text(reason, 300)}" for rule_id, reason in view.unchecked)
        )
    return bounded(parts) + "\n"


def _line(view: DayView, r: Recommendation) -> _Line:
    from markupsafe import Markup

    findings = view.findings_of(r)
    charts = [view.page.trends[f.finding_id] for f in findings if f.finding_id in view.page.trends][:_MAX_CHARTS]
    return _Line(
        id=r.recommendation_id,
        rank=r.rank,
        action=action_in_words(r),
        entity=clean(r.entity.name),
        headline=Markup(line_html(r.headline)),  # noqa: S704  (escaped there)
        text=Markup(prose_html(r.text)),  # noqa: S704  (escaped there)
        rationale=one_line(r.rationale, 500),
        severity=r.severity,
        worth=view.worth(r),
        since=view.since(r),
        domains=", ".join(d.replace("_", " ") for d in r.domains),
        status=STATUSES[r.status],
        status_class="blocked" if r.status == "blocked" else "",
        reasons=". ".join(_sentence(one_line(reason, 300)) for reason in r.reasons),
        others=tuple(one_line(other_in_words(other, r.currency_code), 300) for other in r.other_actions),
        evidence=tuple(_evidence(f) for f in findings[:_MAX_TABLES]),
        charts=tuple(_Chart(Markup(draw_trend_svg(t)), one_line(t.title, 120), legend_text(t)) for t in charts),  # noqa: S704  (escaped there)
        score=f"{r.score:.2f}",
        score_parts=", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in r.score_parts.items()),
        writer=_sentence(writer_in_words(r)),
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _evidence(finding: Finding) -> _Evidence:
    main = [finding.observed, finding.baseline, finding.threshold]
    ordered = sorted(finding.facts, key=lambda fact: main.index(fact.id) if fact.id in main else len(main))
    rows = [
        _FactRow(fact.label, one_line(fact.display, 160), "text" if fact.unit in _WIDE_FACTS else "figure")
        for fact in ordered
        if fact.display
    ]
    rows.append(_FactRow("confidence", f"{finding.confidence * 100:.0f}%", "figure"))
    rows.append(_FactRow("data up to", finding.evaluated_day.isoformat(), "figure"))
    return _Evidence(finding.rule_id, finding.rule_title, clean(finding.entity.name), tuple(rows))


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    return environment.get_template("page.html.j2")
