{%- set ad_joins %}
inner join {{ ref('int_entity_numbers') }} as entities
        on
            entities.advertiser_id = facts.advertiser_id
            and entities.platform = facts.platform
            and entities.account_id = facts.account_id
            and entities.campaign_id = facts.campaign_id
            and entities.adgroup_id = facts.adgroup_id
            and entities.ad_id = facts.ad_id
{%- endset %}
select
    'ad_performance_daily' as table_name,
    advertiser_id,
    account_no,
    campaign_no,
    adgroup_no,
    cast(null as {{ text_type() }}) as conversion_action_id,
    date,
    visible_from,
    visible_to,
    currency_pair
from {{ missing_rate_steps(
    'ad_performance_daily',
    {'advertiser_id': 'entities.advertiser_id', 'account_no': 'entities.account_no', 'campaign_no': 'entities.campaign_no', 'adgroup_no': 'entities.adgroup_no'},
    ad_joins,
    'spend',
) }} as missing
union all
select
    'conversions_by_action_daily' as table_name,
    advertiser_id,
    account_no,
    null as campaign_no,
    null as adgroup_no,
    conversion_action_id,
    date,
    visible_from,
    visible_to,
    currency_pair
from {{ missing_rate_steps(
    'conversions_by_action_daily',
    {'advertiser_id': 'accounts.advertiser_id', 'account_no': 'accounts.account_no', 'conversion_action_id': 'facts.conversion_action_id'},
    'inner join ' ~ accounts() ~ ' as accounts on ' ~ same(['advertiser_id', 'platform', 'account_id'], 'accounts', 'facts'),
    'conversion_value',
) }} as missing
union all
select
    'orders_daily' as table_name,
    advertiser_id,
    null as account_no,
    null as campaign_no,
    null as adgroup_no,
    null as conversion_action_id,
    date,
    visible_from,
    visible_to,
    currency_pair
from {{ missing_rate_steps('orders_daily', {'advertiser_id': 'facts.advertiser_id'}, '', 'revenue') }} as missing
union all
select
    'search_terms_daily' as table_name,
    advertiser_id,
    account_no,
    campaign_no,
    null as adgroup_no,
    null as conversion_action_id,
    date,
    visible_from,
    visible_to,
    currency_pair
from {{ missing_rate_steps(
    'search_terms_daily',
    {'advertiser_id': 'campaigns.advertiser_id', 'account_no': 'campaigns.account_no', 'campaign_no': 'campaigns.campaign_no'},
    'inner join ' ~ numbered_campaigns() ~ ' as campaigns on ' ~ same(['advertiser_id', 'platform', 'account_id', 'campaign_id'], 'campaigns', 'facts'),
    'spend',
) }} as missing
union all
select
    'segment_performance_daily' as table_name,
    advertiser_id,
    account_no,
    campaign_no,
    null as adgroup_no,
    null as conversion_action_id,
    date,
    visible_from,
    visible_to,
    currency_pair
from {{ missing_rate_steps(
    'segment_performance_daily',
    {'advertiser_id': 'campaigns.advertiser_id', 'account_no': 'campaigns.account_no', 'campaign_no': 'campaigns.campaign_no'},
    'inner join ' ~ numbered_campaigns() ~ ' as campaigns on ' ~ same(['advertiser_id', 'platform', 'account_id', 'campaign_id'], 'campaigns', 'facts'),
    'spend',
) }} as missing
