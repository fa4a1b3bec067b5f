"""The kill switch: the last entry counts, a pause may end by itself, everything stays on record, and every process sees it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from marketing_agents.state.kill_switch import KillSwitch, KillSwitchError
from marketing_agents.state.store import StateStore

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def switch(state):
    return KillSwitch(state)


def test_nobody_is_paused_at_first(switch):
    assert switch.paused(NOW) == {}
    assert switch.history() == []


def test_a_pause_holds_until_somebody_resumes(switch):
    switch.pause("acme", who="jo", why="wrong budgets", at=NOW)
    [(advertiser_id, entry)] = switch.paused(NOW + 1000 * HOUR).items()
    assert (advertiser_id, entry.who, entry.why, entry.at, entry.until) == ("acme", "jo", "wrong budgets", NOW, None)
    switch.resume("acme", who="kim", why="fixed", at=NOW + HOUR)
    assert switch.paused(NOW + HOUR) == {}


def test_a_pause_with_an_end_ends_there_and_not_a_second_earlier(switch):
    until = datetime(2026, 11, 21, 8, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    switch.pause("acme", who="jo", why="migration", until=until, at=NOW)
    assert switch.paused(until - timedelta(seconds=1))["acme"].until == datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
    assert switch.paused(until) == {}


def test_pausing_a_paused_one_records_the_new_reason_and_end(switch):
    switch.pause("acme", who="jo", why="outage", until=NOW + HOUR, at=NOW)
    switch.pause("acme", who="kim", why="still out", until=NOW + 3 * HOUR, at=NOW)
    entry = switch.paused(NOW + 2 * HOUR)["acme"]
    assert (entry.who, entry.why, entry.until) == ("kim", "still out", NOW + 3 * HOUR)


def test_a_late_tick_does_not_start_what_was_stopped_meanwhile(switch):
    switch.pause("acme", who="jo", why="stop", at=NOW)
    assert "acme" in switch.paused(NOW - HOUR)


def test_advertisers_do_not_touch_each_other(switch):
    for advertiser_id in ("acme", "zeta", "beta"):
        switch.pause(advertiser_id, who="jo", why="all", at=NOW)
    switch.resume("zeta", who="jo", why="fine", at=NOW)
    assert set(switch.paused(NOW)) == {"acme", "beta"}
    assert set(switch.paused(NOW, ["acme", "zeta"])) == {"acme"}
    assert switch.paused(NOW, []) == {}


def test_history_keeps_every_entry_in_order(switch):
    switch.pause("acme", who="jo", why="one", at=NOW)
    switch.pause("zeta", who="jo", why="two", at=NOW)
    switch.resume("acme", who="kim", why="three", at=NOW + HOUR)
    assert [(e.advertiser_id, e.action, e.why, e.at) for e in switch.history()] == [
        ("acme", "pause", "one", NOW),
        ("zeta", "pause", "two", NOW),
        ("acme", "resume", "three", NOW + HOUR),
    ]
    assert [e.why for e in switch.history(["acme"])] == ["one", "three"]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"who": " ", "why": "x"}, "say who and why"),
        ({"who": "jo", "why": "\n"}, "say who and why"),
        ({"who": "jo", "why": "x", "until": NOW}, "is over already"),
        ({"who": "jo", "why": "x", "until": datetime(2027, 1, 1)}, "has no time zone"),
    ],
)
def test_a_pause_that_makes_no_sense_is_refused_and_changes_nothing(switch, order, message):
    with pytest.raises(KillSwitchError, match=f"pause of acme: .*{message}"):
        switch.pause("acme", at=NOW, **order)
    assert switch.history() == []


def test_only_a_paused_one_can_be_resumed(switch):
    with pytest.raises(KillSwitchError, match="acme is not paused"):
        switch.resume("acme", who="jo", why="x", at=NOW)
    switch.pause("acme", who="jo", why="short", until=NOW + HOUR, at=NOW)
    with pytest.raises(KillSwitchError, match="acme is not paused"):
        switch.resume("acme", who="jo", why="x", at=NOW + 2 * HOUR)
    assert len(switch.history()) == 1


def test_texts_are_one_bounded_line_without_control_characters(switch):
    entry = switch.pause("acme", who="jo\x00\x1b[31m", why=f"first\nsecond\x00 {'x' * 5000}", at=NOW)
    assert entry.who == "jo [31m"
    assert entry.why.startswith("first second xxx")
    assert len(entry.why) == 1000
    assert switch.history() == [entry]


def test_the_reason_names_who_why_and_until_when(switch):
    assert switch.pause("acme", who="jo", why="outage", at=NOW).reason == "paused by jo: outage"
    ends = switch.pause("acme", who="jo", why="outage", until=NOW + HOUR, at=NOW)
    assert ends.reason == "paused by jo until 2026-11-20 10:30 UTC: outage"


def test_another_process_reads_it(switch, url):
    switch.pause("acme", who="jo", why="outage", until=NOW + HOUR, at=NOW)
    script = (
        "import sys; from datetime import datetime; from marketing_agents.state.kill_switch import KillSwitch; "
        "from marketing_agents.state.store import StateStore\n"
        "print(KillSwitch(StateStore(sys.argv[1])).paused(datetime.fromisoformat(sys.argv[2]))['acme'].reason)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, url, NOW.isoformat()], cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == "paused by jo until 2026-11-20 10:30 UTC: outage"


def test_one_question_however_many_advertisers_and_entries(url):
    store = StateStore(url)
    switch = KillSwitch(store)
    ids = [f"adv-{n:04d}" for n in range(50)]
    for advertiser_id in ids:
        switch.pause(advertiser_id, who="jo", why="x", at=NOW)
    asked: list[str] = []
    sa.event.listen(store.engine(), "before_cursor_execute", lambda _c, _cur, statement, *_: asked.append(statement))
    assert len(switch.paused(NOW, [*ids, *(f"other-{n}" for n in range(1000))])) == 50
    assert len(asked) == 1
    store.close()
