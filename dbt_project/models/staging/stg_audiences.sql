select
    advertiser_id,
    date,
    as_of,
    platform,
    account_id,
    audience_id,
    name as audience_name,
    type as audience_type,
    role as audience_role,
    size_lower,
    size_upper,
    membership_days,
    last_refreshed,
    seed_audience_id,
    status as audience_status,
    attached_adgroups,
    valid_from
from {{ source('raw', 'audiences') }}
