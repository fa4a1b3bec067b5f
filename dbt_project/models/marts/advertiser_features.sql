{#- What all platforms cost together, what the shop sold, and what the platforms claim of it. An advertiser has few rows a day, so every
    feature day joins its own 56 days. -#}
{%- set reach = 55 %}
{%- set own_channels = ['direct', 'organic', 'email', 'other'] %}
with

judged as (
    select
        advertiser_id,
        date,
        evaluated_day,
        currency_code,
        gross_margin
    from {{ ref('int_advertiser_days') }}
),

events as {{ current_rows('calendar_events', ['event_id'], ['date_from', 'date_to', 'mask_baseline'], has_periods=false) }},

masked as (
    select distinct
        events.advertiser_id,
        events.date,
        days.day
    from events
    inner join judged on {{ same(['advertiser_id', 'date'], 'judged', 'events') }}
    cross join {{ each_day('greatest(events.date_from, ' ~ days_add('judged.evaluated_day', -reach) ~ ')', 'least(events.date_to, judged.evaluated_day)', 'days', 'day') }}
    where events.mask_baseline
),

{#- Days whose orders are known: on the others sales would be compared with nothing. -#}
known_days as (
    select
        judged.advertiser_id,
        judged.date,
        judged.evaluated_day,
        slices.date as day,
        case when masked.day is null then 1 else 0 end as is_normal
    from judged
    inner join (
        select advertiser_id, date, min(as_of) as known_from
        from {{ ref('stg_slice_versions') }}
        where table_name = 'orders_daily'
        group by advertiser_id, date
    ) as slices
        on
            slices.advertiser_id = judged.advertiser_id
            and slices.known_from <= judged.date
            and slices.date between {{ days_add('judged.evaluated_day', -reach) }} and judged.evaluated_day
    left join masked on {{ same(['advertiser_id', 'date'], 'masked', 'judged') }} and masked.day = slices.date
),

day_counts as (
    select
        advertiser_id,
        date,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 6, 0) }} then is_normal else 0 end) as comparable_days_w7,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 34, 7) }} then is_normal else 0 end) as comparable_days_b28,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 27, 0) }} then 1 else 0 end) as known_days_w28,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 55, 28) }} then 1 else 0 end) as known_days_p28
    from known_days as days
    group by advertiser_id, date
),

order_steps as (
    select
        advertiser_id,
        date,
        visible_from,
        visible_to,
        is_correction,
        sum(orders) as orders,
        sum(case when channel_touch in ({{ quoted(own_channels) }}) then 0 else orders end) as paid_orders,
        sum(revenue) as revenue,
        sum(discount) as discount,
        sum(rows_with_discount) as rows_with_discount
    from {{ ref('int_order_days') }}
    group by advertiser_id, date, visible_from, visible_to, is_correction
),

sales as (
    select
        days.advertiser_id,
        days.date,
        {%- for name, window in {'w7c': in_window('days.day', 'days.evaluated_day', 6, 0), 'b28c': in_window('days.day', 'days.evaluated_day', 34, 7)}.items() %}
        {%- for measure in ['orders', 'revenue', 'discount', 'rows_with_discount'] %}
        sum(case when {{ window }} then steps.{{ measure }} * days.is_normal else 0 end) as {{ measure }}_{{ name }},
        {%- endfor %}
        {%- endfor %}
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 27, 0) }} then steps.paid_orders else 0 end) as paid_orders_w28,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 27, 0) }} then steps.orders else 0 end) as orders_w28,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 55, 28) }} then steps.orders else 0 end) as orders_p28
    from known_days as days
    inner join order_steps as steps
        on
            steps.advertiser_id = days.advertiser_id
            and steps.date = days.day
            and (not steps.is_correction or (days.date >= steps.visible_from and days.date < steps.visible_to))
    group by days.advertiser_id, days.date
),

platform_steps as (
    select
        accounts.advertiser_id,
        accounts.platform,
        steps.date,
        steps.visible_from,
        steps.visible_to,
        steps.is_correction,
        sum(steps.n_rows) as n_rows,
        sum(steps.spend) as spend,
        sum(steps.conversions) as conversions,
        sum(steps.view_through_conversions) as view_through_conversions,
        sum(steps.rows_with_views) as rows_with_views
    from {{ ref('int_network_days') }} as steps
    inner join {{ accounts() }} as accounts on accounts.account_no = steps.account_no
    group by accounts.advertiser_id, accounts.platform, steps.date, steps.visible_from, steps.visible_to, steps.is_correction
),

platform_days as (
    select
        judged.advertiser_id,
        judged.date,
        judged.evaluated_day,
        steps.platform,
        steps.date as day,
        sum(steps.n_rows) as n_rows,
        sum(steps.spend) as spend,
        sum(steps.conversions) as conversions,
        sum(steps.view_through_conversions) as view_through_conversions,
        sum(steps.rows_with_views) as rows_with_views
    from judged
    inner join platform_steps as steps
        on
            steps.advertiser_id = judged.advertiser_id
            and steps.date between {{ days_add('judged.evaluated_day', -reach) }} and judged.evaluated_day
            and (not steps.is_correction or (judged.date >= steps.visible_from and judged.date < steps.visible_to))
    group by judged.advertiser_id, judged.date, judged.evaluated_day, steps.platform, steps.date
),

