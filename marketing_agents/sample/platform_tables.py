"""How the connectors of an advertiser stood, day by day: they run every night, and whoever looks after them renews tokens in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from marketing_agents.sample.columns import Constant, build_table
from marketing_agents.sample.structure import SEARCH_PLATFORMS

if TYPE_CHECKING:
    import pyarrow as pa

    from marketing_agents.sample.facts import AdvertiserFacts
    from marketing_agents.sample.structure import Account

TOKEN_DAYS = 60
"""Meta and others hand out user tokens for 60 days."""
RENEWED_BEFORE_DAYS = 20
_RUN_AT = time(4, 30)


def connector_runs(facts: AdvertiserFacts) -> pa.Table:
    """One row per account and day, as it was on the morning after."""
    rows = [(day, number, account) for day in facts.dates for number, account in enumerate(facts.structure.accounts)]
    quota = facts.streams.of("connector quota").beta(1, 60, (len(facts.dates), len(facts.structure.accounts)))
    phases = facts.streams.of("connector tokens").integers(0, TOKEN_DAYS - RENEWED_BEFORE_DAYS, len(facts.structure.accounts))
    return build_table(
        "connector_runs",
        len(rows),
        {
            "advertiser_id": Constant(facts.advertiser_id),
            "date": [day for day, _, _ in rows],
            "platform": [account.platform for _, _, account in rows],
            "account_id": [account.account_id for _, _, account in rows],
            "connector_id": [connector_id(account) for _, _, account in rows],
            "name": [f"{account.name}: nightly transfer" for _, _, account in rows],
            "status": Constant("succeeded"),
            "consecutive_failures": Constant(0),
            "last_success_at": [run_instant(facts, day) for day, _, _ in rows],
            "token_expires_at": [_token_ends(facts, day, int(phases[number]), account) for day, number, account in rows],
            "quota_429_rate": quota.ravel().round(4),
        },
    )


def connector_id(account: Account) -> str:
    return f"{account.platform}-{account.account_id}"


def run_instant(facts: AdvertiserFacts, day: date) -> datetime:
    """When the run that loads `day` ends: early on the morning after."""
    return datetime.combine(day + timedelta(days=1), _RUN_AT, tzinfo=facts.profile.advertiser.zone).astimezone(UTC)


def _token_ends(facts: AdvertiserFacts, day: date, phase: int, account: Account) -> datetime | None:
    """Renewed for 60 days whenever 20 are left. Search platforms refresh their tokens by themselves."""
    if account.platform in SEARCH_PLATFORMS:
        return None
    cycle = TOKEN_DAYS - RENEWED_BEFORE_DAYS
    since_renewal = (day.toordinal() + phase) % cycle
    return run_instant(facts, day) + timedelta(days=TOKEN_DAYS - since_renewal)
