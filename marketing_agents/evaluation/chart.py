"""Recall against the size of incidents: one small panel per kind, from barely visible to obvious."""

from __future__ import annotations

import io
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketing_agents.evaluation.scoring import EvaluationResult

_COLUMNS = 6
_LINE, _GRID = "#0072B2", "#DDDDDD"


def draw_recall(result: EvaluationResult) -> bytes | None:
    """A PNG, or None when nothing was planted. Panels are in the order of the kinds' names; the x axis is ordinal, labelled with the sizes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kinds = list(result.recall_by_size.items())
    if not kinds:
        return None
    rows = ceil(len(kinds) / _COLUMNS)
    figure = Figure(figsize=(2.4 * _COLUMNS, 1.7 * rows), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, _COLUMNS, squeeze=False)
    for position, axis in enumerate(axes.flat):
        if position >= len(kinds):
            axis.set_axis_off()
            continue
        name, points = kinds[position]
        places = range(len(points))
        axis.plot(places, [recall for _, recall, _ in points], color=_LINE, marker="o", markersize=4, linewidth=1.5)
        axis.set_xticks(list(places), [f"{size:g}" for size, _, _ in points], fontsize=7)
        axis.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"], fontsize=7)
        axis.set_ylim(-0.05, 1.05)
        axis.grid(color=_GRID, linewidth=0.6)
        axis.set_title(name.replace("_", " "), fontsize=8, loc="left")
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    figure.suptitle(f"Share of planted incidents that their rules saw, by size (catalogue {result.catalogue_hash[:12]})", fontsize=10)
    image = io.BytesIO()
    figure.savefig(image, format="png")
    return image.getvalue()
