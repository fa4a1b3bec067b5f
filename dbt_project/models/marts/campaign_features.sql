{%- set sums = {
    'impressions_w7': {'measure': 'impressions', 'first': 6, 'last': 0, 'cast': whole},
    'clicks_w7': {'measure': 'clicks', 'first': 6, 'last': 0, 'cast': whole},
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'conversions_w7': {'measure': 'conversions', 'first': 6, 'last': 0, 'cast': exact},
    'impressions_b28': {'measure': 'impressions', 'first': 34, 'last': 7, 'cast': whole},
    'clicks_b28': {'measure': 'clicks', 'first': 34, 'last': 7, 'cast': whole},
    'spend_b28': {'measure': 'spend', 'first': 34, 'last': 7, 'cast': exact},
    'conversions_b28': {'measure': 'conversions', 'first': 34, 'last': 7, 'cast': exact},
    'spend_w28': {'measure': 'spend', 'first': 27, 'last': 0, 'cast': exact},
    'clicks_w28': {'measure': 'clicks', 'first': 27, 'last': 0, 'cast': whole},
    'conversions_w28': {'measure': 'conversions', 'first': 27, 'last': 0, 'cast': exact},
    'orders_w28': {'measure': 'orders', 'first': 27, 'last': 0, 'cast': whole},
    'orders_known_w28': {'measure': 'orders_known', 'first': 27, 'last': 0, 'cast': whole},
    'new_customer_orders_w28': {'measure': 'new_customer_orders', 'first': 27, 'last': 0, 'cast': whole},
} %}
{%- set matured_sums = {
    'clicks_w14m': {'measure': 'clicks', 'first': 13, 'cast': whole},
    'spend_w14m': {'measure': 'spend', 'first': 13, 'cast': exact},
    'conversions_w14m': {'measure': 'conversions', 'first': 13, 'cast': exact},
} %}
{#- Conversions are compared over seven days that have settled (S7, they end at the matured day) and the 28 days before (P28). -#}
{%- set settled_sums = {
    'clicks_s7': {'measure': 'clicks', 'first': 6, 'last': 0, 'cast': whole},
    'spend_s7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'conversions_s7': {'measure': 'conversions', 'first': 6, 'last': 0, 'cast': exact},
    'clicks_p28': {'measure': 'clicks', 'first': 34, 'last': 7, 'cast': whole},
    'spend_p28': {'measure': 'spend', 'first': 34, 'last': 7, 'cast': exact},
    'conversions_p28': {'measure': 'conversions', 'first': 34, 'last': 7, 'cast': exact},
} %}
{%- set network_sums = {
    'impressions_w7': {'measure': 'impressions', 'first': 6, 'last': 0, 'cast': whole},
    'clicks_w7': {'measure': 'clicks', 'first': 6, 'last': 0, 'cast': whole},
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'impressions_b28': {'measure': 'impressions', 'first': 34, 'last': 7, 'cast': whole},
    'clicks_b28': {'measure': 'clicks', 'first': 34, 'last': 7, 'cast': whole},
    'spend_b28': {'measure': 'spend', 'first': 34, 'last': 7, 'cast': exact},
} %}
{%- set value_sums = {
    'conversion_value_w14m': {'measure': 'conversion_value', 'first': 13, 'cast': exact},
    'valued_rows_w14m': {'measure': 'valued_rows', 'first': 13, 'cast': whole},
    'valued_conversions_w14m': {'measure': 'valued_conversions', 'first': 13, 'cast': exact},
    'value_squares_w14m': {'measure': 'value_squares', 'first': 13, 'cast': wide},
} %}
{#- The same weekday is looked at over this many weeks. -#}
{%- set weeks = 8 %}
with

delivery as {{ window_sums(ref('int_campaign_days'), ['campaign_no'], sums, matured_sums, settled=settled_sums, with_first_day=true) }},

campaigns as (
    select distinct
        advertiser_id,
        platform,
        account_id,
        campaign_id,
        account_no,
        campaign_no
    from {{ ref('int_entity_numbers') }}
    where campaign_no is not null
),

listed as {{ current_rows(
    'campaigns', ['platform', 'account_id', 'campaign_id'],
    [
        'campaign_name', 'campaign_role', 'campaign_status', 'daily_budget', 'target_cpa', 'target_roas', 'end_date', 'has_purchaser_exclusion',
        'campaign_labels', 'currency_code',
    ],
    number='campaign_no',
) }},

settings as (
    select
        listed.campaign_no,
        listed.date,
        listed.campaign_name,
        listed.campaign_role,
        listed.campaign_status,
        listed.has_purchaser_exclusion,
        listed.target_roas,
        listed.end_date,
        listed.campaign_labels,
        {{ in_base('daily_budget', 'listed', 'rates') }} as daily_budget,
        {{ in_base('target_cpa', 'listed', 'rates') }} as target_cpa,
        case
            when rates.factor is null and (coalesce(listed.daily_budget, 0) <> 0 or coalesce(listed.target_cpa, 0) <> 0)
                then concat(listed.currency_code, '->', advertisers.base_currency)
        end as missing_fx_pair
    from listed
    inner join {{ ref('stg_advertisers') }} as advertisers on advertisers.advertiser_id = listed.advertiser_id
    left join {{ rates_of_day() }} as rates
        on {{ same(['advertiser_id', 'date', 'currency_code'], 'rates', 'listed') }}
),

{#- Without any version of orders_daily in W28 nothing is known about orders; with one, a campaign without a row had none. -#}
days_with_orders as (
    select
        evaluated.account_no,
        evaluated.date,
        count(*) as days
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join (
        select advertiser_id, date, min(as_of) as known_from
        from {{ ref('stg_slice_versions') }}
        where table_name = 'orders_daily'
        group by advertiser_id, date
    ) as order_slices
        on
            order_slices.advertiser_id = evaluated.advertiser_id
            and order_slices.date between {{ days_add('evaluated.evaluated_day', -27) }} and evaluated.evaluated_day
            and order_slices.known_from <= evaluated.date
    group by evaluated.account_no, evaluated.date
),

missing as {{ missing_pairs('ad_performance_daily', ['campaign_no'], first=7 * weeks) }},

events as {{ current_rows('calendar_events', ['event_id'], ['date_from', 'date_to', 'expected_index_cpm', 'mask_baseline'], has_periods=false) }},

{#- Days of the windows on which the calendar, as it stood on the feature day, has an event. -#}
event_days as (
    select
        evaluated.account_no,
        evaluated.date,
        evaluated.evaluated_day,
        evaluated.matured_day,
        days.day,
        max(case when events.mask_baseline then 1 else 0 end) as is_masked,
        max(events.expected_index_cpm) as expected_index_cpm
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join events on {{ same(['advertiser_id', 'date'], 'events', 'evaluated') }}
    cross join {{ each_day(
        'greatest(events.date_from, ' ~ days_add('evaluated.evaluated_day', -7 * weeks) ~ ')', 'least(events.date_to, evaluated.evaluated_day)', 'days', 'day'
    ) }}
    group by evaluated.account_no, evaluated.date, evaluated.evaluated_day, evaluated.matured_day, days.day
),

calendars as (
    select
        account_no,
        date,
        {%- for name, (end, first, last) in {'w7': ('evaluated_day', 6, 0), 'b28': ('evaluated_day', 34, 7), 's7': ('matured_day', 6, 0), 'p28': ('matured_day', 34, 7)}.items() %}
        sum(case when day between {{ days_add(end, -first) }} and {{ days_add(end, -last) }} then is_masked else 0 end) as masked_days_{{ name }},
        {%- endfor %}
        sum(case when day >= {{ days_add('evaluated_day', -6) }} then {{ exact('coalesce(expected_index_cpm, 1)') }} - 1 else 0 end) as extra_cpm_w7,
        max(case when day = evaluated_day then 1 else 0 end) as events_d
    from event_days
    group by account_no, date
),

{#- Days that do not count whole: masked ones not at all, and the clicks of recent settled days only for the share of their conversions
    that is known. Subtracting what they lack from the sums of the windows is far cheaper than weighing every day. -#}
looked_at as (
    select
        account_no,
        date,
        day,
        max(weeks_back) as weeks_back,
        max(is_masked) as is_masked,
        min(known_share) as known_share
    from (
        select account_no, date, day, cast(null as integer) as weeks_back, is_masked, cast(1 as decimal(9, 6)) as known_share
        from event_days
        where is_masked = 1
        union all
        select
            evaluated.account_no,
            evaluated.date,
            {{ days_add('evaluated.date', '-lags.lag_days') }} as day,
            null as weeks_back,
            0 as is_masked,
            lags.completeness as known_share
        from {{ ref('int_numbered_evaluated_days') }} as evaluated
        inner join {{ ref('int_lag_curves') }} as lags
            on
                {{ same(['advertiser_id', 'date'], 'lags', 'evaluated') }}
                and lags.completeness < 1
                and {{ days_add('evaluated.date', '-lags.lag_days') }} <= evaluated.matured_day
        {%- for week in range(weeks + 1) %}
        union all
        select account_no, date, {{ days_add('evaluated_day', -7 * week) }} as day, {{ week }} as weeks_back, 0 as is_masked, 1 as known_share
        from {{ ref('int_numbered_evaluated_days') }}
        {%- endfor %}
    ) as days
    group by account_no, date, day
),

seen_days as (
    select
        delivery.campaign_no,
        delivery.date,
        looked_at.day,
        looked_at.weeks_back,
        looked_at.is_masked,
        looked_at.known_share,
        evaluated.matured_day,
        looked_at.day >= delivery.first_day as is_in_history,
        coalesce(newest.impressions, 0) + coalesce(sum(corrections.impressions), 0) as impressions,
        coalesce(newest.clicks, 0) + coalesce(sum(corrections.clicks), 0) as clicks,
        coalesce(newest.spend, 0) + coalesce(sum(corrections.spend), 0) as spend,
        coalesce(newest.conversions, 0) + coalesce(sum(corrections.conversions), 0) as conversions
    from delivery
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated on {{ same(['account_no', 'date'], 'evaluated', 'delivery') }}
    inner join looked_at on {{ same(['account_no', 'date'], 'looked_at', 'delivery') }}
    left join {{ ref('int_campaign_days') }} as newest
        on newest.campaign_no = delivery.campaign_no and newest.date = looked_at.day and not newest.is_correction
    left join {{ ref('int_campaign_days') }} as corrections
        on
            corrections.campaign_no = delivery.campaign_no
            and corrections.date = looked_at.day
            and corrections.is_correction
            and delivery.date >= corrections.visible_from
            and delivery.date < corrections.visible_to
    group by
        delivery.campaign_no, delivery.date, looked_at.day, looked_at.weeks_back, looked_at.is_masked, looked_at.known_share, evaluated.matured_day,
        delivery.first_day, newest.impressions, newest.clicks, newest.spend, newest.conversions
),

single_days as (
    select
        campaign_no,
        date,
        {%- for name, first, last in [('s7', 6, 0), ('p28', 34, 7)] %}
        {%- for measure in ['clicks', 'spend', 'conversions'] %}
        sum(case when is_masked = 1 and day between {{ days_add('matured_day', -first) }} and {{ days_add('matured_day', -last) }} then {{ measure }} else 0 end) as masked_{{ measure }}_{{ name }},
        {%- endfor %}
        {%- endfor %}
        sum(case when is_masked = 0 and day between {{ days_add('matured_day', -6) }} and matured_day then clicks * (1 - known_share) else 0 end) as unknown_clicks_s7,
        sum(case when is_masked = 0 and day between {{ days_add('matured_day', -6) }} and matured_day then spend * (1 - known_share) else 0 end) as unknown_spend_s7,
        sum(case when day <= matured_day then spend * (1 - known_share) else 0 end) as unknown_spend_w14m,
        max(case when weeks_back = 0 then impressions end) as impressions_d,
        max(case when weeks_back = 0 then spend end) as spend_d,
        count(case when weeks_back > 0 and is_masked = 0 and is_in_history then 1 end) as dow_values,
        {{ median('case when weeks_back > 0 and is_masked = 0 and is_in_history then impressions end') }} as impressions_dow_median,
        {{ median('case when weeks_back > 0 and is_masked = 0 and is_in_history then ' ~ real('spend') ~ ' end') }} as spend_dow_median
    from seen_days
    group by campaign_no, date
),

network_delivery as {{ window_sums(ref('int_network_days'), ['campaign_no', 'network'], network_sums, value_sums) }},

masked_network_days as (
    select
        steps.campaign_no,
        steps.network,
        event_days.date
        {%- for name, first, last in [('w7', 6, 0), ('b28', 34, 7)] %}
        {%- for measure in ['impressions', 'clicks', 'spend'] %},
        sum(case
            when event_days.day between {{ days_add('event_days.evaluated_day', -first) }} and {{ days_add('event_days.evaluated_day', -last) }}
                then steps.{{ measure }}
            else 0
        end) as {{ measure }}_{{ name }}
        {%- endfor %}
        {%- endfor %}
    from event_days
    inner join {{ ref('int_network_days') }} as steps
        on
            steps.account_no = event_days.account_no
            and steps.date = event_days.day
            and (not steps.is_correction or (event_days.date >= steps.visible_from and event_days.date < steps.visible_to))
    where event_days.is_masked = 1
    group by steps.campaign_no, steps.network, event_days.date
),

networks as (
    select
        network_delivery.campaign_no,
        network_delivery.date,
        {% for name in network_sums %}network_delivery.{{ name }} - coalesce(masked.{{ name }}, 0) as {{ name }},
        {% endfor -%}
        {% for name in value_sums %}network_delivery.{{ name }}{{ ',\n        ' if not loop.last }}{% endfor %}
    from network_delivery
    left join masked_network_days as masked on {{ same(['campaign_no', 'network', 'date'], 'masked', 'network_delivery') }}
),

{#- The W7 rates of each network, weighted by its impressions in B28: what the rate would be had the mix of networks stayed. Networks with
    impressions in one of the windows only are a change of mix, nothing else. -#}
mixes as (
    select
        campaign_no,
        date,
        {% for name, spec in network_sums.items() %}{{ spec.cast('sum(' ~ name ~ ')') }} as {{ name }}n,
        {% endfor -%}
        {% for name, spec in value_sums.items() %}{{ spec.cast('sum(' ~ name ~ ')') }} as {{ name }},
        {% endfor -%}
        {%- for measure in ['spend', 'clicks'] %}
        sum(case when impressions_w7 > 0 and impressions_b28 > 0 then {{ exact(real('impressions_b28') ~ ' * ' ~ real(measure ~ '_w7') ~ ' / ' ~ real('impressions_w7')) }} end)
            as {{ measure }}_at_mix,
        sum(case when impressions_w7 > 0 and impressions_b28 > 0 then {{ measure }}_b28 end) as {{ measure }}_in_both{{ ',' if not loop.last }}
        {%- endfor %}
    from networks
    group by campaign_no, date
),

{#- What a person changed on the day or the day before is known to people: no collapse out of the blue. -#}
changes as (
    select
        evaluated.account_no,
        evaluated.date,
        events.entity_id as campaign_id,
        count(*) as changes
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'change_events'
            and versions.advertiser_id = evaluated.advertiser_id
            and versions.date between {{ days_add('evaluated.evaluated_day', -1) }} and evaluated.evaluated_day
            and versions.as_of <= evaluated.date
            and (versions.superseded_on is null or versions.superseded_on > evaluated.date)
    inner join {{ ref('stg_change_events') }} as events
        on
            {{ same(['advertiser_id', 'date', 'as_of'], 'events', 'versions') }}
            and {{ same(['platform', 'account_id'], 'events', 'evaluated') }}
    where events.resource_type = 'budget' or (events.resource_type = 'campaign' and (events.field like '%status%' or events.field like '%budget%'))
    group by evaluated.account_no, evaluated.date, events.entity_id
),

days_with_changes as (
    select evaluated.account_no, evaluated.date
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'change_events'
            and versions.advertiser_id = evaluated.advertiser_id
            and versions.date between {{ days_add('evaluated.evaluated_day', -1) }} and evaluated.evaluated_day
            and versions.as_of <= evaluated.date
    group by evaluated.account_no, evaluated.date
),

campaign_days as (
    select
        coalesce(delivery.campaign_no, settings.campaign_no) as campaign_no,
        coalesce(delivery.date, settings.date) as date,
        settings.campaign_name,
        settings.campaign_role,
        settings.campaign_status,
        settings.has_purchaser_exclusion,
        settings.target_roas,
        settings.end_date,
        settings.campaign_labels,
        settings.daily_budget,
        settings.target_cpa,
        settings.missing_fx_pair,
        {% for name in sums.keys() | list + matured_sums.keys() | list + settled_sums.keys() | list %}coalesce(delivery.{{ name }}, 0) as {{ name }},
        {% endfor -%}
        delivery.first_day
    from delivery
    full outer join settings on settings.campaign_no = delivery.campaign_no and settings.date = delivery.date
    where delivery.first_day is not null or settings.campaign_status = 'enabled'
),

described as (
    select
        campaigns.advertiser_id,
        campaigns.platform,
        campaigns.account_id,
        campaigns.campaign_id,
        evaluated.currency_code,
        evaluated.evaluated_day,
        evaluated.matured_day,
        evaluated.reports_conversions,
        advertiser_days.target_cpa as advertiser_target_cpa,
        advertisers.target_roas as advertiser_target_roas,
        advertisers.gross_margin,
        coalesce(days_with_orders.days, 0) > 0 as has_orders_data,
        calendar_slices.date is not null as has_calendar,
        coalesce(calendars.events_d, 0) as events_d,
        {{ exact('1 + ' ~ real('coalesce(calendars.extra_cpm_w7, 0)') ~ ' / 7') }} as expected_cpm_index_w7,
        {% for name, days in {'w7': 7, 'b28': 28, 's7': 7, 'p28': 28}.items() -%}
        {{ days }} - coalesce(calendars.masked_days_{{ name }}, 0) as normal_days_{{ name }},
        {% endfor -%}
        {% for name in network_sums %}coalesce(mixes.{{ name }}n, 0) as {{ name }}n,
        {% endfor -%}
        {% for name in value_sums %}coalesce(mixes.{{ name }}, 0) as {{ name }},
        {% endfor -%}
        mixes.spend_at_mix,
        mixes.spend_in_both,
        mixes.clicks_at_mix,
        mixes.clicks_in_both,
        {% for measure in ['clicks', 'spend', 'conversions'] %}{% for name in ['s7', 'p28'] -%}
        coalesce(single_days.masked_{{ measure }}_{{ name }}, 0) as masked_{{ measure }}_{{ name }},
        {% endfor %}{% endfor -%}
        coalesce(single_days.unknown_clicks_s7, 0) as unknown_clicks_s7,
        coalesce(single_days.unknown_spend_s7, 0) as unknown_spend_s7,
        coalesce(single_days.unknown_spend_w14m, 0) as unknown_spend_w14m,
        coalesce(single_days.impressions_d, 0) as impressions_d,
        coalesce(single_days.spend_d, 0) as spend_d,
        coalesce(single_days.dow_values, 0) as dow_values,
        single_days.impressions_dow_median,
        single_days.spend_dow_median,
        case when days_with_changes.date is not null then coalesce(changes.changes, 0) end as recent_changes,
        coalesce(missing.missing_fx_pair, campaign_days.missing_fx_pair) as missing_pair,
        campaign_days.*
    from campaign_days
    inner join campaigns on campaigns.campaign_no = campaign_days.campaign_no
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
        on evaluated.account_no = campaigns.account_no and evaluated.date = campaign_days.date
    inner join {{ ref('int_advertiser_days') }} as advertiser_days
        on advertiser_days.advertiser_id = campaigns.advertiser_id and advertiser_days.date = campaign_days.date
    left join days_with_orders on days_with_orders.account_no = campaigns.account_no and days_with_orders.date = campaign_days.date
    left join missing on missing.campaign_no = campaign_days.campaign_no and missing.date = campaign_days.date
    inner join {{ ref('stg_advertisers') }} as advertisers on advertisers.advertiser_id = campaigns.advertiser_id
    left join {{ ref('int_current_slices') }} as calendar_slices
        on
            calendar_slices.table_name = 'calendar_events'
            and calendar_slices.advertiser_id = campaigns.advertiser_id
            and calendar_slices.date = campaign_days.date
    left join calendars on calendars.account_no = campaigns.account_no and calendars.date = campaign_days.date
    left join mixes on {{ same(['campaign_no', 'date'], 'mixes', 'campaign_days') }}
    left join single_days on {{ same(['campaign_no', 'date'], 'single_days', 'campaign_days') }}
    left join days_with_changes on days_with_changes.account_no = campaigns.account_no and days_with_changes.date = campaign_days.date
    left join changes
        on changes.account_no = campaigns.account_no and changes.date = campaign_days.date and changes.campaign_id = campaigns.campaign_id
)

select
    advertiser_id,
    date,
    platform,
    account_id,
    campaign_id,
    campaign_name,
    campaign_role,
    campaign_status,
    currency_code,
    evaluated_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    impressions_w7,
    clicks_w7,
    {{ unless_missing('spend_w7') }},
    {{ if_reported('conversions_w7') }},
    impressions_b28,
    clicks_b28,
    {{ unless_missing('spend_b28') }},
    {{ if_reported('conversions_b28') }},
    {{ whole('greatest(' ~ days_between('evaluated_day', 'matured_day') ~ ' + 14, 0)') }} as matured_days_w14,
    {{ whole('clicks_w14m') }} as clicks_w14m,
    {{ unless_missing('spend_w14m') }},
    {{ if_reported(exact('conversions_w14m'), 'conversions_w14m') }},
    {{ unless_missing('spend_w28') }},
    clicks_w28,
    {{ if_reported('conversions_w28') }},
    {{ unless_missing('target_cpa', 'campaign_target_cpa') }},
    {{ unless_missing('advertiser_target_cpa') }},
    {{ unless_missing('daily_budget') }},
    case when has_orders_data then orders_w28 end as orders_w28,
    case when has_orders_data then orders_known_w28 end as orders_known_w28,
    case when has_orders_data then new_customer_orders_w28 end as new_customer_orders_w28,
    has_purchaser_exclusion,
    {% for name in ['w7', 'b28', 's7', 'p28'] %}{{ whole('normal_days_' ~ name) }} as normal_days_{{ name }},
    {% endfor -%}
    {% for name in ['w7', 'b28'] -%}
    {{ whole('impressions_' ~ name ~ 'n') }} as impressions_{{ name }}n,
    {{ whole('clicks_' ~ name ~ 'n') }} as clicks_{{ name }}n,
    {{ unless_missing('spend_' ~ name ~ 'n') }},
    {% endfor -%}
    case when missing_pair is null then {{ exact_ratio('spend_at_mix', 'spend_in_both') }} end as cpm_index_at_mix,
    {{ exact_ratio('clicks_at_mix', 'clicks_in_both') }} as ctr_index_at_mix,
    case when has_calendar then expected_cpm_index_w7 end as expected_cpm_index_w7,
    {{ whole('clicks_s7 - masked_clicks_s7') }} as clicks_s7,
    {{ exact('clicks_s7 - masked_clicks_s7 - unknown_clicks_s7') }} as complete_clicks_s7,
    {{ unless_missing('spend_s7 - masked_spend_s7 - unknown_spend_s7', 'complete_spend_s7') }},
    {{ exact('conversions_s7 - masked_conversions_s7') }} as conversions_s7,
    {{ whole('clicks_p28 - masked_clicks_p28') }} as clicks_p28,
    {{ unless_missing('spend_p28 - masked_spend_p28', 'spend_p28') }},
    {{ exact('conversions_p28 - masked_conversions_p28') }} as conversions_p28,
    {{ unless_missing('spend_w14m - unknown_spend_w14m', 'complete_spend_w14m') }},
    {{ unless_missing('conversion_value_w14m') }},
    {{ exact('valued_conversions_w14m') }} as valued_conversions_w14m,
    {#- Values inside a row are only known as their sum, so the spread is estimated from rows: those of n conversions scatter by
        1/sqrt(n) of that of single ones (analysis of variance, one group). -#}
    case
        when missing_pair is null and valued_rows_w14m > 1 and valued_conversions_w14m > 0 and conversion_value_w14m > 0
            then {{ exact(
                'sqrt(greatest(' ~ real('value_squares_w14m') ~ ' - ' ~ real('conversion_value_w14m') ~ ' * ' ~ real('conversion_value_w14m') ~ ' / ' ~ real('valued_conversions_w14m')
                ~ ', 0) / (valued_rows_w14m - 1)) * ' ~ real('valued_conversions_w14m') ~ ' / ' ~ real('conversion_value_w14m')
            ) }}
    end as value_spread_w14m,
    target_roas as campaign_target_roas,
    {{ real('advertiser_target_roas') }} as advertiser_target_roas,
    gross_margin,
    end_date as campaign_end_date,
    {{ whole('impressions_d') }} as impressions_d,
    {{ unless_missing('spend_d') }},
    {{ whole('dow_values') }} as dow_values,
    {{ real('impressions_dow_median') }} as impressions_dow_median,
    {{ unless_missing('spend_dow_median') }},
    case when has_calendar then events_d > 0 end as has_event_d,
    {{ whole('recent_changes') }} as recent_changes,
    campaign_labels,
    missing_pair as missing_fx_pair
from described
