"""A run whose worker is gone is failed, so that it is repeated once; living workers, other hosts and finished runs are left alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
import pytest

from marketing_agents.automation.lost_runs import build_lost_runs_sensor, fail_lost_runs
from marketing_agents.automation.run_tags import WORKER_TAG
from marketing_agents.automation.run_worker import RunWorker, is_running_since
from marketing_agents.settings import PROJECT_DIR

NOW = datetime.now(UTC)

WORKER = """
import sys, time
import dagster as dg
from marketing_agents.assets.failure_policy import failure_policy

@dg.asset
def step(context: dg.AssetExecutionContext) -> None:
    with failure_policy(context):
        print(context.run_id, flush=True)
        if sys.argv[2] == "fail":
            raise ValueError("bad")
        time.sleep(600)

with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    dg.materialize([step], instance=instance, raise_on_error=False)
"""


@pytest.fixture
def home(tmp_path):
    shutil.copy(PROJECT_DIR / "dagster.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def instance(home):
    with dg.DagsterInstance.from_config(str(home)) as found:
        yield found


@pytest.fixture
def working(home):
    """A process in the middle of a step: (process, run id)."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(home), "work"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    yield process, process.stdout.readline().strip()
    process.kill()
    process.wait()


def status(instance, run_id):
    return instance.get_run_by_id(run_id).status.value


def test_a_killed_worker_s_run_is_failed_and_may_be_repeated_once(instance, working):
    process, run_id = working
    # given a worker that lives: nothing happens
    assert fail_lost_runs(instance, NOW) == []
    assert status(instance, run_id) == "STARTED"
    # and when it is killed, then its run is failed, once, and Dagster says that it will be repeated
    process.kill()
    process.wait()
    ((failed, why),) = fail_lost_runs(instance, NOW)
    assert failed == run_id
    assert why.startswith(f"its worker, process {process.pid} on ")
    assert status(instance, run_id) == "FAILURE"
    assert instance.get_run_by_id(run_id).tags["dagster/will_retry"] == "true"
    assert fail_lost_runs(instance, NOW) == []


def test_a_stopped_worker_and_one_that_its_parent_has_not_buried_are_told_apart(instance, working):
    process, run_id = working
    os.kill(process.pid, signal.SIGSTOP)
    assert fail_lost_runs(instance, NOW) == []  # a machine that is short of memory looks like this too
    process.kill()  # not waited for: a zombie
    while RunWorker.from_tag(instance.get_run_by_id(run_id).tags[WORKER_TAG]).is_gone is False:
        time.sleep(0.05)
    assert [failed for failed, _ in fail_lost_runs(instance, NOW)] == [run_id]


def test_runs_of_another_host_are_left_alone(instance, working):
    process, run_id = working
    worker = RunWorker.from_tag(instance.get_run_by_id(run_id).tags[WORKER_TAG])
    instance.add_run_tags(run_id, {WORKER_TAG: replace(worker, host="another-host").to_tag()})
    process.kill()
    process.wait()
    assert fail_lost_runs(instance, NOW) == []


def test_a_stamp_inherited_from_the_run_that_is_repeated_does_not_count(instance, working):
    """Dagster copies the tags of a lost run to the run that repeats it, which is not to be failed before its first step has begun."""
    _, run_id = working
    gone = RunWorker("any", 1, 0.0, "any", "the-lost-run")
    here = RunWorker.of_this_process(run_id)
    instance.add_run_tags(run_id, {WORKER_TAG: replace(gone, host=here.host).to_tag()})
    assert fail_lost_runs(instance, NOW) == []


def test_a_step_that_fails_is_not_repeated_by_the_daemon(home, instance):
    done = subprocess.run([sys.executable, "-c", WORKER, str(home), "fail"], capture_output=True, text=True, check=True)
    tags = instance.get_run_by_id(done.stdout.strip()).tags
    assert (tags["dagster/will_retry"], tags["marketing_agents/failure"]) == ("false", "permanent")


@pytest.mark.parametrize(
    ("change", "is_gone"),
    [
        ({}, False),
        ({"boot": "another-boot"}, True),  # the machine was restarted, the number belongs to somebody else now
        ({"began_s": -100.0}, True),  # the number was used again
        ({"pid": 2**22 + 1}, True),  # above any number Linux gives
    ],
    ids=["this process", "reboot", "number used again", "no such process"],
)
def test_a_process_is_known_by_host_boot_and_beginning(change, is_gone):
    worker = RunWorker.of_this_process("run")
    assert RunWorker.from_tag(worker.to_tag()) is not None
    assert replace(worker, **change).is_gone is is_gone


@pytest.mark.parametrize("text", ["", "host", "host x 1.0 boot run", "host 1 1.0 boot"])
def test_a_tag_that_is_no_stamp_names_nobody(text):
    assert RunWorker.from_tag(text) is None


def test_a_process_that_began_later_than_the_run_is_not_its_worker():
    assert is_running_since(os.getpid(), time.time())
    assert not is_running_since(os.getpid(), 0.0)


def test_the_sensor_runs_by_default_and_says_what_it_did(instance, working):
    process, run_id = working
    sensor = build_lost_runs_sensor()
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert "has its worker" in sensor(dg.build_sensor_context(instance=instance)).skip_message
    process.kill()
    process.wait()
    assert run_id in sensor(dg.build_sensor_context(instance=instance)).skip_message
