{#- What the campaigns of an account spent in W7 is what its raw rows say, read without any of the machinery between: on the last feature day
    of each advertiser, row by row, in the version that was known then. -#}
with

from_campaigns as (
    select advertiser_id, date, platform, account_id, sum(spend_w7) as spend_w7, count(missing_fx_pair) as n_missing
    from {{ ref('campaign_features') }}
    group by advertiser_id, date, platform, account_id
),

last_days as (
    select advertiser_id, max(date) as date
    from {{ ref('int_feature_days') }}
    group by advertiser_id
),

accounts as (
    select evaluated.*
    from {{ ref('int_evaluated_days') }} as evaluated
    inner join last_days on last_days.advertiser_id = evaluated.advertiser_id and last_days.date = evaluated.date
),

from_rows as (
    select
        accounts.advertiser_id,
        accounts.date,
        accounts.platform,
        accounts.account_id,
        sum({{ exact('facts.spend * rates.factor') }}) as spend_w7
    from accounts
    inner join {{ ref('stg_ad_performance_daily') }} as facts
        on
            facts.advertiser_id = accounts.advertiser_id
            and facts.platform = accounts.platform
            and facts.account_id = accounts.account_id
            and facts.date between {{ days_add('accounts.evaluated_day', -6) }} and accounts.evaluated_day
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'ad_performance_daily'
            and versions.advertiser_id = facts.advertiser_id
            and versions.date = facts.date
            and versions.as_of = facts.as_of
            and versions.as_of <= accounts.date
            and (versions.superseded_on is null or versions.superseded_on > accounts.date)
    left join {{ ref('int_currency_rates') }} as rates
        on
            rates.advertiser_id = facts.advertiser_id
            and rates.date = facts.date
            and rates.currency_code = facts.currency_code
            and rates.visible_from <= accounts.date
            and (rates.visible_to is null or rates.visible_to > accounts.date)
    group by accounts.advertiser_id, accounts.date, accounts.platform, accounts.account_id
)

select
    from_rows.advertiser_id,
    from_rows.date,
    from_rows.platform,
    from_rows.account_id,
    from_rows.spend_w7 as spend_of_rows,
    from_campaigns.spend_w7 as spend_of_campaigns
from from_rows
left join from_campaigns
    on {{ same(['advertiser_id', 'date', 'platform', 'account_id'], 'from_campaigns', 'from_rows') }}
where
    coalesce(from_campaigns.n_missing, 0) = 0
    and coalesce(from_campaigns.spend_w7, 0) <> coalesce(from_rows.spend_w7, 0)
