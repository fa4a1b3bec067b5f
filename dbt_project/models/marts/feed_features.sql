{%- set sums = {
    'revenue_b28': {'measure': 'revenue', 'first': 34, 'last': 7, 'cast': exact},
} %}
{%- set join_accounts = 'inner join ' ~ accounts() ~ ' as accounts on ' ~ same(['advertiser_id', 'platform', 'account_id'], 'accounts', 'facts') %}
with

item_steps as {{ fact_steps(
    'product_performance_daily',
    {'account_no': 'accounts.account_no', 'item_id': 'facts.item_id'},
    join_accounts,
    {'revenue': [in_base('revenue'), exact]},
) }},

sold as {{ window_sums('item_steps', ['account_no', 'item_id'], sums, with_first_day=true) }},

listed as {{ current_rows('feed_items', ['platform', 'account_id', 'item_id'], ['item_title', 'item_status', 'availability'], has_periods=false) }},

items as (
    select
        accounts.account_no,
        listed.date,
        listed.item_id,
        listed.item_title,
        listed.item_status = 'disapproved' as is_rejected,
        coalesce(listed.item_status <> 'disapproved' and listed.availability = 'out_of_stock', false) as is_out_of_stock
    from listed
    inner join {{ accounts() }} as accounts on {{ same(['advertiser_id', 'platform', 'account_id'], 'accounts', 'listed') }}
),

all_items as (
    select
        coalesce(items.account_no, sold.account_no) as account_no,
        coalesce(items.date, sold.date) as date,
        coalesce(items.item_id, sold.item_id) as item_id,
        items.item_title,
        items.item_id is not null as is_listed,
        coalesce(items.is_rejected, false) as is_rejected,
        coalesce(items.is_out_of_stock, false) as is_out_of_stock,
        coalesce(sold.revenue_b28, 0) as revenue_b28,
        sold.first_day
    from items
    full outer join sold on {{ same(['account_no', 'date', 'item_id'], 'sold', 'items') }}
),

ranked as (
    select
        *,
        not is_listed or is_rejected or is_out_of_stock as is_lost,
        row_number() over (
            partition by account_no, date
            order by case when not is_listed or is_rejected or is_out_of_stock then 0 else 1 end, revenue_b28 desc, item_id
        ) as place
    from all_items
),

feeds as (
    select
        account_no,
        date,
        count(case when is_listed then 1 end) as items,
        count(case when is_rejected then 1 end) as rejected_items,
        count(case when is_out_of_stock then 1 end) as out_of_stock_items,
        count(case when not is_listed and revenue_b28 > 0 then 1 end) as vanished_items,
        sum(revenue_b28) as revenue_b28,
        sum(case when is_lost then revenue_b28 else 0 end) as lost_revenue_b28,
        max(case when place = 1 and is_lost and revenue_b28 > 0 then item_id end) as top_lost_item_id,
        max(case when place = 1 and is_lost and revenue_b28 > 0 then item_title end) as top_lost_item_title,
        min(first_day) as first_day
    from ranked
    group by account_no, date
),

{#- How many items the feed had on each of the 28 days before, as known on the feature day. -#}
counts as (
    select
        accounts.account_no,
        feature_days.date,
        versions.date as counted_on,
        count(feed.item_id) as items
    from {{ ref('int_feature_days') }} as feature_days
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'feed_items'
            and versions.advertiser_id = feature_days.advertiser_id
            and versions.date between {{ days_add('feature_days.date', -28) }} and {{ days_add('feature_days.date', -1) }}
            and versions.as_of <= feature_days.date
            and (versions.superseded_on is null or versions.superseded_on > feature_days.date)
    inner join (
        select advertiser_id, platform, account_id, date, as_of, item_id from {{ ref('stg_feed_items') }}
    ) as feed on {{ same(['advertiser_id', 'date', 'as_of'], 'feed', 'versions') }}
    inner join {{ accounts() }} as accounts on {{ same(['advertiser_id', 'platform', 'account_id'], 'accounts', 'feed') }}
    group by accounts.account_no, feature_days.date, versions.date
),

medians as (
    select
        account_no,
        date,
        count(*) as days,
        {{ median('items') }} as items_median
    from counts
    group by account_no, date
),

missing_rates as {{ missing_rate_steps('product_performance_daily', {'account_no': 'accounts.account_no'}, join_accounts, 'revenue') }},

missing as (
    select
        evaluated.account_no,
        evaluated.date,
        min(missing_rates.currency_pair) as missing_pair
    from missing_rates
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
        on
            evaluated.account_no = missing_rates.account_no
            and evaluated.date >= missing_rates.visible_from
            and (missing_rates.visible_to is null or evaluated.date < missing_rates.visible_to)
            and missing_rates.date between {{ days_add('evaluated.evaluated_day', -34) }} and {{ days_add('evaluated.evaluated_day', -7) }}
    group by evaluated.account_no, evaluated.date
),

described as (
    select
        evaluated.advertiser_id,
        evaluated.platform,
        evaluated.account_id,
        evaluated.account_name,
        evaluated.currency_code,
        evaluated.evaluated_day,
        advertiser_days.gross_margin,
        slices.date is not null as has_list,
        coalesce(medians.days, 0) as feed_days,
        medians.items_median,
        missing.missing_pair,
        feeds.*
    from feeds
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated on {{ same(['account_no', 'date'], 'evaluated', 'feeds') }}
    inner join {{ ref('int_advertiser_days') }} as advertiser_days
        on {{ same(['advertiser_id', 'date'], 'advertiser_days', 'evaluated') }}
    left join {{ ref('int_current_slices') }} as slices
        on slices.table_name = 'feed_items' and {{ same(['advertiser_id', 'date'], 'slices', 'evaluated') }}
    left join medians on {{ same(['account_no', 'date'], 'medians', 'feeds') }}
    left join missing on {{ same(['account_no', 'date'], 'missing', 'feeds') }}
)

select
    advertiser_id,
    date,
    platform,
    account_id,
    account_name,
    currency_code,
    evaluated_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    {{ whole('case when has_list then items end') }} as items,
    {{ whole('feed_days') }} as feed_days_w28,
    {{ real('items_median') }} as items_median_w28,
    {{ whole('case when has_list then rejected_items end') }} as rejected_items,
    {{ whole('case when has_list then out_of_stock_items end') }} as out_of_stock_items,
    {{ whole('case when has_list then vanished_items end') }} as vanished_items,
    {{ unless_missing('revenue_b28') }},
    {{ exact('case when has_list and missing_pair is null then lost_revenue_b28 end') }} as lost_revenue_b28,
    case when has_list then top_lost_item_id end as top_lost_item_id,
    case when has_list then top_lost_item_title end as top_lost_item_title,
    {{ exact('gross_margin') }} as gross_margin,
    missing_pair as missing_fx_pair
from described
