select
    table_name,
    advertiser_id,
    date,
    as_of,
    lead(as_of) over (partition by table_name, advertiser_id, date order by as_of) as superseded_on,
    {{ adapter.quote('rows') }} as row_count,
    is_backfilled
from {{ source('raw', 'ingestion_log') }}
