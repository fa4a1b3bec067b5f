"""Healthy rows and cases of rules, one module per area, found by looking into this folder.

A module may have `HEALTHY` (mart -> a row on which no rule fires; columns not given are empty), `USED_TABLES` (input tables its rules require)
and `CASES` (a `RuleCases` for each of its rules; `test_rule_cases.py` runs them and says which rules have none).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Changes = Mapping[str, Any]


@dataclass(frozen=True)
class RuleCases:
    """What one rule says about changed healthy rows. Every entry is (what it shows, changed columns, expected verdict).

    `fires`: one entry at least, expected = severity. `boundary`: at a threshold and just beside it. `below_floor`: expected
    'below_minimum_volume'; leave empty only for a rule without floor. `missing`: expected 'missing_input'. `others`: anything else.
    `firing`: changes with which it fires and goes on firing when all money is multiplied (default: those of the first of `fires`).
    """

    rule_id: str
    fires: tuple[tuple[str, Changes, str], ...]
    boundary: tuple[tuple[str, Changes, str], ...]
    missing: tuple[tuple[str, Changes, str], ...]
    below_floor: tuple[tuple[str, Changes, str], ...] = ()
    others: tuple[tuple[str, Changes, str], ...] = ()
    firing: Changes = field(default_factory=dict)

    @property
    def all(self) -> tuple[tuple[str, Changes, str], ...]:
        return (*self.fires, *self.boundary, *self.missing, *self.below_floor, *self.others)

    @property
    def certain(self) -> Changes:
        return self.firing or self.fires[0][1]


def _modules() -> list[Any]:
    return [importlib.import_module(f"{__name__}.{m.name}") for m in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name)]


def healthy() -> dict[str, dict[str, Any]]:
    return {mart: dict(row) for module in _modules() for mart, row in getattr(module, "HEALTHY", {}).items()}


def used_tables() -> tuple[str, ...]:
    return tuple(sorted({table for module in _modules() for table in getattr(module, "USED_TABLES", ())}))


def cases() -> tuple[RuleCases, ...]:
    return tuple(case for module in _modules() for case in getattr(module, "CASES", ()))
