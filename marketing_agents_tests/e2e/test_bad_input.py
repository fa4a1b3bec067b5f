"""Bad tables and hostile names through the whole job, all in one morning: each is told, each costs only what depends on it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO
from types import SimpleNamespace

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from rich.console import Console

from marketing_agents.advertisers.registry import load_registry
from marketing_agents.cli import demo
from marketing_agents.cli.app import main
from marketing_agents.days import LocalDay
from marketing_agents.decisions.guardrails import is_executable
from marketing_agents.rules.tables import findings_from_table
from marketing_agents.settings import PROJECT_DIR, Settings
from marketing_agents.warehouse.catalog import INPUT_TABLES
from marketing_agents_tests.e2e.bad_tables import HOSTILE_NAMES, Tables, file_modes_hold
from marketing_agents_tests.e2e.pipeline import ANCHOR, BUSY, Pipeline, check_evaluations, materializations
from marketing_agents_tests.e2e.results import NAMES, identity

DOMAINS = ("audience", "budget", "conversion", "creative", "media_performance", "platform")
EARLIER = ANCHOR - timedelta(days=20)

NO_RATE = LocalDay("harbour-thread", ANCHOR)  # sells in GBP, has an account in EUR
NEGATIVE = LocalDay("ledgerline", ANCHOR)
ODD_DAYS = LocalDay("kowhai-outdoors", ANCHOR)
DUPLICATES = LocalDay("vidya-path", ANCHOR)
EMPTY = LocalDay("kiritimati-bonefish", ANCHOR)
PAUSED = LocalDay("resting-brand", ANCHOR)


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory, short_input):
    """A morning on which everything is wrong at once: the pipeline, the results of its runs, the numbers of the bad rows."""
    folder = tmp_path_factory.mktemp("spoilt")
    tables = Tables(short_input, folder / "input")
    rows = SimpleNamespace()
    for table in INPUT_TABLES:
        tables.drop(table, advertiser_id=EMPTY.advertiser_id)
    # Rows.
    facts = "ad_performance_daily"
    rows.negative_today = tables.set_one(facts, "spend", -12.5, kind=pa.float64(), advertiser_id=NEGATIVE.advertiser_id, date=ANCHOR)
    rows.negative_earlier = tables.set_one(facts, "spend", -1.25, advertiser_id=ODD_DAYS.advertiser_id, date=EARLIER)
    rows.nan = tables.set_one(
        facts, "conversions", float("nan"), kind=pa.float64(), advertiser_id=ODD_DAYS.advertiser_id, date=EARLIER - timedelta(days=1)
    )
    tables.repeat("orders_daily", advertiser_id=DUPLICATES.advertiser_id, date=ANCHOR)
    tables.drop("fx_rates", advertiser_id=NO_RATE.advertiser_id)
    tables.set_one("segment_performance_daily", "platform", HOSTILE_NAMES[4], advertiser_id=BUSY.advertiser_id, date=ANCHOR)
    for offset, table in enumerate(("campaigns", "adgroups", "platform_accounts", "budget_plans", "audiences")):
        tables.rename_entities(table, BUSY.advertiser_id, lambda n, o=offset: HOSTILE_NAMES[(n + o) % len(HOSTILE_NAMES)])
    tables.rename_entities("ads", BUSY.advertiser_id, lambda n: HOSTILE_NAMES[8])
    # Whole tables.
    tables.write("tag_health_daily", tables.read("tag_health_daily").slice(0, 0))
    tables.path("calendar_events").unlink()
    tables.set_column("conversion_actions", "name", pa.array([{"a": 1}] * tables.read("conversion_actions").num_rows))
    content = tables.path("consent_daily").read_bytes()
    tables.path("consent_daily").write_bytes(content[: len(content) // 2])
    tables.path("change_events").unlink()
    tables.path("change_events").mkdir()
    tables.path("web_sessions_daily").write_bytes(b"")
    tables.path("reach_window").unlink()
    tables.path("reach_window").with_suffix(".csv").write_bytes(b"")
    tables.path("audience_overlap").chmod(0)

    registry = yaml.safe_load((PROJECT_DIR / "marketing_agents/sample/advertisers.yaml").read_text(encoding="utf-8"))
    registry["advertisers"].append({"id": PAUSED.advertiser_id, "name": "Resting", "time_zone": "Europe/Paris", "paused": True})
    (folder / "advertisers.yaml").write_text(yaml.safe_dump(registry, allow_unicode=True), encoding="utf-8")
    settings = Settings(
        data_dir=folder / "data", source_dir=tables.folder, advertisers=folder / "advertisers.yaml", writer="template", charts="always"
    )
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(settings, instance, None)
        with file_modes_hold():
            results = pipeline.run([LocalDay(a, ANCHOR) for a in pipeline.ids])
        yield SimpleNamespace(
            pipeline=pipeline, results=results, rows=rows, made={(a, p): m for a, p, m in materializations(results)}, settings=settings
        )


def evaluations(spoilt, day, rule_id):
    rows = spoilt.pipeline.warehouse.read_slices("rule_evaluations", [day]).to_pylist()
    return [(r["outcome"], r["reason"], r["detail"]) for r in rows if r["rule_id"] == rule_id]


def told(spoilt, day, asset="recommendations"):
    metadata = spoilt.made[asset, day.key]
    return metadata["status"], metadata.get("reason", "")


def test_the_run_succeeds_and_every_partition_of_every_asset_is_reported(spoilt):
    assert [r.success for r in spoilt.results] == [True] * len(spoilt.results)
    days = [LocalDay(a, ANCHOR) for a in spoilt.pipeline.ids]
    assets = {a for a, _ in spoilt.made}
    assert {f"raw/{t}" for t in INPUT_TABLES} | {"rules/findings", "recommendations", "daily_report"} <= assets
    assert {(a, d.key) for a in assets for d in days} == set(spoilt.made)
    assert {d.advertiser_id: told(spoilt, d)[0] for d in days} == {
        "kiritimati-bonefish": "degraded",
        "kowhai-outdoors": "degraded",
        "vidya-path": "degraded",
        "harbour-thread": "degraded",
        "ledgerline": "failed",
        "sol-and-sage": "degraded",
        "resting-brand": "paused",
    }


def test_what_is_not_ok_is_a_check_evaluation_of_its_own_partition(spoilt):
    shown = {
        (e.asset_key.to_user_string(), str(e.partition)): (e.passed, e.severity)
        for e in check_evaluations(spoilt.results)
        if e.check_name == "partition_status"
    }
    assert shown["recommendations", NEGATIVE.key] == (False, dg.AssetCheckSeverity.ERROR)
    assert shown["recommendations", BUSY.key] == (False, dg.AssetCheckSeverity.WARN)
    assert shown["recommendations", PAUSED.key] == (False, dg.AssetCheckSeverity.WARN)


def test_negative_spend_of_the_day_fails_the_day_with_file_row_and_column(spoilt):
    status, reason = told(spoilt, NEGATIVE)
    assert status == "failed"
    for part in ("ad_performance_daily.parquet", f"row {spoilt.rows.negative_today}", "spend", "-12.5", "at least 0"):
        assert part in reason, reason
    assert spoilt.pipeline.warehouse.read_slices("findings", [NEGATIVE]).num_rows == 0
    # Nothing of the other tables is lost: as soon as the file is right, only its slices are missing.
    assert spoilt.made["raw/orders_daily", NEGATIVE.key]["dagster/partition_row_count"] > 0


@pytest.mark.parametrize(
    ("row", "day", "column", "expected"),
    [("negative_earlier", EARLIER, "spend", "at least 0"), ("nan", EARLIER - timedelta(days=1), "conversions", "a finite number")],
)
def test_a_bad_row_of_an_earlier_day_rejects_that_day_only(spoilt, row, day, column, expected):
    problem = spoilt.made["raw/ad_performance_daily", ODD_DAYS.key]["problem"]
    assert str(day) in problem
    assert re.search(rf"ad_performance_daily\.parquet: row {getattr(spoilt.rows, row)}: {column}: .*expected {expected}", problem), problem
    assert "ad_performance_daily" in told(spoilt, ODD_DAYS)[1]
    stored = spoilt.pipeline.warehouse.read_raw("ad_performance_daily", ODD_DAYS.advertiser_id, day - timedelta(3), ANCHOR, known_on=ANCHOR)
    days = set(stored.column("date").to_pylist())
    assert day not in days
    assert {ANCHOR - timedelta(days=2), EARLIER - timedelta(days=2), EARLIER + timedelta(days=1)} <= days


def test_duplicate_keys_reject_the_slice_and_block_the_rules_that_need_it(spoilt):
    problem = spoilt.made["raw/orders_daily", DUPLICATES.key]["problem"]
    assert f"not loaded: {ANCHOR}" in problem
    assert len(re.findall(r"orders_daily\.parquet: row \d+: .*a key \(.*\) that no other row has", problem)) == 2
    blocked = ("not_evaluable", "blocked_by_data", "orders_daily has not been loaded for the day")
    assert [o for o in evaluations(spoilt, DUPLICATES, "AUD-006") if o[0] != "clear"] == [blocked]
    assert ("fired", "", "") in evaluations(spoilt, DUPLICATES, "MEDIA-001")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("conversion_actions", ("conversion_actions.parquet", "name", "text")),
        ("consent_daily", ("consent_daily.parquet", "cannot be read as Parquet")),
        ("web_sessions_daily", ("web_sessions_daily.parquet", "cannot be read as Parquet", "0 bytes")),
        ("reach_window", ("reach_window.csv", "is empty")),
        ("audience_overlap", ("audience_overlap.parquet", "cannot be read", "Permission denied")),
        ("change_events", ("change_events.parquet", "folder")),
    ],
)
def test_a_table_that_cannot_be_read_is_told_on_its_asset_and_in_the_status(spoilt, table, words):
    for day in (BUSY, NO_RATE, ODD_DAYS):
        problem = spoilt.made[f"raw/{table}", day.key]["problem"]
        assert [w for w in words if w not in problem] == []
        assert table in told(spoilt, day)[1]


def test_a_missing_table_makes_its_rules_not_evaluable_and_nothing_else(spoilt):
    assert spoilt.made["raw/calendar_events", NO_RATE.key]["missing"] is True
    assert evaluations(spoilt, NO_RATE, "SEAS-001") == [("not_evaluable", "missing_input", "calendar_events was never loaded")]
    assert "missing tables: calendar_events" in told(spoilt, NO_RATE)[1]


def test_a_table_of_the_wrong_type_makes_its_rules_missing_input(spoilt):
    [(outcome, reason, detail)] = evaluations(spoilt, DUPLICATES, "CONV-001")
    assert (outcome, reason) == ("not_evaluable", "missing_input")
    assert "conversion_actions was never loaded" in detail


def test_an_empty_table_is_loaded_as_empty(spoilt):
    metadata = spoilt.made["raw/tag_health_daily", BUSY.key]
    assert metadata["dagster/partition_row_count"] == 0
    assert "problem" not in metadata
    assert "tag_health_daily" not in told(spoilt, BUSY)[1]


def test_without_a_rate_money_is_not_evaluable_and_names_the_pair(spoilt, short_input):
    rows = pq.read_table(short_input / "ad_performance_daily.parquet").to_pylist()
    foreign = {r["campaign_id"] for r in rows if r["advertiser_id"] == NO_RATE.advertiser_id and r["currency_code"] == "EUR"}
    assert foreign
    outcomes = {rule: evaluations(spoilt, NO_RATE, rule) for rule in ("MEDIA-001", "BUDGET-001")}
    for rule, found in outcomes.items():
        missing = [detail for _, reason, detail in found if reason == "missing_input"]
        assert missing, (rule, found)
        assert any("EUR->GBP" in detail for detail in missing), (rule, found)
    features = spoilt.pipeline.warehouse.read_slices("campaign_features", [NO_RATE]).to_pylist()
    of_foreign = [f for f in features if f["campaign_id"] in foreign]
    assert of_foreign
    assert {(f["spend_w7"], f["missing_fx_pair"]) for f in of_foreign} == {(None, "EUR->GBP")}
    assert all(f["spend_w7"] is not None for f in features if f["campaign_id"] not in foreign)
    plans = spoilt.pipeline.warehouse.read_slices("budget_plan_features", [NO_RATE]).to_pylist()
    assert any(p["missing_fx_pair"] == "EUR->GBP" for p in plans)


def test_an_advertiser_without_any_row_raises_nothing(spoilt):
    assert spoilt.pipeline.warehouse.read_slices("findings", [EMPTY]).num_rows == 0
    assert spoilt.made["raw/ad_performance_daily", EMPTY.key]["dagster/partition_row_count"] == 0
    assert (spoilt.settings.data_dir / "reports" / EMPTY.advertiser_id / f"{ANCHOR}.html").exists()


def test_a_paused_advertiser_is_passed_over(spoilt):
    assert {told(spoilt, PAUSED, asset) for asset, partition in spoilt.made if partition == PAUSED.key} == {
        ("paused", "paused in the registry")
    }


def test_hostile_names_change_no_finding_and_no_recommendation(spoilt, undisturbed):
    tables = ("findings", "recommendations")
    expected = identity(undisturbed[0].warehouse, BUSY, tables=tables, without=NAMES)
    assert len(expected["recommendations"]) >= 3
    assert identity(spoilt.pipeline.warehouse, BUSY, tables=tables, without=NAMES) == expected


def test_hostile_names_are_stored_as_they_are(spoilt):
    stored = spoilt.pipeline.warehouse.read_raw("campaigns", BUSY.advertiser_id, ANCHOR, ANCHOR, known_on=ANCHOR)
    assert set(stored.column("name").to_pylist()) <= set(HOSTILE_NAMES)
    names = {f.entity.name for f in findings_from_table(spoilt.pipeline.warehouse.read_slices("findings", [BUSY]))}
    assert names & set(HOSTILE_NAMES)


class Page(HTMLParser):
    """What a browser would do with a page: elements, attributes, text."""

    def __init__(self, html):
        super().__init__()
        self.elements = []
        self.words = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def test_hostile_names_stay_text_in_the_page(spoilt, undisturbed):
    name = f"reports/{BUSY.advertiser_id}/{ANCHOR}.html"
    hostile = Page((spoilt.settings.data_dir / name).read_text(encoding="utf-8"))
    plain = Page((undisturbed[0].settings.data_dir / name).read_text(encoding="utf-8"))
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in plain.elements}
    assert [tag for tag, _ in hostile.elements].count("tr") - [tag for tag, _ in plain.elements].count("tr") in range(
        20
    )  # rows of data notes
    for _, attributes in hostile.elements:
        assert not [a for a in attributes if a.startswith("on")]
        for link in ("href", "src"):
            assert re.match(r"#|data:image/png|$", attributes.get(link) or ""), attributes
    text = "".join(hostile.words)
    assert "DROP TABLE x" in text or "alert(1)" in text or "injected" in text
    assert INVISIBLE.search(text) is None


def test_hostile_names_stay_text_in_metadata(spoilt):
    from markdown_it import MarkdownIt

    texts = {
        (event.asset_key.to_user_string(), key): value.md_str
        for result in spoilt.results
        for event in result.get_asset_materialization_events()
        if str(event.partition) == BUSY.key
        for key, value in event.materialization.metadata.items()
        if isinstance(value, dg.MarkdownMetadataValue)
    }
    assert {asset for asset, _ in texts} >= {"rules/findings", "recommendations", "daily_report", *(f"analysis/{d}" for d in DOMAINS)}
    for where, text in texts.items():
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
        inline = [child for token in tokens for child in (token.children or [])]
        assert not [t for t in tokens if t.type in ("html_block", "heading_open") and "owned" in t.content], where
        assert not [t.content for t in inline if t.type in ("html_inline", "link_open")], where
        assert [t for t in inline if t.type == "image" and not t.attrs["src"].startswith("data:image/png;base64,")] == [], where
        assert INVISIBLE.search(text) is None, where
        for row in [t for t in tokens if t.type == "table_open"]:
            assert "injected" not in row.content
    table = texts["rules/findings", "findings"]
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines() if line}
    assert len(widths) == 1, table


def environment_of(settings, monkeypatch):
    for name in ("data_dir", "source_dir", "advertisers"):
        monkeypatch.setenv(f"MARKETING_AGENTS_{name.upper()}", str(getattr(settings, name)))


@pytest.mark.parametrize("command", ["report", "explain"])
def test_hostile_names_stay_text_in_the_terminal(spoilt, monkeypatch, capsys, command):
    environment_of(spoilt.settings, monkeypatch)
    rule = ["--rule", "MEDIA-001"] if command == "explain" else []
    monkeypatch.setattr("sys.argv", ["marketing-agents", command, "--advertiser", BUSY.advertiser_id, "--date", str(ANCHOR), *rule])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    assert ended.value.code == 0, shown.err
    assert len(shown.out) > 1000
    assert INVISIBLE.search(shown.out.replace("\r\n", "\n")) is None
    assert not re.search(r"^\s*injected\s+row", shown.out, re.MULTILINE)
    assert "title\x07" not in shown.out


def test_hostile_names_stay_text_in_the_table_of_the_demo(spoilt):
    console = Console(file=StringIO(), width=120)
    listed = demo._recommendations(spoilt.settings, [BUSY])
    registry = load_registry(spoilt.settings.resolved_advertisers)
    demo._print(console, spoilt.settings, registry, [BUSY], {}, listed, 1.0, was_done=False)
    shown = console.file.getvalue()
    assert shown.count("│") > 9
    assert INVISIBLE.search(shown) is None


def policies(undisturbed, folder, content):
    """The list of the day under a policy file (None: no file)."""
    pipeline, _ = undisturbed
    folder.mkdir()
    if content is not None:
        (folder / f"{BUSY.advertiser_id}.yaml").write_text(content, encoding="utf-8")
    changed = Pipeline(pipeline.settings.model_copy(update={"policies_dir": folder}), pipeline.instance, None)
    results = changed.run([BUSY], assets=["recommendations", "daily_report"])
    assert results[0].success
    return pipeline.warehouse.read_slices("recommendations", [BUSY]).to_pylist()


@pytest.fixture
def good_list(undisturbed):
    pipeline, _ = undisturbed
    yield pipeline.warehouse.read_slices("recommendations", [BUSY]).to_pylist()
    pipeline.run([BUSY], assets=["recommendations", "daily_report"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no policy file sol-and-sage.yaml"),
        ("version: 1\nautonomy: [", "not valid YAML"),
        ("version: 1\nautonomy: full_auto\n", "autonomy"),
        ("version: 1\nautonomy: approval\nmax_step_pct: {INCREASE_BUDGET: 500}\n", "max_step_pct"),
        ("version: 1\nautonomy: approval\nexpires_on: 2026-10-14\n", "policy expired on 2026-10-14"),
        ("", "must be a mapping"),
    ],
    ids=["missing", "no-yaml", "unknown-autonomy", "step-too-large", "expired", "empty"],
)
def test_a_bad_policy_leaves_a_complete_list_of_advice(undisturbed, good_list, tmp_path, content, words):
    listed = policies(undisturbed, tmp_path / "policies", content)

    def keys(rows):
        return {(r["recommendation_id"], r["action"], r["entity_id"]) for r in rows}

    assert keys(listed) == keys(good_list)
    executable = [r for r in good_list if r["status"] in ("proposed", "needs_approval") and is_executable(r["action"])]
    assert executable
    for row in listed:
        if is_executable(row["action"]):
            assert row["status"] not in ("proposed", "needs_approval"), row
    advice = [r for r in listed if any("advice only" in reason and words in reason for reason in json.loads(r["reasons"]))]
    assert {r["recommendation_id"] for r in executable} <= {r["recommendation_id"] for r in advice}
    assert {r["status"] for r in advice} == {"blocked"}
    page = (undisturbed[0].settings.data_dir / "reports" / BUSY.advertiser_id / f"{ANCHOR}.html").read_text(encoding="utf-8")
    assert "advice only" in page.lower()
