"""Coverage: impossible, reduced, full; and what would unlock what. Inputs are read from stored rows as they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.rules.catalogue_file import CatalogueError
from marketing_agents.rules.coverage import Coverage, KnownInputs, coverage, sources_of
from marketing_agents.rules.known_inputs import known_inputs, last_outcomes
from marketing_agents.rules.outcomes import RuleOutcome
from marketing_agents.rules.tables import outcomes_table
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents_tests.rules.builders import ADVERTISER, DAY, catalogue, marts
from marketing_agents_tests.rules.small_rules import catalogue_of, rule

EVERYTHING = KnownInputs(frozenset(INPUT_TABLES))


def without(*items: str) -> KnownInputs:
    """Everything but these tables and 'table.column's."""
    return KnownInputs(
        frozenset(INPUT_TABLES) - {item for item in items if "." not in item}, frozenset(item for item in items if "." in item)
    )


def covered(folder: Path, inputs: KnownInputs, *rules: dict[str, Any], outcomes: tuple[RuleOutcome, ...] = ()) -> Coverage:
    return coverage(ADVERTISER, catalogue_of(folder, *rules), marts(), INPUT_TABLES, inputs, outcomes)


def states(found: Coverage) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {one.rule_id: (one.state, one.missing) for one in found.rules}


def said(reason: str, *, outcome: str = "not_evaluable", entities: int = 3, detail: str = "") -> RuleOutcome:
    return RuleOutcome.model_validate(
        {
            "advertiser_id": ADVERTISER,
            "date": DAY,
            "rule_id": "MEDIA-900",
            "outcome": outcome,
            "reason": reason,
            "detail": detail,
            "entities": entities,
        }
    )


@pytest.mark.parametrize(
    ("case", "written", "inputs", "expected"),
    [
        ("everything is there", {}, EVERYTHING, ("full", ())),
        ("a required table", {}, without("ad_performance_daily"), ("impossible", ("ad_performance_daily",))),
        ("a decisive column", {"inputs": ["orders_daily.new_customer_orders"]}, without("orders_daily.new_customer_orders"), ("impossible", ("orders_daily.new_customer_orders",))),
        ("the table of a decisive column", {"inputs": ["orders_daily.new_customer_orders"]}, without("orders_daily"), ("impossible", ("orders_daily",))),
        ("a helpful column", {"better_with": ["campaigns.role"]}, without("campaigns.role"), ("reduced", ("campaigns.role",))),
        ("the table of a helpful column", {"better_with": ["campaigns.role"]}, without("campaigns"), ("reduced", ("campaigns",))),
        ("what decides comes first", {"inputs": ["campaigns.target_cpa"], "better_with": ["campaigns.role"]}, without("campaigns.role", "campaigns.target_cpa"), ("impossible", ("campaigns.target_cpa",))),
        ("traced by name", {"floor": "coalesce(campaign_target_cpa, 1) > 0"}, without("campaigns.target_cpa"), ("reduced", ("campaigns.target_cpa",))),
        ("traced through a value and a fact", {"values": {"new": "new_customer_orders_w28 + 0"}, "facts": {"spend_w7": {"label": "x", "unit": "money"}, "new": {"label": "y", "unit": "count"}}}, without("orders_daily.new_customer_orders"), ("reduced", ("orders_daily.new_customer_orders",))),
        ("traced to a table that is not there", {"applies": "campaign_status == 'enabled'"}, without("campaigns"), ("reduced", ("campaigns",))),
        ("a stated input ends the tracing", {"applies": "campaign_status == 'enabled'", "inputs": ["ad_performance_daily.conversions"]}, without("campaigns"), ("full", ())),
        ("nothing that it reads", {}, without("campaigns.target_cpa", "budget_plans"), ("full", ())),
    ],
)  # fmt: skip
def test_states(case: str, written: dict[str, Any], inputs: KnownInputs, expected: tuple[str, tuple[str, ...]], tmp_path: Path) -> None:
    assert states(covered(tmp_path, inputs, rule("MEDIA-900", **written)))["MEDIA-900"] == expected, case


@pytest.mark.parametrize(
    ("case", "outcomes", "state", "why"),
    [
        ("never asked", (), "full", ""),
        ("missing input only", (said("missing_input", detail="x is empty"),) * 2, "impossible", "x is empty"),
        ("no row at all", (said("missing_input", detail="no row", entities=0),), "impossible", "no row"),
        ("some could be judged", (said("missing_input"), said("", outcome="clear")), "full", ""),
        ("blocked days say nothing against it", (said("missing_input"), said("blocked_by_data")), "full", ""),
        (
            "a day without entities says nothing for it",
            (said("missing_input", detail="x"), said("", outcome="clear", entities=0)),
            "impossible",
            "x",
        ),
    ],
)
def test_what_the_rule_said_has_the_last_word(case: str, outcomes: tuple[RuleOutcome, ...], state: str, why: str, tmp_path: Path) -> None:
    [found] = covered(tmp_path, EVERYTHING, rule("MEDIA-900"), outcomes=outcomes).rules
    assert (found.state, found.why) == (state, why), case


@pytest.mark.parametrize(
    ("case", "written", "said_by_rule", "unlocks"),
    [
        ("a helpful column does not bring an exchange rate", {"better_with": ["campaigns.target_cpa"]}, "no exchange rate EUR/USD", []),
        ("nor does a traced one", {"floor": "campaign_target_cpa > 0"}, "no exchange rate EUR/USD", []),
        ("the column that the rule named would", {"floor": "campaign_target_cpa > 0"}, "campaign_target_cpa is empty", ["campaigns.target_cpa"]),
    ],
)  # fmt: skip
def test_a_rule_that_judged_nothing_is_unlocked_by_what_it_named(
    case: str, written: dict[str, Any], said_by_rule: str, unlocks: list[str], tmp_path: Path
) -> None:
    outcomes = (said("missing_input", detail=said_by_rule),)
    found = covered(tmp_path, without("campaigns.target_cpa"), rule("MEDIA-900", **written), outcomes=outcomes)
    assert states(found)["MEDIA-900"] == ("impossible", tuple(unlocks)), case
    assert [unlock.item for unlock in found.unlocks if unlock.unlocks] == unlocks


def test_what_would_unlock_what(tmp_path: Path) -> None:
    found = covered(
        tmp_path,
        without("orders_daily", "campaigns.role", "campaigns.target_cpa"),
        rule("MEDIA-900", requires=["ad_performance_daily", "orders_daily"]),
        rule("MEDIA-901", requires=["orders_daily"]),
        rule("MEDIA-902", requires=["orders_daily"], inputs=["campaigns.target_cpa"]),
        rule("MEDIA-903", better_with=["campaigns.role"]),
        rule("MEDIA-904", better_with=["campaigns.role", "campaigns.target_cpa"]),
    )
    assert [(u.item, u.unlocks, u.completes, u.also_for) for u in found.unlocks] == [
        ("orders_daily", ("MEDIA-900", "MEDIA-901"), (), ("MEDIA-902",)),
        ("campaigns.role", (), ("MEDIA-903",), ("MEDIA-904",)),
        ("campaigns.target_cpa", (), (), ("MEDIA-902", "MEDIA-904")),
    ]
    assert found.counts == {"full": 0, "reduced": 2, "impossible": 3}


@pytest.mark.parametrize(
    ("mart", "column", "sources"),
    [
        ("campaign_features", "new_customer_orders_w28", ["orders_daily.new_customer_orders"]),
        ("campaign_features", "campaign_target_cpa", ["campaigns.target_cpa"]),
        ("campaign_features", "spend_w7", ["ad_performance_daily.spend"]),
        ("campaign_features", "matured_days_w14", []),
        ("adgroup_features", "adgroup_status", ["adgroups.status"]),
        ("conversion_action_features", "is_primary", ["conversion_actions.is_primary"]),
    ],
)
def test_columns_are_traced_by_name(mart: str, column: str, sources: list[str]) -> None:
    assert sources_of(column, marts()[mart], INPUT_TABLES) == sources


def test_the_packaged_rules_are_full_where_everything_is_there() -> None:
    found = coverage(ADVERTISER, catalogue(), marts(), INPUT_TABLES, EVERYTHING)
    assert found.counts == {"full": len(catalogue().rules), "reduced": 0, "impossible": 0}
    assert found.unlocks == ()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("orders_dayly.orders", r"inputs: unknown input table 'orders_dayly' \(did you mean 'orders_daily'\?\)"),
        ("orders_daily.new_customers", r"inputs: unknown column 'new_customers' of orders_daily \(did you mean 'new_customer_orders'\?\)"),
        ("orders_daily", r"inputs\.0: 'orders_daily' does not have the right form"),
    ],
)
def test_mistakes_are_named(column: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=message):
        catalogue_of(tmp_path, rule("MEDIA-900", inputs=[column]))


# --- read from the warehouse


def order(day: date, **values: Any) -> dict[str, Any]:
    return {
        "advertiser_id": ADVERTISER,
        "date": day,
        "channel_touch": "meta",
        "campaign_key": "c1",
        "orders": 1,
        "revenue": 1,
        "currency_code": "USD",
    } | values


@pytest.fixture
def warehouse(tmp_path: Path) -> EmbeddedWarehouse:
    return EmbeddedWarehouse(tmp_path)


def store(warehouse: EmbeddedWarehouse, table: str, day: date, *rows: dict[str, Any]) -> None:
    loaded = datetime(2026, 11, 21, 6, tzinfo=UTC)
    content = pa.Table.from_pylist(list(rows), schema=INPUT_TABLES[table].arrow_schema())
    warehouse.write_version(table, LocalDay(ADVERTISER, day), day, content, loaded_at=loaded, is_backfilled=False)


def test_columns_are_empty_when_four_weeks_hold_no_value(warehouse: EmbeddedWarehouse) -> None:
    for back, values in ((0, {}), (27, {"discount": 2}), (28, {"refunds": 3})):
        day = DAY - timedelta(days=back)
        store(warehouse, "orders_daily", day, order(day, **values))
    store(warehouse, "consent_daily", DAY)  # a table that never had a row
    inputs = known_inputs(warehouse, ADVERTISER, INPUT_TABLES)
    assert inputs.loaded == {"orders_daily"}
    assert inputs.empty == {f"orders_daily.{name}" for name in ("new_customer_orders", "refunds", "qualified_leads")}


def test_of_a_list_the_newest_slice_counts(warehouse: EmbeddedWarehouse) -> None:
    plan = {
        "advertiser_id": ADVERTISER,
        "plan_id": "p",
        "name": "P",
        "period_start": DAY,
        "period_end": DAY,
        "scope": "account",
        "amount": 1,
    }
    plan |= {"currency_code": "USD", "is_hard_cap": False}
    store(warehouse, "budget_plans", DAY - timedelta(days=1), plan | {"owner": "jane", "scope_ids": ["1"]})
    store(warehouse, "budget_plans", DAY, plan | {"scope_ids": []})
    assert known_inputs(warehouse, ADVERTISER, INPUT_TABLES).empty == {"budget_plans.owner", "budget_plans.scope_ids"}


def test_outcomes_of_the_last_days_are_read(warehouse: EmbeddedWarehouse) -> None:
    store(warehouse, "orders_daily", DAY, order(DAY))
    warehouse.replace_slices("rule_evaluations", outcomes_table([said("missing_input")]), [LocalDay(ADVERTISER, DAY)])
    assert last_outcomes(warehouse, ADVERTISER, "orders_daily") == [said("missing_input")]
    assert last_outcomes(warehouse, ADVERTISER, "ad_performance_daily") == []
