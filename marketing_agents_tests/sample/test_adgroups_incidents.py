"""Incidents of ad groups and audiences are in the tables, by plain arithmetic, and nothing like them is where none was planted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.profile import Incident
from marketing_agents_tests.sample.conftest import ANCHOR, Agency, written

TABLES = (
    "ad_performance_daily",
    "campaign_metrics_daily",
    "campaigns",
    "adgroups",
    "ads",
    "audiences",
    "audience_overlap",
    "reach_window",
)
PLANTED = (
    Incident("adgroup_sells_nothing", 18, "meta_ads", "Broad"),
    Incident("nothing_new", 2.2, "tiktok_ads", "Spark creators"),
    Incident("ads_never_replaced", 2, "meta_ads", "Interest: clean beauty"),
    Incident("budget_cut_to_nothing", 0.25, "tiktok_ads", "Hook tests"),
    Incident("few_people_often", 10, "meta_ads", "Lookalike VIP"),
    Incident("same_people_twice", 0.45, "meta_ads"),
    Incident("list_loses_members", 0.6, "meta_ads", "Cart 7 days"),
    Incident("customer_list_forgotten", 100, "meta_ads"),
    Incident("stuck_in_learning", 0.35, "tiktok_ads", "Video viewers"),
    Incident("ads_refused", 2, "google_ads", "Vitamin C serum"),
)
OTHERS = (Incident("niche_audience", 0.78, "meta_ads", "Broad"),)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Agency:
    [sol] = [p for p in sample_profiles() if p.advertiser.id == "sol-and-sage"]
    second = replace(sol, advertiser=sol.advertiser.model_copy(update={"id": "sol-two"}), incidents=OTHERS)
    return written(tmp_path_factory.mktemp("adgroups"), advertisers=(replace(sol, incidents=PLANTED), second), tables=TABLES, days=90)


def only(planted: Agency, rule_id: str) -> tuple[str, float, str, str]:
    [incident] = planted.incidents(rule_id)
    return incident.entity_id, incident.size, str(incident.first_day), incident.advertiser_id


def before(days: int) -> str:
    return str(ANCHOR - timedelta(days=days))


def test_media_002_clicks_as_ever_and_no_conversion(planted: Agency) -> None:
    adgroup, _, first, _ = only(planted, "MEDIA-002")
    sql = f"select sum(conversions), sum(clicks) / count(distinct date) from ad_performance_daily where adgroup_id = '{adgroup}' and date"
    [(sold, clicks)] = planted.query(f"{sql} >= '{first}'")
    [(sold_before, clicks_before)] = planted.query(f"{sql} < '{first}'")
    assert sold == 0 < sold_before
    assert clicks == pytest.approx(clicks_before, rel=0.2)


def newest_creatives(planted: Agency) -> dict[tuple[str, str], int]:
    """Days since the newest creative of the live ads, by ad group."""
    return {
        (platform, adgroup): days
        for platform, adgroup, days in planted.query(
            f"select platform, adgroup_id, date '{ANCHOR}' - max(greatest(created_date, creative_since)) from ads"
            " where valid_to is null and status = 'enabled' group by all"
        )
    }


def test_creative_003_nothing_new_only_where_planted(planted: Agency) -> None:
    adgroup, size, _, _ = only(planted, "CREATIVE-003")
    ages = newest_creatives(planted)
    assert ages.pop(("tiktok_ads", adgroup)) >= size * 10
    usual = {"tiktok_ads": 7, "meta_ads": 21, "google_ads": 63}
    assert all(age < usual[platform] for (platform, _), age in ages.items())


def test_creative_005_few_live_ads_only_where_planted(planted: Agency) -> None:
    adgroup, size, first, _ = only(planted, "CREATIVE-005")
    live = dict(
        planted.query(
            "select adgroup_id, count(*) filter (where status = 'enabled') from ads where valid_to is null and platform = 'meta_ads' group by 1"
        )
    )
    assert live.pop(adgroup) == size
    assert min(live.values()) >= 5
    shown = planted.value(f"select count(distinct ad_id) from ad_performance_daily where adgroup_id = '{adgroup}' and date >= '{first}'")
    assert shown == size


def test_budget_006_the_money_and_the_budget_shrink_together(planted: Agency) -> None:
    adgroup, size, first, _ = only(planted, "BUDGET-006")
    campaign = planted.value(f"select distinct campaign_id from adgroups where adgroup_id = '{adgroup}'")
    sql = f"select sum(spend) / count(distinct date) from ad_performance_daily where campaign_id = '{campaign}' and date"
    [(after,)], [(usual,)] = planted.query(f"{sql} >= '{first}'"), planted.query(f"{sql} < '{first}'")
    assert float(after) / float(usual) == pytest.approx(size, rel=0.15)
    budgets = [b for (b,) in planted.query(f"select daily_budget from campaigns where campaign_id = '{campaign}' order by valid_from")]
    # reviews move budgets by up to an eighth besides
    assert float(budgets[-1]) / float(budgets[0]) == pytest.approx(size, rel=0.15)
    states = planted.query(
        f"select distinct learning_status from campaign_metrics_daily where campaign_id = '{campaign}' and date >= '{first}'"
    )
    assert states == [("limited",)]


def test_aud_001_a_few_people_see_the_ads_often(planted: Agency) -> None:
    adgroup, _, _, _ = only(planted, "AUD-001")
    often = dict(
        planted.query(
            f"select entity_id, impressions / reach from reach_window where level = 'adgroup' and window_days = 7 and date = '{ANCHOR}'"
        )
    )
    assert often.pop(adgroup) > 4
    assert max(often.values()) < 2


def test_aud_002_most_of_the_audience_was_reached(planted: Agency) -> None:
    audience, size, _, owner = only(planted, "AUD-002")
    reached = planted.query(
        f"select a.audience_id, max(r.reach / a.size_upper) from audiences a, unnest(a.attached_adgroups) u(adgroup_id)"
        f" join reach_window r on r.advertiser_id = a.advertiser_id and r.entity_id = u.adgroup_id and r.window_days = 30 and r.date = '{ANCHOR}'"
        f" where a.valid_to is null and a.role <> 'exclusion' and a.advertiser_id = '{owner}' group by 1"
    )
    shares = dict(reached)
    assert shares.pop(audience) == pytest.approx(size, rel=0.1)
    assert max(shares.values()) < 0.35


def test_aud_003_one_pair_overlaps(planted: Agency) -> None:
    pair, size, _, owner = only(planted, "AUD-003")
    shares = dict(
        planted.query(
            f"select audience_a || '/' || audience_b, overlap_share_of_smaller from audience_overlap where advertiser_id = '{owner}'"
        )
    )
    assert shares.pop(pair) == size
    assert max(shares.values()) < 0.15


def test_aud_004_one_list_has_lost_members(planted: Agency) -> None:
    audience, size, _, owner = only(planted, "AUD-004")
    day = before(28)
    sizes = planted.query(
        f"select a.audience_id, a.size_upper / b.size_upper from audiences a join audiences b using (advertiser_id, audience_id)"
        f" where a.valid_to is null and b.valid_from <= '{day}' and b.valid_to > '{day}' and advertiser_id = '{owner}'"
    )
    left = dict(sizes)
    assert left.pop(audience) == pytest.approx(1 - size, abs=0.05)
    assert min(left.values()) > 0.9


def test_aud_005_one_list_is_old(planted: Agency) -> None:
    audience, size, _, _ = only(planted, "AUD-005")
    ages = dict(planted.query(f"select audience_id, date '{ANCHOR}' - last_refreshed from audiences where valid_to is null"))
    assert ages.pop(audience) >= size
    assert max(ages.values()) <= 14


def test_learn_001_few_results_and_the_platform_says_so(planted: Agency) -> None:
    adgroup, size, first, _ = only(planted, "LEARN-001")
    campaign = planted.value(f"select distinct campaign_id from adgroups where adgroup_id = '{adgroup}'")
    sql = f"select sum(conversions) / sum(clicks) from ad_performance_daily where campaign_id = '{campaign}' and date"
    after = planted.value(f"{sql} between '{first}' and '{before(6)}'")
    usual = planted.value(f"{sql} < '{first}'")
    assert after / usual == pytest.approx(size, rel=0.3)  # type: ignore[operator]
    states = planted.query(
        f"select distinct learning_status from campaign_metrics_daily where campaign_id = '{campaign}' and date >= '{first}'"
    )
    assert states == [("limited",)]


def test_plat_001_refused_ads_are_shown_no_more(planted: Agency) -> None:
    adgroup, size, first, owner = only(planted, "PLAT-001")
    refused = [ad for (ad,) in planted.query("select ad_id from ads where valid_to is null and approval_status = 'disapproved' order by 1")]
    assert len(refused) == size
    listed = ", ".join(f"'{ad}'" for ad in refused)
    sql = f"select count(*) from ad_performance_daily where advertiser_id = '{owner}' and adgroup_id = '{adgroup}' and ad_id in ({listed}) and date"
    assert planted.value(f"{sql} >= '{first}'") == 0
    assert planted.value(f"{sql} < '{first}'") > 0  # type: ignore[operator]
