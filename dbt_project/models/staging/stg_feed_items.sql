select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    item_id,
    title as item_title,
    status as item_status,
    availability
from {{ source('raw', 'feed_items') }}
