"""One run of `daily_analysis` as a process of its own, on the settings and the instance of its environment.

python -m marketing_agents_tests.e2e.one_run <advertiser> <date>
"""

from __future__ import annotations

import logging
import sys
from datetime import date

import dagster as dg

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.cli.materialize import register_advertisers, run_job
from marketing_agents.days import LocalDay
from marketing_agents.definitions import build_definitions
from marketing_agents.settings import load_settings


def main(advertiser_id: str, day: str) -> None:
    logging.basicConfig(level=logging.DEBUG)  # on standard error: what any library says, so that a test can look for secrets in it
    settings = load_settings()
    with dg.DagsterInstance.get() as instance:
        register_advertisers(instance, load_registry(settings.resolved_advertisers).ids)
        run_job(build_definitions(settings), "daily_analysis", instance, block=[LocalDay(advertiser_id, date.fromisoformat(day))])


if __name__ == "__main__":
    main(*sys.argv[1:])
