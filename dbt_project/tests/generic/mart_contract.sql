{#- What a mart promises its readers: one row per key, no empty key, nothing below zero. One test per mart: a node of its own costs dbt more
    than its query costs the warehouse.

    The failing rows hold advertiser_id and date, so that a failure can be told to the partitions it concerns, and what is wrong with them. -#}
{% test mart_contract(model, grain, never_empty, never_negative=[]) %}
{#- A warning to dbt, which would leave out the marts of everybody that read this one; an error to people (`told_as`, see checks/dbt_tests.py). -#}
{{ config(severity='warn', meta={'told_as': 'error'}) }}
with

repeated as (
    select advertiser_id, date, 'two rows of one key' as problem
    from {{ model }}
    group by {{ (['advertiser_id', 'date'] + grain) | unique | join(', ') }}
    having count(*) > 1
),

checked as (
    select
        advertiser_id,
        date,
        case
            {%- for column in never_empty %}
            when {{ column }} is null then '{{ column }} is empty'
            {%- endfor %}
            {%- for column in never_negative %}
            when {{ column }} < 0 then '{{ column }} is below zero'
            {%- endfor %}
        end as problem
    from {{ model }}
)

select advertiser_id, date, problem from repeated
union all
select advertiser_id, date, problem from checked where problem is not null
{% endtest %}
