select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    connector_id,
    name as connector_name,
    status as connector_status,
    error_code,
    consecutive_failures,
    last_success_at,
    token_expires_at,
    quota_429_rate
from {{ source('raw', 'connector_runs') }}
