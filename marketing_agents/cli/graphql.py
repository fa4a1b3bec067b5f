"""Talks GraphQL to Dagster through its public command `dagster-graphql`, on this project's workspace and instance; no webserver is needed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marketing_agents.cli.errors import UsageError
from marketing_agents.settings import PROJECT_DIR

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
_ANSWER = """{ __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  ... on PartitionKeysNotFoundError { partitionKeys message } ... on UnauthorizedError { message } }"""


@dataclass(frozen=True)
class BackfillRequest:
    """One backfill for Dagster: exactly these partitions of these assets. `run_config` reaches every run."""

    assets: Sequence[Sequence[str]]
    partitions: Sequence[str]
    title: str
    tags: Mapping[str, str]
    run_config: Mapping[str, Any] = field(default_factory=dict)


def launch_backfills(requests: Sequence[BackfillRequest]) -> list[str]:
    """Ids of the new backfills, in order.

    Raises:
        UsageError: Dagster refused one; those before it are launched and named in the message.
    """
    data = run_document("mutation {\n" + "\n".join(_launch(f"b{n}", request) for n, request in enumerate(requests)) + "\n}\n")
    ids: list[str] = []
    for n in range(len(requests)):
        answer = data[f"b{n}"]
        if answer["__typename"] != "LaunchBackfillSuccess":
            before = f"; launched before it: {', '.join(ids)}" if ids else ""
            raise UsageError(f"Dagster refused the backfill: {answer['__typename']}: {answer.get('message', '')[:500]}{before}")
        ids.append(str(answer["backfillId"]))
    return ids


def run_document(document: str) -> dict[str, Any]:
    """The data that a document gives.

    Values stand in the document itself, which goes in as a file: an argument of a command holds 128 KB, ten thousand partition keys 250.

    Raises:
        UsageError: the command is missing or failed, or GraphQL answered with errors.
    """
    command = shutil.which("dagster-graphql", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if command is None:
        raise UsageError("the command `dagster-graphql` is not installed; `make env` installs it")
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "document.graphql", Path(folder) / "answer.json"
        asked.write_text(document, encoding="utf-8")
        process = subprocess.run(  # noqa: S603 - a fixed command on files of ours
            [command, "--workspace", str(PROJECT_DIR / "workspace.yaml"), "--file", str(asked), "--output", str(answered)],
            cwd=PROJECT_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode != 0 or not answered.exists():
            raise UsageError(f"dagster-graphql failed ({process.returncode}): {_last_lines(process.stderr or process.stdout)}")
        answer = json.loads(answered.read_text(encoding="utf-8"))
    if answer.get("errors"):
        raise UsageError(f"Dagster did not understand: {answer['errors'][0].get('message', '')[:500]}")
    return dict(answer["data"])


def literal(value: Any) -> str:
    """A value as GraphQL writes it: like JSON, but names of object fields stand without quotes.

    Raises:
        ValueError: a field name that GraphQL cannot write.
    """
    if isinstance(value, Mapping):
        for name in value:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a GraphQL name")
        return "{" + ", ".join(f"{name}: {literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return json.dumps(value)


def _launch(alias: str, request: BackfillRequest) -> str:
    params: dict[str, Any] = {
        "assetSelection": [{"path": list(path)} for path in request.assets],
        "partitionNames": list(request.partitions),
        "title": request.title,
        "tags": [{"key": key, "value": value} for key, value in request.tags.items()],
    }
    if request.run_config:
        params["runConfigData"] = json.dumps(request.run_config)
    return f"{alias}: launchPartitionBackfill(backfillParams: {literal(params)}) {_ANSWER}"


def _last_lines(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return " ".join(lines[-3:])[-600:] or "it printed nothing"
