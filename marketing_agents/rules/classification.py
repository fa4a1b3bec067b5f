"""Which domain owns a rule. Four tiers, the first that answers wins:

0. a person pinned the label in the catalogue; 1. the rule's category belongs to a domain; 2. a model decided (kept by rule id and text hash, so
that the same text is never asked twice); 3. keywords, which may abstain: then the default domain gets the rule.

A failure or an unknown domain in tier 2 falls to tier 3 and is tried again next time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

from marketing_agents.rules.finding import Frozen
from marketing_agents.rules.rule import Rule

Tier = Literal[0, 1, 2, 3]
TIER_1_CONFIDENCE = 1.0
ABSTAIN_CONFIDENCE = 0.1
KEYWORD_CONFIDENCE = (0.3, 0.9)
"""Range for a keyword decision: no margin over the second domain, and no second domain at all."""


class ClassificationError(ValueError):
    """The domains cannot be used for classification: names the domains, the field and the fix."""


class ClassifierUnavailableError(RuntimeError):
    """A tier-2 classifier cannot answer now (not configured, failed, out of budget). The message says why."""


class KeywordPattern(Frozen):
    """`weight` per hit of `regex` (case-insensitive) in title and description."""

    weight: float
    regex: str


class DomainProfile(Frozen):
    """What classification knows about a domain."""

    name: str
    categories: tuple[str, ...]
    keywords: tuple[KeywordPattern, ...] = ()
    is_default: bool = False


class DomainLabel(Frozen):
    """The decision for one rule: which domain, by which tier, how sure, and why."""

    rule_id: str
    text_hash: str
    domain: str
    tier: Tier
    confidence: float
    model: str | None = None
    reason: str


class LabelStore(Protocol):
    """Where labels are kept between runs."""

    def get_labels(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], DomainLabel]:
        """Stored labels by (rule id, text hash)."""
        ...

    def save_labels(self, labels: Iterable[DomainLabel]) -> None: ...


class RuleClassifier(Protocol):
    """Tier 2: a model that assigns all given rules in one request."""

    @property
    def model(self) -> str: ...

    def classify(self, rules: Sequence[Rule], domains: Sequence[str]) -> Mapping[str, tuple[str, float]]:
        """Domain and confidence by rule id. Raises ClassifierUnavailableError when it cannot answer."""
        ...


class NotConfigured:
    """The tier-2 port when no model is set up: says so."""

    model = "none"

    def classify(self, rules: Sequence[Rule], domains: Sequence[str]) -> Mapping[str, tuple[str, float]]:  # noqa: ARG002 - the port's signature
        raise ClassifierUnavailableError("not configured")


def classify(rules: Sequence[Rule], domains: Sequence[DomainProfile], store: LabelStore, model: RuleClassifier | None) -> list[DomainLabel]:
    """One label per rule, in the order of `rules`; new and changed labels are stored.

    Raises:
        ClassificationError: no domain or no single default, a category claimed twice, or a pinned domain that does not exist.
    """
    owners = category_owners(domains)
    default = _default(domains)
    names = [domain.name for domain in domains]
    stored = store.get_labels([(rule.id, rule.text_hash) for rule in rules])
    labels: dict[str, DomainLabel] = {}
    unmapped: list[Rule] = []
    for rule in rules:
        label = _pinned(rule, names) or _by_category(rule, owners) or _remembered(stored.get((rule.id, rule.text_hash)), names)
        if label is None:
            unmapped.append(rule)
        else:
            labels[rule.id] = label
    if unmapped:
        answers, why = _ask(model or NotConfigured(), unmapped, names)
        for rule in unmapped:
            label = answers.get(rule.id)
            labels[rule.id] = label if label is not None else _by_keywords(rule, domains, default, why.get(rule.id, ""))
    result = [labels[rule.id] for rule in rules]
    changed = [label for label in result if stored.get((label.rule_id, label.text_hash)) != label]
    if changed:
        store.save_labels(changed)
    return result


def category_owners(domains: Sequence[DomainProfile]) -> dict[str, str]:
    """Category -> domain. Raises ClassificationError when two domains claim one category, or a name is used twice."""
    owners: dict[str, str] = {}
    seen: set[str] = set()
    for domain in domains:
        if domain.name in seen:
            raise ClassificationError(f"two domains are named '{domain.name}': rename one folder")
        seen.add(domain.name)
        for category in domain.categories:
            if owners.get(category, domain.name) != domain.name:
                raise ClassificationError(
                    f"the category {category} is claimed by the domains '{owners[category]}' and '{domain.name}': remove it from one domain.yaml"
                )
            owners[category] = domain.name
    return owners


def _default(domains: Sequence[DomainProfile]) -> str:
    defaults = [domain.name for domain in domains if domain.is_default]
    if len(defaults) != 1:
        raise ClassificationError(
            f"exactly one domain must have is_default: true, there are {len(defaults)} ({', '.join(defaults) or 'none'})"
        )
    return defaults[0]


def _label(rule: Rule, domain: str, tier: Tier, confidence: float, reason: str, model: str | None = None) -> DomainLabel:
    return DomainLabel(
        rule_id=rule.id, text_hash=rule.text_hash, domain=domain, tier=tier, confidence=confidence, model=model, reason=reason
    )


def _pinned(rule: Rule, names: Sequence[str]) -> DomainLabel | None:
    if rule.pinned_domain is None:
        return None
    if rule.pinned_domain not in names:
        raise ClassificationError(
            f"{rule.file}: {rule.id}: pinned_domain: there is no domain '{rule.pinned_domain}' (there are {', '.join(names)})"
        )
    return _label(rule, rule.pinned_domain, 0, 1.0, "pinned by a person in the catalogue")


def _by_category(rule: Rule, owners: Mapping[str, str]) -> DomainLabel | None:
    owner = owners.get(rule.category)
    return None if owner is None else _label(rule, owner, 1, TIER_1_CONFIDENCE, f"category {rule.category} belongs to this domain")


def _remembered(label: DomainLabel | None, names: Sequence[str]) -> DomainLabel | None:
    """A stored answer of a model, as long as its domain exists."""
    return label if label is not None and label.tier == 2 and label.domain in names else None


def _ask(model: RuleClassifier, rules: Sequence[Rule], names: Sequence[str]) -> tuple[dict[str, DomainLabel], dict[str, str]]:
    """Tier 2 for all unmapped rules in one request: labels, and for the others why there is none."""
    try:
        answers = model.classify(rules, names)
    except ClassifierUnavailableError as error:
        return {}, {rule.id: f"model: {error}" for rule in rules}
    labels, why = {}, {}
    for rule in rules:
        answer = answers.get(rule.id)
        if answer is None:
            why[rule.id] = "model: no answer for this rule"
        elif answer[0] not in names:
            why[rule.id] = f"model: unknown domain {answer[0][:40]!r}"
        else:
            domain, confidence = answer
            labels[rule.id] = _label(rule, domain, 2, min(max(confidence, 0.0), 1.0), "decided by the model", model.model)
    return labels, why


def keyword_scores(text: str, domains: Sequence[DomainProfile]) -> dict[str, float]:
    """Weighted keyword hits per domain, in the order of `domains`."""
    return {
        domain.name: sum(pattern.weight * sum(1 for _ in re.finditer(pattern.regex, text, re.IGNORECASE)) for pattern in domain.keywords)
        for domain in domains
    }


def _by_keywords(rule: Rule, domains: Sequence[DomainProfile], default: str, why: str) -> DomainLabel:
    scores = keyword_scores(f"{rule.title}. {rule.description}", domains)
    ranked = sorted(scores.items(), key=lambda item: -item[1])  # stable: ties in the order of the domains
    (best, first), second = ranked[0], ranked[1][1] if len(ranked) > 1 else 0.0
    note = f" ({why})" if why else ""
    if first in (0, second):
        tied = (
            "no keyword fits"
            if first == 0
            else "keywords are undecided between " + " and ".join(name for name, score in ranked if score == first)
        )
        return _label(rule, default, 3, ABSTAIN_CONFIDENCE, f"{tied}: default domain{note}")
    low, high = KEYWORD_CONFIDENCE
    confidence = round(low + (high - low) * (first - second) / first, 2)
    return _label(rule, best, 3, confidence, f"keywords: {first:g} against {second:g} for the next{note}")
