"""Until when a pause lasts, in the advertiser's zone, and what people are told about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketing_agents.advertisers.registry import Advertiser, Registry, RegistryError
from marketing_agents.operations import pausing
from marketing_agents.state.kill_switch import KillSwitch, KillSwitchError, SwitchEntry
from marketing_agents.state.store import StateStore

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
KOLKATA = Advertiser(id="acme", name="Acme", time_zone="Asia/Kolkata")
REGISTRY = Registry(advertisers=(KOLKATA, Advertiser(id="held", name="Held", time_zone="UTC", paused=True)))


@pytest.fixture
def switch(tmp_path):
    state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    yield KillSwitch(state)
    state.close()


@pytest.mark.parametrize(
    ("text", "zone", "now", "end"),
    [
        ("2026-11-30T08:00", "Asia/Kolkata", "2026-11-20T09:30Z", "2026-11-30T02:30Z"),
        ("2026-11-30 08:00", "Asia/Kolkata", "2026-11-20T09:30Z", "2026-11-30T02:30Z"),
        ("2026-11-30T08:00+01:00", "Asia/Kolkata", "2026-11-20T09:30Z", "2026-11-30T07:00Z"),
        ("2026-11-30T08:00Z", "Asia/Kolkata", "2026-11-20T09:30Z", "2026-11-30T08:00Z"),
        ("2026-11-30", "Asia/Kolkata", "2026-11-20T09:30Z", "2026-11-29T18:30Z"),
        ("2026-09-06", "America/Santiago", "2026-09-01T00:00Z", "2026-09-06T04:00Z"),  # 00:00 does not exist there on that day
        ("3d", "Asia/Kolkata", "2026-11-20T09:30Z", "2026-11-23T09:30Z"),
        (" 3 D ", "Asia/Kolkata", "2026-11-20T09:30Z", "2026-11-23T09:30Z"),
        ("1d", "Europe/London", "2026-10-24T12:00Z", "2026-10-25T13:00Z"),  # the same local time, through a day of 25 hours
        ("24h", "Europe/London", "2026-10-24T12:00Z", "2026-10-25T12:00Z"),  # 24 elapsed hours
        ("12h", "Pacific/Kiritimati", "2026-11-20T09:30Z", "2026-11-20T21:30Z"),
    ],
)
def test_until_is_the_advertisers_own_time_unless_it_names_a_zone(text, zone, now, end):
    assert pausing.pause_end(text, ZoneInfo(zone), datetime.fromisoformat(now)) == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tomorrow", "until 'tomorrow' is not a time; write it as 2026-11-30T08:00, 2026-11-30, 3d or 12h"),
        ("30.11.2026", "is not a time"),
        ("2026-13-01", "is not a time"),
        ("2026-11-30T25:00", "is not a time"),
        ("-3d", "is not a time"),
        ("3 weeks", "is not a time"),
        ("2026-11-20", "is over already .*2026-11-20 00:00 in Asia/Kolkata"),
        ("2026-11-20T14:59", "is over already"),
        ("0h", "is over already"),
        ("999999d", "more than ten years away"),
        ("9999-12-31", "more than ten years away"),
        ("0001-01-01T00:00", "is not a time"),  # before the first year in UTC
    ],
)
def test_what_is_no_time_to_come_is_refused(text, message):
    with pytest.raises(KillSwitchError, match=message):
        pausing.pause_end(text, ZoneInfo("Asia/Kolkata"), NOW)


@pytest.mark.parametrize("until", [None, "", "  "])
def test_without_an_end_somebody_must_resume(switch, until):
    assert pausing.pause(REGISTRY, switch, " acme ", who="jo", why="x", until=until, now=NOW).until is None
    assert set(switch.paused(NOW)) == {"acme"}


def test_an_unknown_advertiser_is_named_with_those_there_are(switch):
    with pytest.raises(RegistryError, match="unknown advertiser 'acne'; the registry has: acme, held"):
        pausing.pause(REGISTRY, switch, "acne", who="jo", why="x", until=None, now=NOW)
    with pytest.raises(RegistryError, match="unknown advertiser 'acne'"):
        pausing.resume(REGISTRY, switch, "acne", who="jo", why="x", now=NOW)
    assert switch.history() == []


def test_what_the_registry_pauses_the_switch_cannot_resume(switch):
    with pytest.raises(KillSwitchError, match="held is paused in the registry file, not by the kill switch"):
        pausing.resume(REGISTRY, switch, "held", who="jo", why="x", now=NOW)


@pytest.mark.parametrize(
    ("advertiser", "entry", "told"),
    [
        (KOLKATA, None, "acme is not paused"),
        (
            KOLKATA,
            SwitchEntry("acme", "pause", "jo", "outage", None, NOW),
            "acme is paused by jo until somebody resumes it: outage",
        ),
        (
            KOLKATA,
            SwitchEntry("acme", "pause", "jo", "outage", NOW + timedelta(days=1), NOW),
            "acme is paused by jo until 2026-11-21 15:00 in Asia/Kolkata (09:30 UTC): outage",
        ),
        (
            KOLKATA,
            SwitchEntry("acme", "pause", "jo", "outage", NOW + timedelta(hours=10), NOW),
            "acme is paused by jo until 2026-11-21 01:00 in Asia/Kolkata (2026-11-20 19:30 UTC): outage",
        ),
        (KOLKATA, SwitchEntry("acme", "pause", "jo", "outage", NOW, NOW), "acme is not paused"),
        (KOLKATA, SwitchEntry("acme", "resume", "jo", "over", None, NOW), "acme is not paused"),
        (
            KOLKATA.model_copy(update={"paused": True}),
            SwitchEntry("acme", "resume", "jo", "over", None, NOW),
            "acme is paused in the registry",
        ),
    ],
)
def test_what_is_in_force_is_told_in_both_times(advertiser, entry, told):
    assert pausing.in_force(advertiser, entry, NOW) == told


def test_history_is_newest_first_and_what_people_wrote_stays_text():
    entries = [
        SwitchEntry("acme", "pause", "jo", "a | b ![x](http://evil.example/x.png)", NOW + timedelta(hours=1), NOW),
        SwitchEntry("gone", "resume", "<b>kim</b>", "over", None, NOW),
    ]
    [header, _, newest, oldest] = pausing.history_markdown(entries, REGISTRY).splitlines()
    assert header == "| advertiser | when | what | who | why | until |"
    assert newest.startswith("| gone | 2026-11-20 09:30 in UTC (09:30 UTC) | resume | ")
    assert "<b>" not in newest
    assert "15:00 in Asia/Kolkata" in oldest
    assert "16:00 in Asia/Kolkata" in oldest
    assert oldest.replace("\\|", "").count("|") == header.count("|")
    assert "](" not in oldest.replace("\\]", "")
    assert pausing.history_markdown([], REGISTRY) == "Nobody was ever paused."
