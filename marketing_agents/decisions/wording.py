"""An action with its parameters in words, and amounts as people read them. One place, so that page, table and console say the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from marketing_agents.agents.outside_text import clean
from marketing_agents.decisions.actions import ACTIONS
from marketing_agents.rules.display import display_value
from marketing_agents.rules.finding import Unit


def format_money(amount: float | None, currency: str | None) -> str:
    """`USD 1,240`, as facts are displayed; `unknown` when there is no amount."""
    return display_value(amount if amount is not None and math.isfinite(amount) else None, Unit.MONEY, currency)


def format_number(value: float) -> str:
    """At most one decimal, none when whole: 12,345; 17.5."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def describe_action(action: str, parameters: Mapping[str, float | str], currency: str | None) -> str:
    """What to do, in words: 'Lower the budget by 20%'. Values may hold outside text: escape the result for where it goes.

    An action outside the vocabulary, or a parameter that is missing, is shown as it is: this never raises.
    """
    spec = ACTIONS.get(action)
    if spec is None:
        return f"Unknown action {action[:60]}"
    describe = _DESCRIBERS.get(action)
    return describe(spec.verb, parameters, currency) if describe else spec.verb


def _number(value: float | str | None) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _budget_step(verb: str, parameters: Mapping[str, float | str], _: str | None) -> str:
    step = _number(parameters.get("step_pct"))
    return f"{verb} by {format_number(abs(step))}%" if step is not None else verb


def _bid_step(verb: str, parameters: Mapping[str, float | str], _: str | None) -> str:
    step = _number(parameters.get("step_pct"))
    if step is None:
        return verb
    # A positive step is a size, not a direction: playbooks that mean "lower" say so with a minus.
    return f"{'Lower' if step < 0 else 'Adjust'} the bid target by {format_number(abs(step))}%"


def _shift(verb: str, parameters: Mapping[str, float | str], currency: str | None) -> str:
    amount = _number(parameters.get("amount_per_day"))
    receiver = clean(str(parameters.get("receiver_campaign_name") or parameters.get("receiver_campaign_id") or ""))
    what = f"Move {format_money(amount, currency)} a day" if amount is not None else verb
    return f"{what} to campaign {receiver}" if receiver else what


def _reload(verb: str, parameters: Mapping[str, float | str], _: str | None) -> str:
    table, days = parameters.get("table"), parameters.get("days")
    text = f"{verb}: {str(table)[:60]}" if table else verb
    if isinstance(days, (int, float)):
        return f"{text}, last {_days(days)}"
    return f"{text}, {days[:80]}" if days else text


def _freeze(verb: str, parameters: Mapping[str, float | str], _: str | None) -> str:
    days = _number(parameters.get("days"))
    return f"{verb} for {_days(days)}" if days is not None else verb


def _exclude_audience(verb: str, parameters: Mapping[str, float | str], _: str | None) -> str:
    audience = parameters.get("audience")
    return f"Exclude the audience '{clean(str(audience))}'" if audience else verb


def _days(days: float) -> str:
    return f"{format_number(days)} {'day' if days == 1 else 'days'}"


_DESCRIBERS: dict[str, Callable[[str, Mapping[str, float | str], str | None], str]] = {
    "DECREASE_BUDGET": _budget_step,
    "INCREASE_BUDGET": _budget_step,
    "ADJUST_BID_TARGET": _bid_step,
    "SHIFT_BUDGET": _shift,
    "RERUN_INGEST": _reload,
    "FREEZE_CHANGES": _freeze,
    "EXCLUDE_AUDIENCE": _exclude_audience,
}
