"""The functions that rule expressions may call: their signatures. What they compute is in `interpret.py` and `statistics.py`.

A signature is all that loading a catalogue needs, so no numeric library is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "boolean", "text", "date"]
ParameterKind = Literal["number", "boolean", "text", "date", "any", "same"]

KIND_OF_DATA_TYPE: dict[str, Kind] = {
    "varchar": "text",
    "string": "text",
    "date": "date",
    "boolean": "boolean",
    "bool": "boolean",
    "bigint": "number",
    "integer": "number",
    "int64": "number",
    "double": "number",
    "float": "number",
    "float64": "number",
    "decimal": "number",
    "numeric": "number",
}


def kind_of(data_type: str) -> Kind | None:
    """Kind of a mart column's data type (`decimal(18,6)` is a number); None for types that expressions cannot use."""
    return KIND_OF_DATA_TYPE.get(data_type.lower().split("(", 1)[0].strip())


@dataclass(frozen=True)
class Signature:
    """`parameters`: kinds in order; "same" parameters share one kind, which is also the result where the result is "same".

    `is_variadic`: the last parameter may repeat. `description` is shown by the error about a wrong call.
    """

    name: str
    parameters: tuple[ParameterKind, ...]
    result: Literal["number", "boolean", "same"]
    description: str
    is_variadic: bool = False

    @property
    def minimum(self) -> int:
        return len(self.parameters)

    def accepts(self, count: int) -> bool:
        return count >= self.minimum if self.is_variadic else count == self.minimum

    def kind_at(self, position: int) -> ParameterKind:
        return self.parameters[min(position, len(self.parameters) - 1)]


_N: ParameterKind = "number"

SIGNATURES: dict[str, Signature] = {
    signature.name: signature
    for signature in (
        Signature("coalesce", ("same", "same"), "same", "coalesce(a, b, ...): the first that is not missing", is_variadic=True),
        Signature("if_else", ("boolean", "same", "same"), "same", "if_else(condition, then, otherwise)"),
        Signature("only_if", ("boolean", "same"), "same", "only_if(condition, value): the value where the condition holds, else missing"),
        Signature("is_missing", ("any",), "boolean", "is_missing(a)"),
        Signature("is_true", ("boolean",), "boolean", "is_true(a): true only when known to be true"),
        Signature("is_false", ("boolean",), "boolean", "is_false(a): true only when known to be false"),
        Signature("min", (_N, _N), "number", "min(a, b, ...)", is_variadic=True),
        Signature("max", (_N, _N), "number", "max(a, b, ...)", is_variadic=True),
        Signature("clip", (_N, _N, _N), "number", "clip(a, low, high)"),
        Signature("abs", (_N,), "number", "abs(a)"),
        Signature("exp", (_N,), "number", "exp(a)"),
        Signature("ln", (_N,), "number", "ln(a): natural logarithm"),
        Signature("log10", (_N,), "number", "log10(a)"),
        Signature("sqrt", (_N,), "number", "sqrt(a)"),
        Signature("ceil", (_N,), "number", "ceil(a)"),
        Signature("normal_cdf", (_N,), "number", "normal_cdf(z): P(Z <= z)"),
        Signature("poisson_cdf", (_N, _N), "number", "poisson_cdf(events, mean): P(X <= events)"),
        Signature("poisson_sf", (_N, _N), "number", "poisson_sf(events, mean): P(X > events)"),
        Signature(
            "poisson_rates_p",
            (_N, _N, _N, _N),
            "number",
            "poisson_rates_p(events_1, exposure_1, events_2, exposure_2): P that rate 1 is not above rate 2",
        ),
        Signature(
            "rate_ratio_p",
            (_N, _N, _N, _N),
            "number",
            "rate_ratio_p(successes_a, exposure_a, successes_b, exposure_b): one-sided p-value that rate a exceeds rate b",
        ),
        Signature("binomial_cdf", (_N, _N, _N), "number", "binomial_cdf(successes, trials, share): P(X <= successes)"),
        Signature("binomial_sf", (_N, _N, _N), "number", "binomial_sf(successes, trials, share): P(X > successes)"),
        Signature("two_proportion_z", (_N, _N, _N, _N), "number", "two_proportion_z(successes_1, trials_1, successes_2, trials_2)"),
        Signature(
            "two_proportion_p", (_N, _N, _N, _N), "number", "two_proportion_p(successes_1, trials_1, successes_2, trials_2): two-sided"
        ),
        Signature("wilson_low", (_N, _N), "number", "wilson_low(successes, trials): lower 95 % bound"),
        Signature("wilson_high", (_N, _N), "number", "wilson_high(successes, trials): upper 95 % bound"),
        Signature("robust_z", (_N, _N, _N), "number", "robust_z(value, median, mad)"),
    )
}
