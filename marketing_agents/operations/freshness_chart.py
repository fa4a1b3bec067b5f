"""Days behind per advertiser as a small picture, worst first."""

from __future__ import annotations

from io import BytesIO

from marketing_agents.operations.freshness import Freshness

CHARTED = 30
_VERMILION, _GREY = "#D55E00", "#595959"
_WIDTH_IN, _DPI = 7.0, 80


def draw_days_behind(freshness: Freshness) -> bytes | None:
    """PNG of 560 pixels width with one bar per advertiser that is behind, at most CHARTED; None when nobody is.

    Drawn with matplotlib's object interface on Agg: no global state, safe in threads.
    """
    behind = [one for one in freshness.advertisers if one.state == "behind"]
    if not behind:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    shown = behind[:CHARTED]
    figure = Figure(figsize=(_WIDTH_IN, 0.7 + 0.24 * len(shown)), dpi=_DPI, facecolor="white", layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    bars = axes.barh(range(len(shown)), [one.days_behind for one in shown], color=_VERMILION, height=0.7)
    axes.bar_label(bars, padding=3, fontsize=8, color=_GREY)
    # Ids are slugs, at most 63 characters long.
    axes.set_yticks(range(len(shown)), [_short(one.advertiser_id) for one in shown])
    axes.invert_yaxis()
    axes.margins(x=0.08, y=0.02)
    axes.tick_params(labelsize=8, colors=_GREY, length=0)
    axes.get_xaxis().set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    left_out = f", the worst {CHARTED} shown" if len(behind) > CHARTED else ""
    axes.set_title(
        f"Days behind: {len(behind)} of {len(freshness.advertisers)} advertisers{left_out}", fontsize=9.5, loc="left", color="#1A1A1A"
    )
    canvas.draw()  # type: ignore[no-untyped-call]
    # With a palette: a sixth of the size, and this picture is stored every hour.
    image = Image.frombytes("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]
    buffer = BytesIO()
    image.quantize(colors=16, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, format="PNG")
    return buffer.getvalue()


def _short(advertiser_id: str) -> str:
    return advertiser_id if len(advertiser_id) <= 32 else f"{advertiser_id[:31]}…"
