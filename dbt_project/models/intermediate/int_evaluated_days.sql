{#- Each account is judged on its latest day that is over in its own zone and past its settle lag when the advertiser's morning run happens:
    a day of a UTC account is not over at breakfast in Auckland. Never later than the partition's day, whose data are the newest known. -#}
with

accounts as (
    select distinct
        advertiser_id,
        platform,
        account_id,
        account_no
    from {{ ref('int_entity_numbers') }}
),

reported_zones as (
    select
        advertiser_id,
        platform,
        account_id,
        max(account_time_zone) as time_zone
    from {{ ref('int_ad_entities') }}
    group by advertiser_id, platform, account_id
),

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
        accounts.account_no,
        listed.account_name,
        listed.account_status,
        listed.account_id is not null as is_listed,
        coalesce(listed_zones.time_zone, fact_zones.time_zone, feature_days.time_zone) as time_zone,
        coalesce(listed.settle_lag_hours, feature_days.settle_lag_hours) as settle_lag_hours,
        feature_days.base_currency as currency_code,
        feature_days.evaluation_instant
    from {{ ref('int_feature_days') }} as feature_days
    inner join accounts on accounts.advertiser_id = feature_days.advertiser_id
    left join listed
        on
            listed.advertiser_id = feature_days.advertiser_id
            and listed.date = feature_days.date
            and listed.platform = accounts.platform
            and listed.account_id = accounts.account_id
            and listed.preference = 1
    left join reported_zones
        on
            reported_zones.advertiser_id = accounts.advertiser_id
            and reported_zones.platform = accounts.platform
            and reported_zones.account_id = accounts.account_id
    left join zones as listed_zones on listed_zones.time_zone = listed.time_zone
    left join zones as fact_zones on fact_zones.time_zone = reported_zones.time_zone
),

evaluated as (
    select
        *,
        least(
            date, {{ days_add(local_day(hours_before('evaluation_instant', 'settle_lag_hours'), 'time_zone'), -1) }}
        ) as evaluated_day
    from account_days
),

maturity as (
    select min(lag_days) as mature_lag_days
    from {{ ref('default_lag_completeness') }}
    where completeness >= 0.90
)

select
    evaluated.advertiser_id,
    evaluated.date,
    evaluated.platform,
    evaluated.account_id,
    evaluated.account_no,
    evaluated.account_name,
    evaluated.account_status,
    evaluated.is_listed,
    evaluated.time_zone,
    evaluated.settle_lag_hours,
    evaluated.currency_code,
    evaluated.evaluation_instant,
    evaluated.evaluated_day,
    least(evaluated.evaluated_day, {{ days_add('evaluated.date', '-maturity.mature_lag_days') }}) as matured_day
from evaluated
cross join maturity
