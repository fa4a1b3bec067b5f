"""A recommendation in words, for every place that shows one: page, digest, Markdown tables, console. Plain text: escape it for where it goes."""

from __future__ import annotations

from marketing_agents.agents.analysis import Writer
from marketing_agents.agents.outside_text import unescape_markdown
from marketing_agents.decisions.recommendation import OtherAction, Recommendation, RecommendationStatus
from marketing_agents.decisions.wording import describe_action, format_money

WRITERS: dict[Writer, str] = {
    "model": "written by the model, figures checked",
    "model_repaired": "written by the model, corrected once, figures checked",
    "template": "written from templates",
    "template_after_error": "written from templates, because the model's text could not be used",
    "quiet": "nothing to report",
}
STATUSES: dict[RecommendationStatus, str] = {
    "proposed": "to do",
    "needs_approval": "needs approval",
    "blocked": "blocked",
    "held": "on hold",
    "suppressed": "set aside",
}


def action_in_words(recommendation: Recommendation) -> str:
    """'Lower the budget by 20%'."""
    return describe_action(recommendation.action, recommendation.parameters, recommendation.currency_code)


def money_in_words(recommendation: Recommendation) -> str:
    """What is at stake in 7 days: 'GBP 1,240', or 'unknown'."""
    return format_money(recommendation.money_at_stake, recommendation.currency_code)


def headline_in_words(recommendation: Recommendation) -> str:
    """The headline as plain text: it is written as Markdown, where names are escaped."""
    return " ".join(unescape_markdown(recommendation.headline).replace("**", "").split())


def other_in_words(other: OtherAction, currency: str) -> str:
    """'instead: Lower the budget by 20%', with the status and its reason where it does not stand."""
    words = f"{other.relation}: {describe_action(other.action, other.parameters, currency)}"
    return words if other.status in ("proposed", "needs_approval") else f"{words} ({STATUSES[other.status]}: {other.reason})"


def writer_in_words(recommendation: Recommendation) -> str:
    """Who wrote the text, with model and prompt version where a model did."""
    words = next((text for writer, text in WRITERS.items() if writer == recommendation.writer), recommendation.writer)
    return f"{words} ({recommendation.model}, prompt {recommendation.prompt_version})" if recommendation.model else words
