{#- A day lies between `first` and `last` days before the end of the windows. -#}
{% macro in_window(day, end, first, last=0) -%}
{{ day }} between {{ days_add(end, -first) }} and {{ days_add(end, -last) }}
{%- endmacro %}
