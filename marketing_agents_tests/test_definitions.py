"""The definitions that Dagster loads: every asset complete and on the one partitions object, and the tools that load them agree."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.automation.schedules import zone_slug
from marketing_agents.definitions import build_definitions
from marketing_agents.partitions import ADVERTISER_DATE
from marketing_agents.resources.platform import dbt_project_dir
from marketing_agents.settings import Settings
from marketing_agents.state.store import StateStore
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.marts import load_marts

ROOT = Path(__file__).parents[1]
DOMAINS = ("audience", "budget", "conversion", "creative", "media_performance", "platform")
RULES = {"rules/catalogue", "rules/domains"}
UNPARTITIONED = RULES | {"advertiser_freshness", "rules/coverage", "rules/evaluation"}
UNCHECKED = {"rules/catalogue", "rules/coverage", "rules/evaluation"}
EXPECTED = (
    {f"raw/{table}" for table in INPUT_TABLES}
    | {f"marts/{model}" for model in load_marts(dbt_project_dir())}
    | {"rules/catalogue", "rules/coverage", "rules/domains", "rules/findings", "rules/evaluation"}
    | {f"analysis/{domain}" for domain in DOMAINS}
    | {"recommendations", "daily_report", "advertiser_freshness"}
)
GROUPS = {"raw": "ingestion", "marts": "marts", "rules": "rules", "analysis": "analysis", "advertiser_freshness": "operations"}


@pytest.fixture(scope="module", autouse=True)
def living_instance():
    """Dagster resolves definitions through the instance that was made last; one that an earlier test closed would be a dead reference."""
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(data_dir=tmp_path_factory.mktemp("definitions"), writer="template", backfill_chunk_size=17)


@pytest.fixture(scope="module")
def definitions(settings):
    return build_definitions(settings)


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


@pytest.fixture(scope="module")
def specs(definitions):
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def ancestors(specs, key, found=None):
    """Every asset that a change can come from."""
    found = set() if found is None else found
    for dep in specs[key].deps:
        name = dep.asset_key.to_user_string()
        if name not in found:
            found.add(name)
            ancestors(specs, name, found)
    return found


def test_the_assets_are_exactly_those_of_the_design(specs):
    assert set(specs) == EXPECTED


@pytest.mark.parametrize("key", sorted(EXPECTED))
def test_every_asset_is_complete(specs, key):
    spec = specs[key]
    assert spec.group_name == GROUPS.get(key.split("/")[0], "recommendations")
    assert list(spec.owners) == ["team:marketing-data"]
    assert spec.kinds
    assert len(spec.description or "") > 20
    assert spec.code_version
    assert spec.tags["layer"]
    schema = spec.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    assert schema.columns
    assert all(column.name and column.type for column in schema.columns)


@pytest.mark.parametrize("key", sorted(EXPECTED))
def test_every_partitioned_asset_uses_the_one_object_and_backfills_in_chunks(specs, graph, settings, key):
    node = graph.get(dg.AssetKey(key.split("/")))
    if key in UNPARTITIONED:
        assert node.partitions_def is None
        return
    assert node.partitions_def is ADVERTISER_DATE
    assert specs[key].partitions_def is ADVERTISER_DATE
    assert node.backfill_policy == dg.BackfillPolicy.multi_run(settings.backfill_chunk_size)


def test_every_step_reports_its_status_as_a_check(definitions, specs):
    checks = {(c.asset_key.to_user_string(), c.name) for c in definitions.resolve_asset_graph().asset_check_keys}
    later = {key for key in set(specs) - UNPARTITIONED if not key.startswith(("raw/", "marts/"))}
    assert {key for key, name in checks if name == "partition_status"} == {"raw/ad_performance_daily", "marts/campaign_features", *later}
    assert {key for key, name in checks if name == "dbt_tests"} == {k for k in specs if k.startswith("marts/")}
    assert {key for key, name in checks if name == "writer"} == {f"analysis/{d}" for d in DOMAINS}
    assert ("rules/domains", "label_confidence") in checks


def test_daily_analysis_holds_the_partitioned_assets_only(definitions, specs):
    job = definitions.resolve_job_def("daily_analysis")
    held = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert held == set(specs) - UNPARTITIONED
    assert job.partitions_def is ADVERTISER_DATE
    refresh = definitions.resolve_job_def("rules_refresh")
    assert {key.to_user_string() for key in refresh.asset_layer.executable_asset_keys} == RULES
    assert refresh.partitions_def is None


def test_lineage_runs_from_raw_tables_to_the_report(specs):
    parents = {key: {d.asset_key.to_user_string() for d in spec.deps} for key, spec in specs.items()}
    marts = {key for key in specs if key.startswith("marts/")}
    assert all(not parents[f"raw/{table}"] for table in INPUT_TABLES)
    for mart in marts:
        assert parents[mart]
        assert {p.split("/")[0] for p in parents[mart]} <= {"raw", "marts"}
        assert any(a.startswith("raw/") for a in ancestors(specs, mart))
    assert parents["rules/domains"] == {"rules/catalogue"}
    read_by_rules = {f"marts/{m.name}" for m in load_marts(dbt_project_dir()).values() if m.layer == "marts"}
    assert parents["rules/findings"] == {"rules/catalogue", "raw/feedback", *read_by_rules}
    for domain in DOMAINS:
        assert parents[f"analysis/{domain}"] == {"rules/findings"}
    assert parents["recommendations"] == {"rules/findings", *(f"analysis/{d}" for d in DOMAINS)}
    assert parents["daily_report"] == {"recommendations"}
    assert ancestors(specs, "daily_report") >= {"raw/ad_performance_daily", *marts, "rules/findings", *(f"analysis/{d}" for d in DOMAINS)}


def test_there_is_one_schedule_per_zone_and_the_sensor(definitions, settings):
    zones = load_registry(settings.resolved_advertisers).time_zones
    schedules = {s.name: s for s in definitions.schedules}
    assert set(schedules) == {f"daily_analysis__{zone_slug(zone)}" for zone in zones} | {
        "daily_analysis__other_zones",
        "rules_refresh__daily",
        "freshness__hourly",
    }
    for zone in zones:
        schedule = schedules[f"daily_analysis__{zone_slug(zone)}"]
        assert (schedule.job_name, schedule.execution_timezone) == ("daily_analysis", zone)
    assert {s.default_status for s in schedules.values()} == {dg.DefaultScheduleStatus.RUNNING}
    assert sorted(s.name for s in definitions.sensors) == ["advertiser_registry", "lost_runs"]
    stopped = build_definitions(settings.model_copy(update={"schedules": "stopped"})).schedules
    assert {s.default_status for s in stopped} == {dg.DefaultScheduleStatus.STOPPED}


def test_an_unknown_override_is_an_error_that_lists_the_names(settings):
    with pytest.raises(ValueError, match=r"unknown resource override 'warehose'; resources are: .*warehouse"):
        build_definitions(settings, warehose=object())


def test_two_builds_share_nothing_that_one_of_them_could_change(settings, tmp_path):
    mine, theirs = StateStore(f"sqlite:///{tmp_path / 'mine.db'}"), StateStore(f"sqlite:///{tmp_path / 'theirs.db'}")
    first, second = build_definitions(settings, state=mine), build_definitions(settings, state=theirs)
    small = build_definitions(settings.model_copy(update={"backfill_chunk_size": 3}))
    for definitions, state in ((first, mine), (second, theirs)):
        assert definitions.resources["state"].resource_fn(None) is state
    assert first.resources["warehouse"] is not second.resources["warehouse"]
    key = dg.AssetKey(["analysis", "budget"])
    assert first.resolve_assets_def(key) is not second.resolve_assets_def(key)
    assert [d.resolve_assets_def(key).backfill_policy.max_partitions_per_run for d in (first, small)] == [17, 3]
    assert first.resolve_assets_def(key).partitions_def is second.resolve_assets_def(key).partitions_def


# --- what loads them -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A DAGSTER_HOME with the project's dagster.yaml, and a data folder of its own."""
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(ROOT / "dagster.yaml", folder)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    monkeypatch.setenv("MARKETING_AGENTS_DATA_DIR", str(tmp_path / "data"))
    return folder


