{#- Campaigns by network and day: what a changed mix of networks is told by, and what the spread of the values of conversions is estimated
    from. A row of the facts knows only the sum of its conversions' values, so its square over their number is kept. -#}
{%- set joins %}
inner join (
    select distinct advertiser_id, platform, account_id, campaign_id, account_no, campaign_no
    from {{ ref('int_entity_numbers') }}
    where campaign_no is not null
) as campaigns
            on
                campaigns.advertiser_id = facts.advertiser_id
                and campaigns.platform = facts.platform
                and campaigns.account_id = facts.account_id
                and campaigns.campaign_id = facts.campaign_id
{%- endset %}
{%- set value = in_base('conversion_value') %}
{%- set has_value = 'facts.conversion_value > 0 and facts.conversions > 0' %}
select * from {{ fact_steps(
    'ad_performance_daily',
    {'campaign_no': 'campaigns.campaign_no', 'account_no': 'campaigns.account_no', 'network': 'facts.network'},
    joins,
    {
        'impressions': ['facts.impressions', whole],
        'clicks': ['facts.clicks', whole],
        'spend': [in_base('spend'), exact],
        'conversions': ['facts.conversions', exact],
        'view_through_conversions': [exact('coalesce(facts.view_through_conversions, 0)'), exact],
        'rows_with_views': ['case when facts.view_through_conversions is not null then 1 else 0 end', whole],
        'conversion_value': [value, exact],
        'valued_rows': ['case when ' ~ has_value ~ ' then 1 else 0 end', whole],
        'valued_conversions': ['case when ' ~ has_value ~ ' then facts.conversions else 0 end', exact],
        'value_squares': [
            wide('case when ' ~ has_value ~ ' then round(' ~ real(value) ~ ' * ' ~ real(value) ~ ' / ' ~ real('facts.conversions') ~ ', 6) else 0 end'),
            wide,
        ],
    },
) }} as steps
