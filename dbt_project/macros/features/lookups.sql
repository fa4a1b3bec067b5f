{#- What single rows of a daily table say about E, where there is nothing to sum. -#}

{#- Which version of a daily table's days counts on each feature day of an account: the `first` days before E and E. One
    row per account, feature day and readable day. -#}
{% macro known_days(table_name, first=0) %}
(
    select
        evaluated.advertiser_id,
        evaluated.platform,
        evaluated.account_id,
        evaluated.account_no,
        evaluated.date,
        evaluated.evaluated_day,
        versions.date as day,
        versions.as_of
    from {{ ref('int_numbered_evaluated_days') }} as evaluated
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = '{{ table_name }}'
            and versions.advertiser_id = evaluated.advertiser_id
            and versions.date between {{ days_add('evaluated.evaluated_day', -first) }} and evaluated.evaluated_day
            and versions.as_of <= evaluated.date
            and (versions.superseded_on is null or versions.superseded_on > evaluated.date)
)
{% endmacro %}

{#- People reached in the windows that end at E, as the platform counted them: one row per account, feature day and entity. Never a sum of days. -#}
{% macro reach_of(level, windows) %}
(
    select
        known.account_no,
        known.date,
        reported.entity_id
        {%- for days in windows %},
        max(case when reported.window_days = {{ days }} then reported.reach end) as reach_w{{ days }},
        max(case when reported.window_days = {{ days }} then reported.impressions end) as reach_impressions_w{{ days }}
        {%- endfor %}
    from {{ known_days('reach_window') }} as known
    inner join {{ ref('stg_reach_window') }} as reported
        on
            {{ same(['advertiser_id', 'platform', 'account_id', 'as_of'], 'reported', 'known') }}
            and reported.date = known.day
            and reported.level = '{{ level }}'
            and reported.window_days in ({{ windows | join(', ') }})
    group by known.account_no, known.date, reported.entity_id
)
{% endmacro %}
