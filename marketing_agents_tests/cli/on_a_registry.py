"""Commands on a registry and a state store of their own, without any data."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from marketing_agents.cli.app import main
from marketing_agents.state.store import StateStore


@dataclass
class Commands:
    """`run` is `marketing-agents <arguments>` in this process."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: Any

    def register(self, *entries: dict[str, Any]) -> None:
        path = self.folder / "advertisers.yaml"
        path.write_text(yaml.safe_dump({"advertisers": [{"name": e["id"], **e} for e in entries]}), encoding="utf-8")
        self.monkeypatch.setenv("MARKETING_AGENTS_ADVERTISERS", str(path))
        self.monkeypatch.setenv("MARKETING_AGENTS_DATA_DIR", str(self.folder))
        self.monkeypatch.setenv("COLUMNS", "250")

    @property
    def state(self) -> StateStore:
        return StateStore(f"sqlite:///{self.folder / 'state.db'}")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        self.monkeypatch.setattr(sys, "argv", ["marketing-agents", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = self.capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return int(ended.value.code or 0), shown.out, shown.err
