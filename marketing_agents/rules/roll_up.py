"""Roll-up between the levels of an account (rules.md 2.5): where one child explains most of a parent's money, act on the child.

Campaigns contain their ad groups and ads, so one dear ad makes its ad group and its campaign look dear too. The child that carries at least 60 %
of the money at stake is shown; the parent becomes context: visible, explained by the child, and only watched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from marketing_agents.rules.display import display_value
from marketing_agents.rules.entity_tree import TREE_TYPES, Path, path_of
from marketing_agents.rules.finding import Fact, Finding, PlannedAction, Unit

if TYPE_CHECKING:
    from marketing_agents.rules.rule import Catalogue, Rule

LEAST_SHARE = 0.60
WATCH = "NO_ACTION_MONITOR"
_RATIONALE = "One part of it explains most of the money; that part is where to act."

RELATED_CATEGORIES: tuple[frozenset[str], ...] = (
    # What the money buys, from the auction to the person who sees the ad.
    frozenset({"MEDIA", "CREATIVE", "AUDIENCE", "SEARCH_TERMS", "BRAND", "COMPETITION", "GEO", "LEARNING", "INVALID_TRAFFIC"}),
    # What happens after the click.
    frozenset({"MEDIA", "LANDING_PAGE", "FEED"}),
    # How fast the money goes.
    frozenset({"BUDGET", "SEASONALITY"}),
)
"""Categories that may speak of the same money on two levels, beside a category and itself."""


def rolled_up(findings: Sequence[Finding], catalogue: Catalogue) -> list[Finding]:
    """The findings of one day, in their order; parents that one shown child explains are context (`rolled_up_to`).

    From the bottom up, so that a chain ends in the part that is shown: a parent is explained by what a reader sees, never by context.
    """
    paths = {position: path_of(finding.entity) for position, finding in enumerate(findings) if _takes_part(finding)}
    shown_below: dict[Path, list[Finding]] = defaultdict(list)
    result = list(findings)
    for position in sorted(paths, key=lambda p: (-len(paths[p]), findings[p].finding_id)):
        finding, path = findings[position], paths[position]
        child = _explaining_child(finding, shown_below[path], catalogue)
        if child is not None:
            result[position] = _as_context(finding, child)
        elif _can_be_acted_on(finding):  # else the parent is still the place to act
            for depth in range(len(path)):
                shown_below[path[:depth]].append(finding)
    return result


def _can_be_acted_on(finding: Finding) -> bool:
    return finding.action_limit == "none" and any(action.action != WATCH for action in finding.playbook)


def _takes_part(finding: Finding) -> bool:
    if not finding.is_open or finding.is_shadow or finding.suppressed_by:
        return False
    return finding.entity.type in TREE_TYPES and (finding.money_at_stake or 0.0) > 0.0


def _explaining_child(parent: Finding, below: Sequence[Finding], catalogue: Catalogue) -> Finding | None:
    rule = catalogue.by_id[parent.rule_id]
    if rule.order != "efficiency":  # a closed account, a broken tag: the parent is the cause of what its children show
        return None
    enough = LEAST_SHARE * (parent.money_at_stake or 0.0)
    explaining = [
        child for child in below if (child.money_at_stake or 0.0) >= enough and _are_related(rule, catalogue.by_id[child.rule_id])
    ]
    return min(explaining, key=lambda child: (-(child.money_at_stake or 0.0), child.finding_id), default=None)


def _are_related(rule: Rule, other: Rule) -> bool:
    return rule.category == other.category or any({rule.category, other.category} <= family for family in RELATED_CATEGORIES)


def _as_context(parent: Finding, child: Finding) -> Finding:
    share = min((child.money_at_stake or 0.0) / (parent.money_at_stake or 1.0), 1.0)
    fact = Fact(
        id=f"{parent.threshold.removesuffix('threshold')}explained_share",
        name="explained_share",
        label="share of the money at stake that one part of it explains",
        unit=Unit.PERCENT,
        number=share,
        display=display_value(share, Unit.PERCENT, decimals=0),
    )
    changes: Mapping[str, object] = {
        "rolled_up_to": child.finding_id,
        "suppressed_by": (child.finding_id,),
        "playbook": (PlannedAction(action=WATCH, entity=parent.entity, rationale=_RATIONALE),),
        "facts": (*parent.facts, fact),
    }
    return parent.model_copy(update=changes)
