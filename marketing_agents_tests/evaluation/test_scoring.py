"""What counts as seen, and what as an episode, on findings made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import cast

import pytest

from marketing_agents.evaluation.known_versions import Drawn
from marketing_agents.evaluation.scoring import began_with, episodes_of, is_about
from marketing_agents.rules.finding import Entity, Finding
from marketing_agents.sample.incidents.placed import PlacedIncident
from marketing_agents_tests.decisions.builders import DAY, finding

AD = Entity(type="ad", id="a1", name="Ad", platform="google_ads", account_id="111", campaign_id="c1", adgroup_id="g1")
INCIDENT = PlacedIncident(
    incident_id="i", kind="losing_variant", advertiser_id="acme", entity_type="ad", entity_id="a1", entity_name="Ad", platform="google_ads",
    account_id="111", first=DAY - timedelta(days=5), last=None, size=0.5, unit="x", sentence="people scroll past it", campaigns=(0,),
)  # fmt: skip


class OneCampaign:
    """As much of `Drawn` as is asked for: the ids of the campaigns."""

    class facts:  # noqa: N801 - stands for an attribute
        class structure:  # noqa: N801
            campaigns = (type("Campaign", (), {"campaign_id": "c1"}),)


DRAWN = cast("Drawn", OneCampaign)


def on(entity: Entity, **changes: object) -> Finding:
    return finding("CREATIVE-006", entity, **changes)


@pytest.mark.parametrize(
    ("case", "entity", "expected"),
    [
        ("the ad itself", AD, True),
        ("a part of it", AD.model_copy(update={"type": "segment", "id": "a1/mobile"}), True),
        ("its campaign", AD.model_copy(update={"type": "campaign", "id": "c1", "adgroup_id": "NA"}), True),
        ("another ad of the ad group", AD.model_copy(update={"id": "a2"}), False),
        ("an ad of another ad group", AD.model_copy(update={"id": "a3", "adgroup_id": "g2"}), False),
        ("another campaign", AD.model_copy(update={"type": "campaign", "id": "c2", "campaign_id": "c2", "adgroup_id": "NA"}), False),
        ("another account", AD.model_copy(update={"type": "campaign", "id": "c1", "account_id": "222"}), False),
    ],
)
def test_siblings_are_not_what_it_is_about(case: str, entity: Entity, expected: bool) -> None:
    assert is_about(on(entity), INCIDENT, DRAWN) == expected, case


def test_two_conversion_actions_of_an_account_are_siblings() -> None:
    tag = AD.model_copy(update={"type": "conversion_action", "id": "7", "campaign_id": "NA", "adgroup_id": "NA"})
    incident = replace(INCIDENT, entity_type="conversion_action", entity_id="7", campaigns=())
    assert is_about(on(tag), incident, DRAWN)
    assert not is_about(on(tag.model_copy(update={"id": "8"})), incident, DRAWN)


@pytest.mark.parametrize(("opened_on", "expected"), [(None, True), (INCIDENT.first, True), (INCIDENT.first - timedelta(days=1), False)])
def test_what_opened_before_the_incident_is_something_else(opened_on: date | None, expected: bool) -> None:
    [episode] = episodes_of([on(AD, opened_on=opened_on)])
    assert began_with(episode, INCIDENT) == expected


def test_each_opening_is_an_episode() -> None:
    days = [DAY - timedelta(days=n) for n in (6, 5, 4, 1, 0)]
    told = [
        on(AD, date=days[0], opened_on=days[0]),
        on(AD, date=days[1], opened_on=days[0]),
        on(AD, date=days[2], opened_on=days[0], episode_state="resolved"),
        on(AD, date=days[3], opened_on=days[3]),
        on(AD, date=days[4], opened_on=days[3]),
    ]
    assert [episode.opened_on for episode in episodes_of(told)] == [days[0], days[3]]


def test_an_episode_older_than_the_window_is_one_though_its_first_day_moves() -> None:
    told = [on(AD, date=DAY - timedelta(days=n), opened_on=DAY - timedelta(days=n + 55)) for n in (2, 1, 0)]
    assert len(episodes_of(told)) == 1


def test_explained_findings_raise_no_alarm_but_have_been_seen() -> None:
    explained = on(AD, suppressed_by=("PLAT-004.x",))
    assert episodes_of([explained]) == []
    assert len(episodes_of([explained], with_explained=True)) == 1
