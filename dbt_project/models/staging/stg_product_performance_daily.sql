select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    item_id,
    currency_code,
    revenue
from {{ source('raw', 'product_performance_daily') }}
