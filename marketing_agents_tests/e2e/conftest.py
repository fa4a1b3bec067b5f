"""One materialized agency for all tests that only look; a fresh one for those that break things."""

from __future__ import annotations

import dagster as dg
import pytest

from marketing_agents.days import LocalDay
from marketing_agents_tests.e2e.pipeline import ANCHOR, make_pipeline


@pytest.fixture(scope="session")
def morning(tmp_path_factory):
    """The whole agency, materialized for the anchor day: (pipeline, results of the runs)."""
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = make_pipeline(tmp_path_factory.mktemp("agency"), instance)
        results = pipeline.run([LocalDay(a, ANCHOR) for a in pipeline.ids])
        yield pipeline, results


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as found:
        yield found
