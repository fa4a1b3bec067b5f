"""`marketing-agents advertisers`: the arguments of the commands that show and edit the registry file."""

from __future__ import annotations

from typing import Annotated

import typer

advertisers_app = typer.Typer(no_args_is_help=True, help="The advertisers of the registry file; changes take effect without a restart.")

Id = Annotated[str, typer.Argument(metavar="ID", help="Slug: lower-case letters, digits and hyphens; it becomes the partition key.")]
KnownId = Annotated[str, typer.Argument(metavar="ID", help="Advertiser id, as in the registry.")]
Name = Annotated[str | None, typer.Option("--name", help="Name that people read.")]
TimeZone = Annotated[str | None, typer.Option("--time-zone", help="IANA zone, e.g. Europe/London: decides when a local day is over.")]
Currency = Annotated[str | None, typer.Option("--currency", help="Three letters; every figure is told in it. Default USD.")]
RunTime = Annotated[
    str | None, typer.Option("--run-time", help="Local time of the morning run, HH:MM, at noon at the latest. Default 06:00.")
]
TargetCpa = Annotated[str | None, typer.Option("--target-cpa", help="Target cost per conversion.")]
TargetRoas = Annotated[str | None, typer.Option("--target-roas", help="Target revenue per unit of spend.")]
GrossMargin = Annotated[str | None, typer.Option("--gross-margin", help="Share of revenue left after cost of goods, 0 to 1.")]
SettleLag = Annotated[
    int | None, typer.Option("--settle-lag-hours", help="Hours after the end of a day until figures are usable. Default 3.")
]
BrandToken = Annotated[list[str] | None, typer.Option("--brand-token", help="A word of the brand in search terms; repeat it for more.")]
RequiredTable = Annotated[
    list[str] | None, typer.Option("--required-table", help="An input table the morning run waits for; repeat it for more.")
]
PromptLabel = Annotated[str | None, typer.Option("--prompt-label", help="Langfuse label in place of the default one.")]
Paused = Annotated[bool | None, typer.Option("--paused/--not-paused", help="Hold in the registry; `pause` says who and why.")]


@advertisers_app.command("add")
def advertisers_add(
    advertiser: Id,
    name: Name = None,
    time_zone: TimeZone = None,
    currency: Currency = None,
    run_time: RunTime = None,
    gross_margin: GrossMargin = None,
    target_cpa: TargetCpa = None,
    target_roas: TargetRoas = None,
    brand_token: BrandToken = None,
    settle_lag_hours: SettleLag = None,
    required_table: RequiredTable = None,
    paused: Paused = None,
    prompt_label: PromptLabel = None,
) -> None:
    """Add an advertiser. --name and --time-zone are needed; the file is made when there is none."""
    from marketing_agents.cli.advertisers import run_add

    given = {
        "name": name,
        "time_zone": time_zone,
        "run_time_local": run_time,
        "base_currency": currency,
        "gross_margin": gross_margin,
        "target_cpa": target_cpa,
        "target_roas": target_roas,
        "brand_tokens": brand_token,
        "settle_lag_hours": settle_lag_hours,
        "required_tables": required_table,
        "paused": paused,
        "prompt_label": prompt_label,
    }
    raise typer.Exit(run_add(advertiser, given))


@advertisers_app.command("edit")
def advertisers_edit(
    advertiser: KnownId,
    name: Name = None,
    time_zone: TimeZone = None,
    currency: Currency = None,
    run_time: RunTime = None,
    gross_margin: GrossMargin = None,
    target_cpa: TargetCpa = None,
    target_roas: TargetRoas = None,
    brand_token: BrandToken = None,
    settle_lag_hours: SettleLag = None,
    required_table: RequiredTable = None,
    paused: Paused = None,
    prompt_label: PromptLabel = None,
    unset: Annotated[
        list[str] | None, typer.Option("--unset", metavar="FIELD", help="Take a field away, e.g. target-cpa; its default holds again.")
    ] = None,
) -> None:
    """Change fields of an advertiser; lists are replaced as a whole."""
    from marketing_agents.cli.advertisers import run_edit

    given = {
        "name": name,
        "time_zone": time_zone,
        "run_time_local": run_time,
        "base_currency": currency,
        "gross_margin": gross_margin,
        "target_cpa": target_cpa,
        "target_roas": target_roas,
        "brand_tokens": brand_token,
        "settle_lag_hours": settle_lag_hours,
        "required_tables": required_table,
        "paused": paused,
        "prompt_label": prompt_label,
    }
    raise typer.Exit(run_edit(advertiser, given, unset or []))


@advertisers_app.command("remove")
def advertisers_remove(advertiser: KnownId, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Take an advertiser out of the registry. Its data stays."""
    from marketing_agents.cli.advertisers import run_remove

    raise typer.Exit(run_remove(advertiser, is_sure=yes))


@advertisers_app.command("list")
def advertisers_list(as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False) -> None:
    """List the advertisers: zone, run time, whether they are held and by whom, history, last day done."""
    from marketing_agents.cli.advertisers import run_list

    raise typer.Exit(run_list(as_json=as_json))
