"""Runs the dbt project for tests: its own process, as the pipeline does, with a target folder that all tests of a session share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"


@dataclass(frozen=True)
class Built:
    """What one dbt command did: exit code, output, results by node name, and the manifest."""

    returncode: int
    output: str
    target: Path

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        document = json.loads((self.target / "run_results.json").read_text())
        return {result["unique_id"].split(".")[2]: result for result in document["results"]}

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.target / "manifest.json").read_text())


def dbt(database: Path, target: Path, *arguments: str, **environment: str) -> Built:
    command = [
        str(Path(sys.executable).with_name("dbt")),
        *arguments,
        "--target-path",
        str(target),
        "--log-path",
        str(target / "logs"),
        "--log-level-file",
        "none",
    ]
    variables = {k: v for k, v in os.environ.items() if not k.startswith("MARKETING_AGENTS_")}
    variables |= {"MARKETING_AGENTS_DBT_DATABASE": str(database), "DBT_PROFILES_DIR": str(PROJECT), **environment}
    done = subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, timeout=300, check=False)
    return Built(done.returncode, done.stdout + done.stderr, target)
