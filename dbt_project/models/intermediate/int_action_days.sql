select * from {{ fact_steps(
    'conversions_by_action_daily',
    {'account_no': 'accounts.account_no', 'conversion_action_id': 'facts.conversion_action_id'},
    'inner join ' ~ accounts() ~ ' as accounts on ' ~ same(['advertiser_id', 'platform', 'account_id'], 'accounts', 'facts'),
    {
        'conversions': ['facts.conversions', exact],
        'conversion_value': [in_base('conversion_value'), exact],
    },
) }} as steps
