select
    advertiser_id,
    date,
    as_of,
    plan_id,
    name as plan_name,
    period_start,
    period_end,
    scope as plan_scope,
    scope_ids,
    amount as plan_amount,
    currency_code,
    is_hard_cap
from {{ source('raw', 'budget_plans') }}
