select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    window_days,
    level,
    entity_id,
    reach,
    impressions
from {{ source('raw', 'reach_window') }}
