"""The models' YAML, which rules and the asset graph read, against what dbt parses and what it builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents.warehouse.contract import DUCKDB_TYPES
from marketing_agents.warehouse.embedded.parquet import connect
from marketing_agents.warehouse.marts import MartContractError, load_marts, project_hash
from marketing_agents_tests.dbt.building import PROJECT
from marketing_agents_tests.dbt.conftest import Agency

NOT_INPUT = {"ingestion_log", "advertisers", "asked_slices"}


def models(layer: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path in (PROJECT / "models" / layer).glob("*.yml"):
        found |= {model["name"]: model for model in yaml.safe_load(path.read_text()).get("models", [])}
    return found


@pytest.mark.parametrize("layer", ["staging", "intermediate", "marts"])
def test_every_model_and_column_is_described_as_built(agency: Agency, layer: str) -> None:
    described = models(layer)
    assert set(described) == {path.stem for path in (PROJECT / "models" / layer).glob("*.sql")}
    with duckdb.connect(str(agency.database), read_only=True) as connection:
        for name, model in described.items():
            built = [(row[0], row[1].lower()) for row in connection.execute(f"describe marts.{name}").fetchall()]
            assert [(c["name"], c["data_type"]) for c in model["columns"]] == built, name
            assert model["description"], name
            assert [c["name"] for c in model["columns"] if not c.get("description")] == [], name


def test_lineage_in_yaml_is_that_of_the_manifest(agency: Agency) -> None:
    nodes = agency.built.manifest["nodes"]
    marts = load_marts(PROJECT)

    def raw_tables(unique_id: str) -> set[str]:
        name = unique_id.rsplit(".", maxsplit=1)[-1]
        if unique_id.startswith("source."):
            return {name} - NOT_INPUT
        node = nodes[unique_id]
        hands_on = node["config"]["meta"].get("passes_on")
        parents = node["depends_on"].get("nodes", [])
        return set(hands_on) if hands_on is not None else set().union(*map(raw_tables, parents))

    def published_parents(unique_id: str) -> set[str]:
        found: set[str] = set()
        for parent in nodes[unique_id]["depends_on"].get("nodes", []) if unique_id in nodes else []:
            name = parent.split(".")[-1]
            found |= {name} if name in marts else published_parents(parent)
        return found

    for name, mart in marts.items():
        unique_id = f"model.marketing_agents.{name}"
        assert set(mart.raw_tables) == raw_tables(unique_id), name
        assert set(mart.depends_on) == published_parents(unique_id), name


def test_published_models_have_slices_and_a_tested_key(agency: Agency) -> None:
    tests = [n for n in agency.built.manifest["nodes"].values() if n["resource_type"] == "test" and n.get("test_metadata")]
    for name, mart in load_marts(PROJECT).items():
        assert {"advertiser_id", "date"} <= set(mart.column_names), name
        if mart.layer == "marts":
            [own] = [n["test_metadata"] for n in tests if n["attached_node"].endswith(f".{name}")]
            promised = own["kwargs"]
            assert own["name"] == "mart_contract", name
            assert tuple(promised["grain"]) == mart.grain, name
            assert set(mart.grain) <= set(promised["never_empty"]), name
            money = {c.name for c in mart.columns if c.unit == "money"}
            assert money <= set(promised.get("never_negative", ())), name


def test_source_columns_are_those_of_the_table_contracts() -> None:
    document = yaml.safe_load((PROJECT / "models" / "staging" / "sources.yml").read_text())
    for table in document["sources"][0]["tables"]:
        if table["name"] in NOT_INPUT:
            continue
        contract = INPUT_TABLES[table["name"]]
        expected = {c.name: DUCKDB_TYPES[c.type].lower() for c in contract.columns} | {
            "as_of": "date",
            "loaded_at": "timestamp with time zone",
        }
        expected.setdefault("date", "date")
        assert {c["name"]: c["data_type"] for c in table["columns"]} == expected, table["name"]


def test_default_target_sends_nothing() -> None:
    flags = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["flags"]
    assert flags["send_anonymous_usage_stats"] is False
    assert flags["version_check"] is False


def test_every_build_passes_its_own_data_tests(agency: Agency) -> None:
    assert {r["status"] for r in agency.built.results.values()} <= {"success", "pass"}


MODEL = """
models:
  - name: thing_features
    description: Things.
    config: {{meta: {{{meta}}}}}
    columns:
      - {{name: advertiser_id, data_type: VARCHAR, description: Slug.}}
      - {{name: date, {date_type}description: Day.}}
"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(MODEL.format(meta="grain: [advertiser_id, date]", date_type="data_type: date, "), "lacks raw_tables", id="no tables"),
        pytest.param(MODEL.format(meta="raw_tables: [x]", date_type="data_type: date, "), "lacks grain", id="no grain"),
        pytest.param(
            MODEL.format(meta="grain: [thing_id], raw_tables: [x]", date_type="data_type: date, "), "names thing_id", id="unknown grain"
        ),
        pytest.param(MODEL.format(meta="grain: [date], raw_tables: [x]", date_type=""), "column date needs data_type", id="no type"),
        pytest.param("models: {a: b}", "expected a list under 'models'", id="no list"),
        pytest.param("models: [", "not valid YAML", id="no YAML"),
    ],
)
def test_bad_yaml_is_named(tmp_path: Path, content: str, message: str) -> None:
    folder = tmp_path / "models" / "marts"
    folder.mkdir(parents=True)
    (folder / "things.yml").write_text(content)
    with pytest.raises(MartContractError, match=message) as caught:
        load_marts(tmp_path)
    assert "things.yml" in str(caught.value)


def test_a_folder_without_models_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MartContractError, match="no model found"):
        load_marts(tmp_path)


def test_good_yaml_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "marts"
    folder.mkdir(parents=True)
    (folder / "things.yml").write_text(MODEL.format(meta="grain: [advertiser_id, date], raw_tables: [x, y]", date_type="data_type: date, "))
    mart = load_marts(tmp_path)["thing_features"]
    assert (mart.layer, mart.grain, mart.raw_tables, mart.depends_on) == ("marts", ("advertiser_id", "date"), ("x", "y"), ())
    assert [(c.name, c.data_type, c.unit) for c in mart.columns] == [("advertiser_id", "varchar", None), ("date", "date", None)]


def test_project_hash_follows_content_only(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "marts"
    folder.mkdir(parents=True)
    (tmp_path / "dbt_project.yml").write_text("name: x\n")
    (folder / "a.sql").write_text("select 1\n")
    before = project_hash(tmp_path)
    (folder / "a.sql").write_text("select 1\r\n")
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "a.sql").write_text("compiled")
    assert project_hash(tmp_path) == before
    (folder / "a.sql").write_text("select 2\n")
    assert project_hash(tmp_path) != before


def test_the_optimizer_that_made_sums_wrong_is_off_wherever_sums_are_made() -> None:
    profile = yaml.safe_load((PROJECT / "profiles.yml").read_text())["marketing_agents"]["outputs"]["duckdb"]
    assert profile["settings"]["disabled_optimizers"] == "statistics_propagation"
    with connect() as connection:
        assert connection.execute("SELECT current_setting('disabled_optimizers')").fetchone() == ("statistics_propagation",)
