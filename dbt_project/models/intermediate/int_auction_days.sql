{#- Shares of impressions by campaign and day, and the rivals in its auctions: rival_domain is empty for the campaign itself.

    Where the platform says 'below 10 %', the impression share is somewhere from 0.05 to 0.10, so what was lost to rank is known within bounds
    only: both are summed, and a rise counts from the upper bound before to the lower bound after. -#}
{%- set joins -%}
inner join {{ numbered_campaigns() }} as campaigns on {{ same(['advertiser_id', 'platform', 'account_id', 'campaign_id'], 'campaigns', 'facts') }}
{%- endset -%}
{%- set keys = {'campaign_no': 'campaigns.campaign_no', 'account_no': 'campaigns.account_no'} -%}
{%- set rival_keys = {'campaign_no': 'campaigns.campaign_no', 'account_no': 'campaigns.account_no', 'rival_domain': 'facts.rival_domain'} -%}
{%- set known = 'facts.search_impression_share is not null and facts.search_rank_lost_impression_share is not null' -%}
{%- set lost_by_budget = 'coalesce(facts.search_budget_lost_impression_share, 0)' -%}
{%- set censored = 'case when ' ~ known ~ ' then case when facts.is_censored then ' -%}
with

metrics as {{ fact_steps(
    'campaign_metrics_daily', keys, joins,
    {
        'share_days': ['case when ' ~ known ~ ' then 1 else 0 end', whole],
        'censored_days': ['case when ' ~ known ~ ' and facts.is_censored then 1 else 0 end', whole],
        'impression_share_low': [censored ~ '0.05 else facts.search_impression_share end else 0 end', exact],
        'rank_lost_low': [
            censored ~ 'greatest(0.90 - ' ~ lost_by_budget ~ ', 0) else facts.search_rank_lost_impression_share end else 0 end', exact,
        ],
        'rank_lost_high': [
            censored ~ 'greatest(0.95 - ' ~ lost_by_budget ~ ', 0) else facts.search_rank_lost_impression_share end else 0 end', exact,
        ],
        'budget_lost': ['case when ' ~ known ~ ' then ' ~ lost_by_budget ~ ' else 0 end', exact],
    },
) }},

rivals as {{ fact_steps(
    'auction_insights_daily', rival_keys, joins,
    {'overlap': ['facts.overlap_rate', exact], 'outranking': ['facts.outranking_share', exact]},
) }},

rival_days as {{ fact_steps('auction_insights_daily', keys, joins, {}, indicators={'auction_days': 'facts.overlap_rate is not null'}) }},

all_steps as (
    select
        campaign_no,
        account_no,
        '' as rival_domain,
        date,
        visible_from,
        visible_to,
        is_correction,
        n_rows,
        share_days,
        censored_days,
        impression_share_low,
        rank_lost_low,
        rank_lost_high,
        budget_lost,
        0 as auction_days,
        0 as overlap,
        0 as outranking
    from metrics
    union all
    select campaign_no, account_no, '', date, visible_from, visible_to, is_correction, 0, 0, 0, 0, 0, 0, 0, auction_days, 0, 0
    from rival_days
    union all
    select campaign_no, account_no, rival_domain, date, visible_from, visible_to, is_correction, n_rows, 0, 0, 0, 0, 0, 0, 0, overlap, outranking
    from rivals
)

select * from {{ coarser_steps(
    'all_steps',
    ['campaign_no', 'account_no', 'rival_domain'],
    {
        'share_days': whole, 'censored_days': whole, 'impression_share_low': exact, 'rank_lost_low': exact, 'rank_lost_high': exact,
        'budget_lost': exact, 'auction_days': whole, 'overlap': exact, 'outranking': exact,
    },
) }} as steps
