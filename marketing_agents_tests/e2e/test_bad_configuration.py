"""Configuration that cannot be used, through the command line and through loading the definitions: named with file, place and fix."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import dagster as dg
import pytest

from marketing_agents.advertisers.registry import RegistryError
from marketing_agents.cli.app import main
from marketing_agents.definitions import build_definitions
from marketing_agents.domains.registry import DomainError
from marketing_agents.ingestion.source import SourceError
from marketing_agents.settings import PROJECT_DIR, Settings, SettingsError, load_settings
from marketing_agents_tests.e2e.pipeline import BUSY, Pipeline

GOOD = "{id: acme, name: Acme, time_zone: Europe/London}"


@pytest.fixture(autouse=True)
def own_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("MARKETING_AGENTS_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs `marketing-agents` in this process: (exit status, standard error)."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["marketing-agents", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        return ended.value.code, shown.err

    return run


def entry(advertiser_id):
    return f"{{id: {advertiser_id}, name: Acme, time_zone: Europe/London}}"


BAD_REGISTRIES = {
    "two-equal-ids": (f"[{GOOD}, {GOOD}]", ("'acme' is used 2 times", "unique")),
    "unknown-zone": (
        "[{id: acme, name: Acme, time_zone: Europe/Londn}]",
        ("'acme'", "time_zone", "Europe/Londn", "for example Europe/London"),
    ),
    "zone-as-path": ("[{id: acme, name: Acme, time_zone: ../../etc/passwd}]", ("time_zone", "unknown IANA time zone")),
    "pipe": (f"[{entry('a|b')}]", ("a|b", "not a slug", "lower-case letters")),
    "comma": (f"""[{entry("'a,b'")}]""", ("a,b", "not a slug")),
    "quotes": (f"""[{entry('"ab"')}, {entry("'a" + '"' + "b'")}]""", ("not a slug",)),
    "space": (f"[{entry('a b')}]", ("a b", "not a slug")),
    "300-characters": (f"[{entry('a' * 300)}]", ("not a slug", "63 characters")),
    "trailing-newline": ('[{id: "acme\\n", name: Acme, time_zone: Europe/London}]', ("not a slug",)),
    "dots": (f"[{entry('../acme')}]", ("../acme", "not a slug")),
    "unknown-field": ("[{id: acme, name: Acme, timezone: Europe/London}]", ("timezone", "time_zone")),
    "not-yaml": ("[{id: acme", ("not valid YAML",)),
    "no-list": ("acme", ("a list under 'advertisers'",)),
}


@pytest.mark.parametrize("case", BAD_REGISTRIES)
def test_a_bad_registry_names_file_and_fix(case, tmp_path, monkeypatch, command):
    listed, words = BAD_REGISTRIES[case]
    file = tmp_path / "brands.yaml"
    file.write_text(f"advertisers: {listed}\n", encoding="utf-8")
    monkeypatch.setenv("MARKETING_AGENTS_ADVERTISERS", str(file))
    status, told = command("report", "--advertiser", "acme", "--date", "2026-10-15")
    assert status == 2
    with pytest.raises(RegistryError) as raised:
        build_definitions(load_settings())
    for message in (told, str(raised.value)):
        assert [w for w in (str(file), *words) if w not in message] == [], message
        assert len(message) < 1000


def test_an_advertiser_that_is_not_in_the_registry_is_told_who_is(command):
    status, told = command("explain", "--advertiser", "'; DROP TABLE x; --", "--date", "2026-10-15", "--rule", "MEDIA-001")
    assert status == 2
    assert "harbour-thread" in told


def test_a_misspelt_setting_stops_every_command(monkeypatch, command):
    monkeypatch.setenv("MARKETING_AGENTS_WRITTER", "template")
    for arguments in (["demo"], ["rules", "check"], ["report", "--advertiser", "a", "--date", "2026-10-15"]):
        status, told = command(*arguments)
        assert status == 2
        assert "MARKETING_AGENTS_WRITTER: unknown setting (did you mean MARKETING_AGENTS_WRITER?)" in told


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MARKETING_AGENTS_DATADIR", "/tmp/x", "did you mean MARKETING_AGENTS_DATA_DIR?"),
        ("MARKETING_AGENTS_START_DATE", "yesterday", "MARKETING_AGENTS_START_DATE: "),
    ],
)
def test_a_bad_setting_stops_the_loading_of_definitions(name, value, words):
    done = subprocess.run(
        [sys.executable, "-c", "import marketing_agents.definitions"],
        env={**os.environ, name: value},
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "SettingsError" in last, done.stderr
    assert words in last


def test_the_value_of_a_wrong_secret_is_not_told(monkeypatch):
    monkeypatch.setenv("MARKETING_AGENTS_MODEL_TIMEOUT_S", "soon")
    monkeypatch.setenv("GEMINI_API_KEY", "AIzaNotToBeTold")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert "MARKETING_AGENTS_MODEL_TIMEOUT_S" in str(raised.value)
    assert "AIza" not in str(raised.value)


@pytest.fixture
def catalogue(tmp_path):
    folder = tmp_path / "catalogue"
    shutil.copytree(PROJECT_DIR / "marketing_agents/rules/catalogue", folder)
    return folder


BAD_RULES = {
    "unknown-column": (
        "cpa_idx: expected_conversions / max(conversions_w14m, 1)",
        "cpa_idx: expected_conversions / max(conversion_w14m, 1)",
        ("values", "conversion_w14m", "conversions_w14m"),
    ),
    "unknown-function": ('{p_value: "poisson_cdf(', '{p_value: "poison_cdf(', ("test", "poison_cdf", "poisson_cdf")),
    "python": ("cpa: spend_w14m / conversions_w14m", "cpa: \"__import__('os').system('true')\"", ("values",)),
}


@pytest.mark.parametrize("case", BAD_RULES)
def test_a_bad_rule_names_file_rule_field_and_the_nearest_name(case, catalogue, monkeypatch, command, tmp_path):
    good, bad, words = BAD_RULES[case]
    file = catalogue / "media.yaml"
    text = file.read_text(encoding="utf-8")
    assert good in text
    file.write_text(text.replace(good, bad, 1), encoding="utf-8")
    monkeypatch.setenv("MARKETING_AGENTS_CATALOGUE_DIR", str(catalogue))
    status, told = command("rules", "check")
    assert status == 1
    wanted = ("media.yaml", "MEDIA-001", *words)
    assert [w for w in wanted if w not in told] == [], told
    with dg.DagsterInstance.ephemeral() as instance:
        result = (
            build_definitions(load_settings())
            .resolve_job_def("rules_refresh")
            .execute_in_process(instance=instance, raise_on_error=False, asset_selection=[dg.AssetKey(["rules", "catalogue"])])
        )
        assert not result.success
        error = next(e for e in result.all_events if e.is_step_failure).step_failure_data.error
        message = (error.cause or error).message
    assert [w for w in wanted if w not in message] == [], message


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("domain.yaml", "title: [", ("creative/domain.yaml", "not valid YAML")),
        ("domain.yaml", "title: Creative\n", ("creative/domain.yaml", "categories", "required")),
        ("prompt.md", None, ("creative/prompt.md", "missing")),
    ],
    ids=["no-yaml", "fields-missing", "no-prompt"],
)
def test_a_broken_domain_folder_names_the_file(name, content, words, tmp_path, monkeypatch, command):
    folder = tmp_path / "domains"
    shutil.copytree(PROJECT_DIR / "marketing_agents/domains", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    broken = folder / "creative" / name
    if content is None:
        broken.unlink()
    else:
        broken.write_text(content, encoding="utf-8")
    monkeypatch.setenv("MARKETING_AGENTS_DOMAINS_DIR", str(folder))
    status, told = command("rules", "list")
    assert status == 2
    with pytest.raises(DomainError) as raised:
        build_definitions(load_settings())
    for message in (told, str(raised.value)):
        assert [w for w in words if w.lower() not in message.lower()] == [], message


def test_a_missing_source_folder_fails_the_run_with_the_setting_to_change(tmp_path):
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(Settings(data_dir=tmp_path / "data", source_dir=tmp_path / "nowhere", writer="template"), instance, None)
        [result] = pipeline.run([BUSY])
        assert not result.success
        failures = [e for e in result.all_events if e.is_step_failure]
        assert [e.step_key for e in failures] == ["ingest"]
        error = failures[0].step_failure_data.error
        cause = error.cause or error
        assert SourceError.__name__ in (cause.cls_name or "")
        for word in (str(tmp_path / "nowhere"), "does not exist", "MARKETING_AGENTS_SOURCE_DIR"):
            assert word in cause.message
    assert not list((tmp_path / "data").rglob("*.parquet"))
