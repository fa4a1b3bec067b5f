select * from {{ fact_steps(
    'conversions_by_action_daily',
    {'account_no': 'accounts.account_no', 'conversion_action_id': 'facts.conversion_action_id'},
    'inner join ' ~ accounts() ~ ' as accounts on ' ~ same(['advertiser_id', 'platform', 'account_id'], 'accounts', 'facts'),
    {
        'conversions': ['facts.conversions', exact],
        'conversion_value': [in_base('conversion_value'), exact],
        'account_value': ['facts.conversion_value', exact],
        'conversions_valued': ['case when facts.conversion_value is not null then facts.conversions else 0 end', exact],
        'conversions_zero_value': ['case when facts.conversion_value = 0 then facts.conversions else 0 end', exact],
    },
) }} as steps
