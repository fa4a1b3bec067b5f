"""A trend as a picture: PNG for Dagster's metadata and mails, SVG for the page.

The PNG is drawn with matplotlib's object interface on Agg: no pyplot, no global state, safe in threads. Colours are of the Okabe-Ito set,
which people with any colour vision can tell apart; the anomaly is also marked by points and a bracket of shade, never by colour alone.
Outside text in titles is drawn as plain text (no mathtext), and characters that the font lacks become a box.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from marketing_agents.report.trend import Trend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg

_BLUE, _VERMILION, _GREY, _GREEN = "#0072B2", "#D55E00", "#595959", "#00795C"
_WIDTH_IN, _HEIGHT_IN, _DPI = 7.0, 2.6, 100
_TITLE_CHARS = 84
_MISSING_GLYPH = "□"
_Scale = Callable[[float], float]
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def draw_trend(trend: Trend) -> bytes:
    """PNG of 700 x 260 pixels. Equal trends give equal bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.085, 0.13, 0.88, 0.70))
    _draw_series(axes, trend)

    highest = _top(trend)
    axes.set_ylim(0, highest)
    axes.set_xlim(-0.5, len(trend.days) - 0.5)
    ticks = _ticks(len(trend.days))
    axes.set_xticks(ticks, [short_day(trend.days[i]) for i in ticks])
    axes.locator_params(axis="y", nbins=4)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_value(value, trend.unit)))
    axes.tick_params(labelsize=8, colors=_GREY, length=0)
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#BFBFBF")

    figure.text(
        0.012,
        0.93,
        _drawable(one_line(trend.title, _TITLE_CHARS)),
        fontsize=9.5,
        fontweight="bold",
        family="DejaVu Sans",
        color="#1A1A1A",
        parse_math=False,
        va="center",
    )
    figure.text(0.012, 0.865, _drawable(legend_text(trend)), fontsize=7.5, family="DejaVu Sans", color=_GREY, parse_math=False, va="center")

    canvas.draw()  # type: ignore[no-untyped-call]
    return _small_png(canvas)


