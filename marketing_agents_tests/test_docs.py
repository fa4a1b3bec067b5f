"""Documents that are written from code are current."""

from __future__ import annotations

from pathlib import Path

from marketing_agents.warehouse.table_docs import tables_markdown

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_of_tables_is_current():
    assert (DOCS / "tables.md").read_text(encoding="utf-8") == tables_markdown()
