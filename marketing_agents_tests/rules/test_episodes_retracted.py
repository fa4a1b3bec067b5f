"""Episodes with days that restated data overturned, as a table: a line of days, and what stands on the last one.

M H = fired, and confirmed by the second look; m h = fired, and overturned by it; `.` = clear and settled; `~` = clear, not settled; b = blocked;
v = below volume; space = no row.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from marketing_agents.rules.episodes import RETRACTION_REACH_DAYS, DayOutcome, doubtful_days, episode_at
from marketing_agents.rules.outcomes import Code

ON = date(2026, 11, 20)
CODES = {".": Code.CLEAR, "~": Code.CLEAR, "b": Code.BLOCKED, "v": Code.BELOW_VOLUME}


def days(line: str) -> tuple[list[DayOutcome], set[date]]:
    """The days, and which of them were overturned."""
    found, overturned = [], set()
    for back, letter in zip(range(len(line) - 1, -1, -1), line, strict=True):
        day = ON - timedelta(days=back)
        if letter in "mh":
            overturned.add(day)
        if letter != " ":
            severity = "LMHC".find(letter.upper()) + 1
            found.append(DayOutcome(day, Code.FIRED if severity else CODES[letter], severity, letter == "."))
    return found, overturned


def told(line: str) -> str:
    found, overturned = days(line)
    episode = episode_at(found, ON, overturned)
    return "nothing" if episode is None else f"{episode.state} {'LMHC'[episode.severity - 1]} {episode.days_open}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("m", "opened M 1"),  # nobody can know yet
        ("m.", "superseded M 1"),
        ("m..", "nothing"),
        ("m...", "nothing"),
        ("M.", "improved M 2"),  # confirmed: as ever
        ("M..", "ongoing M 3"),
        ("M...", "resolved M 1"),
        ("MMm.", "superseded M 3"),
        ("mM.", "improved M 3"),  # only the last fired day counts
        ("m~", "superseded M 1"),
        ("m~~~~~", "nothing"),
        ("mb", "ongoing M 2"),  # not clear on the day after: not judged again
        ("mb.", "ongoing M 3"),
        ("m.b", "nothing"),
        ("mv", "nothing"),
        ("mv.", "ongoing M 3"),
        ("m .", "improved M 3"),
        ("m.M", "opened M 1"),
        ("m..M", "opened M 1"),
        ("m.MM", "ongoing M 2"),
        ("m.MH", "worsened H 2"),
        ("h.M", "opened M 1"),  # nothing that was retracted is compared with
        ("m.M...", "resolved M 1"),
        ("m.m.", "superseded M 1"),
        ("M.m.", "superseded M 3"),
        ("m.M.", "improved M 2"),
        ("m" + "." + "M" * (RETRACTION_REACH_DAYS - 1), f"ongoing M {RETRACTION_REACH_DAYS - 1}"),
        ("m" + "." + "M" * RETRACTION_REACH_DAYS, f"ongoing M {RETRACTION_REACH_DAYS + 2}"),  # out of reach: as it was told
    ],
)
def test_told_on_the_last_day(line: str, expected: str) -> None:
    assert told(line) == expected


def test_what_a_retracted_episode_shows() -> None:
    found, overturned = days("MHm.")
    episode = episode_at(found, ON, overturned)
    assert episode is not None
    assert (episode.previous_severity, episode.evidence, episode.last_fired) == (2, 3, ON - timedelta(days=1))


@pytest.mark.parametrize(
    ("line", "back"),
    [
        ("M", []),
        ("M.", [1]),
        ("M...", [3]),
        ("M....", []),  # over, whatever a second look says
        ("M.M.", [3, 1]),
        ("MM.", [1]),
        ("Mb.", []),
        ("M .", []),
        ("M.b", [2]),
        ("M. ", []),  # no row today: nothing is told
        ("M~~~~~~~", [7]),
        ("M~~~~~~~~", []),
    ],
)
def test_days_in_doubt(line: str, back: list[int]) -> None:
    assert doubtful_days(days(line)[0], ON) == tuple(ON - timedelta(days=n) for n in back)


@pytest.mark.parametrize("line", ["m.", "m..", "m~~~", "m.M", "M.m.M..", "mb.m~", "m.m.m.", "MMMm~~~~M."])
def test_only_days_in_doubt_can_change_what_is_told(line: str) -> None:
    found, overturned = days(line)
    doubted = set(doubtful_days(found, ON))
    assert episode_at(found, ON, overturned) == episode_at(found, ON, overturned & doubted)
