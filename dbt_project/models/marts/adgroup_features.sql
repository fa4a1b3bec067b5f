{%- set sums = {
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'spend_w14': {'measure': 'spend', 'first': 13, 'last': 0, 'cast': exact},
    'spend_w28': {'measure': 'spend', 'first': 27, 'last': 0, 'cast': exact},
    'spend_b28': {'measure': 'spend', 'first': 34, 'last': 7, 'cast': exact},
    'conversions_w7': {'measure': 'conversions', 'first': 6, 'last': 0, 'cast': exact},
    'conversions_w14': {'measure': 'conversions', 'first': 13, 'last': 0, 'cast': exact},
    'conversions_w28': {'measure': 'conversions', 'first': 27, 'last': 0, 'cast': exact},
} %}
{%- set matured_sums = {
    'clicks_w14m': {'measure': 'clicks', 'first': 13, 'cast': whole},
    'spend_w14m': {'measure': 'spend', 'first': 13, 'cast': exact},
} %}
{%- set ad_sums = {
    'spend_w14': {'measure': 'spend', 'first': 13, 'last': 0, 'cast': exact},
    'spend_b28': {'measure': 'spend', 'first': 34, 'last': 7, 'cast': exact},
    'impressions_w14': {'measure': 'impressions', 'first': 13, 'last': 0, 'cast': whole},
    'clicks_w14': {'measure': 'clicks', 'first': 13, 'last': 0, 'cast': whole},
    'impression_days_w14': {'measure': 'impression_days', 'first': 13, 'last': 0, 'cast': whole},
} %}
{%- set listed_campaign = ['campaign_name', 'campaign_role', 'objective', 'campaign_type', 'daily_budget', 'target_cpa', 'labels', 'currency_code'] %}
with

delivery as {{ window_sums(ref('int_adgroup_days'), ['adgroup_no', 'campaign_no'], sums, matured_sums, with_first_day=true) }},

ad_windows as {{ window_sums(ref('int_ad_days'), ['ad_no'], ad_sums) }},

