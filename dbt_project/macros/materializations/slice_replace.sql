{#- Replaces the slices (advertiser_id, date) that a run computes, in one transaction, and leaves all others alone: the standard
    insert_overwrite of BigQuery replaces whole dates and so would delete other advertisers' rows. Running twice gives the same rows.

    Which slices are replaced does not depend on which rows the query yields: a slice that has become empty must be emptied.
    They are the rows of the relation named by config `slices` (default: int_feature_days). -#}
{% materialization slice_replace, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {#- Not ref(): a materialization cannot add a dependency. The model is upstream of every mart anyway. -#}
    {%- set slices = api.Relation.create(database=this.database, schema=this.schema, identifier=config.get('slices', 'int_feature_days')) -%}
    {{ run_hooks(pre_hooks) }}

    {%- if existing is not none and (existing.is_view or should_full_refresh()) -%}
        {% do adapter.drop_relation(existing) %}
        {%- set existing = none -%}
    {%- endif -%}

    {%- if existing is none -%}
        {% call statement('main') -%}
            {{ create_table_as(False, target_relation, sql) }}
        {%- endcall %}
    {%- else -%}
        {%- set incoming = make_temp_relation(target_relation) -%}
        {% call statement('compute') -%}
            {{ create_table_as(True, incoming, sql) }}
        {%- endcall %}
        {% do require_same_columns(incoming, target_relation) %}
        {% call statement('main') -%}
            {{ replace_slices_sql(target_relation, incoming, slices, adapter.get_columns_in_relation(target_relation)) }}
        {%- endcall %}
        {% do adapter.drop_relation(incoming) %}
    {%- endif -%}

    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro replace_slices_sql(target, incoming, slices, columns) -%}{{ return(adapter.dispatch('replace_slices_sql')(target, incoming, slices, columns)) }}{%- endmacro %}

{#- dbt-duckdb runs a model in one transaction, committed at the end of the materialization. -#}
{% macro default__replace_slices_sql(target, incoming, slices, columns) %}
    {%- set names = columns | map(attribute='quoted') | join(', ') %}
    delete from {{ target }} as target
    where exists (select 1 from {{ slices }} as slices where slices.advertiser_id = target.advertiser_id and slices.date = target.date);
    insert into {{ target }} ({{ names }})
    select {{ names }} from {{ incoming }};
{% endmacro %}

{% macro require_same_columns(incoming, target) %}
    {%- set new = {} -%}
    {%- set old = {} -%}
    {%- for column in adapter.get_columns_in_relation(incoming) %}{% do new.update({column.name: column.data_type | lower}) %}{% endfor -%}
    {%- for column in adapter.get_columns_in_relation(target) %}{% do old.update({column.name: column.data_type | lower}) %}{% endfor -%}
    {%- if new != old -%}
        {%- set changes = [] -%}
        {%- for name in new if name not in old %}{% do changes.append(name ~ ' is new') %}{% endfor -%}
        {%- for name in old if name not in new %}{% do changes.append(name ~ ' is gone') %}{% endfor -%}
        {%- for name in new if name in old and new[name] != old[name] %}{% do changes.append(name ~ ' was ' ~ old[name] ~ ' and is ' ~ new[name]) %}{% endfor -%}
        {{ exceptions.raise_compiler_error(
            'slice_replace: the columns of ' ~ target ~ ' changed (' ~ (changes | join('; ')) ~ '). Rebuild it: dbt build --full-refresh --select ' ~ target.identifier
        ) }}
    {%- endif -%}
{% endmacro %}
