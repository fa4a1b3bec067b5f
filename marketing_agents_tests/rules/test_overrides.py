"""Overrides: for whom other limits hold, which entry wins, expiry by the day of the row, and mistakes named with file, entry, field and fix."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from marketing_agents.days import LocalDay
from marketing_agents.rules.catalogue_error import CatalogueError
from marketing_agents.rules.catalogue_file import PACKAGED_CATALOGUE, load_catalogue
from marketing_agents.rules.explain import explain
from marketing_agents.rules.override_file import OverrideError
from marketing_agents.rules.overrides import expired
from marketing_agents.rules.rule import Catalogue
from marketing_agents_tests.rules.builders import ADVERTISER, DAY, all_loaded, fact, features, marts, outcomes_of, row
from marketing_agents_tests.rules.small_rules import TODAY, evaluated, found, on_accounts, on_adgroups, rule, write_rules

LATER = date(2027, 1, 31)
BASE = {"rule": "MEDIA-900", "owner": "jane@acme.example", "reason": "Sale.", "expires": LATER}


def entry(**changes: Any) -> dict[str, Any]:
    return BASE | changes


def with_overrides(folder: Path, *entries: dict[str, Any], rules: tuple[dict[str, Any], ...] = ()) -> Catalogue:
    written = rules or (rule("MEDIA-900", resolve_when="spend_w7 < 900", floor="clicks_w7 >= 100"), on_adgroups("MEDIA-901"))
    path = folder / "overrides.yaml"
    path.write_text(yaml.safe_dump({"overrides": list(entries)}, allow_unicode=True))
    return load_catalogue(write_rules(folder / "rules", *written), marts(), path)


def campaigns(*rows: dict[str, Any]) -> Any:
    return features(("campaign_features", [row("campaign_features", **{"campaign_id": f"c{n}"} | each) for n, each in enumerate(rows)]))


def severities(catalogue: Catalogue, world: Any) -> dict[str, str]:
    return {key: finding.severity for key, finding in found(evaluated(catalogue, world)).items()}


def test_a_threshold_moves_for_one_advertiser_and_the_evidence_says_who_moved_it(tmp_path: Path) -> None:
    rules = with_overrides(tmp_path, entry(advertiser="acme", thresholds={"medium": 1500}))
    world = features(
        (
            "campaign_features",
            [row("campaign_features", advertiser=name, spend_w7=spend) for name in ("acme", "globex") for spend in (1600,)],
        )
    )
    days = [TODAY, LocalDay("globex", DAY)]
    evaluation = evaluated(rules, world, days)
    (own,), (other,) = evaluation.findings[days[0]], evaluation.findings[days[1]]
    assert own.override is not None
    assert (own.override.owner, own.override.reason, own.override.expires) == ("jane@acme.example", "Sale.", LATER)
    assert own.override.place == "overrides.yaml: entry 1"
    assert fact(own, "threshold") == "USD 1,500"
    assert fact(own, "override") == "medium at 1500 instead of 1000, by jane@acme.example until 2027-01-31"
    assert (other.override, fact(other, "threshold")) == (None, "USD 1,000")
    assert "override" not in {one.name for one in other.facts}


@pytest.mark.parametrize(
    ("case", "change", "expected"),
    [
        ("no threshold is reached any more", {"thresholds": {"medium": 1800, "high": 2500}}, {}),
        ("only the higher one moves", {"thresholds": {"high": 1500}}, {"MEDIA-900 c0": "high"}),
        ("a whole condition", {"when": {"medium": "spend_w7 >= 1000 and clicks_w7 < 500"}}, {}),
        ("a severity that the rule lacks", {"when": {"low": "spend_w7 >= 500"}}, {"MEDIA-900 c0": "medium"}),
        ("a higher floor", {"floor": "clicks_w7 >= 5000"}, {}),
        ("a lower floor changes nothing here", {"floor": "clicks_w7 >= 1"}, {"MEDIA-900 c0": "medium"}),
        ("off", {"disabled": True}, {}),
    ],
)
def test_what_may_change(case: str, change: dict[str, Any], expected: dict[str, str], tmp_path: Path) -> None:
    assert severities(with_overrides(tmp_path, entry(**change)), campaigns({"spend_w7": 1600.0})) == expected, case


@pytest.mark.parametrize(
    ("case", "reach", "off"),
    [
        ("everybody", {}, "c0 c1 c2 c3"),
        ("a platform", {"platform": "meta"}, "c1"),
        ("two platforms", {"platform": ["meta", "google_ads"]}, "c0 c1 c2 c3"),
        ("campaigns", {"campaigns": ["c0", "c3"]}, "c0 c3"),
        ("a label", {"campaign_label": "brand"}, "c2 c3"),
        ("a label is not a part of one", {"campaign_label": "bran"}, ""),
        ("a label on a platform", {"campaign_label": "brand", "platform": "meta"}, ""),
        ("another advertiser", {"advertiser": "globex"}, ""),
    ],
)
def test_whom_an_entry_is_for(case: str, reach: dict[str, Any], off: str, tmp_path: Path) -> None:
    world = campaigns(
        {"spend_w7": 1600.0},
        {"spend_w7": 1600.0, "platform": "meta"},
        {"spend_w7": 1600.0, "campaign_labels": "brand"},
        {"spend_w7": 1600.0, "campaign_labels": "always-on\x1fbrand"},
    )
    fired = severities(with_overrides(tmp_path, entry(disabled=True, **reach)), world)
    assert {f"c{n}" for n in range(4)} - {key.split()[1] for key in fired} == set(off.split()), case


def test_the_label_of_a_campaign_reaches_its_ad_groups(tmp_path: Path) -> None:
    rules = with_overrides(tmp_path, entry(rule="MEDIA-901", campaign_label="brand", disabled=True))
    groups = [
        {"adgroup_id": "g1"},
        {"adgroup_id": "g2", "campaign_id": "c2"},
        {"adgroup_id": "g3", "campaign_id": "c1", "account_id": "222"},
    ]
    world = features(
        ("campaign_features", [row("campaign_features", campaign_labels="brand"), row("campaign_features", campaign_id="c2")]),
        ("adgroup_features", [row("adgroup_features", spend_w7=1600.0, **group) for group in groups]),
    )
    assert set(severities(rules, world)) == {"MEDIA-901 g2", "MEDIA-901 g3"}


@pytest.mark.parametrize("order", [1, -1])
def test_the_most_specific_entry_holds_alone(order: int, tmp_path: Path) -> None:
    entries = [
        entry(thresholds={"medium": 1100}),
        entry(advertiser="acme", thresholds={"medium": 1200}),
        entry(platform="google_ads", thresholds={"medium": 1300}),
        entry(campaign_label="brand", thresholds={"medium": 1400}),
        entry(campaigns="c3", thresholds={"medium": 1500}),
    ][::order]
    rules = with_overrides(tmp_path, *entries)
    rows = [{}, {"platform": "meta"}, {"campaign_labels": "brand"}, {"campaign_labels": "brand"}]
    findings = found(evaluated(rules, campaigns(*({"spend_w7": 1999.0} | each for each in rows))))
    assert {key.split()[1]: fact(finding, "threshold") for key, finding in findings.items()} == {
        "c0": "USD 1,300",
        "c1": "USD 1,200",
        "c2": "USD 1,400",
        "c3": "USD 1,500",
    }


def test_expiry_is_judged_by_the_day_of_the_row(tmp_path: Path) -> None:
    # given a dear campaign for six days, and an entry from the second to the fourth of them
    days = [DAY - timedelta(days=back) for back in range(5, -1, -1)]
    rules = with_overrides(tmp_path, entry(disabled=True, starts=days[1], expires=days[3]))
    world = features(("campaign_features", [row("campaign_features", day, spend_w7=1600.0) for day in days]))
    evaluation = evaluated(rules, world, [LocalDay(ADVERTISER, day) for day in days])
    # then it says nothing while the entry holds, and the episode goes on afterwards
    states = [[f.episode_state for f in evaluation.findings[LocalDay(ADVERTISER, day)]] for day in days]
    assert states == [["opened"], [], [], [], ["ongoing"], ["ongoing"]]
    assert [o.reason for o in outcomes_of(evaluation, "MEDIA-900", days[2])] == ["disabled"]
    # and each day alone says the same
    for day, state in zip(days, states, strict=True):
        alone = evaluated(rules, world, [LocalDay(ADVERTISER, day)])
        assert [f.episode_state for f in alone.findings[LocalDay(ADVERTISER, day)]] == state
    assert [o.place for o in expired(rules.overrides, ADVERTISER, days[4])] == ["overrides.yaml: entry 1"]
    assert expired(rules.overrides, ADVERTISER, days[3]) == []


def test_the_outcomes_and_explain_name_the_entry(tmp_path: Path) -> None:
    entries = (entry(campaigns="c0", disabled=True), entry(campaigns="c1", floor="clicks_w7 >= 5000"))
    rules, world = with_overrides(tmp_path, *entries), campaigns({}, {}, {"clicks_w7": 50})
    details = {o.reason: o.detail for o in outcomes_of(evaluated(rules, world), "MEDIA-900")}
    assert details == {
        "disabled": "switched off by jane@acme.example until 2027-01-31: Sale.",
        "below_minimum_volume": "needs clicks_w7 >= 5000; needs clicks_w7 >= 100",
    }
    text = explain(rules, world, TODAY, "MEDIA-900", all_loaded()).markdown()
    assert "| override | `overrides.yaml: entry 1` | switched off, by jane@acme.example until 2027-01-31: Sale. |" in text
    assert "| floor | `clicks_w7 >= 5000` | no |" in text


def test_the_end_of_an_episode_moves_with_the_lowest_threshold(tmp_path: Path) -> None:
    moved = with_overrides(tmp_path, entry(thresholds={"medium": 1100}))
    [override] = moved.overrides
    assert override.rule is not None
    assert override.rule.resolve_when is not None
    assert override.rule.resolve_when.text == "spend_w7 < 970.0"  # 900 + 70 % of 100
    stated = with_overrides(tmp_path, entry(thresholds={"medium": 1100}, resolve_when="spend_w7 < 100"))
    assert stated.overrides[0].rule is not None
    assert stated.overrides[0].rule.resolve_when is not None
    assert stated.overrides[0].rule.resolve_when.text == "spend_w7 < 100"


def test_the_end_of_an_episode_may_change_alone(tmp_path: Path) -> None:
    [override] = with_overrides(tmp_path, entry(resolve_when="spend_w7 < 100")).overrides
    assert override.changes == "resolves when spend_w7 < 100"
    assert override.rule is not None
    assert override.rule.resolve_when is not None
    assert override.rule.resolve_when.text == "spend_w7 < 100"


def test_every_rule_of_the_catalogue_can_be_switched_off(tmp_path: Path) -> None:
    plain = load_catalogue(PACKAGED_CATALOGUE, marts())
    path = tmp_path / "off.yaml"
    path.write_text(yaml.safe_dump({"overrides": [entry(rule=each.id, disabled=True) for each in plain.rules]}))
    assert len(load_catalogue(PACKAGED_CATALOGUE, marts(), path).overrides) == len(plain.rules)


def test_thresholds_of_the_packaged_rules(tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    path.write_text(
        yaml.safe_dump({"overrides": [entry(rule="MEDIA-001", thresholds={"low": 1.2, "medium": 1.3, "high": 1.8, "critical": 2.5})]})
    )
    [override] = load_catalogue(PACKAGED_CATALOGUE, marts(), path).overrides
    assert override.rule is not None
    assert {severity: condition.text for severity, condition in override.rule.when.items()} == {
        "low": "cpa_idx >= 1.2",
        "medium": "cpa_idx >= 1.3",
        "high": "cpa_idx >= 1.8",
        "critical": "cpa_idx >= 2.5",
    }
    assert override.rule.resolve_when is not None
    assert override.rule.resolve_when.text == "cpa_idx < 1.14"


def test_overrides_are_part_of_the_hash(tmp_path: Path) -> None:
    def hash_of(*entries: dict[str, Any]) -> str:
        return with_overrides(tmp_path, *entries).hash

    one, two = entry(thresholds={"medium": 1100}), entry(rule="MEDIA-901", disabled=True)
    without = hash_of()
    assert without == load_catalogue(tmp_path / "rules", marts()).hash
    hashes = [
        without,
        hash_of(one),
        hash_of(one, two),
        hash_of(two, one),  # the first of equally specific entries holds
        hash_of(one | {"expires": LATER - timedelta(days=1)}),
        hash_of(one | {"platform": "meta"}),
        hash_of(one | {"thresholds": {"medium": 1200}}),
        hash_of(one | {"owner": "joe"}),
    ]
    assert len(set(hashes)) == len(hashes)


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("unknown rule", entry(rule="MEDIA-90", disabled=True), "entry 1 (MEDIA-90): rule: unknown rule 'MEDIA-90' (did you mean 'MEDIA-904'?)"),
    ("unknown field", entry(disable=True), "entry 1 (MEDIA-900): disable: unknown field (did you mean 'disabled'?)"),
    ("no owner", {k: v for k, v in entry(disabled=True).items() if k != "owner"}, "entry 1 (MEDIA-900): owner: is missing"),
    ("no end", {k: v for k, v in entry(disabled=True).items() if k != "expires"}, "expires: is missing"),
    ("no date", entry(disabled=True, expires="soon"), "expires: input should be a valid date"),
    ("ends before it starts", entry(disabled=True, starts=LATER + timedelta(days=1)), "expires: 2027-01-31 is before starts (2027-02-01)"),
    ("nothing", entry(), "changes nothing: state `thresholds`, `when`, `floor`, `resolve_when` or `disabled`"),
    ("off and changed", entry(disabled=True, floor="clicks_w7 > 1"), "disabled: an entry that switches the rule off cannot change it as well"),
    ("unknown severity", entry(thresholds={"mediun": 1}), "thresholds.mediun: unknown severity (did you mean 'medium'?)"),
    ("a severity without condition", entry(thresholds={"critical": 9000}), "thresholds.critical: MEDIA-900 has no severity 'critical' (it has medium, high)"),
    ("hidden severity", entry(thresholds={"medium": 3000}), "when.medium: can never be reported"),
    ("unknown column", entry(floor="clicks_w8 > 1"), "floor: unknown column or value 'clicks_w8' (did you mean 'clicks_w28'?)"),
    ("no boolean", entry(when={"medium": "spend_w7"}), "when.medium: must be a boolean"),
    ("ids as numbers", entry(disabled=True, campaigns=[123]), "campaigns.0: input should be a valid string"),
    ("a platform of entities without", entry(rule="MEDIA-902", disabled=True, platform="meta"), "platform: the entities of MEDIA-902 (budget_plan) belong to no platform"),
    ("a campaign of accounts", entry(rule="MEDIA-903", disabled=True, campaign_label="brand"), "campaign_label: the entities of MEDIA-903 (platform_account) belong to no campaign"),
    ("a label without the campaign's account", entry(rule="CONV-900", disabled=True, campaign_label="brand"), "campaign_label: the entities of CONV-900 (campaign) name no platform or account to look labels up by: state `campaigns` instead"),
    ("two numbers", entry(rule="MEDIA-904", thresholds={"medium": 3}), "thresholds.medium: `when.medium` does not compare 'spend_w7' with exactly one number: state `when.medium`"),
]  # fmt: skip
RULES = (
    rule("MEDIA-900"),
    on_adgroups("MEDIA-901"),
    rule("MEDIA-902", entity={"type": "budget_plan", "id": "plan_id"}, mart="budget_plan_features"),
    on_accounts("MEDIA-903"),
    rule("CONV-900", entity={"type": "campaign", "id": "campaign_id", "campaign": "campaign_id"}),
    rule("MEDIA-904", when={"medium": "spend_w7 >= 10 * clicks_w7"}, threshold={"medium": "10 * clicks_w7"}),
)


@pytest.mark.parametrize(("case", "wrong", "expected"), MISTAKES, ids=[case for case, _, _ in MISTAKES])
def test_each_mistake_is_named(case: str, wrong: dict[str, Any], expected: str, tmp_path: Path) -> None:
    with pytest.raises(OverrideError) as caught:
        with_overrides(tmp_path, wrong, rules=RULES)
    [problem] = caught.value.problems
    assert problem.startswith("overrides.yaml: entry 1 ("), case
    assert expected in problem


def test_all_mistakes_are_told_at_once_with_their_entry(tmp_path: Path) -> None:
    with pytest.raises(OverrideError, match=rf"{len(MISTAKES)} problems in the overrides") as caught:
        with_overrides(tmp_path, *(wrong for _, wrong, _ in MISTAKES), rules=RULES)
    assert [int(problem.split("entry ")[1].split(" ")[0]) for problem in caught.value.problems] == list(range(1, len(MISTAKES) + 1))


@pytest.mark.parametrize(
    ("case", "second", "is_wrong"),
    [
        ("the same again", {}, True),
        ("of the same days", {"starts": LATER, "expires": LATER + timedelta(days=9)}, True),
        ("right after it", {"starts": LATER + timedelta(days=1), "expires": LATER + timedelta(days=9)}, False),
        ("for another platform", {"platform": "meta"}, False),
        ("of another rule", {"rule": "MEDIA-901"}, False),
    ],
)
def test_one_reach_has_one_entry_a_day(case: str, second: dict[str, Any], is_wrong: bool, tmp_path: Path) -> None:
    entries = (entry(disabled=True), entry(disabled=True, **second))
    if is_wrong:
        with pytest.raises(
            OverrideError, match=r"entry 2 .*: reach: everybody has an entry already, on days that overlap: overrides\.yaml: entry 1"
        ):
            with_overrides(tmp_path, *entries)
    else:
        assert len(with_overrides(tmp_path, *entries).overrides) == 2, case


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("overrides: [", "cannot be read as YAML"),
        ("[]", "must hold `overrides`, a list of entries"),
        ("overrides: 7", "must hold `overrides`, a list of entries"),
        ("overrides: [7]", "entry 1: must be a mapping of fields"),
        ("overrides: []\noverride: []", "unknown field 'override' (did you mean 'overrides'?)"),
        ("overrides: []\noverrides: []", "the key 'overrides' is written twice"),
        ("overrides: [{rule: MEDIA-900, expires: 2026-13-45}]", "cannot be read as YAML"),
    ],
)
def test_files_that_hold_no_overrides(text: str, expected: str, tmp_path: Path) -> None:
    folder = tmp_path / "overrides"
    folder.mkdir()
    (folder / "bad.yaml").write_text(text)
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(write_rules(tmp_path / "rules", rule("MEDIA-900")), marts(), folder)
    assert expected in caught.value.problems[0]


def test_a_folder_is_read_as_a_whole_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    rules, folder = write_rules(tmp_path / "rules", rule("MEDIA-900")), tmp_path / "overrides"
    with pytest.raises(OverrideError, match="there is no such file or folder"):
        load_catalogue(rules, marts(), folder)
    folder.mkdir()
    with pytest.raises(OverrideError, match="no override files"):
        load_catalogue(rules, marts(), folder)
    for name, platform in (("b", "meta"), ("a", "google_ads")):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"overrides": [entry(disabled=True, platform=platform)]}))
    assert [o.place for o in load_catalogue(rules, marts(), folder).overrides] == ["a.yaml: entry 1", "b.yaml: entry 1"]


def test_the_command_lists_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from marketing_agents.cli.app import main

    path = tmp_path / "o.yaml"
    path.write_text(yaml.safe_dump({"overrides": [entry(rule="MEDIA-001", thresholds={"high": 1.7})]}))
    monkeypatch.setenv("MARKETING_AGENTS_OVERRIDES", str(path))
    monkeypatch.setenv("MARKETING_AGENTS_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["marketing-agents", "rules", "overrides", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().out

    assert run("--json")[0] == 0
    code, out = run("--json", "--date", "2027-02-01")
    [told] = json.loads(out)
    assert (code, told["state"], told["owner"], told["changes"]) == (1, "expired", "jane@acme.example", "high at 1.7 instead of 1.5")
    assert json.loads(run("--json", "--date", "2027-01-31")[1])[0]["state"] == "in force"
