"""A function of inputs and parameters as a polynomial in the inputs and sums of units a·x^m·φ(b·x).

Here a and b are functions of the parameters, or constants, x^m is a monomial of the inputs and φ a function of one
variable: Σ_k a_k tanh(b_k x) has K units of the shape tanh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr, Integer, Poly, Rational, Symbol

from ddtheory.exact.thresholds.analytic.jets import Monomial

ARGUMENT = sympy.Dummy("z", real=True)


@dataclass(frozen=True)
class Chain:
    """Σ_k a_k·x^m·φ(b_k·x) with different b_k.

    Attributes:
        shift: m.
        shape: φ, in `ARGUMENT`.
        units: b_k → a_k.
    """

    shift: Monomial
    shape: Expr
    units: dict[tuple[Expr, ...], Expr]


@dataclass
class Parts:
    """The parts of one function.

    Attributes:
        polynomial: coefficient by monomial of the inputs.
        chains: one for each shape and monomial.
        rest: terms that are neither.
    """

    polynomial: dict[Monomial, Expr] = field(default_factory=dict)
    chains: list[Chain] = field(default_factory=list)
    rest: list[Expr] = field(default_factory=list)


def expanded(expression: Expr) -> Expr:
    """Products multiplied out, also in arguments; functions stay as they are."""
    return sympy.expand(expression, log=False, power_base=False, power_exp=False, basic=False)


def parts_of(function: Expr, inputs: Sequence[Symbol]) -> Parts:
    """The parts of a function, which vanish where they cancel.

    >>> a, b, x = sympy.symbols("a b x", real=True)
    >>> parts = parts_of(a * sympy.tanh(b * x) - sympy.tanh(x) + a * x**2, [x])
    >>> parts.polynomial, [chain.units for chain in parts.chains]
    ({(2,): a}, [{(1,): -1, (b,): a}])
    """
    found = Parts()
    chains: dict[tuple[Monomial, Expr], dict[tuple[Expr, ...], Expr]] = {}
    for term in sympy.Add.make_args(expanded(function)):
        weight, rest = term.as_independent(*inputs, as_Add=False)
        monomial, factor = _monomial(rest, inputs)
        if factor == 1:
            found.polynomial[monomial] = found.polynomial.get(monomial, Integer(0)) + weight
            continue
        unit = _unit(factor, inputs)
        if unit is None:
            found.rest.append(term)
            continue
        shape, direction = unit
        units = chains.setdefault((monomial, shape), {})
        units[direction] = sympy.expand(units.get(direction, Integer(0)) + weight)
    found.polynomial = {m: c for m, c in found.polynomial.items() if sympy.expand(c) != 0}
    for (monomial, shape), units in chains.items():
        kept = {direction: weight for direction, weight in units.items() if weight != 0}
        if kept:
            found.chains.append(Chain(monomial, shape, kept))
    return found


def _monomial(rest: Expr, inputs: Sequence[Symbol]) -> tuple[Monomial, Expr]:
    """The powers of inputs that are factors, and what is left."""
    powers = [0] * len(inputs)
    others: list[Expr] = []
    for factor in sympy.Mul.make_args(rest):
        base, power = factor.as_base_exp()
        if base in inputs and power.is_Integer and power > 0:
            powers[list(inputs).index(base)] += int(power)
        else:
            others.append(factor)
    return tuple(powers), sympy.Mul(*others)


def _unit(factor: Expr, inputs: Sequence[Symbol]) -> tuple[Expr, tuple[Expr, ...]] | None:
    """(φ, b) with factor = φ(b·x); None where that is not seen."""
    arguments = [node.args[0] for node in factor.atoms(sympy.Function, sympy.Pow, sympy.exp)]
    linear = {a: found for a in arguments if a.has(*inputs) and (found := _linear(a, inputs)) is not None}
    if not linear:
        return None
    _, direction = next(iter(sorted(linear.items(), key=lambda entry: sympy.default_sort_key(entry[0]))))[1]
    images: dict[Expr, Expr] = {}
    for argument, (constant, own) in linear.items():
        ratio = _ratio(own, direction)
        if ratio is None:
            return None
        images[argument] = constant + ratio * ARGUMENT
    shape = factor.xreplace(images)
    return (shape, direction) if shape.free_symbols == {ARGUMENT} else None


def _linear(argument: Expr, inputs: Sequence[Symbol]) -> tuple[Expr, tuple[Expr, ...]] | None:
    """(c, b) of an argument c + b·x with a number c."""
    if not argument.is_polynomial(*inputs):
        return None
    polynomial: Any = Poly(argument, *inputs)
    if polynomial.total_degree() != 1:
        return None
    constant = polynomial.coeff_monomial(1)
    if constant.free_symbols:
        return None
    return constant, tuple(polynomial.coeff_monomial(x) for x in inputs)


def _ratio(one: Sequence[Expr], other: Sequence[Expr]) -> Expr | None:
    """The rational r with one = r·other."""
    place = next(i for i, value in enumerate(other) if value != 0)
    ratio = sympy.cancel(one[place] / other[place])
    same = all(sympy.expand(a - ratio * b) == 0 for a, b in zip(one, other, strict=True))
    return ratio if same and isinstance(ratio, Rational) and ratio != 0 else None
