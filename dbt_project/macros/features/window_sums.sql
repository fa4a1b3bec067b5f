{#- Sums over windows that end at the evaluated day E, as known on each feature day d: one row per key and d whose windows can hold something.

    The newest views are summed by window functions over days without gaps (one pass, whatever the window), then the few corrections
    are added to the feature days on which an older view counted.

    steps: relation of fact_steps; keys: key columns (one account each; `account_no` must be a column of steps)
    windows: name -> {measure, first, last, cast}: the sum over [E - first, E - last]
    matured: name -> {measure, first, cast}: the sum over [E - first, matured day]
    settled: name -> {measure, first, last, cast}: the sum over [matured day - first, matured day - last]
    reach: days before E that any window needs; with_first_day: also the first day in [E - 119, E] that has a row (`first_day`). -#}
{% macro window_sums(steps, keys, windows, matured={}, settled={}, reach=34, with_first_day=false) %}
{%- set first_day_reach = 119 %}
{%- set reach = first_day_reach if with_first_day else reach %}
{%- set key_list = keys | join(', ') %}
{%- set by_name = {} %}
{%- for spec in windows.values() %}{% do by_name.update({spec.measure: true}) %}{% endfor %}
{%- for spec in matured.values() | list + settled.values() | list %}{% do by_name.update({spec.measure: true}) %}{% endfor %}
{%- set measures = by_name.keys() | list %}
{#- A measure of several windows is summed once, from the first day on: a window is the difference of two such totals. One of a single
    window is cheaper as it is. -#}
{%- set uses = windows.values() | map(attribute='measure') | list + (matured.values() | list + settled.values() | list) | map(attribute='measure') | list * 2 %}
{%- set with_total = [] %}
{%- for measure in measures if uses | select('equalto', measure) | list | length > 1 %}{% do with_total.append(measure) %}{% endfor %}
(
    with

    last_days as (
        select
            account_no,
            {{ days_add('min(evaluated_day)', -reach) }} as first_day_in_reach,
            max(evaluated_day) as last_evaluated_day
        from {{ ref('int_numbered_evaluated_days') }}
        group by account_no
    ),

    newest as (
        select {% for key in keys %}steps.{{ key }}, {% endfor %}{{ 'steps.account_no, ' if 'account_no' not in keys }}steps.date, steps.n_rows{% for measure in measures %}, steps.{{ measure }}{% endfor %}
        from {{ steps }} as steps
        inner join last_days on last_days.account_no = steps.account_no and steps.date >= last_days.first_day_in_reach
        where not steps.is_correction
    ),

    spans as (
        select {{ key_list }}, account_no, min(date) as first_day, max(date) as last_day, count(*) as n_days
        from newest
        group by {{ key_list }}, account_no
    ),

    absent as (
        select
            {% for key in keys %}spans.{{ key }}, {% endfor %}
            spans.account_no,
            days.day as date
        from spans
        inner join last_days on last_days.account_no = spans.account_no
        cross join {{ each_day(
            'case when spans.n_days = ' ~ days_between('spans.first_day', 'spans.last_day') ~ ' + 1 then ' ~ days_add('spans.last_day', 1) ~ ' else spans.first_day end',
            'least(last_days.last_evaluated_day, ' ~ days_add('spans.last_day', reach) ~ ')', 'days', 'day'
        ) }}
        where not exists (
            select 1 from newest where {% for key in keys %}newest.{{ key }} = spans.{{ key }} and {% endfor %}newest.date = days.day
        )
    ),

    without_gaps as (
        select {{ key_list }}, account_no, date, n_rows, {{ measures | join(', ') }}
        from newest
        union all
        select {{ key_list }}, account_no, date, 0{% for measure in measures %}, 0{% endfor %}
        from absent
    ),

    totals as (
        select
            {{ key_list }},
            account_no,
            date
            {%- for measure in with_total %},
            sum({{ measure }}) over (partition by {{ key_list }} order by date rows between unbounded preceding and current row) as {{ measure }}_so_far
            {%- endfor %}
            {%- for name, spec in windows.items() if spec.measure not in with_total %},
            {{ spec.cast('coalesce(sum(' ~ spec.measure ~ ') over (partition by ' ~ key_list ~ ' order by date rows between '
                ~ spec.first ~ ' preceding and ' ~ (spec.last ~ ' preceding' if spec.last else 'current row') ~ '), 0)') }} as {{ name }}
            {%- endfor %}
            {%- if with_first_day %},
            min(case when n_rows > 0 then date end) over (
                partition by {{ key_list }} order by date rows between {{ first_day_reach }} preceding and current row
            ) as first_day
            {%- endif %}
        from without_gaps
    ),

    rolled as (
        select
            {{ key_list }},
            account_no,
            date
            {%- for name, spec in windows.items() %},
            {% if spec.measure in with_total -%}
            {{ spec.cast(total_before(spec.measure, spec.last, key_list) ~ ' - ' ~ total_before(spec.measure, spec.first + 1, key_list)) }} as {{ name }}
            {%- else -%}
            {{ name }}
            {%- endif %}
            {%- endfor %}
            {%- for name, spec in matured.items() %},
            {{ spec.measure }}_so_far as {{ name }}_so_far,
            {{ total_before(spec.measure, spec.first + 1, key_list) }} as {{ name }}_before
            {%- endfor %}
            {%- for name, spec in settled.items() %},
            {{ total_before(spec.measure, spec.last, key_list) }} - {{ total_before(spec.measure, spec.first + 1, key_list) }} as {{ name }}
            {%- endfor %}
            {%- if with_first_day %},
            first_day
            {%- endif %}
        from totals
    ),

    as_newest as (
        select
            {% for key in keys %}rolled.{{ key }}, {% endfor %}
            rolled.account_no,
            evaluated.date,
            evaluated.evaluated_day
            {%- for name in windows %},
            rolled.{{ name }}
            {%- endfor %}
            {%- for name in matured %},
            coalesce(matured.{{ name }}_so_far, 0) - rolled.{{ name }}_before as {{ name }}
            {%- endfor %}
            {%- for name in settled %},
            coalesce(matured.{{ name }}, 0) as {{ name }}
            {%- endfor %}
            {%- if with_first_day %},
            rolled.first_day
            {%- endif %}
        from rolled
        inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
            on evaluated.account_no = rolled.account_no and evaluated.evaluated_day = rolled.date
        {%- if matured or settled %}
        left join rolled as matured
            on {% for key in keys %}matured.{{ key }} = rolled.{{ key }} and {% endfor %}matured.date = evaluated.matured_day
        {%- endif %}
    ),

    corrections as (
        select
            {% for key in keys %}steps.{{ key }}, {% endfor %}
            evaluated.date as known_on,
            evaluated.evaluated_day,
            evaluated.matured_day,
            steps.date,
            steps.n_rows
            {%- for measure in measures %},
            steps.{{ measure }}
            {%- endfor %}
        from {{ steps }} as steps
        inner join last_days on last_days.account_no = steps.account_no
        cross join {{ each_day('steps.visible_from', 'least(' ~ days_add('steps.visible_to', -1) ~ ', ' ~ days_add('last_days.last_evaluated_day', 10) ~ ')', 'days', 'day') }}
        inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
            on
                evaluated.account_no = steps.account_no
                and evaluated.date = days.day
                and steps.date between {{ days_add('evaluated.evaluated_day', -reach) }} and evaluated.evaluated_day
        where steps.is_correction
    ),

    corrected as (
        select
            {{ key_list }},
            known_on as date
            {%- for name, spec in windows.items() %},
            sum(case
                when date between {{ days_add('evaluated_day', -spec.first) }} and {{ days_add('evaluated_day', -spec.last) }} then {{ spec.measure }} else 0
            end) as {{ name }}
            {%- endfor %}
            {%- for name, spec in matured.items() %},
            sum(case when date between {{ days_add('evaluated_day', -spec.first) }} and matured_day then {{ spec.measure }} else 0 end) as {{ name }}
            {%- endfor %}
            {%- for name, spec in settled.items() %},
            sum(case
                when date between {{ days_add('matured_day', -spec.first) }} and {{ days_add('matured_day', -spec.last) }} then {{ spec.measure }} else 0
            end) as {{ name }}
            {%- endfor %}
        from corrections
        group by {{ key_list }}, known_on
    )
    {%- if with_first_day %},

    {#- Where a row came or went between versions, the first day cannot be summed: those few feature days are counted again. -#}
    recounted_days as (
        select distinct
            {% for key in keys %}corrections.{{ key }}, {% endfor %}
            corrections.known_on,
            corrections.evaluated_day
        from corrections
        inner join newest on {% for key in keys %}newest.{{ key }} = corrections.{{ key }} and {% endfor %}newest.date = corrections.date
        where (newest.n_rows > 0) <> (newest.n_rows + corrections.n_rows > 0)
    ),

    corrections_of_day as (
        select {{ key_list }}, known_on, date, sum(n_rows) as n_rows
        from corrections
        group by {{ key_list }}, known_on, date
    ),

    recounted as (
        select
            {% for key in keys %}recounted_days.{{ key }}, {% endfor %}
            recounted_days.known_on as date,
            min(case when newest.n_rows + coalesce(corrections_of_day.n_rows, 0) > 0 then newest.date end) as first_day
        from recounted_days
        inner join newest
            on
                {% for key in keys %}newest.{{ key }} = recounted_days.{{ key }} and {% endfor %}
                newest.date between {{ days_add('recounted_days.evaluated_day', -first_day_reach) }} and recounted_days.evaluated_day
        left join corrections_of_day
            on
                {% for key in keys %}corrections_of_day.{{ key }} = recounted_days.{{ key }} and {% endfor %}
                corrections_of_day.known_on = recounted_days.known_on and corrections_of_day.date = newest.date
        group by {% for key in keys %}recounted_days.{{ key }}, {% endfor %}recounted_days.known_on
    )
    {%- endif %}

    select
        {% for key in keys %}as_newest.{{ key }}, {% endfor %}
        as_newest.account_no,
        as_newest.date,
        as_newest.evaluated_day
        {%- for name, spec in windows.items() %},
        {{ spec.cast('as_newest.' ~ name ~ ' + coalesce(corrected.' ~ name ~ ', 0)') }} as {{ name }}
        {%- endfor %}
        {%- for name, spec in (matured.items() | list) + (settled.items() | list) %},
        {{ spec.cast('as_newest.' ~ name ~ ' + coalesce(corrected.' ~ name ~ ', 0)') }} as {{ name }}
        {%- endfor %}
        {%- if with_first_day %},
        case when recounted.date is null then as_newest.first_day else recounted.first_day end as first_day
        {%- endif %}
    from as_newest
    left join corrected
        on {% for key in keys %}corrected.{{ key }} = as_newest.{{ key }} and {% endfor %}corrected.date = as_newest.date
    {%- if with_first_day %}
    left join recounted
        on {% for key in keys %}recounted.{{ key }} = as_newest.{{ key }} and {% endfor %}recounted.date = as_newest.date
    {%- endif %}
)
{% endmacro %}

{#- The total of a measure `days` days before: 0 before the first day of the key. -#}
{% macro total_before(measure, days, key_list) -%}
{% if days %}lag({{ measure }}_so_far, {{ days }}, 0) over (partition by {{ key_list }} order by date){% else %}{{ measure }}_so_far{% endif %}
{%- endmacro %}
