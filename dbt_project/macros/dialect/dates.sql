{#- Date arithmetic. Everything that DuckDB and BigQuery spell differently is dispatched from here, so that the models are written once. -#}

{% macro days_add(day, days) -%}{{ return(adapter.dispatch('days_add')(day, days)) }}{%- endmacro %}
{% macro default__days_add(day, days) -%}({{ day }} + cast({{ days }} as integer)){%- endmacro %}
{% macro bigquery__days_add(day, days) -%}date_add({{ day }}, interval {{ days }} day){%- endmacro %}

{#- Days from `first` to `last`: 0 for the same day. -#}
{% macro days_between(first, last) -%}{{ return(adapter.dispatch('days_between')(first, last)) }}{%- endmacro %}
{% macro default__days_between(first, last) -%}({{ last }} - {{ first }}){%- endmacro %}
{% macro bigquery__days_between(first, last) -%}date_diff({{ last }}, {{ first }}, day){%- endmacro %}

{#- 0 = Monday ... 6 = Sunday; 1970-01-05 was a Monday. -#}
{% macro weekday(day) -%}mod({{ days_between("date '1970-01-05'", day) }} + 70000, 7){%- endmacro %}

{#- A lateral source with one column `name`: every day from `first` to `last`, both inclusive; none when `first` is after `last`. -#}
{% macro each_day(first, last, alias, name) -%}{{ return(adapter.dispatch('each_day')(first, last, alias, name)) }}{%- endmacro %}
{% macro default__each_day(first, last, alias, name) -%}
(select cast(unnest(range(cast({{ first }} as timestamp), cast({{ last }} as timestamp) + interval 1 day, interval 1 day)) as date) as {{ name }}) as {{ alias }}
{%- endmacro %}
{% macro bigquery__each_day(first, last, alias, name) -%}
(select {{ name }} from unnest(generate_date_array({{ first }}, {{ last }})) as {{ name }}) as {{ alias }}
{%- endmacro %}
