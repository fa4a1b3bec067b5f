{#- Platforms name their own changes; somebody who clicks 'apply' on a recommendation is a person and not among these. -#}
{%- set automatic_clients = ['GOOGLE_ADS_RECOMMENDATIONS_SUBSCRIPTION', 'RECOMMENDATIONS_SUBSCRIPTION', 'AUTO_APPLY'] %}
{%- set targeting_words = [
    'audience', 'target', 'geo', 'location', 'language', 'placement', 'match', 'schedule', 'device', 'exclu', 'negative', 'status', 'network',
] %}
{%- set sums = {
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'spend_w28': {'measure': 'spend', 'first': 27, 'last': 0, 'cast': exact},
} %}
with

account_steps as (
    select * from {{ ref('int_account_days') }} where table_name = 'ad_performance_daily'
),

delivery as {{ window_sums('account_steps', ['account_no'], sums, with_first_day=true) }},

listed as {{ current_rows(
    'platform_accounts', ['platform', 'account_id'],
    ['currency_code', 'spend_cap', 'amount_spent', 'payment_failed', 'is_test', 'funding_type', 'balance', 'auto_top_up'],
    has_periods=false, number='account_no',
) }},

settings as (
    select
        listed.account_no,
        listed.date,
        listed.payment_failed,
        listed.is_test,
        listed.funding_type,
        listed.auto_top_up,
        {{ in_base('spend_cap', 'listed', 'rates') }} as spend_cap,
        {{ in_base('amount_spent', 'listed', 'rates') }} as amount_spent,
        {{ in_base('balance', 'listed', 'rates') }} as balance,
        case
            when rates.factor is null and (coalesce(listed.spend_cap, 0) <> 0 or coalesce(listed.amount_spent, 0) <> 0 or coalesce(listed.balance, 0) <> 0)
                then concat(listed.currency_code, '->', advertisers.base_currency)
        end as missing_fx_pair
    from listed
    inner join {{ ref('stg_advertisers') }} as advertisers on advertisers.advertiser_id = listed.advertiser_id
    left join {{ rates_of_day() }} as rates on {{ same(['advertiser_id', 'date', 'currency_code'], 'rates', 'listed') }}
),

evaluated_days as (
    select
        *,
        {{ days_between('evaluated_day', 'date') }} as data_age
    from {{ ref('int_numbered_evaluated_days') }}
),

{#- Restatements. Versions that changed the account's spend of a day, oldest first: what it was before and since then. -#}
versions as (
    select
        advertiser_id,
        date,
        as_of,
        lag(as_of) over (partition by advertiser_id, date order by as_of) as previous_as_of
    from {{ ref('stg_slice_versions') }}
    where table_name = 'ad_performance_daily'
),

spend_changes as (
    select
        accounts.account_no,
        versions.date as day,
        versions.as_of as known_on,
        max(reports.currency_code) as currency_code,
        {{ exact('sum(case when reports.as_of = versions.previous_as_of then reports.spend else 0 end)') }} as spend_before,
        {{ exact('sum(case when reports.as_of = versions.as_of then reports.spend else 0 end)') }} as spend_now
    from versions
    inner join {{ ref('int_account_reports') }} as reports
        on
            reports.advertiser_id = versions.advertiser_id
            and reports.date = versions.date
            and (reports.as_of = versions.as_of or reports.as_of = versions.previous_as_of)
    inner join {{ accounts() }} as accounts on {{ same(['advertiser_id', 'platform', 'account_id'], 'accounts', 'reports') }}
    where versions.previous_as_of is not null
    group by accounts.account_no, versions.date, versions.as_of
    {#- In two currencies two amounts cannot be compared. #}
    having
        min(reports.currency_code) = max(reports.currency_code)
        and sum(case when reports.as_of = versions.previous_as_of then reports.spend else 0 end)
        <> sum(case when reports.as_of = versions.as_of then reports.spend else 0 end)
),

change_periods as (
    select
        *,
        lead(known_on) over (partition by account_no, day order by known_on) as next_known_on,
        first_value(spend_before) over (partition by account_no, day order by known_on) as first_spend
    from spend_changes
),

{#- Per feature day: the changes that hold on it, beside the figure with which the day was first judged (the day after it, as old as the account's
    data are). A day is judged on D-1 at the latest from D-2 on, so late rows of a day that nobody has judged are no restatement. -#}
held_changes as (
    select
        evaluated_days.account_no,
        evaluated_days.date,
        held.day,
        held.known_on,
        max(held.currency_code) as currency_code,
        max(held.spend_before) as spend_before,
        max(held.spend_now) as spend_now,
        coalesce(max_by(earlier.spend_now, earlier.known_on), max(held.first_spend)) as spend_judged
    from evaluated_days
    inner join change_periods as held
        on
            held.account_no = evaluated_days.account_no
            and held.day between {{ days_add('evaluated_days.evaluated_day', -30) }} and {{ days_add('evaluated_days.evaluated_day', -2) }}
            and held.known_on <= evaluated_days.date
            and (held.next_known_on is null or held.next_known_on > evaluated_days.date)
    left join change_periods as earlier
        on
            earlier.account_no = held.account_no
            and earlier.day = held.day
            and earlier.known_on <= {{ days_add('held.day', '1 + evaluated_days.data_age') }}
    group by evaluated_days.account_no, evaluated_days.date, held.day, held.known_on
),

judged_changes as (
    select
        held_changes.*,
        {{ exact('round(held_changes.spend_before * rates.factor, 6)') }} as base_spend_before,
        {{ exact('round(held_changes.spend_now * rates.factor, 6)') }} as base_spend_now,
        case when rates.factor is null then concat(held_changes.currency_code, '->', evaluated_days.currency_code) end as missing_pair,
        {#- A figure that returns to what it was first judged with has been repaired. -#}
        held_changes.known_on = held_changes.date
        and held_changes.spend_before > 0
        and abs(held_changes.spend_now - held_changes.spend_judged) > 0.01 * held_changes.spend_judged as is_restated,
        abs(held_changes.spend_now - 2 * held_changes.spend_judged) <= 0.02 * held_changes.spend_judged and held_changes.spend_judged > 0 as is_doubled
    from held_changes
    inner join evaluated_days on {{ same(['account_no', 'date'], 'evaluated_days', 'held_changes') }}
    left join {{ rates_of_day() }} as rates
        on
            rates.advertiser_id = evaluated_days.advertiser_id
            and rates.date = held_changes.date
            and rates.currency_code = held_changes.currency_code
),

restated as (
    select
        account_no,
        date,
        day,
        base_spend_before,
        base_spend_now,
        count(*) over (partition by account_no, date) as n_days,
        row_number() over (partition by account_no, date order by abs(spend_now - spend_before) desc, day desc) as preference
    from judged_changes
    where is_restated
),

doubled as (
    select
        account_no,
        date,
        count(*) as n_days,
        max(day) as last_day,
        max(base_spend_now) as spend
    from judged_changes
    where is_doubled
    group by account_no, date
),

changes_without_rate as (
    select
        account_no,
        date,
        min(missing_pair) as missing_pair
    from judged_changes
    where is_restated or is_doubled
    group by account_no, date
),

{#- Days of D-2..D-30 that were known the day before; without any nothing can be compared. -#}
compared as (
    select
        evaluated_days.account_no,
        evaluated_days.date,
        count(*) as n_days
    from evaluated_days
    inner join (select advertiser_id, date, min(as_of) as known_from from versions group by advertiser_id, date) as slices
        on
            slices.advertiser_id = evaluated_days.advertiser_id
            and slices.date between {{ days_add('evaluated_days.evaluated_day', -30) }} and {{ days_add('evaluated_days.evaluated_day', -2) }}
            and slices.known_from < evaluated_days.date
    group by evaluated_days.account_no, evaluated_days.date
),

{#- Changes of settings. Who is unknown is decided once per change, what a change is about by its resource and field. -#}
trusted as (
    select
        advertisers.advertiser_id,
        lower(actors.actor) as actor
    from {{ ref('stg_advertisers') }} as advertisers
    cross join {{ each_element('advertisers.trusted_actors', 'actors', 'actor') }}
),

changes as (
    select
        events.advertiser_id,
        events.date,
        events.as_of,
        events.event_id,
        events.platform,
        events.account_id,
        events.entity_id,
        events.occurred_at,
        max(events.actor) as actor,
        max(concat(events.resource_type, ' ', events.field)) as what,
        {#- Without a list nobody is unknown; a change without a name tells nothing about who made it. -#}
        max(case
            when upper(events.client_type) in ({{ quoted(automatic_clients) }}) then 1
            when events.actor is not null and trusted.actor is not null then 1
            else 0
        end) = 1
        and max(case
            when lower(trim(events.actor)) = trusted.actor then 1
            when starts_with(trusted.actor, '@') and ends_with(lower(trim(events.actor)), trusted.actor) then 1
            else 0
        end) = 0 as is_unknown,
        max(case
            when events.resource_type in ('budget', 'bid') then 'money'
            when lower(events.field) like '%budget%' or lower(events.field) like '%bid%' then 'money'
            when lower(events.field) like '%target_cpa%' or lower(events.field) like '%target_roas%' then 'money'
            when lower(events.field) like '%cpc%' or lower(events.field) like '%cpm%' then 'money'
            when events.resource_type in ('audience', 'account', 'conversion_action') then 'settings'
            when events.resource_type = 'ad' then 'content'
            {%- for word in targeting_words %}
            when lower(events.field) like '%{{ word }}%' then 'settings'
            {%- endfor %}
            else 'content'
        end) as subject,
        max(case
            when events.resource_type = 'budget' or lower(events.field) like '%budget%'
                then abs({{ number_in('events.new_value') }} / nullif({{ number_in('events.old_value') }}, 0) - 1)
        end) as budget_step,
        max(case when events.resource_type = 'campaign' and lower(events.field) like '%status%' then 1 else 0 end) = 1 as is_campaign_status,
        max(case when events.resource_type in ('account', 'audience', 'conversion_action') then 1 else 0 end) = 1 as touches_account
    from {{ ref('stg_change_events') }} as events
    left join trusted on trusted.advertiser_id = events.advertiser_id
    group by
        events.advertiser_id, events.date, events.as_of, events.event_id, events.platform, events.account_id, events.entity_id, events.occurred_at
),

change_slices as (
    select
        advertiser_id,
        date,
        as_of,
        superseded_on
    from {{ ref('stg_slice_versions') }}
    where table_name = 'change_events'
),

days_with_changes as (
    select
        evaluated_days.account_no,
        evaluated_days.date,
        count(*) as days
    from evaluated_days
    inner join change_slices
        on
            change_slices.advertiser_id = evaluated_days.advertiser_id
            and change_slices.date between {{ days_add('evaluated_days.evaluated_day', -2) }} and evaluated_days.evaluated_day
            and change_slices.as_of <= evaluated_days.date
            and (change_slices.superseded_on is null or change_slices.superseded_on > evaluated_days.date)
    group by evaluated_days.account_no, evaluated_days.date
),

known_changes as (
    select
        evaluated_days.account_no,
        evaluated_days.date,
        evaluated_days.evaluated_day,
        changes.date >= {{ days_add('evaluated_days.evaluated_day', -2) }} as is_recent,
        changes.event_id,
        changes.entity_id,
        changes.occurred_at,
        changes.actor,
        changes.what,
        changes.is_unknown,
        changes.subject,
        changes.budget_step,
        changes.is_campaign_status,
        changes.touches_account
    from evaluated_days
    inner join change_slices
        on
            change_slices.advertiser_id = evaluated_days.advertiser_id
            and change_slices.date between {{ days_add('evaluated_days.evaluated_day', -29) }} and evaluated_days.evaluated_day
            and change_slices.as_of <= evaluated_days.date
            and (change_slices.superseded_on is null or change_slices.superseded_on > evaluated_days.date)
    inner join changes
        on
            {{ same(['advertiser_id', 'date', 'as_of'], 'changes', 'change_slices') }}
            and {{ same(['platform', 'account_id'], 'changes', 'evaluated_days') }}
),

recent_unknown as (
    select * from known_changes where is_recent and is_unknown
),

{#- Spend of campaigns, only where somebody unknown was at work. -#}
campaign_spend as (
    select
        touched.account_no,
        touched.date,
        steps.campaign_no,
        sum(case when steps.date >= {{ days_add('touched.evaluated_day', -6) }} then steps.spend else 0 end) as spend_w7,
        row_number() over (partition by touched.account_no, touched.date order by sum(steps.spend) desc, steps.campaign_no) as place
    from (select distinct account_no, date, evaluated_day from recent_unknown) as touched
    inner join {{ ref('int_adgroup_days') }} as steps
        on
            steps.account_no = touched.account_no
            and steps.date between {{ days_add('touched.evaluated_day', -27) }} and touched.evaluated_day
            and (not steps.is_correction or (touched.date >= steps.visible_from and touched.date < steps.visible_to))
    group by touched.account_no, touched.date, touched.evaluated_day, steps.campaign_no
    having sum(steps.spend) > 0
),

campaigns_of_entities as (
    select account_no, campaign_no, campaign_id as entity_id from {{ ref('int_entity_numbers') }} where campaign_no is not null
    {{ union() }}
    select account_no, campaign_no, adgroup_id from {{ ref('int_entity_numbers') }} where adgroup_id is not null
    {{ union() }}
    select account_no, campaign_no, ad_id from {{ ref('int_entity_numbers') }} where ad_id is not null
),

touched_campaigns as (
    select
        recent_unknown.account_no,
        recent_unknown.date,
        campaigns_of_entities.campaign_no,
        max(case when recent_unknown.is_campaign_status then 1 else 0 end) as status_changed
    from recent_unknown
    inner join campaigns_of_entities on {{ same(['account_no', 'entity_id'], 'campaigns_of_entities', 'recent_unknown') }}
    group by recent_unknown.account_no, recent_unknown.date, campaigns_of_entities.campaign_no
),

touched_spend as (
    select
        touched_campaigns.account_no,
        touched_campaigns.date,
        sum(campaign_spend.spend_w7) as spend_w7,
        max(case when campaign_spend.place = 1 then touched_campaigns.status_changed else 0 end) = 1 as top_campaign_switched
    from touched_campaigns
    inner join campaign_spend on {{ same(['account_no', 'date', 'campaign_no'], 'campaign_spend', 'touched_campaigns') }}
    group by touched_campaigns.account_no, touched_campaigns.date
),

unknown_changes as (
    select
        account_no,
        date,
        sum(case when is_recent then 1 else 0 end) as n_w3,
        count(*) as n_w30,
        sum(case when is_recent and subject = 'settings' then 1 else 0 end) as settings_w3,
        sum(case when is_recent and subject = 'money' then 1 else 0 end) as money_w3,
        max(case when is_recent then budget_step end) as budget_step,
        max(case when is_recent and touches_account then 1 else 0 end) = 1 as touches_account
    from known_changes
    where is_unknown
    group by account_no, date
),

{#- The change that matters most, for people who want to look it up. -#}
shown_change as (
    select
        account_no,
        date,
        actor,
        what
    from recent_unknown
    qualify row_number() over (
        partition by account_no, date
        order by case subject when 'money' then 0 when 'settings' then 1 else 2 end, occurred_at desc, event_id
    ) = 1
),

missing as {{ missing_pairs('ad_performance_daily', ['account_no'], first=27) }},

described as (
    select
        evaluated_days.*,
        settings.payment_failed,
        settings.is_test,
        settings.funding_type,
        settings.auto_top_up,
        settings.spend_cap,
        settings.amount_spent,
        settings.balance,
        coalesce(delivery.spend_w7, 0) as spend_w7,
        coalesce(delivery.spend_w28, 0) as spend_w28,
        delivery.first_day,
        compared.n_days as compared_days,
        restated.n_days as restated_days,
        restated.day as restated_day,
        restated.base_spend_before,
        restated.base_spend_now,
        doubled.n_days as doubled_days,
        doubled.last_day as doubled_day,
        doubled.spend as doubled_spend,
        days_with_changes.days is not null as has_changes,
        unknown_changes.n_w3,
        unknown_changes.n_w30,
        unknown_changes.settings_w3,
        unknown_changes.money_w3,
        unknown_changes.budget_step,
        coalesce(unknown_changes.touches_account, false) as touches_account,
        touched_spend.spend_w7 as touched_spend_w7,
        coalesce(touched_spend.top_campaign_switched, false) as top_campaign_switched,
        shown_change.actor,
        shown_change.what,
        coalesce(missing.missing_fx_pair, settings.missing_fx_pair, changes_without_rate.missing_pair) as missing_pair
    from evaluated_days
    left join settings on {{ same(['account_no', 'date'], 'settings', 'evaluated_days') }}
    left join delivery on {{ same(['account_no', 'date'], 'delivery', 'evaluated_days') }}
    left join compared on {{ same(['account_no', 'date'], 'compared', 'evaluated_days') }}
    left join restated on {{ same(['account_no', 'date'], 'restated', 'evaluated_days') }} and restated.preference = 1
    left join doubled on {{ same(['account_no', 'date'], 'doubled', 'evaluated_days') }}
    left join changes_without_rate on {{ same(['account_no', 'date'], 'changes_without_rate', 'evaluated_days') }}
    left join days_with_changes on {{ same(['account_no', 'date'], 'days_with_changes', 'evaluated_days') }}
    left join unknown_changes on {{ same(['account_no', 'date'], 'unknown_changes', 'evaluated_days') }}
    left join touched_spend on {{ same(['account_no', 'date'], 'touched_spend', 'evaluated_days') }}
    left join shown_change on {{ same(['account_no', 'date'], 'shown_change', 'evaluated_days') }}
    left join missing on {{ same(['account_no', 'date'], 'missing', 'evaluated_days') }}
    where evaluated_days.is_listed or delivery.first_day is not null
)

select
    advertiser_id,
    date,
    platform,
    account_id,
    'ad_performance_daily' as table_name,
    account_name,
    account_status,
    is_test,
    payment_failed,
    funding_type,
    auto_top_up,
    currency_code,
    evaluated_day,
    {{ whole('data_age') }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    {{ unless_missing('spend_w7') }},
    {{ unless_missing('spend_w28') }},
    {{ unless_missing('case when balance < 0 then 0 else balance end', 'balance') }},
    {{ unless_missing('spend_cap') }},
    {{ unless_missing('amount_spent') }},
    {{ whole('case when compared_days > 0 then coalesce(restated_days, 0) end') }} as restated_days,
    restated_day,
    {{ unless_missing('base_spend_before', 'restated_spend_before') }},
    {{ unless_missing('base_spend_now', 'restated_spend_now') }},
    {{ whole('case when compared_days > 0 then coalesce(doubled_days, 0) end') }} as doubled_days,
    doubled_day,
    {{ unless_missing('doubled_spend') }},
    {{ whole('case when has_changes then coalesce(n_w3, 0) end') }} as unknown_changes_w3,
    {{ whole('case when has_changes then coalesce(n_w30, 0) end') }} as unknown_changes_w30,
    {{ whole('case when has_changes then coalesce(settings_w3, 0) end') }} as unknown_settings_changes_w3,
    {{ whole('case when has_changes then coalesce(money_w3, 0) end') }} as unknown_money_changes_w3,
    budget_step as unknown_budget_step,
    case when has_changes then top_campaign_switched end as top_campaign_switched,
    actor as unknown_actor,
    what as unknown_change,
    {{ unless_missing("case when has_changes then " ~ exact("case when touches_account then spend_w7 else coalesce(touched_spend_w7, 0) end") ~ " end", 'touched_spend_w7') }},
    missing_pair as missing_fx_pair
from described
