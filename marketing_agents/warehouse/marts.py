"""Contracts of the marts, read from the dbt models' own YAML: columns for rules and `dagster/column_schema`, parents for the asset graph.

Reading YAML costs milliseconds where dbt's manifest costs seconds of import and parsing; a test holds the two against each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

LAYERS = ("intermediate", "marts")
_SOURCE_FOLDERS = ("macros", "models", "seeds", "tests")


class MartContractError(ValueError):
    """A models' YAML file cannot be used. The message names the file, the model, the field and the fix."""


@dataclass(frozen=True)
class MartColumn:
    """One column. `data_type` is DuckDB's name in lower case; `unit` is money, count, percent, hours, multiple, or None."""

    name: str
    data_type: str
    description: str
    unit: str | None = None


@dataclass(frozen=True)
class MartContract:
    """One published model.

    `raw_tables`: input tables whose rows can change it, through whatever models; `depends_on`: published models it reads.
    """

    name: str
    description: str
    layer: str
    grain: tuple[str, ...]
    raw_tables: tuple[str, ...]
    depends_on: tuple[str, ...]
    columns: tuple[MartColumn, ...]

    @cached_property
    def by_name(self) -> dict[str, MartColumn]:
        return {column.name: column for column in self.columns}

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def load_marts(project_dir: Path) -> dict[str, MartContract]:
    """Contracts of all published models by name: every mart, and the intermediate models marked `config.meta.published`.

    Raises:
        MartContractError: no models, a file that is not YAML, a model without grain, tables or column types, or a name used twice.
    """
    contracts: dict[str, MartContract] = {}
    for layer in LAYERS:
        for path in sorted((project_dir / "models" / layer).glob("*.yml")):
            for model in _models(path):
                meta = _meta(model)
                if layer == "marts" or meta.get("published"):
                    contract = _contract(path, layer, model, meta)
                    if contract.name in contracts:
                        raise MartContractError(f"{path}: {contract.name}: name is used twice; model names are unique")
                    contracts[contract.name] = contract
    if not contracts:
        raise MartContractError(f"{project_dir}: no model found under models/marts/*.yml; is this the dbt project's folder?")
    return contracts


def project_hash(project_dir: Path) -> str:
    """Hash of everything that decides what dbt builds: 16 hex digits, the same on every machine."""
    digest = hashlib.sha256()
    for path in sorted(_sources(project_dir), key=lambda p: p.relative_to(project_dir).as_posix()):
        digest.update(path.relative_to(project_dir).as_posix().encode() + b"\0")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:16]


def _sources(project_dir: Path) -> Iterator[Path]:
    yield project_dir / "dbt_project.yml"
    for folder in _SOURCE_FOLDERS:
        yield from (path for path in (project_dir / folder).rglob("*") if path.suffix in {".sql", ".yml", ".csv"})


def _models(path: Path) -> list[dict[str, Any]]:
    import yaml

    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe loader in C
    except yaml.YAMLError as error:
        raise MartContractError(f"{path}: not valid YAML: {str(error)[:300]}") from None
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, list):
        raise MartContractError(f"{path}: expected a list under 'models'")
    return models


def _meta(model: dict[str, Any]) -> dict[str, Any]:
    return dict((model.get("config") or {}).get("meta") or {})


def _contract(path: Path, layer: str, model: dict[str, Any], meta: dict[str, Any]) -> MartContract:
    name = str(model.get("name", "?"))
    missing = [field for field in ("grain", "raw_tables") if not meta.get(field)]
    if missing:
        raise MartContractError(f"{path}: {name}: config.meta lacks {' and '.join(missing)}; every published model states both")
    columns = tuple(_column(path, name, column) for column in model.get("columns") or ())
    unknown = [column for column in meta["grain"] if column not in {c.name for c in columns}]
    if unknown:
        raise MartContractError(f"{path}: {name}: config.meta.grain names {', '.join(unknown)}, which is not among the columns")
    return MartContract(
        name=name,
        description=str(model.get("description", "")).strip(),
        layer=layer,
        grain=tuple(meta["grain"]),
        raw_tables=tuple(meta["raw_tables"]),
        depends_on=tuple(meta.get("depends_on") or ()),
        columns=columns,
    )


def _column(path: Path, model: str, column: dict[str, Any]) -> MartColumn:
    name = str(column.get("name", "?"))
    if not column.get("data_type") or not column.get("description"):
        raise MartContractError(f"{path}: {model}: column {name} needs data_type and description")
    unit = _meta(column).get("unit")
    return MartColumn(name, str(column["data_type"]).lower(), str(column["description"]), None if unit is None else str(unit))
