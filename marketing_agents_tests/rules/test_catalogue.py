"""Loading the catalogue: each mistake is one line that names file, rule, field and the fix, and all are reported at once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from marketing_agents.rules.catalogue_file import PACKAGED_CATALOGUE, CatalogueError, load_catalogue
from marketing_agents.rules.rule import ORDERS
from marketing_agents_tests.rules.builders import catalogue, marts

RULE: dict[str, Any] = {
    "id": "MEDIA-900",
    "title": "A rule",
    "description": "Something is wrong.",
    "entity": {"type": "campaign", "id": "campaign_id", "name": "campaign_name", "platform": "platform", "account": "account_id"},
    "mart": "campaign_features",
    "requires": ["ad_performance_daily"],
    "window_days": 7,
    "values": {"cpc": "spend_w7 / clicks_w7"},
    "when": {"medium": "cpc >= 2", "high": "cpc >= 3"},
    "observed": "cpc",
    "facts": {"cpc": {"label": "cost per click", "unit": "money"}},
    "causes": [{"id": "auction", "text": "The auction"}],
    "playbook": [{"action": "NO_ACTION_MONITOR", "rationale": "Wait."}],
    "sources": ["own"],
}


def write(directory: Path, *rules: dict[str, Any], name: str = "test.yaml") -> Path:
    (directory / name).write_text(yaml.safe_dump({"category": "MEDIA", "rules": list(rules)}, allow_unicode=True))
    return directory


def changed(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(RULE) | changes


def problems(directory: Path) -> tuple[str, ...]:
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(directory, marts())
    return caught.value.problems


def test_the_packaged_catalogue_has_the_sixty_rules_gates_first() -> None:
    numbers = {"MEDIA": 10, "CREATIVE": 8, "BUDGET": 9, "AUD": 7, "CONV": 8, "PLAT": 7}
    alone = ("ATTR", "BRAND", "COMP", "COMPL", "FEED", "FRAUD", "GEO", "LEARN", "LP", "SEARCH", "SEAS")
    expected = {f"{prefix}-{n:03d}" for prefix, last in numbers.items() for n in range(1, last + 1)} | {f"{prefix}-001" for prefix in alone}
    assert len(catalogue().rules) == 60
    assert {rule.id for rule in catalogue().rules} == expected
    orders = [ORDERS.index(rule.order) for rule in catalogue().rules]
    assert orders == sorted(orders)


def test_the_catalogue_does_not_give_the_domain_away() -> None:
    assert [rule.id for rule in catalogue().rules if rule.pinned_domain] == []


def test_one_more_rule_is_one_yaml_entry(tmp_path: Path) -> None:
    for path in PACKAGED_CATALOGUE.glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text())
    loaded = load_catalogue(write(tmp_path, RULE), marts())
    assert len(loaded.rules) == len(catalogue().rules) + 1
    assert loaded.hash != catalogue().hash


MISTAKES: list[tuple[str, Callable[[], dict[str, Any]], str]] = [
    ("unknown field", lambda: changed(flor="cpc > 1"), "MEDIA-900: flor: unknown field (did you mean 'floor'?)"),
    ("unknown field of a fact", lambda: changed(facts={"cpc": {"label": "x", "unit": "money", "lable": "y"}}), "facts.cpc.lable: unknown field (did you mean 'label'?)"),
    ("missing field", lambda: {k: v for k, v in RULE.items() if k != "causes"}, "MEDIA-900: causes: is missing"),
    ("unknown column", lambda: changed(values={"cpc": "spend_w7 / clics_w7"}), "values.cpc: unknown column or value 'clics_w7' (did you mean 'clicks_w7'?)"),
    ("unknown function", lambda: changed(floor="logg10(spend_w7) > 1"), "floor: unknown function 'logg10' (did you mean 'log10'?)"),
    ("wrong arity", lambda: changed(test={"p_value": "poisson_cdf(clicks_w7)", "below": 0.05}), "test.p_value: 'poisson_cdf' has 1 arguments"),
    ("p above one half", lambda: changed(test={"p_value": "0.1", "below": 0.9}), "test.below: input should be less than or equal to 0.5"),
    ("unknown mart", lambda: changed(mart="campain_features"), "mart: unknown mart 'campain_features' (did you mean 'campaign_features'?)"),
    ("unknown table", lambda: changed(requires=["ad_performance_dayly"]), "requires: unknown input table 'ad_performance_dayly' (did you mean 'ad_performance_daily'?)"),
    ("unknown action", lambda: changed(playbook=[{"action": "PAUSE_ENTTY", "rationale": "x"}]), "playbook.0.action: unknown action 'PAUSE_ENTTY' (did you mean 'PAUSE_ENTITY'?)"),
    ("missing parameter", lambda: changed(playbook=[{"action": "DECREASE_BUDGET", "rationale": "x"}]), "playbook.0.parameters: DECREASE_BUDGET needs the parameter 'step_pct'"),
    (
        "unknown parameter",
        lambda: changed(playbook=[{"action": "DECREASE_BUDGET", "parameters": {"step_pct": "5", "stepp": "5"}, "rationale": "x"}]),
        "playbook.0.parameters: DECREASE_BUDGET has no parameter 'stepp' (did you mean 'step_pct'?)",
    ),
    ("a code without quotes", lambda: changed(playbook=[{"action": "EXCLUDE_AUDIENCE", "parameters": {"audience": "buyers"}, "rationale": "x"}]), "unknown column or value 'buyers'"),
    ("contradiction", lambda: changed(when={"medium": "cpc >= 2 and cpc < 1"}, threshold={"medium": 2}), "when.medium: can never hold: 'cpc >= 2 and cpc < 1' contradicts itself"),
    ("contradiction with the floor", lambda: changed(floor="cpc < 3"), "when.high: can never hold together with `applies` and `floor`"),
    ("constants", lambda: changed(when={"medium": "1 > 2"}, threshold={"medium": 2}), "when.medium: can never hold"),
    ("critical looser than high", lambda: changed(when={"high": "cpc >= 3", "critical": "cpc >= 2"}), "when.high: can never be reported: wherever 'cpc >= 3' holds, 'critical'"),
    ("same threshold twice", lambda: changed(when={"medium": "cpc >= 3", "high": "cpc >= 3"}), "when.medium: can never be reported"),
    ("opposite directions", lambda: changed(when={"medium": "cpc >= 2", "high": "cpc <= 3"}), "when: 'cpc' is compared in opposite directions (medium '>', high '<')"),
    ("no number to compare with", lambda: changed(when={"medium": "cpc >= clicks_w7"}), "threshold: `when.medium` does not compare 'cpc' with exactly one number"),
    ("incomplete thresholds", lambda: changed(threshold={"medium": 2}), "threshold: has no entry for the severity 'high'"),
    ("an alternative without limits", lambda: changed(alternatives=[{"if": "cpc > 9", "observed": "cpc", "threshold": {}}]), "alternatives.0.threshold: has no limit for a severity of `when` (medium, high): state one"),
    ("limits of other severities", lambda: changed(alternatives=[{"if": "cpc > 9", "observed": "cpc", "threshold": {"low": 1}}]), "alternatives.0.threshold: has no limit for a severity of `when` (medium, high)"),
    ("unknown unit", lambda: changed(facts={"cpc": {"label": "x", "unit": "mony"}}), "facts.cpc.unit: unknown unit 'mony' (did you mean 'money'?)"),
    ("unit of a text", lambda: changed(facts=RULE["facts"] | {"campaign_name": {"label": "x", "unit": "count"}}), "facts.campaign_name: unit count needs a number, but 'campaign_name' is a text"),
    ("reserved fact", lambda: changed(facts=RULE["facts"] | {"p_value": {"label": "x", "unit": "count", "value": "1"}}), "facts.p_value: every finding has this fact already"),
    *((f"reserved fact {name}", lambda name=name: changed(facts=RULE["facts"] | {name: {"label": "x", "unit": "count", "value": "1"}}), f"facts.{name}: every finding has this fact") for name in ("retracted", "retracted_day")),
    ("observed is no fact", lambda: changed(observed="cpcc", threshold={"medium": 2, "high": 3}), "observed: 'cpcc' is not among the facts (did you mean 'cpc'?)"),
    ("unknown severity", lambda: changed(when={"mediun": "cpc >= 2"}), "when.mediun: unknown severity (did you mean 'medium'?)"),
    ("impact is text", lambda: changed(impact="campaign_name"), "impact: must be a number, but 'campaign_name' is a text"),
    ("condition is a number", lambda: changed(floor="clicks_w7"), "floor: must be a boolean, but 'clicks_w7' is a number"),
    ("attribute access", lambda: changed(floor="cpc.real > 1"), "floor: attribute access (a.b) is not allowed"),
    ("subscript", lambda: changed(floor="cpc[0] > 1"), "floor: subscripts (a[b]) is not allowed"),
    ("lambda", lambda: changed(values={"cpc": "lambda: 1"}), "values.cpc: lambda is not allowed"),
    ("dunder", lambda: changed(values={"cpc": "__class__"}), "values.cpc: the name '__class__' is not allowed"),
    ("huge power", lambda: changed(values={"cpc": "spend_w7 ** 999"}), "values.cpc: '**' needs a constant exponent"),
    ("a value named like a column", lambda: changed(values={"cpc": "1", "spend_w7": "2"}), "values.spend_w7: 'spend_w7' is a column of campaign_features"),
    ("non-ASCII id", lambda: changed(id="MÉDIA-900"), "id: 'MÉDIA-900' is not a rule id"),
    ("id of another shape", lambda: changed(id="media-1"), "id: 'media-1' is not a rule id"),
    ("category of another shape", lambda: changed(category="media!"), "category: 'media!' does not have the right form"),
    ("unknown entity type", lambda: changed(entity={"type": "campain", "id": "campaign_id"}), "entity.type: 'campain' is not one of"),
    ("unknown entity column", lambda: changed(entity={"type": "campaign", "id": "campain_id"}), "entity.id: unknown column 'campain_id' of campaign_features (did you mean 'campaign_id'?)"),
    ("unknown order", lambda: changed(order="first"), "order: 'first' is not one of"),
    ("gate without gate", lambda: changed(order="gate"), "gate: a rule of order 'gate' must say what it blocks"),
    ("unknown trend", lambda: changed(trend_metric="spendd"), "trend_metric: 'spendd' is not one of"),
    ("unknown rule", lambda: changed(suppressed_by=["CONV-0001"]), "suppressed_by: unknown rule 'CONV-0001'"),
    ("itself", lambda: changed(limited_by=["MEDIA-900"]), "limited_by: a rule cannot name itself"),
    ("negative history", lambda: changed(min_history_days=-1), "min_history_days: input should be greater than or equal to 0"),
    ("cause twice", lambda: changed(causes=RULE["causes"] * 2), "causes: the cause id 'auction' is used twice"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "make", "expected"), MISTAKES, ids=[case for case, _, _ in MISTAKES])
def test_each_mistake_is_named(case: str, make: Callable[[], dict[str, Any]], expected: str, tmp_path: Path) -> None:
    found = problems(write(tmp_path, make()))
    assert any(expected in problem for problem in found), found
    assert all(problem.startswith("test.yaml: ") for problem in found)
    assert len(found) == 1, found


def test_all_mistakes_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    rules = []
    for position, (case, make, _) in enumerate(MISTAKES):
        rule = make()
        if "id" not in case and case not in ("itself", "unknown rule"):
            rule["id"] = f"MEDIA-{position:03d}"
        rules.append(rule)
    write(tmp_path, *rules[:20], name="one.yaml")
    write(tmp_path, *rules[20:], name="two.yaml")
    found = problems(tmp_path)
    missing = [case for case, _, expected in MISTAKES if not any(expected.removeprefix("MEDIA-900: ") in problem for problem in found)]
    # cross-references are checked too, although other rules are broken
    assert missing == []


def test_an_id_used_in_two_files(tmp_path: Path) -> None:
    write(tmp_path, RULE, name="one.yaml")
    assert problems(write(tmp_path, RULE, name="two.yaml")) == ("two.yaml: MEDIA-900: id: is used twice (also in one.yaml)",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules: [", "cannot be read as YAML"),
        ("- a", "must hold `category` and `rules`"),
        ("category: MEDIA\nrules: 7", "rules: must be a list of rules"),
        ("category: MEDIA\nrules: [7]", "rule 1: must be a mapping of fields"),
        ("category: MEDIA\nrule: []\nrules: []", "unknown field 'rule' (did you mean 'rules'?)"),
        ("category: MEDIA\ncategory: MEDIA\nrules: []", "the key 'category' is written twice"),
        ("category: !!python/object/apply:os.getcwd []\nrules: []", "cannot be read as YAML"),
    ],
)
def test_files_that_are_no_catalogue(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    assert any(expected in problem for problem in problems(tmp_path))


def test_a_title_that_reads_like_a_deep_expression_is_a_title(tmp_path: Path) -> None:
    [loaded] = load_catalogue(write(tmp_path, changed(title="1 % " + "-" * 580 + "1")), marts()).rules
    assert loaded.title.startswith("1 % ---")


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    assert "no catalogue files" in problems(tmp_path)[0]


def test_a_file_that_would_be_passed_over_is_named(tmp_path: Path) -> None:
    write(tmp_path, RULE, name="more.yml")
    assert problems(write(tmp_path, RULE)) == ("more.yml: is not read: name it more.yaml",)


def test_the_hash_is_of_content_not_of_writing(tmp_path: Path) -> None:
    first = load_catalogue(write(tmp_path, RULE), marts()).hash
    text = (tmp_path / "test.yaml").read_text().replace("cpc >= 2", "'cpc>=2'  # spacing and comments")
    (tmp_path / "test.yaml").write_text("# a comment\n" + text)
    assert load_catalogue(tmp_path, marts()).hash == first
    (tmp_path / "test.yaml").rename(tmp_path / "other.yaml")
    assert load_catalogue(tmp_path, marts()).hash == first
    write(tmp_path, changed(when={"medium": "cpc >= 2.5", "high": "cpc >= 3"}), name="other.yaml")
    assert load_catalogue(tmp_path, marts()).hash != first
