"""`marketing-agents pause` and `resume`: who, why, until when, told back in the advertiser's zone and in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents_tests.cli.on_a_registry import Commands


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    commands = Commands(tmp_path, monkeypatch, capsys)
    commands.register(
        {"id": "acme", "time_zone": "Asia/Kolkata"}, {"id": "zeta", "time_zone": "UTC"}, {"id": "held", "time_zone": "UTC", "paused": True}
    )
    monkeypatch.setenv("LOGNAME", "sam")  # what getpass asks first
    return commands


def in_force(cli):
    return KillSwitch(cli.state).paused(datetime.now(UTC))


def test_pause_says_what_is_in_force_and_how_to_go_on(cli):
    code, out, err = cli.run("pause", "--advertiser", "acme", "--why", "wrong budgets", "--by", "jo", "--until", "2199-11-30T08:00")
    assert (code, out) == (2, "")
    assert "more than ten years" in err
    year = datetime.now(UTC).year + 1
    code, out, err = cli.run("pause", "--advertiser", "acme", "--why", "wrong budgets", "--by", "jo", "--until", f"{year}-11-30T08:00")
    assert (code, err) == (0, "")
    assert f"acme is paused by jo until {year}-11-30 08:00 in Asia/Kolkata (02:30 UTC): wrong budgets" in out
    assert "marketing-agents resume --advertiser acme" in out
    assert in_force(cli)["acme"].until == datetime(year, 11, 30, 2, 30, tzinfo=UTC)


def test_who_is_the_user_of_the_machine_unless_named(cli):
    cli.run("pause", "--advertiser", "acme", "--why", "x")
    cli.run("pause", "--advertiser", "zeta", "--why", "x", "--by", "jo")
    assert {a: e.who for a, e in in_force(cli).items()} == {"acme": "sam", "zeta": "jo"}


def test_pausing_again_records_the_new_reason_and_end(cli):
    cli.run("pause", "--advertiser", "acme", "--why", "outage", "--until", "12h")
    code, out, _ = cli.run("pause", "--advertiser", "acme", "--why", "longer outage")
    assert code == 0
    assert "until somebody resumes it: longer outage" in out
    assert (in_force(cli)["acme"].why, in_force(cli)["acme"].until) == ("longer outage", None)


def test_resume_lets_it_go_and_history_shows_both(cli):
    cli.run("pause", "--advertiser", "acme", "--why", "wrong [bold]budgets[/bold] \x1b[31m", "--by", "jo")
    cli.run("pause", "--advertiser", "zeta", "--why", "other")
    code, out, err = cli.run("resume", "--advertiser", "acme", "--why", "corrected", "--by", "kim")
    assert (code, err) == (0, "")
    assert "acme is not paused" in out
    assert set(in_force(cli)) == {"zeta"}
    code, out, _ = cli.run("pause", "--history", "--advertiser", "acme")
    assert code == 0
    assert re.search(r"resume\W+kim\W+corrected.*pause\W+jo\W+wrong \[bold\]budgets\[/bold\] \[31m", out, re.DOTALL)
    assert "other" not in out
    assert "\x1b[31m" not in out
    assert "other" in cli.run("pause", "--history")[1]


def test_history_of_nobody_and_of_somebody_who_left(cli):
    assert cli.run("pause", "--history") == (0, "nobody was ever paused\n", "")
    assert cli.run("pause", "--history", "--advertiser", "zeta") == (0, "zeta was never paused\n", "")
    cli.run("pause", "--advertiser", "zeta", "--why", "leaves")
    cli.register({"id": "acme", "time_zone": "Asia/Kolkata"})
    code, out, _ = cli.run("pause", "--history", "--advertiser", "zeta")
    assert code == 0
    assert "leaves" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pause", "--advertiser", "acne", "--why", "x"], "unknown advertiser 'acne'; the registry has: acme, zeta, held"),
        (["pause", "--history", "--advertiser", "acne"], "unknown advertiser 'acne'"),
        (["pause", "--advertiser", "acme"], "pause needs --advertiser and --why"),
        (["pause", "--why", "x"], "pause needs --advertiser and --why"),
        (["pause", "--advertiser", "acme", "--why", ""], "say who and why"),
        (["pause", "--advertiser", "acme", "--why", "x", "--by", ""], "say who and why"),
        (["pause", "--advertiser", "acme", "--why", "x", "--until", "soon"], "until 'soon' is not a time; write it as"),
        (["pause", "--advertiser", "acme", "--why", "x", "--until", "2020-01-01"], "is over already"),
        (["resume", "--advertiser", "acme", "--why", "x"], "acme is not paused"),
        (["resume", "--advertiser", "held", "--why", "x"], "held is paused in the registry file"),
        (["resume", "--advertiser", "acne", "--why", "x"], "unknown advertiser 'acne'"),
    ],
)
def test_a_wrong_order_is_one_message_and_changes_nothing(cli, arguments, words):
    code, out, err = cli.run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("marketing-agents: ")
    assert words in err
    assert KillSwitch(cli.state).history() == []


def test_a_process_without_a_user_is_asked_for_a_name(cli, monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)  # as in a container: no entry in the password file
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = cli.run("pause", "--advertiser", "acme", "--why", "x")
    assert code == 2
    assert "say who you are with --by" in err
