"""Variables of a domain's prompt: `{{name}}`, checked both ways.

A missing value must never reach a model as `{{name}}`, and a value that no prompt uses is a sign of a renamed variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PROMPT_VARIABLES: frozenset[str] = frozenset({"domain_title", "allowed_actions"})
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


class PromptError(ValueError):
    """A prompt's variables are not the ones there are values for. The message names them."""


def variables_in(text: str) -> frozenset[str]:
    return frozenset(_VARIABLE.findall(text))


def prompt_problem(text: str, known: frozenset[str] = PROMPT_VARIABLES) -> str | None:
    """What is wrong with a prompt's text, or None."""
    if not text.strip():
        return "is empty"
    used = variables_in(text)
    if unknown := sorted(used - known):
        return f"uses unknown variable(s) {_braced(unknown)}; known are {_braced(sorted(known))}"
    if missing := sorted(known - used):
        return f"does not use {_braced(missing)}; every prompt must say what the agent may propose and for which domain it writes"
    return None


def render_prompt(text: str, values: Mapping[str, str]) -> str:
    """The prompt with its variables replaced, in one pass: `{{x}}` inside a value stays as it is.

    Raises:
        PromptError: the prompt's variables and `values` are not the same set.
    """
    if problem := prompt_problem(text, frozenset(values)):
        raise PromptError(f"the prompt {problem}")
    return _VARIABLE.sub(lambda match: values[match.group(1)], text)


def _braced(names: list[str]) -> str:
    return ", ".join("{{" + name + "}}" for name in names)
