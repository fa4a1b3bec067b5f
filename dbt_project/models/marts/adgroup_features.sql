{%- set sums = {
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'spend_w14': {'measure': 'spend', 'first': 13, 'last': 0, 'cast': exact},
} %}
{%- set ad_sums = {
    'spend_w14': {'measure': 'spend', 'first': 13, 'last': 0, 'cast': exact},
    'impressions_w14': {'measure': 'impressions', 'first': 13, 'last': 0, 'cast': whole},
    'clicks_w14': {'measure': 'clicks', 'first': 13, 'last': 0, 'cast': whole},
    'impression_days_w14': {'measure': 'impression_days', 'first': 13, 'last': 0, 'cast': whole},
} %}
with

delivery as {{ window_sums(ref('int_adgroup_days'), ['adgroup_no'], sums, with_first_day=true) }},

ad_windows as {{ window_sums(ref('int_ad_days'), ['ad_no'], ad_sums, reach=13) }},

entities as (
    select * from {{ ref('int_entity_numbers') }} where adgroup_no is not null
),

{#- Only ads that delivered in W14 compete and count. -#}
ad_delivery as (
    select
        ad_windows.*,
        entities.adgroup_no
    from ad_windows
    inner join entities on entities.ad_no = ad_windows.ad_no
    where ad_windows.spend_w14 > 0 or ad_windows.impressions_w14 > 0
),

adgroups as (
    select distinct
        advertiser_id,
        platform,
        account_id,
        campaign_id,
        adgroup_id,
        account_no,
        campaign_no,
        adgroup_no
    from entities
),

ads as {{ current_rows('ads', ['platform', 'account_id', 'campaign_id', 'adgroup_id', 'ad_id'], ['ad_name', 'ad_status'], number='ad_no') }},

settings as {{ current_rows(
    'adgroups', ['platform', 'account_id', 'campaign_id', 'adgroup_id'], ['adgroup_name', 'adgroup_status', 'is_dynamic_creative'], number='adgroup_no',
) }},

campaign_names as {{ current_rows('campaigns', ['platform', 'account_id', 'campaign_id'], ['campaign_name'], number='campaign_no') }},

{#- Ids grow with their number, so the smallest id wins a tie. -#}
ranked_ads as (
    select
        *,
        row_number() over (partition by adgroup_no, date order by spend_w14 desc, ad_no) as place
    from ad_delivery
),

named_ads as (
    select
        ranked_ads.adgroup_no,
        ranked_ads.date,
        ranked_ads.place,
        entities.ad_id,
        ads.ad_name,
        ranked_ads.spend_w14,
        ranked_ads.impressions_w14,
        ranked_ads.clicks_w14
    from ranked_ads
    inner join entities on entities.ad_no = ranked_ads.ad_no
    left join ads on ads.ad_no = ranked_ads.ad_no and ads.date = ranked_ads.date
    where ranked_ads.place <= 2
),

active_ads as (
    select
        ad_delivery.adgroup_no,
        ad_delivery.date,
        count(*) as active_ads
    from ad_delivery
    inner join ads on ads.ad_no = ad_delivery.ad_no and ads.date = ad_delivery.date
    where ad_delivery.impression_days_w14 >= 10 and ads.ad_status = 'enabled'
    group by ad_delivery.adgroup_no, ad_delivery.date
),

missing as {{ missing_pairs('ad_performance_daily', ['adgroup_no'], first=13) }},

adgroup_days as (
    select
        coalesce(delivery.adgroup_no, settings.adgroup_no) as adgroup_no,
        coalesce(delivery.date, settings.date) as date,
        settings.adgroup_name,
        settings.adgroup_status,
        settings.is_dynamic_creative,
        coalesce(delivery.spend_w7, 0) as spend_w7,
        coalesce(delivery.spend_w14, 0) as spend_w14,
        delivery.first_day
    from delivery
    full outer join settings on settings.adgroup_no = delivery.adgroup_no and settings.date = delivery.date
    where delivery.first_day is not null or settings.adgroup_status = 'enabled'
)

select
    adgroups.advertiser_id,
    adgroup_days.date,
    adgroups.platform,
    adgroups.account_id,
    adgroups.campaign_id,
    adgroups.adgroup_id,
    adgroup_days.adgroup_name,
    campaign_names.campaign_name,
    adgroup_days.adgroup_status,
    adgroup_days.is_dynamic_creative,
    evaluated.currency_code,
    evaluated.evaluated_day,
    {{ whole(days_between('evaluated.evaluated_day', 'adgroup_days.date')) }} as data_age_days,
    {{ history_days('adgroup_days.first_day', 'evaluated.evaluated_day') }} as history_days,
    {{ unless_missing('adgroup_days.spend_w7', 'spend_w7', 'missing.missing_fx_pair') }},
    {{ unless_missing('adgroup_days.spend_w14', 'spend_w14', 'missing.missing_fx_pair') }},
    {{ whole('case when ad_slices.date is not null then coalesce(active_ads.active_ads, 0) end') }} as active_ads_w14,
    top_ad.ad_id as top_ad_id,
    top_ad.ad_name as top_ad_name,
    {{ unless_missing('top_ad.spend_w14', 'top_ad_spend_w14', 'missing.missing_fx_pair') }},
    top_ad.impressions_w14 as top_ad_impressions_w14,
    top_ad.clicks_w14 as top_ad_clicks_w14,
    second_ad.ad_id as second_ad_id,
    second_ad.ad_name as second_ad_name,
    {{ unless_missing('second_ad.spend_w14', 'second_ad_spend_w14', 'missing.missing_fx_pair') }},
    second_ad.impressions_w14 as second_ad_impressions_w14,
    second_ad.clicks_w14 as second_ad_clicks_w14,
    missing.missing_fx_pair
from adgroup_days
inner join adgroups on adgroups.adgroup_no = adgroup_days.adgroup_no
inner join {{ ref('int_numbered_evaluated_days') }} as evaluated on evaluated.account_no = adgroups.account_no and evaluated.date = adgroup_days.date
left join campaign_names on campaign_names.campaign_no = adgroups.campaign_no and campaign_names.date = adgroup_days.date
left join {{ ref('int_current_slices') }} as ad_slices
    on ad_slices.table_name = 'ads' and ad_slices.advertiser_id = adgroups.advertiser_id and ad_slices.date = adgroup_days.date
left join active_ads on active_ads.adgroup_no = adgroup_days.adgroup_no and active_ads.date = adgroup_days.date
left join named_ads as top_ad on top_ad.adgroup_no = adgroup_days.adgroup_no and top_ad.date = adgroup_days.date and top_ad.place = 1
left join named_ads as second_ad on second_ad.adgroup_no = adgroup_days.adgroup_no and second_ad.date = adgroup_days.date and second_ad.place = 2
left join missing on missing.adgroup_no = adgroup_days.adgroup_no and missing.date = adgroup_days.date