def tool(name):
    return str(Path(sys.executable).with_name(name))


def run_tool(*command):
    return subprocess.run([tool(command[0]), *command[1:]], cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)


def test_a_real_instance_accepts_every_value_of_dagster_yaml(home):
    with dg.DagsterInstance.get() as instance:
        assert instance.root_directory == str(home)
        assert instance.telemetry_enabled is False
        assert instance.nux_enabled is False
        assert instance.run_coordinator.__class__.__name__ == "QueuedRunCoordinator"
        concurrency = instance.get_concurrency_config()
        assert concurrency.run_queue_config.max_concurrent_runs == 4
        assert concurrency.run_queue_config.tag_concurrency_limits == [
            {"key": "dagster/partition/advertiser", "limit": 1, "value": {"applyLimitPerUniqueValue": True}},
            {"key": "dagster/backfill", "limit": 2},
            {"key": "marketing_agents/trigger", "limit": 1, "value": "onboarding"},
        ]
        assert concurrency.pool_config.default_pool_limit == 4
        assert concurrency.pool_config.pool_granularity.value == "op"
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_start_timeout_seconds == 180
        assert instance.run_monitoring_settings["poll_interval_seconds"] == 30
        assert instance.run_monitoring_settings["free_slots_after_run_end_seconds"] == 60
        assert instance.run_retries_enabled
        assert instance.get_settings("run_retries")["max_retries"] == 1
        assert instance.get_settings("run_retries")["retry_on_asset_or_op_failure"] is False
        assert instance.get_settings("retention")["schedule"]["purge_after_days"]["skipped"] == 7


