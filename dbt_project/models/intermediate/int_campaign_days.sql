{#- Orders by last touch are joined to their campaign as further steps; n_rows counts rows of ad_performance_daily only. -#}
with

delivery as (
    select
        campaign_no,
        account_no,
        date,
        visible_from,
        visible_to,
        is_correction,
        n_rows,
        impressions,
        clicks,
        spend,
        conversions,
        0 as orders,
        0 as orders_known,
        0 as new_customer_orders
    from {{ ref('int_adgroup_days') }}
),

campaigns as (
    select distinct
        advertiser_id,
        platform,
        campaign_id,
        campaign_no,
        account_no
    from {{ ref('int_entity_numbers') }}
    where campaign_no is not null
),

orders as (
    select
        campaigns.campaign_no,
        campaigns.account_no,
        steps.date,
        steps.visible_from,
        steps.visible_to,
        steps.is_correction,
        0 as n_rows,
        0 as impressions,
        0 as clicks,
        0 as spend,
        0 as conversions,
        steps.orders,
        steps.orders_known,
        steps.new_customer_orders
    from {{ ref('int_order_days') }} as steps
    inner join campaigns
        on
            campaigns.advertiser_id = steps.advertiser_id
            and campaigns.platform = steps.channel_touch
            and campaigns.campaign_id = steps.campaign_key
),

all_steps as (
    select * from delivery
    union all
    select * from orders
)

select * from {{ coarser_steps(
    'all_steps',
    ['campaign_no', 'account_no'],
    {
        'impressions': whole, 'clicks': whole, 'spend': exact, 'conversions': exact,
        'orders': whole, 'orders_known': whole, 'new_customer_orders': whole,
    },
) }} as steps
