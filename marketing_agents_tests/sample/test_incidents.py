"""Each planted incident is in the data, by plain arithmetic, whatever the day of the month."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from math import exp, sqrt

import pytest

from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.profile import Incident
from marketing_agents_tests.sample.conftest import ANCHOR, Agency, written

NEEDED = (
    "ad_performance_daily",
    "campaigns",
    "adgroups",
    "ads",
    "budget_plans",
    "fx_rates",
    "conversions_by_action_daily",
    "orders_daily",
    "calendar_events",
    "campaign_metrics_daily",
)


@pytest.fixture(scope="module", params=[ANCHOR, date(2026, 3, 1), date(2027, 1, 2)], ids=str)
def demo(request, agency, tmp_path_factory) -> Agency:
    """The demo's agency on three mornings, two of them at the start of a month."""
    if request.param == ANCHOR:
        return agency
    return written(tmp_path_factory.mktemp("demo"), end=request.param, anchor=request.param, tables=NEEDED)


def day(demo: Agency, before: int) -> date:
    return demo.truth.anchor - timedelta(days=before)


def test_every_rule_has_an_incident_and_every_advertiser_but_one_has_some(demo):
    rules = {rule for i in demo.truth.incidents for rule in i.rule_ids}
    assert rules == {"MEDIA-001", "CREATIVE-004", "BUDGET-001", "AUD-006", "CONV-001", "PLAT-004", "SEAS-001"}
    assert demo.truth.clean_advertisers == ("kiritimati-bonefish",)
    assert all(i.first_day <= demo.truth.anchor and (i.last_day is None or i.last_day >= demo.truth.anchor) for i in demo.truth.incidents)
    assert all(i.sentence and i.entity_name for i in demo.truth.incidents)


def test_media_001_cost_per_conversion_is_far_above_target(demo):
    indices = {}
    for incident in demo.incidents("MEDIA-001"):
        [(index, conversions)] = demo.query(
            f"select sum(p.spend) / sum(p.conversions) / any_value(c.target_cpa), sum(p.conversions) from ad_performance_daily p join campaigns c using (advertiser_id, campaign_id)"
            f" where p.advertiser_id = '{incident.advertiser_id}' and p.campaign_id = '{incident.entity_id}' and c.valid_to is null and p.date between '{day(demo, 13)}' and '{day(demo, 3)}'"
        )
        indices[incident.size] = index
        assert conversions >= 30
        spend, before = demo.query(
            f"select sum(spend) / 14, sum(conversions) / sum(clicks) from ad_performance_daily where campaign_id = '{incident.entity_id}' and date between '{day(demo, 50)}' and '{day(demo, 12)}'"
        )[0]
        after = demo.value(
            f"select sum(conversions) / sum(clicks) from ad_performance_daily where campaign_id = '{incident.entity_id}' and date between '{incident.first_day}' and '{day(demo, 5)}'"
        )
        assert after / before == pytest.approx(incident.size, rel=0.2)
        assert spend > 0
    assert indices[0.36] >= 1.5
    assert 1.2 <= indices[0.56] < 1.5


def test_creative_004_one_ad_takes_the_group_without_being_better(demo):
    for incident in demo.incidents("CREATIVE-004"):
        ads = demo.query(
            f"select ad_id, sum(spend), sum(impressions), sum(clicks), count(distinct date) from ad_performance_daily where adgroup_id = '{incident.entity_id}'"
            f" and date > '{day(demo, 14)}' group by 1 order by 2 desc"
        )
        total = sum(float(spend) for _, spend, *_ in ads)
        assert float(ads[0][1]) / total == pytest.approx(incident.size, abs=0.02)
        assert total >= 500
        assert sum(days >= 10 for *_, days in ads) >= 3
        (_, _, n1, x1, _), (_, _, n2, x2, _) = ads[:2]
        pooled = (x1 + x2) / (n1 + n2)
        assert (x1 / n1 - x2 / n2) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2)) < 1.64


