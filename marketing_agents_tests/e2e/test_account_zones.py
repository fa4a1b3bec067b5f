"""Accounts in other zones than their advertiser, and accounts that settle late: no false alarm, and every finding says which day it judges.

Which day that is, case by case: dbt/test_account_zones.py.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import dagster as dg
import pytest

from marketing_agents.days import LocalDay
from marketing_agents.rules.tables import findings_from_table
from marketing_agents.sample.agency import write_agency
from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.spec import AgencySpec
from marketing_agents_tests.e2e.one_answer import change_source, open_pipeline, run
from marketing_agents_tests.e2e.pipeline import ANCHOR

CLEAN, TROUBLED = "kiritimati-bonefish", "kowhai-outdoors"
UTC_PLATFORM = "tiktok_ads"


def business(advertiser_id, *, like=CLEAN, slow=None, **advertiser):
    """A business of the sample under another id; `slow`: platform and settle lag of one account."""
    profile = next(p for p in sample_profiles() if p.advertiser.id == like)
    accounts = tuple(dataclasses.replace(a, settle_lag_hours=slow[1]) if slow and a.platform == slow[0] else a for a in profile.accounts)
    return dataclasses.replace(
        profile, advertiser=profile.advertiser.model_copy(update={"id": advertiser_id, **advertiser}), accounts=accounts
    )


# What is expected of E on the anchor day: days before it, by platform; 0 where nothing is said.
EXPECTED = {
    "a-kiritimati-utc": {UTC_PLATFORM: 1},
    "b-los-angeles-utc": {},
    "c-auckland-new-york": {UTC_PLATFORM: 1},
    "d-london-slow": {"meta_ads": 2},
    "e-london-late-morning": {},
}
AGENCY = (
    business("a-kiritimati-utc"),
    business("b-los-angeles-utc", time_zone="America/Los_Angeles"),
    business("c-auckland-new-york", time_zone="Pacific/Auckland"),
    business("d-london-slow", time_zone="Europe/London", slow=("meta_ads", 48)),
    business("e-london-late-morning", time_zone="Europe/London", settle_lag_hours=8, slow=("meta_ads", 8)),
    business(TROUBLED, like=TROUBLED),
)


@pytest.fixture(scope="module")
def morning(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zones")
    source = folder / "source"
    write_agency(source, AgencySpec(end=ANCHOR, days=90, advertisers=AGENCY))

    def in_new_york(row, column):
        ours = row["advertiser_id"] == "c-auckland-new-york" and row["platform"] == UTC_PLATFORM
        return {**row, column: "America/New_York"} if ours else row

    change_source(source, "platform_accounts", lambda row: in_new_york(row, "time_zone"))
    change_source(source, "ad_performance_daily", lambda row: in_new_york(row, "account_time_zone"))
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = open_pipeline(folder / "store", source, instance)
        run(pipeline, [LocalDay(p.advertiser.id, ANCHOR) for p in AGENCY])
        yield pipeline


def open_findings(pipeline, advertiser_id):
    found = findings_from_table(pipeline.warehouse.read_slices("findings", [LocalDay(advertiser_id, ANCHOR)]))
    return [finding for finding in found if finding.is_open]


def evaluated_days(pipeline, advertiser_id):
    rows = pipeline.warehouse.read_slices("int_evaluated_days", [LocalDay(advertiser_id, ANCHOR)]).to_pylist()
    return {row["platform"]: row["evaluated_day"] for row in rows}


@pytest.mark.parametrize("advertiser_id", list(EXPECTED))
def test_a_clean_advertiser_raises_nothing_whatever_zone_its_accounts_are_in(morning, advertiser_id):
    days = evaluated_days(morning, advertiser_id)
    assert days == {platform: ANCHOR - timedelta(days=EXPECTED[advertiser_id].get(platform, 0)) for platform in days}
    assert set(days) == {"google_ads", "meta_ads", UTC_PLATFORM}
    assert [(f.rule_id, f.entity.key) for f in open_findings(morning, advertiser_id)] == []


def test_every_finding_carries_the_day_of_its_account_in_its_evidence(morning):
    days = evaluated_days(morning, TROUBLED)
    assert len(set(days.values())) > 1  # accounts in two zones
    judged = {platform: [] for platform in days}
    for finding in open_findings(morning, TROUBLED):
        if finding.entity.platform == "NA":
            continue
        fact = next(f for f in finding.facts if f.name == "evaluated_day")
        judged[finding.entity.platform].append((finding.evaluated_day, fact.text, finding.data_age_days))
    assert any(judged.values())
    for platform, found in judged.items():
        expected = days[platform]
        assert set(found) <= {(expected, expected.isoformat(), (ANCHOR - expected).days)}
