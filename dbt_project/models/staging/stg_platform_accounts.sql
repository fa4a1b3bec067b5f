select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    name as account_name,
    account_status,
    currency_code,
    time_zone,
    settle_lag_hours
from {{ source('raw', 'platform_accounts') }}
