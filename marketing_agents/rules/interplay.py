"""What findings of one day do to each other: one explains another, broken tracking limits what may be done, a child stands for its parent.

A pure function of the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from marketing_agents.rules.entity_tree import NA, Path, is_same_line, path_of
from marketing_agents.rules.finding import SEVERITIES, Finding
from marketing_agents.rules.muting import Feedback, muted
from marketing_agents.rules.roll_up import rolled_up

if TYPE_CHECKING:
    from marketing_agents.rules.rule import Catalogue, Rule


def seen_together(findings: Sequence[Finding], notes: Sequence[Feedback], catalogue: Catalogue) -> list[Finding]:
    """The findings of one day with `suppressed_by` (an open finding that explains this one), `action_limit` (tracking is not trusted),
    `rolled_up_to`, and those muted that people do not want to be told.

    A false alarm is muted before it can explain anything; what is true but known only afterwards.
    """
    limited = _limited(muted(findings, notes, wrong=True), catalogue)
    return muted(rolled_up(limited, catalogue), notes, wrong=False)


def _limited(findings: Sequence[Finding], catalogue: Catalogue) -> list[Finding]:
    open_by_rule: dict[str, list[tuple[Finding, Path]]] = {}
    for finding in findings:
        if finding.is_open and not finding.is_shadow:
            open_by_rule.setdefault(finding.rule_id, []).append((finding, path_of(finding.entity)))
    result = []
    for finding in findings:
        if finding.is_shadow:  # nothing explains it, so that it can be judged by itself
            result.append(finding)
            continue
        rule = catalogue.by_id[finding.rule_id]
        explaining = {
            other.finding_id
            for rule_id in rule.suppressed_by
            for other, _ in open_by_rule.get(rule_id, ())
            if _same_account(finding, other)
        }
        if rule.suppressed_on_entity_by:
            own = path_of(finding.entity)
            explaining |= {
                other.finding_id
                for rule_id in rule.suppressed_on_entity_by
                for other, path in open_by_rule.get(rule_id, ())
                if is_same_line(own, path)
            }
        is_limited = any(
            _same_account(finding, other) and _reaches(other, catalogue.by_id[rule_id])
            for rule_id in rule.limited_by
            for other, _ in open_by_rule.get(rule_id, ())
        )
        effect = {"suppressed_by": tuple(sorted(explaining)), "action_limit": "monitor_only" if is_limited else "none"}
        result.append(finding.model_copy(update=effect) if explaining or is_limited else finding)
    return result


def _same_account(finding: Finding, other: Finding) -> bool:
    """True for the same account, and when either belongs to no account."""
    if NA in (finding.entity.account_id, other.entity.account_id):
        return True
    return (finding.entity.platform, finding.entity.account_id) == (other.entity.platform, other.entity.account_id)


def _reaches(finding: Finding, rule: Rule) -> bool:
    least = rule.limits_actions_from
    return least is not None and SEVERITIES.index(finding.severity) >= SEVERITIES.index(least)
