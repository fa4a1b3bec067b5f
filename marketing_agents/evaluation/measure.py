"""One measurement: which agencies, and the scores over all of them. The command and the asset both call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketing_agents.evaluation.run import Builder, evaluate_seeded
from marketing_agents.evaluation.scoring import EvaluationResult, Scorer
from marketing_agents.evaluation.seeded import SeededAdvertiser, clean_advertisers, planted_advertisers, plantings, unplaced
from marketing_agents.sample.incidents.registry import kinds

if TYPE_CHECKING:
    from marketing_agents.rules.rule import Catalogue
    from marketing_agents.warehouse.marts import MartContract

FIRST_UNSEEN_SEED = 101
"""Thresholds were tuned on seeds below it; figures are reported on others."""


class NothingToMeasureError(ValueError):
    """What was asked for names no rule, or holds no advertiser."""


@dataclass(frozen=True)
class Measurement:
    """What to measure. `only`: rule ids or kinds of incidents to plant (None = all); `planted_seeds`: seeds under which every kind is planted in
    every size; `clean_seeds`: seeds of clean agencies, six advertisers each; `days`: told per advertiser.
    """

    only: frozenset[str] | None = None
    planted_seeds: int = 1
    clean_seeds: int = 2
    first_seed: int = FIRST_UNSEEN_SEED
    days: int = 10


def advertisers_of(measurement: Measurement, rule_ids: frozenset[str]) -> tuple[list[SeededAdvertiser], list[str]]:
    """The advertisers of a measurement, and the kinds that no business of the sample agency suits.

    Raises:
        NothingToMeasureError: see there.
    """
    unknown = sorted((measurement.only or frozenset()) - rule_ids - set(kinds()))
    if unknown:
        raise NothingToMeasureError(f"no rule or kind of incident {', '.join(unknown)}; `marketing-agents rules list` shows the rules")
    found: list[SeededAdvertiser] = []
    left_out: set[str] = set()
    chosen = plantings(measurement.only)
    for seed in range(measurement.first_seed, measurement.first_seed + measurement.planted_seeds):
        planted = planted_advertisers(chosen, seed)
        left_out.update(unplaced(chosen, planted))
        found += planted
    found += clean_advertisers(range(measurement.first_seed, measurement.first_seed + measurement.clean_seeds))
    if not found:
        raise NothingToMeasureError("nothing to evaluate: ask for at least one planted or clean seed")
    return found, sorted(left_out)


def measure(
    measurement: Measurement,
    advertisers: list[SeededAdvertiser],
    catalogue: Catalogue,
    marts: Mapping[str, MartContract],
    build: Builder,
    told: Callable[[str], None] = lambda _: None,
) -> EvaluationResult:
    """Scores of all rules of the catalogue. `told` hears what is being done: an advertiser's id, `features`, `rules`."""
    scorer = Scorer([rule.id for rule in catalogue.rules])
    for group in evaluate_seeded(advertisers, catalogue, marts, build, days=measurement.days, told=told):
        scorer.add(group)
    return scorer.result(catalogue.hash)
