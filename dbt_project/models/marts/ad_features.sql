{%- set sums = {
    'impressions_w7': {'measure': 'impressions', 'first': 6, 'last': 0, 'cast': whole},
    'clicks_w7': {'measure': 'clicks', 'first': 6, 'last': 0, 'cast': whole},
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'impressions_p7': {'measure': 'impressions', 'first': 13, 'last': 7, 'cast': whole},
    'clicks_p7': {'measure': 'clicks', 'first': 13, 'last': 7, 'cast': whole},
    'spend_p7': {'measure': 'spend', 'first': 13, 'last': 7, 'cast': exact},
    'impressions_b28': {'measure': 'impressions', 'first': 34, 'last': 7, 'cast': whole},
    'clicks_b28': {'measure': 'clicks', 'first': 34, 'last': 7, 'cast': whole},
    'impressions_w28': {'measure': 'impressions', 'first': 27, 'last': 0, 'cast': whole},
    'clicks_w28': {'measure': 'clicks', 'first': 27, 'last': 0, 'cast': whole},
    'spend_w28': {'measure': 'spend', 'first': 27, 'last': 0, 'cast': exact},
    'conversions_w28': {'measure': 'conversions', 'first': 27, 'last': 0, 'cast': exact},
    'impression_days_w28': {'measure': 'impression_days', 'first': 27, 'last': 0, 'cast': whole},
    'impressions_w14': {'measure': 'impressions', 'first': 13, 'last': 0, 'cast': whole},
    'video_impressions_w14': {'measure': 'video_impressions', 'first': 13, 'last': 0, 'cast': whole},
    'video_3s_views_w14': {'measure': 'video_3s_views', 'first': 13, 'last': 0, 'cast': whole},
    'spend_past': {'measure': 'spend', 'first': 119, 'last': 28, 'cast': exact},
    'conversions_past': {'measure': 'conversions', 'first': 119, 'last': 28, 'cast': exact},
} %}
{%- set matured_sums = {
    'spend_w14m': {'measure': 'spend', 'first': 13, 'cast': exact},
    'conversions_w14m': {'measure': 'conversions', 'first': 13, 'cast': exact},
} %}
{%- set compared = ['spend_w14m', 'conversions_w14m', 'spend_past', 'conversions_past'] %}
with

delivery as {{ window_sums(ref('int_ad_days'), ['ad_no'], sums, matured_sums, with_first_day=true) }},

entities as (
    select * from {{ ref('int_entity_numbers') }} where ad_no is not null
),

listed as {{ current_rows(
    'ads', ['platform', 'account_id', 'campaign_id', 'adgroup_id', 'ad_id'],
    ['ad_name', 'ad_status', 'ad_format', 'ad_strength', 'n_headlines', 'n_descriptions', 'n_images', 'n_videos'],
    number='ad_no',
) }},

adgroup_settings as {{ current_rows(
    'adgroups', ['platform', 'account_id', 'campaign_id', 'adgroup_id'], ['adgroup_name', 'labels'], number='adgroup_no',
) }},

campaign_settings as {{ current_rows(
    'campaigns', ['platform', 'account_id', 'campaign_id'],
    ['campaign_name', 'campaign_role', 'objective', 'labels', 'target_cpa', 'currency_code'],
    number='campaign_no',
) }},

