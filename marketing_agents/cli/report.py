"""`marketing-agents report`: the digest of a day in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown

from marketing_agents.cli.arguments import local_day
from marketing_agents.cli.errors import UsageError
from marketing_agents.settings import load_settings


def run_report(advertiser: str, day: str) -> int:
    """Print the digest and the path of the page.

    Raises:
        UsageError: the day was not materialized.
    """
    settings = load_settings()
    asked = local_day(settings, advertiser, day)
    folder = settings.data_dir / "reports" / advertiser
    digest = folder / f"{asked.day.isoformat()}.md"
    if not digest.exists():
        raise UsageError(f"no report of {asked.key}; materialize `daily_report` for that partition first")
    console = Console()
    console.print(Markdown(digest.read_text(encoding="utf-8")))
    # A path to copy: one line, whatever the width, and brackets in it are no markup.
    console.print(f"page: {folder / f'{asked.day.isoformat()}.html'}", style="dim", markup=False, soft_wrap=True)
    return 0
