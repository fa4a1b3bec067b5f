{%- set delivery_sums = {
    'impressions_w14': {'measure': 'impressions', 'first': 13, 'last': 0, 'cast': whole},
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'spend_w28': {'measure': 'spend', 'first': 27, 'last': 0, 'cast': exact},
    'conversions_w28': {'measure': 'conversions', 'first': 27, 'last': 0, 'cast': exact},
} %}
{%- set query_sums = {
    'clicks_w7': {'measure': 'clicks', 'first': 6, 'last': 0, 'cast': whole},
    'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    'clicks_b28': {'measure': 'clicks', 'first': 34, 'last': 7, 'cast': whole},
    'spend_b28': {'measure': 'spend', 'first': 34, 'last': 7, 'cast': exact},
    'clicks_w28': {'measure': 'clicks', 'first': 27, 'last': 0, 'cast': whole},
    'spend_w28': {'measure': 'spend', 'first': 27, 'last': 0, 'cast': exact},
    'conversions_w28': {'measure': 'conversions', 'first': 27, 'last': 0, 'cast': exact},
} %}
{%- set query_matured = {
    'spend_w28m': {'measure': 'spend', 'first': 27, 'cast': exact},
    'conversions_w28m': {'measure': 'conversions', 'first': 27, 'cast': exact},
} %}
{%- set auction_sums = {} %}
{%- for measure, cast in {
    'share_days': whole, 'censored_days': whole, 'impression_share_low': exact, 'rank_lost_low': exact, 'rank_lost_high': exact,
    'budget_lost': exact, 'auction_days': whole, 'overlap': exact, 'outranking': exact,
}.items() %}
{%- do auction_sums.update({
    measure ~ '_w14': {'measure': measure, 'first': 13, 'last': 0, 'cast': cast},
    measure ~ '_p28': {'measure': measure, 'first': 41, 'last': 14, 'cast': cast},
}) %}
{%- endfor %}
{#- A query is judged once it has cost half a conversion; what costs less says nothing by itself, and there is no end of it. -#}
{%- set least_expected = 0.5 %}
with

campaigns as {{ numbered_campaigns() }},

delivery as {{ window_sums(
    ref('int_campaign_days'), ['campaign_no'], delivery_sums, {'spend_w28m': {'measure': 'spend', 'first': 27, 'cast': exact}}, with_first_day=true
) }},

queries as {{ window_sums(ref('int_query_days'), ['campaign_no', 'search_term'], query_sums, query_matured) }},

terms as (
    select
        advertiser_id,
        search_term,
        {{ words_of('search_term') }} as words
    from (
        select distinct campaigns.advertiser_id, steps.search_term
        from {{ ref('int_query_days') }} as steps
        inner join campaigns on campaigns.campaign_no = steps.campaign_no
    ) as distinct_terms
),

brand_phrases as (
    select
        advertisers.advertiser_id,
        {{ words_of('tokens.token') }} as phrase
    from {{ ref('stg_advertisers') }} as advertisers
    cross join {{ each_element('advertisers.brand_tokens', 'tokens', 'token') }}
),

brand_terms as (
    select distinct
        terms.advertiser_id,
        terms.search_term
    from terms
    inner join brand_phrases
        on brand_phrases.advertiser_id = terms.advertiser_id and {{ contains_words('terms.words', 'brand_phrases.phrase') }}
),

branded as (
    select distinct advertiser_id from brand_phrases
),

query_totals as (
    select
        queries.campaign_no,
        queries.date,
        sum(queries.clicks_w28) as query_clicks_w28,
        sum(queries.spend_w28m) as query_spend_w28m,
        sum(queries.conversions_w28m) as query_conversions_w28m
        {%- for name in query_sums %},
        sum(case when brand_terms.search_term is not null then queries.{{ name }} else 0 end) as brand_{{ name }}
        {%- endfor %}
    from queries
    inner join campaigns on campaigns.campaign_no = queries.campaign_no
    left join brand_terms on brand_terms.advertiser_id = campaigns.advertiser_id and brand_terms.search_term = queries.search_term
    group by queries.campaign_no, queries.date
    having sum(queries.clicks_w28) > 0 or sum(queries.spend_w28) > 0 or sum(queries.spend_b28) > 0
),

{#- What each query would have brought had it been like all queries of the campaign that are shown. -#}
expected_queries as (
    select
        queries.campaign_no,
        queries.date,
        queries.search_term,
        queries.spend_w28m,
        queries.conversions_w28m,
        {{ real('queries.spend_w28m') }} * {{ real('totals.query_conversions_w28m') }} / {{ real('totals.query_spend_w28m') }} as expected
    from queries
    inner join query_totals as totals on totals.campaign_no = queries.campaign_no and totals.date = queries.date
    where queries.spend_w28m > 0 and totals.query_conversions_w28m > 0
),

{#- Luck alone leaves exp(-expected) of equal queries without a conversion. chance_log is the logarithm of E exp(W / 2), W the conversions
    that the cost of such queries buys, if nothing but luck is at work: P(W >= w) <= exp(chance_log - w / 2) (Chernoff). -#}
barren_totals as (
    select
        campaign_no,
        date,
        {{ whole('sum(case when conversions_w28m = 0 then 1 else 0 end)') }} as barren_queries_w28m,
        {{ exact('sum(case when conversions_w28m = 0 then spend_w28m else 0 end)') }} as barren_spend_w28m,
        {{ exact('sum(case when conversions_w28m = 0 then ' ~ exact('expected') ~ ' else 0 end)') }} as barren_expected_w28m,
        {{ exact('sum(' ~ exact('expected * exp(-expected)') ~ ')') }} as chance_expected_w28m,
        {{ exact('sum(' ~ exact('ln(1 - exp(-expected) + exp(-expected / 2))') ~ ')') }} as chance_log_w28m
    from expected_queries
    where expected >= {{ least_expected }}
    group by campaign_no, date
),

top_barren as (
    select
        campaign_no,
        date,
        search_term,
        spend_w28m
    from (
        select
            *,
            row_number() over (partition by campaign_no, date order by spend_w28m desc, search_term) as place
        from expected_queries
        where expected >= {{ least_expected }} and conversions_w28m = 0
    ) as ranked
    where place = 1
),

auctions as {{ window_sums(ref('int_auction_days'), ['campaign_no', 'rival_domain'], auction_sums, reach=41) }},

shares as (
    select * from auctions where rival_domain = ''
),

{#- A rival that was not there on a day overlapped with nothing. The rival that gained most ground is named; a tie goes to the first by name. -#}
rivals as (
    select
        auctions.campaign_no,
        auctions.date,
        auctions.rival_domain,
        {{ exact_ratio('auctions.overlap_w14', 'shares.auction_days_w14') }} as overlap_w14,
        {{ exact_ratio('auctions.overlap_p28', 'shares.auction_days_p28') }} as overlap_p28,
        {{ exact_ratio('auctions.outranking_w14', 'shares.auction_days_w14') }} as outranking_w14
    from auctions
    inner join shares on shares.campaign_no = auctions.campaign_no and shares.date = auctions.date
    where auctions.rival_domain <> '' and shares.auction_days_w14 > 0 and shares.auction_days_p28 > 0
),

top_rivals as (
    select * from (
        select
            *,
            row_number() over (partition by campaign_no, date order by overlap_w14 - overlap_p28 desc, rival_domain) as place
        from rivals
        where overlap_w14 > 0
    ) as ranked
    where place = 1
),

listed as {{ current_rows(
    'campaigns', ['platform', 'account_id', 'campaign_id'], ['campaign_name', 'campaign_role', 'campaign_status', 'allowed_geos'], number='campaign_no',
) }},

allowed as (
    select distinct
        listed.campaign_no,
        listed.date,
        lower(trim(geos.geo)) as country
    from listed
    cross join {{ each_element('listed.allowed_geos', 'geos', 'geo') }}
),

agreed as (
    select distinct campaign_no, date from allowed
),

country_steps as (
    select * from {{ ref('int_segment_days') }} where dimension = 'country'
),

countries as {{ window_sums(
    'country_steps', ['campaign_no', 'value'],
    {
        'impressions_w7': {'measure': 'impressions', 'first': 6, 'last': 0, 'cast': whole},
        'spend_w7': {'measure': 'spend', 'first': 6, 'last': 0, 'cast': exact},
    },
    reach=6,
) }},

judged_countries as (
    select
        countries.campaign_no,
        countries.date,
        countries.value as country,
        countries.impressions_w7,
        countries.spend_w7,
        agreed.campaign_no is not null and allowed.country is null as is_outside
    from countries
    left join agreed on agreed.campaign_no = countries.campaign_no and agreed.date = countries.date
    left join allowed
        on allowed.campaign_no = countries.campaign_no and allowed.date = countries.date and allowed.country = lower(trim(countries.value))
    where countries.impressions_w7 > 0 or countries.spend_w7 > 0
),

places as (
    select
        campaign_no,
        date,
        sum(impressions_w7) as geo_impressions_w7,
        sum(spend_w7) as geo_spend_w7,
        sum(case when is_outside then impressions_w7 else 0 end) as outside_impressions_w7,
        sum(case when is_outside then spend_w7 else 0 end) as outside_spend_w7
    from judged_countries
    group by campaign_no, date
),

top_outside as (
    select * from (
        select
            *,
            row_number() over (partition by campaign_no, date order by impressions_w7 desc, spend_w7 desc, country) as place
        from judged_countries
        where is_outside
    ) as ranked
    where place = 1
),

missing_delivery as {{ missing_pairs('ad_performance_daily', ['campaign_no'], first=27) }},

missing_queries as {{ missing_pairs('search_terms_daily', ['campaign_no']) }},

missing_segments as {{ missing_pairs('segment_performance_daily', ['campaign_no'], first=6) }},

described as (
    select
        campaigns.advertiser_id,
        campaigns.platform,
        campaigns.account_id,
        campaigns.campaign_id,
        listed.campaign_name,
        listed.campaign_role,
        listed.campaign_status,
        evaluated.currency_code,
        evaluated.evaluated_day,
        delivery.date,
        delivery.first_day,
        delivery.impressions_w14,
        delivery.spend_w7,
        delivery.spend_w28,
        delivery.conversions_w28,
        delivery.spend_w28m,
        query_totals.query_clicks_w28,
        query_totals.query_spend_w28m,
        query_totals.query_conversions_w28m,
        query_totals.campaign_no is not null as has_queries,
        barren_totals.barren_queries_w28m,
        barren_totals.barren_spend_w28m,
        barren_totals.barren_expected_w28m,
        barren_totals.chance_expected_w28m,
        barren_totals.chance_log_w28m,
        top_barren.search_term as top_barren_query,
        top_barren.spend_w28m as top_barren_spend_w28m,
        query_totals.campaign_no is not null and branded.advertiser_id is not null as has_brand,
        {% for name in query_sums %}query_totals.brand_{{ name }},
        {% endfor -%}
        {% for name in auction_sums if not name.startswith(('overlap', 'outranking')) %}shares.{{ name }},
        {% endfor -%}
        top_rivals.rival_domain,
        top_rivals.overlap_w14,
        top_rivals.overlap_p28,
        top_rivals.outranking_w14,
        agreed.campaign_no is not null as has_allowed_geos,
        places.geo_impressions_w7,
        places.geo_spend_w7,
        places.outside_impressions_w7,
        places.outside_spend_w7,
        top_outside.country as top_outside_country,
        coalesce(missing_delivery.missing_fx_pair, missing_queries.missing_fx_pair, missing_segments.missing_fx_pair) as missing_pair
    from delivery
    inner join campaigns on campaigns.campaign_no = delivery.campaign_no
    inner join {{ ref('int_numbered_evaluated_days') }} as evaluated
        on evaluated.account_no = campaigns.account_no and evaluated.date = delivery.date
    {% for relation in [
        'listed', 'query_totals', 'barren_totals', 'top_barren', 'shares', 'top_rivals', 'agreed', 'places', 'top_outside',
        'missing_delivery', 'missing_queries', 'missing_segments',
    ] -%}
    left join {{ relation }} on {{ relation }}.campaign_no = delivery.campaign_no and {{ relation }}.date = delivery.date
    {% endfor -%}
    left join branded on branded.advertiser_id = campaigns.advertiser_id
    where delivery.first_day is not null
)

select
    advertiser_id,
    date,
    platform,
    account_id,
    campaign_id,
    campaign_name,
    campaign_role,
    campaign_status,
    currency_code,
    evaluated_day,
    {{ whole(days_between('evaluated_day', 'date')) }} as data_age_days,
    {{ history_days('first_day', 'evaluated_day') }} as history_days,
    impressions_w14,
    {{ unless_missing('spend_w7') }},
    {{ unless_missing('spend_w28') }},
    conversions_w28,
    {{ unless_missing('spend_w28m') }},
    {{ whole('query_clicks_w28') }} as query_clicks_w28,
    {{ unless_missing('query_spend_w28m') }},
    {{ exact('query_conversions_w28m') }} as query_conversions_w28m,
    {{ whole('case when has_queries then coalesce(barren_queries_w28m, 0) end') }} as barren_queries_w28m,
    {{ unless_missing('case when has_queries then coalesce(barren_spend_w28m, 0) end', 'barren_spend_w28m') }},
    case when missing_pair is null and has_queries then coalesce(barren_expected_w28m, 0) end as barren_expected_w28m,
    case when missing_pair is null and has_queries then coalesce(chance_expected_w28m, 0) end as chance_expected_w28m,
    case when missing_pair is null and has_queries then coalesce(chance_log_w28m, 0) end as chance_log_w28m,
    case when missing_pair is null then top_barren_query end as top_barren_query,
    {{ unless_missing('top_barren_spend_w28m') }},
    {{ whole('case when has_brand then brand_clicks_w7 end') }} as brand_clicks_w7,
    {{ unless_missing('case when has_brand then brand_spend_w7 end', 'brand_spend_w7') }},
    {{ whole('case when has_brand then brand_clicks_b28 end') }} as brand_clicks_b28,
    {{ unless_missing('case when has_brand then brand_spend_b28 end', 'brand_spend_b28') }},
    {{ whole('case when has_brand then brand_clicks_w28 end') }} as brand_clicks_w28,
    {{ unless_missing('case when has_brand then brand_spend_w28 end', 'brand_spend_w28') }},
    {{ exact('case when has_brand then brand_conversions_w28 end') }} as brand_conversions_w28,
    coalesce(share_days_w14, 0) as share_days_w14,
    coalesce(share_days_p28, 0) as share_days_p28,
    coalesce(censored_days_w14, 0) as censored_days_w14,
    {% for name in ['impression_share_low', 'rank_lost_low', 'rank_lost_high', 'budget_lost'] -%}
    {% for window in ['w14', 'p28'] -%}
    {{ exact_ratio(name ~ '_' ~ window, 'share_days_' ~ window) }} as {{ name }}_{{ window }},
    {% endfor -%}
    {% endfor -%}
    coalesce(auction_days_w14, 0) as auction_days_w14,
    coalesce(auction_days_p28, 0) as auction_days_p28,
    rival_domain,
    overlap_w14 as rival_overlap_w14,
    overlap_p28 as rival_overlap_p28,
    outranking_w14 as rival_outranked_w14,
    has_allowed_geos,
    {{ whole('geo_impressions_w7') }} as geo_impressions_w7,
    {{ unless_missing('geo_spend_w7') }},
    {{ whole('case when has_allowed_geos then outside_impressions_w7 end') }} as outside_impressions_w7,
    {{ unless_missing('case when has_allowed_geos then outside_spend_w7 end', 'outside_spend_w7') }},
    case when has_allowed_geos then top_outside_country end as top_outside_country,
    missing_pair as missing_fx_pair
from described
