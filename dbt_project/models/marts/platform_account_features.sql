with

accounts as (
    select
        evaluated.*,
        tables.table_name
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    cross join (
        select 'ad_performance_daily' as table_name
        union all
        select 'conversions_by_action_daily'
    ) as tables
),

{#- Rows of an account by day, as known on the feature day: accounts are few, so their days may be joined one by one. -#}
known as (
    select
        accounts.table_name,
        accounts.account_no,
        accounts.date,
        accounts.evaluated_day,
        {{ days_between('steps.date', 'accounts.evaluated_day') }} as days_before,
        sum(steps.n_rows) as n_rows,
        sum(steps.spend) as spend
    from accounts
    inner join {{ ref('int_account_days') }} as steps
        on
            steps.table_name = accounts.table_name
            and steps.account_no = accounts.account_no
            and steps.date between {{ days_add('accounts.evaluated_day', -119) }} and accounts.evaluated_day
            and (not steps.is_correction or (accounts.date >= steps.visible_from and accounts.date < steps.visible_to))
    group by accounts.table_name, accounts.account_no, accounts.date, accounts.evaluated_day, steps.date
),

rows_of_account as (
    select
        table_name,
        account_no,
        date,
        max(case when n_rows > 0 then days_before end) as first_before,
        min(case when n_rows > 0 then days_before end) as last_before,
        sum(case when days_before = 0 then n_rows else 0 end) as rows_d,
        count(case when n_rows > 0 and days_before <= 13 then 1 end) as days_w14,
        count(case when n_rows > 0 and days_before between 14 and 27 then 1 end) as days_before_w14,
        count(case when n_rows > 0 and days_before <= 27 then 1 end) as days_w28,
        sum(case when days_before <= 27 then spend else 0 end) as spend_w28
    from known
    group by table_name, account_no, date
),

weeks as (
    {%- for week in range(1, 9) %}
    select {{ week }} as week{{ '\n    union all' if not loop.last }}
    {%- endfor %}
),

{#- The same weekday of the eight weeks before; a day without rows counts as 0 from the first day of the account on. -#}
weekdays as (
    select
        rows_of_account.table_name,
        rows_of_account.account_no,
        rows_of_account.date,
        count(*) as n_values,
        {{ median('coalesce(known.n_rows, 0)') }} as median_rows
    from rows_of_account
    inner join weeks on 7 * weeks.week <= rows_of_account.first_before
    left join known
        on {{ same(['table_name', 'account_no', 'date'], 'known', 'rows_of_account') }} and known.days_before = 7 * weeks.week
    group by rows_of_account.table_name, rows_of_account.account_no, rows_of_account.date
),

missing as {{ missing_pairs('ad_performance_daily', ['account_no'], first=27) }},

described as (
    select
        accounts.*,
        rows_of_account.first_before,
        {{ days_add('accounts.evaluated_day', '-rows_of_account.last_before') }} as last_day_with_rows,
        coalesce(rows_of_account.rows_d, 0) as rows_d,
        coalesce(rows_of_account.days_w14, 0) as days_w14,
        coalesce(rows_of_account.days_before_w14, 0) as days_before_w14,
        coalesce(weekdays.n_values, 0) as n_values,
        weekdays.median_rows,
        delivery.spend_w28,
        delivery.days_w28,
        missing.missing_fx_pair as missing_pair
    from accounts
    left join rows_of_account on {{ same(['table_name', 'account_no', 'date'], 'rows_of_account', 'accounts') }}
    left join weekdays on {{ same(['table_name', 'account_no', 'date'], 'weekdays', 'accounts') }}
    left join rows_of_account as delivery
        on {{ same(['account_no', 'date'], 'delivery', 'accounts') }} and delivery.table_name = 'ad_performance_daily'
    left join missing on {{ same(['account_no', 'date'], 'missing', 'accounts') }}
)

select
    advertiser_id,
    date,
    platform,
    account_id,
    table_name,
    account_name,
    account_status,
    currency_code,
    evaluated_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ whole('coalesce(first_before + 1, 0)') }} as history_days,
    last_day_with_rows,
    {{ hours_between(local_midnight(days_add('last_day_with_rows', 1), 'time_zone'), 'evaluation_instant') }} as age_hours,
    {{ whole('case when days_before_w14 >= 12 then 14 - days_w14 else 0 end') }} as gap_days_w14,
    {{ whole('rows_d') }} as rows_d,
    {{ whole('n_values') }} as rows_dow_values,
    {{ real('median_rows') }} as rows_dow_median,
    {{ unless_missing(exact_ratio('spend_w28', 'days_w28'), 'spend_per_day_w28') }},
    missing_pair as missing_fx_pair
from described
where is_listed or first_before is not null
