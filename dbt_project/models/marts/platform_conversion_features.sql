{#- Platforms are few, so their days are read one by one. -#}
{%- set weeks_before = 8 %}
{#- Nine weeks that end at the matured day. -#}
{%- set window_days = 7 * (weeks_before + 1) %}
{#- One row per platform: the newest days must be over, settled and mature in all its accounts. -#}
with

platforms as (
    select
        advertiser_id,
        date,
        platform,
        min(currency_code) as currency_code,
        min(evaluated_day) as evaluated_day,
        min(matured_day) as matured_day,
        count(*) as accounts,
        case when count(*) = 1 then min(account_id) end as account_id,
        case when count(*) = 1 then min(account_name) end as account_name
    from {{ ref('int_evaluated_days') }}
    group by advertiser_id, date, platform
),

numbers as (
    select platforms.*, accounts.account_no
    from platforms
    inner join {{ ref('int_numbered_evaluated_days') }} as accounts on {{ same(['advertiser_id', 'date', 'platform'], 'accounts', 'platforms') }}
),

listed as {{ current_rows(
    'conversion_actions', ['platform', 'account_id', 'conversion_action_id'], ['action_category', 'is_primary'],
) }},

{#- Purchases that bidding uses are what the platform calls orders. A platform without them is compared by all that bidding uses. -#}
primary_actions as (
    select
        accounts.account_no,
        listed.date,
        listed.conversion_action_id,
        coalesce(listed.action_category, '') = 'purchase' as is_purchase,
        max(case when listed.action_category = 'purchase' then 1 else 0 end) over (partition by listed.advertiser_id, listed.date, listed.platform) as has_purchases
    from listed
    inner join {{ accounts() }} as accounts on {{ same(['advertiser_id', 'platform', 'account_id'], 'accounts', 'listed') }}
    where listed.is_primary
),

chosen_actions as (
    select numbers.advertiser_id, numbers.date, numbers.platform, numbers.matured_day, numbers.account_no, actions.conversion_action_id, actions.is_purchase
    from numbers
    inner join primary_actions as actions on {{ same(['account_no', 'date'], 'actions', 'numbers') }}
    where actions.is_purchase or actions.has_purchases = 0
),

conversion_days as (
    select
        chosen.advertiser_id,
        chosen.date,
        chosen.platform,
        steps.date as day,
        sum(steps.conversions) as conversions
    from chosen_actions as chosen
    inner join {{ ref('int_action_days') }} as steps
        on
            {{ same(['account_no', 'conversion_action_id'], 'steps', 'chosen') }}
            and steps.date between {{ days_add('chosen.matured_day', -(window_days - 1)) }} and chosen.matured_day
            and (not steps.is_correction or (chosen.date >= steps.visible_from and chosen.date < steps.visible_to))
    group by chosen.advertiser_id, chosen.date, chosen.platform, steps.date
),

{#- Days on which orders are known at all; one without a row of the platform had none. -#}
order_slices as (
    select advertiser_id, date, min(as_of) as known_from
    from {{ ref('stg_slice_versions') }}
    where table_name = 'orders_daily'
    group by advertiser_id, date
),

touches as (
    select advertiser_id, channel_touch, date, visible_from, visible_to, is_correction, sum(orders) as orders
    from {{ ref('int_order_days') }}
    group by advertiser_id, channel_touch, date, visible_from, visible_to, is_correction
),

order_days as (
    select
        platforms.advertiser_id,
        platforms.date,
        platforms.platform,
        slices.date as day,
        {{ whole('floor(' ~ real(days_between('slices.date', 'platforms.matured_day')) ~ ' / 7)') }} as week,
        coalesce(sum(steps.orders), 0) as orders
    from platforms
    inner join order_slices as slices
        on
            slices.advertiser_id = platforms.advertiser_id
            and slices.date between {{ days_add('platforms.matured_day', -(window_days - 1)) }} and platforms.matured_day
            and slices.known_from <= platforms.date
    left join touches as steps
        on
            steps.advertiser_id = slices.advertiser_id
            and steps.date = slices.date
            and steps.channel_touch = platforms.platform
            and (not steps.is_correction or (platforms.date >= steps.visible_from and platforms.date < steps.visible_to))
    group by platforms.advertiser_id, platforms.date, platforms.platform, platforms.matured_day, slices.date
),

{#- Week 0 ends at the matured day. Conversions and orders are those of the same days: days without known orders count on neither side. -#}
weeks as (
    select
        order_days.advertiser_id,
        order_days.date,
        order_days.platform,
        order_days.week,
        count(*) as days,
        sum(order_days.orders) as orders,
        {{ exact('coalesce(sum(conversion_days.conversions), 0)') }} as conversions
    from order_days
    left join conversion_days on {{ same(['advertiser_id', 'date', 'platform', 'day'], 'conversion_days', 'order_days') }}
    group by order_days.advertiser_id, order_days.date, order_days.platform, order_days.week
),

ratios as (
    select
        weeks.*,
        case when orders > 0 and conversions > 0 and days >= 5 then {{ real('conversions') }} / orders end as ratio
    from weeks
),

medians as (
    select
        advertiser_id,
        date,
        platform,
        sum(case when week = 0 then orders end) as orders_w7m,
        sum(case when week = 0 then conversions end) as conversions_w7m,
        sum(case when week = 0 then days end) as order_days_w7m,
        count(case when week > 0 then ratio end) as ratio_weeks,
        {{ median('case when week > 0 then ratio end') }} as ratio_median
    from ratios
    group by advertiser_id, date, platform
),

spreads as (
    select
        ratios.advertiser_id,
        ratios.date,
        ratios.platform,
        {{ median('abs(ratios.ratio - medians.ratio_median)') }} as ratio_mad
    from ratios
    inner join medians on {{ same(['advertiser_id', 'date', 'platform'], 'medians', 'ratios') }}
    where ratios.week > 0 and ratios.ratio is not null
    group by ratios.advertiser_id, ratios.date, ratios.platform
),

kinds as (
    select advertiser_id, date, platform, max(case when is_purchase then 1 else 0 end) = 1 as counts_purchases
    from chosen_actions
    group by advertiser_id, date, platform
),

delivery_days as (
    select
        numbers.advertiser_id,
        numbers.date,
        numbers.platform,
        numbers.evaluated_day,
        steps.date as day,
        sum(steps.n_rows) as n_rows,
        sum(steps.spend) as spend
    from numbers
    inner join {{ ref('int_account_days') }} as steps
        on
            steps.table_name = 'ad_performance_daily'
            and steps.account_no = numbers.account_no
            and steps.date between {{ days_add('numbers.evaluated_day', -119) }} and numbers.evaluated_day
            and (not steps.is_correction or (numbers.date >= steps.visible_from and numbers.date < steps.visible_to))
    group by numbers.advertiser_id, numbers.date, numbers.platform, numbers.evaluated_day, steps.date
),

delivery as (
    select
        advertiser_id,
        date,
        platform,
        min(case when n_rows > 0 then day end) as first_day,
        sum(case when day >= {{ days_add('evaluated_day', -6) }} then spend else 0 end) as spend_w7
    from delivery_days
    group by advertiser_id, date, platform
),

missing as (
    select numbers.advertiser_id, numbers.date, numbers.platform, min(rates.currency_pair) as missing_fx_pair
    from numbers
    inner join {{ ref('int_missing_rates') }} as rates
        on
            rates.table_name = 'ad_performance_daily'
            and rates.account_no = numbers.account_no
            and rates.date between {{ days_add('numbers.evaluated_day', -6) }} and numbers.evaluated_day
            and numbers.date >= rates.visible_from
            and (rates.visible_to is null or numbers.date < rates.visible_to)
    group by numbers.advertiser_id, numbers.date, numbers.platform
),

described as (
    select
        platforms.*,
        kinds.counts_purchases,
        medians.orders_w7m,
        medians.order_days_w7m,
        case when kinds.counts_purchases is not null then medians.conversions_w7m end as conversions_w7m,
        case when kinds.counts_purchases is not null then coalesce(medians.ratio_weeks, 0) end as ratio_weeks,
        case when kinds.counts_purchases is not null then medians.ratio_median end as ratio_median,
        case when kinds.counts_purchases is not null then spreads.ratio_mad end as ratio_mad,
        delivery.first_day,
        coalesce(delivery.spend_w7, 0) as spend_w7,
        missing.missing_fx_pair as missing_pair
    from platforms
    left join kinds on {{ same(['advertiser_id', 'date', 'platform'], 'kinds', 'platforms') }}
    left join medians on {{ same(['advertiser_id', 'date', 'platform'], 'medians', 'platforms') }}
    left join spreads on {{ same(['advertiser_id', 'date', 'platform'], 'spreads', 'platforms') }}
    left join delivery on {{ same(['advertiser_id', 'date', 'platform'], 'delivery', 'platforms') }}
    left join missing on {{ same(['advertiser_id', 'date', 'platform'], 'missing', 'platforms') }}
)

select
    advertiser_id,
    date,
    platform,
    account_id,
    account_name,
    currency_code,
    evaluated_day,
    matured_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    counts_purchases,
    {{ exact('conversions_w7m') }} as conversions_w7m,
    {{ whole('orders_w7m') }} as orders_w7m,
    {{ whole('coalesce(order_days_w7m, 0)') }} as order_days_w7m,
    {{ whole('ratio_weeks') }} as ratio_weeks,
    {{ real('ratio_median') }} as ratio_median,
    {{ real('ratio_mad') }} as ratio_mad,
    {{ unless_missing('spend_w7') }},
    missing_pair as missing_fx_pair
from described
