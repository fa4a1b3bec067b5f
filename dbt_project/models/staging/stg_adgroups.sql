select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    campaign_id,
    adgroup_id,
    name as adgroup_name,
    status as adgroup_status,
    is_dynamic_creative,
    audience_ids,
    daily_budget,
    labels,
    currency_code,
    valid_from
from {{ source('raw', 'adgroups') }}
