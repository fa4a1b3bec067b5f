"""Reads YAML that people write: safely, a key that is written twice is an error, not a silent last one, and aliases cannot blow a file up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_FILE_BYTES = 2_000_000
MAX_VALUES = 200_000
"""Values of a file with its aliases written out: ten lists that each name the one before ten times are ten billion."""
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What PyYAML raises for `!!bool maybe`, `!!float ''`, `!!timestamp soon`, a day such as 2026-13-45, and keys that are lists."""


def read_yaml(path: Path) -> tuple[Any, str | None]:
    """The content of a file and None, or None and what is wrong with it."""
    import yaml

    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None, f"larger than {MAX_FILE_BYTES} bytes: split it"
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_strict_loader()), None  # noqa: S506 - a SafeLoader that refuses more
    except (yaml.YAMLError, OSError, ValueError, OverflowError, RecursionError) as error:  # ValueError: no UTF-8, no character
        return None, f"cannot be read as YAML: {' '.join(str(error).split())}"


def _strict_loader() -> Any:
    import yaml

    class StrictLoader(yaml.SafeLoader):
        """A SafeLoader that refuses a key written twice, values that do not fit their tag, and files that are huge once aliases are followed."""

        def __init__(self, stream: str) -> None:
            super().__init__(stream)
            self.sizes: dict[yaml.Node, int] = {}

        def compose_node(self, parent: yaml.Node | None, index: Any) -> Any:
            is_alias = self.check_event(yaml.AliasEvent)
            node: Any = super().compose_node(parent, index)
            if is_alias and node not in self.sizes:
                raise yaml.MarkedYAMLError(problem="an alias inside of what it stands for", problem_mark=node.start_mark)
            if not is_alias:
                self.sizes[node] = 1 + sum(self.sizes[child] for child in _children(node))
            if self.sizes[node] > MAX_VALUES:
                raise yaml.MarkedYAMLError(
                    problem=f"more than {MAX_VALUES} values (aliases written out): split it", problem_mark=node.start_mark
                )
            return node

        def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep=deep)
            except _UNREADABLE as error:
                given = repr(node.value[:80]) if isinstance(node, yaml.ScalarNode) else "this"
                kind = node.tag.rpartition(":")[2]
                raise yaml.MarkedYAMLError(problem=f"{given} is not a valid {kind}", problem_mark=node.start_mark) from error

    StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)
    return StrictLoader


def _construct_mapping(loader: Any, node: Any) -> dict[Any, Any]:
    import yaml

    seen = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key must be a word, not a list or a mapping", problem_mark=key_node.start_mark)
        key = key_node.value
        if key in seen:
            raise yaml.MarkedYAMLError(problem=f"the key '{key[:80]}' is written twice", problem_mark=key_node.start_mark)
        seen.add(key)
    loader.flatten_mapping(node)
    return dict(loader.construct_pairs(node, deep=True))


def _children(node: Any) -> Iterator[Any]:
    """The nodes directly inside of a node, keys included."""
    if isinstance(node.value, list):  # of a scalar it is a text
        for child in node.value:
            yield from child if isinstance(child, tuple) else (child,)
