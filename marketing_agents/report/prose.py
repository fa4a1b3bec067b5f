"""The little Markdown that texts use (paragraphs, lists, bold, escapes), made safe for where it is shown.

Texts quote names that strangers typed and may come from a model. Here nothing in them can become a link, an image, HTML or a table cell:
what is not paragraph, list or bold is text.
"""

from __future__ import annotations

import re
from html import escape

from marketing_agents.agents.outside_text import clean, escape_markdown

# Readers such as Dagster's page turn bare addresses into links after parsing, so an escape does not stop them; this character does, and is not seen.
_WORD_JOINER = "\u2060"
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ITEM = re.compile(r"^(?:[-*]|(\d{1,3})\.) +(.*)$")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
# Escaped characters are put aside here while structure is looked for: code points that `clean` never leaves in a text.
_ASIDE = 0xE000


def markdown_name(text: str, limit: int = 80) -> str:
    """Outside text as one run of Markdown text: cleaned, shortened, inert in paragraphs and table cells."""
    return inert_addresses_and_tags(escape_markdown(clean(text, limit=limit)))


def markdown_text(text: str, limit: int = 160) -> str:
    """Our own words with figures in them (reasons, actions) as one run of Markdown text: inert, and no figure masked."""
    line = " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())
    return inert_addresses_and_tags(escape_markdown(line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"))


def inert_addresses_and_tags(markdown: str) -> str:
    """Markdown in which bare addresses stay text, and escaped angle brackets are entities (a reader that knows no escapes shows no tag)."""
    plain = markdown.replace("\\<", "&lt;").replace("\\>", "&gt;")
    plain = re.sub(r"\\?:(?=\\?/\\?/)", f":{_WORD_JOINER}", plain)
    return re.sub(r"\b(www)\\?\.", rf"\1{_WORD_JOINER}.", plain, flags=re.IGNORECASE)


def safe_markdown(text: str, limit: int = 4000) -> str:
    """A text as Markdown in which only paragraphs, lists and bold are left. Cut at a line end when it is too long."""
    lines = [_inert_line(line) for line in _cut(text, limit).splitlines()]
    return "\n".join(lines).strip()


def safe_line(text: str, limit: int = 300) -> str:
    """A headline as one line of Markdown without any structure but its escapes; fit for a table cell."""
    return _inert_line(" ".join(_cut(text, limit).split())).replace("**", "")


def prose_html(text: str, limit: int = 8000) -> str:
    """A text as HTML: `<p>`, `<ul>`, `<ol>`, `<strong>`, everything else escaped."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", _put_aside(_cut(text, limit))):
        blocks += _block_html([line.strip() for line in block.splitlines() if line.strip()])
    return "".join(blocks)


def line_html(text: str, limit: int = 300) -> str:
    """A headline as HTML text, without structure."""
    return _inline_html(_put_aside(" ".join(_cut(text, limit).split()))).replace("<strong>", "").replace("</strong>", "")


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    kept = text[:limit]
    place = max(kept.rfind("\n"), kept.rfind(" "))
    return (kept[:place] if place > limit // 2 else kept).rstrip().rstrip("\\") + " …"


def _inert_line(line: str) -> str:
    """Escape what would be a link, image, HTML, code, table cell or heading; escapes that are there stay."""
    parts: list[str] = []
    position = 0
    for found in _ESCAPED.finditer(line):
        parts += [_inert(line[position : found.start()]), found.group(0)]
        position = found.end()
    parts.append(_inert(line[position:]))
    made = inert_addresses_and_tags("".join(parts))
    return re.sub(r"^(\s*)([#>=+]|-{2,})", r"\1\\\2", made)


def _inert(text: str) -> str:
    return re.sub(r"([\\`\[\]<>|~&_])", r"\\\1", text)


def _put_aside(text: str) -> str:
    without = "".join(ch for ch in text if not _ASIDE <= ord(ch) < _ASIDE + 128)
    return _ESCAPED.sub(lambda found: chr(_ASIDE + ord(found.group(1))), without)


def _block_html(lines: list[str]) -> list[str]:
    html: list[str] = []
    paragraph: list[str] = []
    items: list[str] = []
    tag = ""

    def close() -> None:
        if paragraph:
            html.append(f"<p>{' '.join(paragraph)}</p>")
            paragraph.clear()
        if items:
            html.append(f"<{tag}>{''.join(items)}</{tag}>")
            items.clear()

    for line in lines:
        found = _ITEM.match(line)
        wanted = "" if found is None else "ol" if found.group(1) else "ul"
        if found is None or wanted != tag or paragraph:
            close()
        if found is None:
            paragraph.append(_inline_html(line))
        else:
            tag = wanted
            items.append(f"<li>{_inline_html(found.group(2))}</li>")
    close()
    return html


def _inline_html(text: str) -> str:
    bold = _BOLD.sub(r"<strong>\1</strong>", escape(text))
    return "".join(escape(chr(ord(ch) - _ASIDE)) if _ASIDE <= ord(ch) < _ASIDE + 128 else ch for ch in bold)
