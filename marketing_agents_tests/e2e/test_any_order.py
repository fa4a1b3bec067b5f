"""Promise 2 as a property: whatever the order and the cut into runs, every partition has one answer; also when runs overlap in time.

Each example is a store of its own and pays for dbt in every run, so few are tried: `ANY_ORDER_EXAMPLES=30` tries more, at random and with
finer cuts. Properties of loading and of rule evaluation alone are tried by the dozen in ingestion/test_load_order.py and rules/test_replay.py.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing_agents.days import LocalDay
from marketing_agents.sample.agency import write_agency
from marketing_agents.settings import PROJECT_DIR
from marketing_agents_tests.e2e.one_answer import answer, assert_same, change_source, open_pipeline, run
from marketing_agents_tests.e2e.pipeline import ANCHOR
from marketing_agents_tests.e2e.small_agency import small_spec

HARBOUR, SOL = "harbour-thread", "sol-and-sage"
ADVERTISERS = (HARBOUR, SOL)
DATES = tuple(ANCHOR - timedelta(days=n) for n in (2, 1, 0))
MOVED_ON = DATES[1]
# Text is not part of an answer, and pages cost time.
ASSETS = ("raw", "marts", "rules/findings", "analysis", "recommendations")

EXAMPLES = os.environ.get("ANY_ORDER_EXAMPLES")
MOST_RUNS = 6 if EXAMPLES else 3
Cut = tuple[tuple[LocalDay, ...], ...]


def cuts() -> list[Cut]:
    """Every way to make the six partitions by runs of the shapes that a backfill has: one advertiser and neighbouring dates, or one date and
    both advertisers; in at most MOST_RUNS runs.
    """
    found: set[Cut] = set()
    for shared in itertools.chain.from_iterable(itertools.combinations(DATES, n) for n in range(len(DATES) + 1)):
        for breaks in itertools.product([False, True], repeat=2 * (len(DATES) - 1)):
            runs = [tuple(LocalDay(a, d) for a in ADVERTISERS) for d in shared]
            for number, advertiser in enumerate(ADVERTISERS):
                block: list[LocalDay] = []
                for position, day in enumerate(DATES):
                    is_cut = position > 0 and (DATES[position - 1] in shared or breaks[number * (len(DATES) - 1) + position - 1])
                    if block and (is_cut or day in shared):
                        runs.append(tuple(block))
                        block = []
                    if day not in shared:
                        block.append(LocalDay(advertiser, day))
                if block:
                    runs.append(tuple(block))
            if len(runs) <= MOST_RUNS:
                found.add(tuple(sorted(runs)))
    return sorted(found)


@st.composite
def plans(draw) -> Cut:
    """A cut, and an order of its runs."""
    return tuple(draw(st.permutations(draw(st.sampled_from(cuts())))))


def test_cuts_hold_every_partition_once():
    everything = sorted(LocalDay(a, d) for a in ADVERTISERS for d in DATES)
    for cut in cuts():
        assert sorted(day for one in cut for day in one) == everything
    assert {len(one) for cut in cuts() for one in cut} >= {1, 2, 3}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two advertisers with incidents. Nobody lists one of the accounts, and it moves to another zone between two of the partitions."""
    source = tmp_path_factory.mktemp("source")
    write_agency(source, small_spec(*ADVERTISERS, days=45))

    def is_nomad(row):
        return row["advertiser_id"] == HARBOUR and row["platform"] == "pinterest_ads"

    change_source(source, "platform_accounts", lambda row: None if is_nomad(row) else row)
    change_source(
        source,
        "ad_performance_daily",
        lambda row: {**row, "account_time_zone": "Pacific/Auckland"} if is_nomad(row) and row["date"] >= MOVED_ON else row,
    )
    return source


def selected(pipeline):
    keys = (key.to_user_string() for key in pipeline.definitions().resolve_asset_graph().get_all_asset_keys())
    return sorted(key for key in keys if key.startswith(ASSETS) and key != "rules/catalogue")


def answers(pipeline):
    return {LocalDay(a, d): answer(pipeline, LocalDay(a, d)) for a in ADVERTISERS for d in DATES}


@pytest.fixture(scope="module")
def mornings(source, tmp_path_factory):
    """What three mornings said, oldest first."""
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = open_pipeline(tmp_path_factory.mktemp("mornings"), source, instance)
        for day in DATES:
            run(pipeline, [LocalDay(a, day) for a in ADVERTISERS], assets=selected(pipeline))
        yield answers(pipeline)


def test_there_is_something_to_compare(mornings):
    for found in mornings.values():
        assert found["findings"]
        assert found["recommendations"]
    zones = {
        day.day: {row["time_zone"] for row in found["marts/int_evaluated_days"] if row["platform"] == "pinterest_ads"}
        for day, found in mornings.items()
        if day.advertiser_id == HARBOUR
    }
    assert zones == {DATES[0]: {"UTC"}, DATES[1]: {"Pacific/Auckland"}, DATES[2]: {"Pacific/Auckland"}}


@settings(
    max_examples=int(EXAMPLES or 3),
    deadline=None,
    derandomize=EXAMPLES is None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(plan=plans())
def test_any_order_and_any_cut_give_what_the_mornings_said(source, mornings, plan):
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.ephemeral() as instance:
        pipeline = open_pipeline(Path(folder), source, instance)
        for days in plan:
            run(pipeline, list(days), assets=selected(pipeline))

        found = answers(pipeline)

    for day, morning in mornings.items():
        assert_same(found[day], morning)


ONE_OF_TWO = """
import sys
from datetime import date
from pathlib import Path
import dagster as dg
from marketing_agents.days import LocalDay
from marketing_agents_tests.e2e.one_answer import open_pipeline, run
from marketing_agents_tests.e2e.test_any_order import selected
days = [LocalDay(*key.split("|")) for key in sys.argv[3:]]
with dg.DagsterInstance.ephemeral() as instance:
    pipeline = open_pipeline(Path(sys.argv[1]), Path(sys.argv[2]), instance)
    run(pipeline, [day._replace(day=date.fromisoformat(day.day)) for day in days], assets=selected(pipeline))
"""


def test_two_processes_at_once_on_one_store_give_what_the_mornings_said(source, mornings, tmp_path):
    """Three days of one advertiser beside the middle day of both: the two runs write the same partition."""
    shares = [[LocalDay(HARBOUR, d) for d in DATES], [LocalDay(a, DATES[1]) for a in ADVERTISERS]]
    command = [sys.executable, "-c", ONE_OF_TWO, str(tmp_path), str(source)]
    running = [
        subprocess.Popen(
            [*command, *(day.key for day in days)], cwd=PROJECT_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for days in shares
    ]
    try:
        for process in running:
            _, errors = process.communicate(timeout=600)
            assert process.returncode == 0, errors[-3000:]
    finally:
        for process in running:
            process.kill()
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = open_pipeline(tmp_path, source, instance)
        for day in {day for days in shares for day in days}:
            assert_same(answer(pipeline, day), mornings[day])