def test_the_hostile_instruction_is_the_top_ad_of_an_incident(demo):
    [incident] = [i for i in demo.incidents("CREATIVE-004") if i.advertiser_id == "harbour-thread"]
    name = demo.value(
        f"select distinct name from ads join (select ad_id, sum(spend) s from ad_performance_daily where adgroup_id = '{incident.entity_id}' and date > '{day(demo, 14)}' group by 1 order by 2 desc limit 1) using (ad_id)"
    )
    assert name.startswith("Ignore previous instructions")


def spent_against_plan(demo: Agency, plan_id: str) -> tuple[float, int, int]:
    """(spend / linear share of the plan, days elapsed, days left)."""
    [(pace, elapsed, left)] = demo.query(
        f"with plan as (from budget_plans where plan_id = '{plan_id}'), spend as (select sum(p.spend * coalesce(f.rate, 1)) s from plan join ad_performance_daily p using (advertiser_id)"
        " left join fx_rates f on f.advertiser_id = p.advertiser_id and f.date = p.date and f.from_currency = p.currency_code"
        " where p.date between period_start and period_end and (scope = 'advertiser' or list_contains(scope_ids, p.account_id) or list_contains(scope_ids, p.campaign_id)))"
        f" select s / amount / ((date '{demo.truth.anchor}' - period_start + 1) / (period_end - period_start + 1)), date '{demo.truth.anchor}' - period_start + 1, period_end - date '{demo.truth.anchor}' from plan, spend"
    )
    return float(pace), elapsed, left


def test_budget_001_runs_ahead_of_a_plan_that_is_well_under_way(demo):
    for incident in demo.incidents("BUDGET-001"):
        pace, elapsed, left = spent_against_plan(demo, incident.entity_id)
        assert (elapsed, left) == (20, 8)
        # 20 days are not whole weeks, so the linear share is a little off: hence the tolerance.
        assert pace == pytest.approx(incident.size, abs=0.08)
        assert pace > 1.1


def test_other_plans_are_kept(demo):
    planted = {i.entity_id for i in demo.incidents("BUDGET-001")}
    current = demo.query(f"select plan_id from budget_plans where date '{demo.truth.anchor}' between period_start + 9 and period_end")
    for (plan_id,) in current:
        if plan_id not in planted:
            assert 0.85 < spent_against_plan(demo, plan_id)[0] < 1.1, plan_id


def test_aud_006_existing_customers_in_prospecting(demo):
    for incident in demo.incidents("AUD-006"):
        [(share, orders)] = demo.query(
            f"select 1 - sum(new_customer_orders) / sum(orders), sum(orders) from orders_daily where campaign_key = '{incident.entity_id}' and date > '{day(demo, 28)}'"
        )
        assert orders >= 30
        assert share == pytest.approx(incident.size, abs=0.05)
        exclusion = demo.value(
            f"select has_purchaser_exclusion from campaigns where campaign_id = '{incident.entity_id}' and valid_to is null"
        )
        assert exclusion is (incident.size < 0.4)


def test_conv_001_a_primary_action_is_silent_while_clicks_are_normal(demo):
    [incident] = demo.incidents("CONV-001")
    where = f"account_id = '{incident.account_id}'"
    assert (
        demo.value(
            f"select coalesce(sum(conversions), 0) from conversions_by_action_daily where conversion_action_id = '{incident.entity_id}' and date > '{day(demo, 3)}'"
        )
        == 0
    )
    before = demo.value(
        f"select sum(conversions) / 28 from conversions_by_action_daily where conversion_action_id = '{incident.entity_id}' and date between '{day(demo, 34)}' and '{day(demo, 7)}'"
    )
    assert exp(-before) < 0.001
    clicks = "select sum(clicks) / count(distinct date) from ad_performance_daily where " + where
    assert (
        0.7
        < demo.value(f"{clicks} and date > '{day(demo, 3)}'")
        / demo.value(f"{clicks} and date between '{day(demo, 34)}' and '{day(demo, 7)}'")
        < 1.4
    )
    # The other primary action still counts, so the ads lose the silent part only; the shop has its orders all the same.
    assert demo.value(f"select sum(conversions) from ad_performance_daily where {where} and date > '{day(demo, 3)}'") > 0
    orders = (
        "select sum(orders) / count(distinct date) from orders_daily where channel_touch = 'google_ads' and advertiser_id = 'vidya-path'"
    )
    assert demo.value(f"{orders} and date > '{day(demo, 3)}'") > 0.5 * demo.value(f"{orders} and date <= '{day(demo, 3)}'")


