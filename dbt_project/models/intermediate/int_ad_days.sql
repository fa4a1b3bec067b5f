{%- set joins %}
inner join {{ ref('int_entity_numbers') }} as entities
            on
                entities.advertiser_id = facts.advertiser_id
                and entities.platform = facts.platform
                and entities.account_id = facts.account_id
                and entities.campaign_id = facts.campaign_id
                and entities.adgroup_id = facts.adgroup_id
                and entities.ad_id = facts.ad_id
{%- endset %}
{#- What an ad belongs to is joined after its rows are summed: one small number to group by, and nothing carried along. -#}
select
    steps.ad_no,
    entities.adgroup_no,
    entities.campaign_no,
    entities.account_no,
    steps.date,
    steps.visible_from,
    steps.visible_to,
    steps.is_correction,
    steps.n_rows,
    steps.impressions,
    steps.clicks,
    steps.spend,
    steps.conversions,
    steps.video_impressions,
    steps.video_3s_views,
    steps.impression_days
from {{ fact_steps(
    'ad_performance_daily',
    {'ad_no': 'entities.ad_no'},
    joins,
    {
        'impressions': ['facts.impressions', whole],
        'clicks': ['facts.clicks', whole],
        'spend': [in_base('spend'), exact],
        'conversions': ['facts.conversions', exact],
        'video_impressions': ['case when facts.video_3s_views is not null then facts.impressions else 0 end', whole],
        'video_3s_views': ['coalesce(facts.video_3s_views, 0)', whole],
    },
    indicators={'impression_days': 'facts.impressions > 0'},
) }} as steps
inner join {{ ref('int_entity_numbers') }} as entities on entities.ad_no = steps.ad_no
