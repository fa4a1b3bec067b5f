"""`marketing-agents explain`: the evaluation of one rule on one day, made again from stored data."""

from __future__ import annotations

import uuid

from rich.console import Console
from rich.markdown import Markdown

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.assets.catalogue import read_catalogue
from marketing_agents.assets.findings import features_and_log
from marketing_agents.cli.arguments import local_day
from marketing_agents.cli.errors import UsageError
from marketing_agents.resources.platform import open_warehouse
from marketing_agents.settings import load_settings


def run_explain(advertiser: str, day: str, rule_id: str, *, as_json: bool) -> int:
    """Print why the rule fired or did not, entity by entity.

    Raises:
        UsageError: the rule does not exist, or no data of the day was loaded.
    """
    from marketing_agents.rules.availability import availability
    from marketing_agents.rules.explain import explain

    settings = load_settings()
    asked = local_day(settings, advertiser, day)
    catalogue = read_catalogue(settings)
    if rule_id not in catalogue.by_id:
        raise UsageError(f"unknown rule {rule_id!r}; the catalogue has: {', '.join(r.id for r in catalogue.rules)}")
    warehouse = open_warehouse(settings)
    if not any(version.as_of <= asked.day for version in warehouse.ingestion_log([advertiser], start=asked.day, end=asked.day)):
        raise UsageError(f"no data is stored for {asked.key}; materialize that partition first (or run `make demo`)")
    run_id = f"explain-{uuid.uuid4().hex[:12]}"
    try:
        features, log = features_and_log(settings, warehouse, load_registry(settings.resolved_advertisers), [asked], run_id=run_id)
        explanation = explain(catalogue, features, asked, rule_id, availability(log, [asked]))
    finally:
        warehouse.discard_features(run_id)
    if as_json:
        print(explanation.to_json())
    else:
        Console().print(Markdown(explanation.markdown()))
    return 0
