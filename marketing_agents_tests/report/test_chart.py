import io
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from marketing_agents.report.chart import draw_trend, draw_trend_svg, short_value
from marketing_agents.report.trend import Trend

DAYS = tuple(date(2026, 9, 22) + timedelta(days=n) for n in range(60))
PLAIN = Trend(
    title="Cost per conversion, 7-day rolling · Tents", unit="money", currency="GBP", days=DAYS, values=tuple(None if n < 4 else 40.0 + n % 7 + (30 if n > 50 else 0) for n in range(60)),
    baseline=42.0, baseline_label="target cost per conversion", anomaly_from=DAYS[51], anomaly_to=DAYS[-1], note="The last 3 days still gain conversions.",
)  # fmt: skip

NAMES = [
    "Prospecting — Whānau & friends 🏕️",
    "मांग | Demand Gen",
    "东京 キャンペーン",
    "$\\frac{1}{0}$ x^2_3 $",
    "<script>alert(1)</script>",
    "two\nlines\tand \u202eturned\u202c",
    "x" * 500,
    "",
    "\x00\x1b[31m",
]


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_drawn_without_a_warning(name: str) -> None:
    trend = replace(PLAIN, title=f"Spend per day · {name}", baseline_label=name, note=name, reference_label=name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert size_of(draw_trend(trend)) == (700, 260)
    ET.parse(io.StringIO(draw_trend_svg(trend)))


@pytest.mark.parametrize(
    "trend",
    [
        replace(PLAIN, values=(None,) * 60, baseline=None, anomaly_from=None, anomaly_to=None),
        replace(PLAIN, values=(0.0,) * 60, baseline=0.0),
        replace(PLAIN, values=(1e12,) * 60, unit="count", currency=None),
        replace(PLAIN, values=(0.003,) * 60, unit="percent", baseline=0.85),
        replace(PLAIN, days=DAYS[:1], values=(5.0,), anomaly_from=DAYS[0], anomaly_to=DAYS[0]),
        replace(PLAIN, anomaly_from=DAYS[0] - timedelta(days=90), anomaly_to=DAYS[0] - timedelta(days=80)),
        replace(PLAIN, reference=tuple(float(n) for n in range(60)), reference_label="even course"),
    ],
)
def test_odd_series_are_drawn(trend: Trend) -> None:
    assert size_of(draw_trend(trend)) == (700, 260)
    ET.parse(io.StringIO(draw_trend_svg(trend)))


def test_the_picture_is_small_and_equal_every_time() -> None:
    first = draw_trend(PLAIN)
    assert len(first) < 30_000
    assert draw_trend(PLAIN) == first


def test_the_anomaly_is_visible_in_both_forms() -> None:
    without = replace(PLAIN, anomaly_from=None, anomaly_to=None)
    assert draw_trend(without) != draw_trend(PLAIN)
    assert draw_trend_svg(PLAIN).count("t-dot") == 9
    assert "t-span" in draw_trend_svg(PLAIN)
    assert "t-span" not in draw_trend_svg(without)


def test_threads_do_not_disturb_each_other() -> None:
    other = replace(PLAIN, title="other", values=tuple(float(n) for n in range(60)))
    expected = {0: draw_trend(PLAIN), 1: draw_trend(other)}
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(draw_trend, [PLAIN, other] * 6))
    assert all(png == expected[n % 2] for n, png in enumerate(drawn))


def test_the_svg_names_its_content_for_readers_who_do_not_see_it() -> None:
    root = ET.fromstring(draw_trend_svg(PLAIN))
    assert root.get("role") == "img"
    assert "shaded: 12 Nov to 20 Nov" in str(root.get("aria-label"))
    assert "target cost per conversion 42" in str(root.get("aria-label"))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "count", "0"),
        (1234.0, "money", "1.2k"),
        (2_000_000.0, "count", "2M"),
        (0.354, "percent", "35%"),
        (0.43, "money", "0.43"),
        (12.7, "money", "13"),
    ],
)
def test_axis_labels_are_short(value: float, unit: str, text: str) -> None:
    assert short_value(value, unit) == text
