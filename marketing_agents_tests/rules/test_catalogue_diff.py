"""Two versions of the rules on the same features: what appears, vanishes, changes; and where a version is found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.rules.catalogue_diff import compare, counts, examples, told
from marketing_agents.rules.catalogue_version import VersionNotFoundError, catalogue_at
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.embedded.layout import Layout
from marketing_agents.warehouse.embedded.slices import SliceStore
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents_tests.rules.builders import ADVERTISER, DAY, features, frame, row
from marketing_agents_tests.rules.small_rules import catalogue_of, evaluated, rule, write_rules

DAYS = [DAY - timedelta(days=back) for back in (3, 2, 1, 0)]
PARTITIONS = [LocalDay(ADVERTISER, day) for day in DAYS]


def difference(folder: Path, before: list[dict[str, Any]], after: list[dict[str, Any]], spends: dict[str, list[float]]) -> list[Any]:
    rows = [
        row("campaign_features", day, campaign_id=name, campaign_name=name.upper(), spend_w7=spend)
        for name, series in spends.items()
        for day, spend in zip(DAYS, series, strict=True)
    ]
    world = features(("campaign_features", rows))
    old, new = (
        told(evaluated(catalogue_of(folder / name, *rules), world, PARTITIONS).findings)
        for name, rules in (("old", before), ("new", after))
    )
    return compare(old, new)


LOOSER = {"when": {"medium": "spend_w7 >= 500", "high": "spend_w7 >= 2000"}}
STRICTER = {"when": {"medium": "spend_w7 >= 1500", "high": "spend_w7 >= 1700"}}


@pytest.mark.parametrize(
    ("case", "changes", "series", "expected"),
    [
        ("nothing changes", {}, [1200.0] * 4, None),
        ("never there", {}, [10.0] * 4, None),
        ("appears", LOOSER, [600.0] * 4, ("appears", DAYS[0], None, "medium", 0, 4)),
        ("vanishes", STRICTER, [1200.0] * 4, ("vanishes", DAYS[0], "medium", None, 4, 0)),
        ("gets more severe", STRICTER, [1800.0] * 4, ("severity", DAYS[0], "medium", "high", 4, 4)),
        ("is open earlier", LOOSER, [10.0, 600.0, 1200.0, 1200.0], ("days", DAYS[1], None, "medium", 2, 3)),
        ("a later change of severity counts first", STRICTER, [1200.0, 1800.0, 1800.0, 1800.0], ("severity", DAYS[1], "medium", "high", 4, 3)),
    ],
)  # fmt: skip
def test_kinds_of_changes(
    case: str, changes: dict[str, Any], series: list[float], expected: tuple[Any, ...] | None, tmp_path: Path
) -> None:
    found = difference(tmp_path, [rule("MEDIA-900")], [rule("MEDIA-900", **changes)], {"c1": series})
    told_as = [(c.kind, c.day, c.severity_before, c.severity_after, c.days_before, c.days_after) for c in found]
    assert told_as == ([] if expected is None else [expected]), case


def test_added_removed_and_shadow_rules(tmp_path: Path) -> None:
    before = [rule("MEDIA-900"), rule("MEDIA-901"), rule("MEDIA-902")]
    after = [rule("MEDIA-901", shadow=True), rule("MEDIA-902"), rule("MEDIA-903")]
    found = difference(tmp_path, before, after, {"c1": [1200.0] * 4})
    assert [(c.rule_id, c.kind) for c in found] == [("MEDIA-900", "vanishes"), ("MEDIA-901", "vanishes"), ("MEDIA-903", "appears")]


def test_counts_and_examples_with_the_most_money_first(tmp_path: Path) -> None:
    found = difference(tmp_path, [rule("MEDIA-900")], [rule("MEDIA-900", **LOOSER)], {f"c{n}": [500.0 + n] * 4 for n in range(5)})
    assert counts(found) == {("MEDIA-900", ADVERTISER): {"appears": 5, "vanishes": 0, "severity": 0, "days": 0}}
    assert [c.entity_name for c in examples(found, 2)] == ["C4", "C3"]


# --- versions


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose folder rules/ had one rule and now has two."""
    folder = tmp_path / "repository"
    write_rules(folder / "rules", rule("MEDIA-900"))
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    write_rules(folder / "rules", rule("MEDIA-900", **LOOSER), rule("MEDIA-901"))
    git(folder, "commit", "--quiet", "-am", "two")
    return folder


