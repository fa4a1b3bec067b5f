{#- The factor to base currency for amounts of a day, as a step function of the day on which it must be known. A factor changes when the
    rates of the day arrive late or are restated. -#}
{%- set max_age_days = 7 %}

with

advertisers as (
    select
        advertiser_id,
        base_currency
    from {{ ref('stg_advertisers') }}
),

{#- Facts must not be lost for want of a rate, so the currencies come from them; a pair that only a plan or target uses is left-joined. -#}
currencies as (
    {% for table in [
        'int_ad_entities', 'stg_conversions_by_action_daily', 'stg_orders_daily', 'stg_campaign_metrics_daily', 'stg_product_performance_daily',
    ] -%}
    select distinct advertiser_id, currency_code from {{ ref(table) }} where currency_code is not null
    {{ union() }}
    {% endfor -%}
    select advertiser_id, base_currency from advertisers
    {{ union() }}
    select advertiser_id, from_currency from {{ ref('stg_fx_rates') }}
    {{ union() }}
    select advertiser_id, to_currency from {{ ref('stg_fx_rates') }}
),

days as (
    select distinct advertiser_id, date from {{ ref('stg_slice_versions') }}
    {{ union() }}
    select advertiser_id, date from {{ ref('int_feature_days') }}
),

needed as (
    select
        days.advertiser_id,
        days.date,
        currencies.currency_code,
        advertisers.base_currency
    from days
    inner join currencies on currencies.advertiser_id = days.advertiser_id
    inner join advertisers on advertisers.advertiser_id = days.advertiser_id
),

quotes as (
    select
        rates.advertiser_id,
        rates.date,
        case when rates.to_currency = advertisers.base_currency then rates.from_currency else rates.to_currency end as currency_code,
        versions.as_of as visible_from,
        versions.superseded_on as visible_to,
        case
            when rates.to_currency = advertisers.base_currency then cast(rates.rate as {{ factor_type() }})
            else cast(1 / {{ real('rates.rate') }} as {{ factor_type() }})
        end as factor,
        row_number() over (
            partition by
                rates.advertiser_id, rates.date, versions.as_of,
                case when rates.to_currency = advertisers.base_currency then rates.from_currency else rates.to_currency end
            order by case when rates.to_currency = advertisers.base_currency then 0 else 1 end
        ) as preference
    from {{ ref('stg_fx_rates') }} as rates
    inner join advertisers on advertisers.advertiser_id = rates.advertiser_id
    inner join {{ ref('stg_slice_versions') }} as versions
        on
            versions.table_name = 'fx_rates'
            and versions.advertiser_id = rates.advertiser_id
            and versions.date = rates.date
            and versions.as_of = rates.as_of
    where
        rates.from_currency <> rates.to_currency
        and (rates.to_currency = advertisers.base_currency or rates.from_currency = advertisers.base_currency)
),

candidates as (
    select
        needed.advertiser_id,
        needed.date,
        needed.currency_code,
        quotes.date as quoted_on,
        quotes.visible_from,
        quotes.visible_to,
        quotes.factor
    from needed
    inner join quotes
        on
            quotes.advertiser_id = needed.advertiser_id
            and quotes.currency_code = needed.currency_code
            and quotes.date between {{ days_add('needed.date', -max_age_days) }} and needed.date
    where quotes.preference = 1
),

changes as (
    select advertiser_id, date, currency_code, date as visible_from from needed
    {{ union() }}
    select advertiser_id, date, currency_code, visible_from from candidates where visible_from > date
    {{ union() }}
    select advertiser_id, date, currency_code, visible_to from candidates where visible_to > date
),

steps as (
    select
        advertiser_id,
        date,
        currency_code,
        visible_from,
        lead(visible_from) over (partition by advertiser_id, date, currency_code order by visible_from) as visible_to
    from changes
),

chosen as (
    select
        steps.advertiser_id,
        steps.date,
        steps.currency_code,
        steps.visible_from,
        steps.visible_to,
        candidates.factor,
        row_number() over (
            partition by steps.advertiser_id, steps.date, steps.currency_code, steps.visible_from
            order by candidates.quoted_on desc nulls last
        ) as preference
    from steps
    left join candidates
        on
            candidates.advertiser_id = steps.advertiser_id
            and candidates.date = steps.date
            and candidates.currency_code = steps.currency_code
            and candidates.visible_from <= steps.visible_from
            and (candidates.visible_to is null or candidates.visible_to > steps.visible_from)
)

select
    chosen.advertiser_id,
    chosen.date,
    chosen.currency_code,
    chosen.visible_from,
    chosen.visible_to,
    case when chosen.currency_code = advertisers.base_currency then cast(1 as {{ factor_type() }}) else chosen.factor end as factor,
    concat(chosen.currency_code, '->', advertisers.base_currency) as currency_pair
from chosen
inner join advertisers on advertisers.advertiser_id = chosen.advertiser_id
where chosen.preference = 1
