"""The domains: one folder each with `domain.yaml` (what it owns and may do) and `prompt.md` (how it is asked to write).

A new domain is a new folder. Nothing else in the project lists the domains by name; the asset graph, the classification and the agents
take them from `load_domains`.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from marketing_agents.decisions.actions import ACTIONS
from marketing_agents.domains.keyword_pattern import pattern_problem
from marketing_agents.domains.prompt import prompt_problem
from marketing_agents.rules.finding import Frozen

if TYPE_CHECKING:
    from marketing_agents.rules.classification import DomainProfile

NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,39}")
ThinkingLevel = Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"]


class DomainError(ValueError):
    """The domain folders cannot be used. One line per problem: file, field, what is wrong, what to do."""


class Keyword(Frozen):
    """A pattern whose hits in a rule's title and description speak for the domain. `weight` is the score of one hit."""

    weight: Annotated[float, Field(gt=0, le=10)]
    regex: str

    @field_validator("regex")
    @classmethod
    def _is_cheap(cls, value: str) -> str:
        if problem := pattern_problem(value):
            raise ValueError(f"{value[:60]!r} {problem}")
        return value


class DomainFile(Frozen):
    """What `domain.yaml` holds. `model: null` means the model of the settings."""

    title: str = Field(min_length=1, max_length=80)
    description: str = Field(min_length=1, max_length=500)
    categories: tuple[str, ...]
    keywords: tuple[Keyword, ...] = ()
    is_default: bool = False
    model: str | None = None
    max_output_tokens: int = Field(default=4096, ge=256, le=65_536)
    thinking_level: ThinkingLevel | None = None
    tools: tuple[str, ...] = ()
    allowed_actions: tuple[str, ...] = Field(min_length=1)

    @field_validator("allowed_actions")
    @classmethod
    def _actions_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for action in value:
            if action not in ACTIONS:
                near = difflib.get_close_matches(action, ACTIONS, n=1)
                hint = f"did you mean {near[0]}?" if near else "the closed set is in decisions/actions.py"
                raise ValueError(f"unknown action {action!r} ({hint})")
        if len(set(value)) != len(value):
            raise ValueError("an action is listed twice; list each once")
        return value

    @field_validator("tools")
    @classmethod
    def _no_tools_yet(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            raise ValueError(f"unknown tool {value[0]!r}; no tool is registered, use []")
        return value


class Domain(DomainFile):
    """One domain: its file, its name (the folder's) and its packaged prompt."""

    name: str
    prompt: str

    @property
    def prompt_name(self) -> str:
        return f"{self.name}_analysis_prompt"

    def profile(self) -> DomainProfile:
        """What classification needs to know about the domain."""
        from marketing_agents.rules.classification import DomainProfile, KeywordPattern

        patterns = tuple(KeywordPattern(weight=keyword.weight, regex=keyword.regex) for keyword in self.keywords)
        return DomainProfile(name=self.name, categories=self.categories, keywords=patterns, is_default=self.is_default)


def load_domains(directory: Path) -> tuple[Domain, ...]:
    """All domains of a folder, sorted by name. A sub-folder without `domain.yaml` is no domain and is passed over.

    Raises:
        DomainError: all problems at once, each with file, field and fix.
    """
    if not directory.is_dir():
        raise DomainError(
            f"{directory}: no such folder; set MARKETING_AGENTS_DOMAINS_DIR to the folder of the domain folders, or leave it unset"
        )
    domains: list[Domain] = []
    problems: list[str] = []
    for folder in sorted(path.parent for path in directory.glob("*/domain.yaml")):
        domain, found = _read(folder)
        problems.extend(found)
        if domain is not None:
            domains.append(domain)
    problems.extend(_problems_between(domains, directory, has_broken=bool(problems)))
    if problems:
        raise DomainError("\n".join(problems))
    return tuple(domains)


def _read(folder: Path) -> tuple[Domain | None, list[str]]:
    import yaml

    file = folder / "domain.yaml"
    problems: list[str] = []
    if not NAME_PATTERN.fullmatch(folder.name):
        problems.append(
            f"{folder}: folder name {folder.name[:60]!r} is no domain name; use lower-case letters, digits and _, at most 40 characters"
        )
    prompt, prompt_problems = _read_prompt(folder / "prompt.md")
    problems.extend(prompt_problems)
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return None, [*problems, f"{file}: not valid YAML: {' '.join(str(error).split())[:300]}"]
    if not isinstance(document, dict):
        return None, [*problems, f"{file}: expected a mapping with the fields title, description, categories, allowed_actions, ..."]
    fields = {key: value for key, value in document.items() if key not in ("name", "prompt")}
    problems.extend(f"{file}: {extra}: comes from the folder, remove it from the file" for extra in sorted(set(document) - set(fields)))
    try:
        domain = Domain.model_validate({**fields, "name": folder.name, "prompt": prompt})
    except ValidationError as error:
        return None, [
            *problems,
            *(f"{file}: {_field(e['loc'])}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors(include_url=False)),
        ]
    return (None if problems else domain), problems


def _read_prompt(path: Path) -> tuple[str, list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        reason = "missing; every domain folder needs one" if isinstance(error, FileNotFoundError) else "not UTF-8 text; save it as UTF-8"
        return "", [f"{path}: {reason}"]
    problem = prompt_problem(text)
    return text, [f"{path}: {problem}"] if problem else []


def _problems_between(domains: list[Domain], directory: Path, *, has_broken: bool) -> list[str]:
    problems: list[str] = []
    owners: dict[str, list[str]] = defaultdict(list)
    for domain in domains:
        for category in domain.categories:
            owners[category].append(domain.name)
    for category, names in owners.items():
        if len(names) > 1:
            problems.append(f"{directory}: categories: {category!r} is claimed by {' and '.join(names)}; leave it in one domain.yaml")
    defaults = [domain.name for domain in domains if domain.is_default]
    if len(defaults) > 1:
        problems.append(f"{directory}: is_default: {' and '.join(defaults)} are all the default; keep it in one domain.yaml")
    if not defaults and not has_broken:  # the default may be the broken one: its own problem is already listed
        problems.append(f"{directory}: is_default: no domain is the default; set `is_default: true` in exactly one domain.yaml")
    return problems


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "file"
