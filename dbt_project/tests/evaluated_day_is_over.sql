{{ config(severity='warn') }}
{#- A warning: an error on a step between would keep dbt from building the marts of everybody else. -#}
{#- No account is judged on a day that had not ended in its zone, or not settled, when the morning run happened. -#}
select advertiser_id, date, platform, account_id, evaluated_day, evaluation_instant
from {{ ref('int_evaluated_days') }}
where
    evaluated_day > date
    or {{ local_midnight(days_add('evaluated_day', 1), 'time_zone') }} > {{ hours_before('evaluation_instant', 'settle_lag_hours') }}
