select
    advertiser_id,
    date,
    as_of,
    url as page_url,
    checked_at,
    region,
    http_status,
    redirect_kind,
    tls_ok,
    is_out_of_stock,
    lcp_ms
from {{ source('raw', 'url_checks') }}
