select distinct
    advertiser_id,
    date
from {{ source('raw', 'asked_slices') }}
