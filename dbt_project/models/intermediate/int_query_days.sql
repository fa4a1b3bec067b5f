select * from {{ fact_steps(
    'search_terms_daily',
    {'campaign_no': 'campaigns.campaign_no', 'account_no': 'campaigns.account_no', 'search_term': 'facts.search_term'},
    'inner join ' ~ numbered_campaigns() ~ ' as campaigns on ' ~ same(['advertiser_id', 'platform', 'account_id', 'campaign_id'], 'campaigns', 'facts'),
    {
        'clicks': ['facts.clicks', whole],
        'spend': [in_base('spend'), exact],
        'conversions': ['facts.conversions', exact],
    },
) }} as steps
