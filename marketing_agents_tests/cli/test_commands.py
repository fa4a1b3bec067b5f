"""The commands as a person meets them: answers, messages, exit codes; a mistake is one message and never a traceback."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from marketing_agents.cli.app import main
from marketing_agents.days import LocalDay
from marketing_agents.sample.agency import write_agency
from marketing_agents.settings import PROJECT_DIR, Settings
from marketing_agents_tests.e2e.pipeline import ANCHOR, Pipeline
from marketing_agents_tests.e2e.small_agency import small_spec

ADVERTISER = "harbour-thread"
DAY = ANCHOR.isoformat()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """One advertiser's day, materialized; the commands read its folder."""
    folder = tmp_path_factory.mktemp("cli")
    truth = write_agency(folder / "sample", small_spec(ADVERTISER))
    settings = Settings(data_dir=folder, advertisers=folder / "sample" / "advertisers.yaml", writer="template", charts="never")
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(settings, instance, truth)
        [result] = pipeline.run([LocalDay(ADVERTISER, ANCHOR)])
    assert result.success
    return pipeline


@pytest.fixture
def command(stored, monkeypatch, capsys):
    """Runs `marketing-agents <arguments>` in this process; (exit code, standard output, standard error)."""
    monkeypatch.setenv("MARKETING_AGENTS_DATA_DIR", str(stored.settings.data_dir))
    monkeypatch.setenv("MARKETING_AGENTS_ADVERTISERS", str(stored.settings.advertisers))
    monkeypatch.setenv("MARKETING_AGENTS_WRITER", "template")
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["marketing-agents", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return int(ended.value.code or 0), shown.out, shown.err

    return run


def explain_arguments(rule: str, *, advertiser: str = ADVERTISER, day: str = DAY) -> list[str]:
    return ["explain", "--advertiser", advertiser, "--date", day, "--rule", rule]


def test_explain_shows_every_gate_and_value_of_a_rule_that_fired(command, stored):
    [incident] = [i for i in stored.truth.incidents if "CREATIVE-004" in i.rule_ids]
    code, out, err = command(*explain_arguments("CREATIVE-004"))
    assert (code, err) == (0, "")
    assert "fired" in out
    assert incident.entity_id in out
    assert "Gates" in out
    assert "when high" in out


def test_explain_as_json_tells_a_clear_rule_with_its_values(command):
    code, out, err = command(*explain_arguments("MEDIA-001"), "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["rule_id"], told["advertiser_id"], told["day"]) == ("MEDIA-001", ADVERTISER, DAY)
    clear = [e for e in told["entities"] if e["outcome"] == "clear"]
    assert clear
    for entity in clear:
        assert {line["name"] for line in entity["checks"]} >= {"applies", "floor", "when low", "when critical", "test"}
        assert any(line["name"] == "cpa_idx" and line["answer"] != "missing" for line in entity["figures"])
    assert not [e for e in told["entities"] if e["outcome"] == "fired"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (explain_arguments("MEDIA-999"), ("MEDIA-999", "MEDIA-001")),
        (explain_arguments("MEDIA-001", advertiser="acme"), ("acme", ADVERTISER)),
        (explain_arguments("MEDIA-001", day="2020-01-01"), ("no data", f"{ADVERTISER}|2020-01-01", "materialize")),
        (explain_arguments("MEDIA-001", day=(ANCHOR + timedelta(days=40)).isoformat()), ("no data", "materialize")),
        (explain_arguments("MEDIA-001", day="yesterday"), ("yesterday", "YYYY-MM-DD")),
        (explain_arguments("MEDIA-001", day="2026-13-40"), ("2026-13-40", "YYYY-MM-DD")),
        (["report", "--advertiser", ADVERTISER, "--date", "2020-01-01"], ("no report", f"{ADVERTISER}|2020-01-01", "materialize")),
        (["report", "--advertiser", "../../etc", "--date", DAY], ("../../etc",)),
        (["report", "--advertiser", ADVERTISER, "--date", "15.10.2026"], ("15.10.2026", "YYYY-MM-DD")),
    ],
)
def test_a_wrong_argument_is_one_message_and_status_2(command, arguments, words):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("marketing-agents: ")
    for word in words:
        assert word in err


@pytest.mark.parametrize("arguments", [["explain", "--advertiser", ADVERTISER], ["report", "--day", DAY], ["rules", "chekc"], ["demos"]])
def test_a_wrong_call_is_answered_with_usage_and_status_2(command, arguments):
    code, _, err = command(*arguments)
    assert code == 2
    assert "Usage" in err


def test_report_prints_the_digest_and_names_the_page(command, stored):
    code, out, err = command("report", "--advertiser", ADVERTISER, "--date", DAY)
    assert (code, err) == (0, "")
    first = stored.warehouse.read_slices("recommendations", [LocalDay(ADVERTISER, ANCHOR)]).to_pylist()
    assert first
    assert "Harbour" in out
    page = stored.settings.data_dir / "reports" / ADVERTISER / f"{DAY}.html"
    assert page.exists()
    assert f"page: {page}" in out.splitlines()


def test_rules_list_names_every_rule_with_its_domain(command):
    code, out, err = command("rules", "list", "--json")
    assert (code, err) == (0, "")
    rules = {r["id"]: r for r in json.loads(out)}
    assert set(rules) >= {"MEDIA-001", "CREATIVE-004", "BUDGET-001", "AUD-006", "CONV-001", "PLAT-004", "SEAS-001"}
    assert (rules["MEDIA-001"]["domain"], rules["MEDIA-001"]["tier"]) == ("media_performance", 1)
    assert rules["SEAS-001"]["tier"] == 3
    code, out, _ = command("rules", "list")
    assert code == 0
    assert all(rule_id in out for rule_id in rules)


def test_rules_check_counts_valid_rules_and_lists_every_problem(command, tmp_path, monkeypatch):
    code, out, _ = command("rules", "check")
    assert code == 0
    assert "rules are valid" in out
    packaged = PROJECT_DIR / "marketing_agents" / "rules" / "catalogue" / "media.yaml"
    broken = packaged.read_text(encoding="utf-8").replace("cpa_idx >= 1.20", "cpa_indx >= 1.20").replace("poisson_cdf(", "poison_cdf(")
    (tmp_path / "media.yaml").write_text(broken, encoding="utf-8")
    monkeypatch.setenv("MARKETING_AGENTS_CATALOGUE_DIR", str(tmp_path))
    code, out, err = command("rules", "check")
    assert (code, out) == (1, "")
    for word in ("media.yaml", "MEDIA-001", "cpa_indx", "did you mean", "poison_cdf"):
        assert word in err


@pytest.mark.parametrize(
    "query",
    [
        "select rule_id, count(*) as n from results.findings group by 1 order by 1",
        "select rule_id, count(*) as n from findings group by 1 order by 1;",
        "select rule_id, count(*) from results.findings group by 1",  # as README has it
    ],
)
def test_sql_answers_a_query(command, query):
    code, out, err = command("sql", query)
    assert (code, err) == (0, "")
    assert "CREATIVE-004" in out


def test_sql_reaches_raw_tables_marts_and_results(command):
    query = """
        select count(distinct r.campaign_id) as campaigns from raw.ad_performance_daily as r
        join marts.campaign_features as m using (advertiser_id, campaign_id) join results.recommendations as x using (advertiser_id)
    """
    code, out, err = command("sql", query)
    assert (code, err) == (0, "")
    assert "campaigns" in out
    assert command("sql", "describe results.findings")[0] == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select * from results.no_such_table", "no_such_table"),
        ("selec 1", "selec"),
        ("", "one SELECT"),
        ("select 1; select 2", "one SELECT"),
        ("delete from results.findings", "one SELECT"),
        ("insert into findings select * from findings", "one SELECT"),
        ("drop view results.findings", "one SELECT"),
        ("create table mine as select 1", "one SELECT"),
        ("copy (select 1) to '{data}/warehouse/results/findings/mine.parquet'", "one SELECT"),
        ("explain analyze copy (select 1) to '{data}/warehouse/results/findings/mine.parquet'", "one SELECT"),
        ("attach '{data}/warehouse/mine.db'", "one SELECT"),
        ("set enable_external_access = true", "one SELECT"),
        ("select * from read_text('/etc/hostname')", "/etc/hostname"),
    ],
)
def test_sql_refuses_what_is_no_query_and_changes_nothing(command, stored, query, words):
    folder = stored.settings.data_dir / "warehouse"
    before = sorted(str(p) for p in Path(folder).rglob("*"))
    code, out, err = command("sql", query.format(data=stored.settings.data_dir))
    assert (code, out) == (1, "")
    assert err.startswith("marketing-agents sql: ")
    assert words in err
    assert sorted(str(p) for p in Path(folder).rglob("*")) == before