platforms as (
    select
        days.advertiser_id,
        days.date,
        days.platform,
        min(case when days.n_rows > 0 then days.day end) as first_day,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 6, 0) }} then days.spend else 0 end) as spend_w7,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 6, 0) }} and known_days.is_normal = 1 then days.spend else 0 end) as spend_w7c,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 34, 7) }} and known_days.is_normal = 1 then days.spend else 0 end) as spend_b28c,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 27, 0) }} and known_days.day is not null then days.conversions else 0 end) as conversions_w28,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 55, 28) }} and known_days.day is not null then days.conversions else 0 end) as conversions_p28,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 27, 0) }} and known_days.day is not null then days.view_through_conversions else 0 end) as view_through_conversions_w28,
        sum(case when {{ in_window('days.day', 'days.evaluated_day', 27, 0) }} and known_days.day is not null then days.rows_with_views else 0 end) as rows_with_views_w28
    from platform_days as days
    left join known_days on {{ same(['advertiser_id', 'date', 'day'], 'known_days', 'days') }}
    group by days.advertiser_id, days.date, days.platform
),

ranked as (
    select
        *,
        row_number() over (partition by advertiser_id, date order by conversions_w28 desc, platform) as place
    from platforms
),

totals as (
    select
        advertiser_id,
        date,
        min(first_day) as first_day,
        {% for measure in ['spend_w7', 'spend_w7c', 'spend_b28c', 'conversions_w28', 'conversions_p28', 'view_through_conversions_w28', 'rows_with_views_w28'] -%}
        sum({{ measure }}) as {{ measure }},
        {% endfor -%}
        count(case when conversions_w28 > 0 then 1 end) as claiming_platforms_w28,
        max(case when place = 1 and conversions_w28 > 0 then platform end) as top_platform,
        max(case when place = 1 and conversions_w28 > 0 then conversions_w28 end) as top_platform_conversions_w28
    from ranked
    group by advertiser_id, date
),

actions as {{ current_rows(
    'conversion_actions', ['platform', 'account_id', 'conversion_action_id'], ['action_category', 'action_status', 'is_primary'],
) }},

{#- Leads are no orders: only where every action that the bidding uses is a purchase can the two be compared. -#}
purchases as (
    select
        advertiser_id,
        date,
        min(case when action_category = 'purchase' then 1 else 0 end) = 1 as counts_purchases_only
    from actions
    where is_primary and action_status = 'enabled'
    group by advertiser_id, date
),

missing as (
    select
        judged.advertiser_id,
        judged.date,
        min(rates.currency_pair) as missing_pair
    from judged
    inner join {{ ref('int_missing_rates') }} as rates
        on
            rates.advertiser_id = judged.advertiser_id
            and rates.table_name in ('ad_performance_daily', 'orders_daily')
            and rates.date between {{ days_add('judged.evaluated_day', -reach) }} and judged.evaluated_day
            and judged.date >= rates.visible_from
            and (rates.visible_to is null or judged.date < rates.visible_to)
    group by judged.advertiser_id, judged.date
)

select
    judged.advertiser_id,
    judged.date,
    judged.currency_code,
    judged.evaluated_day,
    {{ whole(days_between('judged.evaluated_day', 'judged.date')) }} as data_age_days,
    {{ history_days('totals.first_day', 'judged.evaluated_day') }} as history_days,
    judged.gross_margin,
    {{ unless_missing('totals.spend_w7', 'spend_w7') }},
    {{ whole('coalesce(day_counts.comparable_days_w7, 0)') }} as comparable_days_w7,
    {{ whole('coalesce(day_counts.comparable_days_b28, 0)') }} as comparable_days_b28,
    {% for name in ['w7c', 'b28c'] -%}
    {%- set has_days = 'day_counts.comparable_days_' ~ name[:-1] ~ ' > 0' -%}
    {{ unless_missing('totals.spend_' ~ name, 'spend_' ~ name) }},
    case when {{ has_days }} then {{ whole('coalesce(sales.orders_' ~ name ~ ', 0)') }} end as orders_{{ name }},
    case when missing_pair is null and {{ has_days }} then {{ exact('coalesce(sales.revenue_' ~ name ~ ', 0)') }} end as revenue_{{ name }},
    case
        when missing_pair is null and sales.rows_with_discount_{{ name }} > 0
            then {{ exact_ratio('sales.discount_' ~ name, 'sales.discount_' ~ name ~ ' + sales.revenue_' ~ name) }}
    end as discount_share_{{ name }},
    {% endfor -%}
    {{ whole('coalesce(day_counts.known_days_w28, 0)') }} as known_days_w28,
    {{ whole('coalesce(day_counts.known_days_p28, 0)') }} as known_days_p28,
    case when day_counts.known_days_w28 > 0 then {{ whole('coalesce(sales.orders_w28, 0)') }} end as orders_w28,
    case when day_counts.known_days_p28 > 0 then {{ whole('coalesce(sales.orders_p28, 0)') }} end as orders_p28,
    case when day_counts.known_days_w28 > 0 then {{ whole('coalesce(sales.paid_orders_w28, 0)') }} end as paid_orders_w28,
    {{ exact('totals.conversions_w28') }} as conversions_w28,
    {{ exact('totals.conversions_p28') }} as conversions_p28,
    case when totals.rows_with_views_w28 > 0 then {{ exact('totals.view_through_conversions_w28') }} end as view_through_conversions_w28,
    {{ whole('coalesce(totals.claiming_platforms_w28, 0)') }} as claiming_platforms_w28,
    totals.top_platform,
    {{ exact('totals.top_platform_conversions_w28') }} as top_platform_conversions_w28,
    purchases.counts_purchases_only,
    missing.missing_pair as missing_fx_pair
from judged
left join totals on {{ same(['advertiser_id', 'date'], 'totals', 'judged') }}
left join day_counts on {{ same(['advertiser_id', 'date'], 'day_counts', 'judged') }}
left join sales on {{ same(['advertiser_id', 'date'], 'sales', 'judged') }}
left join purchases on {{ same(['advertiser_id', 'date'], 'purchases', 'judged') }}
left join missing on {{ same(['advertiser_id', 'date'], 'missing', 'judged') }}
