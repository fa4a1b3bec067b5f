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
    settle_lag_hours,
    spend_cap,
    amount_spent,
    payment_failed,
    is_test,
    funding_type,
    balance,
    auto_top_up
from {{ source('raw', 'platform_accounts') }}
