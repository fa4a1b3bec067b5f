select
    advertiser_id,
    time_zone,
    run_time_local,
    base_currency,
    gross_margin,
    target_cpa,
    target_roas,
    settle_lag_hours,
    brand_tokens,
    trusted_actors
from {{ source('raw', 'advertisers') }}
