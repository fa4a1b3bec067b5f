"""Columns as vectors: all values at once are the values one by one, and some rows of a mart are those rows, however large the mart is."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from marketing_agents.rules import vectors
from marketing_agents.rules.functions import Kind
from marketing_agents.rules.vectors import Columns, Vector

KINDS: dict[str, Kind] = {"n": "number", "b": "boolean", "t": "text", "d": "date"}
FRAME = pd.DataFrame(
    {
        "n": [1.5, None, 0.0, -2.0],
        "b": pd.Series([True, None, False, True], dtype=object),
        "t": pd.Series(["x", None, "", "ü"], dtype=object),
        "d": pd.Series([date(2026, 11, 20), None, date(2024, 2, 29), date(2026, 1, 1)], dtype=object),
    }
)


@pytest.mark.parametrize("name", KINDS)
def test_all_values_are_the_values_one_by_one(name: str) -> None:
    vector = Columns(FRAME, KINDS, "mart").get(name)
    assert vector.values(4) == [vector.at(row) for row in range(4)]
    assert [type(value) for value in vector.values(4)] == [type(vector.at(row)) for row in range(4)]


@pytest.mark.parametrize(
    "vector", [Vector("number", np.asarray(7.0)), Vector("text", np.asarray("x", dtype=object)), Vector("boolean", np.asarray(2))]
)
def test_a_constant_is_every_row(vector: Vector) -> None:
    assert vector.values(3) == [vector.at(0)] * 3


@pytest.mark.parametrize("small_rows", [0, 100])
@pytest.mark.parametrize("name", KINDS)
def test_some_rows_are_those_rows(name: str, small_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "SMALL_ROWS", small_rows)
    part = Columns(FRAME, KINDS, "mart").take(np.array([3, 1]))
    expected = Columns(FRAME, KINDS, "mart").get(name).values(4)
    assert part.get(name).values(len(part)) == [expected[3], expected[1]]
    assert part.take(np.array([1])).get(name).values(1) == [expected[1]]
    assert list(part.frame.index) == [3, 1]


@pytest.mark.parametrize("small_rows", [0, 100])
def test_a_missing_column_is_named(small_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "SMALL_ROWS", small_rows)
    with pytest.raises(ValueError, match="features of 'mart' have no column 'x'"):
        Columns(FRAME, KINDS | {"x": "number"}, "mart").take(np.array([0])).get("x")
