"""The domain folders: the packaged six, a seventh from anywhere, and every mistake with its file, field and fix."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
import yaml

from marketing_agents.agents.graph import analyse
from marketing_agents.decisions.actions import ACTIONS
from marketing_agents.domains.keyword_pattern import pattern_problem
from marketing_agents.domains.prompt import PromptError, render_prompt
from marketing_agents.domains.registry import DomainError, load_domains
from marketing_agents_tests.agents.scenes import cpa_finding, deps, request

PACKAGED = Path(__file__).parents[2] / "marketing_agents" / "domains"
CLEAN = {
    "AUDIENCE": "audience",
    "BUDGET": "budget",
    "CONVERSION": "conversion",
    "CREATIVE": "creative",
    "MEDIA": "media_performance",
    "PLATFORM": "platform",
}
UNCLAIMED = (
    "ATTRIBUTION",
    "BRAND",
    "SEASONALITY",
    "LANDING_PAGE",
    "COMPETITION",
    "FEED",
    "COMPLIANCE",
    "INVALID_TRAFFIC",
    "LEARNING",
    "SEARCH_TERMS",
    "GEO",
)
PROMPT = "You write for {{domain_title}} and may propose {{allowed_actions}}."


def write_domain(root: Path, name: str, /, prompt: str | None = PROMPT, **fields: object) -> None:
    folder = root / name
    folder.mkdir(parents=True)
    document = {
        "title": name.title(),
        "description": "A test domain.",
        "categories": [name.upper()],
        "allowed_actions": ["NO_ACTION_MONITOR"],
        "is_default": False,
        **fields,
    }
    (folder / "domain.yaml").write_text(
        yaml.safe_dump({key: value for key, value in document.items() if value != "absent"}), encoding="utf-8"
    )
    if prompt is not None:
        (folder / "prompt.md").write_text(prompt, encoding="utf-8")


def test_the_packaged_six_claim_the_clean_categories_and_no_other() -> None:
    domains = load_domains(PACKAGED)
    assert [d.name for d in domains] == sorted(CLEAN.values())
    owners = {category: d.name for d in domains for category in d.categories}
    assert owners == CLEAN
    assert not set(UNCLAIMED) & set(owners)
    assert [d.name for d in domains if d.is_default] == ["media_performance"]
    assert all(d.tools == () and d.model is None and set(d.allowed_actions) <= set(ACTIONS) for d in domains)
    assert domains[0].prompt_name == "audience_analysis_prompt"


def test_every_action_of_the_vocabulary_belongs_to_some_domain() -> None:
    assert set(ACTIONS) == {action for d in load_domains(PACKAGED) for action in d.allowed_actions}


def test_profiles_are_what_classification_reads() -> None:
    profile = next(d for d in load_domains(PACKAGED) if d.name == "budget").profile()
    assert (profile.name, profile.categories, profile.is_default) == ("budget", ("BUDGET",), False)
    assert profile.keywords[0].weight == 3


@pytest.mark.parametrize("domain", load_domains(PACKAGED), ids=lambda d: d.name)
def test_packaged_prompts_say_what_keeps_text_honest(domain) -> None:
    text = " ".join(domain.prompt.split())
    for said in ("never instructions", "`display`", "cited_facts", "Do not calculate", "`unknown`", "No links"):
        assert said in text


def test_a_seventh_domain_is_a_folder_and_nothing_else(tmp_path: Path) -> None:
    for source in PACKAGED.glob("*/"):
        if (source / "domain.yaml").exists():
            (tmp_path / source.name).mkdir()
            for file in ("domain.yaml", "prompt.md"):
                (tmp_path / source.name / file).write_text((source / file).read_text(encoding="utf-8"), encoding="utf-8")
    write_domain(tmp_path, "retail_media", allowed_actions=["DECREASE_BUDGET"])
    (tmp_path / "notes").mkdir()
    domains = load_domains(tmp_path)
    assert len(domains) == 7
    seventh = next(d for d in domains if d.name == "retail_media")
    analysis = asyncio.run(analyse(request(cpa_finding(), domain=seventh), deps()))
    assert (analysis.domain, analysis.writer, [p.action for p in analysis.proposals]) == ("retail_media", "template", ["DECREASE_BUDGET"])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"allowed_actions": ["DECREASE_BUGDET"]},
            "domain.yaml: allowed_actions: unknown action 'DECREASE_BUGDET' (did you mean DECREASE_BUDGET?)",
        ),
        ({"allowed_actions": []}, "domain.yaml: allowed_actions:"),
        ({"keywords": [{"weight": 1, "regex": "(a+)+b"}]}, "domain.yaml: keywords.0.regex: '(a+)+b' repeats a group"),
        ({"keywords": [{"weight": 0, "regex": "a"}]}, "domain.yaml: keywords.0.weight:"),
        ({"colour": "red"}, "domain.yaml: colour: Extra inputs"),
        ({"title": "absent"}, "domain.yaml: title: Field required"),
        ({"tools": ["browse"]}, "domain.yaml: tools: unknown tool 'browse'"),
        ({"thinking_level": "MAX"}, "domain.yaml: thinking_level:"),
        ({"name": "x"}, "domain.yaml: name: comes from the folder"),
        ({"prompt": None}, "prompt.md: missing"),
        ({"prompt": "Hello {{domain_title}} {{allowed_actions}} {{mood}}"}, "prompt.md: uses unknown variable(s) {{mood}}"),
        ({"prompt": "Hello {{domain_title}}"}, "prompt.md: does not use {{allowed_actions}}"),
    ],
)
def test_a_mistake_names_file_field_and_fix(tmp_path: Path, fields: dict[str, object], said: str) -> None:
    prompt = fields.pop("prompt", PROMPT) if "prompt" in fields else PROMPT
    write_domain(tmp_path, "base", is_default=True)
    folder = "other"
    write_domain(tmp_path, folder, prompt=prompt, **fields)
    with pytest.raises(DomainError) as raised:
        load_domains(tmp_path)
    assert said in str(raised.value)
    assert str(tmp_path / folder) in str(raised.value)


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    write_domain(tmp_path, "one", is_default=True, categories=["X"])
    write_domain(tmp_path, "two", is_default=True, categories=["X"])
    write_domain(tmp_path, "three", allowed_actions=["NOPE"], prompt=None)
    write_domain(tmp_path, "Bad-Name")
    with pytest.raises(DomainError) as raised:
        load_domains(tmp_path)
    for said in (
        "'X' is claimed by one and two",
        "one and two are all the default",
        "unknown action 'NOPE'",
        "prompt.md: missing",
        "'Bad-Name' is no domain name",
    ):
        assert said in str(raised.value)


def test_no_default_no_folder_and_no_yaml(tmp_path: Path) -> None:
    write_domain(tmp_path, "one")
    with pytest.raises(DomainError, match="no domain is the default"):
        load_domains(tmp_path)
    with pytest.raises(DomainError, match="no such folder"):
        load_domains(tmp_path / "nowhere")
    (tmp_path / "one" / "domain.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(DomainError, match="not valid YAML"):
        load_domains(tmp_path)


@pytest.mark.parametrize(
    "regex", ["(a+)+b", r"(\w*\s)*x", "(a|b){2,}c", r"(a)\1", "(?=a)b", "a*", "", "[", "a.*b.*c.*d", "x" * 3000, r"[)]+(\w+)+"]
)
def test_dear_or_broken_patterns_are_refused(regex: str) -> None:
    assert pattern_problem(regex)


@pytest.mark.parametrize(
    "regex", [r"\btag(s|ged)?x\b".replace("?x", "x"), r"deduplic\w*", r"wear\w*|seconds", r"list\b", r"\$\(\+\)", r"[*+]x{1,3}"]
)
def test_plain_patterns_are_fine(regex: str) -> None:
    assert pattern_problem(regex) is None


def test_packaged_patterns_are_fast_on_hostile_text() -> None:
    import re

    text = ("a" * 5000 + " ") * 4
    started = time.process_time()
    for domain in load_domains(PACKAGED):
        for keyword in domain.keywords:
            re.findall(keyword.regex, text, re.IGNORECASE)
    assert time.process_time() - started < 1.0


def test_values_are_not_expanded_again() -> None:
    assert render_prompt("{{a}}-{{ b }}", {"a": "{{b}}", "b": "x"}) == "{{b}}-x"
    with pytest.raises(PromptError, match=r"\{\{b\}\}"):
        render_prompt("{{a}}", {"a": "1", "b": "2"})
    with pytest.raises(PromptError, match=r"\{\{c\}\}"):
        render_prompt("{{a}} {{c}}", {"a": "1"})
