{#- Before a run: is there anything to work on? The pipeline lays out schema `raw` (README.md). On its own, `dbt build` lays it out itself:
    views over the Parquet slices of the embedded warehouse, the log from the names of the files, the registry's entries, and the latest
    day of each advertiser as the partition that is asked for. -#}
{% macro prepare_raw() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'test'] and not raw_exists() -%}
        {% do adapter.dispatch('lay_out_raw')() %}
    {%- endif -%}
{% endmacro %}

{#- A layout of our own (it has version_files) is made anew each time: slices may have come since. -#}
{% macro raw_exists() %}
    {%- set sql = "select table_name from information_schema.tables where table_schema = 'raw' and table_name in ('asked_slices', 'version_files')" -%}
    {{ return(run_query(sql).columns[0].values() | list == ['asked_slices']) }}
{% endmacro %}

{% macro default__lay_out_raw() %}
    {{ exceptions.raise_compiler_error('Schema raw has no table asked_slices. Run the pipeline: it lays out schema raw for each run.') }}
{% endmacro %}

{% macro duckdb__lay_out_raw() %}
    {%- set data_dir = env_var('MARKETING_AGENTS_DATA_DIR', '') -%}
    {%- if not data_dir -%}
        {{ exceptions.raise_compiler_error(
            'The database has no schema raw, and MARKETING_AGENTS_DATA_DIR is not set. Set it to the data folder of the embedded warehouse '
            ~ '(the one that holds warehouse/raw), or let the pipeline run dbt.'
        ) }}
    {%- endif -%}
    {% do run_query('create schema if not exists raw') %}
    {% do run_query(version_files_sql(data_dir ~ '/warehouse/raw/*/*/*/*.parquet')) %}
    {%- set days = run_query("select count(*) from raw.version_files where table_name = 'ad_performance_daily'").rows[0][0] -%}
    {%- if not days -%}
        {{ exceptions.raise_compiler_error(
            'No slice of ad_performance_daily below ' ~ data_dir ~ '/warehouse/raw: nothing has been ingested there. Materialize the raw assets of '
            ~ 'a partition first (marketing-agents demo does), or set MARKETING_AGENTS_DATA_DIR to another folder.'
        ) }}
    {%- endif -%}
    {% do lay_out_advertisers(env_var('MARKETING_AGENTS_ADVERTISERS', '../marketing_agents/sample/advertisers.yaml')) %}
    {% do run_query('create or replace view raw.ingestion_log as select * exclude (file) from raw.version_files') %}
    {%- for source in graph.sources.values() if source.schema == 'raw' and source.columns -%}
        {% do run_query(raw_table_sql(source)) %}
    {%- endfor -%}
    {#- Last: its presence says that the layout is complete. -#}
    {% do run_query("create or replace table raw.asked_slices as
        select advertiser_id, max(date) as date, 55 as episode_days
        from raw.version_files
        where table_name = 'ad_performance_daily' and advertiser_id in (select advertiser_id from raw.advertisers)
        group by advertiser_id") %}
    {{ log('Laid out schema raw from ' ~ data_dir ~ ': ' ~ days ~ ' versions of ad_performance_daily; asked for the latest day of each advertiser.', info=true) }}
{% endmacro %}

{#- <table>/advertiser_id=<a>/date=<d>/<as_of>~r<rows>~h<hash>~l<loaded at>~b<backfilled>~v<contract>.parquet (warehouse/embedded/layout.py).
    A version that was superseded under the same as_of may be left by a crash: the one loaded last counts. -#}
{% macro version_files_sql(pattern) %}
create or replace table raw.version_files as
with

files as (
    select
        file,
        string_split(file, '/') as folders,
        string_split(left(parse_filename(file), -8), '~') as fields
    from glob({{ dbt.string_literal(pattern) }})
    where not starts_with(parse_filename(file), '.')
)

select
    folders[-4] as table_name,
    replace(folders[-3], 'advertiser_id=', '') as advertiser_id,
    cast(replace(folders[-2], 'date=', '') as date) as date,
    cast(fields[1] as date) as as_of,
    cast(fields[2][2:] as bigint) as rows,
    fields[3][2:] as content_hash,
    timezone('UTC', strptime(fields[4][2:], '%Y%m%dT%H%M%S.%f')) as loaded_at,
    fields[5] = 'b1' as is_backfilled,
    file
from files
where len(fields) = 6
qualify row_number() over (partition by folders[-4], folders[-3], folders[-2], fields[1] order by fields[4] desc) = 1
{% endmacro %}

{% macro raw_table_sql(source) %}
    {%- set files = run_query("select file from raw.version_files where rows > 0 and table_name = '" ~ source.identifier ~ "' order by file").columns[0].values() -%}
create or replace view raw.{{ source.identifier }} as
select {% for column in source.columns.values() %}{{ column.name if files else 'null' }}::{{ column.data_type }} as {{ column.name }}{{ ', ' if not loop.last }}{% endfor %}
{% if files -%}
from read_parquet([{% for file in files %}{{ dbt.string_literal(file) }}{{ ', ' if not loop.last }}{% endfor %}], hive_partitioning = false, union_by_name = true)
{%- else -%}
where false
{%- endif -%}
{% endmacro %}

{#- The registry file is the pipeline's; defaults are those of advertisers/registry.py. -#}
{% macro lay_out_advertisers(path) %}
    {%- set found = run_query('select content from read_text(' ~ dbt.string_literal(path) ~ ')') -%}
    {%- set registry = fromyaml(found.rows[0][0]) if found.rows else none -%}
    {%- if not registry or not registry.advertisers -%}
        {{ exceptions.raise_compiler_error(path ~ ': no advertisers there; set MARKETING_AGENTS_ADVERTISERS to the registry file.') }}
    {%- endif -%}
    {% do run_query('create or replace table raw.advertisers (advertiser_id varchar, name varchar, time_zone varchar, run_time_local varchar, base_currency varchar, '
        ~ 'gross_margin decimal(9,6), target_cpa decimal(18,6), target_roas decimal(18,6), settle_lag_hours integer, '
        ~ 'brand_tokens varchar[], trusted_actors varchar[])') %}
    {%- for entry in registry.advertisers -%}
        {#- YAML 1.1 reads an unquoted 06:30 as 390 minutes. -#}
        {%- set clock = entry.run_time_local if entry.run_time_local is defined else '06:00' -%}
        {%- set clock = '%02d:%02d' % (clock // 60, clock % 60) if clock is number else clock -%}
        {%- set values = [] -%}
        {%- for value in [entry.id, entry.name, entry.time_zone, clock[:5], entry.base_currency or 'USD', entry.gross_margin, entry.target_cpa, entry.target_roas, entry.settle_lag_hours if entry.settle_lag_hours is defined else 3] -%}
            {%- do values.append('null' if value is none or value is undefined else dbt.string_literal(value | string | replace("'", "''"))) -%}
        {%- endfor -%}
        {%- set tokens = [] -%}
        {%- for token in entry.brand_tokens or [] %}{% do tokens.append(dbt.string_literal(token | string | replace("'", "''"))) %}{% endfor -%}
        {%- do values.append('[' ~ tokens | join(', ') ~ ']::varchar[]') -%}
        {%- set actors = [] -%}
        {%- for actor in entry.trusted_actors or [] -%}
            {%- do actors.append(dbt.string_literal(actor | string | trim | lower | replace("'", "''"))) -%}
        {%- endfor -%}
        {%- do values.append('[' ~ actors | join(', ') ~ ']') -%}
        {% do run_query('insert into raw.advertisers values (' ~ values | join(', ') ~ ')') %}
    {%- endfor -%}
{% endmacro %}
