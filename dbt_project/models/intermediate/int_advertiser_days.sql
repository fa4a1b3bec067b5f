{#- What is judged for the whole advertiser waits for the slowest of its active accounts. -#}
with

slowest as (
    select
        advertiser_id,
        date,
        min(case when is_listed and account_status = 'active' then evaluated_day end) as active_evaluated_day,
        min(evaluated_day) as any_evaluated_day
    from {{ ref('int_evaluated_days') }}
    group by advertiser_id, date
)

select
    feature_days.advertiser_id,
    feature_days.date,
    coalesce(slowest.active_evaluated_day, slowest.any_evaluated_day, feature_days.own_evaluated_day) as evaluated_day,
    feature_days.base_currency as currency_code,
    feature_days.gross_margin,
    feature_days.target_cpa
from {{ ref('int_feature_days') }} as feature_days
left join slowest on slowest.advertiser_id = feature_days.advertiser_id and slowest.date = feature_days.date