entities as (
    select * from {{ ref('int_entity_numbers') }} where adgroup_no is not null
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

{#- What the ad groups of a campaign and of an account add up to. -#}
campaign_totals as (
    select
        campaign_no,
        date,
        sum(spend_w14) as spend_w14
    from delivery
    group by campaign_no, date
),

account_totals as (
    select
        account_no,
        date,
        sum(spend_w7) as spend_w7,
        sum(conversions_w14) as conversions_w14
    from delivery
    group by account_no, date
),

ads as {{ current_rows(
    'ads', ['platform', 'account_id', 'campaign_id', 'adgroup_id', 'ad_id'],
    ['ad_name', 'ad_status', 'ad_format', 'approval_status', 'first_serve_date', 'created_date', 'creative_since'], number='ad_no',
) }},

settings as {{ current_rows(
    'adgroups', ['platform', 'account_id', 'campaign_id', 'adgroup_id'],
    ['adgroup_name', 'adgroup_status', 'is_dynamic_creative', 'daily_budget', 'labels', 'currency_code'], number='adgroup_no',
) }},

campaigns as {{ current_rows('campaigns', ['platform', 'account_id', 'campaign_id'], listed_campaign, number='campaign_no') }},

ads_of_groups as (
    select
        entities.adgroup_no,
        entities.ad_id,
        coalesce(ads.ad_no, ad_windows.ad_no) as ad_no,
        coalesce(ads.date, ad_windows.date) as date,
        ads.ad_name,
        ads.ad_status,
        ads.ad_format,
        ads.approval_status,
        {#- The newest of the three; `greatest` of a missing value differs between dialects. -#}
        greatest(
            coalesce(ads.created_date, ads.first_serve_date, ads.creative_since),
            coalesce(ads.first_serve_date, ads.creative_since, ads.created_date),
            coalesce(ads.creative_since, ads.created_date, ads.first_serve_date)
        ) as creative_day,
        coalesce(ad_windows.spend_w14, 0) as spend_w14,
        coalesce(ad_windows.spend_b28, 0) as spend_b28,
        coalesce(ad_windows.impressions_w14, 0) as impressions_w14,
        coalesce(ad_windows.clicks_w14, 0) as clicks_w14,
        coalesce(ad_windows.impression_days_w14, 0) as impression_days_w14
    from ads
    full outer join ad_windows on ad_windows.ad_no = ads.ad_no and ad_windows.date = ads.date
    inner join entities on entities.ad_no = coalesce(ads.ad_no, ad_windows.ad_no)
),

{#- Only ads that delivered in W14 compete. Ids grow with their number, so the smallest id wins a tie. -#}
ranked_ads as (
    select
        *,
        row_number() over (partition by adgroup_no, date order by spend_w14 desc, ad_no) as place
    from ads_of_groups
    where spend_w14 > 0 or impressions_w14 > 0
),

ad_totals as (
    select
        adgroup_no,
        date,
        count(ad_status) as listed_ads,
        count(approval_status) as reviewed_ads,
        sum(case when ad_status = 'enabled' then 1 else 0 end) as enabled_ads,
        sum(case when ad_status = 'enabled' and ad_format = 'rsa' then 1 else 0 end) as enabled_rsa_ads,
        sum(case when ad_status = 'enabled' and impression_days_w14 >= 10 then 1 else 0 end) as active_ads,
        sum(case when ad_status = 'enabled' and approval_status = 'disapproved' then 1 else 0 end) as disapproved_ads,
        sum(case when ad_status = 'enabled' and coalesce(approval_status, 'approved') <> 'disapproved' then 1 else 0 end) as eligible_ads,
        sum(case when ad_status = 'enabled' and approval_status = 'disapproved' then spend_b28 else 0 end) as blocked_spend_b28,
        max(case when ad_status = 'enabled' then creative_day end) as newest_creative_day
    from ads_of_groups
    group by adgroup_no, date
),

reach as {{ reach_of('adgroup', [7, 30]) }},

{#- The newest learning state of W7. -#}
learning as (
    select
        known.account_no,
        known.date,
        metrics.campaign_id,
        metrics.learning_status
    from {{ known_days('campaign_metrics_daily', first=6) }} as known
    inner join {{ ref('stg_campaign_metrics_daily') }} as metrics
        on {{ same(['advertiser_id', 'platform', 'account_id', 'as_of'], 'metrics', 'known') }} and metrics.date = known.day
    where metrics.learning_status is not null
    qualify row_number() over (partition by known.account_no, known.date, metrics.campaign_id order by known.day desc) = 1
),

{#- Edits after which a platform learns anew: of the ad group, or of what its campaign pays and aims at. Texts of ads are not among them. -#}
edits as (
    select
        known.account_no,
        known.date,
        events.entity_id,
        max(known.day) as day
    from {{ known_days('change_events', first=13) }} as known
    inner join {{ ref('stg_change_events') }} as events
        on {{ same(['advertiser_id', 'platform', 'account_id', 'as_of'], 'events', 'known') }} and events.date = known.day
    where events.resource_type in ('campaign', 'adgroup', 'budget', 'bid', 'audience')
    group by known.account_no, known.date, events.entity_id
),

missing as {{ missing_pairs('ad_performance_daily', ['account_no', 'adgroup_no']) }},

account_missing as (
    select
        account_no,
        date,
        min(missing_fx_pair) as missing_fx_pair
    from missing
    group by account_no, date
),

adgroup_days as (
    select
        coalesce(delivery.adgroup_no, settings.adgroup_no) as adgroup_no,
        coalesce(delivery.date, settings.date) as date,
        settings.adgroup_name,
        settings.adgroup_status,
        settings.is_dynamic_creative,
        settings.daily_budget,
        settings.labels,
        settings.currency_code,
        {% for name in sums.keys() | list + matured_sums.keys() | list %}coalesce(delivery.{{ name }}, 0) as {{ name }},
        {% endfor -%}
        delivery.first_day
    from delivery
    full outer join settings on settings.adgroup_no = delivery.adgroup_no and settings.date = delivery.date
    where delivery.first_day is not null or settings.adgroup_status = 'enabled'
),

described as (
    select
        adgroups.advertiser_id,
        adgroups.platform,
        adgroups.account_id,
        adgroups.campaign_id,
        adgroups.adgroup_id,
        adgroups.account_no,
        campaigns.campaign_name,
        campaigns.campaign_role,
        lower(campaigns.objective) as campaign_objective,
        lower(campaigns.campaign_type) as campaign_type,
        {{ has_label('adgroup_days.labels', 'evergreen') }} or {{ has_label('campaigns.labels', 'evergreen') }} as is_evergreen,
        evaluated.currency_code as base_currency,
        evaluated.evaluated_day,
        evaluated.matured_day,
        advertiser_days.target_cpa as advertiser_target_cpa,
        {{ in_base('target_cpa', 'campaigns', 'campaign_rates') }} as campaign_target_cpa,
        {{ in_base('daily_budget', 'adgroup_days', 'own_rates') }} as own_budget,
        {{ in_base('daily_budget', 'campaigns', 'campaign_rates') }} as campaign_budget,
        campaign_totals.spend_w14 as campaign_spend_w14,
        coalesce(account_totals.spend_w7, 0) as account_spend_w7,
        coalesce(account_totals.conversions_w14, 0) as account_conversions_w14,
        account_missing.missing_fx_pair as account_missing_pair,
        learning.learning_status,
        greatest(coalesce(adgroup_edits.day, campaign_edits.day), coalesce(campaign_edits.day, adgroup_edits.day)) as edited_on,
        ad_slices.date is not null as has_ads_list,
        coalesce(
            missing.missing_fx_pair,
            case
                when own_rates.factor is null and coalesce(adgroup_days.daily_budget, 0) <> 0
                    then concat(coalesce(adgroup_days.currency_code, campaigns.currency_code), '->', evaluated.currency_code)
            end,
            case
                when campaign_rates.factor is null and (coalesce(campaigns.daily_budget, 0) <> 0 or coalesce(campaigns.target_cpa, 0) <> 0)
                    then concat(campaigns.currency_code, '->', evaluated.currency_code)
            end
        ) as missing_pair,
        adgroup_days.*
    from adgroup_days
    inner join adgroups on adgroups.adgroup_no = adgroup_days.adgroup_no
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
        on evaluated.account_no = adgroups.account_no and evaluated.date = adgroup_days.date
    inner join {{ ref('int_advertiser_days') }} as advertiser_days on {{ same(['advertiser_id', 'date'], 'advertiser_days', 'evaluated') }}
    left join campaigns on campaigns.campaign_no = adgroups.campaign_no and campaigns.date = adgroup_days.date
    left join {{ rates_of_day() }} as campaign_rates
        on {{ same(['advertiser_id', 'date', 'currency_code'], 'campaign_rates', 'campaigns') }}
    left join {{ rates_of_day() }} as own_rates
        on
            {{ same(['advertiser_id', 'date'], 'own_rates', 'evaluated') }}
            and own_rates.currency_code = coalesce(adgroup_days.currency_code, campaigns.currency_code)
    left join campaign_totals on campaign_totals.campaign_no = adgroups.campaign_no and campaign_totals.date = adgroup_days.date
    left join account_totals on account_totals.account_no = adgroups.account_no and account_totals.date = adgroup_days.date
    left join account_missing on account_missing.account_no = adgroups.account_no and account_missing.date = adgroup_days.date
    left join missing on missing.adgroup_no = adgroup_days.adgroup_no and missing.date = adgroup_days.date
    left join learning
        on learning.account_no = adgroups.account_no and learning.campaign_id = adgroups.campaign_id and learning.date = adgroup_days.date
    left join edits as adgroup_edits
        on
            adgroup_edits.account_no = adgroups.account_no
            and adgroup_edits.entity_id = adgroups.adgroup_id
            and adgroup_edits.date = adgroup_days.date
    left join edits as campaign_edits
        on
            campaign_edits.account_no = adgroups.account_no
            and campaign_edits.entity_id = adgroups.campaign_id
            and campaign_edits.date = adgroup_days.date
    left join {{ ref('int_current_slices') }} as ad_slices
        on ad_slices.table_name = 'ads' and ad_slices.advertiser_id = adgroups.advertiser_id and ad_slices.date = adgroup_days.date
)

select
    described.advertiser_id,
    described.date,
    described.platform,
    described.account_id,
    described.campaign_id,
    described.adgroup_id,
    described.adgroup_name,
    described.campaign_name,
    described.adgroup_status,
    described.is_dynamic_creative,
    described.base_currency as currency_code,
    described.evaluated_day,
    {{ whole(days_between('described.evaluated_day', 'described.date')) }} as data_age_days,
    {{ history_days('described.first_day', 'described.evaluated_day') }} as history_days,
    {{ unless_missing('described.spend_w7', 'spend_w7') }},
    {{ unless_missing('described.spend_w14', 'spend_w14') }},
    {{ whole('case when described.has_ads_list then coalesce(ad_totals.active_ads, 0) end') }} as active_ads_w14,
    top_ad.ad_id as top_ad_id,
    top_ad.ad_name as top_ad_name,
    {{ unless_missing('top_ad.spend_w14', 'top_ad_spend_w14') }},
    top_ad.impressions_w14 as top_ad_impressions_w14,
    top_ad.clicks_w14 as top_ad_clicks_w14,
    second_ad.ad_id as second_ad_id,
    second_ad.ad_name as second_ad_name,
    {{ unless_missing('second_ad.spend_w14', 'second_ad_spend_w14') }},
    second_ad.impressions_w14 as second_ad_impressions_w14,
    second_ad.clicks_w14 as second_ad_clicks_w14,
    described.campaign_role,
    described.campaign_objective,
    described.campaign_type,
    described.is_evergreen,
    {{ unless_missing('described.spend_w28', 'spend_w28') }},
    {{ unless_missing('described.spend_b28', 'spend_b28') }},
    described.conversions_w7,
    described.conversions_w14,
    described.conversions_w28,
    {{ whole('greatest(' ~ days_between('described.evaluated_day', 'described.matured_day') ~ ' + 14, 0)') }} as matured_days_w14,
    {{ whole('described.clicks_w14m') }} as clicks_w14m,
    {{ unless_missing('described.spend_w14m', 'spend_w14m') }},
    {{ unless_missing('described.campaign_target_cpa', 'campaign_target_cpa') }},
    {{ unless_missing('described.advertiser_target_cpa', 'advertiser_target_cpa') }},
    {#- A budget that ad groups share goes to each as it spends. -#}
    {{ unless_missing(
        'coalesce(described.own_budget, ' ~ exact(real('described.campaign_budget') ~ ' * ' ~ real('described.spend_w14') ~ ' / nullif('
        ~ real('described.campaign_spend_w14') ~ ', 0)') ~ ')', 'daily_budget'
    ) }},
    {{ unless_missing('described.account_spend_w7', 'account_spend_w7', 'described.account_missing_pair') }},
    {{ exact('described.account_conversions_w14') }} as account_conversions_w14,
    {{ whole('case when ad_totals.listed_ads > 0 then ad_totals.enabled_ads end') }} as enabled_ads,
    {{ whole('case when ad_totals.listed_ads > 0 then ad_totals.enabled_rsa_ads end') }} as enabled_rsa_ads,
    {{ whole('case when ad_totals.reviewed_ads > 0 then ad_totals.eligible_ads end') }} as eligible_ads,
    {{ whole('case when ad_totals.reviewed_ads > 0 then ad_totals.disapproved_ads end') }} as disapproved_ads,
    {{ unless_missing('case when ad_totals.reviewed_ads > 0 then ad_totals.blocked_spend_b28 end', 'blocked_spend_b28') }},
    {{ whole(
        'case when ad_totals.newest_creative_day > described.evaluated_day then 0 else '
        ~ days_between('ad_totals.newest_creative_day', 'described.evaluated_day') ~ ' end'
    ) }} as days_since_new_creative,
    reach.reach_w7,
    reach.reach_impressions_w7,
    reach.reach_w30,
    described.learning_status,
    {{ whole('count(case when described.adgroup_status = \'enabled\' then described.learning_status end) over (partition by described.account_no, described.date)') }} as account_learning_adgroups,
    {{ whole('sum(case when described.adgroup_status = \'enabled\' and described.learning_status = \'limited\' then 1 else 0 end) over (partition by described.account_no, described.date)') }} as account_limited_adgroups,
    {{ whole(days_between('described.edited_on', 'described.evaluated_day')) }} as days_since_edit,
    described.missing_pair as missing_fx_pair
from described
left join ad_totals on ad_totals.adgroup_no = described.adgroup_no and ad_totals.date = described.date
left join ranked_ads as top_ad on top_ad.adgroup_no = described.adgroup_no and top_ad.date = described.date and top_ad.place = 1
left join ranked_ads as second_ad on second_ad.adgroup_no = described.adgroup_no and second_ad.date = described.date and second_ad.place = 2
left join reach on reach.account_no = described.account_no and reach.entity_id = described.adgroup_id and reach.date = described.date
