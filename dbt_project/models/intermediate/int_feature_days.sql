{#- Episodes look 55 days back, so the features of D-55..D are needed to judge D; each is computed as its own morning would have. Who asks says
    how many days before D are wanted: a day that is judged a second time (rules/retraction.py) needs none. -#}
with

feature_days as (
    select distinct
        asked.advertiser_id,
        days.feature_date as date
    from {{ ref('stg_asked_slices') }} as asked
    cross join {{ each_day(days_add('asked.date', '-asked.episode_days'), 'asked.date', 'days', 'feature_date') }}
),

instants as (
    select
        feature_days.advertiser_id,
        feature_days.date,
        advertisers.time_zone,
        {{ evaluation_instant('feature_days.date', 'advertisers.time_zone', 'advertisers.run_time_local', 'advertisers.settle_lag_hours') }} as evaluation_instant,
        advertisers.base_currency,
        advertisers.settle_lag_hours,
        advertisers.target_cpa,
        advertisers.gross_margin
    from feature_days
    inner join {{ ref('stg_advertisers') }} as advertisers on advertisers.advertiser_id = feature_days.advertiser_id
),

evaluated as (
    select
        *,
        least(
            date, {{ days_add(local_day(hours_before('evaluation_instant', 'settle_lag_hours'), 'time_zone'), -1) }}
        ) as own_evaluated_day
    from instants
)

select
    evaluated.advertiser_id,
    evaluated.date,
    evaluated.evaluation_instant,
    evaluated.time_zone,
    evaluated.base_currency,
    evaluated.settle_lag_hours,
    evaluated.target_cpa,
    evaluated.gross_margin,
    evaluated.own_evaluated_day
from evaluated
