select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    campaign_id,
    adgroup_id,
    ad_id,
    currency_code,
    account_time_zone,
    impressions,
    clicks,
    spend,
    {{ exact('conversions') }} as conversions
from {{ source('raw', 'ad_performance_daily') }}
