"""Small rules for tests of the machinery: one threshold on spend or clicks, on any level, written to a folder and loaded as a catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from marketing_agents.days import LocalDay
from marketing_agents.rules.availability import InputAvailability
from marketing_agents.rules.catalogue_file import load_catalogue
from marketing_agents.rules.evaluate import Evaluation, evaluate
from marketing_agents.rules.finding import Finding
from marketing_agents.rules.rule import Catalogue
from marketing_agents_tests.rules.builders import ADVERTISER, DAY, all_loaded, marts

TODAY = LocalDay(ADVERTISER, DAY)

CAMPAIGN = {
    "type": "campaign",
    "id": "campaign_id",
    "name": "campaign_name",
    "platform": "platform",
    "account": "account_id",
    "campaign": "campaign_id",
}
ADGROUP = {
    "type": "adgroup",
    "id": "adgroup_id",
    "name": "adgroup_name",
    "platform": "platform",
    "account": "account_id",
    "campaign": "campaign_id",
    "adgroup": "adgroup_id",
}
ACCOUNT = {"type": "platform_account", "id": "account_id", "name": "account_name", "platform": "platform", "account": "account_id"}


def rule(rule_id: str, **changes: Any) -> dict[str, Any]:
    """A rule on campaigns that fires when spend_w7 reaches 1000 (medium) or 2000 (high), with spend_w7 at stake."""
    written: dict[str, Any] = {
        "id": rule_id,
        "title": f"Rule {rule_id}",
        "description": "Something is wrong.",
        "entity": CAMPAIGN,
        "mart": "campaign_features",
        "requires": ["ad_performance_daily"],
        "window_days": 7,
        "when": {"medium": "spend_w7 >= 1000", "high": "spend_w7 >= 2000"},
        "observed": "spend_w7",
        "impact": "spend_w7",
        "facts": {"spend_w7": {"label": "spend, last 7 days", "unit": "money"}},
        "causes": [{"id": "unknown", "text": "Unknown"}],
        "playbook": [{"action": "DECREASE_BUDGET", "parameters": {"step_pct": "20"}, "rationale": "Spend less."}],
        "sources": ["own"],
    }
    return {key: value for key, value in (written | changes).items() if value is not None}


def on_adgroups(rule_id: str, **changes: Any) -> dict[str, Any]:
    return rule(rule_id, entity=ADGROUP, mart="adgroup_features", **changes)


def on_accounts(rule_id: str, **changes: Any) -> dict[str, Any]:
    return rule(
        rule_id,
        **{
            "entity": ACCOUNT,
            "mart": "platform_account_features",
            "when": {"medium": "spend_per_day_w28 >= 1000"},
            "observed": "spend_per_day_w28",
            "impact": "7 * spend_per_day_w28",
            "facts": {"spend_per_day_w28": {"label": "spend per day", "unit": "money"}},
        }
        | changes,
    )


def write_rules(directory: Path, *rules: Mapping[str, Any], category: str = "MEDIA") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{category.lower()}.yaml").write_text(yaml.safe_dump({"category": category, "rules": list(rules)}, allow_unicode=True))
    return directory


def catalogue_of(directory: Path, *rules: Mapping[str, Any], **options: Any) -> Catalogue:
    return load_catalogue(write_rules(directory, *rules), marts(), **options)


def evaluated(
    catalogue: Catalogue,
    world: Mapping[str, pd.DataFrame],
    days: Iterable[LocalDay] = (TODAY,),
    inputs: InputAvailability | None = None,
    **options: Any,
) -> Evaluation:
    days = list(days)
    return evaluate(catalogue, world, days, inputs or all_loaded(days), **options)


def found(evaluation: Evaluation, day: LocalDay = TODAY) -> dict[str, Finding]:
    """Findings of the day as 'RULE entity id' -> finding."""
    return {f"{finding.rule_id} {finding.entity.id}": finding for finding in evaluation.findings[day]}
