"""Where Dagster keeps its instance: DAGSTER_HOME, or `.dagster_home` in the project with the project's dagster.yaml in it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from marketing_agents.settings import PROJECT_DIR


def ensure_dagster_home() -> Path:
    """Set and fill DAGSTER_HOME when the user did not; returns it. A link keeps the instance's dagster.yaml equal to the project's."""
    configured = os.environ.get("DAGSTER_HOME")
    if configured:
        return Path(configured)
    home = PROJECT_DIR / ".dagster_home"
    home.mkdir(exist_ok=True)
    link = home / "dagster.yaml"
    if not link.exists():
        link.unlink(missing_ok=True)
        with contextlib.suppress(FileExistsError):  # another process was faster
            link.symlink_to(PROJECT_DIR / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
