"""One materialized agency for all tests that only look; a fresh one for those that break things."""

from __future__ import annotations

import dagster as dg
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.sample.agency import write_agency
from marketing_agents.sample.spec import AgencySpec
from marketing_agents.settings import Settings
from marketing_agents_tests.e2e.pipeline import ANCHOR, BUSY, Pipeline, make_pipeline


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


@pytest.fixture(scope="session")
def short_input(tmp_path_factory):
    """Input files of the agency, 45 days of them: enough for every planted incident, cheap enough to be spoiled often."""
    folder = tmp_path_factory.mktemp("short")
    write_agency(folder, AgencySpec(end=ANCHOR, days=45))
    return folder / "input"


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, short_input):
    """`BUSY` materialized for the anchor day from good input, by one run that nobody disturbed: (pipeline, results)."""
    with dg.DagsterInstance.ephemeral() as instance:
        settings = Settings(data_dir=tmp_path_factory.mktemp("undisturbed"), source_dir=short_input, writer="template")
        pipeline = Pipeline(settings, instance, None)
        results = pipeline.run([BUSY])
        assert results[0].success
        yield pipeline, results
