"""What people wrote is printed as it is: no markup of the terminal library, no control character."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from marketing_agents.cli import rules, rules_coverage
from marketing_agents.rules.coverage import Coverage, RuleCoverage
from marketing_agents_tests.rules.small_rules import rule, write_rules

OUTSIDE = "[red]A[/red]\x1b[1m[/x]"
PRINTED = "[red]A[/red] [1m[/x]"


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("MARKETING_AGENTS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MARKETING_AGENTS_CATALOGUE_DIR", str(write_rules(tmp_path / "rules", rule("MEDIA-900", title=OUTSIDE))))


def test_titles_in_the_list_of_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules.list_rules(as_json=False) == 0
    out = capsys.readouterr().out
    assert PRINTED in out
    assert "\x1b" not in out


def test_owner_and_reason_of_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "overrides.yaml"
    entry = {"rule": "MEDIA-900", "disabled": True, "owner": OUTSIDE, "reason": OUTSIDE, "expires": date(2027, 1, 31)}
    path.write_text(yaml.safe_dump({"overrides": [entry]}))
    monkeypatch.setenv("MARKETING_AGENTS_OVERRIDES", str(path))
    assert rules.list_overrides(None, as_json=False) == 0
    out = capsys.readouterr().out
    assert out.count(PRINTED) == 2
    assert "\x1b" not in out


def test_titles_and_reasons_in_the_coverage(capsys: pytest.CaptureFixture[str]) -> None:
    covered = RuleCoverage(rule_id="MEDIA-900", title=OUTSIDE, category="MEDIA", state="impossible", why=OUTSIDE)
    rules_coverage._print(Coverage(advertiser_id="acme", rules=(covered,), unlocks=()))
    out = capsys.readouterr().out
    assert out.count(PRINTED) == 2
    assert "\x1b" not in out
