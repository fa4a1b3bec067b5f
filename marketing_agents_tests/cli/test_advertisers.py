"""`advertisers add|list|edit|remove` as a person meets them: what they say, what they refuse, what is in the file afterwards."""

from __future__ import annotations

import json
import shlex
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.cli.app import main
from marketing_agents.settings import Settings
from marketing_agents.state.kill_switch import KillSwitch
from marketing_agents.state.onboardings import Onboarding, Onboardings
from marketing_agents.state.store import StateStore
from marketing_agents.status import PartitionStatus

ACME = ("add", "acme", "--name", "Acme Ltd", "--time-zone", "Europe/London")


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs `marketing-agents advertisers <arguments>` in this process; (exit code, standard output, standard error)."""
    monkeypatch.setenv("MARKETING_AGENTS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MARKETING_AGENTS_ADVERTISERS", str(tmp_path / "own.yaml"))
    monkeypatch.setenv("COLUMNS", "180")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["marketing-agents", "advertisers", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return int(ended.value.code or 0), shown.out, shown.err

    return run


@pytest.fixture
def path(tmp_path):
    return tmp_path / "own.yaml"


def test_add_writes_every_option_as_the_registry_wants_it(command, path):
    options = {
        "--currency": "GBP", "--run-time": "07:00", "--target-cpa": "20", "--gross-margin": "0.5", "--target-roas": "3.25",
        "--settle-lag-hours": "4", "--prompt-label": "b",
    }  # fmt: skip
    lists = (
        "--brand-token",
        "acme",
        "--brand-token",
        "ac me",
        "--required-table",
        "ad_performance_daily",
        "--required-table",
        "orders_daily",
    )
    code, out, err = command(*ACME, *[word for pair in options.items() for word in pair], *lists)
    assert (code, err) == (0, "")
    assert f"added acme (Acme Ltd, Europe/London) to {path}" in out
    assert "its last 14 days are run by themselves" in out
    assert "acme.yaml: until there is, its recommendations are advice only" in out
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["advertisers"] == [
        {
            "id": "acme", "name": "Acme Ltd", "time_zone": "Europe/London", "run_time_local": "07:00", "base_currency": "GBP",
            "gross_margin": 0.5, "target_cpa": 20, "target_roas": 3.25, "brand_tokens": ["acme", "ac me"], "settle_lag_hours": 4,
            "required_tables": ["ad_performance_daily", "orders_daily"], "prompt_label": "b",
        }
    ]  # fmt: skip
    assert 'run_time_local: "07:00"' in path.read_text(encoding="utf-8")
    assert load_registry(path).ids == ("acme",)


def test_edit_sets_and_unsets_and_says_so(command, path):
    command(*ACME, "--target-cpa", "20", "--run-time", "07:00")
    code, out, err = command("edit", "acme", "--target-roas", "3", "--paused", "--unset", "target-cpa", "--unset", "run_time_local")
    assert (code, err) == (0, "")
    assert out == f"acme: target_roas = 3, paused = True, target_cpa unset, run_time_local unset ({path})\n"
    acme = load_registry(path).require("acme")
    assert (acme.target_roas, acme.target_cpa, acme.paused, f"{acme.run_time_local:%H:%M}") == (3, None, True, "06:00")
    command("edit", "acme", "--not-paused")
    assert not load_registry(path).require("acme").paused


def test_remove_says_that_no_data_goes_and_how_to_get_the_advertiser_back(command, path):
    command(*ACME, "--target-cpa", "20.5", "--brand-token", "a'c", "--paused")
    before = load_registry(path)
    code, out, err = command("remove", "acme", "--yes")
    assert (code, err) == (0, "")
    assert "No data is deleted" in out
    assert "The registry lists nobody now" in out
    assert load_registry(path).ids == ()
    [line] = [line for line in out.splitlines() if line.startswith("To get it back")]
    words = shlex.split(line.split(": ", 1)[1])
    assert words[:2] == ["marketing-agents", "advertisers"]
    assert command(*words[2:])[0] == 0
    assert load_registry(path) == before


def test_remove_asks_and_takes_only_a_yes(command, path, monkeypatch):
    command(*ACME)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _question: "")
    assert command("remove", "acme")[:2] == (1, "nothing was changed\n")
    assert load_registry(path).ids == ("acme",)
    monkeypatch.setattr("builtins.input", lambda _question: "y")
    assert command("remove", "acme")[0] == 0
    assert load_registry(path).ids == ()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (ACME, ("'acme' exists already", "advertisers edit acme")),
        (("add", "b", "--name", "B"), ("--time-zone is needed",)),
        (("add", "b|c", "--name", "B", "--time-zone", "UTC"), ("is not a slug",)),
        (("add", "b", "--name", "B", "--time-zone", "Europe/Lodnon"), ("unknown IANA time zone 'Europe/Lodnon'",)),
        (("add", "b", "--name", "B", "--time-zone", "UTC", "--run-time", "7"), ("run_time_local", "HH:MM")),
        (("add", "b", "--name", "B", "--time-zone", "UTC", "--run-time", "13:00"), ("after 12:00",)),
        (("edit", "acmee", "--target-cpa", "3"), ("unknown advertiser 'acmee'", "did you mean 'acme'?")),
        (("edit", "acme", "--target-cpa", "dear"), ("--target-cpa 'dear' is not a number",)),
        (("edit", "acme", "--target-cpa", "nan"), ("--target-cpa 'nan' is not a number",)),
        (("edit", "acme", "--gross-margin", "40"), ("gross_margin", "less than or equal to 1")),
        (("edit", "acme", "--required-table", "orders_dayly"), ("did you mean 'orders_daily'?",)),
        (("edit", "acme"), ("nothing to change",)),
        (("edit", "acme", "--unset", "targt-cpa"), ("--unset 'targt-cpa'", "did you mean 'target-cpa'?")),
        (("edit", "acme", "--unset", "name"), ("name is required",)),
        (("edit", "acme", "--unset", "id"), ("an id cannot be unset",)),
        (("edit", "acme", "--name", "x", "--unset", "name"), ("--name is given and unset at once",)),
        (("remove", "acm", "--yes"), ("unknown advertiser 'acm'", "did you mean 'acme'?")),
        (("remove", "acme"), ("add --yes",)),
    ],
)
def test_a_mistake_is_one_message_and_changes_nothing(command, path, arguments, words):
    command(*ACME)
    before = path.read_text(encoding="utf-8")
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("marketing-agents: ")
    for word in words:
        assert word in err
    assert path.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("arguments", [ACME, ("edit", "ledgerline", "--target-cpa", "1"), ("remove", "ledgerline", "--yes")])
def test_the_sample_agencys_registry_is_not_edited(command, monkeypatch, arguments):
    monkeypatch.delenv("MARKETING_AGENTS_ADVERTISERS")
    packaged = Settings().resolved_advertisers
    before = packaged.read_bytes()
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert "set MARKETING_AGENTS_ADVERTISERS to a file of your own" in err
    assert packaged.read_bytes() == before


def test_list_tells_who_is_held_by_whom_whose_history_was_run_and_what_was_done_last(command, tmp_path):
    for advertiser in ("acme", "held", "stopped", "fresh"):
        command("add", advertiser, "--name", f"{advertiser} [b]", "--time-zone", "UTC", *(("--paused",) if advertiser == "held" else ()))
    state = StateStore(f"sqlite:///{tmp_path / 'data' / 'state.db'}")
    now = datetime.now(UTC)
    yesterday = now.date() - timedelta(days=1)
    until = now + timedelta(days=3)
    KillSwitch(state).pause("stopped", who="ana", why="contract", until=until)
    Onboardings(state).record(
        [Onboarding("acme", date(2026, 11, 6), date(2026, 11, 19), "requested in 1 run")], at=datetime(2026, 11, 20, tzinfo=UTC)
    )
    state.record_status([PartitionStatus("daily_report", "acme", yesterday, "degraded", "x")], run_id="r")
    state.close()

    told = {row["id"]: row for row in json.loads(command("list", "--json")[1])}
    assert {a: row["state"] for a, row in told.items()} == {"acme": "active", "held": "paused", "stopped": "paused", "fresh": "active"}
    assert told["held"]["kill_switch"] is None
    switch = told["stopped"]["kill_switch"]
    assert (switch["who"], switch["why"], datetime.fromisoformat(switch["until"])) == ("ana", "contract", until)
    assert told["acme"]["onboarding"] == {
        "recorded_at": "2026-11-20T00:00:00+00:00", "first_date": "2026-11-06", "last_date": "2026-11-19", "note": "requested in 1 run"
    }  # fmt: skip
    assert (told["acme"]["last_day_done"], told["fresh"]["last_day_done"]) == (yesterday.isoformat(), None)
    assert (told["fresh"]["time_zone"], told["fresh"]["run_time_local"]) == ("UTC", "06:00")

    code, out, err = command("list")
    assert (code, err) == (0, "")
    rows = {line.split()[1]: " ".join(line.split()) for line in out.splitlines() if line.startswith("│ ") and line.split()[1] in told}
    assert set(rows) == set(told)
    assert "acme [b]" in rows["acme"]
    assert "paused by ana until" in rows["stopped"]
    assert "paused in the registry" in rows["held"]
    assert "active" in rows["fresh"]
    assert str(yesterday) in rows["acme"]


def test_list_of_a_file_that_is_missing_or_broken_says_so(command, path):
    code, _, err = command("list")
    assert code == 2
    assert f"{path}: no such registry file" in err
    path.write_text("advertisers: [", encoding="utf-8")
    code, _, err = command("list")
    assert code == 2
    assert f"{path}: not valid YAML" in err
