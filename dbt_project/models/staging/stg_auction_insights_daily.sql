{#- The table has no amounts; facts are read by currency, so its rows count as being in the base currency. -#}
select
    insights.advertiser_id,
    insights.date,
    insights.as_of,
    insights.platform,
    insights.account_id,
    insights.campaign_id,
    insights.rival_domain,
    advertisers.base_currency as currency_code,
    {{ exact('insights.overlap_rate') }} as overlap_rate,
    {{ exact('insights.outranking_share') }} as outranking_share
from {{ source('raw', 'auction_insights_daily') }} as insights
inner join {{ ref('stg_advertisers') }} as advertisers on advertisers.advertiser_id = insights.advertiser_id
