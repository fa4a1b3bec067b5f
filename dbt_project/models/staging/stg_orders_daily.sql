select
    advertiser_id,
    date,
    as_of,
    channel_touch,
    campaign_key,
    currency_code,
    orders,
    new_customer_orders,
    revenue,
    discount
from {{ source('raw', 'orders_daily') }}
