"""Which domain owns a rule: the four tiers, what is remembered, and what happens when the model does not answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pytest

from marketing_agents.rules.classification import (
    ClassificationError,
    ClassifierUnavailableError,
    DomainLabel,
    DomainProfile,
    KeywordPattern,
    classify,
)
from marketing_agents.rules.rule import Rule
from marketing_agents_tests.rules.builders import catalogue

PROFILES = (
    DomainProfile(
        name="media_performance",
        categories=("MEDIA",),
        keywords=(KeywordPattern(weight=1, regex=r"cost per|click\w*|auction"),),
        is_default=True,
    ),
    DomainProfile(name="budget", categories=("BUDGET",), keywords=(KeywordPattern(weight=3, regex=r"\bplan(s|ned)?\b|holiday|peak"),)),
    DomainProfile(name="rest", categories=("CREATIVE", "AUDIENCE", "CONVERSION", "PLATFORM")),
)
UNMAPPED = frozenset(
    f"{prefix}-001" for prefix in ("ATTR", "BRAND", "COMP", "COMPL", "FEED", "FRAUD", "GEO", "LEARN", "LP", "SEARCH", "SEAS")
)
EXPECTED = {"SEAS-001": "budget"}  # the expert's label; the catalogue does not hold it


class MemoryStore:
    """The protocol of the label store, kept in a dictionary."""

    def __init__(self) -> None:
        self.labels: dict[tuple[str, str], DomainLabel] = {}
        self.saved: list[str] = []

    def get_labels(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], DomainLabel]:
        return {key: self.labels[key] for key in keys if key in self.labels}

    def save_labels(self, labels: Iterable[DomainLabel]) -> None:
        for label in labels:
            self.labels[label.rule_id, label.text_hash] = label
            self.saved.append(label.rule_id)


class ScriptedModel:
    """A tier-2 port that answers from a script and counts its requests."""

    model = "scripted-1"

    def __init__(self, answers: Mapping[str, tuple[str, float]] | str) -> None:
        self.answers = answers
        self.asked: list[list[str]] = []

    def classify(self, rules: Sequence[Rule], domains: Sequence[str]) -> Mapping[str, tuple[str, float]]:
        self.asked.append([rule.id for rule in rules])
        if isinstance(self.answers, str):
            raise ClassifierUnavailableError(self.answers)
        return self.answers


def seas() -> Rule:
    return catalogue().by_id["SEAS-001"]


def test_categories_decide_and_the_unmapped_rule_falls_to_keywords() -> None:
    labels = {label.rule_id: label for label in classify(catalogue().rules, PROFILES, MemoryStore(), None)}
    assert {rule_id for rule_id, label in labels.items() if label.tier == 3} == UNMAPPED
    assert {label.tier for rule_id, label in labels.items() if rule_id not in UNMAPPED} == {1}
    assert {rule_id: labels[rule_id].domain for rule_id in EXPECTED} == EXPECTED
    assert "not configured" in labels["SEAS-001"].reason


def test_a_person_wins() -> None:
    (label,) = classify([replace(seas(), pinned_domain="rest")], PROFILES, MemoryStore(), ScriptedModel({"SEAS-001": ("budget", 0.9)}))
    assert (label.domain, label.tier, label.confidence) == ("rest", 0, 1.0)


def test_the_model_is_asked_once_for_the_same_text() -> None:
    store, model = MemoryStore(), ScriptedModel({"SEAS-001": ("budget", 0.8)})
    rules = [rule for rule in catalogue().rules if rule.id not in UNMAPPED - {"SEAS-001"}]
    first = classify(rules, PROFILES, store, model)
    second = classify(rules, PROFILES, store, model)
    third = classify(rules, PROFILES, store, None)
    assert first == second == third
    assert model.asked == [["SEAS-001"]]
    [told] = [label for label in first if label.rule_id == "SEAS-001"]
    assert (told.tier, told.model, told.confidence) == (2, "scripted-1", 0.8)


def test_a_changed_text_is_asked_again() -> None:
    store, model = MemoryStore(), ScriptedModel({"SEAS-001": ("budget", 0.8)})
    classify([seas()], PROFILES, store, model)
    classify([replace(seas(), text_hash="other")], PROFILES, store, model)
    assert len(model.asked) == 2


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ("quota used up", "model: quota used up"),
        ({}, "no answer for this rule"),
        ({"SEAS-001": ("nonsense", 0.9)}, "unknown domain 'nonsense'"),
    ],
)
def test_a_model_that_fails_is_replaced_and_tried_again(answers: Mapping[str, tuple[str, float]] | str, reason: str) -> None:
    store = MemoryStore()
    (label,) = classify([seas()], PROFILES, store, ScriptedModel(answers))
    assert (label.tier, label.domain) == (3, "budget")
    assert reason in label.reason
    (again,) = classify([seas()], PROFILES, store, ScriptedModel({"SEAS-001": ("rest", 0.7)}))
    assert (again.tier, again.domain) == (2, "rest")


def test_a_stored_answer_for_a_domain_that_is_gone_is_not_used() -> None:
    store = MemoryStore()
    classify([seas()], PROFILES, store, ScriptedModel({"SEAS-001": ("rest", 0.7)}))
    (label,) = classify([seas()], PROFILES[:2], store, None)
    assert (label.tier, label.domain) == (3, "budget")


@pytest.mark.parametrize(
    ("text", "domain", "confidence"),
    [
        ("Nothing in particular.", "media_performance", 0.1),
        ("A peak of clicks and auction and click.", "media_performance", 0.1),
        ("A peak.", "budget", 0.9),
        ("A peak of clicks.", "budget", 0.7),
    ],
)
def test_keywords_abstain_when_undecided(text: str, domain: str, confidence: float) -> None:
    (label,) = classify([replace(seas(), title="X", description=text)], PROFILES, MemoryStore(), None)
    assert (label.domain, label.confidence) == (domain, confidence)


def test_unchanged_labels_are_not_stored_again() -> None:
    store = MemoryStore()
    classify(catalogue().rules, PROFILES, store, None)
    classify(catalogue().rules, PROFILES, store, None)
    assert len(store.saved) == len(catalogue().rules)


@pytest.mark.parametrize(
    ("domains", "message"),
    [
        (
            (*PROFILES, DomainProfile(name="seventh", categories=("MEDIA",))),
            "the category MEDIA is claimed by the domains 'media_performance' and 'seventh'",
        ),
        ((*PROFILES, DomainProfile(name="budget", categories=())), "two domains are named 'budget'"),
        (PROFILES[1:], "exactly one domain must have is_default: true, there are 0"),
        ((*PROFILES, DomainProfile(name="second", categories=(), is_default=True)), "there are 2"),
    ],
)
def test_domains_that_cannot_work_together(domains: tuple[DomainProfile, ...], message: str) -> None:
    with pytest.raises(ClassificationError, match=message):
        classify([seas()], domains, MemoryStore(), None)


def test_a_pin_to_an_unknown_domain_is_an_error() -> None:
    with pytest.raises(ClassificationError, match=r"seasonality.yaml: SEAS-001: pinned_domain: there is no domain 'nowhere'"):
        classify([replace(seas(), pinned_domain="nowhere")], PROFILES, MemoryStore(), None)


def test_a_new_domain_takes_its_categories() -> None:
    (label,) = classify([seas()], (*PROFILES, DomainProfile(name="seasons", categories=("SEASONALITY",))), MemoryStore(), None)
    assert (label.domain, label.tier) == ("seasons", 1)
