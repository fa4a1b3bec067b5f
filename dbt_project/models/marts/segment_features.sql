{%- set sums = {
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'spend_w14': {'measure': 'spend', 'first': 13, 'last': 0, 'cast': exact},
    'impressions_w14': {'measure': 'impressions', 'first': 13, 'last': 0, 'cast': whole},
    'clicks_w14': {'measure': 'clicks', 'first': 13, 'last': 0, 'cast': whole},
    'landing_page_views_w14': {'measure': 'landing_page_views', 'first': 13, 'last': 0, 'cast': whole},
    'clicks_with_views_known_w14': {'measure': 'clicks_with_views_known', 'first': 13, 'last': 0, 'cast': whole},
} %}
{%- set matured_sums = {
    'clicks_w14m': {'measure': 'clicks', 'first': 13, 'cast': whole},
    'conversions_w14m': {'measure': 'conversions', 'first': 13, 'cast': exact},
    'spend_w28m': {'measure': 'spend', 'first': 27, 'cast': exact},
    'conversions_w28m': {'measure': 'conversions', 'first': 27, 'cast': exact},
} %}
{%- set totals = ['spend_w14', 'impressions_w14', 'clicks_w14', 'clicks_w14m', 'conversions_w14m', 'spend_w28m', 'conversions_w28m'] %}
with

steps as (
    select * from {{ ref('int_segment_days') }} where dimension <> 'country'
),

cells as {{ window_sums('steps', ['campaign_no', 'dimension', 'value'], sums, matured_sums, with_first_day=true) }},

{#- A campaign's figures are those of the cells of the dimension: a cell is held against the rest of its own kind. -#}
compared as (
    select
        *
        {%- for name in totals %},
        sum({{ name }}) over (partition by campaign_no, dimension, date) as campaign_{{ name }}
        {%- endfor %}
    from cells
),

campaigns as {{ numbered_campaigns() }},

listed as {{ current_rows(
    'campaigns', ['platform', 'account_id', 'campaign_id'], ['campaign_name', 'campaign_status', 'special_ad_category'], number='campaign_no',
) }},

missing as {{ missing_pairs('segment_performance_daily', ['campaign_no'], first=27) }}

select
    campaigns.advertiser_id,
    compared.date,
    campaigns.platform,
    campaigns.account_id,
    campaigns.campaign_id,
    compared.dimension,
    compared.value as segment,
    listed.campaign_name,
    listed.campaign_status,
    listed.special_ad_category,
    evaluated.currency_code,
    evaluated.evaluated_day,
    {{ whole(days_between('evaluated.evaluated_day', 'compared.date')) }} as data_age_days,
    {{ history_days('compared.first_day', 'evaluated.evaluated_day') }} as history_days,
    {{ unless_missing('compared.spend_w7', 'spend_w7', 'missing.missing_fx_pair') }},
    {{ unless_missing('compared.spend_w14', 'spend_w14', 'missing.missing_fx_pair') }},
    compared.impressions_w14,
    compared.clicks_w14,
    case when compared.clicks_with_views_known_w14 > 0 then compared.landing_page_views_w14 end as landing_page_views_w14,
    compared.clicks_with_views_known_w14,
    compared.clicks_w14m,
    compared.conversions_w14m,
    {{ unless_missing('compared.spend_w28m', 'spend_w28m', 'missing.missing_fx_pair') }},
    compared.conversions_w28m,
    {{ unless_missing('compared.campaign_spend_w14', 'campaign_spend_w14', 'missing.missing_fx_pair') }},
    {{ whole('compared.campaign_impressions_w14') }} as campaign_impressions_w14,
    {{ whole('compared.campaign_clicks_w14') }} as campaign_clicks_w14,
    {{ whole('compared.campaign_clicks_w14m') }} as campaign_clicks_w14m,
    {{ exact('compared.campaign_conversions_w14m') }} as campaign_conversions_w14m,
    {{ unless_missing('compared.campaign_spend_w28m', 'campaign_spend_w28m', 'missing.missing_fx_pair') }},
    {{ exact('compared.campaign_conversions_w28m') }} as campaign_conversions_w28m,
    missing.missing_fx_pair
from compared
inner join campaigns on campaigns.campaign_no = compared.campaign_no
inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
    on evaluated.account_no = campaigns.account_no and evaluated.date = compared.date
left join listed on listed.campaign_no = compared.campaign_no and listed.date = compared.date
left join missing on missing.campaign_no = compared.campaign_no and missing.date = compared.date
where compared.spend_w28m > 0 or compared.spend_w14 > 0 or compared.impressions_w14 > 0
