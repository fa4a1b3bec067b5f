{#- Small numbers in place of long ids: joins, groupings and windows over millions of rows run on one integer. -#}
with

entities as (
    select advertiser_id, platform, account_id, campaign_id, adgroup_id, ad_id from {{ ref('int_ad_entities') }}
    {{ union() }}
    select advertiser_id, platform, account_id, campaign_id, adgroup_id, ad_id from {{ ref('stg_ads') }}
    {{ union() }}
    select advertiser_id, platform, account_id, campaign_id, adgroup_id, null from {{ ref('stg_adgroups') }}
    {{ union() }}
    select advertiser_id, platform, account_id, campaign_id, null, null from {{ ref('stg_campaigns') }}
    {{ union() }}
    select advertiser_id, platform, account_id, null, null, null from {{ ref('stg_conversions_by_action_daily') }}
    {{ union() }}
    select advertiser_id, platform, account_id, null, null, null from {{ ref('stg_conversion_actions') }}
    {{ union() }}
    select advertiser_id, platform, account_id, null, null, null from {{ ref('stg_platform_accounts') }}
)

select
    advertiser_id,
    platform,
    account_id,
    campaign_id,
    adgroup_id,
    ad_id,
    {{ number_of(['advertiser_id', 'platform', 'account_id']) }} as account_no,
    case when campaign_id is not null then {{ number_of(['advertiser_id', 'platform', 'account_id', 'campaign_id']) }} end as campaign_no,
    case when adgroup_id is not null then {{ number_of(['advertiser_id', 'platform', 'account_id', 'campaign_id', 'adgroup_id']) }} end as adgroup_no,
    case when ad_id is not null then {{ number_of(['advertiser_id', 'platform', 'account_id', 'campaign_id', 'adgroup_id', 'ad_id']) }} end as ad_no
from entities
