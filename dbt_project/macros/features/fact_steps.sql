{#- Facts of one table as additive steps: one row per key and day with the newest view (`is_correction` false), and one row per key, day
    and older view with the difference to the newest. So the value known on day d is the newest one plus the corrections with
    `visible_from` <= d < `visible_to`. Days are reduced here before any of them is joined to feature days: rows grow with the number
    of versions, never with the length of windows.

    table_name: the input table (its staging model is read as `facts`)
    keys: name -> expression; joins: SQL that brings in what these expressions need
    measures: name -> [expression over `facts` and `views` (factor), type macro]; summed
    indicators: name -> condition over `facts`; 1 on a day on which it holds for any row, else 0 -#}
{% macro fact_steps(table_name, keys, joins, measures, indicators={}) %}
{%- set staging = ref('stg_' ~ table_name) %}
{%- set key_list = keys.keys() | join(', ') %}
(
    with

    newest as (
        select
            {% for name, expression in keys.items() %}{{ expression }} as {{ name }}, {% endfor %}
            facts.date,
            {{ whole('sum(case when views.is_newest then 1 else 0 end)') }} as n_rows
            {%- for name, (expression, cast) in measures.items() %},
            {{ cast('coalesce(sum(case when views.is_newest then ' ~ expression ~ ' end), 0)') }} as {{ name }}
            {%- endfor %}
            {%- for name, condition in indicators.items() %},
            max(case when views.is_newest and {{ condition }} then 1 else 0 end) as {{ name }}
            {%- endfor %}
        from {{ staging }} as facts
        inner join {{ ref('int_slice_views') }} as views
            on
                views.table_name = '{{ table_name }}'
                and views.advertiser_id = facts.advertiser_id
                and views.date = facts.date
                and views.currency_code = facts.currency_code
                and views.as_of = facts.as_of
        {{ joins }}
        group by {% for expression in keys.values() %}{{ expression }}, {% endfor %}facts.date
    ),

    older_views as (
        select
            older.advertiser_id,
            older.date,
            older.currency_code,
            older.visible_from,
            older.visible_to,
            older.as_of,
            older.factor,
            1 as sign
        from {{ ref('int_slice_views') }} as older
        where older.table_name = '{{ table_name }}' and not older.is_newest and older.as_of is not null
        union all
        select
            older.advertiser_id,
            older.date,
            older.currency_code,
            older.visible_from,
            older.visible_to,
            newest_views.as_of,
            newest_views.factor,
            -1 as sign
        from {{ ref('int_slice_views') }} as older
        inner join {{ ref('int_slice_views') }} as newest_views
            on
                newest_views.table_name = older.table_name
                and newest_views.advertiser_id = older.advertiser_id
                and newest_views.date = older.date
                and newest_views.currency_code = older.currency_code
                and newest_views.is_newest
        where older.table_name = '{{ table_name }}' and not older.is_newest
    ),

    differences as (
        select
            {% for name, expression in keys.items() %}{{ expression }} as {{ name }}, {% endfor %}
            facts.date,
            views.visible_from,
            views.visible_to,
            {{ whole('sum(views.sign)') }} as n_rows
            {%- for name, (expression, cast) in measures.items() %},
            {{ cast('coalesce(sum(views.sign * ' ~ expression ~ '), 0)') }} as {{ name }}
            {%- endfor %}
            {%- for name, condition in indicators.items() %},
            max(case when views.sign = 1 and {{ condition }} then 1 else 0 end) - max(case when views.sign = -1 and {{ condition }} then 1 else 0 end) as {{ name }}
            {%- endfor %}
        from {{ staging }} as facts
        inner join older_views as views
            on
                views.advertiser_id = facts.advertiser_id
                and views.date = facts.date
                and views.currency_code = facts.currency_code
                and views.as_of = facts.as_of
        {{ joins }}
        group by {% for expression in keys.values() %}{{ expression }}, {% endfor %}facts.date, views.visible_from, views.visible_to
    )

    select
        {{ key_list }},
        date,
        cast(null as date) as visible_from,
        cast(null as date) as visible_to,
        false as is_correction,
        n_rows
        {%- for name in measures %},
        {{ name }}
        {%- endfor %}
        {%- for name in indicators %},
        {{ name }}
        {%- endfor %}
    from newest
    union all
    select
        {{ key_list }},
        date,
        visible_from,
        visible_to,
        true as is_correction,
        n_rows
        {%- for name in measures %},
        {{ name }}
        {%- endfor %}
        {%- for name in indicators %},
        {{ name }}
        {%- endfor %}
    from differences
    where n_rows <> 0{% for name in measures %} or {{ name }} <> 0{% endfor %}{% for name in indicators %} or {{ name }} <> 0{% endfor %}
)
{% endmacro %}

{#- Amount in base currency, per row; empty when the rate is missing (for facts, those days are listed by missing_rate_steps).
    Rounding before the cast takes DuckDB a third of the time of the cast alone; most rows need neither. -#}
{% macro in_base(amount, row='facts', rate='views') -%}
case when {{ rate }}.factor = 1 then {{ row }}.{{ amount }} else {{ exact('round(' ~ row ~ '.' ~ amount ~ ' * ' ~ rate ~ '.factor, 6)') }} end
{%- endmacro %}

{#- Days and views on which a nonzero amount has no rate: key, account, day, from when to when, which pair. Normally empty. -#}
{% macro missing_rate_steps(table_name, keys, joins, amount) %}
(
    select distinct
        {% for name, expression in keys.items() %}{{ expression }} as {{ name }}, {% endfor %}
        facts.date,
        views.visible_from,
        views.visible_to,
        views.currency_pair
    from {{ ref('stg_' ~ table_name) }} as facts
    inner join {{ ref('int_slice_views') }} as views
        on
            views.table_name = '{{ table_name }}'
            and views.advertiser_id = facts.advertiser_id
            and views.date = facts.date
            and views.currency_code = facts.currency_code
            and views.as_of = facts.as_of
    {{ joins }}
    where views.factor is null and facts.{{ amount }} <> 0
)
{% endmacro %}

{#- Steps of a coarser key: sums of steps. Rows of `steps` are given as a relation or CTE; `keys` must be among its columns. -#}
{% macro coarser_steps(steps, keys, measures) %}
(
    select
        {% for key in keys %}{{ key }}, {% endfor %}
        date,
        visible_from,
        visible_to,
        is_correction,
        {{ whole('sum(n_rows)') }} as n_rows
        {%- for name, cast in measures.items() %},
        {{ cast('sum(' ~ name ~ ')') }} as {{ name }}
        {%- endfor %}
    from {{ steps }}
    group by {% for key in keys %}{{ key }}, {% endfor %}date, visible_from, visible_to, is_correction
)
{% endmacro %}