def test_a_commit_or_a_folder(repository: Path) -> None:
    texts = {}
    for version in ("HEAD", "HEAD~1", str(repository / "rules")):
        with catalogue_at(version, repository / "rules") as folder:
            texts[version] = [path.read_text() for path in sorted(folder.glob("*.yaml"))]
    assert texts["HEAD"] == texts[str(repository / "rules")]
    assert "MEDIA-901" in texts["HEAD"][0]
    assert "MEDIA-901" not in texts["HEAD~1"][0]


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("HEAD~9", "neither a folder nor a commit"),
        ("--output=x", "neither a folder nor the name of a commit"),
        ("", "neither a folder nor the name"),
    ],
)
def test_versions_that_are_not_there(version: str, words: str, repository: Path) -> None:
    with pytest.raises(VersionNotFoundError, match=words), catalogue_at(version, repository / "rules"):
        pass


def test_a_commit_without_rules(repository: Path) -> None:
    (repository / "empty").mkdir()
    with pytest.raises(VersionNotFoundError, match="has no rule files"), catalogue_at("HEAD", repository / "empty"):
        pass


# --- the command


@pytest.fixture
def command(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The command on a warehouse with four published days of one campaign, spend 600."""
    data = tmp_path / "data"
    registry = tmp_path / "advertisers.yaml"
    registry.write_text(f"advertisers:\n- {{id: {ADVERTISER}, name: Acme, time_zone: UTC, base_currency: USD}}\n")
    warehouse = EmbeddedWarehouse(data)
    empty = INPUT_TABLES["ad_performance_daily"].arrow_schema().empty_table()
    for partition in PARTITIONS:
        loaded = datetime(2026, 11, 22, tzinfo=UTC)
        warehouse.write_version("ad_performance_daily", partition, partition.day, empty, loaded_at=loaded, is_backfilled=False)
    slices = frame("campaign_features", [row("campaign_features", day, spend_w7=600.0) for day in DAYS]).drop(columns="campaign_labels")
    SliceStore(Layout(data)).replace("marts", "campaign_features", pa.Table.from_pandas(slices, preserve_index=False), PARTITIONS)
    monkeypatch.setenv("MARKETING_AGENTS_DATA_DIR", str(data))
    monkeypatch.setenv("MARKETING_AGENTS_ADVERTISERS", str(registry))
    monkeypatch.setenv("MARKETING_AGENTS_CATALOGUE_DIR", str(repository / "rules"))
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: str) -> tuple[int, str, str]:
        from marketing_agents.cli.app import main

        monkeypatch.setattr(sys, "argv", ["marketing-agents", "rules", "diff", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return run


def test_the_command_as_data(command: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = command("--against", "HEAD~1", "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert data["rules"] == {"added": ["MEDIA-901"], "removed": [], "changed": ["MEDIA-900"]}
    assert data["advertiser_days"] == 4
    assert data["changes"] == [{"rule": "MEDIA-900", "advertiser": ADVERTISER, "appears": 1, "vanishes": 0, "severity": 0, "days": 0}]
    [example] = data["examples"]
    assert (example["entity_name"], example["day"], example["days_after"]) == ("Shoes", DAYS[0].isoformat(), 4)


def test_the_command_as_tables(command: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = command("--against", "HEAD~1", "--days", "2", "--advertiser", ADVERTISER)
    assert code == 0
    assert "rules added: MEDIA-901" in out
    assert "2 advertiser-days" in out
    assert "Shoes" in out
    code, out, _ = command("--against", "HEAD")
    assert (code, "No finding differs from HEAD on 4 advertiser-days." in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--against", "nowhere"), "--against: 'nowhere' is neither a folder nor a commit"),
        (("--against", "HEAD", "--advertiser", "nobody"), "nobody"),
    ],
)
def test_mistakes_are_one_message(command: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], words: str) -> None:
    code, _, err = command(*arguments)
    assert code == 2
    assert words in err
