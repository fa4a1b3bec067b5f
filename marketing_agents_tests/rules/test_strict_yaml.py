"""YAML that cannot be read is one problem of its file, whatever PyYAML raises, and aliases cannot blow a file up."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketing_agents.rules.strict_yaml import read_yaml


def read(folder: Path, text: str) -> tuple[object, str | None]:
    path = folder / "x.yaml"
    path.write_text(text)
    return read_yaml(path)


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 10))


@pytest.mark.parametrize(
    ("case", "text", "expected"),
    [
        ("a list as key", "? [a, b]\n: c", "a key must be a word"),
        ("a mapping as key", "? {a: b}\n: c", "a key must be a word"),
        ("no boolean", "a: !!bool foo", "'foo' is not a valid bool"),
        ("no time", "a: !!timestamp foo", "'foo' is not a valid timestamp"),
        ("no number", "a: !!float ''", "'' is not a valid float"),
        ("no day", "a: 2026-13-45", "'2026-13-45' is not a valid timestamp"),
        ("no mapping", "a: !!map [b]", "this is not a valid map"),
        ("aliases of aliases", LAUGHS, "more than 200000 values"),
        ("merges of merges", MERGES, "more than 200000 values"),
        ("an alias of itself", "a: &a [*a]", "an alias inside of what it stands for"),
        ("too deep", "[" * 5000, "recursion"),
        ("no character", 'a: "\\UFFFFFFFF"', ""),
    ],
)
def test_what_cannot_be_read_is_one_problem(case: str, text: str, expected: str, tmp_path: Path) -> None:
    content, problem = read(tmp_path, text)
    assert content is None, case
    assert problem is not None
    assert problem.startswith("cannot be read as YAML: ")
    assert expected in problem


def test_a_folder_with_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").mkdir()
    content, problem = read_yaml(tmp_path / "x.yaml")
    assert content is None
    assert "cannot be read as YAML" in str(problem)


def test_anchors_and_merges_work(tmp_path: Path) -> None:
    text = "a: &a {x: 1, y: [2026-11-20, true]}\nb: *a\nc: {<<: *a, x: 2}"
    content, problem = read(tmp_path, text)
    assert problem is None
    assert isinstance(content, dict)
    assert content["b"] == content["a"]
    assert content["c"] == content["a"] | {"x": 2}