def test_the_sql_shell_answers_and_refuses_and_goes_on(command, monkeypatch):
    lines = iter(["drop view results.findings;", "select count(*) as n", "from results.findings;"])

    def type_next(prompt: str = "") -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", type_next)
    code, out, _ = command("sql")
    assert code == 0
    assert "one SELECT" in out
    assert "│ n" in out or "┃ n" in out


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MARKETING_AGENTS_DATA_DIRR", "x", ("MARKETING_AGENTS_DATA_DIRR", "did you mean MARKETING_AGENTS_DATA_DIR")),
        ("MARKETING_AGENTS_RESTATEMENT_DAYS", "many", ("MARKETING_AGENTS_RESTATEMENT_DAYS", "integer")),
        ("MARKETING_AGENTS_ADVERTISERS", "/no/such/registry.yaml", ("/no/such/registry.yaml",)),
        ("MARKETING_AGENTS_CATALOGUE_DIR", "/no/such/folder", ("/no/such/folder",)),
        ("MARKETING_AGENTS_STATE_URL", "mysql://u:secret@h/d", ("MARKETING_AGENTS_STATE_URL",)),
    ],
)
def test_a_wrong_setting_is_one_message_and_status_2(command, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    arguments = ["rules", "list"] if name.endswith("STATE_URL") else explain_arguments("MEDIA-001")
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    for word in words:
        assert word in err
    assert "secret" not in err
