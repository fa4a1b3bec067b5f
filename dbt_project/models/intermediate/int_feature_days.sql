{#- Episodes look 55 days back, so the features of D-55..D are needed to judge D; each is computed as its own morning would have. -#}
{%- set episode_days = 55 %}

with

feature_days as (
    select distinct
        asked.advertiser_id,
        days.feature_date as date
    from {{ ref('stg_asked_slices') }} as asked
    cross join {{ each_day(days_add('asked.date', -episode_days), 'asked.date', 'days', 'feature_date') }}
),

instants as (
    select
        feature_days.advertiser_id,
        feature_days.date,
        advertisers.time_zone,
        {{ local_time(days_add('feature_days.date', 1), 'advertisers.run_time_local', 'advertisers.time_zone') }} as evaluation_instant,
        advertisers.base_currency,
        advertisers.settle_lag_hours,
        advertisers.target_cpa,
        advertisers.gross_margin
    from feature_days
    inner join {{ ref('stg_advertisers') }} as advertisers on advertisers.advertiser_id = feature_days.advertiser_id
)

select
    advertiser_id,
    date,
    evaluation_instant,
    time_zone,
    base_currency,
    settle_lag_hours,
    target_cpa,
    gross_margin,
    least(
        date, {{ days_add(local_day(hours_before('evaluation_instant', 'settle_lag_hours'), 'time_zone'), -1) }}
    ) as own_evaluated_day
from instants
