{%- set sums = {
    'impressions_w7': {'measure': 'impressions', 'first': 6, 'last': 0, 'cast': whole},
    'clicks_w7': {'measure': 'clicks', 'first': 6, 'last': 0, 'cast': whole},
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'conversions_w7': {'measure': 'conversions', 'first': 6, 'last': 0, 'cast': exact},
    'impressions_b28': {'measure': 'impressions', 'first': 34, 'last': 7, 'cast': whole},
    'clicks_b28': {'measure': 'clicks', 'first': 34, 'last': 7, 'cast': whole},
    'spend_b28': {'measure': 'spend', 'first': 34, 'last': 7, 'cast': exact},
    'conversions_b28': {'measure': 'conversions', 'first': 34, 'last': 7, 'cast': exact},
    'spend_w28': {'measure': 'spend', 'first': 27, 'last': 0, 'cast': exact},
    'clicks_w28': {'measure': 'clicks', 'first': 27, 'last': 0, 'cast': whole},
    'conversions_w28': {'measure': 'conversions', 'first': 27, 'last': 0, 'cast': exact},
    'orders_w28': {'measure': 'orders', 'first': 27, 'last': 0, 'cast': whole},
    'orders_known_w28': {'measure': 'orders_known', 'first': 27, 'last': 0, 'cast': whole},
    'new_customer_orders_w28': {'measure': 'new_customer_orders', 'first': 27, 'last': 0, 'cast': whole},
} %}
{%- set matured_sums = {
    'clicks_w14m': {'measure': 'clicks', 'first': 13, 'cast': whole},
    'spend_w14m': {'measure': 'spend', 'first': 13, 'cast': exact},
    'conversions_w14m': {'measure': 'conversions', 'first': 13, 'cast': exact},
} %}
with

delivery as {{ window_sums(ref('int_campaign_days'), ['campaign_no'], sums, matured_sums, with_first_day=true) }},

campaigns as (
    select distinct
        advertiser_id,
        platform,
        account_id,
        campaign_id,
        account_no,
        campaign_no
    from {{ ref('int_entity_numbers') }}
    where campaign_no is not null
),

listed as {{ current_rows(
    'campaigns', ['platform', 'account_id', 'campaign_id'],
    ['campaign_name', 'campaign_role', 'campaign_status', 'daily_budget', 'target_cpa', 'has_purchaser_exclusion', 'currency_code'],
    number='campaign_no',
) }},

settings as (
    select
        listed.campaign_no,
        listed.date,
        listed.campaign_name,
        listed.campaign_role,
        listed.campaign_status,
        listed.has_purchaser_exclusion,
        {{ in_base('daily_budget', 'listed', 'rates') }} as daily_budget,
        {{ in_base('target_cpa', 'listed', 'rates') }} as target_cpa,
        case
            when rates.factor is null and (coalesce(listed.daily_budget, 0) <> 0 or coalesce(listed.target_cpa, 0) <> 0)
                then concat(listed.currency_code, '->', advertisers.base_currency)
        end as missing_fx_pair
    from listed
    inner join {{ ref('stg_advertisers') }} as advertisers on advertisers.advertiser_id = listed.advertiser_id
    left join {{ rates_of_day() }} as rates
        on {{ same(['advertiser_id', 'date', 'currency_code'], 'rates', 'listed') }}
),

{#- Without any version of orders_daily in W28 nothing is known about orders; with one, a campaign without a row had none. -#}
days_with_orders as (
    select
        evaluated.account_no,
        evaluated.date,
        count(*) as days
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join (
        select advertiser_id, date, min(as_of) as known_from
        from {{ ref('stg_slice_versions') }}
        where table_name = 'orders_daily'
        group by advertiser_id, date
    ) as order_slices
        on
            order_slices.advertiser_id = evaluated.advertiser_id
            and order_slices.date between {{ days_add('evaluated.evaluated_day', -27) }} and evaluated.evaluated_day
            and order_slices.known_from <= evaluated.date
    group by evaluated.account_no, evaluated.date
),

missing as {{ missing_pairs('ad_performance_daily', ['campaign_no']) }},

campaign_days as (
    select
        coalesce(delivery.campaign_no, settings.campaign_no) as campaign_no,
        coalesce(delivery.date, settings.date) as date,
        settings.campaign_name,
        settings.campaign_role,
        settings.campaign_status,
        settings.has_purchaser_exclusion,
        settings.daily_budget,
        settings.target_cpa,
        settings.missing_fx_pair,
        {% for name in sums.keys() | list + matured_sums.keys() | list %}coalesce(delivery.{{ name }}, 0) as {{ name }},
        {% endfor -%}
        delivery.first_day
    from delivery
    full outer join settings on settings.campaign_no = delivery.campaign_no and settings.date = delivery.date
    where delivery.first_day is not null or settings.campaign_status = 'enabled'
),

described as (
    select
        campaigns.advertiser_id,
        campaigns.platform,
        campaigns.account_id,
        campaigns.campaign_id,
        evaluated.currency_code,
        evaluated.evaluated_day,
        evaluated.matured_day,
        advertiser_days.target_cpa as advertiser_target_cpa,
        coalesce(days_with_orders.days, 0) > 0 as has_orders_data,
        coalesce(missing.missing_fx_pair, campaign_days.missing_fx_pair) as missing_pair,
        campaign_days.*
    from campaign_days
    inner join campaigns on campaigns.campaign_no = campaign_days.campaign_no
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
        on evaluated.account_no = campaigns.account_no and evaluated.date = campaign_days.date
    inner join {{ ref('int_advertiser_days') }} as advertiser_days
        on advertiser_days.advertiser_id = campaigns.advertiser_id and advertiser_days.date = campaign_days.date
    left join days_with_orders on days_with_orders.account_no = campaigns.account_no and days_with_orders.date = campaign_days.date
    left join missing on missing.campaign_no = campaign_days.campaign_no and missing.date = campaign_days.date
)

select
    advertiser_id,
    date,
    platform,
    account_id,
    campaign_id,
    campaign_name,
    campaign_role,
    campaign_status,
    currency_code,
    evaluated_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    impressions_w7,
    clicks_w7,
    {{ unless_missing('spend_w7') }},
    conversions_w7,
    impressions_b28,
    clicks_b28,
    {{ unless_missing('spend_b28') }},
    conversions_b28,
    {{ whole('greatest(' ~ days_between('evaluated_day', 'matured_day') ~ ' + 14, 0)') }} as matured_days_w14,
    {{ whole('clicks_w14m') }} as clicks_w14m,
    {{ unless_missing('spend_w14m') }},
    {{ exact('conversions_w14m') }} as conversions_w14m,
    {{ unless_missing('spend_w28') }},
    clicks_w28,
    conversions_w28,
    {{ unless_missing('target_cpa', 'campaign_target_cpa') }},
    {{ unless_missing('advertiser_target_cpa') }},
    {{ unless_missing('daily_budget') }},
    case when has_orders_data then orders_w28 end as orders_w28,
    case when has_orders_data then orders_known_w28 end as orders_known_w28,
    case when has_orders_data then new_customer_orders_w28 end as new_customer_orders_w28,
    has_purchaser_exclusion,
    missing_pair as missing_fx_pair
from described
