from __future__ import annotations

import pyarrow as pa
import pytest

from marketing_agents.ingestion.source import DataError, RawRows, TableProblem
from marketing_agents.ingestion.validation import check, validate
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents_tests.ingestion.sources import DAY, before, campaign, performance

FACTS = INPUT_TABLES["ad_performance_daily"]


def raw(*rows, ignored=(), lines=None):
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})
    numbers = list(range(1, len(rows) + 1))
    return RawRows(table, "ads.csv", ignored, lambda: numbers, lines)


def problems(*rows, contract=FACTS):
    with pytest.raises(DataError) as caught:
        validate(contract, raw(*rows))
    return caught.value.problems


def test_good_rows_come_in_contract_columns_and_types():
    table = validate(FACTS, raw(performance(DAY), performance(before(1))))

    assert table.schema.names == list(FACTS.column_names)
    assert [f.type for f in table.schema] == [f.type for f in FACTS.arrow_schema()]
    assert table.column("video_p100").null_count == 2, "an optional column that is absent is empty"


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("spend", "-0.01", "'-0.01': expected at least 0"),
        ("spend", "NaN", "'NaN': expected an amount below 10^12 with at most 6 decimal places, such as 12.34"),
        ("spend", None, "nothing: expected a value (the column is required)"),
        ("spend", "", "'': expected a value (the column is required)"),
        ("conversions", float("nan"), "nan: expected a finite number"),
        ("conversions", float("inf"), "inf: expected a finite number"),
        ("clicks", "many", "'many': expected a whole number"),
        ("platform", "myspace", "'myspace': expected one of google_ads, "),
        ("currency_code", "eur", "'eur': expected an ISO 4217 code such as EUR"),
        ("account_time_zone", "Europe/Londno", "'Europe/Londno': expected an IANA time zone such as Europe/London"),
        ("date", "2026-13-01", "'2026-13-01': expected a day as YYYY-MM-DD"),
        ("ad_id", None, "nothing: expected a value (the column is required)"),
        ("network", "x" * 300, ""),
    ],
)
def test_every_problem_names_file_row_column_value_and_expectation(column, value, expected):
    bad = {**performance(DAY), column: value}
    if not expected:
        validate(FACTS, raw(bad))
        return
    good = {**performance(DAY, ad="a2")}
    if not isinstance(value, type(good[column])):
        good[column] = 1.0 if isinstance(value, float) else str(good[column])

    (problem,) = problems(good, bad)

    assert problem.startswith(f"ads.csv: row 2: {column}: {expected}")


def test_the_line_of_a_text_file_is_named_too():
    with pytest.raises(DataError, match=r"ads\.csv: row 1 \(line 7\): spend: '-1'"):
        validate(FACTS, raw(performance(DAY, spend="-1"), lines=lambda: [7]))


def test_long_values_are_shortened():
    (problem,) = problems({**performance(DAY), "platform": "x" * 5000})
    assert len(problem) < 400
    assert "(5002 characters)" in problem


def test_rows_with_the_same_key_are_all_named():
    found = problems(performance(DAY), performance(DAY, ad="a2"), performance(DAY, spend="9"))
    assert [p.split(":")[1] for p in found] == [" row 1", " row 3"]
    assert "that no other row has" in found[0]


def test_at_most_twenty_problems_are_listed_and_the_rest_counted():
    found = problems(*(performance(DAY, spend="-1", ad=f"a{n}") for n in range(50)))
    assert len(found) == 21
    assert found[0].startswith("ads.csv: row 1:")
    assert found[-1] == "ads.csv: and 30 more"


def test_missing_required_columns_make_the_table_unusable_with_a_suggestion():
    row = performance(DAY)
    del row["spend"], row["clicks"]
    with pytest.raises(TableProblem, match=r"required columns are missing: 'clicks' \(is it 'clicks_'\?\), 'spend'; .*mapping"):
        validate(FACTS, raw(row, ignored=("clicks_", "cost")))


def test_a_type_that_no_value_can_have_makes_the_table_unusable():
    with pytest.raises(TableProblem, match=r"ads\.csv: campaign_id: type double cannot hold text"):
        validate(FACTS, raw({**performance(DAY), "campaign_id": 1.2021e17}))


def test_an_empty_table_is_good():
    empty = RawRows(FACTS.arrow_schema().empty_table(), "ads.csv", (), list)
    assert validate(FACTS, empty).num_rows == 0


@pytest.mark.parametrize(
    ("rows", "bad_rows"),
    [
        ([campaign(before(9), before(5)), campaign(before(5), None)], []),
        ([campaign(before(9), before(4)), campaign(before(5), None)], [1]),
        ([campaign(before(9), None), campaign(before(5), None)], [1]),
        ([campaign(before(9), None), campaign(before(5), None, campaign_id="other")], []),
        ([campaign(before(5), before(5)), campaign(before(9), None)], []),
        ([campaign(before(5), before(6))], [0]),
        ([campaign(before(5)), campaign(before(5))], [0, 1]),
    ],
)
def test_periods_of_one_entity_do_not_overlap(rows, bad_rows):
    checked = check(INPUT_TABLES["campaigns"], raw(*rows))
    assert checked.is_bad.nonzero()[0].tolist() == bad_rows


def test_injection_looking_values_are_data():
    name = "'; DROP TABLE x; -- ${jndi} {{ 7*7 }} \u202e"
    table = validate(INPUT_TABLES["campaigns"], raw(campaign(DAY, name=name, campaign_id=f"a|b,c\"'{name}")))
    assert table.column("name").to_pylist() == [name]
