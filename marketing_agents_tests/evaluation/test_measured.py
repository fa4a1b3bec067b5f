"""A small measurement from end to end: versions as daily loads see them, features by dbt, rules, scores."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from marketing_agents.assets.evaluation import feature_builder
from marketing_agents.evaluation.chart import draw_recall
from marketing_agents.evaluation.known_versions import RESTATEMENT_DAYS, write_versions
from marketing_agents.evaluation.markdown import evaluation_markdown, overall
from marketing_agents.evaluation.measure import Measurement, NothingToMeasureError, advertisers_of, measure
from marketing_agents.evaluation.run import END
from marketing_agents.evaluation.scoring import EvaluationResult
from marketing_agents.evaluation.seeded import SeededAdvertiser, clean_advertisers
from marketing_agents.evaluation.visibility import is_visible
from marketing_agents.rules.catalogue_file import load_packaged_catalogue
from marketing_agents.sample.incidents.registry import kinds
from marketing_agents.settings import PROJECT_DIR, Settings
from marketing_agents.warehouse.embedded.parquet import connect
from marketing_agents.warehouse.marts import load_marts

CONVERSIONS_STOP = Measurement(frozenset({"CONV-001", "PLAT-004"}), planted_seeds=1, clean_seeds=0, days=2)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> EvaluationResult:
    marts = load_marts(PROJECT_DIR / "dbt_project")
    catalogue = load_packaged_catalogue(marts)
    advertisers, left_out = advertisers_of(CONVERSIONS_STOP, frozenset(rule.id for rule in catalogue.rules))
    assert left_out == []
    largest = [a for a in advertisers if any(i.size == kinds()[i.kind].sizes[-1] for i in a.profile.incidents)]
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    clean = clean_advertisers([101])[:1]
    return measure(CONVERSIONS_STOP, [*largest, *clean], catalogue, marts, feature_builder(settings))


def test_the_largest_are_seen_and_counted(small: EvaluationResult) -> None:
    scores = {score.rule_id: score for score in small.rules}
    assert small.advertisers == 3
    assert (small.advertiser_days, small.clean_advertiser_days) == (6, 2)
    for rule_id in ("CONV-001", "PLAT-004"):
        score = scores[rule_id]
        assert (score.planted, score.seen) == (1, 1), small.missed
        assert score.recall == 1.0
        assert score.right == score.raised >= 1
        assert score.median_delay_days is not None
        assert score.median_delay_days <= 2
    assert scores["MEDIA-001"].planted == 0
    assert scores["MEDIA-001"].recall is None
    assert small.recall_by_size == {"conversions_stop": [(5, 1.0, 1)], "rows_missing": [(5, 1.0, 1)]}


def test_it_can_be_read(small: EvaluationResult) -> None:
    text = evaluation_markdown(small)
    assert overall(small) in text
    assert "| CONV-001 | 1 | 100% |" in text
    chart = draw_recall(small)
    assert chart is not None
    assert chart.startswith(b"\x89PNG")


def test_days_are_known_as_daily_loads_saw_them(tmp_path: Path) -> None:
    with connect(str(tmp_path / "private.duckdb")) as connection:
        connection.execute("CREATE SCHEMA raw")
        [drawn], log = write_versions(connection, clean_advertisers([7])[5:], END, lambda _: None)
        advertiser = drawn.facts.advertiser_id
        by_lag = connection.execute(
            "SELECT date_diff('day', date, as_of), sum(conversions), count(*) FROM raw.ad_performance_daily WHERE date = ? GROUP BY 1 ORDER BY 1",
            [END - timedelta(days=30)],
        ).fetchall()
        last = connection.execute("SELECT max(as_of), count(DISTINCT as_of) FROM raw.ad_performance_daily WHERE date = ?", [END]).fetchone()
    # every morning of the window brings more conversions, and none comes after it
    assert [lag for lag, _, _ in by_lag] == list(range(RESTATEMENT_DAYS + 1))
    totals = [conversions for _, conversions, _ in by_lag]
    assert totals == sorted(totals)
    assert totals[0] < 0.75 * totals[-1]
    assert last == (END, 1)
    assert {entry.advertiser_id for entry in log} == {advertiser}
    assert all(entry.date <= entry.as_of <= END for entry in log)


def test_a_small_wiggle_is_not_visible_and_a_collapse_is(tmp_path: Path) -> None:
    from dataclasses import replace

    from marketing_agents.sample.businesses import sample_profiles
    from marketing_agents.sample.profile import Incident

    model = sample_profiles()[0]
    seen = {}
    for size in (0.97, 0.3):
        incident = Incident("cost_per_conversion_rises", size, "google_ads", "Shopping | all products")
        profile = replace(model, incidents=(incident,))
        with connect(str(tmp_path / f"{size}.duckdb")) as connection:
            connection.execute("CREATE SCHEMA raw")
            [drawn], _ = write_versions(connection, [SeededAdvertiser(profile, 5)], END, lambda _: None)
        seen[size] = is_visible(drawn, drawn.incidents[0])
    assert seen == {0.97: False, 0.3: True}


def test_what_names_nothing_is_refused() -> None:
    rules = frozenset({"MEDIA-001"})
    with pytest.raises(NothingToMeasureError, match="no rule or kind of incident MEDIA-01;"):
        advertisers_of(Measurement(frozenset({"MEDIA-01"})), rules)
    with pytest.raises(NothingToMeasureError, match="at least one planted or clean seed"):
        advertisers_of(Measurement(planted_seeds=0, clean_seeds=0), rules)
