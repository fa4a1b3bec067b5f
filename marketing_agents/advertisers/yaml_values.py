"""Writes single values as YAML text that the registry's reader (YAML 1.1) reads back as the same value."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

Value = str | int | bool | Decimal | tuple[str, ...]
Quote = Literal["", "'", '"']
_PLAIN = re.compile(r"[\w][\w /+.&-]*", re.ASCII)


def as_yaml(value: Value, quote: Quote = "") -> str:
    """One line. Texts keep the quotes `quote` where they can; without, they are quoted only when YAML would read something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(as_yaml(item, quote) for item in value)}]"
    if quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return value if not quote and _is_plain(value) else _double_quoted(value)


def _is_plain(text: str) -> bool:
    """True when the bare text is read as this text: not as a number, a date, a truth value, a mark of YAML's own."""
    import yaml

    return bool(_PLAIN.fullmatch(text)) and text == text.strip() and yaml.safe_load(text) == text


def _double_quoted(text: str) -> str:
    return '"' + "".join(_escaped(ch) for ch in text) + '"'


def _escaped(ch: str) -> str:
    if ch in '"\\':
        return "\\" + ch
    if ch.isprintable():
        return ch
    if ch == "\n":
        return "\\n"
    return f"\\x{ord(ch):02x}" if ord(ch) < 0x100 else f"\\u{ord(ch):04x}" if ord(ch) < 0x10000 else f"\\U{ord(ch):08x}"
