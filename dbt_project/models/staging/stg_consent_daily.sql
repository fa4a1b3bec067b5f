select
    advertiser_id,
    date,
    as_of,
    region,
    granted,
    denied,
    unset
from {{ source('raw', 'consent_daily') }}
