{#- Plans as they stood on each feature day, in base currency, with the day to which their spending can be judged. -#}
with

plans as {{ current_rows(
    'budget_plans', ['plan_id'],
    ['plan_name', 'period_start', 'period_end', 'plan_scope', 'scope_ids', 'plan_amount', 'currency_code', 'is_hard_cap'],
    has_periods=false,
) }},

slowest_accounts as (
    select
        scopes.advertiser_id,
        scopes.scope_key,
        evaluated.date,
        min(evaluated.evaluated_day) as evaluated_day
    from (select distinct advertiser_id, scope_key, account_no from {{ ref('int_plan_campaigns') }}) as scopes
    inner join {{ ref('int_evaluated_days') }} as evaluated on evaluated.account_no = scopes.account_no
    group by scopes.advertiser_id, scopes.scope_key, evaluated.date
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
