{%- set sums = {
    'conversions_b28': {'measure': 'conversions', 'first': 34, 'last': 7, 'cast': exact},
    'conversions_w7': {'measure': 'conversions', 'first': 6, 'last': 0, 'cast': exact},
    'conversion_value_b28': {'measure': 'conversion_value', 'first': 34, 'last': 7, 'cast': exact},
    'conversions_on_e': {'measure': 'conversions', 'first': 0, 'last': 0, 'cast': exact},
    'conversions_1_before': {'measure': 'conversions', 'first': 1, 'last': 1, 'cast': exact},
    'conversions_2_before': {'measure': 'conversions', 'first': 2, 'last': 2, 'cast': exact},
} %}
{%- set account_sums = {
    'clicks_b28': {'measure': 'clicks', 'first': 34, 'last': 7, 'cast': whole},
} %}
with

results as {{ window_sums(ref('int_action_days'), ['conversion_action_id', 'account_no'], sums, with_first_day=true) }},

account_steps as (
    select * from {{ ref('int_account_days') }} where table_name = 'ad_performance_daily'
),

account_delivery as {{ window_sums('account_steps', ['account_no'], account_sums, with_first_day=true) }},

listed as {{ current_rows(
    'conversion_actions', ['platform', 'account_id', 'conversion_action_id'],
    ['action_name', 'action_category', 'action_status', 'is_primary', 'default_value', 'currency_code'],
) }},

settings as (
    select
        accounts.account_no,
        listed.conversion_action_id,
        listed.date,
        listed.action_name,
        listed.action_category,
        listed.action_status,
        listed.is_primary,
        {{ exact('listed.default_value * rates.factor') }} as default_value,
        case
            when rates.factor is null and coalesce(listed.default_value, 0) <> 0 then concat(listed.currency_code, '->', advertisers.base_currency)
        end as missing_fx_pair
    from listed
    inner join {{ ref('stg_advertisers') }} as advertisers on advertisers.advertiser_id = listed.advertiser_id
    inner join {{ accounts() }} as accounts on {{ same(['advertiser_id', 'platform', 'account_id'], 'accounts', 'listed') }}
    left join {{ rates_of_day() }} as rates on {{ same(['advertiser_id', 'date', 'currency_code'], 'rates', 'listed') }}
),

missing as {{ missing_pairs('conversions_by_action_daily', ['account_no', 'conversion_action_id']) }},

