select
    advertiser_id,
    date,
    as_of,
    event_id,
    platform,
    account_id,
    occurred_at,
    actor,
    client_type,
    resource_type,
    entity_id,
    field,
    old_value,
    new_value
from {{ source('raw', 'change_events') }}
