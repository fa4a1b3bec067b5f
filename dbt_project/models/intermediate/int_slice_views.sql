{#- What was known about the facts of a day, as a step function: between `visible_from` and `visible_to` (exclusive) version `as_of` counts,
    converted with `factor`. The last step of a day is its newest view; the others feed corrections. -#}
with

steps_from_versions as (
    select
        versions.table_name,
        versions.advertiser_id,
        versions.date,
        rates.currency_code,
        case when versions.as_of > versions.date then versions.as_of else versions.date end as visible_from
    from {{ ref('stg_slice_versions') }} as versions
    inner join {{ ref('int_currency_rates') }} as rates
        on
            rates.advertiser_id = versions.advertiser_id
            and rates.date = versions.date
            and rates.visible_from = rates.date
    where versions.table_name in ({{ quoted(fact_tables()) }})
),

steps_from_rates as (
    select distinct
        versions.table_name,
        rates.advertiser_id,
        rates.date,
        rates.currency_code,
        rates.visible_from
    from {{ ref('int_currency_rates') }} as rates
    inner join steps_from_versions as versions
        on
            versions.advertiser_id = rates.advertiser_id
            and versions.date = rates.date
            and versions.currency_code = rates.currency_code
),

changes as (
    select table_name, advertiser_id, date, currency_code, visible_from from steps_from_versions
    {{ union() }}
    select table_name, advertiser_id, date, currency_code, visible_from from steps_from_rates
),

steps as (
    select
        table_name,
        advertiser_id,
        date,
        currency_code,
        visible_from,
        lead(visible_from) over (partition by table_name, advertiser_id, date, currency_code order by visible_from) as visible_to
    from changes
)

select
    steps.table_name,
    steps.advertiser_id,
    steps.date,
    steps.currency_code,
    steps.visible_from,
    steps.visible_to,
    steps.visible_to is null as is_newest,
    versions.as_of,
    rates.factor,
    rates.currency_pair
from steps
left join {{ ref('stg_slice_versions') }} as versions
    on
        versions.table_name = steps.table_name
        and versions.advertiser_id = steps.advertiser_id
        and versions.date = steps.date
        and versions.as_of <= steps.visible_from
        and (versions.superseded_on is null or versions.superseded_on > steps.visible_from)
left join {{ ref('int_currency_rates') }} as rates
    on
        rates.advertiser_id = steps.advertiser_id
        and rates.date = steps.date
        and rates.currency_code = steps.currency_code
        and rates.visible_from <= steps.visible_from
        and (rates.visible_to is null or rates.visible_to > steps.visible_from)
