"""The text when no model writes: what happened, how big, since when, likely causes, what to do, what it is worth, how sure.

All wording that differs from rule to rule comes from the catalogue (titles, descriptions, labels, causes, rationales), all figures from the
`display` of facts. So a new rule needs no line here, and nothing here can state a figure that is not evidence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from marketing_agents.agents.analysis import Insight
from marketing_agents.agents.evidence import Evidence, EvidenceAction, EvidenceFinding
from marketing_agents.agents.grouping import highest_severity, total_money
from marketing_agents.agents.outside_text import escape_markdown
from marketing_agents.domains.registry import Domain
from marketing_agents.rules.finding import Fact, Unit

MAX_CONTEXT_FACTS = 6
MAX_NAMES = 3
MAX_CAUSES = 5
_ENTITY_WORDS = {"adgroup": "ad group"}


def write_insight(evidence: Evidence, finding_ids: Sequence[str]) -> Insight:
    """The insight of one group, most urgent finding first. Headline and text are Markdown; names are escaped and quoted."""
    items = [evidence.by_id[finding_id] for finding_id in finding_ids]
    page = _Page()
    lead = items[0]
    headline = _headline(page, items)
    _what_happened(page, lead)
    _since_when(page, lead)
    if len(items) > 1:
        page.paragraph("Together with it", *(_also(page, item) for item in items[1:]), as_list=True)
    _causes(page, items)
    _what_to_do(page, items)
    _worth(page, items)
    _how_sure(page, lead, evidence)
    causes = {cause.id: cause.text for item in items for cause in item.finding.causes}
    return Insight(
        insight_id=insight_id(evidence, finding_ids),
        finding_ids=tuple(finding_ids),
        cause_id=next(iter(causes)) if len(causes) == 1 else None,
        cause=next(iter(causes.values())) if len(causes) == 1 else "",
        headline=headline,
        text="\n\n".join(page.blocks),
        cited_facts=tuple(page.cited),
        severity=highest_severity([item.finding for item in items]),
        money_at_stake=total_money([item.finding for item in items]),
    )


def write_summary(domain: Domain, evidence: Evidence, insights: Sequence[Insight]) -> str:
    """One or two sentences for the domain: how much is open, and the most urgent of it."""
    if not evidence.findings:
        return quiet_summary(domain)
    open_, resolved = (_fact(evidence, f"pack#{name}") for name in ("open", "resolved"))
    if not open_.number:
        return f"{domain.title}: nothing is open. {_plural(resolved, 'finding')} ended: {_inline(insights[0].headline)}"
    ended = f", {_plural(resolved, 'finding')} ended" if resolved.number else ""
    return f"{domain.title}: {_plural(open_, 'open finding')}{ended}. Most urgent: {_inline(insights[0].headline)}"


def quiet_summary(domain: Domain) -> str:
    """What a day without findings says. No count: the number of rules is no fact of this domain's evidence."""
    return f"{domain.title}: nothing to report. The rules of this domain found nothing that is open or has just ended."


def insight_id(evidence: Evidence, finding_ids: Sequence[str]) -> str:
    """Stable id of a group of findings."""
    return "i-" + hashlib.sha256("\x1f".join((evidence.advertiser_id, *sorted(finding_ids))).encode()).hexdigest()[:16]


class _Page:
    """Paragraphs as they are written, and the ids of the facts they quote, in order."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.cited: dict[str, None] = {}

    def show(self, fact: Fact) -> str:
        """The fact's display, noted as cited. Text facts of a rule may hold outside text and stand in quotes like names."""
        self.cited[fact.id] = None
        is_outside = fact.unit is Unit.TEXT and "#" not in fact.id
        return quoted(fact.display) if is_outside else escape_markdown(fact.display)

    def paragraph(self, title: str, *sentences: str, as_list: bool = False) -> None:
        told = [sentence for sentence in sentences if sentence]
        if told:
            body = "\n" + "\n".join(f"- {sentence}" for sentence in told) if as_list else " " + " ".join(told)
            self.blocks.append(f"**{title}.**{body}")


def _headline(page: _Page, items: Sequence[EvidenceFinding]) -> str:
    title = items[0].finding.rule_title
    if not items[0].finding.is_open:
        return f"Over: {title} – {_names(items)}."
    return f"{title} – {_names(items)}: {_observation(page, items[0])}."


