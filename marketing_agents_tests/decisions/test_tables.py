import json

import pytest

from marketing_agents.decisions.merge import decide
from marketing_agents.decisions.tables import recommendations_from_table, recommendations_table
from marketing_agents.decisions.wording import describe_action, format_money
from marketing_agents.warehouse.tables.results import RECOMMENDATIONS
from marketing_agents_tests.decisions.builders import ACME, DAY, OPEN_POLICY, analysis, campaign, conversion_action, finding, planned


def some_recommendations():
    odd = campaign("c9", name="'; DROP TABLE x; -- | <b>मांग</b> 🏕️\n")
    items = [
        finding("MEDIA-001", odd, planned("SHIFT_BUDGET", odd, amount_per_day=12.5, receiver_campaign_id="c2"), money=1234.5678),
        finding("CONV-001", conversion_action("a7"), planned("FIX_TAG", conversion_action("a7")), money=None, opened_on=None, days_open=56),
    ]
    return decide(ACME, DAY, [analysis("media_performance", *items)], items, OPEN_POLICY)


def test_recommendations_survive_the_table_in_any_row_order() -> None:
    made = some_recommendations()
    table = recommendations_table(made)
    assert table.schema == RECOMMENDATIONS.arrow_schema()
    assert recommendations_from_table(table) == made
    assert recommendations_from_table(table.take(list(reversed(range(table.num_rows))))) == made


def test_the_columns_say_what_the_body_says() -> None:
    row = recommendations_table(some_recommendations()).to_pylist()[0]
    assert json.loads(row["body"])["recommendation_id"] == row["recommendation_id"]
    assert json.loads(row["finding_ids"])
    assert isinstance(json.loads(row["reasons"]), list)


def test_an_empty_list_is_a_table_without_rows() -> None:
    table = recommendations_table([])
    assert (table.num_rows, table.schema) == (0, RECOMMENDATIONS.arrow_schema())
    assert recommendations_from_table(table) == []


@pytest.mark.parametrize(
    ("action", "parameters", "words"),
    [
        ("DECREASE_BUDGET", {"step_pct": 20.0}, "Lower the budget by 20%"),
        ("INCREASE_BUDGET", {"step_pct": 12.5}, "Raise the budget by 12.5%"),
        ("ADJUST_BID_TARGET", {"step_pct": -15.0}, "Lower the bid target by 15%"),
        ("SHIFT_BUDGET", {"amount_per_day": 40.0, "receiver_campaign_id": "c2"}, "Move GBP 40 a day to campaign c2"),
        ("RERUN_INGEST", {"table": "orders_daily", "days": 1.0}, "Load the data again: orders_daily, last 1 day"),
        ("RERUN_INGEST", {"table": "orders_daily", "days": "2026-11-19"}, "Load the data again: orders_daily, 2026-11-19"),
        ("FREEZE_CHANGES", {"days": 7.0}, "Freeze bid and budget changes for 7 days"),
        ("FIX_TAG", {}, "Repair the tag"),
        ("DECREASE_BUDGET", {}, "Lower the budget"),
        ("NONSENSE", {}, "Unknown action NONSENSE"),
    ],
)
def test_actions_in_words(action: str, parameters: dict[str, float | str], words: str) -> None:
    assert describe_action(action, parameters, "GBP") == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [(1240.4, "GBP 1,240"), (12.5, "GBP 12.50"), (40.0, "GBP 40"), (None, "unknown"), (float("nan"), "unknown"), (-1240.0, "-GBP 1,240")],
)
def test_money_in_words(amount: float | None, words: str) -> None:
    assert format_money(amount, "GBP") == words
