"""A trend chart with the anomaly marked, as an image inside asset metadata (a data URI in Markdown, so nothing is fetched)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from marketing_agents.settings import Settings

if TYPE_CHECKING:
    from marketing_agents.agents.analysis import DomainAnalysis
    from marketing_agents.report.trend import TrendReader
    from marketing_agents.rules.finding import Finding
    from marketing_agents.warehouse.store import Warehouse

CHARTED_PARTITIONS = 12  # a chart costs about as much as a whole partition's analysis; long backfills go without


class TrendCharts:
    """Draws the chart of an analysis' first insight. Reads each advertiser's raw rows once per day."""

    def __init__(self, settings: Settings, warehouse: Warehouse, partitions: int) -> None:
        self._warehouse = warehouse
        self._is_wanted = settings.charts == "always" or (settings.charts == "auto" and partitions <= CHARTED_PARTITIONS)
        self._readers: dict[tuple[str, object], TrendReader] = {}

    def markdown(self, analysis: DomainAnalysis, found: Sequence[Finding]) -> str | None:
        """Markdown with the image, or None when there is nothing to chart or charts are off."""
        if not self._is_wanted or not analysis.insights:
            return None
        from marketing_agents.report.chart import draw_trend
        from marketing_agents.report.trend import TrendReader

        first = set(analysis.insights[0].finding_ids)
        finding = next((f for f in found if f.finding_id in first), None)
        if finding is None:
            return None
        where = (analysis.advertiser_id, analysis.date)
        if where not in self._readers:
            self._readers[where] = TrendReader(self._warehouse, analysis.advertiser_id, analysis.date)
        trend = self._readers[where].trend(finding)
        if trend is None:
            return None
        return f"![trend](data:image/png;base64,{base64.b64encode(draw_trend(trend)).decode()})"
