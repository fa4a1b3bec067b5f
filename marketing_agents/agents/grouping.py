"""Which findings are told together: those that a reader would mend with one move. Pure code, so the template and the model start equal."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from marketing_agents.decisions.actions import ACTIONS
from marketing_agents.rules.finding import SEVERITIES, Entity, Finding, Severity

MAX_GROUP = 8
# Levers whose repair mends every entity of the account at once: findings that lead there are one story per account.
_SHARED_LEVERS = frozenset({"tracking", "data", "billing", "policy", "feed"})


def group_findings(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    """Finding ids in groups, in the order of `findings` (most urgent first). Every finding is in exactly one group.

    Together go: findings on the same entity; findings with the same causes under the same ad group or campaign (or the same account, when
    the first action is a repair); a suppressed finding and the one that explains it. Ended episodes stay apart from open ones.
    """
    groups: list[list[str]] = []
    group_of: dict[str, int] = {}
    groups_by_key: dict[tuple[object, ...], list[int]] = defaultdict(list)
    # What explains others comes first, so that the explained finds its group whatever its place in the order.
    for finding in sorted(findings, key=lambda item: bool(item.suppressed_by)):
        keys = _keys(finding)
        explained_by = [group_of[other] for other in finding.suppressed_by if other in group_of]
        candidates = [*explained_by, *(number for key in keys for number in groups_by_key[key])]
        number = next((candidate for candidate in candidates if len(groups[candidate]) < MAX_GROUP), None)
        if number is None:
            number = len(groups)
            groups.append([])
        groups[number].append(finding.finding_id)
        group_of[finding.finding_id] = number
        for key in keys:
            if number not in groups_by_key[key]:
                groups_by_key[key].append(number)
    order = {finding.finding_id: place for place, finding in enumerate(findings)}
    ordered = [tuple(sorted(group, key=order.__getitem__)) for group in groups]
    return sorted(ordered, key=lambda group: order[group[0]])


def highest_severity(findings: Sequence[Finding]) -> Severity:
    return max((finding.severity for finding in findings), key=SEVERITIES.index)


def total_money(findings: Sequence[Finding]) -> float | None:
    """Money at stake of open findings: the largest per entity (two rules on one entity see the same money), added up; None when unknown."""
    per_entity: dict[str, float] = {}
    for finding in findings:
        if finding.is_open and finding.money_at_stake is not None:
            per_entity[finding.entity.key] = max(finding.money_at_stake, per_entity.get(finding.entity.key, -math.inf))
    return math.fsum(per_entity.values()) if per_entity else None


def _keys(finding: Finding) -> list[tuple[object, ...]]:
    keys: list[tuple[object, ...]] = [("entity", finding.is_open, finding.entity.key)]
    causes = frozenset(cause.id for cause in finding.causes)
    parent = _parent(finding.entity, shares_repair=_is_shared_repair(finding))
    if causes and parent is not None:
        keys.append(("parent", finding.is_open, finding.entity.type, parent, causes))
    return keys


def _parent(entity: Entity, *, shares_repair: bool) -> tuple[str, ...] | None:
    account = (entity.platform, entity.account_id)
    for level, parent_id in (("adgroup", entity.adgroup_id), ("campaign", entity.campaign_id)):
        if parent_id not in ("NA", entity.id):
            return (*account, level, parent_id)
    return (*account, "account") if shares_repair and entity.account_id != "NA" else None


def _is_shared_repair(finding: Finding) -> bool:
    return bool(finding.playbook) and ACTIONS[finding.playbook[0].action].lever in _SHARED_LEVERS
