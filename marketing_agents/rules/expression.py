"""Rule expressions: text -> checked tree. Only a small part of Python's expression grammar exists here, and nothing is ever run by Python.

What there is: numbers, quoted text, `true` and `false`, names, + - * / ** (small constant exponents), comparisons (also chained), `in` with a
list of constants, `and`, `or`, `not`, and the functions of `functions.py`. Every tree is type-checked: number, boolean, text, date.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from marketing_agents.rules.functions import SIGNATURES, Kind

MAX_LENGTH = 600
MAX_DEPTH = 40
MAX_TREE_DEPTH = 2 * MAX_DEPTH
"""Python's own functions on trees recurse: what is deeper than any usable expression must not reach them."""
MAX_NUMBER = 1e15
MAX_TEXT = 100
MAX_EXPONENT = 4

ArithmeticOperator = Literal["+", "-", "*", "/", "**"]
ComparisonOperator = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True)
class Constant:
    value: float | bool | str
    kind: Kind


@dataclass(frozen=True)
class Name:
    name: str
    kind: Kind


@dataclass(frozen=True)
class Negate:
    operand: Node
    kind: Kind = "number"


@dataclass(frozen=True)
class Not:
    operand: Node
    kind: Kind = "boolean"


@dataclass(frozen=True)
class Arithmetic:
    operator: ArithmeticOperator
    left: Node
    right: Node
    kind: Kind = "number"


@dataclass(frozen=True)
class Comparison:
    operator: ComparisonOperator
    left: Node
    right: Node
    kind: Kind = "boolean"


@dataclass(frozen=True)
class Membership:
    operand: Node
    choices: tuple[float | bool | str, ...]
    kind: Kind = "boolean"


@dataclass(frozen=True)
class Logic:
    operator: Literal["and", "or"]
    operands: tuple[Node, ...]
    kind: Kind = "boolean"


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple[Node, ...]
    kind: Kind = "number"


Node = Constant | Name | Negate | Not | Arithmetic | Comparison | Membership | Logic | Call


@dataclass(frozen=True)
class Expression:
    """A checked expression. `text` is canonical (spacing and quotes do not matter); `names` are the names it reads, sorted."""

    text: str
    node: Node
    kind: Kind
    names: tuple[str, ...]


