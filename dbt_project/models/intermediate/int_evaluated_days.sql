{#- Each account is judged on its latest day that is over in its own zone and past its settle lag when the advertiser's morning run happens:
    a day of a UTC account is not over at breakfast in Auckland. Never later than the partition's day, whose data are the newest known. -#}
with

listed as (
    select
        slices.advertiser_id,
        slices.date,
        accounts.platform,
        accounts.account_id,
        accounts.account_name,
        accounts.account_status,
        accounts.time_zone,
        accounts.settle_lag_hours,
        row_number() over (
            partition by accounts.advertiser_id, slices.date, accounts.platform, accounts.account_id order by accounts.account_name
        ) as preference
    from {{ ref('stg_platform_accounts') }} as accounts
    inner join {{ ref('int_current_slices') }} as slices
        on
            slices.table_name = 'platform_accounts'
            and slices.advertiser_id = accounts.advertiser_id
            and slices.slice_date = accounts.date
            and slices.as_of = accounts.as_of
),

zones as (
    select time_zone from {{ known_zones() }} as zones
),

account_days as (
    select
        feature_days.advertiser_id,
        feature_days.date,
        accounts.platform,
        accounts.account_id,
        listed.account_name,
        listed.account_status,
        listed.account_id is not null as is_listed,
        coalesce(listed_zones.time_zone, accounts.reported_time_zone, feature_days.time_zone) as time_zone,
        coalesce(listed.settle_lag_hours, feature_days.settle_lag_hours) as settle_lag_hours,
        feature_days.base_currency as currency_code,
        feature_days.evaluation_instant,
        mature.mature_lag_days,
        mature.is_lag_learned,
        accounts.reports_conversions
    from {{ ref('int_feature_days') }} as feature_days
    inner join {{ ref('int_known_accounts') }} as accounts
        on accounts.advertiser_id = feature_days.advertiser_id and accounts.date = feature_days.date
    left join listed
        on
            listed.advertiser_id = feature_days.advertiser_id
            and listed.date = feature_days.date
            and listed.platform = accounts.platform
            and listed.account_id = accounts.account_id
            and listed.preference = 1
    inner join {{ mature_lags() }} as mature on mature.advertiser_id = feature_days.advertiser_id and mature.date = feature_days.date
    left join zones as listed_zones on listed_zones.time_zone = listed.time_zone
),

evaluated as (
    select
        *,
        least(
            date, {{ days_add(local_day(hours_before('evaluation_instant', 'settle_lag_hours'), 'time_zone'), -1) }}
        ) as evaluated_day
    from account_days
)

select
    evaluated.advertiser_id,
    evaluated.date,
    evaluated.platform,
    evaluated.account_id,
    evaluated.account_name,
    evaluated.account_status,
    evaluated.is_listed,
    evaluated.time_zone,
    evaluated.settle_lag_hours,
    evaluated.currency_code,
    evaluated.evaluation_instant,
    evaluated.evaluated_day,
    least(evaluated.evaluated_day, {{ days_add('evaluated.date', '-evaluated.mature_lag_days') }}) as matured_day,
    evaluated.is_lag_learned,
    evaluated.reports_conversions
from evaluated
