"""The second look at told days: what is asked again, and what overturns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from marketing_agents.days import LocalDay
from marketing_agents.rules.episodes import ToldDay
from marketing_agents.rules.evaluate import Evaluation
from marketing_agents.rules.muting import Feedback
from marketing_agents.rules.retraction import marts_of_second_look, overturned, restated
from marketing_agents.rules.rule import Catalogue
from marketing_agents.warehouse.store import SliceVersion
from marketing_agents_tests.rules.builders import ADVERTISER, DAY, all_loaded, features, row
from marketing_agents_tests.rules.small_rules import TODAY, catalogue_of, evaluated, found, on_accounts, rule

TOLD_ON = DAY - timedelta(days=1)
CAMPAIGN = ("google_ads", "111", "c1")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return catalogue_of(tmp_path_factory.mktemp("rules"), rule("MEDIA-901", floor="clicks_w7 >= 100", min_history_days=30))


def told_day(catalogue: Catalogue) -> ToldDay:
    [told] = evaluated(catalogue, world(2000, 0)).doubtful[TODAY]
    return told


def world(yesterday: float, today: float):
    rows = [row("campaign_features", DAY - timedelta(days=back), spend_w7=spend) for back, spend in ((1, yesterday), (0, today))]
    return features(("campaign_features", rows))


def version(date, as_of, advertiser=ADVERTISER) -> SliceVersion:
    return SliceVersion("ad_performance_daily", advertiser, date, as_of, 1, "h", datetime(2026, 11, 22, tzinfo=UTC), False)


def test_a_fired_day_before_a_clear_one_is_in_doubt(catalogue: Catalogue) -> None:
    told = told_day(catalogue)
    assert (told.advertiser_id, told.rule_id, told.day) == (ADVERTISER, "MEDIA-901", TOLD_ON)
    assert set(told.entity) >= {"c1"}
    assert evaluated(catalogue, world(2000, 2000)).doubtful[TODAY] == []


@pytest.mark.parametrize(
    ("versions", "is_asked"),
    [
        ([], False),
        ([version(DAY, DAY), version(TOLD_ON, TOLD_ON)], False),
        ([version(TOLD_ON, DAY)], True),
        ([version(TOLD_ON - timedelta(days=2), DAY)], True),
        ([version(TOLD_ON - timedelta(days=2), TOLD_ON)], False),  # the first look saw it
        ([version(TOLD_ON, DAY + timedelta(days=1))], False),  # later than the second look
        ([version(TOLD_ON, DAY, "other")], False),
    ],
)
def test_only_what_was_restated_on_the_day_after_is_asked_again(catalogue: Catalogue, versions: list[SliceVersion], is_asked: bool) -> None:
    told = told_day(catalogue)
    assert restated([told], versions) == ({told} if is_asked else frozenset())


@pytest.mark.parametrize(
    ("then", "is_overturned"),
    [
        ({"spend_w7": 500.0}, True),
        ({"spend_w7": 1000.0}, False),  # still fires, with another severity
        ({"spend_w7": 2000.0}, False),
        ({"spend_w7": 2000.0, "clicks_w7": 50}, True),  # the rule would not have spoken on so little
        ({"spend_w7": None}, False),
        ({"spend_w7": 500.0, "history_days": 3}, False),
        ({"spend_w7": 500.0, "campaign_id": "c2"}, False),  # the campaign is not there any more
    ],
)
def test_what_overturns(catalogue: Catalogue, then: dict, is_overturned: bool) -> None:
    told = told_day(catalogue)
    known_later = features(("campaign_features", [row("campaign_features", TOLD_ON, **then)]))
    days = [LocalDay(ADVERTISER, TOLD_ON)]
    assert overturned(catalogue, [told], known_later, all_loaded(days)) == ({told} if is_overturned else frozenset())


def test_data_that_cannot_be_judged_overturn_nothing(catalogue: Catalogue) -> None:
    told = told_day(catalogue)
    known_later = features(("campaign_features", [row("campaign_features", TOLD_ON, spend_w7=0.0)]))
    inputs = all_loaded([LocalDay(ADVERTISER, TOLD_ON)], absent_on={"ad_performance_daily": [TOLD_ON]})
    assert overturned(catalogue, [told], known_later, inputs) == frozenset()


def test_marts_of_the_rules_in_doubt_are_enough(catalogue: Catalogue, tmp_path: Path) -> None:
    told = told_day(catalogue)
    both = catalogue_of(tmp_path, rule("MEDIA-901"), on_accounts("MEDIA-902"))
    assert marts_of_second_look(both, [told]) == {"campaign_features"}


def superseded(catalogue: Catalogue, **options) -> Evaluation:
    return evaluated(catalogue, world(2000, 0), overturned={told_day(catalogue)}, **options)


def test_a_retracted_finding_says_so_and_asks_for_nothing(catalogue: Catalogue) -> None:
    [finding] = found(superseded(catalogue)).values()
    assert (finding.episode_state, finding.is_open, finding.days_open) == ("superseded", False, 1)
    facts = {fact.name: fact.display for fact in finding.facts}
    assert facts["retracted"] == f"data restated since then show that it did not hold on {TOLD_ON}"
    assert [action.action for action in finding.playbook] == ["NO_ACTION_MONITOR"]


def test_a_muted_finding_stays_muted_when_it_is_overturned(catalogue: Catalogue) -> None:
    note = Feedback(feedback_id="n1", given_on=DAY, rule_id="MEDIA-901", verdict="mute", author="jane")
    [finding] = found(superseded(catalogue, feedback={TODAY: [note]})).values()
    assert finding.episode_state == "muted"


def test_counts_of_outcomes_do_not_change(catalogue: Catalogue) -> None:
    assert superseded(catalogue).outcomes == evaluated(catalogue, world(2000, 0)).outcomes


def test_other_entities_are_told_as_before(tmp_path: Path) -> None:
    catalogue = catalogue_of(tmp_path, rule("MEDIA-901"))
    rows = [
        row("campaign_features", DAY - timedelta(days=back), campaign_id=campaign, spend_w7=spend)
        for campaign in ("c1", "c2")
        for back, spend in ((1, 2000.0), (0, 0.0))
    ]
    both = features(("campaign_features", rows))
    before = evaluated(catalogue, both)
    [told] = [each for each in before.doubtful[TODAY] if "c1" in each.entity]
    after = found(evaluated(catalogue, both, overturned={told}))
    assert after["MEDIA-901 c1"].episode_state == "superseded"
    assert after["MEDIA-901 c2"] == found(before)["MEDIA-901 c2"]