action_days as (
    select
        coalesce(results.account_no, settings.account_no) as account_no,
        coalesce(results.conversion_action_id, settings.conversion_action_id) as conversion_action_id,
        coalesce(results.date, settings.date) as date,
        settings.action_name,
        settings.action_category,
        settings.action_status,
        settings.is_primary,
        settings.default_value,
        settings.missing_fx_pair,
        {% for name in sums %}coalesce(results.{{ name }}, 0) as {{ name }},
        {% endfor -%}
        results.first_day,
        {#- Days in a row, backwards from E, without a conversion; three are enough to judge. -#}
        case
            when coalesce(results.conversions_on_e, 0) > 0 then 0
            when coalesce(results.conversions_1_before, 0) > 0 then 1
            when coalesce(results.conversions_2_before, 0) > 0 then 2
            else 3
        end as zero_days
    from results
    full outer join settings
        on
            settings.account_no = results.account_no
            and settings.conversion_action_id = results.conversion_action_id
            and settings.date = results.date
    where results.first_day is not null or settings.action_status = 'enabled'
),

days_back as (
    select 0 as days_back
    union all
    select 1
    union all
    select 2
),

weeks_back as (
    select 0 as weeks_back
    {%- for week in range(1, 9) %}
    union all
    select {{ week }}
    {%- endfor %}
),

{#- Days of the account that are looked at one by one: E and the two days before, and the same weekdays of the eight weeks before each. -#}
looked_at as (
    select
        evaluated.account_no,
        evaluated.date,
        days_back.days_back,
        weeks_back.weeks_back,
        {{ days_add('evaluated.evaluated_day', '-(days_back.days_back + 7 * weeks_back.weeks_back)') }} as day,
        account_delivery.first_day
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join (select account_no, date, max(zero_days) as zero_days from action_days group by account_no, date) as judged
        on {{ same(['account_no', 'date'], 'judged', 'evaluated') }}
    inner join days_back on days_back.days_back = 0 or days_back.days_back < judged.zero_days
    cross join weeks_back
    left join account_delivery on {{ same(['account_no', 'date'], 'account_delivery', 'evaluated') }}
),

clicks_by_day as (
    select
        looked_at.account_no,
        looked_at.date,
        looked_at.days_back,
        looked_at.weeks_back,
        looked_at.day,
        looked_at.first_day,
        coalesce(newest.clicks, 0) + coalesce(sum(corrections.clicks), 0) as clicks
    from looked_at
    left join account_steps as newest
        on newest.account_no = looked_at.account_no and newest.date = looked_at.day and not newest.is_correction
    left join account_steps as corrections
        on
            corrections.account_no = looked_at.account_no
            and corrections.date = looked_at.day
            and corrections.is_correction
            and looked_at.date >= corrections.visible_from
            and looked_at.date < corrections.visible_to
    group by looked_at.account_no, looked_at.date, looked_at.days_back, looked_at.weeks_back, looked_at.day, looked_at.first_day, newest.clicks
),

{#- One row per account, feature day and day looked at: its clicks, and those of the same weekday before (from the first day on). -#}
click_days as (
    select
        by_day.account_no,
        by_day.date,
        by_day.days_back,
        max(case when by_day.weeks_back = 0 then by_day.clicks end) as clicks,
        coalesce(
            max(completeness.completeness), 1
        ) as completeness,
        {{ median('case when by_day.weeks_back > 0 and by_day.day >= by_day.first_day then by_day.clicks end') }} as weekday_median,
        count(case when by_day.weeks_back > 0 and by_day.day >= by_day.first_day then 1 end) as weekday_values
    from clicks_by_day as by_day
    left join {{ ref('default_lag_completeness') }} as completeness
        on by_day.weeks_back = 0 and completeness.lag_days = {{ days_between('by_day.day', 'by_day.date') }}
    group by by_day.account_no, by_day.date, by_day.days_back
),

{#- With zero days the clicks of all of them are looked at, else those of E. -#}
clicks as (
    select
        action_days.account_no,
        action_days.conversion_action_id,
        action_days.date,
        sum(case when click_days.days_back < action_days.zero_days then click_days.clicks else 0 end) as clicks_zero_days,
        sum(case when click_days.days_back < action_days.zero_days then click_days.clicks * click_days.completeness else 0 end) as complete_clicks_zero_days,
        {{ real('sum(click_days.clicks)') }} / count(*) as clicks_d,
        {#- Medians of counts are halves at most, so this sum is exact in any order. -#}
        sum(click_days.weekday_median) / count(click_days.weekday_median) as clicks_dow_median,
        min(click_days.weekday_values) as clicks_dow_values
    from action_days
    inner join click_days
        on
            {{ same(['account_no', 'date'], 'click_days', 'action_days') }}
            and (click_days.days_back = 0 or click_days.days_back < action_days.zero_days)
    group by action_days.account_no, action_days.conversion_action_id, action_days.date
),

described as (
    select
        evaluated.advertiser_id,
        evaluated.platform,
        evaluated.account_id,
        evaluated.currency_code,
        evaluated.evaluated_day,
        action_days.*,
        clicks.clicks_zero_days,
        clicks.complete_clicks_zero_days,
        clicks.clicks_d,
        clicks.clicks_dow_median,
        clicks.clicks_dow_values,
        coalesce(account_delivery.clicks_b28, 0) as clicks_b28,
        case
            when action_days.conversion_value_b28 > 0 and action_days.conversions_b28 > 0
                then {{ exact_ratio('action_days.conversion_value_b28', 'action_days.conversions_b28') }}
            else action_days.default_value
        end as value_per_conversion,
        coalesce(missing.missing_fx_pair, action_days.missing_fx_pair) as missing_pair
    from action_days
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated on {{ same(['account_no', 'date'], 'evaluated', 'action_days') }}
    left join clicks on {{ same(['account_no', 'conversion_action_id', 'date'], 'clicks', 'action_days') }}
    left join account_delivery on {{ same(['account_no', 'date'], 'account_delivery', 'action_days') }}
    left join missing on {{ same(['account_no', 'conversion_action_id', 'date'], 'missing', 'action_days') }}
)

select
    advertiser_id,
    date,
    platform,
    account_id,
    conversion_action_id,
    action_name,
    action_category,
    action_status,
    is_primary,
    currency_code,
    evaluated_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    {{ whole('zero_days') }} as zero_days,
    {{ whole('clicks_zero_days') }} as clicks_zero_days,
    {{ exact(real('complete_clicks_zero_days') ~ ' * ' ~ real('conversions_b28') ~ ' / nullif(clicks_b28, 0)') }} as expected_conversions_zero_days,
    conversions_b28,
    conversions_w7,
    {{ whole('clicks_b28') }} as clicks_b28,
    clicks_d,
    clicks_dow_median,
    {{ whole('clicks_dow_values') }} as clicks_dow_values,
    {{ unless_missing('value_per_conversion') }},
    missing_pair as missing_fx_pair
from described
