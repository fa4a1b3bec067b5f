"""The rows of one mart that an evaluation may read, each with its place in a calendar of (advertiser, day) cells.

A cell is a small integer, the same in all marts: masks and counts by partition become array lookups, without a join.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from marketing_agents.days import EPISODE_DAYS, LocalDay, by_advertiser
from marketing_agents.rules.functions import Kind
from marketing_agents.rules.vectors import Columns

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from marketing_agents.rules.vectors import Array, Mask


class Calendar:
    """The asked partitions and their episode windows [D - 55, D]; nothing outside them is ever looked at."""

    def __init__(self, days: Sequence[LocalDay]) -> None:
        import numpy as np

        self.asked = tuple(sorted(set(days)))
        self.by_advertiser = by_advertiser(self.asked)
        self.advertisers = tuple(self.by_advertiser)
        self.first = min((day.day for day in self.asked), default=date.min + timedelta(days=EPISODE_DAYS)) - timedelta(days=EPISODE_DAYS)
        last = max((day.day for day in self.asked), default=self.first)
        self.days = (last - self.first).days + 1
        self.size = len(self.advertisers) * self.days
        self.dates = [self.first + timedelta(days=offset) for offset in range(self.days)]
        self._position = {advertiser: position for position, advertiser in enumerate(self.advertisers)}
        self.in_window: Mask = np.zeros(self.size, dtype=bool)
        for day in self.asked:
            cell = self.cell(day)
            self.in_window[cell - EPISODE_DAYS : cell + 1] = True

    def cell(self, day: LocalDay) -> int:
        return self._position[day.advertiser_id] * self.days + (day.day - self.first).days

    def day(self, cell: int) -> LocalDay:
        return LocalDay(self.advertisers[cell // self.days], self.dates[cell % self.days])

    def cells(self) -> Iterator[tuple[LocalDay, int]]:
        """All days in a window, with their cells."""
        import numpy as np

        for cell in np.flatnonzero(self.in_window):
            yield self.day(int(cell)), int(cell)


class MartRows:
    """Rows of one mart inside the calendar. `cell`: calendar cell of each row; `columns`: by contract."""

    def __init__(self, mart: str, frame: pd.DataFrame | None, kinds: Mapping[str, Kind], calendar: Calendar) -> None:
        import pandas as pd

        self.mart = mart
        self.calendar = calendar
        frame = pd.DataFrame({name: pd.Series(dtype=object) for name in kinds}) if frame is None else frame
        keep, cell = _cells(mart, frame, calendar)
        self.cell: npt.NDArray[np.int64] = cell[keep]
        self.columns = Columns(frame if keep.all() else frame.iloc[keep.nonzero()[0]], kinds, mart)

    def __len__(self) -> int:
        return len(self.cell)

    def local_day(self, row: int) -> LocalDay:
        return self.calendar.day(int(self.cell[row]))

    def at(self, day: LocalDay) -> Array:
        """Positions of the rows of one partition."""
        import numpy as np

        return np.flatnonzero(self.cell == self.calendar.cell(day))


def _cells(mart: str, frame: pd.DataFrame, calendar: Calendar) -> tuple[Mask, npt.NDArray[np.int64]]:
    import numpy as np
    import pandas as pd

    for column in ("advertiser_id", "date"):
        if column not in frame.columns:
            raise ValueError(f"features of '{mart}' have no column '{column}', which every mart has: build the mart again")
    if frame.empty:
        return np.zeros(0, dtype=bool), np.zeros(0, dtype="int64")
    codes, found = pd.factorize(frame["advertiser_id"])
    positions = {advertiser: position for position, advertiser in enumerate(calendar.advertisers)}
    advertiser = np.array([positions.get(str(name), -1) for name in found], dtype="int64")[codes]
    # dates repeat: convert each distinct one once
    date_codes, dates = pd.factorize(frame["date"])
    if (date_codes < 0).any() or (codes < 0).any():
        raise ValueError(f"features of '{mart}' have rows without advertiser_id or date: build the mart again")
    offset = ((pd.to_datetime(pd.Series(dates)).to_numpy().astype("datetime64[D]") - np.datetime64(calendar.first)).astype("int64"))[
        date_codes
    ]
    inside = (advertiser >= 0) & (offset >= 0) & (offset < calendar.days)
    cell = np.where(inside, advertiser * calendar.days + offset, 0)
    keep = inside & (calendar.in_window[cell] if calendar.size else False)
    return keep, cell
