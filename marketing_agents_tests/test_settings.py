"""Settings: typos are errors, secrets stay secret, the README's table is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketing_agents.settings import SettingsError, known_variables, load_settings

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variable", "suggestion"),
    [
        ("MARKETING_AGENTS_DATADIR", "MARKETING_AGENTS_DATA_DIR"),
        ("MARKETING_AGENTS_WRITTER", "MARKETING_AGENTS_WRITER"),
        ("MARKETING_AGENTS_ADVERTISER", "MARKETING_AGENTS_ADVERTISERS"),
    ],
)
def test_a_misspelt_variable_of_ours_is_an_error_that_suggests_the_right_one(monkeypatch, variable, suggestion):
    monkeypatch.setenv(variable, "x")
    with pytest.raises(SettingsError, match=f"{variable}: unknown setting .did you mean {suggestion}"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MARKETING_AGENTS_WRITER", "gpt"),
        ("MARKETING_AGENTS_BACKFILL_CHUNK_SIZE", "0"),
        ("MARKETING_AGENTS_START_DATE", "yesterday"),
        ("MARKETING_AGENTS_MODEL_TIMEOUT_S", "-1"),
        ("GOOGLE_GENAI_USE_VERTEXAI", "perhaps"),
    ],
)
def test_an_invalid_value_names_its_variable(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        load_settings()


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "AIzaSecretSecret")
    monkeypatch.setenv("MARKETING_AGENTS_STATE_URL", "postgresql://u:hunter2@h/d")
    settings = load_settings()
    assert "AIzaSecretSecret" not in repr(settings) + settings.model_dump_json()
    assert "hunter2" not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("environment", "has_model"),
    [
        ({}, False),
        ({"GEMINI_API_KEY": "k"}, True),
        ({"GOOGLE_API_KEY": "k"}, True),
        ({"GEMINI_API_KEY": "  "}, False),
        ({"GEMINI_API_KEY": "k", "MARKETING_AGENTS_WRITER": "template"}, False),
        ({"GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_CLOUD_PROJECT": "p"}, True),
        ({"GOOGLE_CLOUD_PROJECT": "p"}, False),
    ],
)
def test_auto_means_the_model_when_it_is_configured(monkeypatch, environment, has_model):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings().has_model is has_model


def test_an_empty_variable_is_no_setting_and_paths_are_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARKETING_AGENTS_ADVERTISERS", "")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "")
    monkeypatch.setenv("MARKETING_AGENTS_DATA_DIR", "mine")
    settings = load_settings()
    assert settings.advertisers is None
    assert settings.data_dir == tmp_path / "mine"


def test_the_readme_lists_every_variable_and_no_other():
    shown = set(re.findall(r"^\| `([A-Z_]+)` \|", README.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert shown == set(known_variables())
