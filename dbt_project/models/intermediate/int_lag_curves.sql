{#- How much of a day's final conversions is known k days after it, per advertiser and feature day: learned from the versions that daily loads
    left behind, or the default curve.

    Learned from the 60 days that are at least `final_lag` days old, when at least 30 of them were loaded on time and the restatement window is
    wide enough to see late conversions come in (else a day would look complete because nobody read it again). What counts is what was known:
    all versions used are older than the feature day, so a replay learns the same curve. -#}
{%- set final_lag = 14 %}
{%- set learned_days = 60 %}
{%- set least_snapshots = 30 %}
with

curve as (
    select lag_days, completeness from {{ ref('default_lag_completeness') }}
),

last_lag as (
    select max(lag_days) as lag_days from curve
),

{#- Versions of a day's facts that say what was known when: a look-back day loaded long after says nothing about delay. -#}
on_time as (
    select
        versions.advertiser_id,
        versions.date,
        versions.as_of,
        versions.superseded_on,
        sum(reports.conversions) as conversions
    from {{ ref('stg_slice_versions') }} as versions
    left join {{ ref('int_account_reports') }} as reports
        on {{ same(['advertiser_id', 'date', 'as_of'], 'reports', 'versions') }}
    where versions.table_name = 'ad_performance_daily' and not versions.is_backfilled
    group by versions.advertiser_id, versions.date, versions.as_of, versions.superseded_on
),

days as (
    select
        advertiser_id,
        date,
        max({{ days_between('date', 'as_of') }}) as longest_lag,
        sum(case
            when superseded_on is null or superseded_on > {{ days_add('date', final_lag) }} then coalesce(conversions, 0) else 0
        end) as final_conversions
    from on_time
    where as_of <= {{ days_add('date', final_lag) }}
    group by advertiser_id, date
    having min(as_of) = date
),

known as (
    select
        on_time.advertiser_id,
        on_time.date,
        curve.lag_days,
        sum(coalesce(on_time.conversions, 0)) as conversions
    from on_time
    inner join days on days.advertiser_id = on_time.advertiser_id and days.date = on_time.date
    inner join curve
        on
            on_time.as_of <= {{ days_add('on_time.date', 'curve.lag_days') }}
            and (on_time.superseded_on is null or on_time.superseded_on > {{ days_add('on_time.date', 'curve.lag_days') }})
    group by on_time.advertiser_id, on_time.date, curve.lag_days
),

learned as (
    select
        feature_days.advertiser_id,
        feature_days.date,
        known.lag_days,
        {{ whole('count(*)') }} as snapshots,
        max(days.longest_lag) as longest_lag,
        sum(known.conversions) as known_conversions,
        sum(days.final_conversions) as final_conversions
    from {{ ref('int_feature_days') }} as feature_days
    inner join days
        on
            days.advertiser_id = feature_days.advertiser_id
            and days.date between {{ days_add('feature_days.date', -(final_lag + learned_days)) }} and {{ days_add('feature_days.date', -(final_lag + 1)) }}
    inner join known on known.advertiser_id = days.advertiser_id and known.date = days.date
    group by feature_days.advertiser_id, feature_days.date, known.lag_days
),

judged as (
    select
        feature_days.advertiser_id,
        feature_days.date,
        curve.lag_days,
        curve.completeness as default_completeness,
        coalesce(
            learned.snapshots >= {{ least_snapshots }} and learned.longest_lag >= last_lag.lag_days and learned.final_conversions > 0, false
        ) as is_learned,
        learned.snapshots,
        learned.known_conversions,
        learned.final_conversions
    from {{ ref('int_feature_days') }} as feature_days
    cross join curve
    cross join last_lag
    left join learned
        on
            learned.advertiser_id = feature_days.advertiser_id
            and learned.date = feature_days.date
            and learned.lag_days = curve.lag_days
)

select
    advertiser_id,
    date,
    lag_days,
    is_learned,
    case
        when is_learned
            then cast({{ exact_ratio('least(known_conversions, final_conversions)', 'final_conversions') }} as {{ share_type() }})
        else default_completeness
    end as completeness
from judged
