"""Episodes as a table: a line of days, and what stands on the last one.

L M H C = fired with low .. critical; `.` = clear and settled; `~` = clear, not settled; b = blocked; v = below volume; s = out of scope; space = no row.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from marketing_agents.rules.episodes import DayOutcome, Episode, episode_at
from marketing_agents.rules.outcomes import Code

ON = date(2026, 11, 20)


def days(line: str) -> list[DayOutcome]:
    codes = {".": Code.CLEAR, "~": Code.CLEAR, "b": Code.BLOCKED, "v": Code.BELOW_VOLUME, "s": Code.SKIPPED}
    result = []
    for position, letter in enumerate(line):
        if letter == " ":
            continue
        day = ON - timedelta(days=len(line) - 1 - position)
        severity = "LMHC".find(letter) + 1
        result.append(DayOutcome(day, Code.FIRED if severity else codes[letter], severity, letter in ".s"))
    return result


def told(line: str) -> str:
    episode = episode_at(days(line), ON)
    return "nothing" if episode is None else f"{episode.state} {'LMHC'[episode.severity - 1]} {episode.days_open}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("....", "nothing"),
        ("...M", "opened M 1"),
        ("..MM", "ongoing M 2"),
        ("..MH", "worsened H 2"),
        ("..HM", "improved M 2"),
        (".HMH", "ongoing H 3"),  # to and fro is told once
        (".HMMMMMMMH", "worsened H 9"),  # the high day is 8 days ago: news again
        (".HMMMMMMH", "ongoing H 8"),  # 7 days ago: not news
        ("M.", "improved M 2"),
        ("M..", "ongoing M 3"),
        ("M...", "resolved M 1"),
        ("MM...", "resolved M 2"),
        ("M....", "nothing"),
        ("M...M", "opened M 1"),
        ("M..M", "ongoing M 4"),
        ("M..M..", "ongoing M 6"),
        ("M~~~~", "ongoing M 5"),
        ("M.~..", "ongoing M 5"),  # a clear day above the resolve level starts the count again
        ("M~...", "resolved M 1"),
        ("Mb", "ongoing M 2"),
        ("Mbbbb", "ongoing M 5"),
        ("M..b.", "resolved M 1"),  # a blocked day neither ends nor extends
        ("M.b.b.", "resolved M 1"),
        ("Mv", "nothing"),
        ("Mvvvv.", "ongoing M 6"),
        ("MvM", "ongoing M 3"),
        ("Msss", "resolved M 1"),
        ("M  M", "ongoing M 4"),
        ("M . . .", "resolved M 1"),
        ("MMM ", "nothing"),  # no row today
        ("bM", "opened M 1"),
        ("LMHC", "worsened C 4"),
        ("CHML", "improved L 4"),
        ("M.H", "worsened H 3"),
        ("H.M", "improved M 3"),
    ],
)
def test_told_on_the_last_day(line: str, expected: str) -> None:
    assert told(line) == expected


@pytest.mark.parametrize(("length", "opened", "days_open"), [(55, ON - timedelta(days=54), 55), (56, None, 56)])
def test_an_episode_as_old_as_the_window_has_no_known_start(length: int, opened: date | None, days_open: int) -> None:
    episode = episode_at(days("M" * length), ON)
    assert episode is not None
    assert (episode.opened_on, episode.days_open) == (opened, days_open)


@pytest.mark.parametrize(
    ("line", "severity", "previous", "evidence"),
    [("MH", 3, 2, 1), ("M", 2, None, 0), ("HMb", 2, 2, 1), ("HM.", 2, 2, 2), ("M...", 2, 2, 3)],
)
def test_severity_previous_and_evidence(line: str, severity: int, previous: int | None, evidence: int) -> None:
    episode = episode_at(days(line), ON)
    assert isinstance(episode, Episode)
    assert (episode.severity, episode.previous_severity, episode.evidence) == (severity, previous, evidence)