{#- Reach of the seven days that end at E, in the version known on the feature day. -#}
reached as (
    select
        entities.ad_no,
        evaluated.date,
        max(windows.reach) as reach_w7
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'reach_window'
            and versions.advertiser_id = evaluated.advertiser_id
            and versions.date = evaluated.evaluated_day
            and versions.as_of <= evaluated.date
            and (versions.superseded_on is null or versions.superseded_on > evaluated.date)
    inner join {{ ref('stg_reach_window') }} as windows
        on
            {{ same(['advertiser_id', 'date', 'as_of'], 'windows', 'versions') }}
            and {{ same(['platform', 'account_id'], 'windows', 'evaluated') }}
            and windows.level = 'ad'
            and windows.window_days = 7
    inner join entities on entities.account_no = evaluated.account_no and entities.ad_id = windows.entity_id
    group by entities.ad_no, evaluated.date
),

ad_days as (
    select
        coalesce(delivery.ad_no, listed.ad_no) as ad_no,
        coalesce(delivery.date, listed.date) as date,
        listed.ad_name,
        listed.ad_status,
        listed.ad_format,
        listed.ad_strength,
        listed.n_headlines,
        listed.n_descriptions,
        listed.n_images,
        listed.n_videos,
        {% for name in sums.keys() | list + matured_sums.keys() | list %}coalesce(delivery.{{ name }}, 0) as {{ name }},
        {% endfor -%}
        delivery.first_day
    from delivery
    full outer join listed on listed.ad_no = delivery.ad_no and listed.date = delivery.date
    where delivery.first_day is not null or listed.ad_status = 'enabled'
),

among_others as (
    select
        ad_days.*,
        entities.adgroup_no,
        entities.campaign_no,
        entities.account_no,
        count(case when ad_days.impressions_w7 > 0 then 1 end) over (partition by entities.account_no, ad_days.date) as account_ads_w7,
        count(case when ad_days.impressions_w28 >= 1000 then 1 end) over (partition by entities.adgroup_no, ad_days.date)
        - case when ad_days.impressions_w28 >= 1000 then 1 else 0 end as siblings_w28,
        {% for name in ['spend_w28'] + compared -%}
        sum(ad_days.{{ name }}) over (partition by entities.adgroup_no, ad_days.date) as adgroup_{{ name }},
        {% endfor -%}
        {% for name in compared -%}
        sum(ad_days.{{ name }}) over (partition by entities.campaign_no, ad_days.date) as campaign_{{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from ad_days
    inner join entities on entities.ad_no = ad_days.ad_no
),

{#- Ads that can be the better sibling: live, on most days of W28, with a real share of the money. Ids grow with their number: ties are stable.
    The best of the others is the first, or for the first itself the second. -#}
rivals as (
    select
        *,
        case when impressions_w28 >= 1000 then row_number() over (
            partition by adgroup_no, date order by case when impressions_w28 >= 1000 then 0 else 1 end, {{ real('clicks_w28') }} / nullif(impressions_w28, 0) desc, ad_no
        ) end as ctr_place,
        case when clicks_w28 >= 200 then row_number() over (
            partition by adgroup_no, date order by case when clicks_w28 >= 200 then 0 else 1 end, {{ real('conversions_w28') }} / nullif(clicks_w28, 0) desc, ad_no
        ) end as cvr_place
    from among_others
    where ad_status = 'enabled' and impression_days_w28 >= 20 and spend_w28 >= adgroup_spend_w28 * 0.1
),

hook_rates as (
    select
        account_no,
        ad_format,
        date,
        count(*) as hook_rate_ads,
        {{ median(real('video_3s_views_w14') ~ ' / video_impressions_w14') }} as hook_rate_median
    from among_others
    where video_impressions_w14 >= 5000
    group by account_no, ad_format, date
),

missing as {{ missing_pairs('ad_performance_daily', ['campaign_no']) }},

missing_in_past as {{ missing_pairs('ad_performance_daily', ['campaign_no'], first=119) }},

described as (
    select
        entities.advertiser_id,
        entities.platform,
        entities.account_id,
        entities.campaign_id,
        entities.adgroup_id,
        entities.ad_id,
        evaluated.currency_code,
        evaluated.evaluated_day,
        adgroup_settings.adgroup_name,
        campaign_settings.campaign_name,
        campaign_settings.campaign_role,
        campaign_settings.objective as campaign_objective,
        case
            when adgroup_settings.adgroup_no is not null or campaign_settings.campaign_no is not null
                then lower(concat({{ list_key('adgroup_settings.labels') }}, ' ', {{ list_key('campaign_settings.labels') }})) like '%experiment%'
        end as is_in_experiment,
        case when campaign_settings.target_cpa is not null then {{ in_base('target_cpa', 'campaign_settings', 'rates') }} else advertiser_days.target_cpa end as target_cpa,
        case
            when campaign_settings.target_cpa <> 0 and rates.factor is null then concat(campaign_settings.currency_code, '->', evaluated.currency_code)
        end as target_pair,
        reached.reach_w7,
        hook_rates.hook_rate_median,
        coalesce(hook_rates.hook_rate_ads, 0) as hook_rate_ads,
        by_ctr.ad_no as best_ctr_ad_no,
        by_ctr.ad_name as best_ctr_ad_name,
        by_ctr.impressions_w28 as best_ctr_impressions_w28,
        by_ctr.clicks_w28 as best_ctr_clicks_w28,
        by_ctr.spend_w28 as best_ctr_spend_w28,
        by_ctr.conversions_w28 as best_ctr_conversions_w28,
        by_cvr.ad_no as best_cvr_ad_no,
        by_cvr.ad_name as best_cvr_ad_name,
        by_cvr.clicks_w28 as best_cvr_clicks_w28,
        by_cvr.spend_w28 as best_cvr_spend_w28,
        by_cvr.conversions_w28 as best_cvr_conversions_w28,
        {#- With too few results in the ad group, the other ads of the campaign say whether everything changed. -#}
        {% for name in compared -%}
        case
            when ads.adgroup_conversions_past - ads.conversions_past >= 30 then ads.adgroup_{{ name }} else ads.campaign_{{ name }}
        end - ads.{{ name }} as sibling_{{ name }},
        {% endfor -%}
        missing.missing_fx_pair as recent_pair,
        missing_in_past.missing_fx_pair as past_pair,
        ads.*
    from among_others as ads
    inner join entities on entities.ad_no = ads.ad_no
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated on {{ same(['account_no', 'date'], 'evaluated', 'ads') }}
    inner join {{ ref('int_advertiser_days') }} as advertiser_days
        on advertiser_days.advertiser_id = entities.advertiser_id and advertiser_days.date = ads.date
    left join adgroup_settings on {{ same(['adgroup_no', 'date'], 'adgroup_settings', 'ads') }}
    left join campaign_settings on {{ same(['campaign_no', 'date'], 'campaign_settings', 'ads') }}
    left join {{ rates_of_day() }} as rates
        on {{ same(['advertiser_id', 'date', 'currency_code'], 'rates', 'campaign_settings') }}
    left join reached on {{ same(['ad_no', 'date'], 'reached', 'ads') }}
    left join hook_rates on {{ same(['account_no', 'ad_format', 'date'], 'hook_rates', 'ads') }}
    left join rivals as own on {{ same(['ad_no', 'date'], 'own', 'ads') }}
    left join rivals as by_ctr
        on {{ same(['adgroup_no', 'date'], 'by_ctr', 'ads') }} and by_ctr.ctr_place = case when own.ctr_place = 1 then 2 else 1 end
    left join rivals as by_cvr
        on {{ same(['adgroup_no', 'date'], 'by_cvr', 'ads') }} and by_cvr.cvr_place = case when own.cvr_place = 1 then 2 else 1 end
    left join missing on {{ same(['campaign_no', 'date'], 'missing', 'ads') }}
    left join missing_in_past on {{ same(['campaign_no', 'date'], 'missing_in_past', 'ads') }}
)

select
    described.advertiser_id,
    described.date,
    described.platform,
    described.account_id,
    described.campaign_id,
    described.adgroup_id,
    described.ad_id,
    described.ad_name,
    described.adgroup_name,
    described.campaign_name,
    described.campaign_role,
    described.campaign_objective,
    described.ad_status,
    described.ad_format,
    described.currency_code,
    described.evaluated_day,
    {{ whole(days_between('described.evaluated_day', 'described.date')) }} as data_age_days,
    {{ history_days('described.first_day', 'described.evaluated_day') }} as history_days,
    described.impressions_w7,
    described.clicks_w7,
    {{ unless_missing('described.spend_w7', 'spend_w7', 'described.recent_pair') }},
    described.impressions_p7,
    described.clicks_p7,
    {{ unless_missing('described.spend_p7', 'spend_p7', 'described.recent_pair') }},
    described.impressions_b28,
    described.clicks_b28,
    described.reach_w7,
    described.impressions_w28,
    described.clicks_w28,
    {{ unless_missing('described.spend_w28', 'spend_w28', 'described.recent_pair') }},
    described.conversions_w28,
    described.impression_days_w28,
    {{ unless_missing('described.adgroup_spend_w28', 'adgroup_spend_w28', 'described.recent_pair') }},
    described.is_in_experiment,
    {{ whole('described.siblings_w28') }} as siblings_w28,
    ctr_ids.ad_id as best_ctr_ad_id,
    described.best_ctr_ad_name,
    described.best_ctr_impressions_w28,
    described.best_ctr_clicks_w28,
    {{ unless_missing('described.best_ctr_spend_w28', 'best_ctr_spend_w28', 'described.recent_pair') }},
    described.best_ctr_conversions_w28,
    cvr_ids.ad_id as best_cvr_ad_id,
    described.best_cvr_ad_name,
    described.best_cvr_clicks_w28,
    {{ unless_missing('described.best_cvr_spend_w28', 'best_cvr_spend_w28', 'described.recent_pair') }},
    described.best_cvr_conversions_w28,
    {{ unless_missing('described.spend_w14m', 'spend_w14m', 'described.recent_pair') }},
    described.conversions_w14m,
    {{ unless_missing('described.spend_past', 'spend_past', 'described.past_pair') }},
    described.conversions_past,
    {{ unless_missing('described.sibling_spend_w14m', 'sibling_spend_w14m', 'described.recent_pair') }},
    {{ exact('described.sibling_conversions_w14m') }} as sibling_conversions_w14m,
    {{ unless_missing('described.sibling_spend_past', 'sibling_spend_past', 'described.past_pair') }},
    {{ exact('described.sibling_conversions_past') }} as sibling_conversions_past,
    {{ exact('described.target_cpa') }} as target_cpa,
    {{ whole('described.account_ads_w7') }} as account_ads_w7,
    case when described.video_impressions_w14 > 0 or described.impressions_w14 = 0 then described.video_impressions_w14 end as video_impressions_w14,
    case when described.video_impressions_w14 > 0 or described.impressions_w14 = 0 then described.video_3s_views_w14 end as video_3s_views_w14,
    {{ whole('described.hook_rate_ads') }} as hook_rate_ads,
    {{ exact('described.hook_rate_median') }} as hook_rate_median,
    described.ad_strength,
    described.n_headlines,
    described.n_descriptions,
    described.n_images,
    described.n_videos,
    coalesce(described.past_pair, described.target_pair) as missing_fx_pair
from described
left join entities as ctr_ids on ctr_ids.ad_no = described.best_ctr_ad_no
left join entities as cvr_ids on cvr_ids.ad_no = described.best_cvr_ad_no