@pytest.mark.usefixtures("home")
def test_dg_checks_the_definitions_and_lists_the_same_assets():
    checked = run_tool("dg", "check", "defs")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    listed = run_tool("dg", "list", "defs", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {asset["asset_key"] for asset in json.loads(listed.stdout)["assets"]} == EXPECTED


@contextmanager
def webserver(home):
    """dagster-webserver on workspace.yaml, on a free port of loopback; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home / "webserver.log"
    command = [tool("dagster-webserver"), "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), stdout=output, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while not answers(f"{address}/server_info"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.25)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except OSError:  # not listening yet
        return False


def ask(address, query):
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{address}/graphql", data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.loads(response.read())
    assert "errors" not in answer, answer
    return answer["data"]


def test_the_webserver_serves_the_same_assets_from_workspace_yaml(home):
    with webserver(home) as address:
        data = ask(
            address,
            """{
              assetNodes { assetKey { path } groupName isPartitioned owners { ... on TeamAssetOwner { team } } kinds description
                           backfillPolicy { maxPartitionsPerRun } hasAssetChecks }
              workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } }
              repositoriesOrError { ... on RepositoryConnection { nodes { sensors { name } schedules { name executionTimezone } jobs { name } } } }
              runsOrError { ... on Runs { results { runId } } }
            }""",
        )
    [location] = data["workspaceOrError"]["locationEntries"]
    assert location == {"name": "marketing_agents", "locationOrLoadError": {"__typename": "RepositoryLocation"}}
    nodes = {"/".join(node["assetKey"]["path"]): node for node in data["assetNodes"]}
    assert set(nodes) == EXPECTED
    for key, node in nodes.items():
        assert node["isPartitioned"] == (key not in UNPARTITIONED)
        assert node["owners"] == [{"team": "marketing-data"}]
        assert node["kinds"]
        assert node["description"]
        assert (node["backfillPolicy"] or {}).get("maxPartitionsPerRun") == (None if key in UNPARTITIONED else 30)
        is_unchecked = key in UNCHECKED or (key.startswith("raw/") and key != "raw/ad_performance_daily")
        assert node["hasAssetChecks"] != is_unchecked
    [repository] = data["repositoriesOrError"]["nodes"]
    assert sorted(s["name"] for s in repository["sensors"]) == ["advertiser_registry", "lost_runs"]
    assert sum(s["name"].startswith("daily_analysis__") for s in repository["schedules"]) == 7
    assert {"daily_analysis", "rules_refresh"} <= {j["name"] for j in repository["jobs"]}
    assert data["runsOrError"]["results"] == []  # looking starts nothing
