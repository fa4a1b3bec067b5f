{%- set sums = {
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'clicks_w7': {'measure': 'clicks', 'first': 6, 'last': 0, 'cast': whole},
} %}
with

delivery as {{ window_sums(ref('int_ad_days'), ['ad_no'], sums, reach=6) }},

listed as {{ current_rows('ads', ['platform', 'account_id', 'campaign_id', 'adgroup_id', 'ad_id'], ['ad_status', 'final_url'], number='ad_no') }},

{#- Without query and fragment: tracking parameters differ from ad to ad, the page does not. -#}
ads as (
    select
        ad_no,
        advertiser_id,
        date,
        ad_status,
        {{ page_of('final_url') }} as page_url
    from listed
    where final_url is not null
),

missing as {{ missing_pairs('ad_performance_daily', ['adgroup_no'], first=6) }},

pages as (
    select
        ads.advertiser_id,
        ads.date,
        ads.page_url,
        count(case when ads.ad_status = 'enabled' then 1 end) as live_ads,
        {{ exact('coalesce(sum(delivery.spend_w7), 0)') }} as spend_w7,
        coalesce(sum(delivery.clicks_w7), 0) as clicks_w7,
        min(missing.missing_fx_pair) as missing_pair
    from ads
    inner join {{ ref('int_entity_numbers') }} as entities on entities.ad_no = ads.ad_no
    left join delivery on {{ same(['ad_no', 'date'], 'delivery', 'ads') }}
    left join missing on missing.adgroup_no = entities.adgroup_no and missing.date = ads.date
    group by ads.advertiser_id, ads.date, ads.page_url
    having count(case when ads.ad_status = 'enabled' then 1 end) > 0 or coalesce(sum(delivery.spend_w7), 0) > 0
),

{#- A check is not a platform's figure that settles: the day itself counts, not E. -#}
checks as (
    select
        feature_days.date as known_on,
        checks.*,
        checks.date = feature_days.date as is_today,
        coalesce(checks.http_status >= 400 and checks.http_status <> 429, checks.http_status is null) or coalesce(not checks.tls_ok, false) as is_broken,
        coalesce(checks.redirect_kind = 'home', false) or coalesce(checks.is_out_of_stock, false) as is_gone
    from {{ ref('int_feature_days') }} as feature_days
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'url_checks'
            and versions.advertiser_id = feature_days.advertiser_id
            and versions.date between {{ days_add('feature_days.date', -6) }} and feature_days.date
            and versions.as_of <= feature_days.date
            and (versions.superseded_on is null or versions.superseded_on > feature_days.date)
    inner join {{ ref('stg_url_checks') }} as checks on {{ same(['advertiser_id', 'date', 'as_of'], 'checks', 'versions') }}
),

since_well as (
    select
        checks.*,
        max(case when not is_broken then checked_at end) over (partition by advertiser_id, known_on, page_url) as last_answer_at,
        max(case when not is_broken and not is_gone then checked_at end) over (partition by advertiser_id, known_on, page_url) as last_well_at
    from checks
    where is_today
),

{#- Only what has failed ever since the last check that found the page well: a page that is back, or fails for one region only, is not down. -#}
verdicts as (
    select
        advertiser_id,
        known_on as date,
        page_url,
        count(*) as checks_of_day,
        count(case when last_answer_at is null or checked_at > last_answer_at then 1 end) as broken_checks,
        count(distinct case when last_answer_at is null or checked_at > last_answer_at then region end) as broken_regions,
        {{ hours_between(
            'min(case when last_answer_at is null or checked_at > last_answer_at then checked_at end)',
            'max(case when last_answer_at is null or checked_at > last_answer_at then checked_at end)',
        ) }} * 60 as broken_minutes,
        count(case when last_well_at is null or checked_at > last_well_at then 1 end) as gone_checks,
        count(distinct case when last_well_at is null or checked_at > last_well_at then region end) as gone_regions,
        {{ hours_between(
            'min(case when last_well_at is null or checked_at > last_well_at then checked_at end)',
            'max(case when last_well_at is null or checked_at > last_well_at then checked_at end)',
        ) }} * 60 as gone_minutes,
        max(case when is_broken and (last_answer_at is null or checked_at > last_answer_at) then http_status end) as error_status
    from since_well
    group by advertiser_id, known_on, page_url
),

speeds as (
    select
        advertiser_id,
        known_on as date,
        page_url,
        lcp_ms,
        row_number() over (partition by advertiser_id, known_on, page_url order by lcp_ms) as place,
        count(*) over (partition by advertiser_id, known_on, page_url) as places
    from checks
    where lcp_ms is not null
),

{#- Nearest rank: the smallest time that three quarters of the visits do not exceed. -#}
slowness as (
    select
        advertiser_id,
        date,
        page_url,
        max(places) as lcp_checks_w7,
        min(case when 4 * place >= 3 * places then lcp_ms end) as lcp_p75_ms_w7
    from speeds
    group by advertiser_id, date, page_url
)

select
    pages.advertiser_id,
    pages.date,
    pages.page_url,
    advertiser_days.currency_code,
    advertiser_days.evaluated_day,
    {{ whole(days_between('advertiser_days.evaluated_day', 'pages.date')) }} as data_age_days,
    {{ whole('coalesce(known.days, 0)') }} as history_days,
    {{ whole('pages.live_ads') }} as live_ads,
    {{ unless_missing('pages.spend_w7', 'spend_w7', 'pages.missing_pair') }},
    {{ whole('pages.clicks_w7') }} as clicks_w7,
    verdicts.checks_of_day,
    verdicts.broken_checks,
    verdicts.broken_regions,
    {{ whole('round(coalesce(verdicts.broken_minutes, case when verdicts.checks_of_day > 0 then 0 end))') }} as broken_minutes,
    verdicts.gone_checks,
    verdicts.gone_regions,
    {{ whole('round(coalesce(verdicts.gone_minutes, case when verdicts.checks_of_day > 0 then 0 end))') }} as gone_minutes,
    verdicts.error_status,
    {{ whole('coalesce(slowness.lcp_checks_w7, 0)') }} as lcp_checks_w7,
    slowness.lcp_p75_ms_w7,
    pages.missing_pair as missing_fx_pair
from pages
inner join {{ ref('int_advertiser_days') }} as advertiser_days on {{ same(['advertiser_id', 'date'], 'advertiser_days', 'pages') }}
left join verdicts on {{ same(['advertiser_id', 'date', 'page_url'], 'verdicts', 'pages') }}
left join (
    select advertiser_id, known_on as date, page_url, count(distinct date) as days
    from checks
    group by advertiser_id, known_on, page_url
) as known on {{ same(['advertiser_id', 'date', 'page_url'], 'known', 'pages') }}
left join slowness on {{ same(['advertiser_id', 'date', 'page_url'], 'slowness', 'pages') }}
