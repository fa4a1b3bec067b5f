{#- The first of two passes over ad_performance_daily: everything that is few in it. Where raw tables are views over many files, a pass is dear. -#}
select distinct
    advertiser_id,
    platform,
    account_id,
    campaign_id,
    adgroup_id,
    ad_id,
    currency_code
from {{ ref('stg_ad_performance_daily') }}
