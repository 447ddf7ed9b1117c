"""What is known of the inputs of a model: finitely many points, moments, or a law of which nothing but its kind is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Integer, Matrix, Rational, Symbol

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.numbers.given import by_name
from ddtheory.exact.numbers.names import FUNCTIONS
from ddtheory.exact.numbers.zero import is_zero, sign
from ddtheory.models.reading import number

GENERIC = "generic"
_MOST_POINTS = 500
_MOST_MOMENTS = 40


@dataclass(frozen=True)
class Inputs:
    """The inputs of a model.

    Attributes:
        points: the values of the inputs that are known point by point; one point without values where there are none.
        weights: of the points, positive, with sum 1.
        moments: E x^0, E x^1, … of the inputs of which only these are known; they are independent of all others.
        generic: the inputs with a law that charges no proper analytic subset, on a compact connected set around 0 on
            which the model is analytic; or one for which the remainders of the power series are square integrable.
    """

    points: tuple[Mapping[Symbol, Expr], ...] = ({},)
    weights: tuple[Expr, ...] = (Integer(1),)
    moments: Mapping[Symbol, tuple[Expr, ...]] = ()  # type: ignore[assignment]
    generic: tuple[Symbol, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "moments", dict(self.moments))

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """All of them, points first."""
        return (*self.points[0], *self.moments, *self.generic)


def read_inputs(given: object, weights: object = None) -> Inputs:
    """The inputs by name: "generic", a list of values, or {"moments": [1, E x, E x², …]}.

    Lists of values have one length: the s-th entries of all lists are the s-th point.

    Raises:
        InvalidValueError: anything else; weights that are not positive or without points; moments of no law.

    >>> read_inputs({"x": [1, "1/2"], "y": "generic"}).points
    ({x: 1}, {x: 1/2})
    """
    listed: dict[Symbol, list[Expr]] = {}
    moments: dict[Symbol, tuple[Expr, ...]] = {}
    generic: list[Symbol] = []
    for name, kind in by_name({} if given is None else given, "inputs").items():
        if name in FUNCTIONS:
            raise InvalidValueError(f"inputs names {name}, which is a function; give the input another name.")
        symbol = Symbol(name, real=True)
        if isinstance(kind, str):
            if str.__str__(kind) != GENERIC:
                raise InvalidValueError(
                    f'The input {name} is {shown(kind)}; give "generic", a list of values, or its moments.'
                )
            generic.append(symbol)
        elif isinstance(kind, Mapping):
            moments[symbol] = _moments(kind, name)
        else:
            values = in_order(kind, f"The list of values of the input {name}", _MOST_POINTS)
            listed[symbol] = [number(value, f"A value of the input {name}") for value in values]
    lengths = {len(values) for values in listed.values()}
    if len(lengths) > 1 or 0 in lengths:
        raise InvalidValueError(
            "The lists of values of the inputs must have one length, at least 1: the s-th entries are the s-th point."
        )
    count = lengths.pop() if lengths else 1
    points = tuple({symbol: values[s] for symbol, values in listed.items()} for s in range(count))
    return Inputs(points, _weights(weights, count, bool(listed)), moments, tuple(generic))


def _weights(given: object, count: int, has_points: bool) -> tuple[Expr, ...]:
    if given is None:
        return (Rational(1, count),) * count
    if not has_points:
        raise InvalidValueError("weights belong to points; the inputs have none.")
    found = [number(value, "A weight") for value in in_order(given, "weights", _MOST_POINTS)]
    if len(found) != count or any(sign(value) <= 0 for value in found):
        raise InvalidValueError(f"weights must be {count} positive numbers, one for each point.")
    total = sympy.Add(*found)
    return tuple(value / total for value in found)


def _moments(given: Mapping[Any, Any], name: str) -> tuple[Expr, ...]:
    parts = by_name(given, f"The input {name}")
    if set(parts) != {"moments"}:
        raise InvalidValueError(f'The input {name} must be {{"moments": [1, E x, E x², …]}}, with this one key.')
    found = [number(value, f"A moment of {name}") for value in in_order(parts["moments"], "moments", _MOST_MOMENTS)]
    if not found or not is_zero(found[0] - 1):
        raise InvalidValueError(f"The moments of {name} must begin with E 1 = 1.")
    size = (len(found) + 1) // 2
    hankel = Matrix(size, size, lambda i, j: found[i + j])
    if not is_positive_semidefinite(hankel):
        raise InvalidValueError(f"No law has these moments of {name}: E (c_0 + c_1 x + …)² would be negative.")
    return tuple(found)


def is_positive_semidefinite(matrix: Matrix) -> bool:
    """Whether cᵀMc ≥ 0 for all c, by the signs of the coefficients of the characteristic polynomial.

    >>> is_positive_semidefinite(Matrix([[1, 1], [1, 1]])), is_positive_semidefinite(Matrix([[0, 1], [1, 0]]))
    (True, False)
    """
    coefficients = matrix.charpoly().all_coeffs()  # ∏ (t − λ_i) with λ_i ≥ 0: the signs alternate, or are 0
    return all(sign(sympy.expand(c)) * (-1) ** k >= 0 for k, c in enumerate(coefficients))
