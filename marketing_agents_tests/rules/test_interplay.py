"""What findings of one day do to each other: explained on the entity, on the account, and never in a circle."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketing_agents.rules.catalogue_file import CatalogueError
from marketing_agents.rules.entity_tree import is_below, is_same_line, path_of
from marketing_agents.rules.finding import Entity
from marketing_agents_tests.rules.builders import features, row
from marketing_agents_tests.rules.small_rules import catalogue_of, evaluated, found, on_accounts, on_adgroups, rule

DEAR = {"spend_w7": 1500.0}


def entity(kind: str, identity: str, **parents: str) -> Entity:
    return Entity(type=kind, id=identity, name=identity, **parents)


ADVERTISER = entity("advertiser", "acme")
ACCOUNT = entity("platform_account", "111", platform="meta", account_id="111")
CAMPAIGN = entity("campaign", "c1", platform="meta", account_id="111", campaign_id="c1")
BARE_CAMPAIGN = entity("campaign", "c1", platform="meta", account_id="111")
ON_NETWORK = entity("campaign", "c1/search", platform="meta", account_id="111", campaign_id="c1")
ADGROUP = entity("adgroup", "g1", platform="meta", account_id="111", campaign_id="c1", adgroup_id="g1")
AD = entity("ad", "a1", platform="meta", account_id="111", campaign_id="c1", adgroup_id="g1")
AUDIENCE = entity("audience", "u1", platform="meta", account_id="111", campaign_id="c1")
PLAN = entity("budget_plan", "p1")


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (ACCOUNT, ADVERTISER),
        (CAMPAIGN, ACCOUNT),
        (ADGROUP, CAMPAIGN),
        (ADGROUP, BARE_CAMPAIGN),
        (AD, ADGROUP),
        (AD, ACCOUNT),
        (AUDIENCE, CAMPAIGN),
        (ON_NETWORK, CAMPAIGN),
        (PLAN, ADVERTISER),
    ],
)
def test_children_and_parents(lower: Entity, upper: Entity) -> None:
    assert is_below(path_of(lower), path_of(upper))
    assert not is_below(path_of(upper), path_of(lower))
    assert is_same_line(path_of(upper), path_of(lower))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (CAMPAIGN, CAMPAIGN.model_copy(update={"id": "c2", "campaign_id": "c2"})),
        (CAMPAIGN, CAMPAIGN.model_copy(update={"account_id": "222"})),
        (CAMPAIGN, CAMPAIGN.model_copy(update={"platform": "google_ads"})),
        (ADGROUP, AUDIENCE),
        (PLAN, CAMPAIGN),
        (PLAN, entity("calendar_event", "p1")),
    ],
)
def test_siblings_and_strangers_are_not_on_one_line(one: Entity, other: Entity) -> None:
    assert not is_same_line(path_of(one), path_of(other))


def test_suppressed_only_by_what_is_open_on_the_same_entity(tmp_path: Path) -> None:
    # given two campaigns with many clicks, one of which is also dear
    rules = catalogue_of(
        tmp_path,
        rule("MEDIA-900"),
        rule("MEDIA-901", when={"medium": "clicks_w7 >= 500"}, threshold={"medium": "500"}, suppressed_on_entity_by=["MEDIA-900"]),
    )
    world = features(("campaign_features", [row("campaign_features", **DEAR), row("campaign_features", campaign_id="c2")]))
    # when
    findings = found(evaluated(rules, world))
    # then only the dear one is explained
    assert findings["MEDIA-901 c1"].suppressed_by == (findings["MEDIA-900 c1"].finding_id,)
    assert findings["MEDIA-901 c2"].suppressed_by == ()
    assert findings["MEDIA-900 c1"].suppressed_by == ()


def test_suppressed_by_a_parent_and_by_a_child(tmp_path: Path) -> None:
    rules = catalogue_of(
        tmp_path,
        rule("MEDIA-900", suppressed_on_entity_by=["MEDIA-901"]),
        on_adgroups("MEDIA-901", suppressed_on_entity_by=["MEDIA-902"]),
        on_accounts("MEDIA-902"),
    )
    world = features(
        ("campaign_features", [row("campaign_features", **DEAR), row("campaign_features", campaign_id="c2", **DEAR)]),
        (
            "adgroup_features",
            [row("adgroup_features", **DEAR), row("adgroup_features", account_id="222", campaign_id="c9", adgroup_id="g9", **DEAR)],
        ),
        ("platform_account_features", [row("platform_account_features", account_id="222", spend_per_day_w28=1500.0)]),
    )
    findings = found(evaluated(rules, world))
    assert findings["MEDIA-900 c1"].suppressed_by == (findings["MEDIA-901 g1"].finding_id,)
    assert findings["MEDIA-900 c2"].suppressed_by == ()
    assert findings["MEDIA-901 g1"].suppressed_by == ()
    assert findings["MEDIA-901 g9"].suppressed_by == (findings["MEDIA-902 222"].finding_id,)


def test_both_ways_of_suppression_add_up(tmp_path: Path) -> None:
    rules = catalogue_of(
        tmp_path,
        rule("MEDIA-900"),
        rule("MEDIA-901"),
        rule("MEDIA-902", suppressed_by=["MEDIA-901"], suppressed_on_entity_by=["MEDIA-900"]),
    )
    world = features(("campaign_features", [row("campaign_features", **DEAR), row("campaign_features", campaign_id="c2", **DEAR)]))
    findings = found(evaluated(rules, world))
    ids = {key: finding.finding_id for key, finding in findings.items()}
    assert set(findings["MEDIA-902 c1"].suppressed_by) == {ids["MEDIA-900 c1"], ids["MEDIA-901 c1"], ids["MEDIA-901 c2"]}


def test_rules_that_explain_each_other_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError) as caught:
        catalogue_of(
            tmp_path,
            rule("MEDIA-900", suppressed_by=["MEDIA-901"]),
            rule("MEDIA-901", suppressed_on_entity_by=["MEDIA-902"]),
            rule("MEDIA-902", suppressed_by=["MEDIA-900"]),
            rule("MEDIA-903", suppressed_by=["MEDIA-900"]),
        )
    assert [problem.split(": ")[1] for problem in caught.value.problems] == ["MEDIA-900", "MEDIA-901", "MEDIA-902"]
    assert "it would also explain MEDIA-902, so that neither is acted upon" in caught.value.problems[0]


def test_an_unknown_rule_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"suppressed_on_entity_by: unknown rule 'MEDIA-9' "):
        catalogue_of(tmp_path, rule("MEDIA-900", suppressed_on_entity_by=["MEDIA-9"]), rule("MEDIA-901"))
