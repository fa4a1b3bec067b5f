"""How two entities stand to each other: the same, one inside the other, in one account, of one advertiser."""

from __future__ import annotations

from enum import StrEnum

from marketing_agents.rules.finding import Entity

_NO_ID = "NA"


class Scope(StrEnum):
    """How near two entities must be for a conflict.

    `ENTITY`: the same one. `LINE`: the same, or parent and child. `ACCOUNT`: `LINE`, or in the same platform account; an entity that spans accounts
    (a budget plan, a calendar event) touches each of them. `ADVERTISER`: always.
    """

    ENTITY = "entity"
    LINE = "line"
    ACCOUNT = "account"
    ADVERTISER = "advertiser"


def is_within(scope: Scope, a: Entity, b: Entity) -> bool:
    """True when the two entities are at least as near as `scope` asks. Symmetric."""
    if a.key == b.key or scope is Scope.ADVERTISER:
        return True
    if scope is Scope.ENTITY:
        return False
    if _contains(a, b) or _contains(b, a):
        return True
    return scope is Scope.ACCOUNT and _same_account(a, b)


def _contains(parent: Entity, child: Entity) -> bool:
    if parent.type == "advertiser":
        return True
    if parent.platform != child.platform or parent.account_id != child.account_id or parent.account_id == _NO_ID:
        return False
    match parent.type:
        case "campaign":
            return parent.id == child.campaign_id
        case "adgroup":
            return parent.id == child.adgroup_id
        case "platform_account":
            return True
        case _:
            return False


def _same_account(a: Entity, b: Entity) -> bool:
    if _NO_ID in (a.account_id, b.account_id):
        return True
    return (a.platform, a.account_id) == (b.platform, b.account_id)
