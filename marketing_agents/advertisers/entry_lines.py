"""Changes one entry of the registry's text and leaves every other line as it is.

YAML libraries write the whole document again, which reflows lines and drops the comments around a removed entry. Here ruamel.yaml only says where
things stand, and the lines of one entry are replaced. Who calls this checks the result: what these functions return is a proposal.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marketing_agents.advertisers.yaml_values import Quote, Value, as_yaml

ALWAYS_QUOTED = frozenset({"name", "run_time_local", "prompt_label"})
"""Texts of people, and times: YAML reads an unquoted 10:30 as the number 630."""
_BLANK_OR_COMMENT = re.compile(r"\s*(#.*)?")
_EMPTY_LIST = re.compile(r"(advertisers\s*:)\s*\[\s*\](\s*(?:#.*)?)")


class LayoutError(ValueError):
    """The list of advertisers is not written with one entry per line; the message says what to do."""


@dataclass(frozen=True)
class _Entry:
    """Where an entry stands: lines [first, end), the columns of its dash and its fields, and the lines [first, end) of each field.

    `fields` is empty for an entry in braces. Lines count from 0; blank lines and comments after an entry or a field do not belong to it.
    """

    first: int
    end: int
    dash: int
    column: int
    fields: dict[str, tuple[int, int]]
    values: Mapping[str, Any]


def with_entry(text: str, fields: Mapping[str, Value]) -> str:
    """The text with a new last entry. Raises LayoutError."""
    lines = _lines(text)
    document = _parsed(text)
    if not document["advertisers"]:
        line = document.lc.key("advertisers")[0]
        emptied = _EMPTY_LIST.fullmatch(lines[line])
        if emptied is None:
            raise LayoutError("write the empty list as `advertisers: []` on a line of its own")
        return _joined([*lines[:line], emptied[1] + emptied[2], *_entry_lines(fields, dash=2, column=4), *lines[line + 1 :]])
    found = _entries(lines, document)
    last = found[-1]
    end = last.end
    for number in range(last.end, len(lines)):
        if not _BLANK_OR_COMMENT.fullmatch(lines[number]):
            break
        if re.match(r"\s+#", lines[number]):  # an indented comment below the last entry is about that entry
            end = number + 1
    is_spaced = len(found) > 1 and not lines[last.first - 1].strip()
    new = _entry_lines(fields, dash=last.dash, column=last.column)
    return _joined([*lines[:end], *([""] if is_spaced else []), *new, *lines[end:]])


def with_fields(text: str, index: int, changes: Mapping[str, Value], unset: Collection[str]) -> str:
    """The text with fields of one entry set, in place where they stand, else after its last field; `unset` fields are gone.

    An entry in braces, or one whose first field goes, is written anew with one field per line. Raises LayoutError.
    """
    lines = _lines(text)
    entry = _entries(lines, _parsed(text))[index]
    if not entry.fields or any(name in entry.fields and entry.fields[name][0] == entry.first for name in unset):
        fields = {name: value for name, value in {**_plain(entry.values), **changes}.items() if name not in unset}
        comment = _comment_at_end(lines[entry.first][entry.dash + 1 :])
        new = _entry_lines(fields, dash=entry.dash, column=entry.column)
        return _joined([*lines[: entry.first], new[0] + comment, *new[1:], *lines[entry.end :]])
    added = [" " * entry.column + _field(name, value) for name, value in changes.items() if name not in entry.fields]
    edits: list[tuple[int, int, list[str]]] = [(entry.end, entry.end, added)]
    edits += [(*entry.fields[name], []) for name in unset if name in entry.fields]
    for name in changes.keys() & entry.fields.keys():
        first, end = entry.fields[name]
        edits.append((first, end, _field_again(lines[first:end], entry, name, changes[name])))
    for first, end, new in sorted(edits, key=lambda e: e[:2], reverse=True):
        lines[first:end] = new
    return _joined(lines)


def without_entry(text: str, index: int) -> str:
    """The text without one entry; the comments around it stay. Raises LayoutError."""
    lines = _lines(text)
    document = _parsed(text)
    found = _entries(lines, document)
    start, end = found[index].first, found[index].end
    if start > 0 and not lines[start - 1].strip() and (end == len(lines) or not lines[end].strip()):
        start -= 1  # one blank line between the neighbours is enough
    kept = [*lines[:start], *lines[end:]]
    if len(found) == 1:
        line = document.lc.key("advertisers")[0]
        kept[line] = re.sub(r"^(advertisers\s*:)", r"\1 []", kept[line])
    return _joined(kept)


def _entries(lines: list[str], document: Any) -> list[_Entry]:
    listed = document["advertisers"]
    if listed.fa.flow_style():
        raise LayoutError("the list stands in brackets; write each advertiser below the other, as `  - id: ...`")
    starts = [_dash_line(lines, *listed.lc.item(n)) for n in range(len(listed))]
    begin = document.lc.key("advertisers")[0]
    after = min([line for key in document if (line := document.lc.key(key)[0]) > begin], default=len(lines))
    ends = [*(line for line, _ in starts[1:]), after]
    return [
        _entry(lines, first, _end_of_content(lines, first, limit), dash, listed.lc.item(n)[1], listed[n])
        for n, ((first, dash), limit) in enumerate(zip(starts, ends, strict=True))
    ]


def _entry(lines: list[str], first: int, end: int, dash: int, column: int, values: Any) -> _Entry:
    if values.fa.flow_style():
        return _Entry(first, end, dash, column, {}, values)
    starts = sorted((values.lc.key(name)[0], name) for name in values.lc.data)
    limits = [*(line for line, _ in starts[1:]), end]
    fields = {name: (line, _end_of_content(lines, line, limit)) for (line, name), limit in zip(starts, limits, strict=True)}
    return _Entry(first, end, dash, column, fields, values)


def _dash_line(lines: list[str], line: int, column: int) -> tuple[int, int]:
    """(line, column) of the dash of an item that starts at `line`, `column`; the dash may stand on a line of its own."""
    before = lines[line][:column]
    while not before.strip().startswith("-"):
        line -= 1
        before = lines[line]
    return line, len(before) - len(before.lstrip())


def _end_of_content(lines: list[str], first: int, limit: int) -> int:
    """The line after the last one of [first, limit) that is more than blank or a comment."""
    limit = next((n for n in range(first, limit) if lines[n].startswith(("---", "..."))), limit)
    return max((n + 1 for n in range(first, limit) if not _BLANK_OR_COMMENT.fullmatch(lines[n])), default=first + 1)


def _entry_lines(fields: Mapping[str, Value], *, dash: int, column: int) -> list[str]:
    written = [_field(name, value) for name, value in fields.items()]
    gap = max(column - dash - 1, 1)
    return [" " * dash + "-" + " " * gap + written[0], *(" " * (dash + 1 + gap) + field for field in written[1:])]


def _field(name: str, value: Value, quote: Quote = "") -> str:
    forced: Quote = '"' if name in ALWAYS_QUOTED else ""
    return f"{name}: {as_yaml(value, quote or forced)}"


def _field_again(old: list[str], entry: _Entry, name: str, value: Value) -> list[str]:
    """A field's lines with a new value: same quotes, same comment, a list one item per line when it was."""
    was = entry.values[name]
    head = old[0][: entry.column]
    comment = _comment_at_end(old[0][entry.column :])
    items = getattr(was, "fa", None)
    if isinstance(value, tuple) and value and items is not None and not items.flow_style():
        first = entry.fields[name][0]
        told = {str(item): old[was.lc.item(n)[0] - first] for n, item in enumerate(was)}
        indent = next(iter(told.values())).split("-", 1)[0] if told else " " * entry.column
        return [f"{head}{name}:{comment}", *(told.get(item, f"{indent}- {as_yaml(item)}") for item in value)]
    return [head + _field(name, value, _quote_of(was)) + comment]


def _quote_of(value: object) -> Quote:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

    return "'" if isinstance(value, SingleQuotedScalarString) else '"' if isinstance(value, DoubleQuotedScalarString) else ""


def _comment_at_end(line: str) -> str:
    """The comment that ends a line of YAML, with the spaces before it."""
    import yaml

    end = 0
    try:
        for token in yaml.scan(line):
            if not isinstance(token, yaml.StreamEndToken | yaml.BlockEndToken):
                end = token.end_mark.column
    except yaml.YAMLError:
        return ""  # a text or a list that goes on below
    rest = line[end:]
    return rest.rstrip() if rest.lstrip().startswith("#") else ""


def _plain(values: Mapping[str, Any]) -> dict[str, Value]:
    return {str(name): _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Value:
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    if isinstance(value, bool | int):
        return value
    return Decimal(str(value)) if isinstance(value, float) else str(value)


def _parsed(text: str) -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    return yaml.load(text)


def _lines(text: str) -> list[str]:
    """Lines as YAML's positions count them (`str.splitlines` also cuts at characters that a name may hold)."""
    return text.removesuffix("\n").split("\n")


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
