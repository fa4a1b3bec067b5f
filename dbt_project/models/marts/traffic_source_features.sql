{#- How tools name visits whose source is not known. Direct visits are a source of their own: people type an address. -#}
{%- set unlabelled = ['all_other', 'other', '(other)', 'unassigned', '(not set)', 'not_set', 'not set', 'unknown', '(none)', ''] %}
with

weeks as (
    {%- for week in range(0, 9) %}
    select {{ week }} as week{{ '\n    union all' if not loop.last }}
    {%- endfor %}
),

{#- E and the same weekday of the eight weeks before, as far as sessions of the day are known on the feature day. -#}
looked_at as (
    select
        advertiser_days.advertiser_id,
        advertiser_days.date,
        advertiser_days.evaluated_day,
        advertiser_days.currency_code,
        weeks.week,
        versions.date as day,
        versions.as_of
    from {{ ref('int_advertiser_days') }} as advertiser_days
    cross join weeks
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'web_sessions_daily'
            and versions.advertiser_id = advertiser_days.advertiser_id
            and versions.date = {{ days_add('advertiser_days.evaluated_day', '-7 * weeks.week') }}
            and versions.as_of <= advertiser_days.date
            and (versions.superseded_on is null or versions.superseded_on > advertiser_days.date)
            and versions.row_count > 0
),

visits as (
    select
        looked_at.advertiser_id,
        looked_at.date,
        looked_at.week,
        facts.source_bucket,
        lower(facts.source_bucket) in ({{ quoted(unlabelled) }}) as is_unlabelled,
        lower(facts.source_bucket) = 'direct' as is_direct,
        facts.sessions,
        coalesce(facts.unassigned_sessions, 0) as unassigned_sessions
    from looked_at
    inner join {{ ref('stg_web_sessions_daily') }} as facts
        on facts.advertiser_id = looked_at.advertiser_id and facts.date = looked_at.day and facts.as_of = looked_at.as_of
),

{#- A loaded day without a row of a source had no visit from it. -#}
source_weeks as (
    select
        sources.advertiser_id,
        sources.date,
        sources.source_bucket,
        looked_at.week,
        coalesce(visits.sessions, 0) as sessions
    from (select distinct advertiser_id, date, source_bucket from visits where not is_unlabelled) as sources
    inner join looked_at on {{ same(['advertiser_id', 'date'], 'looked_at', 'sources') }}
    left join visits on {{ same(['advertiser_id', 'date', 'source_bucket'], 'visits', 'sources') }} and visits.week = looked_at.week
),

sources as (
    select
        advertiser_id,
        date,
        source_bucket,
        max(case when week = 0 then sessions end) as sessions_d,
        {{ median('case when week > 0 then sessions end') }} as sessions_median
    from source_weeks
    group by advertiser_id, date, source_bucket
),

{#- Sources that matter (50 visits a day) and have lost all, or half, of their visits. -#}
fallen as (
    select
        advertiser_id,
        date,
        count(case when sessions_d = 0 then 1 end) as lost_sources,
        count(*) as fallen_sources,
        string_agg(case when sessions_d = 0 then source_bucket end, ', ' order by sessions_median desc, source_bucket) as lost_source_names,
        string_agg(source_bucket, ', ' order by sessions_median desc, source_bucket) as fallen_source_names
    from sources
    where sessions_median >= 50 and sessions_d <= 0.5 * sessions_median
    group by advertiser_id, date
),

days as (
    select
        visits.advertiser_id,
        visits.date,
        visits.week,
        sum(visits.sessions) as sessions,
        {{ real('sum(case when visits.is_unlabelled then visits.sessions else visits.unassigned_sessions end)') }}
            / nullif(sum(visits.sessions), 0) as unassigned_share,
        {{ real('sum(case when visits.is_direct then visits.sessions else 0 end)') }} / nullif(sum(visits.sessions), 0) as direct_share,
        sum(case when paid.platform is not null then visits.sessions else 0 end) as paid_sessions
    from visits
    left join (select distinct advertiser_id, date, platform from {{ ref('int_evaluated_days') }}) as paid
        on {{ same(['advertiser_id', 'date'], 'paid', 'visits') }} and paid.platform = lower(visits.source_bucket)
    group by visits.advertiser_id, visits.date, visits.week
),

{#- Clicks of the platforms that the site knows by name. -#}
clicks as (
    select
        looked_at.advertiser_id,
        looked_at.date,
        looked_at.week,
        sum(steps.clicks) as clicks
    from looked_at
    inner join {{ ref('int_numbered_evaluated_days') }} as accounts on {{ same(['advertiser_id', 'date'], 'accounts', 'looked_at') }}
    inner join (select distinct advertiser_id, date, lower(source_bucket) as platform from visits) as named
        on {{ same(['advertiser_id', 'date', 'platform'], 'named', 'accounts') }}
    inner join {{ ref('int_account_days') }} as steps
        on
            steps.table_name = 'ad_performance_daily'
            and steps.account_no = accounts.account_no
            and steps.date = looked_at.day
            and (not steps.is_correction or (looked_at.date >= steps.visible_from and looked_at.date < steps.visible_to))
    group by looked_at.advertiser_id, looked_at.date, looked_at.week
),

compared as (
    select
        looked_at.advertiser_id,
        looked_at.date,
        looked_at.evaluated_day,
        looked_at.currency_code,
        min(looked_at.day) as first_day,
        count(case when looked_at.week > 0 then 1 end) as weekdays,
        max(case when looked_at.week = 0 then days.sessions end) as sessions_d,
        {{ median('case when looked_at.week > 0 then days.sessions end') }} as sessions_dow_median,
        max(case when looked_at.week = 0 then days.unassigned_share end) as unassigned_share_d,
        {{ median('case when looked_at.week > 0 then days.unassigned_share end') }} as unassigned_share_dow_median,
        max(case when looked_at.week = 0 then days.direct_share end) as direct_share_d,
        {{ median('case when looked_at.week > 0 then days.direct_share end') }} as direct_share_dow_median,
        max(case when looked_at.week = 0 then days.paid_sessions end) as paid_sessions_d,
        max(case when looked_at.week = 0 then clicks.clicks end) as clicks_d,
        count(case when looked_at.week > 0 and clicks.clicks > 0 and days.paid_sessions > 0 then 1 end) as click_to_session_dow_values,
        {{ median(
            'case when looked_at.week > 0 and days.paid_sessions > 0 then ' ~ real('days.paid_sessions') ~ ' / nullif(clicks.clicks, 0) end'
        ) }} as click_to_session_dow_median
    from looked_at
    left join days on {{ same(['advertiser_id', 'date', 'week'], 'days', 'looked_at') }}
    left join clicks on {{ same(['advertiser_id', 'date', 'week'], 'clicks', 'looked_at') }}
    group by looked_at.advertiser_id, looked_at.date, looked_at.evaluated_day, looked_at.currency_code
)

select
    compared.advertiser_id,
    compared.date,
    compared.currency_code,
    compared.evaluated_day,
    {{ whole(days_between('compared.evaluated_day', 'compared.date')) }} as data_age_days,
    {{ history_days('compared.first_day', 'compared.evaluated_day') }} as history_days,
    {{ whole('compared.weekdays') }} as sessions_dow_values,
    {{ whole('compared.sessions_d') }} as sessions_d,
    {{ real('compared.sessions_dow_median') }} as sessions_dow_median,
    {{ real('compared.unassigned_share_d') }} as unassigned_share_d,
    {{ real('compared.unassigned_share_dow_median') }} as unassigned_share_dow_median,
    {{ real('compared.direct_share_d') }} as direct_share_d,
    {{ real('compared.direct_share_dow_median') }} as direct_share_dow_median,
    {{ whole('case when compared.sessions_d is not null then coalesce(fallen.lost_sources, 0) end') }} as lost_sources,
    fallen.lost_source_names,
    {{ whole('case when compared.sessions_d is not null then coalesce(fallen.fallen_sources, 0) end') }} as fallen_sources,
    fallen.fallen_source_names,
    {{ whole('compared.paid_sessions_d') }} as paid_sessions_d,
    {{ whole('nullif(compared.clicks_d, 0)') }} as clicks_d,
    {{ whole('compared.click_to_session_dow_values') }} as click_to_session_dow_values,
    {{ real('compared.click_to_session_dow_median') }} as click_to_session_dow_median,
    cast(null as {{ text_type() }}) as missing_fx_pair
from compared
left join fallen on {{ same(['advertiser_id', 'date'], 'fallen', 'compared') }}
