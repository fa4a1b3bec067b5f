"""Onboardings: what was requested for whom, and when the advertiser was first seen."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from marketing_agents.state.onboardings import Onboarding, Onboardings

MOMENT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ACME = Onboarding("acme", date(2026, 11, 6), date(2026, 11, 19), "")
ZETA = Onboarding("zeta", None, None, "had results already")


@pytest.fixture
def onboardings(state):
    return Onboardings(state)


def test_nobody_is_onboarded_at_first(onboardings):
    assert onboardings.read() == {}
    onboardings.record([])
    assert onboardings.read() == {}


def test_what_was_requested_comes_back_with_the_moment_it_was_recorded(onboardings):
    onboardings.record([ACME, ZETA], at=MOMENT)
    found = onboardings.read()
    assert found == {"acme": ACME, "zeta": ZETA}
    assert {(o.recorded_at, o.recorded_at.tzinfo) for o in found.values()} == {(MOMENT, UTC)}


def test_the_later_record_of_an_advertiser_counts(onboardings):
    onboardings.record([ACME], at=MOMENT)
    onboardings.record([Onboarding("acme", None, None, "left and came back")], at=MOMENT)
    assert onboardings.read()["acme"].note == "left and came back"
