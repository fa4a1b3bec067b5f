{%- set look_back_days = 119 %}
{%- set curve_days = 56 %}
{%- set min_curve_days = 28 %}
with

plans as (
    select * from {{ ref('int_budget_plans') }} where date between period_start and period_end
),

scope_steps as (
    select
        scopes.advertiser_id,
        scopes.scope_key,
        steps.date,
        steps.visible_from,
        steps.visible_to,
        steps.is_correction,
        sum(steps.n_rows) as n_rows,
        sum(steps.spend) as spend
    from {{ ref('int_adgroup_days') }} as steps
    inner join {{ ref('int_plan_campaigns') }} as scopes on scopes.campaign_no = steps.campaign_no
    group by scopes.advertiser_id, scopes.scope_key, steps.date, steps.visible_from, steps.visible_to, steps.is_correction
),

{#- Spending of the plan's scope by day, as known on each feature day. -#}
spending as (
    select
        plans.advertiser_id,
        plans.plan_id,
        plans.date,
        plans.period_start,
        plans.evaluated_day,
        scope_steps.date as day,
        sum(scope_steps.n_rows) as n_rows,
        {{ exact('sum(scope_steps.spend)') }} as spend
    from plans
    inner join scope_steps
        on
            scope_steps.advertiser_id = plans.advertiser_id
            and scope_steps.scope_key = plans.scope_key
            and scope_steps.date between {{ days_add('plans.evaluated_day', -look_back_days) }} and plans.evaluated_day
            and (not scope_steps.is_correction or (plans.date >= scope_steps.visible_from and plans.date < scope_steps.visible_to))
    group by plans.advertiser_id, plans.plan_id, plans.date, plans.period_start, plans.evaluated_day, scope_steps.date
),

totals as (
    select
        advertiser_id,
        plan_id,
        date,
        min(case when n_rows > 0 then day end) as first_day,
        sum(case when day >= period_start then spend else 0 end) as spend_mtd,
        sum(case when day >= {{ days_add('evaluated_day', -6) }} then spend else 0 end) as spend_w7
    from spending
    group by advertiser_id, plan_id, date
),

events as {{ current_rows(
    'calendar_events', ['event_id'], ['date_from', 'date_to', 'expected_index_orders', 'mask_baseline'], has_periods=false,
) }},

{#- Days that calendar events make unlike others, as the calendar stood on each feature day. -#}
event_days as (
    select
        events.advertiser_id,
        events.date,
        days.day,
        max(coalesce(events.expected_index_orders, 1)) as order_index
    from events
    inner join (select distinct advertiser_id, date from plans) as planned
        on planned.advertiser_id = events.advertiser_id and planned.date = events.date
    cross join {{ each_day('events.date_from', 'events.date_to', 'days', 'day') }}
    where events.mask_baseline
    group by events.advertiser_id, events.date, days.day
),

{#- Weekday rhythm before the period, so that an overspend inside it does not bend its own curve; event days are no rhythm. -#}
curve_history as (
    select
        plans.advertiser_id,
        plans.plan_id,
        plans.date,
        {{ weekday('days.day') }} as weekday,
        coalesce(spending.spend, 0) as spend
    from plans
    inner join totals on {{ same(['advertiser_id', 'plan_id', 'date'], 'totals', 'plans') }}
    cross join {{ each_day(
        'greatest(totals.first_day, ' ~ days_add('plans.period_start', -curve_days) ~ ', ' ~ days_add('plans.evaluated_day', -look_back_days) ~ ')',
        'least(' ~ days_add('plans.period_start', -1) ~ ', plans.evaluated_day)', 'days', 'day',
    ) }}
    left join spending on {{ same(['advertiser_id', 'plan_id', 'date'], 'spending', 'plans') }} and spending.day = days.day
    left join event_days on {{ same(['advertiser_id', 'date'], 'event_days', 'plans') }} and event_days.day = days.day
    where totals.first_day is not null and event_days.day is null
),

curves as (
    select advertiser_id, plan_id, date
    from curve_history
    group by advertiser_id, plan_id, date
    having count(*) >= {{ min_curve_days }} and sum(spend) > 0
),

weekday_weights as (
    select
        history.advertiser_id,
        history.plan_id,
        history.date,
        history.weekday,
        {{ exact_ratio('sum(history.spend)', 'count(*)') }} as weight
    from curve_history as history
    inner join curves on {{ same(['advertiser_id', 'plan_id', 'date'], 'curves', 'history') }}
    group by history.advertiser_id, history.plan_id, history.date, history.weekday
),

{#- Run rate for the projection: the last 28 days by weekday. -#}
recent_days as (
    select
        plans.advertiser_id,
        plans.plan_id,
        plans.date,
        {{ weekday('days.day') }} as weekday,
        coalesce(spending.spend, 0) as spend
    from plans
    inner join totals on {{ same(['advertiser_id', 'plan_id', 'date'], 'totals', 'plans') }}
    cross join {{ each_day('greatest(totals.first_day, ' ~ days_add('plans.evaluated_day', -27) ~ ')', 'plans.evaluated_day', 'days', 'day') }}
    left join spending on {{ same(['advertiser_id', 'plan_id', 'date'], 'spending', 'plans') }} and spending.day = days.day
    where totals.first_day is not null
),

weekday_rates as (
    select advertiser_id, plan_id, date, weekday, {{ exact_ratio('sum(spend)', 'count(*)') }} as rate
    from recent_days
    group by advertiser_id, plan_id, date, weekday
),

overall_rates as (
    select advertiser_id, plan_id, date, {{ exact_ratio('sum(spend)', 'count(*)') }} as rate
    from recent_days
    group by advertiser_id, plan_id, date
),

period_days as (
    select
        plans.advertiser_id,
        plans.plan_id,
        plans.date,
        days.day <= plans.evaluated_day as is_over,
        {{ exact("case when curves.date is null then 1 else " ~ real('coalesce(weekday_weights.weight, 0)') ~ " end * coalesce(event_days.order_index, 1)") }} as weight,
        {{ exact(real('coalesce(weekday_rates.rate, overall_rates.rate, 0)') ~ ' * coalesce(event_days.order_index, 1)') }} as expected_spend
    from plans
    cross join {{ each_day('plans.period_start', 'plans.period_end', 'days', 'day') }}
    left join curves on {{ same(['advertiser_id', 'plan_id', 'date'], 'curves', 'plans') }}
    left join weekday_weights
        on {{ same(['advertiser_id', 'plan_id', 'date'], 'weekday_weights', 'plans') }} and weekday_weights.weekday = {{ weekday('days.day') }}
    left join weekday_rates
        on {{ same(['advertiser_id', 'plan_id', 'date'], 'weekday_rates', 'plans') }} and weekday_rates.weekday = {{ weekday('days.day') }}
    left join overall_rates on {{ same(['advertiser_id', 'plan_id', 'date'], 'overall_rates', 'plans') }}
    left join event_days on {{ same(['advertiser_id', 'date'], 'event_days', 'plans') }} and event_days.day = days.day
),

periods as (
    select
        advertiser_id,
        plan_id,
        date,
        count(case when is_over then 1 end) as days_elapsed,
        count(case when not is_over then 1 end) as days_left,
        {{ real('sum(case when is_over then weight else 0 end)') }} / nullif({{ real('sum(weight)') }}, 0) as curve_share,
        sum(case when not is_over then expected_spend else 0 end) as expected_spend
    from period_days
    group by advertiser_id, plan_id, date
),

missing as (
    select
        plans.advertiser_id,
        plans.plan_id,
        plans.date,
        min(rates.currency_pair) as missing_fx_pair
    from plans
    inner join {{ ref('int_plan_campaigns') }} as scopes on {{ same(['advertiser_id', 'scope_key'], 'scopes', 'plans') }}
    inner join {{ ref('int_missing_rates') }} as rates
        on
            rates.table_name = 'ad_performance_daily'
            and rates.campaign_no = scopes.campaign_no
            and rates.date between {{ days_add('plans.evaluated_day', -look_back_days) }} and plans.evaluated_day
            and plans.date >= rates.visible_from
            and (rates.visible_to is null or plans.date < rates.visible_to)
    group by plans.advertiser_id, plans.plan_id, plans.date
),

targets as {{ current_rows('campaigns', ['platform', 'account_id', 'campaign_id'], ['target_cpa', 'currency_code'], number='campaign_no') }},

{#- What the campaigns of the plan brought on settled days, beside what their spend would buy at their targets. -#}
campaign_results as (
    select
        plans.advertiser_id,
        plans.plan_id,
        plans.date,
        steps.campaign_no,
        {{ exact('sum(steps.spend)') }} as spend,
        {{ exact('sum(steps.conversions)') }} as conversions
    from plans
    inner join {{ mature_lags() }} as mature on {{ same(['advertiser_id', 'date'], 'mature', 'plans') }}
    inner join {{ ref('int_plan_campaigns') }} as scopes on {{ same(['advertiser_id', 'scope_key'], 'scopes', 'plans') }}
    inner join {{ ref('int_adgroup_days') }} as steps
        on
            steps.campaign_no = scopes.campaign_no
            and steps.date between {{ days_add('plans.evaluated_day', -13) }} and plans.evaluated_day
            and steps.date <= {{ days_add('plans.date', '-mature.mature_lag_days') }}
            and (not steps.is_correction or (plans.date >= steps.visible_from and plans.date < steps.visible_to))
    group by plans.advertiser_id, plans.plan_id, plans.date, steps.campaign_no
),

efficiency as (
    select
        results.advertiser_id,
        results.plan_id,
        results.date,
        {{ exact('sum(results.conversions)') }} as conversions_w14m,
        {{ exact('sum(' ~ exact_ratio('results.spend', 'targets.target_cpa') ~ ')') }} as expected_conversions_w14m
    from campaign_results as results
    inner join (
        select
            campaign_results.advertiser_id,
            campaign_results.plan_id,
            campaign_results.date,
            campaign_results.campaign_no,
            case when targets.target_cpa is null then advertiser_days.target_cpa else {{ in_base('target_cpa', 'targets', 'rates') }} end as target_cpa
        from campaign_results
        inner join {{ ref('int_advertiser_days') }} as advertiser_days
            on {{ same(['advertiser_id', 'date'], 'advertiser_days', 'campaign_results') }}
        left join targets on {{ same(['campaign_no', 'date'], 'targets', 'campaign_results') }}
        left join {{ rates_of_day() }} as rates on {{ same(['advertiser_id', 'date', 'currency_code'], 'rates', 'targets') }}
    ) as targets on {{ same(['advertiser_id', 'plan_id', 'date', 'campaign_no'], 'targets', 'results') }}
    where targets.target_cpa > 0
    group by results.advertiser_id, results.plan_id, results.date
),

described as (
    select
        plans.*,
        totals.first_day,
        efficiency.conversions_w14m,
        efficiency.expected_conversions_w14m,
        {#- A period that began before the look-back cannot be added up: empty, never smaller than it is. -#}
        case
            when plans.period_start >= {{ days_add('plans.evaluated_day', -look_back_days) }} then {{ exact('coalesce(totals.spend_mtd, 0)') }}
        end as spend_mtd,
        coalesce(totals.spend_w7, 0) as spend_w7,
        periods.days_elapsed,
        periods.days_left,
        periods.curve_share,
        periods.expected_spend,
        coalesce(missing.missing_fx_pair, plans.missing_fx_pair) as missing_pair
    from plans
    inner join periods on {{ same(['advertiser_id', 'plan_id', 'date'], 'periods', 'plans') }}
    left join totals on {{ same(['advertiser_id', 'plan_id', 'date'], 'totals', 'plans') }}
    left join missing on {{ same(['advertiser_id', 'plan_id', 'date'], 'missing', 'plans') }}
    left join efficiency on {{ same(['advertiser_id', 'plan_id', 'date'], 'efficiency', 'plans') }}
)

select
    advertiser_id,
    date,
    plan_id,
    plan_name,
    plan_scope,
    period_start,
    period_end,
    is_hard_cap,
    currency_code,
    evaluated_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    {{ unless_missing('plan_amount') }},
    {{ unless_missing('spend_mtd') }},
    curve_share,
    {{ unless_missing('spend_mtd + expected_spend', 'spend_projected') }},
    {{ unless_missing('spend_w7') }},
    {{ unless_missing(
        'case when plan_amount < spend_mtd and days_left > 0 then 0 else ' ~ exact_ratio('plan_amount - spend_mtd', 'days_left') ~ ' end', 'required_daily'
    ) }},
    {{ whole('days_elapsed') }} as days_elapsed,
    {{ whole('days_left') }} as days_left,
    conversions_w14m,
    case when missing_pair is null then expected_conversions_w14m end as expected_conversions_w14m,
    missing_pair as missing_fx_pair
from described
