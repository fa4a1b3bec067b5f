"""`ingest: refresh`: restated data changes exactly what depends on it; days to come and restatements beyond the window change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import dagster as dg
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.sample.agency import write_agency
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import TableKind
from marketing_agents_tests.e2e.one_answer import RESTATEMENT_DAYS, answer, assert_same, change_source, open_pipeline, run
from marketing_agents_tests.e2e.pipeline import ANCHOR
from marketing_agents_tests.e2e.small_agency import small_spec

SOL, HARBOUR = "sol-and-sage", "harbour-thread"
DAY = ANCHOR - timedelta(days=1)  # the source goes one day further
DAYS = (LocalDay(SOL, DAY), LocalDay(HARBOUR, DAY))
RESTATED = [DAY - timedelta(days=n) for n in range(RESTATEMENT_DAYS, -1, -1)]
RESTATED_TIMES = Decimal("1.2")  # so much more of one campaign is told of its account (PLAT-005), but does not stop the other rules
TOO_OLD = DAY - timedelta(days=RESTATEMENT_DAYS + 1)


@dataclass
class Told:
    """Answers and raw versions of the day: at first; after the source got a later day and a restatement of a day beyond the window; after
    spend of one campaign was restated inside the window. `account_id`, `campaign_id`: whose spend.
    """

    first: dict
    later: dict
    restated: dict
    first_versions: dict
    later_versions: dict
    restated_versions: dict
    account_id: str
    campaign_id: str


def versions(pipeline):
    log = pipeline.warehouse.ingestion_log(sorted({day.advertiser_id for day in DAYS}))
    return {(e.table, e.advertiser_id, e.date, e.as_of): e.content_hash for e in log}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refresh")
    source = folder / "source"
    spec = small_spec(SOL, HARBOUR, days=45)
    daily = [name for name, table in INPUT_TABLES.items() if table.kind is TableKind.DAILY]
    stories, logs = [], []
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = open_pipeline(folder / "store", source, instance)

        def refresh():
            run(pipeline, list(DAYS))
            stories.append({day: answer(pipeline, day) for day in DAYS})
            logs.append(versions(pipeline))

        write_agency(source, spec)
        for table in daily:
            change_source(source, table, lambda row: row if row["date"] <= DAY else None)
        refresh()

        write_agency(source, spec)
        dear = min(f["entity_id"] for f in stories[0][DAYS[0]]["findings"] if f["entity_type"] == "campaign")
        campaign = next(row for row in stories[0][DAYS[0]]["marts/campaign_features"] if row["campaign_id"] == dear)

        def spend_restated(days):
            def change(row):
                ours = (row["advertiser_id"], row["campaign_id"]) == (SOL, dear) and row["date"] in days
                return {**row, "spend": row["spend"] * RESTATED_TIMES} if ours else row

            change_source(source, "ad_performance_daily", change)

        spend_restated([TOO_OLD])
        refresh()

        spend_restated(RESTATED)
        refresh()
        yield Told(*stories, *logs, account_id=campaign["account_id"], campaign_id=campaign["campaign_id"])


def is_reached(told, table, row) -> bool:
    """Can spend of the restated campaign change this row? Its own rows, those of its account, and those of the advertiser as a whole can."""
    entity = row["body"]["entity"] if table == "findings" else row
    kind = entity["type"] if table == "findings" else table.removeprefix("marts/").removesuffix("_features")
    if kind in ("campaign", "adgroup", "ad"):
        return (entity["account_id"], entity["campaign_id"]) == (told.account_id, told.campaign_id)
    if kind == "platform_account":
        return entity["account_id"] == told.account_id
    if kind == "budget_plan":
        plans = {plan["plan_id"]: plan["plan_scope"] for plan in told.first[DAYS[0]]["marts/budget_plan_features"]}
        return plans[entity["plan_id"] if table != "findings" else entity["id"]] == "advertiser"
    return kind in ("calendar_event", "advertiser")


def split(told, table, rows):
    """Rows that the restatement can reach, and all others, without the column that tells what the whole account spent."""
    rows = [{name: value for name, value in row.items() if name != "account_spend_w7"} for row in rows]
    reached = [row for row in rows if is_reached(told, table, row)]
    return reached, [row for row in rows if row not in reached]


def test_days_to_come_and_restatements_beyond_the_window_change_nothing(told):
    for day in DAYS:
        assert_same(told.later[day], told.first[day])


def test_slices_that_did_not_change_get_no_new_version(told):
    assert told.later_versions == told.first_versions
    changed = {key for key, content in told.restated_versions.items() if told.later_versions.get(key) != content}
    assert changed == {("ad_performance_daily", SOL, day, DAY) for day in RESTATED}


def test_another_advertiser_is_not_touched(told):
    assert_same(told.restated[DAYS[1]], told.first[DAYS[1]])


def test_restated_spend_changes_the_findings_of_its_campaign(told):
    before, after = (split(told, "findings", story[DAYS[0]]["findings"])[0] for story in (told.later, told.restated))
    ours = [f for f in after if f["body"]["entity"]["campaign_id"] == told.campaign_id]
    assert ours
    assert [f for f in ours if f not in before]
    assert told.restated[DAYS[0]]["rule_evaluations"] != told.later[DAYS[0]]["rule_evaluations"]


@pytest.mark.parametrize(
    "table",
    [
        "findings",
        "marts/campaign_features",
        "marts/adgroup_features",
        "marts/conversion_action_features",
        "marts/platform_account_features",
        "marts/budget_plan_features",
        "marts/calendar_event_features",
        "marts/int_evaluated_days",
        "marts/int_budget_plans",
    ],
)
def test_what_the_restated_rows_cannot_reach_stays_as_it_was(told, table):
    before, after = (split(told, table, story[DAYS[0]][table])[1] for story in (told.later, told.restated))
    assert after == before
    assert before or table == "marts/calendar_event_features"


def test_rules_that_read_no_spend_of_the_campaign_say_the_same(told):
    """Outcomes are counts over all entities, so only rules on conversion actions are untouched as a whole."""
    before, after = (
        [row for row in story[DAYS[0]]["rule_evaluations"] if row["rule_id"].startswith("CONV-")] for story in (told.later, told.restated)
    )
    assert before
    assert after == before
