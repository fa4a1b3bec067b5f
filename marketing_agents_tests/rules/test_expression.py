"""The expression language: what it computes, its three-valued logic, and what it refuses."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketing_agents.rules.expression import ExpressionError, parse_expression
from marketing_agents.rules.functions import SIGNATURES, Kind
from marketing_agents.rules.interpret import _NUMERIC, _SPECIAL, Scope
from marketing_agents.rules.vectors import Columns

KINDS: dict[str, Kind] = {
    "x": "number",
    "y": "number",
    "flag": "boolean",
    "other": "boolean",
    "role": "text",
    "start": "date",
    "end": "date",
}
ROW: dict[str, Any] = {
    "x": 6.0,
    "y": 3.0,
    "flag": True,
    "other": False,
    "role": "brand",
    "start": date(2026, 11, 1),
    "end": date(2026, 11, 20),
}


def compute(text: str, **changes: Any) -> Any:
    expression = parse_expression(text, KINDS)
    frame = pd.DataFrame([ROW | changes], columns=list(KINDS))
    return Scope(Columns(frame, KINDS, "mart"), {}).compute(expression).at(0)


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        ("x / y + 1", {}, 3.0),
        ("-x ** 2", {}, -36.0),
        ("x / 0", {}, None),
        ("x / y", {"y": None}, None),
        ("x / y > 1", {"y": 0}, None),
        ("exp(x)", {"x": 1e6}, None),
        ("ln(x)", {"x": -1.0}, None),
        ("end - start", {}, 19.0),
        ("end - start", {"start": None}, None),
        ("end > start", {}, True),
        ("1 <= y <= 3", {}, True),
        ("role == 'brand'", {}, True),
        ("role != 'brand'", {"role": None}, None),
        ("role in ('brand', 'other')", {}, True),
        ("role not in ('brand', 'other')", {}, False),
        ("role in ('brand', 'other')", {"role": None}, None),
        # Kleene: a missing part decides nothing that the other part decides already
        ("flag and x > 1", {"flag": None}, None),
        ("flag and x > 10", {"flag": None}, False),
        ("flag or x > 1", {"flag": None}, True),
        ("flag or x > 10", {"flag": None}, None),
        ("not flag", {"flag": None}, None),
        ("not other", {}, True),
        ("is_false(other)", {}, True),
        ("is_false(other)", {"other": None}, False),
        ("is_true(flag)", {"flag": None}, False),
        ("is_missing(role)", {"role": None}, True),
        ("is_missing(x)", {}, False),
        ("coalesce(x, y, 7)", {"x": None, "y": None}, 7.0),
        ("coalesce(role, 'none')", {"role": None}, "none"),
        ("coalesce(flag, false)", {"flag": None}, False),
        ("if_else(x > y, 'up', 'down')", {}, "up"),
        ("if_else(x > y, 'up', 'down')", {"x": None}, None),
        ("only_if(x > y, x)", {"x": 2.0}, None),
        ("min(x, y, 5)", {}, 3.0),
        ("max(x, y)", {"y": None}, None),
        ("clip(x, 0, 1)", {}, 1.0),
        ("ceil(x / 4)", {}, 2.0),
        ("true", {}, True),
    ],
)
def test_values(text: str, changes: dict[str, Any], expected: Any) -> None:
    assert compute(text, **changes) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("xx + 1", "unknown column or value 'xx'"),
        ("rol == 'brand'", "did you mean 'role'?"),
        ("coalese(x, 1)", "unknown function 'coalese' (did you mean 'coalesce'?)"),
        ("poisson_cdf(x)", "'poisson_cdf' has 1 arguments: poisson_cdf(events, mean)"),
        ("x.real", "attribute access"),
        ("x[0]", "subscripts"),
        ("(lambda: 1)()", "only named functions can be called"),
        ("[x for x in (1, 2)]", "comprehensions"),
        ("f'{x}'", "f-strings"),
        ("(x := 1)", "assignment"),
        ("__import__('os')", "unknown function '__import__'"),
        ("__builtins__", "the name '__builtins__' is not allowed"),
        ("x if flag else y", "use if_else"),
        ("x ** y", "constant exponent"),
        ("9 ** 9 ** 9", "constant exponent"),
        ("x ** 5", "constant exponent"),
        ("x % 2", "is not allowed"),
        ("1e999 > x", "a number beyond"),
        ("x is None", "not allowed"),
        ("None", "the constant None is not allowed"),
        ("b'x'", "not allowed"),
        ("x and flag", "'and' needs a boolean, but 'x' is a number"),
        ("role > 'a'", "a text has no order"),
        ("role == x", "cannot compare a text with a number"),
        ("start + 1", "'+' needs numbers"),
        ("role in role", "'in' needs a list of constants"),
        ("coalesce(x, 'a')", "must be a number, is a text"),
        ("min(a=1)", "named arguments are not allowed"),
        ("min(*x)", "'min' has 1 arguments"),
        ("x +", "cannot be read"),
        ("x; y", "cannot be read"),
        ("x > 1 >" + "(" * 300, "cannot be read"),
        ("-" * 500 + "x", "nested too deeply"),
        ("+" * 590 + "1", "nested too deeply"),
        ("1 % " + "-" * 580 + "1", "nested too deeply"),
        ("role == " + "-" * 580 + "1", "nested too deeply"),
        ("(" + "-" * 580 + "1)()", "nested too deeply"),
        ("x" * 700, "longer than"),
        ("x\x00", "cannot be read"),
        ("coalesce", "'coalesce' is a function"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text, KINDS)
    assert message in str(caught.value)


def test_all_problems_of_an_expression_are_reported() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression("xx + yy > zz(1)", KINDS)
    assert len(caught.value.problems) == 3


def test_spelling_does_not_change_the_canonical_text() -> None:
    assert parse_expression("coalesce( x,y )>1", KINDS).text == parse_expression("coalesce(x, y) > 1", KINDS).text


def test_every_function_has_an_implementation() -> None:
    assert set(SIGNATURES) == set(_NUMERIC) | set(_SPECIAL)


def test_columns_of_any_origin_are_read_alike() -> None:
    import decimal

    frames = [
        pd.DataFrame({"x": [1.5, None], "flag": [True, None], "start": [date(2026, 1, 1), None]}),
        pd.DataFrame(
            {
                "x": pd.array([1.5, None], dtype="Float64"),
                "flag": pd.array([True, None], dtype="boolean"),
                "start": pd.to_datetime(["2026-01-01", None]),
            }
        ),
        pd.DataFrame(
            {
                "x": [decimal.Decimal("1.5"), None],
                "flag": pd.Series([True, None], dtype=object),
                "start": pd.Series([date(2026, 1, 1), None], dtype=object),
            }
        ),
        pd.DataFrame(
            {"x": [1.5, float("inf")], "flag": pd.array([1, None], dtype="Int64"), "start": pd.array(["2026-01-01", None], dtype="string")}
        ),
    ]
    for frame in frames:
        columns = Columns(frame, KINDS, "mart")
        read = [[columns.get(name).at(position) for name in ("x", "flag", "start")] for position in (0, 1)]
        assert read == [[1.5, True, date(2026, 1, 1)], [None, None, None]]


def test_text_in_a_number_column_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"features of 'mart': column 'x' is not a number"):
        Columns(pd.DataFrame({"x": ["a", "b"]}), KINDS, "mart").get("x")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_either_an_expression_or_a_clear_refusal(text: str) -> None:
    try:
        expression = parse_expression(text, KINDS)
    except ExpressionError as error:
        assert error.problems  # noqa: PT017 - either way is right
    else:
        assert expression.kind in ("number", "boolean", "text", "date")


_LOGIC = st.sampled_from([True, False, None])


@given(_LOGIC, _LOGIC)
def test_de_morgan_holds_with_missing_values(one: bool | None, two: bool | None) -> None:
    assert compute("not (flag and other)", flag=one, other=two) == compute("not flag or not other", flag=one, other=two)


def test_vectors_stay_one_value_per_row() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, np.nan]})
    data = Scope(Columns(frame, {"x": "number"}, "mart"), {}).compute(parse_expression("3", {})).data
    assert data.tolist() == [3.0, 3.0, 3.0]
