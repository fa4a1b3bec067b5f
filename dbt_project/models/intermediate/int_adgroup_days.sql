select * from {{ coarser_steps(
    ref('int_ad_days'),
    ['adgroup_no', 'campaign_no', 'account_no'],
    {'impressions': whole, 'clicks': whole, 'spend': exact, 'conversions': exact},
) }} as steps
