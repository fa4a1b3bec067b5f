"""`marketing-agents demo` on a machine without a network: works, asks nobody, and the second call shows the same without running again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg

from marketing_agents.settings import PROJECT_DIR
from marketing_agents_tests.wire.no_network import NoNetwork


def test_the_demo_stays_on_loopback_and_the_second_call_is_equal_and_runs_nothing(tmp_path):
    guard = NoNetwork(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_bytes((PROJECT_DIR / "dagster.yaml").read_bytes())
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("MARKETING_AGENTS_", "GEMINI", "GOOGLE", "LANGFUSE", "LANGSMITH", "DBT_"))
    }
    environment = guard.environment(kept) | {"MARKETING_AGENTS_DATA_DIR": str(tmp_path / "data"), "DAGSTER_HOME": str(home)}

    def demo():
        program = Path(sys.executable).with_name("marketing-agents")
        done = subprocess.run(
            guard.command([str(program), "demo", "--json"]),
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        with dg.DagsterInstance.from_config(str(home)) as instance:
            return json.loads(done.stdout)["advertisers"], instance.get_runs_count()

    first, runs = demo()
    assert guard.attempts() == []
    assert len(first) == 6
    assert sum(len(a["recommendations"]) for a in first) >= 8
    assert {a["status"] for a in first} == {"ok"}
    assert runs >= 2

    again, runs_after = demo()
    assert guard.attempts() == []
    assert again == first
    assert runs_after == runs
