"""What a call costs: list prices by model and date, in USD per million tokens.

Prices are those of the Gemini Developer API, standard tier, as published on ai.google.dev (pricing page, read 2026-10-07). Vertex AI is priced by
region and is not in this table. A model, a day or a prompt size that is not here has no known cost: None, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

LONG_PROMPT_TOKENS = 200_000


@dataclass(frozen=True)
class Price:
    """Prices from a day on, for prompts of at most `up_to_tokens` tokens (None = any size). USD per million tokens."""

    valid_from: date
    input_usd: float
    cached_usd: float
    output_usd: float
    up_to_tokens: int | None = None


_FLASH_LITE_35 = (0.30, 0.03, 2.50)
_FLASH_38 = (0.75, 0.075, 3.75)
_FLASH_38_2027 = (1.50, 0.15, 7.50)
_RETIREMENT_25 = date(2026, 12, 1)  # Google then serves 2.5 Flash with 3.5 Flash-Lite and 2.5 Pro with 3.8 Flash, at their prices.

PRICES: dict[str, tuple[Price, ...]] = {
    "gemini-3.8-flash": (Price(date(2026, 9, 2), *_FLASH_38), Price(date(2027, 1, 1), *_FLASH_38_2027)),
    "gemini-3.5-flash": (Price(date(2026, 1, 1), 1.50, 0.15, 9.00),),
    "gemini-3.5-flash-lite": (Price(date(2026, 1, 1), *_FLASH_LITE_35),),
    "gemini-3.1-pro-preview": (
        Price(date(2026, 1, 1), 2.00, 0.20, 12.00, up_to_tokens=LONG_PROMPT_TOKENS),
        Price(date(2026, 1, 1), 4.00, 0.40, 18.00),
    ),
    "gemini-2.5-flash": (Price(date(2025, 6, 17), 0.30, 0.03, 2.50), Price(_RETIREMENT_25, *_FLASH_LITE_35)),
    "gemini-2.5-pro": (
        Price(date(2025, 6, 17), 1.25, 0.125, 10.00, up_to_tokens=LONG_PROMPT_TOKENS),
        Price(_RETIREMENT_25, *_FLASH_38),
        Price(date(2027, 1, 1), *_FLASH_38_2027),
    ),
}

# Served versions of a model: gemini-3.8-flash-001, gemini-3.8-flash-09-2026.
_VERSION_SUFFIX = re.compile(r"-(?:\d{3}|\d{2}-\d{4})$")


def price_of(model: str, day: date, *, prompt_tokens: int) -> Price | None:
    """The price in force on the day of the call, or None when it is not known."""
    name = _VERSION_SUFFIX.sub("", model.removeprefix("models/"))
    in_force = [price for price in PRICES.get(name, ()) if price.valid_from <= day]
    if not in_force:
        return None
    newest = max(price.valid_from for price in in_force)
    fitting = [p for p in in_force if p.valid_from == newest and (p.up_to_tokens is None or prompt_tokens <= p.up_to_tokens)]
    return min(fitting, key=lambda p: p.up_to_tokens if p.up_to_tokens is not None else float("inf"), default=None)


def cost_usd(model: str, day: date, *, input_tokens: int, cached_tokens: int, output_tokens: int) -> float | None:
    """Cost of a call in USD. `input_tokens` includes cached ones; `output_tokens` includes thoughts, which are billed as output."""
    price = price_of(model, day, prompt_tokens=input_tokens)
    if price is None:
        return None
    fresh = max(input_tokens - cached_tokens, 0)
    return (fresh * price.input_usd + cached_tokens * price.cached_usd + output_tokens * price.output_usd) / 1_000_000
