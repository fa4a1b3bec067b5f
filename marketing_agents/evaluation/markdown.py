"""An evaluation as a table for people: Dagster's metadata and the command line show the same figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketing_agents.evaluation.scoring import EvaluationResult, RuleScore

HEADINGS = ("rule", "planted", "recall", "visible", "recall of visible", "raised", "precision", "median delay", "false alarms, clean")


def percent(value: float | None) -> str:
    """A share as people read it; a dash where there is none."""
    return "–" if value is None else f"{value:.0%}"


def cells(score: RuleScore) -> tuple[str, ...]:
    """One row, in the order of `HEADINGS`."""
    delay = "–" if score.median_delay_days is None else f"{score.median_delay_days:g} d"
    return (
        score.rule_id,
        str(score.planted),
        percent(score.recall),
        str(score.visible),
        percent(score.visible_recall),
        str(score.raised),
        percent(score.precision),
        delay,
        str(score.false_alarms_on_clean),
    )


def overall(result: EvaluationResult) -> str:
    """The three figures that the project promises to state, in one sentence."""
    alarms = result.false_alarms_per_100_days
    return (
        f"recall of visible incidents {percent(result.visible_recall)} ({_by_rank(result)}), precision {percent(result.precision)}, "
        f"false alarms per 100 clean advertiser-days {'–' if alarms is None else f'{alarms:.1f}'} "
        f"({result.advertisers} advertisers, {result.advertiser_days} advertiser-days, {result.clean_advertiser_days} of them clean)"
    )


def _by_rank(result: EvaluationResult) -> str:
    shares = [percent(seen / visible if visible else None) for visible, seen in result.visible_by_rank]
    return "by size, the smallest of each kind first: " + ", ".join(shares)


def evaluation_markdown(result: EvaluationResult) -> str:
    """The whole table."""
    lines = [overall(result), "", "| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    lines += ["| " + " | ".join(cells(score)) + " |" for score in result.rules]
    return "\n".join(lines) + "\n"
