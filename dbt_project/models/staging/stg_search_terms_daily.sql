select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    campaign_id,
    search_term,
    currency_code,
    clicks,
    spend,
    {{ exact('conversions') }} as conversions
from {{ source('raw', 'search_terms_daily') }}
