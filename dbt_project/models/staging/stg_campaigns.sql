select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    campaign_id,
    name as campaign_name,
    role as campaign_role,
    status as campaign_status,
    daily_budget,
    target_cpa,
    has_purchaser_exclusion,
    currency_code,
    valid_from
from {{ source('raw', 'campaigns') }}
