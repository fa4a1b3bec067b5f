{%- set sums = {
    'spend_w28': {'measure': 'spend', 'first': 27, 'last': 0, 'cast': exact},
} %}
with

account_steps as (
    select * from {{ ref('int_account_days') }} where table_name = 'ad_performance_daily'
),

delivery as {{ window_sums('account_steps', ['account_no'], sums, with_first_day=true) }},

missing as {{ missing_pairs('ad_performance_daily', ['account_no'], first=27) }},

runs as {{ current_rows(
    'connector_runs', ['platform', 'account_id', 'connector_id'],
    [
        'connector_name', 'connector_status', 'error_code', 'consecutive_failures', 'last_success_at', 'token_expires_at', 'quota_429_rate',
    ],
    has_periods=false,
) }},

described as (
    select
        runs.*,
        feature_days.evaluation_instant,
        advertiser_days.currency_code,
        coalesce(evaluated.evaluated_day, advertiser_days.evaluated_day) as evaluated_day,
        coalesce(evaluated.time_zone, feature_days.time_zone) as time_zone,
        delivery.first_day,
        coalesce(delivery.spend_w28, 0) as spend_w28,
        missing.missing_fx_pair as missing_pair
    from runs
    inner join {{ ref('int_feature_days') }} as feature_days on {{ same(['advertiser_id', 'date'], 'feature_days', 'runs') }}
    inner join {{ ref('int_advertiser_days') }} as advertiser_days on {{ same(['advertiser_id', 'date'], 'advertiser_days', 'runs') }}
    left join {{ ref('int_numbered_evaluated_days') }} as evaluated
        on {{ same(['advertiser_id', 'date', 'platform', 'account_id'], 'evaluated', 'runs') }}
    left join delivery on {{ same(['account_no', 'date'], 'delivery', 'evaluated') }}
    left join missing on {{ same(['account_no', 'date'], 'missing', 'evaluated') }}
)

select
    advertiser_id,
    date,
    platform,
    account_id,
    connector_id,
    connector_name,
    'ad_performance_daily' as table_name,
    connector_status,
    error_code,
    currency_code,
    evaluated_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    consecutive_failures,
    {{ hours_between('last_success_at', 'evaluation_instant') }} as hours_since_success,
    last_success_at >= {{ local_midnight(days_add('evaluated_day', 1), 'time_zone') }} as has_loaded_evaluated_day,
    {{ hours_between('evaluation_instant', 'token_expires_at') }} / 24 as days_to_token_expiry,
    quota_429_rate,
    {{ unless_missing('spend_w28') }},
    missing_pair as missing_fx_pair
from described
