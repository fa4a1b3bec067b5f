"""Where entities stand in the account tree: advertiser > platform account > campaign > ad group > ad, other entities as leaves below their parent."""

from __future__ import annotations

from marketing_agents.rules.finding import Entity

NA = "NA"
TREE_TYPES = ("advertiser", "platform_account", "campaign", "adgroup", "ad")
"""Types that are levels of the tree, from the root down."""

Path = tuple[tuple[str, ...], ...]


def path_of(entity: Entity) -> Path:
    """The way from the advertiser (the empty path) to the entity. An entity without a known parent hangs below the last one that is known.

    A rule may look at a part of a level (a campaign on one network: id 'c1/search', campaign 'c1'): that is a child of the level.
    """
    if entity.type == "advertiser":
        return ()
    path: list[tuple[str, ...]] = []
    if entity.account_id != NA:
        path.append(("account", entity.platform, entity.account_id))
    if entity.type == "platform_account" and path:
        return tuple(path)
    own = {"campaign": entity.campaign_id, "adgroup": entity.adgroup_id}.get(entity.type, NA)
    for level, parent_id in (("campaign", entity.campaign_id), ("adgroup", entity.adgroup_id)):
        if level == entity.type or parent_id == NA:
            break
        path.append((level, parent_id))
    path.append((entity.type, entity.id if own == NA else own))
    if own not in (NA, entity.id):
        path.append(("part", entity.id))
    return tuple(path)


def is_below(lower: Path, upper: Path) -> bool:
    """True when `upper` is a parent of `lower`, at any distance."""
    return len(lower) > len(upper) and lower[: len(upper)] == upper


def is_same_line(one: Path, other: Path) -> bool:
    """True for the same entity, and for a parent and a child of it, at any distance. Siblings are not."""
    return one == other or is_below(one, other) or is_below(other, one)
