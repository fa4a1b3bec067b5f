"""Whether a planted incident can be seen at all: by the data with and without it, not by any rule.

An incident is visible when, on at least five days, one daily series of its entity is at least three of the series' own standard deviations away
from where it would have been. The standard deviation is that of the series without incidents around its weekday means, in the 56 days before.
Standing facts that the incident is about (a status, a setting in a list) have no noise: a change of one is visible at once.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from marketing_agents.sample.incidents.registry import kinds
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import ColumnType, TableKind

if TYPE_CHECKING:
    import pandas as pd

    from marketing_agents.evaluation.known_versions import Drawn
    from marketing_agents.sample.incidents.placed import PlacedIncident

DEVIATIONS = 3.0
VISIBLE_DAYS = 5
NOISE_DAYS = 56
_ID_COLUMNS = {
    "campaign": "campaign_id",
    "adgroup": "adgroup_id",
    "ad": "ad_id",
    "conversion_action": "conversion_action_id",
    "platform_account": "account_id",
}
_RATIOS = (
    ("clicks", "impressions"),
    ("conversions", "clicks"),
    ("spend", "clicks"),
    ("spend", "impressions"),
    ("spend", "conversions"),
    ("conversion_value", "conversions"),
    ("new_customer_orders", "orders"),
)
_NUMBERS = (ColumnType.INTEGER, ColumnType.FLOAT, ColumnType.MONEY)


def is_visible(drawn: Drawn, incident: PlacedIncident) -> bool:
    """True when the definition above holds for the incident."""
    for name, rows in drawn.tables.items():
        contract = INPUT_TABLES[name]
        clean = drawn.clean_tables[name]
        if contract.kind is not TableKind.DAILY:
            # What an incident changes in a list by the way (a budget that was raised) is a hint, not the thing itself.
            if name in kinds()[incident.kind].tables and not rows.equals(clean):
                return True
            continue
        numbers = [c.name for c in contract.columns if c.type in _NUMBERS]
        column = _ID_COLUMNS.get(incident.entity_type)
        ours, theirs = (_daily(table, numbers, column, incident.entity_id, drawn.facts.dates) for table in (rows, clean))
        if ours is not None and theirs is not None and _stands_out(ours, theirs, incident.first, incident.last):
            return True
    return False


def _daily(rows: Any, numbers: list[str], column: str | None, entity_id: str, dates: tuple[date, ...]) -> pd.DataFrame | None:
    """Daily sums of the entity (of the advertiser where no column names the entity) and their ratios; days without rows are zero."""
    import numpy as np

    if column is not None and column not in rows.column_names:
        return None
    if column is not None:
        import pyarrow.compute as pc

        rows = rows.filter(pc.equal(rows.column(column), entity_id))
    if not rows.num_rows or not numbers:
        return None
    frame = rows.select(["date", *numbers]).to_pandas()
    frame[numbers] = frame[numbers].astype(float)
    daily: pd.DataFrame = frame.groupby("date")[numbers].sum().reindex(list(dates), fill_value=0.0)
    for top, bottom in _RATIOS:
        if top in daily and bottom in daily:
            daily[f"{top}/{bottom}"] = (daily[top] / daily[bottom].replace(0.0, np.nan)).fillna(0.0)
    return daily


def _stands_out(ours: pd.DataFrame, theirs: pd.DataFrame, first: date, last: date | None) -> bool:
    import numpy as np

    before = theirs[(theirs.index >= first - timedelta(days=NOISE_DAYS)) & (theirs.index < first)]
    if before.empty:
        return False
    weekday = np.array([day.weekday() for day in before.index])
    residual = before - before.groupby(weekday).transform("mean")
    deviation = residual.std(ddof=1).replace(0.0, np.nan)
    during = (ours.index >= first) & (ours.index <= (last or ours.index[-1]))
    difference = ((ours - theirs)[during]).div(deviation)
    is_far = (difference.abs() >= DEVIATIONS).sum()
    # A series that never moved before has no noise: any move counts.
    moved = ((ours - theirs)[during].abs() > 0).loc[:, deviation.isna()].sum()
    return bool((is_far >= VISIBLE_DAYS).any() or (moved >= VISIBLE_DAYS).any())