def _observation(page: _Page, item: EvidenceFinding) -> str:
    """`54.20 GBP against 36.00 GBP (target cost per conversion)`, or the value alone where the other is of another kind.

    Facts that a finding names but does not hold are passed over.
    """
    observed, baseline = item.own(item.finding.observed), _comparable(item)
    if observed is None:
        return "see the facts"
    if baseline is None:
        return f"{page.show(observed)} ({_label(observed)})"
    return f"{page.show(observed)} against {page.show(baseline)} ({_label(baseline)})"


def _comparable(item: EvidenceFinding) -> Fact | None:
    """The baseline, when it is of the observed value's unit: 1.51x is not "against 36.00 GBP"."""
    observed, baseline = item.own(item.finding.observed), item.own(item.finding.baseline)
    is_comparable = observed is not None and baseline is not None and observed.id != baseline.id and observed.unit is baseline.unit
    return baseline if is_comparable else None


def _measured(page: _Page, item: EvidenceFinding) -> str:
    """The observed value with its label in front, compared where it can be."""
    observed, baseline = item.own(item.finding.observed), _comparable(item)
    if observed is None:
        return ""
    against = f", against {page.show(baseline)} ({_label(baseline)})" if baseline is not None else ""
    return _sentence(f"{_label(observed)}: {page.show(observed)}{against}")


def _what_happened(page: _Page, item: EvidenceFinding) -> None:
    finding = item.finding
    entity = _ENTITY_WORDS.get(finding.entity.type, finding.entity.type.replace("_", " "))
    where = f" on {finding.entity.platform.replace('_', ' ')}" if finding.entity.platform not in ("NA", "") else ""
    page.paragraph("What happened", _sentence(finding.description), f"It concerns the {entity} {quoted(item.name)}{where}.")
    threshold, baseline = item.own(finding.threshold), _comparable(item)
    shown = {finding.observed, finding.threshold, baseline.id if baseline else ""}
    alarm = (
        f"The alarm line is {page.show(threshold)}."
        if threshold is not None and threshold.id not in (finding.observed, finding.baseline)
        else ""
    )
    context = [fact for fact in item.facts if fact.id not in shown and "#" not in fact.id and fact.display not in ("", "unknown")]
    # A baseline of another unit is the first thing to know beside the value.
    context.sort(key=lambda fact: fact.id != finding.baseline)
    also = "; ".join(f"{_label(fact)}: {page.show(fact)}" for fact in context[:MAX_CONTEXT_FACTS])
    page.paragraph("How big", _measured(page, item), alarm, f"Beside it: {also}." if also else "")


def _since_when(page: _Page, item: EvidenceFinding) -> None:
    finding = item.finding
    opened, days = item.derived("opened_on"), item.derived("days_open")
    since = f"since {page.show(opened)}" if opened is not None else "since before the look-back"
    lasted = f" ({page.show(days)})" if days is not None and finding.days_open > 1 else ""
    before = finding.previous_severity
    match finding.episode_state:
        case "opened":
            told = f"New: open {since}{lasted}."
        case "worsened":
            told = f"Worse than before{f': severity went from {before} to {finding.severity}' if before else ''}. Open {since}{lasted}."
        case "improved":
            told = f"Better than before{f': severity went from {before} to {finding.severity}' if before else ''}, but still open {since}{lasted}."
        case "resolved":
            told = f"The episode is over. It had begun{f' on {page.show(opened)}' if opened is not None else ' before the look-back'}."
        case _:
            told = f"Open {since}{lasted}, without a change of severity."
    page.paragraph("Since when", told)


def _also(page: _Page, item: EvidenceFinding) -> str:
    why = " (explained by the finding above)" if item.finding.suppressed_by else ""
    return f"{item.finding.rule_title} – {quoted(item.name)}: {_observation(page, item)}{why}."


def _causes(page: _Page, items: Sequence[EvidenceFinding]) -> None:
    causes = list(dict.fromkeys(cause.text for item in items for cause in item.finding.causes if item.finding.is_open))
    if len(causes) == 1:
        page.paragraph("Likely cause", _sentence(causes[0]))
    elif causes:
        page.paragraph("Likely causes", *(_sentence(cause) for cause in causes[:MAX_CAUSES]), as_list=True)


