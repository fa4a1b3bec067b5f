select * from {{ fact_steps(
    'orders_daily',
    {'advertiser_id': 'facts.advertiser_id', 'channel_touch': 'facts.channel_touch', 'campaign_key': 'facts.campaign_key'},
    '',
    {
        'orders': ['facts.orders', whole],
        'orders_known': ['case when facts.new_customer_orders is not null then facts.orders else 0 end', whole],
        'new_customer_orders': ['coalesce(facts.new_customer_orders, 0)', whole],
        'revenue': [in_base('revenue'), exact],
        'discount': [in_base('discount'), exact],
        'rows_with_discount': ['case when facts.discount is not null then 1 else 0 end', whole],
    },
) }} as steps
