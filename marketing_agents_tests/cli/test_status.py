"""`marketing-agents status`: who is behind and why, and everything on record about one advertiser or one day."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketing_agents.operations.freshness import last_due_day
from marketing_agents.settings import PROJECT_DIR
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.mornings import Morning, Mornings
from marketing_agents.state.onboardings import Onboarding, Onboardings
from marketing_agents.status import PartitionStatus
from marketing_agents_tests.cli.on_a_registry import Commands

DAYS = timedelta(days=1)
LONDON, KOLKATA = "Europe/London", "Asia/Kolkata"


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """`fine` is done; `late` failed on the last due day after a good one; `held` is paused."""
    commands = Commands(tmp_path, monkeypatch, capsys)
    commands.register({"id": "fine", "time_zone": LONDON}, {"id": "late", "time_zone": KOLKATA}, {"id": "held", "time_zone": "UTC"})
    record(commands, "fine", due(LONDON), daily_report="ok")
    # A tick may be evaluated between two of these lines; a day more is done than can be due.
    record(commands, "fine", due(LONDON) + DAYS, daily_report="ok")
    record(commands, "late", due(KOLKATA) - DAYS, ingestion="ok", daily_report="ok")
    record(commands, "late", due(KOLKATA), ingestion="ok", marts="failed", findings="failed", daily_report="failed")
    KillSwitch(commands.state).pause("held", who="jo", why="outage", until=datetime.now(UTC) + DAYS)
    return commands


def due(zone):
    return last_due_day(datetime.now(UTC), ZoneInfo(zone))


def record(cli, advertiser_id, day, **steps):
    """Steps in order; a failed one quotes a file."""
    for minute, (step, status) in enumerate(steps.items()):
        reason = "orders.csv: row 3: [bold]'x'[/bold] is no number" if status == "failed" else ""
        moment = datetime.now(UTC) - timedelta(hours=1) + timedelta(minutes=minute)
        cli.state.record_status([PartitionStatus(step, advertiser_id, day, status, reason)], run_id="0123456789ab", at=moment)


def test_everybody_on_one_line_worst_first_and_status_1(cli):
    code, out, err = cli.run("status")
    assert (code, err) == (1, "")
    assert "3 advertisers at " in out
    assert "1 behind, 1 paused, 0 new" in out
    order = [out.index(name) for name in ("late", "held", "fine")]
    assert order == sorted(order)
    [late] = [line for line in out.splitlines() if "│ late" in line]
    assert "1 d" in late
    assert "marts failed: orders.csv: row 3: [bold]'x'[/bold] is no number" in late


def test_nobody_behind_is_status_0(cli):
    record(cli, "late", due(KOLKATA), daily_report="degraded")
    code, out, _ = cli.run("status")
    assert code == 0
    assert "0 behind" in out


def test_the_same_as_data(cli):
    code, out, err = cli.run("status", "--json")
    assert (code, err) == (1, "")
    told = json.loads(out)
    assert (told["behind"], told["paused"], told["new"], told["total"], told["most_days_behind"]) == (1, 1, 0, 3, 1)
    late, held, fine = told["advertisers"]
    assert (late["advertiser"], late["state"], late["missing"]) == ("late", "behind", [due(KOLKATA).isoformat()])
    assert (held["state"], fine["state"]) == ("paused", "up to date")
    assert held["why"].endswith(": outage")


def test_one_advertiser_with_its_days_pauses_and_onboarding(cli):
    day = due(KOLKATA)
    Mornings(cli.state).record([Morning("late", day, "gave_up", "no rows", 3, datetime.now(UTC) - timedelta(hours=9))])
    Onboardings(cli.state).record([Onboarding("late", day - 14 * DAYS, day - DAYS, "fourteen days")], at=datetime.now(UTC) - 5 * DAYS)
    KillSwitch(cli.state).pause("late", who="kim", why="once")
    KillSwitch(cli.state).resume("late", who="kim", why="and again")
    code, out, err = cli.run("status", "--advertiser", "late")
    assert (code, err) == (1, "")
    [line] = [text for text in out.splitlines() if f"│ {day} " in text]
    assert [cell.strip() for cell in line.split("│")[2:8]] == ["ok", "failed", "failed", "–", "–", "failed"]
    assert "gave_up" in line
    assert "once" in out
    assert "and again" in out
    assert f"onboarding: {day - 14 * DAYS} to {day - DAYS} (fourteen days)" in out
    assert "fine" not in out

    code, out, _ = cli.run("status", "--advertiser", "late", "--json")
    assert code == 1
    told = json.loads(out)
    assert len(told["days"]) == 14
    [shown] = [d for d in told["days"] if d["date"] == day.isoformat()]
    assert [(s["step"], s["status"], s["run_id"]) for s in shown["steps"]][:2] == [
        ("ingestion", "ok", "0123456789ab"),
        ("marts", "failed", "0123456789ab"),
    ]
    assert (shown["morning"]["outcome"], shown["morning"]["attempts"], shown["is_done"]) == ("gave_up", 3, False)
    assert [p["action"] for p in told["pauses"]] == ["pause", "resume"]
    assert told["onboarding"]["note"] == "fourteen days"


def test_one_day_of_everybody(cli):
    day = due(KOLKATA)
    code, out, _ = cli.run("status", "--date", day.isoformat())
    assert code == 1
    [late] = [line for line in out.splitlines() if "│ late" in line]
    assert [cell.strip() for cell in late.split("│")[2:8]] == ["ok", "failed", "failed", "–", "–", "failed"]
    code, out, _ = cli.run("status", "--advertiser", "late", "--date", (day - DAYS).isoformat())
    assert code == 0
    assert "01234567" in out
    told = json.loads(cli.run("status", "--date", day.isoformat(), "--json")[1])
    assert {d["advertiser"] for d in told["days"]} == {"fine", "late", "held"}
    assert cli.run("status", "--date", (day + 30 * DAYS).isoformat())[0] == 0  # nobody can be late for a day to come


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--advertiser", "acme"], "unknown advertiser 'acme'; the registry has: fine, late, held"),
        (["--date", "yesterday"], "--date 'yesterday' is not a date"),
    ],
)
def test_a_wrong_argument_is_one_message_and_status_2(cli, arguments, words):
    code, out, err = cli.run("status", *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_the_answer_does_not_wait_for_dagster_or_data_libraries(cli):
    script = (
        "import sys; sys.argv = ['marketing-agents', 'status']\n"
        "from marketing_agents.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'dagster', 'pandas', 'numpy', 'pyarrow', 'duckdb', 'matplotlib', 'alembic'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_DIR, env=os.environ.copy(), check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 advertisers" in done.stdout
