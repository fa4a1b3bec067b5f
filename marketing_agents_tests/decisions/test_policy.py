from datetime import date
from pathlib import Path

import pytest

from marketing_agents.decisions.policy import Policy, load_policy, parse_policy

GOOD = """
version: 1
autonomy: approval
max_step_pct: {INCREASE_BUDGET: 10}
max_daily_changes: 5
never_above: {budget_per_day: 2000, entity_budget_per_day: {"123": 500}}
protected_entities: ["123456789012345678"]
pause: {min_age_days: 14, min_spend: 250}
approval: {second_person_above: 4000}
expires_on: 2026-12-31
owner: Ana
"""


def write(folder: Path, text: str | bytes, name: str = "acme.yaml") -> Path:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def test_a_complete_policy_is_read_with_its_values(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, GOOD), "acme")
    assert policy.problem is None
    assert policy.limits.max_step("INCREASE_BUDGET") == 10
    assert policy.limits.max_step("DECREASE_BUDGET") == 20
    assert policy.limits.max_step("ADJUST_BID_TARGET") == 15
    assert policy.limits.max_step("FIX_TAG") is None
    assert policy.limits.never_above.for_entity("123") == 500
    assert policy.limits.never_above.for_entity("other") == 2000
    assert policy.limits.protected_entities == ("123456789012345678",)


def test_the_shortest_policy_is_cautious(tmp_path: Path) -> None:
    limits = load_policy(write(tmp_path, "version: 1\n"), "acme").limits
    assert (limits.autonomy, limits.pause.min_age_days, limits.pause.min_spend) == ("read_only", 7, 100)


BROKEN = [
    ("", "mapping"),
    ("just text", "mapping"),
    ("- a\n- b", "mapping"),
    ("version: 1\nautonomy: [", "not valid YAML"),
    ("version: 1\nexpires_on: 2026-13-45", "not valid YAML"),
    ("version: 1\nmax_daily_changes: 1\nmax_daily_changes: 100", "given twice"),
    ("version: 1\nnever_above: {budget_per_day: 1, budget_per_day: 9}", "given twice"),
    ("[" * 1200, "not valid YAML"),
    (b"\xff\xfe\x00", "UTF-8"),
    ("autonomy: approval", "version"),
    ("version: 2", "version"),
    ("version: 1\nautonomy: full", "autonomy"),
    ("version: 1\nmax_dayly_changes: 3", "max_dayly_changes"),
    ("version: 1\nmax_daily_changes: '3'", "max_daily_changes"),
    ("version: 1\nmax_daily_changes: true", "max_daily_changes"),
    ("version: 1\nmax_daily_changes: -1", "max_daily_changes"),
    ("version: 1\nmax_step_pct: {INCREASE_BUDGET: .nan}", "max_step_pct"),
    ("version: 1\nmax_step_pct: {INCREASE_BUDGET: 400}", "max_step_pct"),
    ("version: 1\nmax_step_pct: {RAISE_BUDGET: 10}", "RAISE_BUDGET"),
    ("version: 1\nnever_above: {budget_per_day: .inf}", "never_above"),
    ("version: 1\nnever_above: {budget_per_day: lots}", "never_above"),
    ("version: 1\nprotected_entities: [123456789012345678]", "quoted"),
    ("version: 1\nprotected_entities: ['']", "quoted"),
    ("version: 1\nexpires_on: tomorrow", "expires_on"),
    ("version: 1\npause: {min_age_days: 7, colour: red}", "colour"),
    ("version: 1\nnote: !!python/object/apply:os.system ['true']", "not valid YAML"),
    ("version: 1\nnote: " + "x" * 200_000, "larger"),
]


@pytest.mark.parametrize(("content", "said"), BROKEN)
def test_bad_content_gives_a_broken_policy_that_names_the_file_and_the_problem(tmp_path: Path, content: str | bytes, said: str) -> None:
    policy = load_policy(write(tmp_path, content), "acme")
    assert policy.problem is not None
    assert "acme.yaml" in policy.problem
    assert said in policy.problem
    assert "\n" not in policy.problem


def test_a_missing_file_or_folder_is_a_broken_policy(tmp_path: Path) -> None:
    assert "no policy file acme.yaml" in str(load_policy(tmp_path, "acme").problem)
    assert "no policy file acme.yaml" in str(load_policy(tmp_path / "nowhere", "acme").problem)


def test_a_folder_in_place_of_the_file_is_a_broken_policy(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").mkdir()
    assert "cannot be read" in str(load_policy(tmp_path, "acme").problem)


@pytest.mark.parametrize("advertiser_id", ["../acme", "a/b", "", "A", "acme.yaml/..", "a" * 300, "acme\n", "acme\x00"])
def test_a_path_is_built_from_a_slug_only(tmp_path: Path, advertiser_id: str) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "inner").mkdir()
    assert "not a slug" in str(load_policy(tmp_path / "inner", advertiser_id).problem)


def test_expiry_is_measured_against_the_asked_day() -> None:
    policy = parse_policy(GOOD.encode(), name="policy acme.yaml")
    assert policy.problem_on(date(2026, 12, 31)) is None
    assert policy.problem_on(date(2027, 1, 1)) == "policy expired on 2026-12-31"


def test_a_broken_policy_says_why_on_every_day() -> None:
    assert Policy.broken("no file").problem_on(date(1999, 1, 1)) == "no file"


def test_every_sample_advertiser_has_a_working_policy() -> None:
    from marketing_agents.advertisers.registry import load_registry
    from marketing_agents.settings import load_settings

    settings = load_settings()
    ids = load_registry(settings.resolved_advertisers).ids
    assert {i: load_policy(settings.resolved_policies_dir, i).problem for i in ids} == dict.fromkeys(ids)
    assert {path.stem for path in settings.resolved_policies_dir.glob("*.yaml")} == set(ids)
