"""advertiser_features, column by column, equals a brute-force reading of the same raw rows. campaign_features: test_marts_against_reference.py."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketing_agents_tests.dbt.conftest import END, Agency
from marketing_agents_tests.dbt.raw_database import read_mart
from marketing_agents_tests.dbt.reference import Known
from marketing_agents_tests.dbt.reference_media import advertisers


@pytest.fixture(scope="module")
def known(agency: Agency) -> list[Known]:
    return [
        Known(agency.raw, advertiser, END - timedelta(days=n)) for advertiser in agency.raw.advertisers for n in (0, 1, 2, 5, 11, 23, 40)
    ]


def test_advertiser_features_equal_the_reference(agency: Agency, known: list[Known]) -> None:
    expected = {(k.id, k.d): row for k in known for row in advertisers(k)}
    found = {(row["advertiser_id"], row["date"]): row for row in read_mart(agency.database, "advertiser_features", list(expected))}

    assert sorted(found, key=str) == sorted(expected, key=str)
    different = {
        (*key, column): (found[key][column], value)
        for key, row in expected.items()
        for column, value in row.items()
        if found[key][column] != value
    }
    assert different == {}
    assert set(next(iter(found.values()))) == set(next(iter(expected.values())))


def test_the_random_rows_hurt(agency: Agency) -> None:
    """The comparison means something only where the data has what it is about."""
    rows = read_mart(agency.database, "campaign_features")
    for column in ("normal_days_w7", "normal_days_b28", "dow_values", "expected_cpm_index_w7", "recent_changes", "has_event_d"):
        assert len({row[column] for row in rows}) > 2 - (column == "has_event_d"), column
    for column in ("cpm_index_at_mix", "ctr_index_at_mix", "value_spread_w14m", "recent_changes"):
        assert 0 < sum(row[column] is None for row in rows) < len(rows), column
    assert any(row["complete_spend_s7"] not in (0, None) and row["normal_days_s7"] < 7 for row in rows)  # type: ignore[operator]
    whole = read_mart(agency.database, "advertiser_features")
    assert {row["counts_purchases_only"] for row in whole} >= {True, False}
    assert any(row["revenue_w7c"] is not None and row["comparable_days_w7"] < 7 for row in whole)  # type: ignore[operator]
    assert {row["discount_share_w7c"] is None for row in whole} == {True, False}
