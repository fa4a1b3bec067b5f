select
    advertiser_id,
    date,
    as_of,
    source,
    event_name,
    browser_events,
    server_events,
    dedup_rate,
    emq_score
from {{ source('raw', 'tag_health_daily') }}
