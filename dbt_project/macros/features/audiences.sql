{#- Which ad groups use which audience on a feature day, by either list, and their figures: enabled ones only. One row per account, day,
    audience and ad group. -#}
{% macro audience_adgroups() %}
(
    with

    audiences as {{ current_rows('audiences', ['platform', 'account_id', 'audience_id'], ['attached_adgroups']) }},

    adgroups as {{ current_rows('adgroups', ['platform', 'account_id', 'campaign_id', 'adgroup_id'], ['audience_ids']) }},

    attached as (
        select
            audiences.advertiser_id,
            audiences.date,
            audiences.platform,
            audiences.account_id,
            audiences.audience_id,
            null as campaign_id,
            named.adgroup_id
        from audiences
        cross join {{ each_element('audiences.attached_adgroups', 'named', 'adgroup_id') }}
        {{ union() }}
        select
            adgroups.advertiser_id,
            adgroups.date,
            adgroups.platform,
            adgroups.account_id,
            named.audience_id,
            adgroups.campaign_id,
            adgroups.adgroup_id
        from adgroups
        cross join {{ each_element('adgroups.audience_ids', 'named', 'audience_id') }}
    )

    select distinct
        attached.advertiser_id,
        attached.date,
        attached.platform,
        attached.account_id,
        attached.audience_id,
        features.campaign_id,
        features.adgroup_id,
        features.campaign_objective,
        features.spend_w7,
        features.account_spend_w7,
        features.reach_w30,
        features.history_days,
        features.missing_fx_pair
    from attached
    inner join {{ ref('adgroup_features') }} as features
        on
            {{ same(['advertiser_id', 'date', 'platform', 'account_id', 'adgroup_id'], 'features', 'attached') }}
            and (attached.campaign_id is null or attached.campaign_id = features.campaign_id)
    where features.adgroup_status = 'enabled'
)
{% endmacro %}
