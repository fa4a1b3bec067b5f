with

{# Which version of each day's answers counts on a feature day. The banner has no platform account: E is that of the advertiser's own clock. #}
known_days as (
    select
        feature_days.advertiser_id,
        feature_days.date,
        feature_days.base_currency as currency_code,
        feature_days.own_evaluated_day as evaluated_day,
        versions.date as day,
        versions.as_of
    from {{ ref('int_feature_days') }} as feature_days
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'consent_daily'
            and versions.advertiser_id = feature_days.advertiser_id
            and versions.date between {{ days_add('feature_days.own_evaluated_day', -34) }} and feature_days.own_evaluated_day
            and versions.as_of <= feature_days.date
            and (versions.superseded_on is null or versions.superseded_on > feature_days.date)
),

coverage as (
    select
        advertiser_id,
        date,
        count(case when {{ days_between('day', 'evaluated_day') }} < 7 then 1 end) as days_w7,
        count(case when {{ days_between('day', 'evaluated_day') }} >= 7 then 1 end) as days_b28
    from known_days
    group by advertiser_id, date
),

answers as (
    select
        known_days.advertiser_id,
        known_days.date,
        known_days.currency_code,
        known_days.evaluated_day,
        reported.region,
        min(reported.date) as first_day,
        {%- for window, condition in {'w7': '< 7', 'b28': '>= 7'}.items() %}
        {%- for answer in ['granted', 'denied', 'unset'] %}
        {{ whole('sum(case when ' ~ days_between('reported.date', 'known_days.evaluated_day') ~ ' ' ~ condition ~ ' then reported.' ~ adapter.quote(answer) ~ ' else 0 end)') }} as {{ answer }}_{{ window }}{{ ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
        {%- endfor %}
    from known_days
    inner join {{ ref('stg_consent_daily') }} as reported
        on
            {{ same(['advertiser_id', 'as_of'], 'reported', 'known_days') }}
            and reported.date = known_days.day
    group by known_days.advertiser_id, known_days.date, known_days.currency_code, known_days.evaluated_day, reported.region
),

hits as (
    select
        *,
        granted_w7 + denied_w7 + unset_w7 as hits_w7,
        granted_b28 + denied_b28 + unset_b28 as hits_b28,
        sum(granted_w7 + denied_w7 + unset_w7) over (partition by advertiser_id, date) as advertiser_hits_w7
    from answers
),

spending as (
    select
        advertiser_id,
        date,
        sum(spend_w7) as spend_w7,
        min(missing_fx_pair) as missing_fx_pair
    from {{ ref('campaign_features') }}
    group by advertiser_id, date
)

select
    hits.advertiser_id,
    hits.date,
    hits.region,
    {{ is_consent_region('hits.region') }} as needs_consent_signal,
    hits.currency_code,
    hits.evaluated_day,
    {{ whole(days_between('hits.evaluated_day', 'hits.date')) }} as data_age_days,
    {{ history_days('hits.first_day', 'hits.evaluated_day') }} as history_days,
    hits.granted_w7,
    hits.denied_w7,
    hits.unset_w7,
    {{ whole('hits.hits_w7') }} as hits_w7,
    hits.granted_b28,
    hits.denied_b28,
    hits.unset_b28,
    {{ whole('hits.hits_b28') }} as hits_b28,
    {{ whole('coverage.days_w7') }} as days_w7,
    {{ whole('coverage.days_b28') }} as days_b28,
    case
        when spending.missing_fx_pair is null
            then {{ exact(real('spending.spend_w7') ~ ' * ' ~ real('hits.hits_w7') ~ ' / nullif(' ~ real('hits.advertiser_hits_w7') ~ ', 0)') }}
    end as spend_share_w7,
    spending.missing_fx_pair
from hits
inner join coverage on {{ same(['advertiser_id', 'date'], 'coverage', 'hits') }}
left join spending on {{ same(['advertiser_id', 'date'], 'spending', 'hits') }}
