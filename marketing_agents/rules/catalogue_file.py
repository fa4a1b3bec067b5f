"""Loads the catalogue: YAML files, one per category, into checked rules. All problems of all files are reported at once.

A file holds `category: MEDIA` and `rules: [...]`; what a rule may hold is in `rule_file.py`. YAML is read safely; a key that is written twice is
an error, not a silent last one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from marketing_agents.rules.compile_rule import RuleCompiler, content_hash
from marketing_agents.rules.expression import suggestion
from marketing_agents.rules.finding import SEVERITIES, Unit
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

if TYPE_CHECKING:
    from marketing_agents.warehouse.marts import MartContract

PACKAGED_CATALOGUE = Path(__file__).parent / "catalogue"
MAX_FILE_BYTES = 2_000_000
_FILE_FIELDS = ("category", "rules")


class CatalogueError(ValueError):
    """The catalogue cannot be used. `problems`: one line each, 'file: RULE: field: message'."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the rule catalogue:\n" + "\n".join(self.problems))


def load_catalogue(directory: Path, marts: Mapping[str, MartContract]) -> Catalogue:
    """All rules of `directory/*.yaml`, checked against the marts' columns, the input tables and the actions.

    Raises:
        CatalogueError: with ALL problems, each 'file: RULE: field: message (did you mean ...)'.
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
    if problems:
        raise CatalogueError(problems)
    ordered = tuple(sorted(rules, key=lambda rule: (ORDERS.index(rule.order), rule.id)))
    return Catalogue(ordered, content_hash(sorted(f"{rule.id} {rule.content_hash}" for rule in ordered)))


def load_packaged_catalogue(marts: Mapping[str, MartContract]) -> Catalogue:
    """The catalogue that comes with the package."""
    return load_catalogue(PACKAGED_CATALOGUE, marts)


def _read_file(path: Path, problems: list[str]) -> tuple[str, list[Any]] | None:
    import yaml

    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            problems.append(f"{path.name}: larger than {MAX_FILE_BYTES} bytes: split it")
            return None
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_strict_loader())  # noqa: S506 - a SafeLoader that refuses duplicate keys
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        problems.append(f"{path.name}: cannot be read as YAML: {' '.join(str(error).split())}")
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


def _strict_loader() -> Any:
    import yaml

    class StrictLoader(yaml.SafeLoader):
        """A SafeLoader that refuses a key written twice."""

    def construct(loader: Any, node: Any) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"the key '{key}' is written twice", problem_mark=key_node.start_mark)
            seen.add(key)
        loader.flatten_mapping(node)
        return dict(loader.construct_pairs(node, deep=True))

    StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, construct)
    return StrictLoader


def _read_rule(
    file: str,
    category: str,
    position: int,
    entry: Any,
    marts: Mapping[str, MartContract],
    problems: list[str],
    mentioned: list[tuple[str, str]],
) -> Rule | None:
    rule_id = str(entry.get("id", f"rule {position + 1}"))[:80] if isinstance(entry, dict) else f"rule {position + 1}"
    where = f"{file}: {rule_id}"
    if not isinstance(entry, dict):
        problems.append(f"{where}: must be a mapping of fields")
        return None
    mentioned.append((rule_id, file))
    try:
        written = RuleFile.model_validate({"category": category, **entry})
    except ValidationError as error:
        problems.extend(f"{where}: {_describe(dict(detail))}" for detail in error.errors())
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


def _describe(detail: dict[str, Any]) -> str:  # noqa: PLR0911 - one wording per kind of mistake
    """One pydantic error in our words: 'field: message'."""
    location = [
        str(part)
        for part in detail["loc"]
        if part not in ("str", "[key]") and not str(part).startswith(("tuple[", "dict[", "constrained-str", "function-", "union"))
    ]
    field = ".".join(location) or "rule"
    kind, given = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        model = RuleFile if len(location) == 1 else _MODELS.get(location[0], RuleFile)
        known = [info.alias or name for name, info in model.model_fields.items()]
        return f"{field}: unknown field{suggestion(location[-1], known)}"
    if kind == "missing":
        return f"{field}: is missing"
    if kind == "literal_error" and location[0] in ("when", "threshold"):
        return f"{field}: unknown severity{suggestion(str(given), SEVERITIES)}; there are {', '.join(SEVERITIES)}"
    if kind == "enum" and location[-1] == "unit":
        return f"{field}: unknown unit {given!r}{suggestion(str(given), [unit.value for unit in Unit])}"
    if kind == "literal_error":
        expected = str(detail.get("ctx", {}).get("expected", ""))
        return f"{field}: {given!r} is not one of {expected}{suggestion(str(given), [word.strip(' ' + chr(39)) for word in expected.replace(' or ', ',').split(',')])}"
    if kind == "string_pattern_mismatch" and location[0] == "id":
        return f"id: {given!r} is not a rule id: capital letters and digits, a hyphen, three digits (MEDIA-001)"
    if kind == "string_pattern_mismatch":
        return f"{field}: {given!r} does not have the right form ({detail['ctx']['pattern']})"
    return f"{field}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


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
        for field, others in (("suppressed_by", rule.suppressed_by), ("limited_by", rule.limited_by)):
            problems += [
                f"{rule.file}: {rule.id}: {field}: unknown rule '{other}'{suggestion(other, known)}"
                for other in others
                if other not in known
            ]
            problems += [f"{rule.file}: {rule.id}: {field}: a rule cannot name itself" for other in others if other == rule.id]
    return problems
