"""Loads the catalogue: YAML files, one per category, into checked rules. All problems of all files are reported at once.

A file holds `category: MEDIA` and `rules: [...]`; what a rule may hold is in `rule_file.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from marketing_agents.rules.catalogue_error import CatalogueError, describe_problem
from marketing_agents.rules.compile_rule import RuleCompiler, content_hash
from marketing_agents.rules.expression import suggestion
from marketing_agents.rules.functions import Kind, kind_of
from marketing_agents.rules.rule import ORDERS, Catalogue, Rule
from marketing_agents.rules.rule_file import (
    AlternativeFile,
    CauseFile,
    EntityFile,
    FactFile,
    FileModel,
    GateFile,
    PeerFile,
    RuleFile,
    StepFile,
    TestFile,
)
from marketing_agents.rules.strict_yaml import read_yaml

if TYPE_CHECKING:
    from marketing_agents.warehouse.marts import MartContract

__all__ = ["CatalogueError", "load_catalogue", "load_packaged_catalogue"]

PACKAGED_CATALOGUE = Path(__file__).parent / "catalogue"
_FILE_FIELDS = ("category", "rules")


def load_catalogue(directory: Path, marts: Mapping[str, MartContract], overrides: Path | None = None) -> Catalogue:
    """All rules of `directory/*.yaml`, checked against the marts' columns, the input tables and the actions; with the overrides of a file or folder.

    Raises:
        CatalogueError: with ALL problems, each 'file: RULE: field: message (did you mean ...)'. OverrideError: the same for overrides.
    """
    problems: list[str] = []
    rules: list[Rule] = []
    mentioned: list[tuple[str, str]] = []
    paths = sorted(directory.glob("*.yaml"))
    problems += [f"{path.name}: is not read: name it {path.stem}.yaml" for path in sorted(directory.glob("*.yml"))]
    if not paths:
        raise CatalogueError([f"{directory}: no catalogue files (*.yaml) here"])
    for path in paths:
        loaded = _read_file(path, problems)
        if loaded is None:
            continue
        category, entries = loaded
        for position, entry in enumerate(entries):
            rule = _read_rule(path.name, category, position, entry, marts, problems, mentioned)
            if rule is not None:
                rules.append(rule)
    problems += _duplicates(mentioned)
    problems += _unknown_rules(rules, {rule_id for rule_id, _ in mentioned})
    problems += _circles(rules)
    if problems:
        raise CatalogueError(problems)
    ordered = tuple(sorted(rules, key=lambda rule: (ORDERS.index(rule.order), rule.id)))
    catalogue = Catalogue(ordered, content_hash(sorted(f"{rule.id} {rule.content_hash}" for rule in ordered)))
    return catalogue if overrides is None else _overridden(catalogue, overrides)


def _overridden(catalogue: Catalogue, path: Path) -> Catalogue:
    """The catalogue with the entries of `path`; they and their order, which decides between equals, are part of its hash."""
    from marketing_agents.rules.override_file import load_overrides

    overrides = load_overrides(path, catalogue.by_id)
    if not overrides:
        return catalogue
    return Catalogue(catalogue.rules, content_hash([catalogue.hash, *(override.content for override in overrides)]), overrides)


def load_packaged_catalogue(marts: Mapping[str, MartContract]) -> Catalogue:
    """The catalogue that comes with the package."""
    return load_catalogue(PACKAGED_CATALOGUE, marts)


def _read_file(path: Path, problems: list[str]) -> tuple[str, list[Any]] | None:
    content, problem = read_yaml(path)
    if problem:
        problems.append(f"{path.name}: {problem}")
        return None
    if not isinstance(content, dict):
        problems.append(f"{path.name}: must hold `category` and `rules`")
        return None
    problems.extend(f"{path.name}: unknown field '{key}'{suggestion(str(key), _FILE_FIELDS)}" for key in content if key not in _FILE_FIELDS)
    category, rules = content.get("category"), content.get("rules")
    if not isinstance(category, str):
        problems.append(f"{path.name}: category: must be a text such as MEDIA")
        category = ""
    if not isinstance(rules, list):
        problems.append(f"{path.name}: rules: must be a list of rules")
        return None
    return category, rules


def _read_rule(
    file: str,
    category: str,
    position: int,
    entry: Any,
    marts: Mapping[str, MartContract],
    problems: list[str],
    mentioned: list[tuple[str, str]],
) -> Rule | None:
    given = entry.get("id") if isinstance(entry, dict) else None
    rule_id = given[:80] if isinstance(given, str) else f"rule {position + 1}"
    where = f"{file}: {rule_id}"
    if not isinstance(entry, dict):
        problems.append(f"{where}: must be a mapping of fields")
        return None
    mentioned.append((rule_id, file))
    try:
        written = RuleFile.model_validate({"category": category, **entry})
    except ValidationError as error:
        problems.extend(f"{where}: {describe_problem(dict(detail), RuleFile, _MODELS)}" for detail in error.errors())
        # what is well-formed besides is still checked where that is possible: the mart and the tables
        return None
    mart = marts.get(written.mart)
    if mart is None:
        problems.append(f"{where}: mart: unknown mart '{written.mart}'{suggestion(written.mart, marts)}")
        return None
    compiler = RuleCompiler(written, category, column_kinds(mart), _input_tables(), file)
    rule = compiler.compile()
    problems.extend(dict.fromkeys(f"{where}: {field}: {message}" for field, message in compiler.problems))
    return None if compiler.problems else rule


def column_kinds(mart: MartContract) -> dict[str, Kind]:
    """Columns that expressions may read, by kind."""
    kinds = {column.name: kind_of(column.data_type) for column in mart.columns}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def _input_tables() -> tuple[str, ...]:
    from marketing_agents.warehouse.catalog import INPUT_TABLES

    return tuple(INPUT_TABLES)


_MODELS: dict[str, type[FileModel]] = {
    "entity": EntityFile,
    "test": TestFile,
    "facts": FactFile,
    "alternatives": AlternativeFile,
    "causes": CauseFile,
    "peer": PeerFile,
    "playbook": StepFile,
    "gate": GateFile,
}


def _duplicates(mentioned: Sequence[tuple[str, str]]) -> list[str]:
    first: dict[str, str] = {}
    problems = []
    for rule_id, file in mentioned:
        if rule_id in first:
            problems.append(f"{file}: {rule_id}: id: is used twice (also in {first[rule_id]})")
        first.setdefault(rule_id, file)
    return problems


def _unknown_rules(rules: Sequence[Rule], known: set[str]) -> list[str]:
    problems = []
    for rule in rules:
        named = (
            ("suppressed_by", rule.suppressed_by),
            ("suppressed_on_entity_by", rule.suppressed_on_entity_by),
            ("limited_by", rule.limited_by),
        )
        for field, others in named:
            problems += [
                f"{rule.file}: {rule.id}: {field}: unknown rule '{other}'{suggestion(other, known)}"
                for other in others
                if other not in known
            ]
            problems += [f"{rule.file}: {rule.id}: {field}: a rule cannot name itself" for other in others if other == rule.id]
    return problems


def _circles(rules: Sequence[Rule]) -> list[str]:
    """Rules that explain each other: all of them would be explained and none acted upon."""
    explained_by = {rule.id: dict.fromkeys((*rule.suppressed_by, *rule.suppressed_on_entity_by)) for rule in rules}
    problems = []
    for rule in rules:
        reached: list[str] = [other for other in explained_by[rule.id] if other != rule.id]
        for other in reached:  # grows while it is walked
            reached += [further for further in explained_by.get(other, ()) if further not in reached]
        circle = [other for other in reached if other != rule.id and rule.id in explained_by.get(other, ())]
        if circle:
            problems.append(
                f"{rule.file}: {rule.id}: suppressed_by: it would also explain {circle[0]}, so that neither is acted upon: remove one of the two"
            )
    return problems
