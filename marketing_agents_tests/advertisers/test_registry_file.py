"""Editing the registry file: the entry changes, every other byte stays, nothing half or wrong is ever written."""

from __future__ import annotations

import difflib
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing_agents.advertisers.registry import RegistryError, load_registry
from marketing_agents.advertisers.registry_file import add_advertiser, edit_advertiser, fields_of, remove_advertiser
from marketing_agents.settings import PROJECT_DIR

BY_HAND = """\
# Our clients.
owner: ops   # another key of ours
advertisers:

  # The big one.
  - id: acme          # since 2019
    name: 'Acme Ltd'
    time_zone: Europe/London
    target_cpa:   20.0   # agreed in May
    brand_tokens:
      - acme    # the word itself
      - ac-me

  # Paused until their site is back.
  - name: Zeta
    id: zeta
    time_zone: UTC
    # target_roas: 3
    paused: true
  - {id: tiny, name: "Tiny, Inc.", time_zone: Asia/Kolkata}  # in braces

# The end.
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "advertisers.yaml"
    path.write_text(BY_HAND, encoding="utf-8")
    return path


def changed_lines(before: str, after: str) -> list[str]:
    return [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


@pytest.mark.parametrize(
    ("advertiser", "changes", "unset", "lines"),
    [
        (
            "acme",
            {"target_cpa": Decimal("25.5")},
            (),
            ["-     target_cpa:   20.0   # agreed in May", "+     target_cpa: 25.5   # agreed in May"],
        ),
        ("acme", {"name": "Acme 'n' Co"}, (), ["-     name: 'Acme Ltd'", "+     name: 'Acme ''n'' Co'"]),
        ("acme", {"brand_tokens": ("acme", "on")}, (), ["-       - ac-me", '+       - "on"']),
        ("acme", {"run_time_local": "10:30"}, (), ['+     run_time_local: "10:30"']),
        ("acme", {"gross_margin": Decimal("0.5"), "settle_lag_hours": 4}, (), ["+     gross_margin: 0.5", "+     settle_lag_hours: 4"]),
        ("acme", {}, ("target_cpa",), ["-     target_cpa:   20.0   # agreed in May"]),
        ("acme", {}, ("brand_tokens",), ["-     brand_tokens:", "-       - acme    # the word itself", "-       - ac-me"]),
        ("acme", {}, ("gross_margin",), []),
        ("zeta", {"name": "Zeta: the 2nd"}, (), ["-   - name: Zeta", '+   - name: "Zeta: the 2nd"']),
        ("zeta", {}, ("paused",), ["-     paused: true"]),
        ("zeta", {"paused": False}, (), ["-     paused: true", "+     paused: false"]),
        (
            "tiny",
            {"target_roas": Decimal(3)},
            (),
            [
                '-   - {id: tiny, name: "Tiny, Inc.", time_zone: Asia/Kolkata}  # in braces',
                "+   - id: tiny  # in braces",
                '+     name: "Tiny, Inc."',
                "+     time_zone: Asia/Kolkata",
                "+     target_roas: 3",
            ],
        ),
    ],
)
def test_an_edit_changes_the_lines_of_its_fields_and_no_other_byte(path, advertiser, changes, unset, lines):
    edit_advertiser(path, advertiser, changes, unset)
    after = path.read_text(encoding="utf-8")
    assert sorted(changed_lines(BY_HAND, after)) == sorted(lines)
    assert load_registry(path).ids == ("acme", "zeta", "tiny")


def test_a_new_advertiser_comes_last_in_the_style_of_the_file(path):
    registry = add_advertiser(path, {"id": "new", "name": "New", "time_zone": "UTC", "run_time_local": "07:00", "brand_tokens": ("a", "b")})
    added = ["+   - id: new", '+     name: "New"', "+     time_zone: UTC", '+     run_time_local: "07:00"', "+     brand_tokens: [a, b]"]
    assert changed_lines(BY_HAND, path.read_text(encoding="utf-8")) == added
    assert registry.ids == load_registry(path).ids == ("acme", "zeta", "tiny", "new")


@pytest.mark.parametrize(
    ("advertiser", "kept", "gone"),
    [
        ("acme", ["# The big one.", "# Paused until"], ["acme", "agreed"]),
        ("zeta", ["# Paused until", "agreed in May"], ["Zeta"]),
        ("tiny", ["# The end."], ["Tiny"]),
    ],
)
def test_a_removal_takes_the_entry_and_leaves_the_comments_around_it(path, advertiser, kept, gone):
    registry = remove_advertiser(path, advertiser)
    after = path.read_text(encoding="utf-8")
    assert not [line for line in changed_lines(BY_HAND, after) if line.startswith("+")]
    assert all(text in after for text in kept)
    assert not any(text in after for text in gone)
    assert registry.ids == load_registry(path).ids == tuple(i for i in ("acme", "zeta", "tiny") if i != advertiser)


def test_removing_everybody_leaves_an_empty_list_that_can_be_filled_again(path):
    for advertiser in ("zeta", "acme", "tiny"):
        remove_advertiser(path, advertiser)
    assert load_registry(path).ids == ()
    add_advertiser(path, {"id": "new", "name": "New", "time_zone": "UTC"})
    assert load_registry(path).ids == ("new",)
    assert "owner: ops   # another key of ours" in path.read_text(encoding="utf-8")


def test_a_removed_advertiser_can_be_added_back_as_it_was(path):
    before = load_registry(path).require("acme")
    remove_advertiser(path, "acme")
    add_advertiser(path, fields_of(before))
    assert load_registry(path).require("acme") == before


def test_the_first_advertiser_makes_the_file(tmp_path):
    path = tmp_path / "own.yaml"
    add_advertiser(path, {"id": "acme", "name": "Acme", "time_zone": "UTC"})
    assert load_registry(path).ids == ("acme",)
    assert path.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize(
    "text",
    [
        "advertisers: []\n",
        "advertisers: []  # nobody yet",
        "advertisers:\n- id: a\n  name: A\n  time_zone: UTC\n",
        "advertisers:\n    -   id: a\n        name: A\n        time_zone: UTC\ntail: 1\n",
        "advertisers:\n  -\n    id: a\n    name: A\n    time_zone: UTC\n---\n".removesuffix("---\n"),
        "x: &base {time_zone: UTC}\nadvertisers:\n  - <<: *base\n    id: a\n    name: A\n",
        "advertisers:\n  - id: a\n    name: |-\n      A\n      # not a comment\n    time_zone: UTC\n",
        "\ufeffadvertisers:\r\n  - id: a\r\n    name: A\r\n    time_zone: UTC\r\n",
    ],
)
def test_other_ways_to_write_the_file_are_edited_in_their_own_style(tmp_path, text):
    path = tmp_path / "r.yaml"
    path.write_bytes(text.encode("utf-8"))
    before = load_registry(path).advertisers
    add_advertiser(path, {"id": "new", "name": "New", "time_zone": "UTC"})
    edit_advertiser(path, "new", {"target_cpa": Decimal(3)})
    after = load_registry(path)
    assert after.advertisers[:-1] == before
    assert after.require("new").target_cpa == 3
    stored = path.read_bytes().decode("utf-8")
    assert stored.startswith("\ufeff") == text.startswith("\ufeff")
    assert stored.count("\r\n") == (stored.count("\n") if "\r\n" in text else 0)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(min_size=1, max_size=40), token=st.text(min_size=1, max_size=20))
def test_any_name_survives_the_round_trip(tmp_path, name, token):
    path = tmp_path / "any.yaml"
    path.write_text(BY_HAND, encoding="utf-8")
    add_advertiser(path, {"id": "new", "name": name, "time_zone": "UTC", "brand_tokens": (token,)})
    edit_advertiser(path, "acme", {"name": name, "brand_tokens": (token, "acme")})
    edit_advertiser(path, "tiny", {"name": name})
    registry = load_registry(path)
    assert {registry.require(i).name for i in ("new", "acme", "tiny")} == {name}
    assert registry.require("new").brand_tokens == (token,)
    assert registry.require("acme").brand_tokens == (token, "acme")


@pytest.mark.parametrize(
    "name", ['say "yes"', "it's: #1", "a\nb\ttab", "Kōwhai विद्या 🎣", "yes", "2026-11-20", "1e3", "\\", "- x", "a\x85b\u2028c", "null"]
)
def test_awkward_names_survive(path, name):
    edit_advertiser(path, "zeta", {"name": name})
    assert load_registry(path).require("zeta").name == name


def test_an_id_that_looks_like_a_number_stays_a_text(path):
    add_advertiser(path, {"id": "0123", "name": "N", "time_zone": "UTC"})
    assert load_registry(path).ids[-1] == "0123"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda p: add_advertiser(p, {"id": "acme", "name": "A", "time_zone": "UTC"}), "'acme' exists already"),
        (lambda p: add_advertiser(p, {"id": "a|b", "name": "A", "time_zone": "UTC"}), "is not a slug"),
        (lambda p: add_advertiser(p, {"id": "new", "name": "A", "time_zone": "Europe/Lodnon"}), "unknown IANA time zone"),
        (lambda p: add_advertiser(p, {"id": "new", "name": "\udc80", "time_zone": "UTC"}), "name: .*valid string"),
        (lambda p: edit_advertiser(p, "acmee", {"name": "A"}), r"unknown advertiser 'acmee' \(did you mean 'acme'\?\)"),
        (lambda p: edit_advertiser(p, "acme", {"target_cpa": Decimal(-1)}), "target_cpa: .*greater than 0"),
        (lambda p: edit_advertiser(p, "acme", {"target_cpa": Decimal("0.12345678901234567890123")}), "more digits"),
        (lambda p: edit_advertiser(p, "acme", {"run_time_local": "13:00"}), "after 12:00"),
        (lambda p: edit_advertiser(p, "acme", {}, ["time_zone"]), "time_zone is required"),
        (lambda p: remove_advertiser(p, "nobody"), "unknown advertiser 'nobody'"),
    ],
)
def test_a_wrong_edit_is_told_and_changes_nothing(path, edit, message):
    with pytest.raises(RegistryError, match=message):
        edit(path)
    assert path.read_text(encoding="utf-8") == BY_HAND
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("advertisers: [", "not valid YAML"),
        ("advertisers: 3", "expected a mapping"),
        ("advertisers:\n  - {id: a, name: A, time_zone: UTC, colour: red}\n", "colour: Extra inputs"),
        ("advertisers:\n  - id: a\n    name: A\n    name: B\n    time_zone: UTC\n", "duplicate key"),
        ("advertisers: [{id: a, name: A, time_zone: UTC}]\n", "write each advertiser below the other"),
    ],
)
def test_a_registry_that_is_wrong_already_is_not_touched(tmp_path, text, message):
    path = tmp_path / "r.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RegistryError, match=message) as caught:
        add_advertiser(path, {"id": "new", "name": "N", "time_zone": "UTC"})
    assert str(path) in str(caught.value)
    assert path.read_text(encoding="utf-8") == text


def test_mode_and_link_of_the_file_stay(path, tmp_path):
    path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path.name)
    edit_advertiser(link, "acme", {"name": "Other"})
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert load_registry(path).require("acme").name == "Other"


@pytest.mark.parametrize("path", ["/no/such/folder/r.yaml", "/proc/r.yaml"])
def test_a_place_that_cannot_be_written_is_named(path):
    with pytest.raises(RegistryError, match=path):
        add_advertiser(Path(path), {"id": "a", "name": "A", "time_zone": "UTC"})


def test_a_full_disk_leaves_the_file_as_it_was(path):
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from marketing_agents.advertisers.registry_file import edit_advertiser\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "import ruamel.yaml, yaml; from marketing_agents.advertisers import entry_lines, safe_write\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "edit_advertiser(Path(sys.argv[1]), 'acme', {'name': 'Other'})"
    )
    ended = subprocess.run([sys.executable, "-B", "-c", script, str(path)], cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "cannot be edited: File too large; nothing was changed" in ended.stderr
    assert path.read_text(encoding="utf-8") == BY_HAND
    assert list(path.parent.iterdir()) == [path]


def test_edits_at_once_lose_nothing_and_readers_never_see_half_a_file(path):
    script = (
        "import sys; from pathlib import Path; from marketing_agents.advertisers.registry_file import add_advertiser\n"
        "for n in range(8): add_advertiser(Path(sys.argv[1]), {'id': f'w{sys.argv[2]}-{n}', 'name': 'N', 'time_zone': 'UTC'})"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), str(n)], cwd=PROJECT_DIR) for n in range(4)]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        seen.add(len(load_registry(path).ids))
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    assert len(load_registry(path).ids) == 3 + 4 * 8
    assert seen
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_edit_left_behind_is_in_nobodys_way(path):
    path.with_name(".advertisers.yaml.new").write_text("half", encoding="utf-8")
    path.with_name(".advertisers.yaml.lock").write_text("", encoding="utf-8")
    edit_advertiser(path, "acme", {"name": "Other"})
    assert load_registry(path).require("acme").name == "Other"
    assert list(path.parent.iterdir()) == [path]
