select
    advertiser_id,
    date,
    as_of,
    source_bucket,
    sessions,
    unassigned_sessions
from {{ source('raw', 'web_sessions_daily') }}
