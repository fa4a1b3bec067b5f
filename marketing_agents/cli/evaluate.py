"""`marketing-agents evaluate`: plant incidents in seeded agencies, run the rules, and say what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from marketing_agents.assets.catalogue import read_catalogue
from marketing_agents.cli.errors import UsageError
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.settings import Settings, load_settings

if TYPE_CHECKING:
    from marketing_agents.evaluation.measure import Measurement
    from marketing_agents.evaluation.scoring import EvaluationResult

_LISTED = 15


def run_evaluate(measurement: Measurement, *, as_json: bool) -> int:
    """Measure, print, and keep `evaluation.json` and `recall_by_size.png` in the data folder."""
    settings = load_settings()
    console = Console(stderr=as_json)
    result = _measure(settings, measurement, console)
    folder = settings.data_dir / "evaluation"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    from marketing_agents.evaluation.chart import draw_recall

    chart = draw_recall(result)
    if chart is not None:
        (folder / "recall_by_size.png").write_bytes(chart)
    if as_json:
        print(result.model_dump_json(indent=2))
    else:
        _print(console, result)
        console.print(f"kept in {folder}: evaluation.json" + (" and recall_by_size.png" if chart else ""))
    return 0


def _measure(settings: Settings, measurement: Measurement, console: Console) -> EvaluationResult:
    from marketing_agents.assets.evaluation import feature_builder
    from marketing_agents.evaluation.measure import NothingToMeasureError, advertisers_of, measure
    from marketing_agents.warehouse.marts import load_marts

    catalogue = read_catalogue(settings.model_copy(update={"overrides": None}))  # the rules are measured, not who wants less of them
    try:
        advertisers, left_out = advertisers_of(measurement, frozenset(rule.id for rule in catalogue.rules))
    except NothingToMeasureError as error:
        raise UsageError(str(error)) from error
    for kind in left_out:
        console.print(f"[yellow]{kind}: no business of the sample agency suits it, so it is not planted")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("drawing", total=len(advertisers))

        def told(what: str) -> None:
            if what == "features":
                progress.update(task, description="building features")
            elif what == "rules":
                progress.update(task, description="evaluating rules")
            else:
                progress.update(task, description=what, advance=1)

        return measure(measurement, advertisers, catalogue, load_marts(dbt_project_dir()), feature_builder(settings), told)


def _print(console: Console, result: EvaluationResult) -> None:
    from marketing_agents.evaluation.markdown import HEADINGS, cells, overall

    table = Table(Column(HEADINGS[0], no_wrap=True), *HEADINGS[1:])
    for score in result.rules:
        table.add_row(*cells(score))
    console.print(table)
    console.print(overall(result))
    for title, sentences in (("visible and not seen", result.missed), ("raised without a cause", result.false_alarms)):
        if sentences:
            console.print(f"[bold]{title}")
            for sentence in sentences[:_LISTED]:
                console.print(f"  {sentence}", markup=False, highlight=False)
            if len(sentences) > _LISTED:
                console.print(f"  and {len(sentences) - _LISTED} more, in evaluation.json")
