select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    campaign_id,
    adgroup_id,
    ad_id,
    name as ad_name,
    status as ad_status,
    valid_from
from {{ source('raw', 'ads') }}
