"""Retraction: a day on which a rule fired is judged a second time, with what was known a day later. Pure functions.

A told day is in doubt when the rule is clear on the day after. It was overturned when the same rule, on the same entity and the same day, is
clear with the data of the day after: then not the world changed but what is known of it. The marts of that second look are made of relabelled
versions (`warehouse/embedded/relabelled.py`), so that the rule reads nothing but its usual row.

What overturns a day: clear, out of scope, within chance (false discovery), or below the rule's floor, since a rule would not have spoken on
so little. What does not: a row that cannot be judged (blocked, missing input, short history, switched off), and no row at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from marketing_agents.days import LocalDay
from marketing_agents.rules.availability import InputAvailability
from marketing_agents.rules.episodes import ToldDay
from marketing_agents.rules.evaluate import JudgedRule, judged_rules
from marketing_agents.rules.outcomes import CODES, Code
from marketing_agents.rules.overrides import LABELS_MART

if TYPE_CHECKING:
    import pandas as pd

    from marketing_agents.rules.rule import Catalogue
    from marketing_agents.warehouse.store import SliceVersion

KNOWN_AFTER = timedelta(days=1)
"""How much later the second look is: the morning on which the rule was clear for the first time."""


def restated(told: Iterable[ToldDay], log: Iterable[SliceVersion]) -> frozenset[ToldDay]:
    """The told days of which anything was loaded anew on the day after; with nothing new, a second look sees what the first one saw."""
    loaded_anew = {LocalDay(v.advertiser_id, v.as_of) for v in log if v.as_of > v.date}
    return frozenset(each for each in told if LocalDay(each.advertiser_id, each.day + KNOWN_AFTER) in loaded_anew)


def marts_of_second_look(catalogue: Catalogue, told: Collection[ToldDay]) -> frozenset[str]:
    """The marts that judging `told` again needs: those of their rules and of the gates, and labels where overrides ask for them."""
    wanted = {each.rule_id for each in told}
    rules = [rule for rule in catalogue.rules if rule.gate is not None or rule.id in wanted]
    labels = {LABELS_MART for rule in rules for override in catalogue.overrides_of.get(rule.id, ()) if override.reach.campaign_labels}
    return frozenset({rule.mart for rule in rules} | labels)


def overturned(
    catalogue: Catalogue, told: Collection[ToldDay], features: Mapping[str, pd.DataFrame], inputs: InputAvailability
) -> frozenset[ToldDay]:
    """The told days that the second look does not confirm. `features`: rows of those days, as known a day later; `inputs`: likewise.

    Raises:
        ValueError: as `evaluate`.
    """
    from marketing_agents.rules.mart_rows import Calendar

    by_rule: dict[str, dict[LocalDay, set[tuple[str, ...]]]] = defaultdict(lambda: defaultdict(set))
    for each in told:
        by_rule[each.rule_id][LocalDay(each.advertiser_id, each.day)].add(each.entity)
    calendar = Calendar([LocalDay(each.advertiser_id, each.day) for each in told])
    found: set[ToldDay] = set()
    for judged, _ in judged_rules(catalogue, features, calendar, inputs, only=frozenset(by_rule)):
        rule_id = judged.rule.id
        for day, entities in by_rule.get(rule_id, {}).items():
            unconfirmed = _unconfirmed(judged, day)
            found |= {ToldDay(day.advertiser_id, rule_id, entity, day.day) for entity in entities & unconfirmed}
    return frozenset(found)


def _unconfirmed(judged: JudgedRule, day: LocalDay) -> set[tuple[str, ...]]:
    """Entities of a day on which the rule has no reason to fire."""
    rows = judged.rows.at(day)
    codes = [CODES[code] for code in judged.outcomes.code[rows].tolist()]
    part = judged.rows.columns.take(rows)
    keys = zip(*(part.get(column).data for column in judged.rule.entity.columns), strict=True)
    return {tuple(str(value) for value in key) for key, code in zip(keys, codes, strict=True) if code.is_clear or code is Code.BELOW_VOLUME}
