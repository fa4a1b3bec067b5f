with

listed as {{ current_rows(
    'audiences', ['platform', 'account_id', 'audience_id'],
    [
        'audience_name', 'audience_type', 'audience_role', 'size_lower', 'size_upper', 'membership_days', 'last_refreshed', 'seed_audience_id',
        'audience_status',
    ],
) }},

{#- The list as it stood four weeks before, or in the week before that. -#}
slices_before as (
    select
        feature_days.advertiser_id,
        feature_days.date,
        versions.date as slice_date,
        versions.as_of
    from {{ ref('int_feature_days') }} as feature_days
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'audiences'
            and versions.advertiser_id = feature_days.advertiser_id
            and versions.date between {{ days_add('feature_days.date', -35) }} and {{ days_add('feature_days.date', -28) }}
            and versions.as_of <= feature_days.date
    qualify row_number() over (
        partition by feature_days.advertiser_id, feature_days.date order by versions.date desc, versions.as_of desc
    ) = 1
),

before as (
    select
        slices_before.advertiser_id,
        slices_before.date,
        audiences.platform,
        audiences.account_id,
        audiences.audience_id,
        audiences.size_upper,
        audiences.membership_days
    from slices_before
    inner join {{ ref('stg_audiences') }} as audiences
        on
            audiences.advertiser_id = slices_before.advertiser_id
            and audiences.date = slices_before.slice_date
            and audiences.as_of = slices_before.as_of
    qualify row_number() over (
        partition by slices_before.advertiser_id, slices_before.date, audiences.platform, audiences.account_id, audiences.audience_id
        order by audiences.valid_from desc
    ) = 1
),

used as {{ audience_adgroups() }},

targeting as (
    select
        used.*,
        {#- An ad group that targets several audiences reaches people who are in none of this one. -#}
        case
            when coalesce(listed.audience_role, 'other') <> 'exclusion' and count(case when coalesce(listed.audience_role, 'other') <> 'exclusion' then 1 end) over (partition by used.advertiser_id, used.date, used.platform, used.account_id, used.campaign_id, used.adgroup_id) = 1
                then used.reach_w30
        end as own_reach_w30
    from used
    left join listed on {{ same(['advertiser_id', 'date', 'platform', 'account_id', 'audience_id'], 'listed', 'used') }}
),

uses as (
    select
        advertiser_id,
        date,
        platform,
        account_id,
        audience_id,
        count(*) as adgroups,
        sum(spend_w7) as spend_w7,
        {#- People whom two ad groups reach are one, so reach is not added up: the widest ad group gives the least it can be. -#}
        max(own_reach_w30) as reach_w30,
        max(history_days) as history_days,
        min(missing_fx_pair) as missing_fx_pair
    from targeting
    group by advertiser_id, date, platform, account_id, audience_id
),

seeds as (
    select
        listed.advertiser_id,
        listed.date,
        listed.platform,
        listed.account_id,
        listed.seed_audience_id as audience_id,
        count(*) as lookalikes
    from listed
    inner join uses on {{ same(['advertiser_id', 'date', 'platform', 'account_id', 'audience_id'], 'uses', 'listed') }}
    where listed.seed_audience_id is not null
    group by listed.advertiser_id, listed.date, listed.platform, listed.account_id, listed.seed_audience_id
)

select
    listed.advertiser_id,
    listed.date,
    listed.platform,
    listed.account_id,
    listed.audience_id,
    listed.audience_name,
    listed.audience_type,
    listed.audience_role,
    listed.audience_status,
    evaluated.currency_code,
    evaluated.evaluated_day,
    {{ whole(days_between('evaluated.evaluated_day', 'listed.date')) }} as data_age_days,
    {{ whole('coalesce(uses.history_days, 0)') }} as history_days,
    {{ whole('coalesce(uses.adgroups, 0)') }} as active_adgroups,
    {{ whole('coalesce(seeds.lookalikes, 0)') }} as active_lookalikes,
    {{ unless_missing('coalesce(uses.spend_w7, 0)', 'spend_w7', 'uses.missing_fx_pair') }},
    uses.reach_w30,
    listed.size_lower,
    listed.size_upper,
    before.size_upper as size_upper_28d_before,
    listed.membership_days,
    before.membership_days as membership_days_28d_before,
    {{ whole(days_between('listed.last_refreshed', 'listed.date')) }} as days_since_refresh,
    uses.missing_fx_pair
from listed
inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
    on {{ same(['advertiser_id', 'date', 'platform', 'account_id'], 'evaluated', 'listed') }}
left join before on {{ same(['advertiser_id', 'date', 'platform', 'account_id', 'audience_id'], 'before', 'listed') }}
left join uses on {{ same(['advertiser_id', 'date', 'platform', 'account_id', 'audience_id'], 'uses', 'listed') }}
left join seeds on {{ same(['advertiser_id', 'date', 'platform', 'account_id', 'audience_id'], 'seeds', 'listed') }}
