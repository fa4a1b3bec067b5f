"""Computes checked expressions on whole columns. Missing values propagate; logic has three values; x / 0 is missing.

This walks our own tree (`expression.py`) and calls numpy: Python's `eval` is never involved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from marketing_agents.rules import statistics
from marketing_agents.rules.expression import Arithmetic, Call, Comparison, Constant, Expression, Logic, Membership, Name, Negate, Node, Not
from marketing_agents.rules.vectors import FALSE, TRUE, UNKNOWN, Columns, Vector

if TYPE_CHECKING:
    from marketing_agents.rules.vectors import Array


class Scope:
    """Names -> vectors for one set of rows: mart columns, and the rule's named values, each computed when first read."""

    def __init__(self, columns: Columns, values: Mapping[str, Expression], extra: Mapping[str, Vector] | None = None) -> None:
        self.columns = columns
        self.values = values
        self._known: dict[str, Vector] = dict(extra or {})

    def get(self, name: str) -> Vector:
        if name not in self._known:
            expression = self.values.get(name)
            self._known[name] = self.columns.get(name) if expression is None else self.compute(expression)
        return self._known[name]

    def add(self, vectors: Mapping[str, Vector]) -> None:
        """Make more names known (the values of a peer)."""
        self._known.update(vectors)

    def compute(self, expression: Expression) -> Vector:
        """One value per row."""
        import numpy as np

        with np.errstate(all="ignore"):  # overflow and invalid values become missing below
            return _compute(expression.node, self).spread(len(self.columns))

    def take(self, rows: Array) -> Scope:
        part = Scope(self.columns.take(rows), self.values)
        part._known = {name: vector.take(rows) for name, vector in self._known.items()}
        return part


def _number(data: Array) -> Vector:
    import numpy as np

    data = np.asarray(data, dtype="float64")
    return Vector("number", np.where(np.isfinite(data), data, np.nan))


def _boolean(truth: Array, missing: Array) -> Vector:
    import numpy as np

    return Vector("boolean", np.where(missing, UNKNOWN, np.where(truth, TRUE, FALSE)).astype("int8"))


def _constant(value: float | bool | str) -> Vector:
    import numpy as np

    if isinstance(value, bool):
        return Vector("boolean", np.asarray(TRUE if value else FALSE, dtype="int8"))
    if isinstance(value, str):
        return Vector("text", np.asarray(value, dtype=object))
    return Vector("number", np.asarray(value, dtype="float64"))


def _compute(node: Node, scope: Scope) -> Vector:  # noqa: PLR0911 - one return per kind of node
    match node:
        case Constant(value=value):
            return _constant(value)
        case Name(name=name):
            return scope.get(name)
        case Negate(operand=operand):
            return _number(-_compute(operand, scope).data)
        case Not(operand=operand):
            return Vector("boolean", TRUE - _compute(operand, scope).data)
        case Arithmetic():
            return _arithmetic(node, scope)
        case Comparison():
            return _compare(node, scope)
        case Membership(operand=operand, choices=choices):
            return _member(_compute(operand, scope), choices)
        case Logic(operator=operator, operands=operands):
            return _logic(operator, [_compute(operand, scope) for operand in operands])
        case Call(function=function, arguments=arguments):
            return _call(function, [_compute(argument, scope) for argument in arguments])


def _arithmetic(node: Arithmetic, scope: Scope) -> Vector:
    import numpy as np

    left, right = _compute(node.left, scope), _compute(node.right, scope)
    if left.kind == "date":
        absent = left.missing() | right.missing()
        days = (left.data - right.data).astype("timedelta64[D]").astype("float64")
        return _number(np.where(absent, np.nan, days))
    a, b = left.data, right.data
    match node.operator:
        case "+":
            return _number(a + b)
        case "-":
            return _number(a - b)
        case "*":
            return _number(a * b)
        case "/":
            return _number(a / np.where(b == 0, np.nan, b))
        case "**":
            return _number(np.where(np.isnan(a), np.nan, a**b))


def _compare(node: Comparison, scope: Scope) -> Vector:
    left, right = _compute(node.left, scope), _compute(node.right, scope)
    a, b = left.data, right.data
    match node.operator:
        case "==":
            truth = a == b
        case "!=":
            truth = a != b
        case "<":
            truth = a < b
        case "<=":
            truth = a <= b
        case ">":
            truth = a > b
        case ">=":
            truth = a >= b
    return _boolean(truth, left.missing() | right.missing())


