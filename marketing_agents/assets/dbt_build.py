"""Runs the dbt project in the private place of one transform, through dagster-dbt, and says what each test found."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from marketing_agents.checks.dbt_tests import DbtTest
from marketing_agents.warehouse.marts import project_hash

if TYPE_CHECKING:
    from dagster_dbt import DbtCliResource


class DbtError(RuntimeError):
    """dbt could not build a model: a bug of ours, a broken installation or a full disk. The message holds dbt's own.

    `is_transient`: True when dbt was killed (out of memory, machine going down), so that the step is repeated.
    """

    def __init__(self, message: str, *, is_transient: bool = False) -> None:
        super().__init__(message)
        self.is_transient = is_transient


def build(
    project_dir: Path, environment: Mapping[str, str], *, cache_dir: Path, what: str = "dbt build", marts: Collection[str] = ()
) -> list[DbtTest]:
    """`dbt build` of the whole project; results of its data tests. `what` says for messages which partitions it is for.

    The whole project is built each time: the private database starts empty, and a mart needs its parents anyway. `marts`: only these and what
    they are made of, without tests. `cache_dir` keeps dbt's parse of the project between runs (a full parse costs about 3 s of CPU more).

    Raises:
        DbtError: a model, seed or hook failed.
    """
    with (
        TemporaryDirectory(prefix="marketing-agents-dbt-") as folder,
        _environment({**environment, "MARKETING_AGENTS_DBT": _dbt(), "MARKETING_AGENTS_DBT_VERSION": version("dbt-core")}),
        parsed(cache_dir, project_dir, Path(folder)),
    ):
        target = Path(folder)
        invocation = _dbt_resource(str(project_dir)).cli(_arguments(marts), raise_on_error=False, target_path=target).wait()
        try:
            results = invocation.get_artifact("run_results.json")
            manifest = invocation.get_artifact("manifest.json")
        except FileNotFoundError:
            code = invocation.process.returncode
            if code is not None and code < 0:
                raise DbtError(f"{what}: dbt was ended by signal {-code}; nothing was published", is_transient=True) from None
            raise DbtError(_told(f"{what}: dbt ended before it ran anything: {invocation.get_error() or 'no message'}")) from None
    return _tests(results, manifest, what)


def _arguments(marts: Collection[str]) -> list[str]:
    if not marts:
        return ["build"]
    return ["build", "--exclude-resource-type", "test", "--select", " ".join(f"+{mart}" for mart in sorted(marts))]


def _told(problem: str) -> str:
    """The problem, with the next step where dbt's own words do not hold one."""
    if "No space left on device" in problem or "disk is full" in problem.lower():
        return f"{problem}\nno published slice was changed; free disk space under MARKETING_AGENTS_DATA_DIR, then run again"
    return problem


@contextmanager
def parsed(cache_dir: Path, project_dir: Path, target: Path) -> Iterator[None]:
    """Lend dbt the parse of an equal project, and keep the one it makes. dbt itself checks that it still fits, so a stale one costs time only."""
    kept = cache_dir / f"{project_hash(project_dir)}.msgpack"
    lent = target / "partial_parse.msgpack"
    if kept.exists():
        shutil.copyfile(kept, lent)
    yield
    if lent.exists() and not kept.exists():
        private = cache_dir / f".{os.getpid()}.msgpack"
        try:
            cache_dir.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(lent, private)
            private.replace(kept)
        except OSError:  # a full disk: the parse saves time only, and what matters is written by others, who will say so
            with suppress(OSError):
                private.unlink()


@cache
def _dbt_resource(project_dir: str) -> DbtCliResource:
    """One per process: dagster-dbt asks for dbt's version once per resource (`dbt_offline` answers; dbt would take 2 s and ask PyPI)."""
    from dagster_dbt import DbtCliResource

    return DbtCliResource(
        project_dir=project_dir,
        profiles_dir=project_dir,
        target="duckdb",
        dbt_executable=str(Path(project_dir) / "dbt_offline"),
        global_config_flags=["--quiet", "--no-use-colors", "--log-level-file", "none"],
    )


def _dbt() -> str:
    """The dbt of this environment, also when its folder is not on PATH (a daemon started by its full name)."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else "dbt"


def _tests(results: Mapping[str, Any], manifest: Mapping[str, Any], what: str) -> list[DbtTest]:
    tests: list[DbtTest] = []
    broken: list[str] = []
    for result in results["results"]:
        node = manifest["nodes"].get(result["unique_id"])
        is_test = node is not None and node["resource_type"] == "test"
        if result["status"] == "error" or (result["status"] == "fail" and not is_test):
            broken.append(f"{result['unique_id']}: {result['message']}")
        elif is_test and node is not None and result["status"] != "skipped":
            attached = node.get("attached_node") or next(iter(node["depends_on"]["nodes"]), "")
            tests.append(
                DbtTest(
                    node["name"],
                    attached.rsplit(".", 1)[-1],
                    (node["config"].get("meta") or {}).get("told_as") or node["config"]["severity"].lower(),
                    int(result["failures"] or 0),
                    node.get("relation_name"),
                )
            )
    if broken:
        raise DbtError(_told(f"{what}: dbt failed:\n" + "\n".join(broken)[:4000]))
    return tests


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the dbt process only; dagster-dbt copies this process's environment and has no parameter for more."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
