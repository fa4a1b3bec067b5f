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

order_steps as (
    select advertiser_id, channel_touch, date, visible_from, visible_to, is_correction, sum(orders) as orders, sum(revenue) as revenue
    from {{ ref('int_order_days') }}
    group by advertiser_id, channel_touch, date, visible_from, visible_to, is_correction
),

account_delivery as {{ window_sums('account_steps', ['account_no'], account_sums, with_first_day=true) }},

listed as {{ current_rows(
    'conversion_actions', ['platform', 'account_id', 'conversion_action_id'],
    ['action_name', 'action_category', 'action_status', 'is_primary', 'value_mode', 'default_value', 'currency_code'],
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
        listed.value_mode,
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
        settings.value_mode,
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
lag_curves as (
    select accounts.account_no, curves.date, curves.lag_days, curves.completeness
    from {{ ref('int_lag_curves') }} as curves
    inner join {{ accounts() }} as accounts on accounts.advertiser_id = curves.advertiser_id
),

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
    left join lag_curves as completeness
        on
            {{ same(['account_no', 'date'], 'completeness', 'by_day') }}
            and by_day.weeks_back = 0
            and completeness.lag_days = {{ days_between('by_day.day', 'by_day.date') }}
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

{#- From here on days are read one by one, as known on the feature day: accounts and actions are few. -#}
known_actions as (
    select
        evaluated.account_no,
        evaluated.date,
        evaluated.evaluated_day,
        evaluated.matured_day,
        steps.conversion_action_id,
        steps.date as day,
        sum(steps.conversions) as conversions,
        sum(steps.conversion_value) as conversion_value,
        sum(steps.account_value) as account_value,
        sum(steps.conversions_valued) as conversions_valued,
        sum(steps.conversions_zero_value) as conversions_zero_value
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join {{ ref('int_action_days') }} as steps
        on
            steps.account_no = evaluated.account_no
            and steps.date between {{ days_add('evaluated.evaluated_day', -119) }} and evaluated.evaluated_day
            and (not steps.is_correction or (evaluated.date >= steps.visible_from and evaluated.date < steps.visible_to))
    group by evaluated.account_no, evaluated.date, evaluated.evaluated_day, evaluated.matured_day, steps.conversion_action_id, steps.date
),

known_accounts as (
    select
        evaluated.account_no,
        evaluated.date,
        evaluated.evaluated_day,
        evaluated.matured_day,
        steps.date as day,
        sum(steps.clicks) as clicks,
        sum(steps.spend) as spend
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join account_steps as steps
        on
            steps.account_no = evaluated.account_no
            and steps.date between {{ days_add('evaluated.evaluated_day', -119) }} and evaluated.evaluated_day
            and (not steps.is_correction or (evaluated.date >= steps.visible_from and evaluated.date < steps.visible_to))
    group by evaluated.account_no, evaluated.date, evaluated.evaluated_day, evaluated.matured_day, steps.date
),

known_windows as (
    select
        account_no,
        date,
        sum(case when day between {{ days_add('matured_day', -6) }} and matured_day then clicks else 0 end) as clicks_w7m,
        sum(case when day between {{ days_add('matured_day', -34) }} and {{ days_add('matured_day', -7) }} then clicks else 0 end) as clicks_b28m,
        sum(case when day >= {{ days_add('evaluated_day', -6) }} then spend else 0 end) as account_spend_w7
    from known_accounts
    group by account_no, date
),

of_actions as (
    select
        account_no,
        date,
        evaluated_day,
        conversion_action_id,
        max(case when conversions > 0 then day end) as last_conversion_day,
        sum(case when day between {{ days_add('matured_day', -6) }} and matured_day then conversions else 0 end) as conversions_w7m,
        sum(case when day between {{ days_add('matured_day', -34) }} and {{ days_add('matured_day', -7) }} then conversions else 0 end) as conversions_b28m,
        sum(case when day >= {{ days_add('evaluated_day', -13) }} then conversion_value else 0 end) as conversion_value_w14,
        sum(case when day >= {{ days_add('evaluated_day', -13) }} then conversions_valued else 0 end) as conversions_valued_w14,
        sum(case when day >= {{ days_add('evaluated_day', -13) }} then conversions_zero_value else 0 end) as conversions_zero_value_w14,
        count(case when day >= {{ days_add('evaluated_day', -13) }} and conversions_valued > 0 then 1 end) as value_days_w14,
        min(case when day >= {{ days_add('evaluated_day', -13) }} and conversions_valued > 0 then {{ real('account_value') }} / {{ real('conversions_valued') }} end)
            as least_value,
        max(case when day >= {{ days_add('evaluated_day', -13) }} and conversions_valued > 0 then {{ real('account_value') }} / {{ real('conversions_valued') }} end)
            as most_value
    from known_actions
    group by account_no, date, evaluated_day, conversion_action_id
),

{#- Shorter gaps are CONV-001's matter. The rate is that of the 28 days up to the last conversion: those after it are what is judged. -#}
conversions_before_gaps as (
    select
        of_actions.account_no,
        of_actions.date,
        of_actions.conversion_action_id,
        of_actions.last_conversion_day,
        sum(days.conversions) as conversions_before
    from of_actions
    inner join known_actions as days
        on
            {{ same(['account_no', 'date', 'conversion_action_id'], 'days', 'of_actions') }}
            and days.day between {{ days_add('of_actions.last_conversion_day', -27) }} and of_actions.last_conversion_day
    where {{ days_between('of_actions.last_conversion_day', 'of_actions.evaluated_day') }} >= 7
    group by of_actions.account_no, of_actions.date, of_actions.conversion_action_id, of_actions.last_conversion_day
),

gaps as (
    select
        before.account_no,
        before.date,
        before.conversion_action_id,
        before.conversions_before,
        sum(case when days.day > before.last_conversion_day then days.clicks * coalesce(completeness.completeness, 1) else 0 end) as complete_clicks,
        sum(case when days.day <= before.last_conversion_day then days.clicks else 0 end) as clicks_before
    from conversions_before_gaps as before
    inner join known_accounts as days
        on {{ same(['account_no', 'date'], 'days', 'before') }} and days.day >= {{ days_add('before.last_conversion_day', -27) }}
    left join lag_curves as completeness
        on
            {{ same(['account_no', 'date'], 'completeness', 'days') }}
            and completeness.lag_days = {{ days_between('days.day', 'before.date') }}
    group by before.account_no, before.date, before.conversion_action_id, before.conversions_before
),

order_slices as (
    select advertiser_id, date, min(as_of) as known_from
    from {{ ref('stg_slice_versions') }}
    where table_name = 'orders_daily'
    group by advertiser_id, date
),

{#- Orders by day: all, and those with a last touch by the account's platform. A loaded day without a row had none. `week`: 0 = the week
    that ends at the matured day, 1 to 4 = those before it; empty for other days. -#}
known_orders as (
    select
        evaluated.account_no,
        evaluated.date,
        evaluated.evaluated_day,
        slices.date as day,
        case
            when slices.date between {{ days_add('evaluated.matured_day', -34) }} and evaluated.matured_day
                then {{ whole('floor(' ~ real(days_between('slices.date', 'evaluated.matured_day')) ~ ' / 7)') }}
        end as week,
        coalesce(sum(steps.orders), 0) as orders,
        coalesce(sum(steps.revenue), 0) as revenue,
        coalesce(sum(case when steps.channel_touch = evaluated.platform then steps.orders end), 0) as touch_orders,
        coalesce(sum(case when steps.channel_touch = evaluated.platform then steps.revenue end), 0) as touch_revenue
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join order_slices as slices
        on
            slices.advertiser_id = evaluated.advertiser_id
            and slices.date between {{ days_add('evaluated.matured_day', -34) }} and evaluated.evaluated_day
            and slices.known_from <= evaluated.date
    left join order_steps as steps
        on
            steps.advertiser_id = slices.advertiser_id
            and steps.date = slices.date
            and (not steps.is_correction or (evaluated.date >= steps.visible_from and evaluated.date < steps.visible_to))
    group by evaluated.account_no, evaluated.date, evaluated.evaluated_day, evaluated.matured_day, slices.date
),

order_windows as (
    select
        account_no,
        date,
        sum(case when week = 0 then touch_orders end) as orders_w7m,
        count(case when week = 0 then 1 end) as order_days_w7m,
        sum(case when week > 0 then touch_orders end) as orders_b28m,
        count(case when week > 0 then 1 end) as order_days_b28m,
        sum(case when day >= {{ days_add('evaluated_day', -13) }} then orders end) as orders_w14,
        sum(case when day >= {{ days_add('evaluated_day', -13) }} then revenue end) as revenue_w14,
        sum(case when day >= {{ days_add('evaluated_day', -13) }} then touch_orders end) as touch_orders_w14,
        sum(case when day >= {{ days_add('evaluated_day', -13) }} then touch_revenue end) as touch_revenue_w14,
        min(case when day >= {{ days_add('evaluated_day', -13) }} and orders > 0 then {{ real('revenue') }} / orders end) as least_basket,
        max(case when day >= {{ days_add('evaluated_day', -13) }} and orders > 0 then {{ real('revenue') }} / orders end) as most_basket
    from known_orders
    group by account_no, date
),

{#- Conversions and orders of the same days, by week. -#}
ratio_weeks as (
    select
        action_days.account_no,
        action_days.date,
        action_days.conversion_action_id,
        known_orders.week,
        count(*) as days,
        sum(known_orders.touch_orders) as orders,
        sum(coalesce(known_actions.conversions, 0)) as conversions
    from action_days
    inner join known_orders on {{ same(['account_no', 'date'], 'known_orders', 'action_days') }} and known_orders.week is not null
    left join known_actions
        on
            {{ same(['account_no', 'date', 'day'], 'known_actions', 'known_orders') }}
            and known_actions.conversion_action_id = action_days.conversion_action_id
    group by action_days.account_no, action_days.date, action_days.conversion_action_id, known_orders.week
),

ranked_weeks as (
    select
        *,
        {{ real('conversions') }} / orders as ratio,
        row_number() over (partition by account_no, date, conversion_action_id order by {{ real('conversions') }} / orders desc, week) as place
    from ratio_weeks
    where week > 0 and orders > 0 and days >= 5
),

ratios as (
    select
        account_no,
        date,
        conversion_action_id,
        count(*) as ratio_weeks,
        max(case when place = 2 then ratio end) as usual_ratio
    from ranked_weeks
    group by account_no, date, conversion_action_id
),

currencies as (
    select
        evaluated.account_no,
        evaluated.date,
        facts.conversion_action_id,
        count(distinct facts.currency_code) as value_currencies_w14
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'conversions_by_action_daily'
            and versions.advertiser_id = evaluated.advertiser_id
            and versions.date between {{ days_add('evaluated.evaluated_day', -13) }} and evaluated.evaluated_day
            and versions.as_of <= evaluated.date
            and (versions.superseded_on is null or versions.superseded_on > evaluated.date)
    inner join (
        select distinct advertiser_id, platform, account_id, conversion_action_id, date, as_of, currency_code
        from {{ ref('stg_conversions_by_action_daily') }}
        where conversion_value > 0
    ) as facts
        on
            {{ same(['advertiser_id', 'date', 'as_of'], 'facts', 'versions') }}
            and {{ same(['platform', 'account_id'], 'facts', 'evaluated') }}
    group by evaluated.account_no, evaluated.date, facts.conversion_action_id
),

change_slices as (
    select feature_days.advertiser_id, feature_days.date, versions.date as day, versions.as_of
    from {{ ref('int_feature_days') }} as feature_days
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'change_events'
            and versions.advertiser_id = feature_days.advertiser_id
            and versions.date between {{ days_add('feature_days.date', -13) }} and feature_days.date
            and versions.as_of <= feature_days.date
            and (versions.superseded_on is null or versions.superseded_on > feature_days.date)
),

{#- Another name or label changes nothing that is counted. -#}
ranked_changes as (
    select
        accounts.account_no,
        slices.date,
        facts.entity_id as conversion_action_id,
        facts.date as changed_on,
        facts.field,
        facts.old_value,
        facts.new_value,
        count(*) over (partition by accounts.account_no, slices.date, facts.entity_id) as changes,
        row_number() over (
            partition by accounts.account_no, slices.date, facts.entity_id order by facts.date desc, facts.occurred_at desc, facts.event_id desc
        ) as place
    from change_slices as slices
    inner join {{ ref('stg_change_events') }} as facts
        on facts.advertiser_id = slices.advertiser_id and facts.date = slices.day and facts.as_of = slices.as_of
    inner join {{ accounts() }} as accounts on {{ same(['advertiser_id', 'platform', 'account_id'], 'accounts', 'facts') }}
    where facts.resource_type = 'conversion_action' and lower(facts.field) not in ('name', 'label', 'labels', 'description')
),

days_with_changes as (
    select advertiser_id, date, count(*) as days
    from change_slices
    group by advertiser_id, date
),

missing_more as (
    select
        evaluated.account_no,
        evaluated.date,
        min(rates.currency_pair) as missing_fx_pair
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join {{ ref('int_missing_rates') }} as rates
        on
            rates.advertiser_id = evaluated.advertiser_id
            and evaluated.date >= rates.visible_from
            and (rates.visible_to is null or evaluated.date < rates.visible_to)
            and (
                (
                    rates.table_name = 'orders_daily'
                    and rates.date between {{ days_add('evaluated.evaluated_day', -13) }} and evaluated.evaluated_day
                )
                or (
                    rates.table_name = 'ad_performance_daily'
                    and rates.account_no = evaluated.account_no
                    and rates.date between {{ days_add('evaluated.evaluated_day', -6) }} and evaluated.evaluated_day
                )
            )
    group by evaluated.account_no, evaluated.date
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
        {{ days_between('of_actions.last_conversion_day', 'evaluated.evaluated_day') }} as days_since_last_conversion,
        gaps.complete_clicks,
        gaps.clicks_before,
        gaps.conversions_before,
        coalesce(of_actions.conversions_w7m, 0) as conversions_w7m,
        coalesce(of_actions.conversions_b28m, 0) as conversions_b28m,
        coalesce(known_windows.clicks_w7m, 0) as clicks_w7m,
        coalesce(known_windows.clicks_b28m, 0) as clicks_b28m,
        coalesce(known_windows.account_spend_w7, 0) as account_spend_w7,
        order_windows.orders_w7m,
        coalesce(order_windows.order_days_w7m, 0) as order_days_w7m,
        order_windows.orders_b28m,
        coalesce(order_windows.order_days_b28m, 0) as order_days_b28m,
        case when order_windows.orders_w7m is not null then coalesce(this_week.conversions, 0) end as ordered_conversions_w7m,
        coalesce(ratios.ratio_weeks, 0) as ratio_weeks_b28m,
        ratios.usual_ratio,
        coalesce(of_actions.conversion_value_w14, 0) as conversion_value_w14,
        coalesce(of_actions.conversions_valued_w14, 0) as conversions_valued_w14,
        coalesce(of_actions.conversions_zero_value_w14, 0) as conversions_zero_value_w14,
        coalesce(of_actions.value_days_w14, 0) as value_days_w14,
        (of_actions.most_value - of_actions.least_value) / nullif(of_actions.most_value, 0) as value_spread_w14,
        coalesce(currencies.value_currencies_w14, 0) as value_currencies_w14,
        case when order_windows.touch_orders_w14 >= 30 then order_windows.touch_orders_w14 else order_windows.orders_w14 end as aov_orders_w14,
        case when order_windows.touch_orders_w14 >= 30 then order_windows.touch_revenue_w14 else order_windows.revenue_w14 end as aov_revenue_w14,
        (order_windows.most_basket - order_windows.least_basket) / nullif(order_windows.most_basket, 0) as aov_spread_w14,
        case when days_with_changes.days is not null then coalesce(last_change.changes, 0) end as changes_w14,
        last_change.changed_on as last_change_day,
        last_change.field as last_change_field,
        last_change.old_value as last_change_old_value,
        last_change.new_value as last_change_new_value,
        coalesce(missing.missing_fx_pair, action_days.missing_fx_pair, missing_more.missing_fx_pair) as missing_pair
    from action_days
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated on {{ same(['account_no', 'date'], 'evaluated', 'action_days') }}
    left join clicks on {{ same(['account_no', 'conversion_action_id', 'date'], 'clicks', 'action_days') }}
    left join account_delivery on {{ same(['account_no', 'date'], 'account_delivery', 'action_days') }}
    left join missing on {{ same(['account_no', 'conversion_action_id', 'date'], 'missing', 'action_days') }}
    left join of_actions on {{ same(['account_no', 'conversion_action_id', 'date'], 'of_actions', 'action_days') }}
    left join gaps on {{ same(['account_no', 'conversion_action_id', 'date'], 'gaps', 'action_days') }}
    left join known_windows on {{ same(['account_no', 'date'], 'known_windows', 'action_days') }}
    left join order_windows on {{ same(['account_no', 'date'], 'order_windows', 'action_days') }}
    left join ratio_weeks as this_week
        on {{ same(['account_no', 'conversion_action_id', 'date'], 'this_week', 'action_days') }} and this_week.week = 0
    left join ratios on {{ same(['account_no', 'conversion_action_id', 'date'], 'ratios', 'action_days') }}
    left join currencies on {{ same(['account_no', 'conversion_action_id', 'date'], 'currencies', 'action_days') }}
    left join ranked_changes as last_change
        on {{ same(['account_no', 'conversion_action_id', 'date'], 'last_change', 'action_days') }} and last_change.place = 1
    left join days_with_changes
        on days_with_changes.advertiser_id = evaluated.advertiser_id and days_with_changes.date = action_days.date
    left join missing_more on {{ same(['account_no', 'date'], 'missing_more', 'action_days') }}
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
    value_mode,
    {{ whole('days_since_last_conversion') }} as days_since_last_conversion,
    {{ exact(real('complete_clicks') ~ ' * ' ~ real('conversions_before') ~ ' / nullif(clicks_before, 0)') }} as expected_conversions_gap,
    {{ exact('conversions_w7m') }} as conversions_w7m_settled,
    {{ exact('conversions_b28m') }} as conversions_b28m_settled,
    {{ whole('clicks_w7m') }} as clicks_w7m_settled,
    {{ whole('clicks_b28m') }} as clicks_b28m_settled,
    {{ unless_missing('account_spend_w7') }},
    {{ whole('orders_w7m') }} as orders_w7m_settled,
    {{ whole('order_days_w7m') }} as order_days_w7m_settled,
    {{ whole('orders_b28m') }} as orders_b28m_settled,
    {{ whole('order_days_b28m') }} as order_days_b28m_settled,
    {{ exact('ordered_conversions_w7m') }} as ordered_conversions_w7m_settled,
    {{ whole('ratio_weeks_b28m') }} as ratio_weeks_b28m_settled,
    {{ real('usual_ratio') }} as conversions_per_order_usual,
    {{ unless_missing('conversion_value_w14') }},
    {{ exact('conversions_valued_w14') }} as conversions_valued_w14,
    {{ exact('conversions_zero_value_w14') }} as conversions_zero_value_w14,
    {{ whole('value_days_w14') }} as value_days_w14,
    {{ real('value_spread_w14') }} as value_spread_w14,
    {{ whole('value_currencies_w14') }} as value_currencies_w14,
    {{ unless_missing(exact_ratio('aov_revenue_w14', 'aov_orders_w14'), 'aov_w14') }},
    {{ whole('aov_orders_w14') }} as aov_orders_w14,
    {{ real('aov_spread_w14') }} as aov_spread_w14,
    {{ whole('changes_w14') }} as changes_w14,
    last_change_day,
    last_change_field,
    last_change_old_value,
    last_change_new_value,
    missing_pair as missing_fx_pair
from described
