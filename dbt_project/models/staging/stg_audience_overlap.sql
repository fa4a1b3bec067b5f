select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    audience_a,
    audience_b,
    overlap_abs,
    overlap_share_of_smaller
from {{ source('raw', 'audience_overlap') }}
