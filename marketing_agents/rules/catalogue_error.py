"""What is wrong with rule files, in words: the error that carries all problems, and pydantic's errors in ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marketing_agents.rules.expression import suggestion
from marketing_agents.rules.finding import SEVERITIES, Unit
from marketing_agents.rules.rule_file import FileModel

_BY_SEVERITY = ("when", "threshold", "thresholds")


class CatalogueError(ValueError):
    """The catalogue cannot be used. `problems`: one line each, 'file: RULE: field: message'."""

    where = "rule catalogue"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the {self.where}:\n" + "\n".join(self.problems))


def _short(given: Any) -> Any:
    """What was written, as far as a message shows it: a text is cut, of a list or a mapping only its kind is told."""
    if isinstance(given, (list, tuple, dict)):
        return type(given).__name__
    return given[:80] if isinstance(given, str) else given


def describe_problem(  # noqa: PLR0911 - one wording per kind of mistake
    detail: dict[str, Any], root: type[FileModel], parts: Mapping[str, type[FileModel]] | None = None
) -> str:
    """One pydantic error in our words: 'field: message'. `root`: the model that was read; `parts`: models of its fields, for suggestions."""
    location = [
        str(part)
        for part in detail["loc"]
        if part not in ("str", "[key]") and not str(part).startswith(("tuple[", "dict[", "constrained-str", "function-", "union"))
    ]
    field = ".".join(location) or "rule"
    kind, given = detail["type"], _short(detail.get("input"))
    if kind == "extra_forbidden":
        model = root if len(location) == 1 else (parts or {}).get(location[0], root)
        known = [info.alias or name for name, info in model.model_fields.items()]
        return f"{field}: unknown field{suggestion(location[-1], known)}"
    if kind == "missing":
        return f"{field}: is missing"
    if kind == "literal_error" and location[0] in _BY_SEVERITY:
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
