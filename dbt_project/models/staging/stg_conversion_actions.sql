select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    conversion_action_id,
    name as action_name,
    category as action_category,
    status as action_status,
    is_primary,
    value_mode,
    default_value,
    currency_code,
    valid_from
from {{ source('raw', 'conversion_actions') }}
