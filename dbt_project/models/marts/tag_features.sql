{#- Tags are few, so their days are read one by one, each in the version known on the feature day. -#}
{%- set look_back_days = 55 %}
{#- Events that stand for an order or a lead, as the platforms and the common tag managers call them. -#}
{%- set result_events = [
    'purchase', 'order', 'order completed', 'completepayment', 'placeanorder', 'checkout_completed', 'lead', 'generate_lead', 'submitform',
    'submitapplication', 'completeregistration', 'sign_up', 'signup', 'subscribe', 'starttrial', 'schedule', 'contact',
] %}
with

known as (
    select
        feature_days.advertiser_id,
        feature_days.date,
        feature_days.own_evaluated_day as evaluated_day,
        feature_days.base_currency as currency_code,
        facts.source,
        facts.event_name,
        facts.date as day,
        facts.date >= {{ days_add('feature_days.own_evaluated_day', -6) }} as is_w7,
        facts.browser_events,
        facts.server_events,
        facts.browser_events + facts.server_events as events,
        {{ exact('facts.dedup_rate') }} as dedup_rate,
        {{ exact('facts.emq_score') }} as emq_score
    from {{ ref('int_feature_days') }} as feature_days
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'tag_health_daily'
            and versions.advertiser_id = feature_days.advertiser_id
            and versions.date between {{ days_add('feature_days.own_evaluated_day', -look_back_days) }} and feature_days.own_evaluated_day
            and versions.as_of <= feature_days.date
            and (versions.superseded_on is null or versions.superseded_on > feature_days.date)
    inner join {{ ref('stg_tag_health_daily') }} as facts
        on {{ same(['advertiser_id', 'date', 'as_of'], 'facts', 'versions') }}
),

{#- Rates are weighted with the events they were measured on; days that do not report one do not count for it. -#}
tags as (
    select
        advertiser_id,
        date,
        evaluated_day,
        currency_code,
        source,
        event_name,
        case source when 'gtag' then 'google_ads' when 'uet' then 'microsoft_ads' when 'insight_tag' then 'linkedin_ads' else 'meta_ads' end as platform,
        min(day) as first_day,
        sum(case when is_w7 then events else 0 end) as events_w7,
        sum(case when is_w7 then browser_events else 0 end) as browser_events_w7,
        sum(case when is_w7 then server_events else 0 end) as server_events_w7,
        {{ exact_ratio('sum(case when is_w7 then emq_score * events end)', 'sum(case when is_w7 and emq_score is not null then events end)') }} as emq_score_w7,
        {{ exact_ratio('sum(case when is_w7 then dedup_rate * events end)', 'sum(case when is_w7 and dedup_rate is not null then events end)') }} as dedup_rate_w7
    from known
    group by advertiser_id, date, evaluated_day, currency_code, source, event_name
),

{#- Pixel and Conversions API report the same event by two ways, so the share is that of the event over both. -#}
with_server as (
    select
        *,
        case
            when source in ('pixel', 'capi')
                then {{ exact_ratio(
                    'sum(server_events_w7) over (partition by advertiser_id, date, platform, event_name)',
                    'sum(events_w7) over (partition by advertiser_id, date, platform, event_name)',
                ) }}
        end as server_share_w7
    from tags
),

listed as {{ current_rows('conversion_actions', ['platform', 'account_id', 'conversion_action_id'], ['action_name', 'is_primary']) }},

primary_actions as (
    select distinct advertiser_id, date, platform, lower(action_name) as event_name
    from listed
    where is_primary
),

spend as (
    select
        evaluated.advertiser_id,
        evaluated.date,
        evaluated.platform,
        {{ exact('sum(steps.spend)') }} as spend_w7
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join {{ ref('int_account_days') }} as steps
        on
            steps.table_name = 'ad_performance_daily'
            and steps.account_no = evaluated.account_no
            and steps.date between {{ days_add('evaluated.evaluated_day', -6) }} and evaluated.evaluated_day
            and (not steps.is_correction or (evaluated.date >= steps.visible_from and evaluated.date < steps.visible_to))
    group by evaluated.advertiser_id, evaluated.date, evaluated.platform
),

missing_of_account as {{ missing_pairs('ad_performance_daily', ['account_no'], first=6) }},

missing as (
    select
        accounts.advertiser_id,
        accounts.platform,
        missing_of_account.date,
        min(missing_of_account.missing_fx_pair) as missing_fx_pair
    from missing_of_account
    inner join {{ accounts() }} as accounts on accounts.account_no = missing_of_account.account_no
    group by accounts.advertiser_id, accounts.platform, missing_of_account.date
),

described as (
    select
        tags.*,
        spend.spend_w7,
        lower(tags.event_name) in ({{ quoted(result_events) }}) or primary_actions.event_name is not null as is_result_event,
        missing.missing_fx_pair as missing_pair
    from with_server as tags
    left join primary_actions
        on {{ same(['advertiser_id', 'date', 'platform'], 'primary_actions', 'tags') }} and primary_actions.event_name = lower(tags.event_name)
    left join spend on {{ same(['advertiser_id', 'date', 'platform'], 'spend', 'tags') }}
    left join missing on {{ same(['advertiser_id', 'date', 'platform'], 'missing', 'tags') }}
)

select
    advertiser_id,
    date,
    platform,
    source,
    event_name,
    currency_code,
    evaluated_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    is_result_event,
    {{ whole('events_w7') }} as events_w7,
    {{ whole('browser_events_w7') }} as browser_events_w7,
    {{ whole('server_events_w7') }} as server_events_w7,
    emq_score_w7,
    dedup_rate_w7,
    server_share_w7,
    {{ unless_missing('coalesce(spend_w7, 0)', 'spend_w7') }},
    missing_pair as missing_fx_pair
from described
