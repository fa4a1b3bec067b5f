{%- set reach_days = 34 %}
{%- set flight_reach_days = 119 %}
{%- set metric_joins %}
inner join (
            select distinct advertiser_id, platform, account_id, campaign_id, account_no, campaign_no
            from {{ ref('int_entity_numbers') }}
            where campaign_no is not null
        ) as campaigns on {{ same(['advertiser_id', 'platform', 'account_id', 'campaign_id'], 'campaigns', 'facts') }}
{%- endset %}
with

evaluated as (
    select * from {{ ref('int_numbered_evaluated_days') }}
),

campaigns as (
    select distinct advertiser_id, platform, account_id, campaign_id, account_no, campaign_no
    from {{ ref('int_entity_numbers') }}
    where campaign_no is not null
),

metric_steps as {{ fact_steps(
    'campaign_metrics_daily',
    {'campaign_no': 'campaigns.campaign_no', 'account_no': 'campaigns.account_no'},
    metric_joins,
    {
        'budget': [in_base('daily_budget_effective'), exact],
        'budget_rows': ['case when ' ~ in_base('daily_budget_effective') ~ ' > 0 then 1 else 0 end', whole],
        'lost_share': ['facts.search_budget_lost_impression_share', exact],
        'lost_share_rows': ['case when facts.search_budget_lost_impression_share is not null then 1 else 0 end', whole],
        'learning_rows': ["case when facts.learning_status = 'learning' then 1 else 0 end", whole],
    },
) }},

steps as (
    select
        campaign_no,
        account_no,
        date,
        visible_from,
        visible_to,
        is_correction,
        clicks,
        spend,
        conversions,
        0 as budget,
        0 as budget_rows,
        0 as lost_share,
        0 as lost_share_rows,
        0 as learning_rows,
        0 as metric_rows
    from {{ ref('int_campaign_days') }}
    union all
    select
        campaign_no,
        account_no,
        date,
        visible_from,
        visible_to,
        is_correction,
        0 as clicks,
        0 as spend,
        0 as conversions,
        budget,
        budget_rows,
        lost_share,
        lost_share_rows,
        learning_rows,
        n_rows as metric_rows
    from metric_steps
),

