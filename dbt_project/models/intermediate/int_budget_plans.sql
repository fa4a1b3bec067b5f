{#- Plans as they stood on each feature day, in base currency, with the day to which their spending can be judged. -#}
{%- set look_back_days = 125 %}
with

plans as {{ current_rows(
    'budget_plans', ['plan_id'],
    ['plan_name', 'period_start', 'period_end', 'plan_scope', 'scope_ids', 'plan_amount', 'currency_code', 'is_hard_cap'],
    has_periods=false,
) }},

scopes as (
    select distinct
        advertiser_id,
        date,
        {{ plan_scope_key() }} as scope_key
    from plans
    where plan_scope <> 'advertiser'
),

deliveries as (
    select
        covered.advertiser_id,
        covered.scope_key,
        steps.account_no,
        steps.date,
        steps.visible_from,
        steps.visible_to,
        steps.is_correction,
        sum(steps.n_rows) as n_rows
    from {{ ref('int_adgroup_days') }} as steps
    inner join {{ ref('int_plan_campaigns') }} as covered on covered.campaign_no = steps.campaign_no
    group by covered.advertiser_id, covered.scope_key, steps.account_no, steps.date, steps.visible_from, steps.visible_to, steps.is_correction
),

{#- A plan may name a campaign long before it starts, so only accounts that delivered for the plan, as known on the feature day, are waited for. -#}
delivering as (
    select
        scopes.advertiser_id,
        scopes.scope_key,
        scopes.date,
        deliveries.account_no
    from scopes
    inner join deliveries
        on
            deliveries.advertiser_id = scopes.advertiser_id
            and deliveries.scope_key = scopes.scope_key
            and deliveries.date between {{ days_add('scopes.date', -look_back_days) }} and scopes.date
            and (not deliveries.is_correction or (scopes.date >= deliveries.visible_from and scopes.date < deliveries.visible_to))
    group by scopes.advertiser_id, scopes.scope_key, scopes.date, deliveries.account_no, deliveries.date
    having sum(deliveries.n_rows) > 0
),

slowest_accounts as (
    select
        delivering.advertiser_id,
        delivering.scope_key,
        delivering.date,
        min(evaluated.evaluated_day) as evaluated_day
    from delivering
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
        on {{ same(['account_no', 'date'], 'evaluated', 'delivering') }}
    group by delivering.advertiser_id, delivering.scope_key, delivering.date
)

select
    plans.advertiser_id,
    plans.date,
    plans.plan_id,
    plans.plan_name,
    plans.plan_scope,
    {{ plan_scope_key('plans.') }} as scope_key,
    plans.period_start,
    plans.period_end,
    plans.is_hard_cap,
    advertiser_days.currency_code,
    case
        when plans.plan_scope = 'advertiser' then advertiser_days.evaluated_day
        else coalesce(slowest_accounts.evaluated_day, advertiser_days.evaluated_day)
    end as evaluated_day,
    {{ exact('plans.plan_amount * rates.factor') }} as plan_amount,
    case when rates.factor is null and plans.plan_amount <> 0 then concat(plans.currency_code, '->', advertiser_days.currency_code) end as missing_fx_pair
from plans
inner join {{ ref('int_advertiser_days') }} as advertiser_days
    on advertiser_days.advertiser_id = plans.advertiser_id and advertiser_days.date = plans.date
left join slowest_accounts
    on
        slowest_accounts.advertiser_id = plans.advertiser_id
        and slowest_accounts.scope_key = {{ plan_scope_key('plans.') }}
        and slowest_accounts.date = plans.date
left join {{ rates_of_day() }} as rates
    on rates.advertiser_id = plans.advertiser_id and rates.date = plans.date and rates.currency_code = plans.currency_code
