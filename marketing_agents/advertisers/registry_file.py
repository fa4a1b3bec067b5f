"""Adds, edits and removes advertisers in the registry file, by program and yet as careful as a person with an editor.

Everything but the entry's own lines stays byte for byte. The whole registry is validated before anything is written, what is about to be
written is read back and compared with what was meant, and the file is replaced at once, under a lock.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from marketing_agents.advertisers.registry import Advertiser, Registry, RegistryError, parse_registry
from marketing_agents.advertisers.yaml_values import Value

NEW_FILE = """\
# The registry of advertisers: README, "Your own advertisers and data". `marketing-agents advertisers` edits it, and so may you.
advertisers: []
"""
_REQUIRED = ("id", "name", "time_zone")


@dataclass(frozen=True)
class _Text:
    """A registry's text with plain line ends, how it was stored, and what YAML reads from it."""

    text: str
    line_end: str
    mark: str
    document: dict[str, Any]

    def encoded(self, text: str) -> bytes:
        return (self.mark + text.replace("\n", self.line_end)).encode("utf-8")


def add_advertiser(path: Path, fields: Mapping[str, Value]) -> Registry:
    """Append an advertiser; the file is made when there is none. `fields`: as in the file, in the order in which they are to stand.

    Raises:
        RegistryError: the id is taken, a field is wrong, or the file cannot be read, edited or written. Nothing was changed.
    """
    from marketing_agents.advertisers.entry_lines import with_entry

    def change(before: _Text, ids: list[object]) -> tuple[str, list[Any]]:
        if fields["id"] in ids:
            raise RegistryError(f"{path}: advertiser {fields['id']!r} exists already; change it with `advertisers edit {fields['id']}`")
        return with_entry(before.text, fields), [*before.document["advertisers"], _as_read(fields)]

    return _edit(path, change, [str(fields["id"])], creates=True)


def edit_advertiser(path: Path, advertiser_id: str, changes: Mapping[str, Value], unset: Collection[str] = ()) -> Registry:
    """Set fields of an advertiser, and take the `unset` ones away (their defaults hold again).

    Raises:
        RegistryError: as `add_advertiser`, or the id is unknown, or a field is required.
    """
    from marketing_agents.advertisers.entry_lines import with_fields

    for name in unset:
        if name in _REQUIRED:
            raise RegistryError(f"advertiser {advertiser_id!r}: {name} is required and cannot be unset")

    def change(before: _Text, ids: list[object]) -> tuple[str, list[Any]]:
        index = _position(path, advertiser_id, ids)
        entries = list(before.document["advertisers"])
        entries[index] = {name: value for name, value in {**entries[index], **_as_read(changes)}.items() if name not in unset}
        return with_fields(before.text, index, changes, unset), entries

    return _edit(path, change, [advertiser_id])


def remove_advertiser(path: Path, advertiser_id: str) -> Registry:
    """Take an advertiser out of the registry; no data is touched.

    Raises:
        RegistryError: as `edit_advertiser`.
    """
    from marketing_agents.advertisers.entry_lines import without_entry

    def change(before: _Text, ids: list[object]) -> tuple[str, list[Any]]:
        index = _position(path, advertiser_id, ids)
        return without_entry(before.text, index), [e for n, e in enumerate(before.document["advertisers"]) if n != index]

    return _edit(path, change, [])


def fields_of(advertiser: Advertiser) -> dict[str, Value]:
    """The fields of an advertiser that are not at their defaults, as the file has them."""
    fields: dict[str, Value] = {}
    for name in advertiser.model_fields_set:
        value = getattr(advertiser, name)
        if name in _REQUIRED or value != Advertiser.model_fields[name].default:
            fields[name] = value.strftime("%H:%M") if name == "run_time_local" else value
    return {name: fields[name] for name in Advertiser.model_fields if name in fields}