def _small_png(canvas: FigureCanvasAgg) -> bytes:
    """The canvas as PNG with a palette: a third of the size. Without metadata, so that the bytes do not change with a library's version."""
    from PIL import Image

    width, height = canvas.get_width_height()
    image = Image.frombytes("RGBA", (width, height), bytes(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]
    buffer = BytesIO()
    image.quantize(colors=64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()


def _draw_series(axes: Axes, trend: Trend) -> None:
    x = list(range(len(trend.days)))
    values = [float("nan") if value is None else value for value in trend.values]
    span = anomaly_span(trend)
    if span:
        axes.axvspan(span[0] - 0.5, span[1] + 0.5, color=_VERMILION, alpha=0.13, linewidth=0)
        axes.axvline(span[0] - 0.5, color=_VERMILION, linewidth=0.9)
    if trend.baseline is not None:
        axes.axhline(trend.baseline, color=_GREY, linewidth=1.1, linestyle=(0, (5, 3)))
    if trend.reference:
        axes.plot(
            x,
            [float("nan") if value is None else value for value in trend.reference],
            color=_GREEN,
            linewidth=1.1,
            linestyle=(0, (1.5, 1.5)),
        )
    axes.plot(x, values, color=_BLUE, linewidth=1.7, solid_joinstyle="round")
    if span:
        marked = range(span[0], span[1] + 1)
        axes.plot(list(marked), [values[i] for i in marked], color=_VERMILION, linewidth=1.7, marker="o", markersize=3.2)


def draw_trend_svg(trend: Trend) -> str:
    """The same as inline SVG. Colours come from the page's style sheet (classes `t-*`), so light and dark both work; title and description
    are there for screen readers. All text is escaped.
    """
    width, height, left, right, top, bottom = 560.0, 210.0, 52.0, 8.0, 10.0, 24.0
    highest = _top(trend)
    step = (width - left - right) / max(len(trend.days) - 1, 1)

    def x(index: float) -> float:
        return left + step * index

    def y(value: float) -> float:
        return top + (height - top - bottom) * (1 - value / highest)

    parts = []
    for value in _levels(highest):
        parts.append(f'<line class="t-grid" x1="{left:.0f}" x2="{width - right:.0f}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(
            f'<text class="t-label" x="{left - 6:.0f}" y="{y(value) + 4:.1f}" text-anchor="end">{escape(short_value(value, trend.unit))}</text>'
        )
    for index in _ticks(len(trend.days)):
        anchor = "end" if index == len(trend.days) - 1 else "middle"
        parts.append(
            f'<text class="t-label" x="{x(index):.1f}" y="{height - 6:.0f}" text-anchor="{anchor}">{escape(short_day(trend.days[index]))}</text>'
        )
    span = anomaly_span(trend)
    if span:
        parts.append(
            f'<rect class="t-span" x="{x(span[0] - 0.5):.1f}" y="{top:.0f}" width="{step * (span[1] - span[0] + 1):.1f}" height="{height - top - bottom:.1f}"/>'
        )
    if trend.baseline is not None:
        parts.append(
            f'<line class="t-base" x1="{left:.0f}" x2="{width - right:.0f}" y1="{y(trend.baseline):.1f}" y2="{y(trend.baseline):.1f}"/>'
        )
    parts += [f'<polyline class="t-ref" points="{run}"/>' for run in _runs(trend.reference, x, y)]
    parts += [f'<polyline class="t-line" points="{run}"/>' for run in _runs(trend.values, x, y)]
    if span:
        for index in range(span[0], span[1] + 1):
            marked = trend.values[index]
            if marked is not None:
                parts.append(f'<circle class="t-dot" cx="{x(index):.1f}" cy="{y(marked):.1f}" r="3"/>')
    title = escape(one_line(trend.title, _TITLE_CHARS))
    return f'<svg class="trend" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{title}. {escape(describe(trend))}">{"".join(parts)}</svg>'


def legend_text(trend: Trend) -> str:
    """Currency, and what the lines are, in words."""
    parts = [trend.currency] if trend.unit == "money" and trend.currency else []
    if anomaly_span(trend) and trend.anomaly_from and trend.anomaly_to:
        days = (
            short_day(trend.anomaly_from)
            if trend.anomaly_from == trend.anomaly_to
            else f"{short_day(trend.anomaly_from)} to {short_day(trend.anomaly_to)}"
        )
        parts.append(f"shaded: {days}")
    if trend.baseline is not None:
        parts.append(f"dashed: {one_line(trend.baseline_label, 60)} {short_value(trend.baseline, trend.unit)}")
    if trend.reference:
        parts.append(f"dotted: {one_line(trend.reference_label, 40)}")
    if trend.note:
        parts.append(one_line(trend.note, 80))
    return "  ·  ".join(parts)


def describe(trend: Trend) -> str:
    """The series in one sentence, for people who do not see the picture."""
    known = [(day, value) for day, value in zip(trend.days, trend.values, strict=True) if value is not None]
    if not known:
        return "No values."
    (first_day, first), (last_day, last) = known[0], known[-1]
    return f"From {short_value(first, trend.unit)} on {first_day} to {short_value(last, trend.unit)} on {last_day}; {legend_text(trend)}"


def anomaly_span(trend: Trend) -> tuple[int, int] | None:
    """Positions of the first and last marked day; None when nothing is to be marked."""
    if trend.anomaly_from is None or trend.anomaly_to is None:
        return None
    inside = [i for i, day in enumerate(trend.days) if trend.anomaly_from <= day <= trend.anomaly_to]
    return (inside[0], inside[-1]) if inside else None


def short_value(value: float, unit: str) -> str:
    """For axes: 1.2k, 35%, 0.4."""
    if unit == "percent":
        return f"{value * 100:.0f}%"
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.1f}".removesuffix(".0") + letter
    return f"{value:.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.2g}"


def short_day(day: date) -> str:
    """3 Nov, whatever the locale."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def one_line(text: str, limit: int) -> str:
    """Text on one line without control and direction marks, at most `limit` characters."""
    visible = "".join(ch if ch.isprintable() else " " for ch in text)
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _top(trend: Trend) -> float:
    known = [v for v in (*trend.values, *trend.reference, trend.baseline) if v is not None]
    return max(known, default=0.0) * 1.08 or 1.0


def _ticks(days: int) -> list[int]:
    """Positions of about seven day labels, the last day always among them."""
    every = max(1, round(days / 7))
    return sorted(range(days - 1, -1, -every))


def _levels(highest: float) -> list[float]:
    """About four round levels from 0 up to the top."""
    rough = highest / 4
    power = 10.0 ** len(str(int(rough))) / 10 if rough >= 1 else 0.1 if rough >= 0.1 else 0.01
    level = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    return [level * n for n in range(int(highest / level) + 1)]


def _runs(values: Sequence[float | None], x: _Scale, y: _Scale) -> list[str]:
    """Points of each stretch of days that have values."""
    runs: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{x(index):.1f},{y(value):.1f}")
    return [" ".join(run) for run in runs if run]


def _drawable(text: str) -> str:
    glyphs = _glyphs()
    return "".join(ch if ord(ch) in glyphs else _MISSING_GLYPH for ch in text)


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    """Code points of the font that is drawn with (bundled with matplotlib). Others would warn on every draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    regular, bold = (get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight))) for weight in ("normal", "bold"))
    return frozenset(regular.get_charmap()) & frozenset(bold.get_charmap())
