"""Text that people or platforms wrote, for tables on a terminal: never markup, never a control character."""

from __future__ import annotations

from rich.text import Text


def outside_text(text: str) -> Text:
    """The text as it is, with spaces for what cannot be printed (an escape sequence would reach the terminal)."""
    return Text("".join(ch if ch.isprintable() else " " for ch in text))
