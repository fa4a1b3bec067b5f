select
    advertiser_id,
    date,
    as_of,
    from_currency,
    to_currency,
    rate
from {{ source('raw', 'fx_rates') }}
