"""Finds thresholds that cannot work: conditions that contradict themselves, and severities that a higher one always hides.

Conditions are brought into alternatives (or) of parts (and). A part that compares a name with a constant bounds that name; other parts are kept
as text. The checks are safe: what they report is certainly wrong; what they cannot decide passes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import product

from marketing_agents.rules.expression import Comparison, Constant, Expression, Logic, Membership, Name, Negate, Node, Not

MAX_ALTERNATIVES = 64
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Bound:
    """`name operator value`, the value a constant."""

    name: str
    operator: str
    value: float | bool | str

    def __str__(self) -> str:
        return (
            f"{self.name} {self.operator} {self.value:g}"
            if isinstance(self.value, float)
            else f"{self.name} {self.operator} {self.value!r}"
        )


Part = Bound | str | bool


@dataclass
class Range:
    """What the parts of one alternative leave for one name."""

    low: float = -math.inf
    low_open: bool = False
    high: float = math.inf
    high_open: bool = False
    equal: set[float | bool | str] = field(default_factory=set)
    unequal: set[float | bool | str] = field(default_factory=set)

    def add(self, bound: Bound) -> None:
        value = bound.value
        if bound.operator == "==":
            self.equal.add(value)
        elif bound.operator == "!=":
            self.unequal.add(value)
        elif isinstance(value, float):
            is_open = bound.operator in ("<", ">")
            if bound.operator in (">", ">=") and (value, is_open) > (self.low, self.low_open):
                self.low, self.low_open = value, is_open
            if bound.operator in ("<", "<=") and (value, not is_open) < (self.high, not self.high_open):
                self.high, self.high_open = value, is_open

    def is_empty(self) -> bool:
        if len(self.equal) > 1 or self.equal & self.unequal:
            return True
        for value in self.equal:
            if isinstance(value, float) and not isinstance(value, bool) and not self._admits(value):
                return True
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def _admits(self, value: float) -> bool:
        above = value > self.low or (value == self.low and not self.low_open)
        below = value < self.high or (value == self.high and not self.high_open)
        return above and below

    def implies(self, bound: Bound) -> bool:
        """True when every value left satisfies `bound`."""
        value = bound.value
        if bound.operator == "==":
            return self.equal == {value}
        if bound.operator == "!=":
            return value in self.unequal or (len(self.equal) == 1 and value not in self.equal)
        if not isinstance(value, float):
            return False
        low, high = (self.low, self.high)
        low_open, high_open = self.low_open, self.high_open
        for only in self.equal:
            if isinstance(only, float):
                low, high, low_open, high_open = only, only, False, False
        return {
            ">=": low >= value,
            ">": low > value or (low == value and low_open),
            "<=": high <= value,
            "<": high < value or (high == value and high_open),
        }[bound.operator]


def _number(node: Node) -> float | bool | str | None:
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Negate) and isinstance(node.operand, Constant) and isinstance(node.operand.value, float):
        return -node.operand.value
    return None


def _bound(node: Comparison) -> Bound | bool | None:
    """The comparison as a bound; True/False when it compares two constants; None when it is neither."""
    left, right = _number(node.left), _number(node.right)
    if left is not None and right is not None:
        if isinstance(left, float) and isinstance(right, float):
            return {
                "<": left < right,
                "<=": left <= right,
                ">": left > right,
                ">=": left >= right,
                "==": left == right,
                "!=": left != right,
            }[node.operator]
        return left == right if node.operator == "==" else left != right
    if isinstance(node.left, Name) and right is not None:
        return Bound(node.left.name, node.operator, right)
    if isinstance(node.right, Name) and left is not None:
        return Bound(node.right.name, _MIRROR[node.operator], left)
    return None


def _alternatives(node: Node, *, negated: bool = False) -> list[frozenset[Part]]:  # noqa: C901, PLR0911 - one case per kind of node
    """Disjunctive normal form; one alternative with the text of the condition when it would grow too large."""
    match node:
        case Constant(value=bool() as value):
            return [frozenset({value != negated})]
        case Name(kind="boolean", name=name):
            return [frozenset({Bound(name, "==", not negated)})]
        case Not(operand=operand):
            return _alternatives(operand, negated=not negated)
        case Logic(operator=operator, operands=operands):
            parts = [_alternatives(operand, negated=negated) for operand in operands]
            if (operator == "or") != negated:
                return [alternative for part in parts for alternative in part]
            if math.prod(len(part) for part in parts) > MAX_ALTERNATIVES:
                return [frozenset({f"{'not ' if negated else ''}{node!r}"})]
            return [frozenset().union(*choice) for choice in product(*parts)]
        case Comparison():
            bound = _bound(node)
            if isinstance(bound, bool):
                return [frozenset({bound != negated})]
            if bound is not None:
                return [frozenset({Bound(bound.name, _NEGATED[bound.operator], bound.value) if negated else bound})]
        case Membership(operand=Name(name=name), choices=choices):
            if not negated:
                return [frozenset({Bound(name, "==", choice)}) for choice in choices]
            return [frozenset(Bound(name, "!=", choice) for choice in choices)]
    return [frozenset({f"{'not ' if negated else ''}{node!r}"})]


def _ranges(parts: frozenset[Part]) -> dict[str, Range]:
    ranges: dict[str, Range] = {}
    for part in parts:
        if isinstance(part, Bound):
            ranges.setdefault(part.name, Range()).add(part)
    return ranges


def _is_possible(parts: frozenset[Part]) -> bool:
    return False not in parts and not any(left.is_empty() for left in _ranges(parts).values())


def _implies(narrow: frozenset[Part], wide: frozenset[Part]) -> bool:
    ranges = _ranges(narrow)
    for part in wide:
        if part is True or part in narrow:
            continue
        if not isinstance(part, Bound) or part.name not in ranges or not ranges[part.name].implies(part):
            return False
    return True


def can_hold(*conditions: Expression | None) -> bool:
    """False when no row can satisfy all conditions at once."""
    combined: list[frozenset[Part]] = [frozenset()]
    for condition in conditions:
        if condition is None:
            continue
        alternatives = _alternatives(condition.node)
        if len(combined) * len(alternatives) > MAX_ALTERNATIVES**2:
            return True
        combined = [left | right for left in combined for right in alternatives]
        combined = [parts for parts in combined if _is_possible(parts)]
        if not combined:
            return False
    return True


def is_hidden_by(lower: Expression, higher: Expression) -> bool:
    """True when `higher` holds wherever `lower` does, so that the lower severity can never be the one in force."""
    wide = _alternatives(higher.node)
    return all(any(_implies(narrow, other) for other in wide) for narrow in _alternatives(lower.node) if _is_possible(narrow))


def bounds_on(condition: Expression, name: str) -> list[Bound]:
    """The distinct ordered bounds (<, <=, >, >=) that a condition puts on `name`, over all its alternatives."""
    found = {
        part: None
        for parts in _alternatives(condition.node)
        for part in sorted((p for p in parts if isinstance(p, Bound)), key=str)
        if part.name == name and part.operator not in ("==", "!=") and isinstance(part.value, float)
    }
    return list(found)
