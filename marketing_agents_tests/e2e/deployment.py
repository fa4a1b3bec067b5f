"""A real local deployment in a folder of its own: code server, daemon, webserver and run workers as processes that tests may kill.

One code server (`dagster code-server start`) serves the daemon and the webserver, as under `make dev`; run workers are its children. Everything
listens on loopback, writes what it prints to `output/<name>.txt`, and is ended by `stop()`: those processes of the groups started here
that carry this deployment's DAGSTER_HOME in their environment, and no other.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import yaml

from marketing_agents.advertisers.registry import Registry, load_registry
from marketing_agents.automation.jobs import UNPARTITIONED
from marketing_agents.cli.dev import DAEMON_ENVIRONMENT
from marketing_agents.cli.materialize import register_advertisers
from marketing_agents.resources.platform import open_warehouse
from marketing_agents.settings import PROJECT_DIR, Settings
from marketing_agents.state.store import StateStore
from marketing_agents.warehouse.store import Warehouse

BIN = Path(sys.executable).parent
FOREIGN = ("MARKETING_AGENTS_", "GEMINI", "GOOGLE", "LANGFUSE", "DAGSTER", "BIGQUERY")
START_S = 120  # a code server imports dagster and our definitions; three at once on a busy machine take their time
GRAPHQL_S = 120
BACKFILL_TAG = "dagster/backfill"
ENDED = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}
IN_FLIGHT = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on PartitionKeysNotFoundError { message }
    ... on UnauthorizedError { message }
  }
}
"""
LAUNCH_RUN = """
mutation LaunchRun($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""


class Deployment:
    """One deployment. `config` is merged over the project's dagster.yaml; `environment` over what all processes get.

    Folders: home/ (DAGSTER_HOME with dagster.yaml and workspace.yaml), data/, advertisers.yaml, output/.
    """

    def __init__(
        self,
        folder: Path,
        source_dir: Path,
        registry: Path,
        *,
        chunk_size: int = 30,
        config: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.home, self.data_dir, self.output = folder / "home", folder / "data", folder / "output"
        for path in (self.home, self.data_dir, self.output):
            path.mkdir(parents=True, exist_ok=True)
        self.registry_file = folder / "advertisers.yaml"
        shutil.copy(registry, self.registry_file)
        project = yaml.safe_load((PROJECT_DIR / "dagster.yaml").read_text(encoding="utf-8"))
        (self.home / "dagster.yaml").write_text(yaml.safe_dump(merged(project, config or {})), encoding="utf-8")
        self.code_server_port, self.webserver_port = free_port(), free_port()
        self.workspace = self.home / "workspace.yaml"
        server = {"host": "127.0.0.1", "port": self.code_server_port, "location_name": "marketing_agents"}
        self.workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
        self.settings = Settings(
            data_dir=self.data_dir,
            source_dir=source_dir,
            advertisers=self.registry_file,
            writer="template",
            charts="never",
            backfill_chunk_size=chunk_size,
        )
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)},
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "DO_NOT_TRACK": "1",
            "DAGSTER_GRPC_TIMEOUT_SECONDS": "300",  # a busy machine answers late; the daemon fails a run whose launch takes more than 60 s
            "NO_PROXY": "127.0.0.1,localhost",
            **DAEMON_ENVIRONMENT,
            "MARKETING_AGENTS_DATA_DIR": str(self.data_dir),
            "MARKETING_AGENTS_SOURCE_DIR": str(source_dir),
            "MARKETING_AGENTS_ADVERTISERS": str(self.registry_file),
            "MARKETING_AGENTS_WRITER": "template",
            "MARKETING_AGENTS_CHARTS": "never",
            "MARKETING_AGENTS_SCHEDULES": "stopped",
            "MARKETING_AGENTS_ONBOARDING_DAYS": "0",
            "MARKETING_AGENTS_BACKFILL_CHUNK_SIZE": str(chunk_size),
            **(environment or {}),
        }
        self._named: dict[str, subprocess.Popen[bytes]] = {}
        self._groups: set[int] = set()
        self._starts: Counter[str] = Counter()
        self.instance = dg.DagsterInstance.from_config(str(self.home))
        register_advertisers(self.instance, self.registry.ids)

    # What lies in the folders

    @property
    def registry(self) -> Registry:
        return load_registry(self.registry_file)

    @property
    def state(self) -> StateStore:
        return StateStore(self.settings.resolved_state_url)

    @property
    def warehouse(self) -> Warehouse:
        return open_warehouse(self.settings)

    # Processes

    def start(self) -> Deployment:
        """Code server, then daemon and webserver."""
        self.start_code_server()
        self.start_daemon()
        self.start_webserver()
        return self

    def start_code_server(self) -> None:
        address = ["--host", "127.0.0.1", "--port", str(self.code_server_port)]
        self._start(
            "code_server", [str(BIN / "dagster"), "code-server", "start", "--module-name", "marketing_agents.definitions", *address]
        )
        self._wait_for("code_server", lambda: listens(self.code_server_port))

    def start_daemon(self) -> None:
        """Returns when this daemon, not an earlier one, has written its first heartbeat of the backfill thread."""
        began = time.time()
        self._start("daemon", [str(BIN / "dagster-daemon"), "run", "--workspace", str(self.workspace)])

        def beats() -> bool:
            beat = self.instance.get_daemon_heartbeats().get("BACKFILL")
            return beat is not None and beat.timestamp >= began

        self._wait_for("daemon", beats)

    def start_webserver(self) -> None:
        address = ["--host", "127.0.0.1", "--port", str(self.webserver_port)]
        self._start("webserver", [str(BIN / "dagster-webserver"), "--workspace", str(self.workspace), *address])
        self._wait_for("webserver", lambda: self.graphql("{ version }") is not None)

    def pids(self, name: str) -> list[int]:
        """Live processes of `daemon`, `webserver` or `code_server` (the proxy and the server behind it, without run workers)."""
        process = self._named.get(name)
        if process is None or process.poll() is not None:
            return []
        root = psutil.Process(process.pid)
        own = [root] if name != "code_server" else [root, *(c for c in root.children() if "grpc" in _command(c))]
        return [p.pid for p in own]

    def run_workers(self) -> dict[str, int]:
        """Process id by run id, for runs in flight whose worker lives."""
        found: dict[str, int] = {}
        for run in self.instance.get_runs(dg.RunsFilter(statuses=IN_FLIGHT)):
            for entry in self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
                event = entry.dagster_event
                pid = event.engine_event_data.metadata.get("pid") if event else None
                if pid is not None and self._is_ours(int(str(pid.value))):
                    found[run.run_id] = int(str(pid.value))
        return found

    def kill(self, name: str, *, signal_number: int = signal.SIGKILL) -> list[int]:
        """SIGKILL `daemon`, `webserver` or `code_server`; run workers live on. Returns the ids of what was killed."""
        pids = self.pids(name)
        for pid in pids:
            os.kill(pid, signal_number)
        self._named[name].wait(START_S)
        return pids

    def kill_run_worker(self, run_id: str | None = None) -> str | None:
        """SIGKILL the worker of a run (default: any in flight); its run id, or None when no worker lives."""
        workers = self.run_workers()
        chosen = run_id if run_id is not None else next(iter(sorted(workers)), None)
        if chosen is None or chosen not in workers:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.kill(workers[chosen], signal.SIGKILL)
        return chosen

    def stop(self) -> None:
        """End everything that was started here, and what it started."""
        for name in ("daemon", "webserver", "code_server"):
            process = self._named.get(name)
            if process is not None and process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + 10
        while self._left() and time.monotonic() < deadline:
            time.sleep(0.2)
        for process in self._left():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for process in self._named.values():
            process.wait(START_S)
        self.instance.dispose()

    def printed(self, name: str, characters: int = 4000) -> str:
        """The end of what the processes of that name printed."""
        return "\n".join(p.read_text(errors="replace")[-characters:] for p in sorted(self.output.glob(f"{name}*.txt")))

    # Dagster

    def graphql(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Data of a query to the webserver.

        Raises:
            OSError: nobody answers. AssertionError: the answer holds errors.
        """
        body = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.webserver_port}/graphql", data=body, headers={"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=GRAPHQL_S) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as refused:  # Dagster sends errors of a query with status 400 or 500 and says why in the body
            raise AssertionError(f"{refused.code}: {refused.read().decode(errors='replace')[:2000]}") from None
        assert not answer.get("errors"), answer["errors"]
        return answer["data"]

    def daily_assets(self) -> list[dg.AssetKey]:
        """The partitioned assets: what `daily_analysis` selects."""
        from marketing_agents.definitions import build_definitions

        graph = build_definitions(self.settings).resolve_asset_graph()
        return sorted((dg.AssetSelection.all() - UNPARTITIONED).resolve(graph))

    def launch_backfill(
        self,
        keys: Sequence[str],
        *,
        assets: Sequence[dg.AssetKey] | None = None,
        run_config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        title: str = "",
        job: str | None = None,
    ) -> str:
        """`launchPartitionBackfill`, as the UI sends it, for exactly these keys (default: of all partitioned assets); the backfill's id.

        `job`: as the page of that job sends it, which is another kind of backfill.
        """
        params: dict[str, Any] = {
            "assetSelection": [{"path": list(key.path)} for key in assets or self.daily_assets()],
            "partitionNames": list(keys),
            "tags": [{"key": k, "value": v} for k, v in (tags or {}).items()],
        }
        if run_config is not None:
            params["runConfigData"] = dict(run_config)
        if title:
            params["title"] = title
        if job is not None:
            repository = {"repositoryLocationName": "marketing_agents", "repositoryName": "__repository__"}
            params["selector"] = {"partitionSetName": f"{job}_partition_set", "repositorySelector": repository}
        answer = self.graphql(LAUNCH, {"params": params})["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["backfillId"])

    def launch_run(self, key: str, tags: Mapping[str, str], *, assets: Sequence[dg.AssetKey] | None = None) -> str:
        """A run of `daily_analysis` for one partition, as the UI and schedules ask for it; its id. `assets`: only these."""
        advertiser_id, day = key.split("|")
        all_tags = {"dagster/partition": key, "dagster/partition/advertiser": advertiser_id, "dagster/partition/date": day, **tags}
        selector: dict[str, Any] = {
            "repositoryLocationName": "marketing_agents",
            "repositoryName": "__repository__",
            "jobName": "daily_analysis",
        }
        if assets is not None:
            selector["assetSelection"] = [{"path": list(asset.path)} for asset in assets]
        params = {
            "selector": selector,
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in all_tags.items()]},
            "runConfigData": {},
        }
        answer = self.graphql(LAUNCH_RUN, {"params": params})["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def backfill_status(self, backfill_id: str) -> str:
        """Dagster's status: REQUESTED, COMPLETED_SUCCESS, COMPLETED_FAILED, FAILED, CANCELED ..."""
        backfill = self.instance.get_backfill(backfill_id)
        assert backfill is not None, backfill_id
        return backfill.status.value

    def wait_backfill(self, backfill_id: str, timeout_s: float = 600) -> str:
        """Dagster's status once the backfill ended (the daemon looks every 30 seconds)."""
        deadline = time.monotonic() + timeout_s
        while (status := self.backfill_status(backfill_id)) not in ENDED:
            assert time.monotonic() < deadline, f"{backfill_id} is {status} after {timeout_s} s: {self.printed('daemon')}"
            time.sleep(1)
        if status == "FAILED":  # the daemon gave up, and says why
            print(self.instance.get_backfill(backfill_id).error, self.printed("daemon"), sep="\n")  # type: ignore[union-attr]  # noqa: T201 (pytest shows it with the failure)
        return status

    def backfill_runs(self, backfill_id: str) -> list[dg.DagsterRun]:
        return list(self.instance.get_runs(dg.RunsFilter(tags={BACKFILL_TAG: backfill_id})))

    def wait_until(self, reached: Callable[[], bool], what: str, timeout_s: float = 300, every_s: float = 0.2) -> None:
        deadline = time.monotonic() + timeout_s
        while not reached():
            assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
            time.sleep(every_s)

    # Inside

    def _start(self, name: str, command: list[str]) -> None:
        assert not self.pids(name), f"{name} runs already"
        self._starts[name] += 1
        with (self.output / f"{name}.{self._starts[name]}.txt").open("wb") as output:
            process = subprocess.Popen(
                command, env=self.environment, cwd=PROJECT_DIR, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._named[name] = process
        self._groups.add(process.pid)

    def _wait_for(self, name: str, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_S
        while True:
            assert self._named[name].poll() is None, f"{name} ended while starting: {self.printed(name)}"
            with contextlib.suppress(OSError, AssertionError):
                if is_ready():
                    return
            assert time.monotonic() < deadline, f"{name} did not start: {self.printed(name)}"
            time.sleep(0.3)

    def _left(self) -> list[psutil.Process]:
        return [p for p in psutil.process_iter() if self._is_ours(p.pid)]

    def _is_ours(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            return (
                os.getpgid(pid) in self._groups
                and process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get("DAGSTER_HOME") == str(self.home)
            )
        except (psutil.Error, ProcessLookupError):
            return False


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid over it, mapping by mapping; None removes a key."""
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _command(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
