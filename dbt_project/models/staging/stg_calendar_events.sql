select
    advertiser_id,
    date,
    as_of,
    event_id,
    name as event_name,
    date_from,
    date_to,
    expected_index_orders,
    expected_index_cpm,
    mask_baseline
from {{ source('raw', 'calendar_events') }}
