select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    campaign_id,
    dimension,
    value,
    currency_code,
    impressions,
    clicks,
    landing_page_views,
    spend,
    {{ exact('conversions') }} as conversions
from {{ source('raw', 'segment_performance_daily') }}
