"""Runs from which Dagster hides partitions are recognised; all others are left alone."""

from __future__ import annotations

import dagster as dg
import pytest

from marketing_agents.operations.job_page import hidden_partitions

RANGE = {"dagster/asset_partition_range_start": "b|2026-01-02", "dagster/asset_partition_range_end": "b|2026-01-05"}
ONE = {"dagster/asset_partition_range_start": "b|2026-01-02", "dagster/asset_partition_range_end": "b|2026-01-02"}


def dimensions(advertiser: str, day: str) -> dict[str, str]:
    return {"dagster/partition/advertiser": advertiser, "dagster/partition/date": day}


@pytest.mark.parametrize(
    ("tags", "is_hidden"),
    [
        ({}, False),
        (RANGE, False),  # a chunk of a backfill of assets
        ({"dagster/partition": "b|2026-01-02", **dimensions("b", "2026-01-02")}, False),  # one partition, from anywhere
        ({**ONE, **dimensions("b", "2026-01-02")}, False),
        ({**RANGE, **dimensions("b", "2026-01-02")}, True),  # the first run of a job's backfill
        ({**RANGE, **dimensions("a", "2026-01-01")}, True),  # and a later one
        ({**ONE, **dimensions("a", "2026-01-01")}, True),
    ],
)
def test_a_range_beside_another_partitions_tags_is_refused(tags, is_hidden):
    problem = hidden_partitions(tags)
    assert (problem is not None) == is_hidden
    if problem:
        assert tags["dagster/asset_partition_range_start"] in problem
        assert "marketing-agents backfill" in problem


def test_why_dagster_shows_such_a_run_one_partition_and_the_wrong_one():
    """When this fails, Dagster has mended it, and the refusal can go."""
    partitions = dg.MultiPartitionsDefinition(
        {"advertiser": dg.StaticPartitionsDefinition(["a", "b"]), "date": dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-10")}
    )
    seen: list[str] = []

    @dg.asset(partitions_def=partitions, backfill_policy=dg.BackfillPolicy.multi_run(30))
    def rows(context) -> None:
        seen.extend(str(key) for key in context.partition_keys)

    job = dg.Definitions(assets=[rows], jobs=[dg.define_asset_job("daily", selection=[rows])]).resolve_job_def("daily")
    with dg.DagsterInstance.ephemeral() as instance:
        job.execute_in_process(instance=instance, tags={**RANGE, **dimensions("a", "2026-01-01")})
    assert seen == ["a|2026-01-01"]