def nearest(advertiser_id: str, ids: Iterable[str]) -> str:
    """`did you mean 'acme'?`, or who there is."""
    known = list(ids)
    near = difflib.get_close_matches(advertiser_id, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"the registry has: {', '.join(known[:20]) or 'nobody'}"


def _edit(
    path: Path, change: Callable[[_Text, list[object]], tuple[str, list[Any]]], touched: Collection[str], *, creates: bool = False
) -> Registry:
    """Read, change, validate, compare, write; `change` returns the new text and the entries that it is to hold."""
    from marketing_agents.advertisers.entry_lines import LayoutError
    from marketing_agents.advertisers.safe_write import exclusive, replace_bytes

    target = path.resolve()  # a link stays a link
    if not target.parent.is_dir():
        raise RegistryError(f"{path}: the folder {target.parent} does not exist; make it, or correct MARKETING_AGENTS_ADVERTISERS")
    try:
        with exclusive(target):
            before = _read(path, target, creates=creates)
            parse_registry(before.document["advertisers"], source=str(path))
            try:
                text, entries = change(before, [entry["id"] for entry in before.document["advertisers"]])
            except LayoutError as error:
                raise RegistryError(f"{path}: cannot be edited by program: {error}") from None
            registry = parse_registry(entries, source=str(path))
            _compare(path, text, {**before.document, "advertisers": entries}, registry, touched)
            replace_bytes(target, before.encoded(text))
    except TimeoutError as error:
        raise RegistryError(f"{path}: somebody else is editing it: {error}; try again") from None
    except OSError as error:
        raise RegistryError(
            f"{path}: cannot be edited: {error.strerror or error}; nothing was changed; check the rights and the disk"
        ) from None
    return registry


def _read(path: Path, target: Path, *, creates: bool) -> _Text:
    import yaml
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        stored = target.read_bytes().decode("utf-8")
    except FileNotFoundError:
        if not creates:
            raise RegistryError(f"{path}: no such registry file; `advertisers add` makes it") from None
        stored = NEW_FILE
    except UnicodeDecodeError as error:
        raise RegistryError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from None
    mark = "\ufeff" if stored.startswith("\ufeff") else ""
    text = stored.removeprefix(mark).replace("\r\n", "\n")
    try:
        document = yaml.safe_load(text)
        YAML(typ="rt").load(text)  # finds what the other reader passes over, for example a field that stands there twice
    except (yaml.YAMLError, YAMLError) as error:
        raise RegistryError(f"{path}: not valid YAML: {str(error)[:300]}") from None
    if not isinstance(document, dict) or not isinstance(document.get("advertisers"), list):
        raise RegistryError(f"{path}: expected a mapping with a list under 'advertisers'")
    return _Text(text, "\r\n" if "\r\n" in stored else "\n", mark, document)


def _compare(path: Path, text: str, meant: dict[str, Any], registry: Registry, touched: Collection[str]) -> None:
    """Raise RegistryError unless the new text reads as what was meant: every other entry as it was, the touched ones as asked."""
    import yaml

    try:
        text.encode("utf-8")
        read = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeEncodeError):
        read = None
    if read != meant or parse_registry(read["advertisers"], source=str(path)) != registry:
        names = ", ".join(touched) or "the entry"
        raise RegistryError(
            f"{path}: the edit of {names} cannot be written so that it reads back the same, so nothing was changed; edit the file by hand"
        )


def _position(path: Path, advertiser_id: str, ids: list[object]) -> int:
    if advertiser_id not in ids:
        raise RegistryError(f"{path}: unknown advertiser {advertiser_id[:80]!r} ({nearest(advertiser_id, map(str, ids))})")
    return ids.index(advertiser_id)


def _as_read(fields: Mapping[str, Value]) -> dict[str, Any]:
    """Values as YAML gives them back."""
    return {name: _read_value(value) for name, value in fields.items()}


def _read_value(value: Value) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Decimal):
        read = float(format(value, "f")) if "." in format(value, "f") else int(value)
        if Decimal(str(read)) != value:
            raise RegistryError(f"{value} has more digits than the registry file can hold; write fewer")
        return read
    return value
