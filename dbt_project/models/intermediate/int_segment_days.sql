{#- Only the dimensions that rules read: hours and search terms of the same table would be most of its rows. -#}
{%- set joins -%}
inner join {{ numbered_campaigns() }} as campaigns
            on
                {{ same(['advertiser_id', 'platform', 'account_id', 'campaign_id'], 'campaigns', 'facts') }}
                and facts.dimension in ('device', 'age_gender', 'region', 'placement', 'country')
{%- endset -%}
select * from {{ fact_steps(
    'segment_performance_daily',
    {
        'campaign_no': 'campaigns.campaign_no',
        'account_no': 'campaigns.account_no',
        'dimension': 'facts.dimension',
        'value': 'facts.value',
    },
    joins,
    {
        'impressions': ['facts.impressions', whole],
        'clicks': ['facts.clicks', whole],
        'landing_page_views': ['coalesce(facts.landing_page_views, 0)', whole],
        'clicks_with_views_known': ['case when facts.landing_page_views is not null then facts.clicks else 0 end', whole],
        'spend': [in_base('spend'), exact],
        'conversions': ['facts.conversions', exact],
    },
) }} as steps
