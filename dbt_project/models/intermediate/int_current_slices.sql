{#- A list (accounts, campaigns, plans, ...) that was not loaded on a day is still worth reading for a week. -#}
{%- set max_age_days = 7 %}

with

readable as (
    select
        versions.table_name,
        feature_days.advertiser_id,
        feature_days.date,
        versions.date as slice_date,
        versions.as_of,
        row_number() over (
            partition by versions.table_name, feature_days.advertiser_id, feature_days.date
            order by versions.date desc, versions.as_of desc
        ) as preference
    from {{ ref('int_feature_days') }} as feature_days
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.advertiser_id = feature_days.advertiser_id
            and versions.date between {{ days_add('feature_days.date', -max_age_days) }} and feature_days.date
            and versions.as_of <= feature_days.date
    where versions.table_name in ({{ quoted(list_tables()) }})
)

select
    table_name,
    advertiser_id,
    date,
    slice_date,
    as_of
from readable
where preference = 1
