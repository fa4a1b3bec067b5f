{#- E by the account's number, for joins and windows. The number depends on what else the run loads, so it is published nowhere. An account
    that nothing known on the day lists or reports on has the advertiser's clock: its settings are judged, and there is nothing to sum. -#}
select
    feature_days.advertiser_id,
    feature_days.date,
    accounts.platform,
    accounts.account_id,
    accounts.account_no,
    evaluated.account_name,
    evaluated.account_status,
    coalesce(evaluated.is_listed, false) as is_listed,
    coalesce(evaluated.time_zone, feature_days.time_zone) as time_zone,
    feature_days.base_currency as currency_code,
    feature_days.evaluation_instant,
    coalesce(evaluated.evaluated_day, feature_days.own_evaluated_day) as evaluated_day,
    coalesce(
        evaluated.matured_day, least(feature_days.own_evaluated_day, {{ days_add('feature_days.date', '-mature.mature_lag_days') }})
    ) as matured_day,
    mature.is_lag_learned,
    coalesce(evaluated.reports_conversions, false) as reports_conversions
from {{ ref('int_feature_days') }} as feature_days
inner join {{ accounts() }} as accounts on accounts.advertiser_id = feature_days.advertiser_id
inner join {{ mature_lags() }} as mature on mature.advertiser_id = feature_days.advertiser_id and mature.date = feature_days.date
left join {{ ref('int_evaluated_days') }} as evaluated
    on {{ same(['advertiser_id', 'date'], 'evaluated', 'feature_days') }} and {{ same(['platform', 'account_id'], 'evaluated', 'accounts') }}
