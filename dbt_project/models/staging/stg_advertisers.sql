select
    advertiser_id,
    time_zone,
    run_time_local,
    base_currency,
    gross_margin,
    target_cpa,
    settle_lag_hours
from {{ source('raw', 'advertisers') }}