def _member(operand: Vector, choices: tuple[float | bool | str, ...]) -> Vector:
    import numpy as np

    truth = np.zeros(operand.data.shape, dtype=bool)
    for choice in choices:
        truth |= operand.data == _constant(choice).data
    return _boolean(truth, operand.missing())


def _logic(operator: str, operands: list[Vector]) -> Vector:
    import numpy as np

    data = operands[0].data
    for operand in operands[1:]:
        data = np.minimum(data, operand.data) if operator == "and" else np.maximum(data, operand.data)
    return Vector("boolean", data)


def _call(function: str, arguments: list[Vector]) -> Vector:
    handler = _SPECIAL.get(function)
    if handler is not None:
        result: Vector = handler(arguments)
        return result
    import numpy as np

    data = np.broadcast_arrays(*(argument.data for argument in arguments))
    return _number(_NUMERIC[function](*data))


def _coalesce(arguments: list[Vector]) -> Vector:
    import numpy as np

    result = arguments[0]
    for argument in arguments[1:]:
        result = Vector(result.kind, np.where(result.missing(), argument.data, result.data))
    return result


def _if_else(arguments: list[Vector]) -> Vector:
    import numpy as np

    condition, then, otherwise = arguments
    chosen = np.where(condition.data == TRUE, then.data, otherwise.data)
    return Vector(then.kind, np.where(condition.data == UNKNOWN, _absent(then), chosen).astype(chosen.dtype))


def _only_if(arguments: list[Vector]) -> Vector:
    import numpy as np

    condition, value = arguments
    return Vector(value.kind, np.where(condition.data == TRUE, value.data, _absent(value)).astype(value.data.dtype))


def _absent(vector: Vector) -> Any:
    import numpy as np

    return {"number": np.nan, "boolean": UNKNOWN, "text": None, "date": np.datetime64("NaT", "D")}[vector.kind]


def _known_to_be(arguments: list[Vector], value: int) -> Vector:
    import numpy as np

    return Vector("boolean", np.where(arguments[0].data == value, TRUE, FALSE).astype("int8"))


_SPECIAL: dict[str, Any] = {
    "coalesce": _coalesce,
    "if_else": _if_else,
    "only_if": _only_if,
    "is_missing": lambda arguments: _boolean(arguments[0].missing(), False),  # type: ignore[arg-type]
    "is_true": lambda arguments: _known_to_be(arguments, TRUE),
    "is_false": lambda arguments: _known_to_be(arguments, FALSE),
}


def _fold(name: str, *arguments: Array) -> Array:
    import numpy as np

    fold = {"min": np.minimum, "max": np.maximum}[name]  # both pass a missing value on
    result = arguments[0]
    for argument in arguments[1:]:
        result = fold(result, argument)
    return result


def _unary(name: str, argument: Array) -> Array:
    import numpy as np

    functions: dict[str, Any] = {"abs": np.abs, "exp": np.exp, "ln": np.log, "log10": np.log10, "sqrt": np.sqrt, "ceil": np.ceil}
    return np.asarray(functions[name](argument))


def _clip(argument: Array, low: Array, high: Array) -> Array:
    import numpy as np

    return np.minimum(np.maximum(argument, low), high)


_NUMERIC: dict[str, Any] = {
    "min": lambda *arguments: _fold("min", *arguments),
    "max": lambda *arguments: _fold("max", *arguments),
    "clip": _clip,
    "abs": lambda a: _unary("abs", a),
    "exp": lambda a: _unary("exp", a),
    "ln": lambda a: _unary("ln", a),
    "log10": lambda a: _unary("log10", a),
    "sqrt": lambda a: _unary("sqrt", a),
    "ceil": lambda a: _unary("ceil", a),
    "normal_cdf": statistics.normal_cdf,
    "poisson_cdf": statistics.poisson_cdf,
    "poisson_sf": statistics.poisson_sf,
    "poisson_rates_p": statistics.poisson_rates_p,
    "rate_ratio_p": statistics.rate_ratio_p,
    "binomial_cdf": statistics.binomial_cdf,
    "binomial_sf": statistics.binomial_sf,
    "two_proportion_z": statistics.two_proportion_z,
    "two_proportion_p": statistics.two_proportion_p,
    "wilson_low": statistics.wilson_low,
    "wilson_high": statistics.wilson_high,
    "robust_z": statistics.robust_z,
}
