"""`rules/evaluation`: how well the rules find planted incidents, and how often they cry wolf. Not partitioned; on demand only.

No postponed annotations in this module: Dagster reads the annotations of `context` and `config` as they are.
"""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from marketing_agents.assets.catalogue import CATALOGUE_KEY, catalogue_version, read_catalogue
from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.settings import Settings
from marketing_agents.warehouse.marts import load_marts

if TYPE_CHECKING:
    from marketing_agents.evaluation.run import Builder

EVALUATION_KEY = dg.AssetKey(["rules", "evaluation"])


class EvaluationConfig(dg.Config):
    """What to measure; the defaults take some minutes."""

    rules: list[str] = Field(default=[], description="Rule ids or kinds of incidents to plant; empty = all.")
    planted_seeds: int = Field(default=1, ge=0, description="Seeds under which every kind is planted in every size.")
    clean_seeds: int = Field(default=2, ge=0, description="Seeds of clean agencies, six advertisers each.")
    first_seed: int = Field(default=101, ge=1, description="Thresholds were tuned on seeds below 100.")
    days: int = Field(default=10, ge=1, le=30, description="Days told per advertiser.")


def feature_builder(settings: Settings) -> "Builder":
    """Runs the dbt project in the private database that the environment names."""
    from marketing_agents.assets.dbt_build import build

    cache = settings.data_dir / "cache" / "dbt"

    def build_features(environment: Mapping[str, str]) -> None:
        build(dbt_project_dir(), environment, cache_dir=cache, what="features of seeded advertisers")

    return build_features


def build_evaluation_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `rules/evaluation`."""

    @dg.asset(
        key=EVALUATION_KEY,
        deps=[CATALOGUE_KEY],
        group_name="rules",
        owners=OWNERS,
        kinds={"python", "dbt"},
        code_version=catalogue_version(settings),
        tags={"layer": "rules"},
        metadata={"dagster/column_schema": _schema()},
        description=(
            "Recall, precision, delay and false alarms per rule, over seeded agencies with planted incidents from barely visible to obvious and over "
            "clean ones. Materialize it after a change of the catalogue; nothing waits for it."
        ),
    )
    def evaluation(context: dg.AssetExecutionContext, config: EvaluationConfig) -> dg.MaterializeResult:  # type: ignore[type-arg]
        from marketing_agents.evaluation.chart import draw_recall
        from marketing_agents.evaluation.markdown import evaluation_markdown, overall
        from marketing_agents.evaluation.measure import Measurement, advertisers_of, measure

        catalogue = read_catalogue(settings.model_copy(update={"overrides": None}))  # the rules are measured, not who wants less of them
        asked = Measurement(frozenset(config.rules) or None, config.planted_seeds, config.clean_seeds, config.first_seed, config.days)
        advertisers, left_out = advertisers_of(asked, frozenset(rule.id for rule in catalogue.rules))
        context.log.info("%d advertisers; not planted, since no business suits them: %s", len(advertisers), ", ".join(left_out) or "none")
        marts = load_marts(dbt_project_dir())
        result = measure(asked, advertisers, catalogue, marts, feature_builder(settings), lambda what: context.log.debug("%s", what))
        context.log.info("%s", overall(result))
        metadata: dict[str, Any] = {
            "dagster/row_count": len(result.rules),
            "status": "ok",
            "catalogue_hash": result.catalogue_hash,
            "scores": dg.MetadataValue.md(evaluation_markdown(result)),
            "false_alarms": dg.MetadataValue.md("\n".join(f"* {line}" for line in result.false_alarms[:50]) or "none"),
            "visible_and_not_seen": dg.MetadataValue.md("\n".join(f"* {line}" for line in result.missed[:50]) or "none"),
        }
        for name, value in (
            ("recall_of_visible", result.visible_recall),
            ("precision", result.precision),
            ("false_alarms_per_100_clean_days", result.false_alarms_per_100_days),
        ):
            if value is not None:
                metadata[name] = round(value, 4)
        chart = draw_recall(result)
        if chart is not None:
            metadata["recall_by_size"] = dg.MetadataValue.md(f"![recall](data:image/png;base64,{base64.b64encode(chart).decode()})")
        return dg.MaterializeResult(metadata=metadata)

    return evaluation


def _schema() -> dg.TableSchema:
    from marketing_agents.evaluation.markdown import HEADINGS

    return dg.TableSchema(columns=[dg.TableColumn(name=name, type="VARCHAR") for name in HEADINGS])
