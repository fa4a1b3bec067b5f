select
    advertiser_id,
    date,
    max(episode_days) as episode_days
from {{ source('raw', 'asked_slices') }}
group by advertiser_id, date
