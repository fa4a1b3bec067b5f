{%- set horizon_days = 30 %}
{#- 52 weeks: the same weekdays, and most sales move with the weekday. -#}
{%- set last_year = 364 %}
{#- A run of many days holds more of the past than each of them may use. -#}
{%- set look_back_days = 125 %}
with

events as {{ current_rows(
    'calendar_events', ['event_id'], ['event_name', 'date_from', 'date_to', 'expected_index_orders'], has_periods=false,
) }},

upcoming as (
    select
        events.*,
        advertiser_days.evaluated_day,
        advertiser_days.currency_code,
        advertiser_days.gross_margin,
        {{ days_between('events.date', 'events.date_from') }} as days_until_start,
        {{ days_between('events.date_from', 'events.date_to') }} + 1 as event_days
    from events
    inner join {{ ref('int_advertiser_days') }} as advertiser_days on {{ same(['advertiser_id', 'date'], 'advertiser_days', 'events') }}
    where events.date_from between events.date and {{ days_add('events.date', horizon_days) }}
),

judged_days as (
    select distinct advertiser_id, date, evaluated_day from upcoming
),

spend_steps as (
    select
        accounts.advertiser_id,
        steps.date,
        steps.visible_from,
        steps.visible_to,
        steps.is_correction,
        sum(steps.n_rows) as n_rows,
        sum(steps.spend) as spend
    from {{ ref('int_adgroup_days') }} as steps
    inner join {{ accounts() }} as accounts on accounts.account_no = steps.account_no
    group by accounts.advertiser_id, steps.date, steps.visible_from, steps.visible_to, steps.is_correction
),

spending_by_day as (
    select
        judged_days.advertiser_id,
        judged_days.date,
        judged_days.evaluated_day,
        steps.date as day,
        sum(steps.n_rows) as n_rows,
        sum(steps.spend) as spend
    from judged_days
    inner join spend_steps as steps
        on
            steps.advertiser_id = judged_days.advertiser_id
            and steps.date between {{ days_add('judged_days.evaluated_day', -119) }} and judged_days.evaluated_day
            and (not steps.is_correction or (judged_days.date >= steps.visible_from and judged_days.date < steps.visible_to))
    group by judged_days.advertiser_id, judged_days.date, judged_days.evaluated_day, steps.date
),

spending as (
    select
        advertiser_id,
        date,
        evaluated_day,
        min(case when n_rows > 0 then day end) as first_day,
        sum(case when day >= {{ days_add('evaluated_day', -27) }} then spend else 0 end) as spend_w28
    from spending_by_day
    group by advertiser_id, date, evaluated_day
),

order_steps as (
    select
        advertiser_id,
        date,
        visible_from,
        visible_to,
        is_correction,
        sum(orders) as orders,
        sum(revenue) as revenue
    from {{ ref('int_order_days') }}
    group by advertiser_id, date, visible_from, visible_to, is_correction
),

order_slices as (
    select advertiser_id, date, min(as_of) as known_from
    from {{ ref('stg_slice_versions') }}
    where table_name = 'orders_daily'
    group by advertiser_id, date
),

{#- Orders by day as known on the feature day; a loaded day without a row had none. -#}
orders as (
    select
        judged_days.advertiser_id,
        judged_days.date,
        judged_days.evaluated_day,
        order_slices.date as day,
        coalesce(sum(steps.orders), 0) as orders,
        coalesce(sum(steps.revenue), 0) as revenue
    from judged_days
    inner join order_slices
        on
            order_slices.advertiser_id = judged_days.advertiser_id
            and order_slices.known_from <= judged_days.date
            and order_slices.date between {{ days_add('judged_days.date', -look_back_days) }} and judged_days.evaluated_day
    left join order_steps as steps
        on
            steps.advertiser_id = order_slices.advertiser_id
            and steps.date = order_slices.date
            and (not steps.is_correction or (judged_days.date >= steps.visible_from and judged_days.date < steps.visible_to))
    group by judged_days.advertiser_id, judged_days.date, judged_days.evaluated_day, order_slices.date
),

revenue as (
    select
        advertiser_id,
        date,
        {{ exact_ratio('sum(revenue)', 'count(*)') }} as revenue_per_day_w28
    from orders
    where day >= {{ days_add('evaluated_day', -27) }}
    group by advertiser_id, date
),

{#- Every day of both windows must be known, else there is no such figure. -#}
last_year as (
    select
        upcoming.advertiser_id,
        upcoming.date,
        upcoming.event_id,
        upcoming.event_days,
        sum(case when orders.day >= {{ days_add('upcoming.date_from', -last_year) }} then orders.orders else 0 end) as orders_during,
        sum(case when orders.day < {{ days_add('upcoming.date_from', -last_year) }} then orders.orders else 0 end) as orders_before
    from upcoming
    inner join orders
        on
            {{ same(['advertiser_id', 'date'], 'orders', 'upcoming') }}
            and orders.day between {{ days_add('upcoming.date_from', -last_year - 28) }} and {{ days_add('upcoming.date_to', -last_year) }}
    group by upcoming.advertiser_id, upcoming.date, upcoming.event_id, upcoming.event_days
    having count(*) = upcoming.event_days + 28
),

plans as (
    select
        *,
        case plan_scope when 'advertiser' then 1 when 'account' then 2 else 3 end as breadth
    from {{ ref('int_budget_plans') }}
),

{#- A broad plan holds the narrower ones of the same day, so only the broadest level of a day is added up. -#}
planned_days as (
    select
        upcoming.advertiser_id,
        upcoming.date,
        upcoming.event_id,
        days.day,
        plans.breadth,
        min(plans.breadth) over (partition by upcoming.advertiser_id, upcoming.date, upcoming.event_id, days.day) as broadest,
        {{ exact_ratio('plans.plan_amount', days_between('plans.period_start', 'plans.period_end') ~ ' + 1') }} as amount_per_day,
        plans.missing_fx_pair
    from upcoming
    cross join {{ each_day('upcoming.date_from', 'upcoming.date_to', 'days', 'day') }}
    inner join plans on {{ same(['advertiser_id', 'date'], 'plans', 'upcoming') }} and days.day between plans.period_start and plans.period_end
),

planned as (
    select
        advertiser_id,
        date,
        event_id,
        {{ exact_ratio('sum(amount_per_day)', 'count(distinct day)') }} as planned_spend_per_day,
        min(missing_fx_pair) as missing_fx_pair
    from planned_days
    where breadth = broadest
    group by advertiser_id, date, event_id
),

missing as (
    select
        judged_days.advertiser_id,
        judged_days.date,
        min(rates.currency_pair) as missing_fx_pair
    from judged_days
    inner join {{ ref('int_missing_rates') }} as rates
        on
            rates.advertiser_id = judged_days.advertiser_id
            and rates.table_name in ('ad_performance_daily', 'orders_daily')
            and rates.date between {{ days_add('judged_days.evaluated_day', -27) }} and judged_days.evaluated_day
            and judged_days.date >= rates.visible_from
            and (rates.visible_to is null or judged_days.date < rates.visible_to)
    group by judged_days.advertiser_id, judged_days.date
),

described as (
    select
        upcoming.*,
        spending.first_day,
        spending.spend_w28,
        revenue.revenue_per_day_w28,
        planned.planned_spend_per_day,
        {{ real('last_year.orders_during') }} / last_year.event_days / nullif({{ real('last_year.orders_before') }} / 28, 0) as last_year_index_orders,
        coalesce(missing.missing_fx_pair, planned.missing_fx_pair) as missing_pair
    from upcoming
    left join spending on {{ same(['advertiser_id', 'date'], 'spending', 'upcoming') }}
    left join revenue on {{ same(['advertiser_id', 'date'], 'revenue', 'upcoming') }}
    left join planned on {{ same(['advertiser_id', 'date', 'event_id'], 'planned', 'upcoming') }}
    left join last_year on {{ same(['advertiser_id', 'date', 'event_id'], 'last_year', 'upcoming') }}
    left join missing on {{ same(['advertiser_id', 'date'], 'missing', 'upcoming') }}
)

select
    advertiser_id,
    date,
    event_id,
    event_name,
    date_from,
    date_to,
    currency_code,
    evaluated_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    {{ whole('days_until_start') }} as days_until_start,
    {{ whole('event_days') }} as event_days,
    expected_index_orders,
    last_year_index_orders,
    {{ unless_missing('planned_spend_per_day') }},
    {{ unless_missing(
        exact_ratio('spend_w28', 'case when first_day is not null then least(28, ' ~ days_between('first_day', 'evaluated_day') ~ ' + 1) end'), 'spend_per_day_w28'
    ) }},
    {{ unless_missing('revenue_per_day_w28') }},
    {{ real('gross_margin') }} as gross_margin,
    missing_pair as missing_fx_pair
from described
