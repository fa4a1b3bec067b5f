"""List prices: by day, by size of the prompt, and unknown where they are unknown."""

from __future__ import annotations

from datetime import date

import pytest

from marketing_agents.llm.prices import cost_usd, price_of

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("model", "day", "prompt_tokens", "prices"),
    [
        ("gemini-3.8-flash", date(2026, 12, 31), 1000, (0.75, 0.075, 3.75)),
        ("gemini-3.8-flash", date(2027, 1, 1), 1000, (1.50, 0.15, 7.50)),
        ("models/gemini-3.8-flash-001", date(2026, 12, 31), 1000, (0.75, 0.075, 3.75)),
        ("gemini-3.1-pro-preview", date(2026, 11, 1), 200_000, (2.00, 0.20, 12.00)),
        ("gemini-3.1-pro-preview", date(2026, 11, 1), 200_001, (4.00, 0.40, 18.00)),
        ("gemini-2.5-pro", date(2026, 11, 30), 1000, (1.25, 0.125, 10.00)),
        ("gemini-2.5-pro", date(2026, 12, 1), 1000, (0.75, 0.075, 3.75)),
        ("gemini-2.5-pro", date(2027, 1, 1), 1000, (1.50, 0.15, 7.50)),
    ],
)
def test_price_in_force(model: str, day: date, prompt_tokens: int, prices: tuple[float, float, float]) -> None:
    price = price_of(model, day, prompt_tokens=prompt_tokens)
    assert price is not None
    assert (price.input_usd, price.cached_usd, price.output_usd) == prices


@pytest.mark.parametrize(
    ("model", "day", "prompt_tokens"),
    [
        ("gemini-9-ultra", date(2026, 11, 1), 1),
        ("gemini-3.8-flash-lite", date(2026, 11, 1), 1),
        ("gemini-3.8-flash", date(2026, 9, 1), 1),
        ("gemini-2.5-pro", date(2026, 11, 1), 300_000),
    ],
)
def test_what_is_not_in_the_table_is_unknown(model: str, day: date, prompt_tokens: int) -> None:
    assert price_of(model, day, prompt_tokens=prompt_tokens) is None
    assert cost_usd(model, day, input_tokens=prompt_tokens, cached_tokens=0, output_tokens=1) is None


def test_cached_tokens_are_part_of_the_input_and_cheaper() -> None:
    day = date(2026, 11, 1)
    assert cost_usd("gemini-3.8-flash", day, input_tokens=MILLION, cached_tokens=0, output_tokens=0) == pytest.approx(0.75)
    assert cost_usd("gemini-3.8-flash", day, input_tokens=MILLION, cached_tokens=MILLION, output_tokens=0) == pytest.approx(0.075)
    assert cost_usd("gemini-3.8-flash", day, input_tokens=0, cached_tokens=0, output_tokens=MILLION) == pytest.approx(3.75)
