"""Runs that are killed, that meet on one partition, and that hold keys for hosts that refuse: same results, no error, nothing leaks."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from marketing_agents.settings import PROJECT_DIR, Settings
from marketing_agents_tests.e2e.pipeline import BUSY, Pipeline
from marketing_agents_tests.e2e.results import identity

LONGEST_S = 240
SECRETS = {
    "GEMINI_API_KEY": "AIzaSyD-fake0key1that2must3not4appear5x",
    "LANGFUSE_PUBLIC_KEY": "pk-lf-0a1b2c3d-must-not-appear",
    "LANGFUSE_SECRET_KEY": "sk-lf-9f8e7d6c-must-not-appear",
}


class Place:
    """A data folder and a Dagster instance that processes share."""

    def __init__(self, folder: Path, source_dir: Path) -> None:
        self.data_dir = folder / "data"
        self.home = folder / "home"
        self.output = folder / "output"
        for path in (self.home, self.output):
            path.mkdir(parents=True)
        shutil.copy(PROJECT_DIR / "dagster.yaml", self.home)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("MARKETING_AGENTS_", "GEMINI", "GOOGLE", "LANGFUSE"))},
            "MARKETING_AGENTS_DATA_DIR": str(self.data_dir),
            "MARKETING_AGENTS_SOURCE_DIR": str(source_dir),
            "MARKETING_AGENTS_CHARTS": "never",
            "DAGSTER_HOME": str(self.home),
        }
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.data_dir)

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        """One run of the busy partition; what it prints goes to a file of its own."""
        with (self.output / f"{len(self._started)}.txt").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "marketing_agents_tests.e2e.one_run", BUSY.advertiser_id, str(BUSY.day)],
                env={**self.environment, **environment},
                cwd=PROJECT_DIR,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def printed(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in sorted(self.output.iterdir()))

    def kill_when(self, process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
        """SIGKILL the run and what it started, as soon as `reached`."""
        limit = time.monotonic() + LONGEST_S
        while not reached():
            assert process.poll() is None, f"the run ended before it could be killed: {self.printed()}"
            assert time.monotonic() < limit
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def count(self, pattern: str) -> int:
        return sum(1 for _ in (self.data_dir / "warehouse").glob(pattern))

    def stop(self) -> None:
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def place(tmp_path, short_input) -> Iterator[Place]:
    made = Place(tmp_path, short_input)
    yield made
    made.stop()


def test_a_killed_run_and_two_runs_at_once_end_in_what_one_undisturbed_run_gives(place, undisturbed):
    # given a run that was killed while it loaded: some tables are there, one may be half there
    place.kill_when(place.start(MARKETING_AGENTS_WRITER="template"), lambda: place.count("raw/*") >= 5)
    assert 5 <= place.count("raw/*") < 20
    assert place.count("marts/*") == place.count("results/*") == 0
    # when two runs of the same partition start at once
    both = [place.start(MARKETING_AGENTS_WRITER="template") for _ in range(2)]
    assert [process.wait(LONGEST_S) for process in both] == [0, 0], place.printed()
    # then
    pipeline, _ = undisturbed
    warehouse = Pipeline(place.settings, pipeline.instance, None).warehouse
    assert identity(warehouse, BUSY) == identity(pipeline.warehouse, BUSY)
    for mart in ("campaign_features", "adgroup_features", "budget_plan_features", "platform_account_features"):
        assert warehouse.read_slices(mart, [BUSY]).equals(pipeline.warehouse.read_slices(mart, [BUSY])), mart

    def log(of):
        return [(e.table, e.date, e.as_of, e.rows, e.content_hash) for e in of.ingestion_log([BUSY.advertiser_id])]

    assert log(warehouse) == log(pipeline.warehouse)
    with dg.DagsterInstance.from_config(str(place.home)) as instance:
        assert instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])) == 2
        assert list(instance.get_dynamic_partitions("advertisers")).count(BUSY.advertiser_id) == 1


@pytest.fixture
def refusing() -> str:
    """An address on loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def test_with_keys_and_hosts_that_refuse_the_list_is_whole_and_no_key_is_written_anywhere(place, undisturbed, refusing):
    began = time.monotonic()
    process = place.start(
        **SECRETS,
        MARKETING_AGENTS_WRITER="auto",
        GOOGLE_GEMINI_BASE_URL=refusing,
        LANGFUSE_BASE_URL=refusing,
        NO_PROXY="127.0.0.1",
        no_proxy="127.0.0.1",
    )
    assert process.wait(LONGEST_S) == 0, place.printed()
    assert time.monotonic() - began < LONGEST_S
    pipeline, _ = undisturbed
    warehouse = Pipeline(place.settings, pipeline.instance, None).warehouse
    writers = [row["writer"] for row in warehouse.read_slices("analyses", [BUSY]).to_pylist()]
    assert set(writers) == {"template_after_error", "quiet"}
    tables = ("findings", "rule_evaluations", "recommendations")
    assert identity(warehouse, BUSY, tables=tables) == identity(pipeline.warehouse, BUSY, tables=tables)
    assert_nowhere(SECRETS.values(), [place.data_dir, place.home, place.output])


def assert_nowhere(secrets, folders):
    """No file holds a secret, also not in a Parquet column or a compressed page."""
    import pyarrow.parquet as pq

    searched = 0
    for folder in folders:
        for path in (p for p in folder.rglob("*") if p.is_file()):
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += str(pq.read_table(path).to_pydict()).encode()
            found = [secret[:12] for secret in secrets if secret.encode() in content]
            assert not found, f"{path} holds {found}"
            searched += 1
    assert searched > 100
