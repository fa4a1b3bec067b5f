with

scopes as (
    select distinct
        advertiser_id,
        plan_scope,
        {{ plan_scope_key() }} as scope_key
    from {{ ref('stg_budget_plans') }}
),

named as (
    select distinct
        plans.advertiser_id,
        plans.plan_scope,
        {{ plan_scope_key('plans.') }} as scope_key,
        ids.scope_id
    from {{ ref('stg_budget_plans') }} as plans
    cross join {{ each_element('plans.scope_ids', 'ids', 'scope_id') }}
),

campaigns as (
    select distinct
        advertiser_id,
        account_id,
        campaign_id,
        account_no,
        campaign_no
    from {{ ref('int_entity_numbers') }}
    where campaign_no is not null
)

select
    scopes.advertiser_id,
    scopes.scope_key,
    campaigns.campaign_no,
    campaigns.account_no
from scopes
inner join campaigns on campaigns.advertiser_id = scopes.advertiser_id
where scopes.plan_scope = 'advertiser'
{{ union() }}
select
    named.advertiser_id,
    named.scope_key,
    campaigns.campaign_no,
    campaigns.account_no
from named
inner join campaigns
    on
        campaigns.advertiser_id = named.advertiser_id
        and case when named.plan_scope = 'account' then campaigns.account_id else campaigns.campaign_id end = named.scope_id
where named.plan_scope in ('account', 'campaigns')
