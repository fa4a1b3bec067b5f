{#- The accounts of an advertiser as known on each feature day: listed, or with rows in its look-back. A pure function of the versions up to
    that day: what a chunk loads before and after adds no account and changes no zone. -#}
{%- set look_back_days = 125 %}
with

reported as (
    select
        feature_days.advertiser_id,
        feature_days.date,
        reports.platform,
        reports.account_id,
        reports.date as reported_on,
        reports.time_zone,
        reports.conversions is not null as has_conversions
    from {{ ref('int_feature_days') }} as feature_days
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'ad_performance_daily'
            and versions.advertiser_id = feature_days.advertiser_id
            and versions.date between {{ days_add('feature_days.date', -look_back_days) }} and feature_days.date
            and versions.as_of <= feature_days.date
            and (versions.superseded_on is null or versions.superseded_on > feature_days.date)
    inner join {{ ref('int_account_reports') }} as reports
        on {{ same(['advertiser_id', 'date', 'as_of'], 'reports', 'versions') }}
),

listed as (
    select
        slices.advertiser_id,
        slices.date,
        accounts.platform,
        accounts.account_id
    from {{ ref('int_current_slices') }} as slices
    inner join {{ ref('stg_platform_accounts') }} as accounts
        on accounts.advertiser_id = slices.advertiser_id and accounts.date = slices.slice_date and accounts.as_of = slices.as_of
    where slices.table_name = 'platform_accounts'
),

mentions as (
    select advertiser_id, date, platform, account_id, reported_on, time_zone, has_conversions from reported
    union all
    select advertiser_id, date, platform, account_id, null, null, false from listed
)

{#- The newest zone that the platform named: an account that moves is judged by where it is. -#}
select
    advertiser_id,
    date,
    platform,
    account_id,
    max_by(time_zone, case when time_zone is not null then reported_on end) as reported_time_zone,
    max(case when has_conversions then 1 else 0 end) = 1 as reports_conversions
from mentions
group by advertiser_id, date, platform, account_id