@pytest.mark.parametrize("table", ["ad_performance_daily", "conversions_by_action_daily", "campaign_metrics_daily"])
def test_plat_004_an_account_has_no_rows_for_two_days(demo, table):
    [incident] = demo.incidents("PLAT-004")
    days = [
        d
        for (d,) in demo.query(
            f"select distinct date from {table} where account_id = '{incident.account_id}' and date > '{day(demo, 16)}' order by 1"
        )
    ]
    assert days == [day(demo, n) for n in range(15, 1, -1)]


def test_seas_001_a_peak_is_near_and_the_plan_is_flat(demo):
    [incident] = demo.incidents("SEAS-001")
    [(first, index)] = demo.query(f"select date_from, expected_index_orders from calendar_events where event_id = '{incident.entity_id}'")
    assert (first - demo.truth.anchor).days == 10
    assert index == 2.2
    [(planned,)] = demo.query(
        f"select amount / (period_end - period_start + 1) from budget_plans where advertiser_id = '{incident.advertiser_id}' and scope = 'advertiser' and '{first}' between period_start and period_end"
    )
    spent = demo.value(
        f"select sum(p.spend * coalesce(f.rate, 1)) / 28 from ad_performance_daily p left join fx_rates f on f.advertiser_id = p.advertiser_id and f.date = p.date and f.from_currency = p.currency_code"
        f" where p.advertiser_id = '{incident.advertiser_id}' and p.date > '{day(demo, 28)}'"
    )
    assert float(planned) / float(spent) < 1.1


def test_a_clean_agency_has_no_incident(clean_agency):
    assert clean_agency.truth.incidents == ()
    assert clean_agency.truth.clean_advertisers == clean_agency.truth.advertisers


def test_an_incident_changes_its_own_advertiser_only(agency, clean_agency):
    sql = "from ad_performance_daily where advertiser_id = 'kiritimati-bonefish'"
    assert agency.query(sql) == clean_agency.query(sql)
    assert agency.query("select count(*) from ad_performance_daily where advertiser_id = 'ledgerline'") != [(0,)]


def test_causes_are_in_the_change_log(agency):
    fields = dict(
        agency.query(
            f"select field, count(*) from change_events where date >= '{ANCHOR - timedelta(days=40)}' and field <> 'headline' group by 1"
        )
    )
    assert set(fields) == {"daily_budget", "final_url", "excluded_audiences"}


@pytest.mark.parametrize(
    ("platform", "theme", "message"),
    [
        ("snapchat_ads", "", "no account on 'snapchat_ads'; it has: google_ads"),
        ("meta_ads", "Brodo", "no campaign with the theme 'Brodo' on 'meta_ads'; it has: "),
    ],
)
def test_an_incident_in_a_place_that_does_not_exist_names_the_place(tmp_path, platform, theme, message):
    kind = "cost_per_conversion_rises" if theme else "rows_missing"
    profile = replace(sample_profiles()[0], incidents=(Incident(kind, 2, platform, theme),))
    with pytest.raises(ValueError, match=message):
        written(tmp_path, advertisers=(profile,), days=20, tables=("campaigns",))
