{#- Numbers, lists and aggregates that the two dialects spell differently. -#}

{#- Exact money and fractional counts: 18 digits, 6 after the point. -#}
{% macro exact(expression) -%}cast({{ expression }} as {{ exact_type() }}){%- endmacro %}
{% macro exact_type() -%}{{ return(adapter.dispatch('exact_type')()) }}{%- endmacro %}
{% macro default__exact_type() -%}decimal(18,6){%- endmacro %}
{% macro bigquery__exact_type() -%}numeric(18,6){%- endmacro %}

{#- Sums of squares of money: exact like money, with room for much larger amounts. -#}
{% macro wide(expression) -%}cast({{ expression }} as {{ wide_type() }}){%- endmacro %}
{% macro wide_type() -%}{{ return(adapter.dispatch('wide_type')()) }}{%- endmacro %}
{% macro default__wide_type() -%}decimal(38,6){%- endmacro %}
{% macro bigquery__wide_type() -%}bignumeric(38,6){%- endmacro %}

{% macro whole(expression) -%}cast({{ expression }} as {{ whole_type() }}){%- endmacro %}
{% macro whole_type() -%}{{ return(adapter.dispatch('whole_type')()) }}{%- endmacro %}
{% macro default__whole_type() -%}bigint{%- endmacro %}
{% macro bigquery__whole_type() -%}int64{%- endmacro %}

{% macro real(expression) -%}cast({{ expression }} as {{ real_type() }}){%- endmacro %}
{% macro real_type() -%}{{ return(adapter.dispatch('real_type')()) }}{%- endmacro %}
{% macro default__real_type() -%}double{%- endmacro %}
{% macro bigquery__real_type() -%}float64{%- endmacro %}

{% macro text_type() -%}{{ return(adapter.dispatch('text_type')()) }}{%- endmacro %}
{% macro default__text_type() -%}varchar{%- endmacro %}
{% macro bigquery__text_type() -%}string{%- endmacro %}

{#- a / b in double precision, rounded to exact: both operands are exact, so the result does not depend on any order. -#}
{% macro exact_ratio(numerator, denominator) -%}{{ exact(real(numerator) ~ ' / nullif(' ~ real(denominator) ~ ', 0)') }}{%- endmacro %}

{#- A share that is compared with others of its kind. -#}
{% macro share_type() -%}{{ return(adapter.dispatch('share_type')()) }}{%- endmacro %}
{% macro default__share_type() -%}decimal(9,6){%- endmacro %}
{% macro bigquery__share_type() -%}numeric(9,6){%- endmacro %}

{#- Factor of a conversion: 12 digits after the point, because the inverse of a rate such as 1300 has its first digit at the fourth. -#}
{% macro factor_type() -%}{{ return(adapter.dispatch('factor_type')()) }}{%- endmacro %}
{% macro default__factor_type() -%}decimal(20,12){%- endmacro %}
{% macro bigquery__factor_type() -%}bignumeric(20,12){%- endmacro %}

{% macro median(expression) -%}{{ return(adapter.dispatch('median')(expression)) }}{%- endmacro %}
{% macro default__median(expression) -%}median({{ expression }}){%- endmacro %}

{#- A lateral source with one column `name`: the elements of a list. -#}
{% macro each_element(list, alias, name) -%}{{ return(adapter.dispatch('each_element')(list, alias, name)) }}{%- endmacro %}
{% macro default__each_element(list, alias, name) -%}(select unnest({{ list }}) as {{ name }}) as {{ alias }}{%- endmacro %}
{% macro bigquery__each_element(list, alias, name) -%}(select {{ name }} from unnest({{ list }}) as {{ name }}) as {{ alias }}{%- endmacro %}

{#- A list as one text that can be compared and grouped by; chr(31) never occurs in an id. -#}
{% macro list_key(list) -%}{{ return(adapter.dispatch('list_key')(list)) }}{%- endmacro %}
{% macro default__list_key(list) -%}coalesce(array_to_string({{ list }}, chr(31)), ''){%- endmacro %}
{% macro bigquery__list_key(list) -%}coalesce(array_to_string({{ list }}, chr(31)), ''){%- endmacro %}

{#- Union without duplicates. -#}
{% macro union() -%}{{ return(adapter.dispatch('union')()) }}{%- endmacro %}
{% macro default__union() -%}union{%- endmacro %}
{% macro bigquery__union() -%}union distinct{%- endmacro %}

{#- A number for each combination of the columns, growing in their order. -#}
{% macro number_of(columns) -%}cast(dense_rank() over (order by {{ columns | join(', ') }}) as integer){%- endmacro %}

{#- True when a list of labels has one of this name, however it is written; a list that is missing has none. -#}
{% macro has_label(labels, name) -%}
concat(chr(31), lower({{ list_key(labels) }}), chr(31)) like concat('%', chr(31), '{{ name }}', chr(31), '%')
{%- endmacro %}
{#- A number read from outside text; empty when it is none. -#}
{% macro number_in(text) -%}{{ return(adapter.dispatch('number_in')(text)) }}{%- endmacro %}
{% macro default__number_in(text) -%}try_cast({{ text }} as double){%- endmacro %}
{% macro bigquery__number_in(text) -%}safe_cast({{ text }} as float64){%- endmacro %}
{#- An address without query and fragment. Both engines use RE2. -#}
{% macro page_of(url) -%}regexp_replace({{ url }}, '[?#].*', ''){%- endmacro %}
