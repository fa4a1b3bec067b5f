{#- Instants and zones. `zone` must be a known IANA zone: see known_zones. -#}

{#- The instant at which a local day begins. A midnight that a clock change skips is its first existing instant (as in days.py). -#}
{% macro local_midnight(day, zone) -%}{{ return(adapter.dispatch('local_midnight')(day, zone)) }}{%- endmacro %}
{% macro default__local_midnight(day, zone) -%}{{ _instant_of('cast(' ~ day ~ ' as timestamp)', zone) }}{%- endmacro %}
{% macro bigquery__local_midnight(day, zone) -%}timestamp({{ day }}, {{ zone }}){%- endmacro %}

{#- The instant of a local wall-clock time 'HH:MM'. -#}
{% macro local_time(day, clock, zone) -%}{{ return(adapter.dispatch('local_time')(day, clock, zone)) }}{%- endmacro %}
{% macro default__local_time(day, clock, zone) -%}{{ _instant_of('(cast(' ~ day ~ ' as date) + cast(' ~ clock ~ ' as time))', zone) }}{%- endmacro %}
{% macro bigquery__local_time(day, clock, zone) -%}timestamp(datetime({{ day }}, parse_time('%H:%M', {{ clock }})), {{ zone }}){%- endmacro %}

{#- A wall-clock time that a clock change repeats means its first occurrence (as in days.py); DuckDB picks the second. -#}
{% macro _instant_of(wall, zone) -%}
(case when timezone({{ zone }}, timezone({{ zone }}, {{ wall }}) - interval 1 hour) = {{ wall }} then timezone({{ zone }}, {{ wall }}) - interval 1 hour else timezone({{ zone }}, {{ wall }}) end)
{%- endmacro %}

{#- The local day at an instant. -#}
{% macro local_day(instant, zone) -%}{{ return(adapter.dispatch('local_day')(instant, zone)) }}{%- endmacro %}
{% macro default__local_day(instant, zone) -%}cast(timezone({{ zone }}, {{ instant }}) as date){%- endmacro %}
{% macro bigquery__local_day(instant, zone) -%}date({{ instant }}, {{ zone }}){%- endmacro %}

{% macro hours_before(instant, hours) -%}{{ return(adapter.dispatch('hours_before')(instant, hours)) }}{%- endmacro %}
{% macro default__hours_before(instant, hours) -%}({{ instant }} - to_hours(cast({{ hours }} as integer))){%- endmacro %}
{% macro bigquery__hours_before(instant, hours) -%}timestamp_sub({{ instant }}, interval {{ hours }} hour){%- endmacro %}

{% macro hours_after(instant, hours) -%}{{ return(adapter.dispatch('hours_after')(instant, hours)) }}{%- endmacro %}
{% macro default__hours_after(instant, hours) -%}({{ instant }} + to_hours(cast({{ hours }} as integer))){%- endmacro %}
{% macro bigquery__hours_after(instant, hours) -%}timestamp_add({{ instant }}, interval {{ hours }} hour){%- endmacro %}

{#- When the morning run of a partition nominally happens (as in days.py): the day after, at the run time or when the day has settled,
    whichever is later; a day that settles after noon is not waited for. -#}
{% macro evaluation_instant(day, zone, run_time, settle_lag_hours) -%}
{%- set morning = days_add(day, 1) -%}
{%- set run = local_time(morning, run_time, zone) -%}
{%- set settled = hours_after(local_midnight(morning, zone), settle_lag_hours) -%}
case when {{ settled }} <= {{ local_time(morning, "'12:00'", zone) }} then greatest({{ run }}, {{ settled }}) else {{ run }} end
{%- endmacro %}

{% macro hours_between(first, last) -%}{{ return(adapter.dispatch('hours_between')(first, last)) }}{%- endmacro %}
{% macro default__hours_between(first, last) -%}(cast(epoch_us({{ last }}) - epoch_us({{ first }}) as double) / 3600000000.0){%- endmacro %}
{% macro bigquery__hours_between(first, last) -%}(timestamp_diff({{ last }}, {{ first }}, microsecond) / 3600000000.0){%- endmacro %}

{#- A relation with one column `time_zone`: the zones the engine knows. An account's zone is outside text; an unknown one would fail the whole query. -#}
{% macro known_zones() -%}{{ return(adapter.dispatch('known_zones')()) }}{%- endmacro %}
{% macro default__known_zones() -%}(select name as time_zone from pg_timezone_names()){%- endmacro %}
