{#- Schema names are used as they are (`marts`, `dbt_failures`), not prefixed with the target's schema: readers look for these names. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{- custom_schema_name | trim if custom_schema_name else target.schema -}}
{%- endmacro %}
