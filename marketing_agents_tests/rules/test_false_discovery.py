"""Many entities tested on one day: Benjamini-Hochberg against scipy, and what a rule with `false_discovery` says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import false_discovery_control as of_library

from marketing_agents.days import LocalDay
from marketing_agents.rules.catalogue_file import CatalogueError
from marketing_agents.rules.explain import explain
from marketing_agents.rules.rule import Catalogue
from marketing_agents.rules.statistics import false_discovery_control
from marketing_agents_tests.rules.builders import ADVERTISER, DAY, all_loaded, fact, features, outcomes_of, row
from marketing_agents_tests.rules.small_rules import TODAY, catalogue_of, evaluated, found, rule


def test_families_are_adjusted_as_the_library_does() -> None:
    random = np.random.default_rng(5)
    families = random.integers(0, 60, 3000)
    p_values = np.where(random.random(3000) < 0.1, np.nan, random.beta(0.4, 3.0, 3000))
    p_values[:200] = np.round(p_values[:200], 1)  # ties
    adjusted, sizes = false_discovery_control(p_values, families)
    for family in range(60):
        own = families == family
        tested = own & ~np.isnan(p_values)
        np.testing.assert_array_equal(adjusted[tested], of_library(p_values[tested]))
        assert np.isnan(adjusted[own & ~tested]).all()
        assert (sizes[own] == tested.sum()).all()


def test_the_published_example() -> None:
    # Benjamini and Hochberg 1995, section 3.2: 15 p-values of a heart study, 4 are rejected at 0.05
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    adjusted, _ = false_discovery_control(np.array(p_values), np.zeros(15, dtype="int64"))
    assert (adjusted <= 0.05).sum() == 4


@pytest.mark.parametrize("p_values", [[], [np.nan], [np.nan, np.nan], [0.03]])
def test_few_or_no_tests(p_values: list[float]) -> None:
    adjusted, _ = false_discovery_control(np.array(p_values, dtype="float64"), np.zeros(len(p_values), dtype="int64"))
    np.testing.assert_array_equal(adjusted, p_values)


def test_a_family_does_not_depend_on_its_company() -> None:
    random = np.random.default_rng(6)
    p_values, families = random.random(500), random.integers(0, 9, 500)
    together, _ = false_discovery_control(p_values, families)
    alone, _ = false_discovery_control(p_values[families == 4], np.zeros((families == 4).sum(), dtype="int64"))
    np.testing.assert_array_equal(together[families == 4], alone)


def with_test(**changes: Any) -> dict[str, Any]:
    """Fires at a spend of 1000; the p-value is the column clicks_w7 / 1000."""
    return rule("MEDIA-900", test={"p_value": "clicks_w7 / 1000"}, false_discovery=0.10, **changes)


def campaigns(p_by_id: dict[str, float], **changes: Any) -> Any:
    rows = [row("campaign_features", campaign_id=name, clicks_w7=1000 * p, **{"spend_w7": 1500.0} | changes) for name, p in p_by_id.items()]
    return features(("campaign_features", rows))


@pytest.fixture
def rules(tmp_path: Path) -> Catalogue:
    return catalogue_of(tmp_path, with_test())


@pytest.mark.parametrize(
    ("case", "p_values", "fired"),
    [
        ("alone, 0.08 is below 0.10", [0.08], 1),
        ("the same among ten is not", [0.08, *[0.5] * 9], 0),
        ("a strong one carries its neighbours", [0.001, 0.02, 0.03, *[0.9] * 7], 3),
        ("exactly at the rate", [0.10], 1),
        ("nothing but chance", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0], 0),
    ],
)
def test_what_chance_explains_is_clear(case: str, p_values: list[float], fired: int, rules: Catalogue) -> None:
    evaluation = evaluated(rules, campaigns({f"c{n}": p for n, p in enumerate(p_values)}))
    assert len(found(evaluation)) == fired, case
    counted = {outcome.outcome: (outcome.entities, outcome.detail) for outcome in outcomes_of(evaluation, "MEDIA-900")}
    assert counted.get("fired", (0, ""))[0] == fired
    rest = len(p_values) - fired
    expected = f"{rest} within chance among {len(p_values)} tested (false discovery rate 0.1)"
    assert counted.get("clear") == ((rest, expected) if rest else None)


def test_the_evidence_names_the_adjusted_value(rules: Catalogue) -> None:
    finding = found(evaluated(rules, campaigns({"c1": 0.001, "c2": 0.5, "c3": 0.5, "c4": 0.5})))["MEDIA-900 c1"]
    assert (fact(finding, "p_value"), fact(finding, "p_adjusted"), fact(finding, "entities_tested")) == ("0.001", "0.004", "4")
    assert finding.p_value == 0.001


def test_only_what_was_tested_counts_as_a_test(tmp_path: Path) -> None:
    # given one campaign that fires and nine that are out of scope, too small or without a p-value
    rules = catalogue_of(tmp_path, with_test(applies="campaign_status == 'enabled'", floor="impressions_w7 >= 100"))
    rows = [row("campaign_features", spend_w7=1500.0, clicks_w7=80)]
    rows += [row("campaign_features", campaign_id=f"p{n}", clicks_w7=900, campaign_status="paused") for n in range(3)]
    rows += [row("campaign_features", campaign_id=f"s{n}", clicks_w7=900, impressions_w7=10) for n in range(3)]
    rows += [row("campaign_features", campaign_id=f"n{n}", clicks_w7=None) for n in range(3)]
    assert list(found(evaluated(rules, features(("campaign_features", rows))))) == ["MEDIA-900 c1"]


def test_days_and_advertisers_are_families_of_their_own(rules: Catalogue) -> None:
    before = DAY - timedelta(days=1)
    rows = [row("campaign_features", before, spend_w7=1500.0, clicks_w7=80)]
    rows += [row("campaign_features", campaign_id=f"c{n}", spend_w7=1500.0, clicks_w7=80 if n == 1 else 500) for n in range(1, 8)]
    rows += [row("campaign_features", DAY, "globex", spend_w7=1500.0, clicks_w7=80)]
    days = [LocalDay(ADVERTISER, before), TODAY, LocalDay("globex", DAY)]
    evaluation = evaluated(rules, features(("campaign_features", rows)), days)
    assert {day.key: [f.episode_state for f in findings] for day, findings in evaluation.findings.items()} == {
        LocalDay(ADVERTISER, before).key: ["opened"],
        TODAY.key: ["improved"],  # the episode is open, the day is clear
        LocalDay("globex", DAY).key: ["opened"],
    }


def test_explain_says_what_was_compared(rules: Catalogue) -> None:
    text = explain(rules, campaigns({"c1": 0.08, "c2": 0.5}), TODAY, "MEDIA-900", all_loaded()).markdown()
    assert "0.16 among 2 tested (must be at most 0.1)" in text
    assert "a severity holds, but among so many tests chance explains it" in text


@pytest.mark.parametrize("p_value", [-0.5, 1.5])
@pytest.mark.parametrize("changes", [{"test": {"p_value": "clicks_w7 / 1000", "below": 0.05}, "false_discovery": None}, {}])
def test_what_is_no_probability_counts_as_missing(p_value: float, changes: dict[str, Any], tmp_path: Path) -> None:
    rules = catalogue_of(tmp_path, {k: v for k, v in (with_test() | changes).items() if v is not None})
    evaluation = evaluated(rules, campaigns({"c1": p_value}))
    [outcome] = outcomes_of(evaluation, "MEDIA-900")
    assert (outcome.reason, outcome.detail) == ("missing_input", "clicks_w7 cannot be computed (division by zero, or no probability)")
    assert found(evaluation) == {}


def test_evidence_that_is_no_probability_is_left_out(tmp_path: Path) -> None:
    rules = catalogue_of(tmp_path, rule("MEDIA-900", test={"p_value": "clicks_w7 / 1000"}))
    [finding] = found(evaluated(rules, campaigns({"c1": -0.5}))).values()
    assert (finding.p_value, finding.confidence) == (None, 1.0)


def test_it_needs_a_test(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="false_discovery: needs the p-value of `test`"):
        catalogue_of(tmp_path, rule("MEDIA-900", false_discovery=0.1))