{#- Each campaign's days up to E, as known on each feature day. A budget is that of the day itself: later changes do not judge earlier days. -#}
campaign_days as (
    select
        steps.campaign_no,
        evaluated.date,
        evaluated.evaluated_day,
        evaluated.matured_day,
        steps.date as day,
        sum(steps.clicks) as clicks,
        {{ exact('sum(steps.spend)') }} as spend,
        {{ exact('sum(steps.conversions)') }} as conversions,
        case when sum(steps.budget_rows) > 0 then {{ exact('sum(steps.budget)') }} end as budget,
        {{ exact('sum(steps.lost_share)') }} as lost_share,
        sum(steps.lost_share_rows) as lost_share_rows,
        sum(steps.learning_rows) as learning_rows,
        sum(steps.metric_rows) as metric_rows
    from steps
    inner join evaluated
        on
            evaluated.account_no = steps.account_no
            and steps.date between {{ days_add('evaluated.evaluated_day', -reach_days) }} and evaluated.evaluated_day
            and (not steps.is_correction or (evaluated.date >= steps.visible_from and evaluated.date < steps.visible_to))
    group by steps.campaign_no, evaluated.date, evaluated.evaluated_day, evaluated.matured_day, steps.date
),

marked_days as (
    select
        *,
        {{ days_between('day', 'evaluated_day') }} as days_back,
        {{ days_between('day', 'evaluated_day') }} < extract(day from evaluated_day) as is_of_month,
        {#- At the ceiling: the budget is used up and not passed. Spend that scatters around the budget is not limited by it. -#}
        case when budget is not null and spend >= budget * 0.95 and spend <= budget * 1.05 then 1 else 0 end as is_capped
    from campaign_days
),

limits as (
    select
        campaign_no,
        date,
        case when sum(case when days_back < 7 then lost_share_rows end) > 0
            then {{ real('sum(case when days_back < 7 then lost_share else 0 end)') }} / sum(case when days_back < 7 then lost_share_rows else 0 end)
        end as lost_share_w7,
        sum(case when days_back < 7 and budget is not null then is_capped end) as capped_days_w7,
        sum(case when days_back < 14 and budget is not null then is_capped end) as capped_days_w14,
        max_by(learning_rows > 0, case when days_back < 7 and metric_rows > 0 then day end) as is_learning,
        max(case when days_back = 0 then budget end) as budget_d,
        max(case when days_back = 0 then spend end) as spend_d,
        max(case when days_back = 0 then clicks end) as clicks_d,
        max(case when days_back = 1 then budget end) as budget_1_before,
        max(case when days_back = 1 then spend end) as spend_1_before,
        sum(case when days_back < 7 then budget end) as budget_w7,
        sum(case when days_back < 7 and budget is not null then spend end) as spend_budgeted_w7,
        count(case when days_back < 7 then budget end) as budget_days_w7,
        sum(case when is_of_month and budget is not null then spend end) as spend_mtd,
        {{ exact_ratio('sum(case when is_of_month then budget end)', 'count(case when is_of_month then budget end)') }} as budget_per_day_mtd
    from marked_days
    group by campaign_no, date
),

listed as {{ current_rows(
    'campaigns', ['platform', 'account_id', 'campaign_id'],
    ['start_date', 'end_date', 'lifetime_budget', 'budget_id', 'currency_code'], number='campaign_no',
) }},

{#- Flights that began inside the look-back, and not before the data: else what was spent cannot be added up. -#}
flights as (
    select
        listed.campaign_no,
        listed.date,
        listed.start_date,
        listed.end_date,
        evaluated.evaluated_day,
        {{ in_base('lifetime_budget', 'listed', 'rates') }} as lifetime_budget,
        case
            when rates.factor is null and listed.lifetime_budget <> 0 then concat(listed.currency_code, '->', evaluated.currency_code)
        end as missing_fx_pair,
        {{ days_between('listed.start_date', 'evaluated.evaluated_day') }} + 1 as days_elapsed,
        {{ days_between('evaluated.evaluated_day', 'listed.end_date') }} as days_left
    from listed
    inner join campaigns on campaigns.campaign_no = listed.campaign_no
    inner join evaluated on evaluated.account_no = campaigns.account_no and evaluated.date = listed.date
    left join {{ rates_of_day() }} as rates on {{ same(['advertiser_id', 'date', 'currency_code'], 'rates', 'listed') }}
    where
        listed.lifetime_budget > 0
        and evaluated.evaluated_day between listed.start_date and listed.end_date
        and listed.start_date >= {{ days_add('evaluated.evaluated_day', -flight_reach_days) }}
        and exists (
            select 1
            from {{ ref('stg_slice_versions') }} as versions
            where
                versions.table_name = 'ad_performance_daily'
                and versions.advertiser_id = listed.advertiser_id
                and versions.date between {{ days_add('listed.date', -125) }} and listed.start_date
                and versions.as_of <= listed.date
        )
),

flight_spending as (
    select
        flights.campaign_no,
        flights.date,
        {{ exact('sum(steps.spend)') }} as spend
    from flights
    inner join {{ ref('int_campaign_days') }} as steps
        on
            steps.campaign_no = flights.campaign_no
            and steps.date between flights.start_date and flights.evaluated_day
            and (not steps.is_correction or (flights.date >= steps.visible_from and flights.date < steps.visible_to))
    group by flights.campaign_no, flights.date
),

{#- What the remaining days would spend: each like the same weekday of the last two weeks (one week while the flight is young). -#}
flight_rates as (
    select
        flights.campaign_no,
        flights.date,
        {{ weekday('marked_days.day') }} as weekday,
        {{ exact_ratio('sum(marked_days.spend)', 'max(case when flights.days_elapsed >= 14 then 2 else 1 end)') }} as rate
    from flights
    inner join marked_days
        on
            marked_days.campaign_no = flights.campaign_no
            and marked_days.date = flights.date
            and marked_days.days_back < case when flights.days_elapsed >= 14 then 14 else 7 end
    where flights.days_elapsed >= 7
    group by flights.campaign_no, flights.date, {{ weekday('marked_days.day') }}
),

flight_outlook as (
    select
        flights.campaign_no,
        flights.date,
        {{ exact('sum(coalesce(flight_rates.rate, 0))') }} as expected_spend
    from flights
    cross join {{ each_day(days_add('flights.evaluated_day', 1), 'flights.end_date', 'days', 'day') }}
    left join flight_rates
        on
            flight_rates.campaign_no = flights.campaign_no
            and flight_rates.date = flights.date
            and flight_rates.weekday = {{ weekday('days.day') }}
    where flights.days_elapsed >= 7
    group by flights.campaign_no, flights.date
),

missing_in_flight as {{ missing_pairs('ad_performance_daily', ['campaign_no'], first=flight_reach_days) }},

known_change_days as (
    select
        evaluated.advertiser_id,
        evaluated.platform,
        evaluated.account_id,
        evaluated.account_no,
        evaluated.date,
        evaluated.evaluated_day,
        evaluated.matured_day,
        versions.date as day,
        versions.as_of
    from evaluated
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'change_events'
            and versions.advertiser_id = evaluated.advertiser_id
            and versions.date between {{ days_add('evaluated.evaluated_day', -reach_days) }} and evaluated.evaluated_day
            and versions.as_of <= evaluated.date
            and (versions.superseded_on is null or versions.superseded_on > evaluated.date)
),

change_coverage as (
    select account_no, date, count(case when {{ days_between('day', 'evaluated_day') }} < 7 then 1 end) as days_w7
    from known_change_days
    group by account_no, date
),

{#- Platforms log the change of a budget under the campaign or under the budget itself. -#}
budget_owners as (
    select campaigns.account_no, campaigns.campaign_no, evaluated.date, campaigns.campaign_id as entity_id
    from campaigns
    inner join evaluated on evaluated.account_no = campaigns.account_no
    {{ union() }}
    select campaigns.account_no, campaigns.campaign_no, listed.date, listed.budget_id as entity_id
    from listed
    inner join campaigns on campaigns.campaign_no = listed.campaign_no
    where listed.budget_id is not null
),

budget_changes as (
    select
        owners.campaign_no,
        known.date,
        known.evaluated_day,
        known.matured_day,
        known.day,
        events.old_amount,
        events.new_amount,
        row_number() over (
            partition by owners.campaign_no, known.date, known.day order by events.occurred_at, events.event_id
        ) as nth,
        row_number() over (
            partition by owners.campaign_no, known.date, known.day order by events.occurred_at desc, events.event_id desc
        ) as nth_from_last
    from (
        select
            advertiser_id, platform, account_id, date, as_of, event_id, occurred_at, entity_id,
            {#- Written by platforms and people: what is no number is a change of unknown size. -#}
            {{ number_in('old_value') }} as old_amount,
            {{ number_in('new_value') }} as new_amount
        from {{ ref('stg_change_events') }}
        where field in ('daily_budget', 'lifetime_budget', 'budget', 'amount_micros', 'campaign_budget.amount_micros')
    ) as events
    inner join known_change_days as known
        on
            {{ same(['advertiser_id', 'platform', 'account_id', 'as_of'], 'known', 'events') }}
            and known.day = events.date
    inner join budget_owners as owners
        on
            owners.account_no = known.account_no
            and owners.date = known.date
            and owners.entity_id = events.entity_id
),

{#- Several changes of a day count as one from the first old to the last new value. -#}
changed_days as (
    select
        campaign_no,
        date,
        evaluated_day,
        matured_day,
        day,
        count(*) as changes,
        max(case when old_amount > 0 and new_amount >= 0 then abs(new_amount / old_amount - 1) end) as largest_step,
        case
            when max(case when nth = 1 then old_amount end) > 0
                then max(case when nth_from_last = 1 then new_amount end) / max(case when nth = 1 then old_amount end)
        end as ratio
    from budget_changes
    group by campaign_no, date, evaluated_day, matured_day, day
),

edits as (
    select
        campaign_no,
        date,
        {{ whole(days_between('max(day)', 'max(evaluated_day)')) }} as days_since_budget_change,
        sum(case when {{ days_between('day', 'evaluated_day') }} < 7 then changes else 0 end) as budget_changes_w7,
        max(case when {{ days_between('day', 'evaluated_day') }} < 7 then largest_step end) as largest_budget_step_w7
    from changed_days
    group by campaign_no, date
),

{#- The latest raise with seven settled days after it and two weeks before it in reach. -#}
raises as (
    select
        campaign_no,
        date,
        evaluated_day,
        matured_day,
        day as raised_on,
        ratio
    from changed_days
    where ratio >= 1.1 and day >= {{ days_add('evaluated_day', -20) }} and day <= {{ days_add('matured_day', -7) }}
    qualify row_number() over (partition by campaign_no, date order by day desc) = 1
),

other_changes as (
    select
        raises.campaign_no,
        raises.date,
        sum(changed_days.changes) as changes
    from raises
    inner join changed_days
        on
            changed_days.campaign_no = raises.campaign_no
            and changed_days.date = raises.date
            and changed_days.day <> raises.raised_on
            and changed_days.day between {{ days_add('raises.raised_on', -14) }} and {{ days_add('raises.raised_on', 14) }}
            and (changed_days.ratio is null or abs(changed_days.ratio - 1) >= 0.1)
    group by raises.campaign_no, raises.date
),

raise_results as (
    select
        raises.campaign_no,
        raises.date,
        sum(case when marked_days.day < raises.raised_on then marked_days.spend else 0 end) as spend_before,
        sum(case when marked_days.day < raises.raised_on then marked_days.conversions else 0 end) as conversions_before,
        sum(case when marked_days.day > raises.raised_on then marked_days.spend else 0 end) as spend_after,
        sum(case when marked_days.day > raises.raised_on then marked_days.conversions else 0 end) as conversions_after
    from raises
    inner join marked_days
        on
            marked_days.campaign_no = raises.campaign_no
            and marked_days.date = raises.date
            and marked_days.day between {{ days_add('raises.raised_on', -14) }} and {{ days_add('raises.raised_on', 14) }}
            and marked_days.day <= raises.matured_day
    group by raises.campaign_no, raises.date
),

events as {{ current_rows('calendar_events', ['event_id'], ['date_from', 'date_to', 'mask_baseline'], has_periods=false) }},

calendar as (
    select
        slices.advertiser_id,
        slices.date,
        count(events.event_id) > 0 as has_event_soon
    from {{ ref('int_current_slices') }} as slices
    left join events
        on
            {{ same(['advertiser_id', 'date'], 'events', 'slices') }}
            and events.mask_baseline
            and events.date_from <= {{ days_add('slices.date', 14) }}
            and events.date_to >= {{ days_add('slices.date', -7) }}
    where slices.table_name = 'calendar_events'
    group by slices.advertiser_id, slices.date
),

raise_events as (
    select raises.campaign_no, raises.date
    from raises
    inner join campaigns on campaigns.campaign_no = raises.campaign_no
    inner join events
        on
            {{ same(['advertiser_id'], 'events', 'campaigns') }}
            and events.date = raises.date
            and events.mask_baseline
            and events.date_from <= {{ days_add('raises.raised_on', 14) }}
            and events.date_to >= {{ days_add('raises.raised_on', -14) }}
    group by raises.campaign_no, raises.date
),

described as (
    select
        features.advertiser_id,
        features.date,
        features.platform,
        features.account_id,
        features.campaign_id,
        features.campaign_name,
        features.campaign_status,
        features.currency_code,
        features.evaluated_day,
        features.data_age_days,
        features.history_days,
        features.spend_w7,
        features.daily_budget,
        features.matured_days_w14,
        features.spend_w14m,
        features.conversions_w14m,
        features.complete_spend_w14m,
        features.conversion_value_w14m,
        features.valued_conversions_w14m,
        features.value_spread_w14m,
        features.campaign_target_cpa,
        features.advertiser_target_cpa,
        features.campaign_target_roas,
        features.advertiser_target_roas,
        limits.lost_share_w7,
        limits.capped_days_w7,
        limits.capped_days_w14,
        limits.is_learning,
        limits.budget_d,
        coalesce(limits.spend_d, 0) as spend_d,
        coalesce(limits.clicks_d, 0) as clicks_d,
        limits.budget_1_before,
        coalesce(limits.spend_1_before, 0) as spend_1_before,
        limits.budget_w7,
        limits.spend_budgeted_w7,
        coalesce(limits.budget_days_w7, 0) as budget_days_w7,
        limits.spend_mtd,
        limits.budget_per_day_mtd,
        flights.lifetime_budget,
        flights.end_date as flight_end,
        flights.days_elapsed as flight_days_elapsed,
        flights.days_left as flight_days_left,
        case when flights.campaign_no is not null then coalesce(flight_spending.spend, 0) end as flight_spend,
        case when flights.days_elapsed >= 7 then coalesce(flight_outlook.expected_spend, 0) end as flight_expected_spend,
        case when coalesce(change_coverage.days_w7, 0) > 0 then coalesce(edits.budget_changes_w7, 0) end as budget_changes_w7,
        edits.largest_budget_step_w7,
        edits.days_since_budget_change,
        raises.raised_on,
        raises.ratio as raise_ratio,
        {{ days_between('raises.raised_on', 'least(raises.matured_day, ' ~ days_add('raises.raised_on', 14) ~ ')') }} as days_after_raise,
        {#- least() passes over an empty value in one dialect and not in the other. #}
        case
            when raises.campaign_no is not null
                then least(14, features.history_days - 1 - {{ days_between('raises.raised_on', 'raises.evaluated_day') }})
        end as days_before_raise,
        raise_results.spend_before as spend_before_raise,
        raise_results.conversions_before as conversions_before_raise,
        raise_results.spend_after as spend_after_raise,
        raise_results.conversions_after as conversions_after_raise,
        case when raises.campaign_no is not null then coalesce(other_changes.changes, 0) end as other_changes_around_raise,
        case when raises.campaign_no is not null and calendar.date is not null then raise_events.campaign_no is not null end as has_event_around_raise,
        calendar.has_event_soon,
        coalesce(features.missing_fx_pair, flights.missing_fx_pair, case when flights.campaign_no is not null then missing_in_flight.missing_fx_pair end) as missing_pair
    from {{ ref('campaign_features') }} as features
    inner join campaigns on {{ same(['advertiser_id', 'platform', 'account_id', 'campaign_id'], 'campaigns', 'features') }}
    {#- The mart keeps older slices on BigQuery; only the days of this run are computed. #}
    inner join {{ ref('int_feature_days') }} as feature_days on {{ same(['advertiser_id', 'date'], 'feature_days', 'features') }}
    {%- for cte in ['limits', 'flights', 'flight_spending', 'flight_outlook', 'missing_in_flight', 'edits', 'raises', 'raise_results', 'other_changes', 'raise_events'] %}
    left join {{ cte }} on {{ cte }}.campaign_no = campaigns.campaign_no and {{ cte }}.date = features.date
    {%- endfor %}
    left join change_coverage on change_coverage.account_no = campaigns.account_no and change_coverage.date = features.date
    left join calendar on {{ same(['advertiser_id', 'date'], 'calendar', 'features') }}
)

select
    advertiser_id,
    date,
    platform,
    account_id,
    campaign_id,
    campaign_name,
    campaign_status,
    currency_code,
    evaluated_day,
    data_age_days,
    history_days,
    {{ unless_missing('spend_w7') }},
    {{ unless_missing('daily_budget') }},
    matured_days_w14,
    {{ unless_missing('spend_w14m') }},
    conversions_w14m,
    {{ unless_missing('complete_spend_w14m') }},
    {{ unless_missing('conversion_value_w14m') }},
    valued_conversions_w14m,
    {{ unless_missing('value_spread_w14m') }},
    {{ unless_missing('campaign_target_cpa') }},
    {{ unless_missing('advertiser_target_cpa') }},
    campaign_target_roas,
    advertiser_target_roas,
    lost_share_w7,
    {{ whole('capped_days_w7') }} as capped_days_w7,
    {{ whole('capped_days_w14') }} as capped_days_w14,
    is_learning,
    {{ unless_missing('budget_d') }},
    {{ unless_missing('spend_d') }},
    {{ whole('clicks_d') }} as clicks_d,
    {{ unless_missing('budget_1_before') }},
    {{ unless_missing('spend_1_before') }},
    {{ unless_missing('budget_w7') }},
    {{ unless_missing('spend_budgeted_w7') }},
    {{ whole('budget_days_w7') }} as budget_days_w7,
    {{ unless_missing('spend_mtd') }},
    {{ unless_missing('budget_per_day_mtd') }},
    {{ unless_missing('lifetime_budget') }},
    flight_end,
    {{ whole('flight_days_elapsed') }} as flight_days_elapsed,
    {{ whole('flight_days_left') }} as flight_days_left,
    {{ unless_missing('flight_spend') }},
    {{ unless_missing('flight_expected_spend') }},
    {{ whole('budget_changes_w7') }} as budget_changes_w7,
    {{ real('largest_budget_step_w7') }} as largest_budget_step_w7,
    {{ whole('days_since_budget_change') }} as days_since_budget_change,
    raised_on,
    {{ real('raise_ratio') }} as raise_ratio,
    {{ whole('days_before_raise') }} as days_before_raise,
    {{ whole('days_after_raise') }} as days_after_raise,
    {{ unless_missing('spend_before_raise') }},
    {{ exact('conversions_before_raise') }} as conversions_before_raise,
    {{ unless_missing('spend_after_raise') }},
    {{ exact('conversions_after_raise') }} as conversions_after_raise,
    {{ whole('other_changes_around_raise') }} as other_changes_around_raise,
    has_event_around_raise,
    has_event_soon,
    missing_pair as missing_fx_pair
from described
