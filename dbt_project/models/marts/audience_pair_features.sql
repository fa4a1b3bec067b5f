with

listed as {{ current_rows(
    'audiences', ['platform', 'account_id', 'audience_id'], ['audience_name', 'audience_role', 'audience_status'],
) }},

pairs as {{ current_rows(
    'audience_overlap', ['platform', 'account_id', 'audience_a', 'audience_b'], ['overlap_abs', 'overlap_share_of_smaller'], has_periods=false,
) }},

used as {{ audience_adgroups() }},

{#- What each audience of a pair pays for: ad groups that use it and not the other. One that uses both does not bid against itself. -#}
sides as (
    select
        pairs.advertiser_id,
        pairs.date,
        pairs.platform,
        pairs.account_id,
        pairs.audience_a,
        pairs.audience_b,
        used.audience_id = pairs.audience_a as is_a,
        used.campaign_objective,
        used.spend_w7,
        used.account_spend_w7,
        used.history_days,
        used.missing_fx_pair
    from pairs
    inner join used
        on
            {{ same(['advertiser_id', 'date', 'platform', 'account_id'], 'used', 'pairs') }}
            and used.audience_id in (pairs.audience_a, pairs.audience_b)
    qualify count(*) over (
        partition by
            pairs.advertiser_id, pairs.date, pairs.platform, pairs.account_id, pairs.audience_a, pairs.audience_b,
            used.campaign_id, used.adgroup_id
    ) = 1
),

spending as (
    select
        advertiser_id,
        date,
        platform,
        account_id,
        audience_a,
        audience_b,
        sum(case when is_a then spend_w7 else 0 end) as spend_a_w7,
        sum(case when is_a then 0 else spend_w7 end) as spend_b_w7,
        max(account_spend_w7) as account_spend_w7,
        max(history_days) as history_days,
        min(missing_fx_pair) as missing_fx_pair
    from sides
    group by advertiser_id, date, platform, account_id, audience_a, audience_b
),

{#- Objectives that both sides serve. -#}
shared_objectives as (
    select
        advertiser_id,
        date,
        platform,
        account_id,
        audience_a,
        audience_b,
        campaign_objective
    from sides
    where campaign_objective is not null
    group by advertiser_id, date, platform, account_id, audience_a, audience_b, campaign_objective
    having count(distinct is_a) = 2
),

same_objective as (
    select
        advertiser_id,
        date,
        platform,
        account_id,
        audience_a,
        audience_b,
        count(*) as objectives
    from shared_objectives
    group by advertiser_id, date, platform, account_id, audience_a, audience_b
)

{%- set key = ['advertiser_id', 'date', 'platform', 'account_id', 'audience_a', 'audience_b'] %}

select
    pairs.advertiser_id,
    pairs.date,
    pairs.platform,
    pairs.account_id,
    pairs.audience_a,
    pairs.audience_b,
    concat(coalesce(first_one.audience_name, pairs.audience_a), ' / ', coalesce(second_one.audience_name, pairs.audience_b)) as pair_name,
    first_one.audience_name as audience_a_name,
    second_one.audience_name as audience_b_name,
    first_one.audience_role as audience_a_role,
    second_one.audience_role as audience_b_role,
    evaluated.currency_code,
    evaluated.evaluated_day,
    {{ whole(days_between('evaluated.evaluated_day', 'pairs.date')) }} as data_age_days,
    {{ whole('coalesce(spending.history_days, 0)') }} as history_days,
    pairs.overlap_abs,
    pairs.overlap_share_of_smaller as overlap_share,
    {{ unless_missing('coalesce(spending.spend_a_w7, 0)', 'spend_a_w7', 'spending.missing_fx_pair') }},
    {{ unless_missing('coalesce(spending.spend_b_w7, 0)', 'spend_b_w7', 'spending.missing_fx_pair') }},
    {{ unless_missing('coalesce(spending.account_spend_w7, 0)', 'account_spend_w7', 'spending.missing_fx_pair') }},
    coalesce(same_objective.objectives, 0) > 0 as has_same_objective,
    spending.missing_fx_pair
from pairs
inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
    on {{ same(['advertiser_id', 'date', 'platform', 'account_id'], 'evaluated', 'pairs') }}
left join spending on {{ same(key, 'spending', 'pairs') }}
left join same_objective on {{ same(key, 'same_objective', 'pairs') }}
left join listed as first_one
    on {{ same(['advertiser_id', 'date', 'platform', 'account_id'], 'first_one', 'pairs') }} and first_one.audience_id = pairs.audience_a
left join listed as second_one
    on {{ same(['advertiser_id', 'date', 'platform', 'account_id'], 'second_one', 'pairs') }} and second_one.audience_id = pairs.audience_b
