{#- Countries (ISO 3166-1) whose visitors must be asked before measuring: the EEA, and the United Kingdom and Switzerland, which platforms treat
    alike (Google's EU user consent policy). -#}
{% macro consent_countries() %}
{{ return([
    'AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'HU', 'IE', 'IT', 'LT', 'LU', 'LV', 'MT', 'NL', 'PL',
    'PT', 'RO', 'SE', 'SI', 'SK', 'IS', 'LI', 'NO', 'GB', 'CH',
]) }}
{% endmacro %}

{#- Regions that stand for all of these. -#}
{% macro consent_areas() %}{{ return(['EEA', 'EU']) }}{% endmacro %}

{#- Whether a region ('DE', 'DE-BY', 'EEA') is one of them; empty for names that are no code. -#}
{% macro is_consent_region(region) -%}
case
    when upper({{ region }}) in ({{ quoted(consent_areas()) }}) then true
    when length({{ region }}) = 2 or substr({{ region }}, 3, 1) = '-' then upper(substr({{ region }}, 1, 2)) in ({{ quoted(consent_countries()) }})
end
{%- endmacro %}
