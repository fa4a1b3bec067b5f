"""The second look of the findings step: builds features of told days as known a day later, and asks the rules again (`rules/retraction.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketing_agents.assets.dbt_build import DbtError, build
from marketing_agents.days import LocalDay
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.warehouse.store import WarehouseError

if TYPE_CHECKING:
    from marketing_agents.advertisers.registry import Registry
    from marketing_agents.rules.episodes import ToldDay
    from marketing_agents.rules.evaluate import Evaluation
    from marketing_agents.rules.rule import Catalogue
    from marketing_agents.settings import Settings
    from marketing_agents.warehouse.store import SliceVersion, Warehouse


@dataclass(frozen=True)
class Review:
    """What a second look said. `judged`: the told days that were judged again, by the partitions whose findings they decide; `failure`: why
    there was no second look, though there was something to look at.
    """

    judged: dict[LocalDay, list[ToldDay]]
    overturned: frozenset[ToldDay] = frozenset()
    failure: str | None = None


def review(
    settings: Settings,
    warehouse: Warehouse,
    registry: Registry,
    catalogue: Catalogue,
    evaluation: Evaluation,
    log: Sequence[SliceVersion],
    *,
    run_id: str,
) -> Review:
    """Judge again what is in doubt, where anything was restated since. Findings do not wait for it: a build that fails is told, not raised."""
    from marketing_agents.rules.retraction import restated

    told = restated({each for found in evaluation.doubtful.values() for each in found}, log)
    judged = {day: again for day, found in evaluation.doubtful.items() if (again := [each for each in found if each in told])}
    if not judged:
        return Review({})
    try:
        return Review(judged, _overturned(settings, warehouse, registry, catalogue, told, log, run_id))
    except (DbtError, WarehouseError) as error:
        return Review(judged, failure=str(error))


def _overturned(
    settings: Settings,
    warehouse: Warehouse,
    registry: Registry,
    catalogue: Catalogue,
    told: frozenset[ToldDay],
    log: Sequence[SliceVersion],
    run_id: str,
) -> frozenset[ToldDay]:
    from marketing_agents.assets.findings import to_frames
    from marketing_agents.rules.availability import availability
    from marketing_agents.rules.retraction import marts_of_second_look, overturned

    days = sorted({LocalDay(each.advertiser_id, each.day) for each in told})
    marts = marts_of_second_look(catalogue, told)
    what = f"second look at {days[0].key}" + (f" and {len(days) - 1} more" if len(days) > 1 else "")
    with warehouse.second_look(registry, days, run_id=run_id) as look:
        build(dbt_project_dir(), look.dbt_environment, cache_dir=settings.data_dir / "cache" / "dbt", what=what, marts=marts)
        features = to_frames(look.features(marts))
    return overturned(catalogue, told, features, availability(log, days))
