select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    campaign_id,
    conversion_action_id,
    currency_code,
    {{ exact('conversions') }} as conversions,
    conversion_value
from {{ source('raw', 'conversions_by_action_daily') }}
