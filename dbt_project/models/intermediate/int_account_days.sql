with

watched as (
    select
        'ad_performance_daily' as table_name,
        account_no,
        date,
        visible_from,
        visible_to,
        is_correction,
        n_rows,
        clicks,
        spend
    from {{ ref('int_adgroup_days') }}
    union all
    select
        'conversions_by_action_daily' as table_name,
        account_no,
        date,
        visible_from,
        visible_to,
        is_correction,
        n_rows,
        0 as clicks,
        0 as spend
    from {{ ref('int_action_days') }}
)

select * from {{ coarser_steps('watched', ['table_name', 'account_no'], {'clicks': whole, 'spend': exact}) }} as steps