def _what_to_do(page: _Page, items: Sequence[EvidenceFinding]) -> None:
    steps: dict[str, None] = {}
    for item in items:
        steps.update(dict.fromkeys(_step(page, item, action, names_entity=len(items) > 1) for action in item.actions))
    if steps:
        page.blocks.append("**What to do.**\n" + "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1)))
    if any(action.is_held for item in items for action in item.actions):
        page.paragraph("On hold", _hold_reason(items))


def _step(page: _Page, item: EvidenceFinding, action: EvidenceAction, *, names_entity: bool) -> str:
    """`Lower the bid target by 15 %. A tighter target … Expected effect in 7 days: GBP 310.`"""
    fact, effect = item.own(action.fact_id), item.own(action.effect_fact_id)
    what = page.show(fact) if fact is not None else ""
    if names_entity and item.name not in action.text:
        what += f" ({quoted(item.name)})"
    if action.is_held:
        what += " – on hold, see below"
    gain = f"{effect.label}: {page.show(effect)}" if effect is not None and (effect.number or 0) > 0 else ""
    return " ".join(sentence for sentence in (_sentence(what), _sentence(action.rationale), _sentence(gain)) if sentence)


def _hold_reason(items: Sequence[EvidenceFinding]) -> str:
    limited = any(item.finding.action_limit == "monitor_only" for item in items)
    explained = any(item.finding.suppressed_by for item in items)
    tracking = "Conversion tracking is not trusted at the moment, so bids, budgets and pauses wait until it is." if limited else ""
    other = "Another finding explains this one: deal with that first." if explained else ""
    return " ".join(part for part in (tracking, other) if part)


def _worth(page: _Page, items: Sequence[EvidenceFinding]) -> None:
    told: dict[str, str] = {}
    for item in items:
        fact = item.derived("money_at_stake")
        if item.finding.is_open and fact is not None and (fact.number or 0) > 0 and item.finding.entity.key not in told:
            name = f" ({quoted(item.name)})" if len(items) > 1 else ""
            told[item.finding.entity.key] = f"{page.show(fact)}{name}"
    if told:
        page.paragraph("What it is worth", f"Money at stake in 7 days: {'; '.join(told.values())}.")


def _how_sure(page: _Page, item: EvidenceFinding, evidence: Evidence) -> None:
    finding = item.finding
    confidence, sample, age, day = (item.derived(name) for name in ("confidence", "sample_size", "data_age", "evaluated_day"))
    told = []
    if confidence is not None and finding.is_open:
        word = "very sure" if finding.confidence >= 0.95 else "fairly sure" if finding.confidence >= 0.8 else "a hint rather than proof"
        basis = f", {sample.label}: {page.show(sample)}" if sample is not None and sample.number else ""
        told.append(f"{word.capitalize()} (confidence {page.show(confidence)}{basis}).")
    if day is not None and age is not None:
        late = f" and are {page.show(age)} old" if finding.data_age_days > 0 else ""
        told.append(f"The figures end on {page.show(day)}{late}.")
    told.extend(_sentence(escape_markdown(gap)) for gap in evidence.known_gaps)
    page.paragraph("How sure", *told)


def quoted(name: str) -> str:
    """A name as it stands in Markdown text: escaped, in quotes."""
    return f"“{escape_markdown(name)}”"


def _names(items: Sequence[EvidenceFinding]) -> str:
    names = list(dict.fromkeys(quoted(item.name) for item in items))
    if len(names) > MAX_NAMES:
        return f"{', '.join(names[:MAX_NAMES])} and others"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _label(fact: Fact) -> str:
    return fact.label.strip().rstrip(":.") or fact.name.replace("_", " ")


def _sentence(text: str) -> str:
    text = text.strip()
    return (text[:1].upper() + text[1:]).rstrip(".") + "." if text else ""


def _inline(headline: str) -> str:
    return headline[:1].upper() + headline[1:]


def _plural(fact: Fact, noun: str) -> str:
    return f"{fact.display} {noun}" if fact.unit is Unit.COUNT and fact.number == 1 else f"{fact.display} {noun}s"


def _fact(evidence: Evidence, fact_id: str) -> Fact:
    return evidence.facts[fact_id]
