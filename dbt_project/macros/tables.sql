{#- Lists: the newest slice of a week is worth reading (int_current_slices). One name per line. -#}
{% macro list_tables() %}
{{ return([
    'platform_accounts',
    'campaigns',
    'adgroups',
    'ads',
    'conversion_actions',
    'budget_plans',
    'calendar_events',
    'audiences',
    'audience_overlap',
    'connector_runs',
    'feed_items',
]) }}
{% endmacro %}

{#- Facts: summed over windows, each day in the version known (int_slice_views). One name per line. -#}
{% macro fact_tables() %}
{{ return([
    'ad_performance_daily',
    'conversions_by_action_daily',
    'orders_daily',
    'campaign_metrics_daily',
    'search_terms_daily',
    'auction_insights_daily',
    'campaign_metrics_daily',
    'segment_performance_daily',
    'product_performance_daily',
]) }}
{% endmacro %}

{% macro quoted(names) -%}
'{{ names | join("', '") }}'
{%- endmacro %}
