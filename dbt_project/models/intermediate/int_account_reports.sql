{#- Which accounts each version of a day's facts has rows of, the zone that the rows name, and what the account spent according to it: in its
    own currency, so that a rate that arrives late restates nothing. -#}
with

facts as (
    select
        advertiser_id,
        platform,
        account_id,
        date,
        as_of,
        account_time_zone,
        max(currency_code) as currency_code,
        sum(spend) as spend,
        sum(conversions) as conversions
    from {{ ref('stg_ad_performance_daily') }}
    group by advertiser_id, platform, account_id, date, as_of, account_time_zone
)

select
    facts.advertiser_id,
    facts.platform,
    facts.account_id,
    facts.date,
    facts.as_of,
    max(zones.time_zone) as time_zone,
    max(facts.currency_code) as currency_code,
    {{ exact('sum(facts.spend)') }} as spend,
    {{ exact('sum(facts.conversions)') }} as conversions
from facts
left join {{ known_zones() }} as zones on zones.time_zone = facts.account_time_zone
group by facts.advertiser_id, facts.platform, facts.account_id, facts.date, facts.as_of
