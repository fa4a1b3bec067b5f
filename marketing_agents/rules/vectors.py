"""Typed columns for rule expressions, and logic with three values.

A `Vector` holds one value per row. Missing values: NaN (number), UNKNOWN (boolean), None (text), NaT (date). Booleans are small integers
ordered FALSE < UNKNOWN < TRUE, which makes Kleene's `and` a minimum, `or` a maximum and `not` a mirror.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketing_agents.rules.functions import Kind

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Array = npt.NDArray[Any]
    Mask = npt.NDArray[np.bool_]

FALSE, UNKNOWN, TRUE = 0, 1, 2
SMALL_ROWS = 20_000
"""A mart of up to this many rows (an ordinary advertiser's 56 days) is converted as a whole: 1 ms for a column of text."""


@dataclass(frozen=True)
class Vector:
    """`data`: float64 (number), int8 of FALSE/UNKNOWN/TRUE (boolean), object (text) or datetime64[D] (date); 0-d for constants."""

    kind: Kind
    data: Array

    def missing(self) -> Mask:
        import numpy as np
        import pandas as pd

        if self.kind == "number":
            return np.isnan(self.data)
        if self.kind == "boolean":
            return np.asarray(self.data == UNKNOWN)
        if self.kind == "date":
            return np.isnat(self.data)
        return np.asarray(pd.isna(self.data)) if self.data.ndim else np.asarray(self.data.item() is None)

    def spread(self, rows: int) -> Vector:
        """The same, as one value per row where it is a constant."""
        import numpy as np

        return self if self.data.ndim else Vector(self.kind, np.broadcast_to(self.data, (rows,)))

    def take(self, rows: Array) -> Vector:
        return Vector(self.kind, self.data[rows]) if self.data.ndim else self

    def take_or_missing(self, rows: Array) -> Vector:
        """Values of some rows, missing where a position is below 0. Not for constants."""
        import numpy as np

        absent: dict[Kind, Any] = {"number": np.nan, "boolean": UNKNOWN, "text": None, "date": np.datetime64("NaT", "D")}
        chosen = np.where(rows >= 0, self.data[rows], absent[self.kind])
        return Vector(self.kind, np.asarray(chosen).astype(self.data.dtype))

    def at(self, row: int) -> float | bool | str | Any | None:
        """The value of one row as a plain Python value (date for dates); None when missing."""
        import numpy as np

        value = self.data[row] if self.data.ndim else self.data[()]
        if self.kind == "number":
            return None if np.isnan(value) else float(value)
        if self.kind == "boolean":
            return None if value == UNKNOWN else bool(value == TRUE)
        if self.kind == "date":
            return None if np.isnat(value) else value.astype("datetime64[D]").item()
        return None if value is None or isinstance(value, float) else str(value)  # a float among texts is NaN

    def values(self, rows: int) -> list[Any]:
        """`at` of every row, converted together: a tenth of the time where many values of a vector are wanted. `rows`: how many there are."""
        import numpy as np

        spread = self.spread(rows).data
        if self.kind == "number":
            return [None if value != value else value for value in spread.tolist()]  # noqa: PLR0124 - NaN is not equal to itself
        if self.kind == "boolean":
            return [None if value == UNKNOWN else value == TRUE for value in spread.tolist()]
        if self.kind == "date":
            return list(spread.astype("datetime64[D]").tolist())
        return [None if value is None or isinstance(value, float) else str(value) for value in np.asarray(spread, dtype=object).tolist()]


def from_series(series: pd.Series[Any], kind: Kind) -> Vector:
    """A frame's column as a vector. Accepts what Arrow, DuckDB and people make of a column: decimals, nullable types, objects with None.

    Raises:
        ValueError: when values do not have the kind (text in a number column).
    """
    import numpy as np
    import pandas as pd

    if kind == "number":
        numbers = pd.to_numeric(series, errors="coerce") if series.dtype == object and series.isna().all() else series
        values = np.asarray(numbers.to_numpy(dtype="float64", na_value=np.nan), dtype="float64")
        if not np.isfinite(values).all():
            values = np.where(np.isfinite(values), values, np.nan)
        return Vector(kind, values)
    if kind == "boolean":
        if series.dtype == bool:
            return Vector(kind, (series.to_numpy() * TRUE).astype("int8"))
        absent = series.isna().to_numpy()
        truth = series.to_numpy(dtype=object, na_value=False).astype(bool)
        return Vector(kind, np.where(absent, UNKNOWN, np.where(truth, TRUE, FALSE)).astype("int8"))
    if kind == "date":
        return Vector(kind, pd.to_datetime(series).to_numpy().astype("datetime64[D]"))
    values = series.to_numpy(dtype=object)
    if series.hasnans:
        values = values.copy()
        values[series.isna().to_numpy()] = None
    return Vector(kind, values)


class Columns:
    """The columns of one mart's rows, converted when first asked for. `kinds` = columns by contract.

    Some rows of it (`take`) get a column from it while it is small: then each column is converted once for all rules of the mart, and not
    anew for every rule that has something to show. Of a large one only the wanted rows are converted.
    """

    def __init__(
        self, frame: pd.DataFrame | None, kinds: Mapping[str, Kind], mart: str, part_of: tuple[Columns, Array] | None = None
    ) -> None:
        self._frame = frame
        self._whole = part_of
        self.kinds = kinds
        self.mart = mart
        self._rows = len(frame) if frame is not None else len(part_of[1]) if part_of is not None else 0
        self._cache: dict[str, Vector] = {}

    def __len__(self) -> int:
        return self._rows

    @property
    def frame(self) -> pd.DataFrame:
        if self._frame is None:
            if self._whole is None:
                raise ValueError(f"columns of '{self.mart}' have neither rows nor a whole that they are a part of")
            whole, rows = self._whole
            self._frame = whole.frame.iloc[rows]
        return self._frame

    def get(self, name: str) -> Vector:
        """Raises ValueError when the frame lacks the column or its values do not have the contract's type."""
        if name not in self._cache:
            if self._whole is not None and len(self._whole[0]) <= SMALL_ROWS:
                self._cache[name] = self._whole[0].get(name).take(self._whole[1])
            else:
                self._cache[name] = self._convert(name)
        return self._cache[name]

    def _convert(self, name: str) -> Vector:
        if name not in self.frame.columns:
            raise ValueError(f"features of '{self.mart}' have no column '{name}', which the contract promises: build the mart again")
        try:
            return from_series(self.frame[name], self.kinds[name])
        except (TypeError, ValueError) as error:
            raise ValueError(f"features of '{self.mart}': column '{name}' is not a {self.kinds[name]}: {error}") from error

    def take(self, rows: Array) -> Columns:
        """The same columns for some rows only (already converted ones are not converted again)."""
        part = Columns(None, self.kinds, self.mart, (self, rows))
        part._cache = {name: vector.take(rows) for name, vector in self._cache.items()}
        return part
