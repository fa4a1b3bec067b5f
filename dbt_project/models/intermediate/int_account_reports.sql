{#- Which accounts each version of a day's facts has rows of, and the zone that the rows name. -#}
with

facts as (
    select
        advertiser_id,
        platform,
        account_id,
        date,
        as_of,
        account_time_zone
    from {{ ref('stg_ad_performance_daily') }}
    group by advertiser_id, platform, account_id, date, as_of, account_time_zone
)

select
    facts.advertiser_id,
    facts.platform,
    facts.account_id,
    facts.date,
    facts.as_of,
    max(zones.time_zone) as time_zone
from facts
left join {{ known_zones() }} as zones on zones.time_zone = facts.account_time_zone
group by facts.advertiser_id, facts.platform, facts.account_id, facts.date, facts.as_of
