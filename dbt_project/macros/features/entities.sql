{#- A relation with the numbers of platform accounts. -#}
{% macro accounts() -%}
(select distinct advertiser_id, platform, account_id, account_no from {{ ref('int_entity_numbers') }})
{%- endmacro %}

{#- A relation with the numbers of campaigns. -#}
{% macro numbered_campaigns() -%}
(select distinct advertiser_id, platform, account_id, campaign_id, account_no, campaign_no from {{ ref('int_entity_numbers') }} where campaign_no is not null)
{%- endmacro %}

{#- Since how many days ago conversions are as good as complete (c(k) >= 0.90), per advertiser and feature day. A curve that never gets there
    waits one day longer than it is long. -#}
{% macro mature_lags() -%}
(
    select
        advertiser_id,
        date,
        coalesce(min(case when completeness >= 0.90 then lag_days end), max(lag_days) + 1) as mature_lag_days,
        max(case when is_learned then 1 else 0 end) = 1 as is_lag_learned
    from {{ ref('int_lag_curves') }}
    group by advertiser_id, date
)
{%- endmacro %}

{#- `a.x = b.x and ...` for each column. -#}
{% macro same(columns, left, right) -%}
{% for column in columns %}{{ left }}.{{ column }} = {{ right }}.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
{%- endmacro %}

{#- The newest readable rows of a list (campaigns, ads, ...) for each feature day: one row per key and feature day.
    columns: what to read besides the key; the day on which it holds is `date`.
    number: name of the key's number in int_entity_numbers (account_no, campaign_no, ...). With it the rows carry the number in
    place of the key: choosing among periods by one integer costs a tenth of choosing by five texts. -#}
{% macro current_rows(table_name, keys, columns, has_periods=true, number=none) %}
{%- set listed_keys = ['numbers.' ~ number] if number else [] %}
{%- if not number %}{% for key in keys %}{% do listed_keys.append('listed.' ~ key) %}{% endfor %}{% endif %}
(
    select
        slices.advertiser_id,
        slices.date,
        {{ listed_keys | join(',\n        ') }}
        {%- for column in columns %},
        listed.{{ column }}
        {%- endfor %}
    from {{ ref('int_current_slices') }} as slices
    inner join {{ ref('stg_' ~ table_name) }} as listed
        on listed.advertiser_id = slices.advertiser_id and listed.date = slices.slice_date and listed.as_of = slices.as_of
    {%- if number %}
    inner join (
        select distinct {{ (['advertiser_id'] + keys) | join(', ') }}, {{ number }}
        from {{ ref('int_entity_numbers') }}
        where {{ number }} is not null
    ) as numbers on {{ same(['advertiser_id'] + keys, 'numbers', 'listed') }}
    {%- endif %}
    where slices.table_name = '{{ table_name }}'
    {%- if has_periods %}
    {#- Periods of one entity must not overlap; where a source delivers that, the later one counts. -#}
    qualify row_number() over (
        partition by {{ '' if number else 'slices.advertiser_id, ' }}slices.date, {{ listed_keys | join(', ') }} order by listed.valid_from desc
    ) = 1
    {%- endif %}
)
{% endmacro %}

{#- Rates as known on a feature day, for amounts that hold on that day (targets, budgets, plans). -#}
{% macro rates_of_day() -%}
(select advertiser_id, date, currency_code, factor, currency_pair from {{ ref('int_currency_rates') }} where visible_from = date)
{%- endmacro %}

{#- Feature days of a key whose windows touch an amount without a rate, with the pair (the first by name). Normally empty.
    `first`: how many days before E still matter. -#}
{% macro missing_pairs(table_name, keys, first=34) %}
(
    select
        {% for key in keys %}missing.{{ key }}, {% endfor %}
        evaluated.date,
        min(missing.currency_pair) as missing_fx_pair
    from {{ ref('int_missing_rates') }} as missing
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
        on
            evaluated.account_no = missing.account_no
            and evaluated.date >= missing.visible_from
            and (missing.visible_to is null or evaluated.date < missing.visible_to)
            and missing.date between {{ days_add('evaluated.evaluated_day', -first) }} and evaluated.evaluated_day
    where missing.table_name = '{{ table_name }}'
    group by {% for key in keys %}missing.{{ key }}, {% endfor %}evaluated.date
)
{% endmacro %}

{#- Days from an entity's first fact day to E, inclusive; 0 when it has none in the look-back. -#}
{% macro history_days(first_day, evaluated_day) -%}
{{ whole('coalesce(' ~ days_between(first_day, evaluated_day) ~ ' + 1, 0)') }}
{%- endmacro %}

{#- What a plan covers, as one text: equal for plans that cover the same. -#}
{% macro plan_scope_key(prefix='') -%}
concat({{ prefix }}plan_scope, ':', case when {{ prefix }}plan_scope = 'advertiser' then '' else {{ list_key(prefix ~ 'scope_ids') }} end)
{%- endmacro %}

{#- A money column: empty when any amount behind the row lacks its rate, so that it is never silently smaller. -#}
{% macro unless_missing(expression, name=none, pair='missing_pair') -%}
case when {{ pair }} is null then {{ exact(expression) }} end as {{ name or expression }}
{%- endmacro %}

{#- Conversions of an entity of an account: empty when the account does not report them by ad (see int_numbered_evaluated_days), so that they are
    never silently 0. -#}
{% macro if_reported(expression, name=none) -%}
case when reports_conversions then {{ expression }} end as {{ name or expression }}
{%- endmacro %}
