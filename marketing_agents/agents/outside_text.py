"""Text that strangers typed (names of campaigns, ads, lists, plans): made short, single-line and free of personal data before anybody sees it.

The cleaned form is the only form that text and prompts contain; ids and the stored entity keep the original.
"""

from __future__ import annotations

import re
import unicodedata

from marketing_agents.llm.masking import mask_personal_data

MAX_NAME_CHARS = 80
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&#])")


def clean(text: str, *, limit: int = MAX_NAME_CHARS) -> str:
    """One line of visible characters, personal data masked, at most `limit` characters (the last one is then an ellipsis).

    Control, zero-width and direction-changing characters go: they can hide text from a reader or turn it around.
    """
    visible = "".join(
        " " if ch.isspace() else ch for ch in text if ch.isspace() or unicodedata.category(ch) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    line = " ".join(mask_personal_data(visible).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is: no emphasis, link, image, HTML or automatic link comes out of it."""
    escaped = _MARKDOWN.sub(r"\\\1", text)
    escaped = escaped.replace("://", "\\://")
    return re.sub(r"\b(www)\.", r"\1\\.", escaped, flags=re.IGNORECASE)


def unescape_markdown(text: str) -> str:
    """Undo `escape_markdown`."""
    return re.sub(r"\\([\\`*_\[\]<>|~&#:.])", r"\1", text)
