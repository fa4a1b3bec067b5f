"""`marketing-agents rules`: the arguments of the commands about the rule catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

rules_app = typer.Typer(no_args_is_help=True, help="The rule catalogue.")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@rules_app.command("check")
def rules_check() -> None:
    """Validate every rule file and override; every problem is listed with file, rule or entry, field and fix."""
    from marketing_agents.cli.rules import check

    raise typer.Exit(check())


@rules_app.command("list")
def rules_list(as_json: JsonOption = False) -> None:
    """List the rules with category, domain and what they need."""
    from marketing_agents.cli.rules import list_rules

    raise typer.Exit(list_rules(as_json=as_json))


@rules_app.command("coverage")
def rules_coverage(
    advertiser: Annotated[str, typer.Option("--advertiser", help="Advertiser id, as in the registry.")],
    as_json: JsonOption = False,
) -> None:
    """Say which rules the advertiser's data lets speak in full, reduced or not at all, and what is missing for the others."""
    from marketing_agents.cli.rules_coverage import run_coverage

    raise typer.Exit(run_coverage(advertiser, as_json=as_json))


@rules_app.command("diff")
def rules_diff(
    against: Annotated[str, typer.Option("--against", help="A commit (HEAD~1, a branch), or a folder of rule files.")],
    days: Annotated[int, typer.Option("--days", min=1, max=1000, help="Last stored days to compare.")] = 90,
    advertiser: Annotated[list[str] | None, typer.Option("--advertiser", help="Advertiser id; repeat it for more. Default: all.")] = None,
    examples: Annotated[int, typer.Option("--examples", min=0, max=1000, help="Examples per rule, advertiser and kind of change.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Say what a change of rules changes: findings that appear, vanish, or change severity or length, on stored features."""
    from marketing_agents.cli.rules_diff import run_diff

    raise typer.Exit(run_diff(against, days, advertiser or [], examples_shown=examples, as_json=as_json))


@rules_app.command("overrides")
def rules_overrides(
    date: Annotated[str | None, typer.Option("--date", help="Local day, YYYY-MM-DD: says which entries hold on it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List who changed which limits for whom and until when; with a day, status 1 when an entry has expired before it."""
    from marketing_agents.cli.rules import list_overrides

    raise typer.Exit(list_overrides(date, as_json=as_json))
