"""The house rules of the code: who may import whom, what may be imported at the top, one module for all tools."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "marketing_agents"
BELOW_THE_LINE = (
    "advertisers",
    "agents",
    "decisions",
    "domains",
    "ingestion",
    "llm",
    "operations",
    "report",
    "rules",
    "sample",
    "state",
    "warehouse",
)
ABOVE_THE_LINE = ("assets", "automation", "checks", "resources", "cli", "definitions", "partitions")
HEAVY = {
    "dagster_dbt",
    "dagster_gcp",
    "dbt",
    "duckdb",
    "google",
    "httpx2",
    "langfuse",
    "langgraph",
    "langchain_core",
    "matplotlib",
    "pandas",
    "pyarrow",
    "scipy",
    "numpy",
    "sqlalchemy",
    "alembic",
    "jinja2",
}


def _imports(path: Path, *, top_level: bool) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    nodes = tree.body if top_level else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def _modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((PACKAGE / folder).rglob("*.py"))]


@pytest.mark.parametrize(
    "path",
    [*_modules(*BELOW_THE_LINE), PACKAGE / "days.py", PACKAGE / "status.py", PACKAGE / "settings.py", PACKAGE / "failures.py"],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_nothing_below_the_line_knows_dagster(path):
    found = _imports(path, top_level=False)
    assert not {name for name in found if name.split(".")[0].startswith("dagster")}
    above = tuple(f"marketing_agents.{name}" for name in ABOVE_THE_LINE)
    assert not {name for name in found if name.startswith(above)}


def _loaded_by_definitions() -> set[str]:
    import subprocess
    import sys

    script = "import sys, marketing_agents.definitions; print('\\n'.join(m for m in sys.modules))"
    return set(subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split())


def test_importing_definitions_loads_no_heavy_library():
    loaded = _loaded_by_definitions()
    heavy = {
        "dagster_dbt",
        "dagster_gcp",
        "dbt",
        "duckdb",
        "google.genai",
        "langfuse",
        "langgraph",
        "matplotlib",
        "pandas",
        "pyarrow",
        "scipy",
        "numpy",
        "alembic",
    }
    assert not heavy & loaded


def test_workspace_and_pyproject_name_the_same_module():
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module = workspace["load_from"][0]["python_module"]["module_name"]
    assert module == pyproject["tool"]["dg"]["project"]["code_location_target_module"] == "marketing_agents.definitions"


def test_no_private_dagster_api():
    pattern = re.compile(r"\bdagster\._|from dagster\._|\bdagster\.\w+\._")
    assert not [path for path in PACKAGE.rglob("*.py") if pattern.search(path.read_text(encoding="utf-8"))]


def test_the_lock_pins_every_line_by_hash_and_names_no_host():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "==" in block
        assert "--hash=sha256:" in block, block[:80]
