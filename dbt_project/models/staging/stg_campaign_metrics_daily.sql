select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    campaign_id,
    currency_code,
    {{ exact('search_impression_share') }} as search_impression_share,
    {{ exact('search_budget_lost_impression_share') }} as search_budget_lost_impression_share,
    {{ exact('search_rank_lost_impression_share') }} as search_rank_lost_impression_share,
    is_censored,
    daily_budget_effective,
    learning_status
from {{ source('raw', 'campaign_metrics_daily') }}
