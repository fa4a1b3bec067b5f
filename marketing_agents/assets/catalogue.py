"""`rules/catalogue` and `rules/domains`: the validated rule set, and which domain owns which rule. Not partitioned.

Partitioned assets never wait for these two: they read the catalogue from the package and labels from the state store.

No postponed annotations in this module: Dagster reads the annotations of `context` and `config` as they are.
"""

from typing import TYPE_CHECKING, Any

import dagster as dg

from marketing_agents.assets.partition_step import OWNERS
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.settings import Settings
from marketing_agents.warehouse.marts import load_marts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marketing_agents.rules.classification import DomainLabel
    from marketing_agents.rules.rule import Catalogue
    from marketing_agents.state.store import StateStore

CATALOGUE_KEY = dg.AssetKey(["rules", "catalogue"])
DOMAINS_KEY = dg.AssetKey(["rules", "domains"])
FINDINGS_KEY = dg.AssetKey(["rules", "findings"])
CONFIDENCE_CHECK = "label_confidence"
LOW_CONFIDENCE = 0.5


def read_catalogue(settings: Settings) -> "Catalogue":
    """The catalogue of the settings with its overrides, checked against the marts.

    Raises:
        CatalogueError: lists every problem with file, rule, field and fix.
    """
    from marketing_agents.rules.catalogue_file import load_catalogue

    return load_catalogue(settings.resolved_catalogue_dir, load_marts(dbt_project_dir()), settings.overrides)


def catalogue_version(settings: Settings) -> str:
    """Hash of the rule files' bytes: cheap enough for import, changes whenever a rule or an override does."""
    import hashlib

    digest = hashlib.sha256()
    for path in settings.rule_files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def label_rules(settings: Settings, catalogue: "Catalogue", state: "StateStore") -> "list[DomainLabel]":
    """A label for every rule: pinned, by category, a stored answer of the model, else keywords."""
    from marketing_agents.domains.registry import load_domains
    from marketing_agents.rules.classification import classify

    profiles = [domain.profile() for domain in load_domains(settings.resolved_domains_dir)]
    return classify(catalogue.rules, profiles, state, None)


def build_catalogue_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The two unpartitioned assets of the group `rules`."""
    version = catalogue_version(settings)

    @dg.asset(
        key=CATALOGUE_KEY,
        group_name="rules",
        owners=OWNERS,
        kinds={"yaml", "python"},
        code_version=version,
        tags={"layer": "rules"},
        metadata={"dagster/column_schema": _schema("rule", "title", "category", "order", "entity", "mart", "requires")},
        description="The rule set: parsed, and every expression checked against the columns of the marts. An invalid rule fails here with file, rule, field and fix.",
    )
    def catalogue(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        rules = read_catalogue(settings)
        rows = [(r.id, r.title, r.category, r.order, r.entity.type, r.mart, ", ".join(r.requires)) for r in rules.rules]
        context.log.info("%d rules, catalogue %s", len(rows), rules.hash[:12])
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(rows),
                "status": "ok",
                "catalogue_hash": rules.hash,
                "rules": dg.MetadataValue.md(markdown_table(("rule", "title", "category", "order", "entity", "mart", "needs"), rows)),
            },
            data_version=dg.DataVersion(rules.hash),
        )

    @dg.asset(
        key=DOMAINS_KEY,
        deps=[CATALOGUE_KEY],
        group_name="rules",
        owners=OWNERS,
        kinds={"python"},
        code_version=version,
        tags={"layer": "rules"},
        metadata={"dagster/column_schema": _schema("rule", "category", "domain", "tier", "confidence", "why")},
        check_specs=[
            dg.AssetCheckSpec(
                CONFIDENCE_CHECK,
                asset=DOMAINS_KEY,
                description=f"Warns about labels with a confidence below {LOW_CONFIDENCE}: pin them in the catalogue.",
            )
        ],
        description="Which domain owns which rule. Tier 0 pinned by a person, 1 category, 2 model, 3 keywords; stored by rule id and text hash.",
    )
    def domains(context: dg.AssetExecutionContext, state: dg.ResourceParam[Any]) -> dg.MaterializeResult:  # type: ignore[type-arg]
        rules = read_catalogue(settings)
        labels = label_rules(settings, rules, state)
        categories: Mapping[str, str] = {r.id: r.category for r in rules.rules}
        rows = [(x.rule_id, categories[x.rule_id], x.domain, x.tier, f"{x.confidence:.2f}", x.reason) for x in labels]
        unsure = [x.rule_id for x in labels if x.confidence < LOW_CONFIDENCE]
        context.log.info("%d labels, %d below %.1f", len(rows), len(unsure), LOW_CONFIDENCE)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(rows),
                "status": "ok",
                "labels": dg.MetadataValue.md(markdown_table(("rule", "category", "domain", "tier", "confidence", "why"), rows)),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=CONFIDENCE_CHECK,
                    passed=not unsure,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"rules": ", ".join(unsure) or "none"},
                )
            ],
        )

    return [catalogue, domains]


def _schema(*names: str) -> dg.TableSchema:
    return dg.TableSchema(columns=[dg.TableColumn(name=name, type="VARCHAR") for name in names])


def markdown_table(header: "Sequence[str]", rows: "Sequence[Sequence[object]]") -> str:
    """A Markdown table for metadata."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
