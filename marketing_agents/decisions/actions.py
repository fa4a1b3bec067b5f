"""The closed set of actions: what each is, which lever it moves, which parameters it takes, and its default limits.

Source of the vocabulary, the limits and who approves: research, rules catalogue section 4. An action that is not here does not exist: the
catalogue refuses it at load, the merge rejects it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lever = Literal[
    "none",
    "budget",
    "bid",
    "status",
    "creative",
    "audience",
    "query",
    "placement",
    "geo",
    "tracking",
    "landing_page",
    "feed",
    "billing",
    "policy",
    "data",
    "structure",
]
Approval = Literal["none", "human", "owner_team"]


@dataclass(frozen=True)
class ActionSpec:
    """`direction`: +1 raises, -1 lowers, 0 neither (for contradictions on one lever). `effort` 1 (minutes) to 3 (days).

    `parameters`: names the playbook must give. `is_reversible` and `effort` go into the ranking score.
    """

    name: str
    verb: str
    lever: Lever
    direction: Literal[-1, 0, 1]
    is_reversible: bool
    effort: Literal[1, 2, 3]
    approval: Approval
    parameters: tuple[str, ...] = ()


def _spec(
    name: str,
    verb: str,
    lever: Lever,
    *,
    direction: Literal[-1, 0, 1] = 0,
    reversible: bool = True,
    effort: Literal[1, 2, 3] = 1,
    approval: Approval = "human",
    parameters: tuple[str, ...] = (),
) -> ActionSpec:
    return ActionSpec(name, verb, lever, direction, reversible, effort, approval, parameters)


ACTIONS: dict[str, ActionSpec] = {
    spec.name: spec
    for spec in (
        _spec("NO_ACTION_MONITOR", "Keep watching", "none", approval="none"),
        _spec("NOTIFY_ACCOUNT_OWNER", "Tell the account owner", "none", approval="none"),
        _spec("RERUN_INGEST", "Load the data again", "data", approval="none", parameters=("table", "days")),
        _spec("FREEZE_CHANGES", "Freeze bid and budget changes", "none", approval="none", parameters=("days",)),
        _spec("ADD_NEGATIVES", "Add negative keywords", "query"),
        _spec("EXCLUDE_PLACEMENT", "Exclude placements", "placement", direction=-1),
        _spec("EXCLUDE_AUDIENCE", "Exclude an audience", "audience", direction=-1, parameters=("audience",)),
        _spec("EXCLUDE_GEO", "Exclude a region", "geo", direction=-1),
        _spec("ROTATE_IN_NEW_VARIANT", "Add a new ad variant", "creative", effort=2),
        _spec("REFRESH_CREATIVE", "Refresh the creative", "creative", effort=3),
        _spec("RUN_EXPERIMENT", "Run an experiment", "creative", effort=3),
        _spec("DECREASE_BUDGET", "Lower the budget", "budget", direction=-1, parameters=("step_pct",)),
        _spec("INCREASE_BUDGET", "Raise the budget", "budget", direction=1, parameters=("step_pct",)),
        _spec("SHIFT_BUDGET", "Move budget", "budget", parameters=("amount_per_day", "receiver_campaign_id")),
        _spec("ADJUST_BID_TARGET", "Adjust the bid target", "bid", parameters=("step_pct",)),
        _spec("PAUSE_ENTITY", "Pause it", "status", direction=-1),
        _spec("CONSOLIDATE_ADSETS", "Merge ad groups", "structure", reversible=False, effort=2),
        _spec("EXPAND_AUDIENCE", "Widen the audience", "audience", direction=1, reversible=False),
        _spec("REFRESH_AUDIENCE_LIST", "Refresh the audience list", "audience", reversible=False),
        _spec("ROLLBACK_LAST_CHANGE", "Undo the last change", "structure"),
        _spec("FIX_TAG", "Repair the tag", "tracking", reversible=False, effort=2, approval="owner_team"),
        _spec("FIX_DEDUP", "Repair deduplication", "tracking", reversible=False, effort=2, approval="owner_team"),
        _spec("RECONCILE_CONVERSIONS", "Reconcile conversions", "tracking", reversible=False, effort=2, approval="owner_team"),
        _spec("FIX_LANDING_PAGE", "Repair the landing page", "landing_page", reversible=False, effort=2, approval="owner_team"),
        _spec("FIX_FEED", "Repair the feed", "feed", reversible=False, effort=2, approval="owner_team"),
        _spec("FIX_BILLING", "Settle the billing", "billing", reversible=False, approval="owner_team"),
        _spec("APPEAL_POLICY", "Appeal the policy decision", "policy", reversible=False, approval="owner_team"),
    )
}