class ExpressionError(ValueError):
    """An expression that cannot be used. `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def suggestion(word: str, choices: Iterable[str]) -> str:
    """The hint (did you mean 'x'?) for the closest choice, with a space before it; empty when nothing is close."""
    close = difflib.get_close_matches(word, sorted(choices), n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else ""


_ARITHMETIC: dict[type[ast.operator], ArithmeticOperator] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_COMPARISON: dict[type[ast.cmpop], ComparisonOperator] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_FORBIDDEN: dict[type[ast.AST], str] = {
    ast.Attribute: "attribute access (a.b)",
    ast.Subscript: "subscripts (a[b])",
    ast.Lambda: "lambda",
    ast.ListComp: "comprehensions",
    ast.SetComp: "comprehensions",
    ast.DictComp: "comprehensions",
    ast.GeneratorExp: "comprehensions",
    ast.JoinedStr: "f-strings",
    ast.NamedExpr: "assignment (:=)",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.Starred: "star arguments",
    ast.Dict: "dictionaries",
    ast.Set: "sets",
    ast.IfExp: "'x if y else z' (use if_else(y, x, z))",
}
_FAILED = Constant(0.0, "number")
_TOO_DEEP = "nested too deeply: split it into named values"


def parse_expression(text: str, names: Mapping[str, Kind]) -> Expression:
    """Parse and check `text`, which may read `names`.

    Raises:
        ExpressionError: with every problem of the expression.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError([f"longer than {MAX_LENGTH} characters: split it into named values"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # '1 is 1' and the like are refused below, with a better message
            body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError) as error:
        detail = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ExpressionError([f"cannot be read: {detail} in {text!r}"]) from None
    except RecursionError:
        raise ExpressionError([_TOO_DEEP]) from None
    if _depth(body) > MAX_TREE_DEPTH:
        raise ExpressionError([_TOO_DEEP])
    checker = _Checker(names)
    node = checker.convert(body, 0)
    if checker.problems:
        raise ExpressionError(dict.fromkeys(checker.problems))
    return Expression(" ".join(ast.unparse(body).split()), node, node.kind, tuple(sorted(checker.used)))


def _depth(tree: ast.AST) -> int:
    """Levels of a tree."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


class _Checker:
    """Converts Python's tree into ours, collecting problems instead of stopping at the first one."""

    def __init__(self, names: Mapping[str, Kind]) -> None:
        self.names = names
        self.problems: list[str] = []
        self.used: set[str] = set()
        self.converters: dict[type[ast.AST], Callable[[ast.AST, int], Node]] = {}

    def fail(self, message: str) -> Node:
        self.problems.append(message)
        return _FAILED

    def convert(self, tree: ast.expr, depth: int) -> Node:  # noqa: PLR0911 - one return per kind of node
        if depth > MAX_DEPTH:
            return self.fail(_TOO_DEEP)
        match tree:
            case ast.Constant():
                return self.constant(tree)
            case ast.Name():
                return self.name(tree.id)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Negate(self.expect(operand, "number", "-", depth))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.expect(operand, "boolean", "not", depth))
            case ast.BinOp():
                return self.arithmetic(tree, depth)
            case ast.BoolOp(op=operator, values=values):
                word: Literal["and", "or"] = "and" if isinstance(operator, ast.And) else "or"
                return Logic(word, tuple(self.expect(value, "boolean", word, depth) for value in values))
            case ast.Compare():
                return self.comparison(tree, depth)
            case ast.Call():
                return self.call(tree, depth)
            case _:
                what = _FORBIDDEN.get(type(tree), f"{type(tree).__name__} syntax")
                return self.fail(f"{what} is not allowed in {ast.unparse(tree)[:60]!r}")

    def expect(self, tree: ast.expr, kind: Kind, where: str, depth: int) -> Node:
        before = len(self.problems)
        node = self.convert(tree, depth + 1)
        if len(self.problems) == before and node.kind != kind:
            self.fail(f"'{where}' needs a {kind}, but {ast.unparse(tree)[:60]!r} is a {node.kind}")
        return node

    def constant(self, tree: ast.Constant) -> Node:
        value = tree.value
        if isinstance(value, bool):
            return Constant(value, "boolean")
        if isinstance(value, (int, float)):
            if not abs(value) <= MAX_NUMBER:
                return self.fail(f"a number beyond {MAX_NUMBER:g}")
            return Constant(float(value), "number")
        if isinstance(value, str):
            if len(value) > MAX_TEXT:
                return self.fail(f"a text longer than {MAX_TEXT} characters")
            return Constant(value, "text")
        return self.fail(f"the constant {value!r} is not allowed")

    def name(self, name: str) -> Node:
        if name in ("true", "false"):
            return Constant(name == "true", "boolean")
        if name.startswith("__"):
            return self.fail(f"the name {name!r} is not allowed")
        kind = self.names.get(name)
        if kind is None:
            if name in SIGNATURES:
                return self.fail(f"'{name}' is a function: {SIGNATURES[name].description}")
            return self.fail(f"unknown column or value '{name}'{suggestion(name, self.names)}")
        self.used.add(name)
        return Name(name, kind)

    def arithmetic(self, tree: ast.BinOp, depth: int) -> Node:
        operator = _ARITHMETIC.get(type(tree.op))
        if operator is None:
            return self.fail(f"the operator in {ast.unparse(tree)[:60]!r} is not allowed (there are + - * / **)")
        before = len(self.problems)
        left, right = self.convert(tree.left, depth + 1), self.convert(tree.right, depth + 1)
        if len(self.problems) > before:
            return _FAILED
        if operator == "**" and not (isinstance(right, Constant) and isinstance(right.value, float) and 0 <= right.value <= MAX_EXPONENT):
            return self.fail(f"'**' needs a constant exponent from 0 to {MAX_EXPONENT}")
        if (left.kind, right.kind) == ("number", "number"):
            return Arithmetic(operator, left, right)
        if operator == "-" and (left.kind, right.kind) == ("date", "date"):
            return Arithmetic(operator, left, right)
        return self.fail(f"'{operator}' needs numbers, but has {left.kind} and {right.kind} in {ast.unparse(tree)[:60]!r}")

    def comparison(self, tree: ast.Compare, depth: int) -> Node:
        before = len(self.problems)
        parts: list[Node] = []
        left_tree = tree.left
        left = self.convert(left_tree, depth + 1)
        for operator, right_tree in zip(tree.ops, tree.comparators, strict=True):
            if isinstance(operator, (ast.In, ast.NotIn)):
                member = self.membership(left, right_tree)
                parts.append(Not(member) if isinstance(operator, ast.NotIn) else member)
                continue
            word = _COMPARISON.get(type(operator))
            if word is None:
                return self.fail(f"'is' is not allowed in {ast.unparse(tree)[:60]!r} (use ==, or is_missing())")
            right = self.convert(right_tree, depth + 1)
            if len(self.problems) > before:
                return _FAILED
            if left.kind != right.kind:
                self.fail(f"cannot compare a {left.kind} with a {right.kind} in {ast.unparse(tree)[:60]!r}")
            elif left.kind in ("text", "boolean") and word not in ("==", "!="):
                self.fail(f"a {left.kind} has no order: '{word}' in {ast.unparse(tree)[:60]!r}")
            parts.append(Comparison(word, left, right))
            left = right
        return parts[0] if len(parts) == 1 else Logic("and", tuple(parts))

    def membership(self, operand: Node, choices: ast.expr) -> Node:
        if not isinstance(choices, (ast.Tuple, ast.List)) or not choices.elts:
            return self.fail("'in' needs a list of constants, e.g. role in ('brand', 'other')")
        values = [self.convert(choice, 0) for choice in choices.elts]
        if not all(isinstance(value, Constant) and value.kind == operand.kind for value in values):
            return self.fail(f"'in' needs constants of the kind of its left side ({operand.kind})")
        return Membership(operand, tuple(value.value for value in values if isinstance(value, Constant)))

    def call(self, tree: ast.Call, depth: int) -> Node:  # noqa: PLR0911 - one refusal per kind of mistake
        if not isinstance(tree.func, ast.Name):
            return self.fail(f"only named functions can be called, not {ast.unparse(tree.func)[:60]!r}")
        signature = SIGNATURES.get(tree.func.id)
        if signature is None:
            return self.fail(f"unknown function '{tree.func.id}'{suggestion(tree.func.id, SIGNATURES)}")
        if tree.keywords:
            return self.fail(f"named arguments are not allowed: {signature.description}")
        if not signature.accepts(len(tree.args)):
            return self.fail(f"'{signature.name}' has {len(tree.args)} arguments: {signature.description}")
        before = len(self.problems)
        arguments = tuple(self.convert(argument, depth + 1) for argument in tree.args)
        if len(self.problems) > before:
            return _FAILED
        shared: Kind | None = None
        for position, argument in enumerate(arguments):
            wanted = signature.kind_at(position)
            if wanted == "same":
                shared = shared or argument.kind
                wanted = shared
            if wanted not in ("any", argument.kind):
                return self.fail(
                    f"argument {position + 1} of '{signature.name}' must be a {wanted}, is a {argument.kind}: {signature.description}"
                )
        kind = shared if signature.result == "same" and shared else signature.result
        return Call(signature.name, arguments, "number" if kind == "same" else kind)
