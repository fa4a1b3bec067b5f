"""Eight runs at once, as processes of their own on one instance, one state store and one warehouse: nobody fails on a lock, nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.settings import PROJECT_DIR, Settings
from marketing_agents_tests.e2e.comparing import differences, stray_files
from marketing_agents_tests.e2e.pipeline import ANCHOR, BUSY, Pipeline
from marketing_agents_tests.e2e.test_interrupted_runs import Place

LONGEST_S = 1200
# Neighbouring days of one advertiser: their look-back and restatement windows overlap, so all fill the same raw slices. Two on one day.
DAYS = [LocalDay(BUSY.advertiser_id, ANCHOR - timedelta(days=n)) for n in range(7)]
RUNS = [*DAYS, DAYS[0]]
LOCKED = ("database is locked", "another process has held", "could not set lock")


class Crowd(Place):
    def start_day(self, day: LocalDay) -> subprocess.Popen[bytes]:
        number = len(self._started)
        with (self.output / f"{number}.txt").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "marketing_agents_tests.e2e.one_run", day.advertiser_id, str(day.day)],
                env={**self.environment, "MARKETING_AGENTS_WRITER": "template"},
                cwd=PROJECT_DIR,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process


@pytest.fixture
def crowd(tmp_path, short_input) -> Iterator[Crowd]:
    made = Crowd(tmp_path, short_input)
    yield made
    made.stop()


def test_eight_runs_at_once_end_in_what_one_run_gives(crowd, tmp_path, short_input, instance):
    # given an instance that exists, as in every deployment: processes that create one at the same moment break it (Dagster 1.13 with SQLite
    # writes its schema version twice, and from then on says "more than one head present")
    with dg.DagsterInstance.from_config(str(crowd.home)):
        pass
    # when eight processes start at the same moment
    processes = [crowd.start_day(day) for day in RUNS]
    codes = [process.wait(LONGEST_S) for process in processes]
    # then none failed, and no database was locked on anybody for good
    printed = crowd.printed()
    assert codes == [0] * len(RUNS), printed
    assert not [words for words in LOCKED if words in printed]
    # and rows, versions and outcomes are those of one run that had the place to itself
    alone = Pipeline(Settings(data_dir=tmp_path / "alone", source_dir=short_input, writer="template"), instance, None)
    (result,) = alone.run(DAYS)
    assert result.success
    together = Pipeline(crowd.settings, instance, None)
    assert differences(together.warehouse, alone.warehouse, DAYS) == []
    assert stray_files(crowd.data_dir) == []
    assert list(crowd.data_dir.rglob(".tmp-*")) == []
    for step in ("ingestion", "marts", "findings", "recommendations", "daily_report"):
        assert together.state.statuses(step, DAYS) == alone.state.statuses(step, DAYS), step
    # and Dagster knows all eight runs and every partition
    with dg.DagsterInstance.from_config(str(crowd.home)) as shared:
        assert shared.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])) == len(RUNS)
        assert set(shared.get_materialized_partitions(dg.AssetKey("daily_report"))) == {day.key for day in DAYS}
