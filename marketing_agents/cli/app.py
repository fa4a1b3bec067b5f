"""`marketing-agents`: the commands, and how errors of configuration reach a person (one message, no traceback)."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from marketing_agents.cli.advertisers_app import advertisers_app
from marketing_agents.cli.rules_app import rules_app

app = typer.Typer(
    name="marketing-agents",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Daily marketing recommendations per advertiser.",
)
app.add_typer(rules_app, name="rules")
app.add_typer(advertisers_app, name="advertisers")

AdvertiserOption = Annotated[str, typer.Option("--advertiser", help="Advertiser id, as in the registry.")]
DateOption = Annotated[str, typer.Option("--date", help="The advertiser's local day, YYYY-MM-DD.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@app.command()
def demo(
    as_json: JsonOption = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw the sample agency and its results away first.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Compute again even if nothing changed.")] = False,
) -> None:
    """Generate a small agency, materialize yesterday for all its advertisers, and print what to do."""
    from marketing_agents.cli.demo import run_demo

    raise typer.Exit(run_demo(as_json=as_json, is_fresh=fresh, is_forced=again))


@app.command()
def dev(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
) -> None:
    """Open the Dagster UI with everything set: sample data if no other source is, partitions, schedules, sensor."""
    from marketing_agents.cli.dev import run_dev

    raise typer.Exit(run_dev(host, port))


@app.command()
def backfill(
    advertisers: Annotated[str, typer.Option("--advertisers", help="Ids separated by commas, or `all`.")],
    first: Annotated[str, typer.Option("--from", help="First local day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last local day, YYYY-MM-DD; days that are not over are left out.")],
    missing_only: Annotated[bool, typer.Option("--missing-only", help="Leave out partitions that are ok or degraded already.")] = False,
    frozen: Annotated[bool, typer.Option("--frozen", help="Use stored data versions only: the answer that was given then.")] = False,
    chunk: Annotated[int | None, typer.Option("--chunk", help="Partitions per run, at most the chunk size of the settings.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Start without asking.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Hand it over and return; also while no daemon runs.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compute a range of days, by Dagster's own backfills: estimate first, then progress. Needs the daemon (make dev)."""
    from marketing_agents.cli.backfill import BackfillOptions, run_backfill

    options = BackfillOptions(advertisers, first, last, missing_only, frozen, chunk, yes, not no_wait, as_json)
    raise typer.Exit(run_backfill(options))


@app.command()
def explain(
    advertiser: AdvertiserOption,
    date: DateOption,
    rule: Annotated[str, typer.Option("--rule", help="Rule id, e.g. MEDIA-001.")],
    as_json: JsonOption = False,
) -> None:
    """Say why a rule fired or did not: every gate, every value."""
    from marketing_agents.cli.explain import run_explain

    raise typer.Exit(run_explain(advertiser, date, rule, as_json=as_json))


@app.command()
def report(advertiser: AdvertiserOption, date: DateOption) -> None:
    """Print the digest of a day that was materialized, and where its page is."""
    from marketing_agents.cli.report import run_report

    raise typer.Exit(run_report(advertiser, date))


@app.command()
def pause(
    advertiser: Annotated[str | None, typer.Option("--advertiser", help="Advertiser id, as in the registry.")] = None,
    why: Annotated[str | None, typer.Option("--why", help="One sentence; ticks, run pages and reports show it.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who pauses; default: the user of this machine.")] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", help="End: 2026-11-30T08:00, 2026-11-30, 3d or 12h; in the advertiser's own zone unless one is given."),
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="Show every pause and resume instead.")] = False,
) -> None:
    """Hold an advertiser: schedules pass it over, and a run that works on it stops at its next step."""
    from marketing_agents.cli.pause import run_history, run_pause

    raise typer.Exit(run_history(advertiser) if history else run_pause(advertiser, why, by=by, until=until))


@app.command()
def resume(
    advertiser: AdvertiserOption,
    why: Annotated[str, typer.Option("--why", help="One sentence for the history.")],
    by: Annotated[str | None, typer.Option("--by", help="Who resumes; default: the user of this machine.")] = None,
) -> None:
    """Let a paused advertiser go again."""
    from marketing_agents.cli.pause import run_resume

    raise typer.Exit(run_resume(advertiser, why, by=by))


@app.command()
def status(
    advertiser: Annotated[str | None, typer.Option("--advertiser", help="One advertiser: its last 14 days, pauses and onboarding.")] = None,
    date: Annotated[str | None, typer.Option("--date", help="One local day, YYYY-MM-DD: how far everybody came.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say who is behind, since when and why; status 1 when somebody is."""
    from marketing_agents.cli.status import run_status

    raise typer.Exit(run_status(advertiser, date, as_json=as_json))


@app.command()
def sql(query: Annotated[str | None, typer.Argument(help="One query; without it, a shell.")] = None) -> None:
    """Query all tables (raw, marts, results) with DuckDB."""
    from marketing_agents.cli.sql import run_sql

    raise typer.Exit(run_sql(query))


@app.command()
def evaluate(
    rules: Annotated[str, typer.Option("--rules", help="Plant only for these rules (ids or kinds of incidents, comma-separated).")] = "",
    planted: Annotated[int, typer.Option("--planted", min=0, help="Seeds under which every kind is planted in every size.")] = 1,
    clean: Annotated[int, typer.Option("--clean", min=0, help="Seeds of clean agencies (six advertisers each).")] = 2,
    first_seed: Annotated[int, typer.Option("--first-seed", min=1, help="Thresholds were tuned on seeds below 100.")] = 101,
    days: Annotated[int, typer.Option("--days", min=1, max=30, help="Days told per advertiser.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Measure the rules: recall, precision, delay and false alarms on seeded agencies with planted incidents and on clean ones."""
    from marketing_agents.cli.evaluate import run_evaluate
    from marketing_agents.evaluation.measure import Measurement

    only = frozenset(part.strip() for part in rules.split(",") if part.strip()) or None
    raise typer.Exit(run_evaluate(Measurement(only, planted, clean, first_seed, days), as_json=as_json))


def main() -> None:
    """Run the command line. Errors of configuration and input end with one message and status 2."""
    from dotenv import load_dotenv

    from marketing_agents.settings import PROJECT_DIR

    load_dotenv(PROJECT_DIR / ".env")  # what `dg dev` does for the UI; the environment wins
    from marketing_agents.cli.errors import KNOWN_ERRORS

    try:
        app()
    except KNOWN_ERRORS as error:
        print(f"marketing-agents: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("marketing-agents: stopped", file=sys.stderr)
        sys.exit(130)
