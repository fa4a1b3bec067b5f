"""`marketing-agents dev`: the Dagster UI and daemon on this machine, with DAGSTER_HOME, partitions and sample data in place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.cli.errors import UsageError
from marketing_agents.cli.home import ensure_dagster_home
from marketing_agents.cli.sample_agency import ensure_sample, uses_sample
from marketing_agents.settings import PROJECT_DIR, load_settings

# For every process that runs the daemon. Without it Dagster (1.13.27) ends a backfill for good, with status FAILED, when the daemon looks at it
# while the code server restarts: its assets "existed at storage-time, but no longer do". With it the backfill waits for the code server.
DAEMON_ENVIRONMENT = {"DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1"}


def run_dev(host: str, port: int) -> int:
    """Start `dg dev` and wait for it; its status is returned.

    Raises:
        UsageError: the `dg` command is not installed.
    """
    console = Console(stderr=True)
    settings = load_settings()
    registry = load_registry(settings.resolved_advertisers)
    home = ensure_dagster_home()
    if uses_sample(settings):
        with console.status("generating the sample agency"):
            ensure_sample(settings, registry.advertisers)
    with console.status("registering advertisers as partitions"):
        import dagster as dg

        from marketing_agents.cli.materialize import register_advertisers

        with dg.DagsterInstance.get() as instance:
            register_advertisers(instance, registry.ids)
    command = shutil.which("dg", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if command is None:
        raise UsageError("the command `dg` is not installed; run `make dev`, which installs it")
    console.print(f"Dagster UI on http://{host}:{port}  (instance in {home}; stop with Ctrl-C)")
    return subprocess.run(  # noqa: S603 (a fixed command)
        [command, "dev", "--host", host, "--port", str(port)], cwd=PROJECT_DIR, check=False, env={**DAEMON_ENVIRONMENT, **os.environ}
    ).returncode
