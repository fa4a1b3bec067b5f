"""Independent random streams: one per (seed, advertiser, variable), and one per day where only some days are drawn.

Draws are day-major (axis 0 = days, oldest first), so that a longer period begins with exactly the same numbers as a shorter one:
that is what lets a demo go on the next day with the same agency. Nothing else here may keep state.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    import numpy as np


@dataclass(frozen=True)
class Streams:
    """The random streams of one advertiser."""

    seed: int
    advertiser_id: str

    def of(self, variable: str, day: date | None = None) -> np.random.Generator:
        """A fresh generator; asking twice gives the same numbers again."""
        import numpy as np

        text = f"{self.seed}|{self.advertiser_id}|{variable}|{day.isoformat() if day else ''}"
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def digits(text: str, length: int) -> str:
    """Decimal digits that depend on `text` only, never starting with 0: the stuff platform ids are made of."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    return str(number % (9 * 10 ** (length - 1)) + 10 ** (length - 1))
