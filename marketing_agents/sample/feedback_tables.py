"""What people noted about findings. Only notes that have long run out: on the days that are looked at, nobody keeps anything back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.columns import Constant, build_table

if TYPE_CHECKING:
    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts

_GIVEN_DAYS_BEFORE = 160
_HELD_DAYS = 14


def feedback(facts: AdvertiserFacts) -> pa.Table:
    """Two notes on the first campaign: one finding acted upon, one known."""
    campaign = facts.structure.campaigns[0]
    account = facts.structure.account_of(campaign)
    given_on = facts.spec.anchor_day - timedelta(days=_GIVEN_DAYS_BEFORE)
    return build_table(
        "feedback",
        2,
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "feedback_id": ["note-1", "note-2"],
            "given_on": [given_on] * 2,
            "rule_id": ["MEDIA-001", "AUD-006"],
            "entity_key": Constant(f"campaign:{account.platform}:{account.account_id}:{campaign.campaign_id}"),
            "verdict": ["done", "mute"],
            "until": [given_on + timedelta(days=_HELD_DAYS)] * 2,
            "author": ["media desk", "account lead"],
            "reason": ["Bid target lowered, needs a week.", "Wanted: existing customers get the winter offer."],
        },
    )
