"""The germ of one hidden layer at a checkpoint: dead units beside living ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations_with_replacement
from math import prod

import sympy
import torch
from sympy import Expr, Symbol
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError
from ddtheory.exact.numbers.given import expression_of
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.matrices.factor import Factor
from ddtheory.measure.matrices.gram import GramFactor
from ddtheory.measure.setting.problem import Problem
from ddtheory.reads.germ import Germ
from ddtheory.reads.rank import Rank

_MOST_MISSING = 12
"""How far a function is developed beyond the units there are, in search of derivatives that do not vanish."""

z = Symbol("z", real=True)


def known_unit(activation: nn.Module) -> Expr | None:
    """The formula of an activation of torch that is analytic and zero at zero, if that is what it does."""
    found = None
    if isinstance(activation, nn.Tanh):
        found = sympy.tanh(z)
    elif isinstance(activation, nn.SiLU):
        found = z / (1 + sympy.exp(-z))
    elif isinstance(activation, nn.GELU) and activation.approximate == "none":
        found = z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2
    return None if found is None or _differs(found, activation) else found  # a subclass may do something else


def unit_formula(unit: object) -> Expr:
    """A formula in z, in whatever variable it is given.

    Raises:
        InvalidValueError: it is no function of one variable.
    """
    found = expression_of(unit, "The unit")
    if len(found.free_symbols) != 1:
        raise InvalidValueError("The unit is a formula of one variable, as a text or an expression: unit='z^2'.")
    (own,) = found.free_symbols
    return found.xreplace({own: z})


def given_unit(unit: object, activation: nn.Module) -> Expr:
    """A formula in z that somebody gives for an activation, if that is what the activation does.

    Raises:
        InvalidValueError: it is no function of z alone, or the activation is another one.
    """
    found = unit_formula(unit)
    where = _differs(found, activation)
    if where:
        raise InvalidValueError(where)
    return found


def _differs(formula: Expr, activation: nn.Module) -> str:
    """Where an activation is another function, of numbers around one and down to 1e-5; empty where it is not."""
    places = [sympy.Rational(place, 7) for place in (-9, -4, -1, 2, 5, 11)]
    places += [sympy.Rational(sign, 7**power) for power in range(2, 7) for sign in (-1, 1)]
    with borrowed("The activation fails on numbers", "It must be a function of one channel at a time."):
        values = activation(torch.tensor([float(place) for place in places], dtype=torch.float64))
        if values.shape != (len(places),):
            raise InvalidValueError("The activation changes the number of channels.")
    for place, value in zip(places, values.tolist(), strict=True):
        expected = complex(formula.subs(z, place).evalf(20))
        if not abs(expected - value) <= 1e-12 * max(1.0, abs(value)):
            return f"The activation is {value} at z = {float(place):.6g}, and the formula {expected.real}."
    return ""


def derivative_orders(function: Expr, units: int) -> list[int] | str:
    """Orders s of derivatives at 0 whose g_s = Σ a_i w_i^s generate all others, for so many units; or why not.

    The w_i² are roots of a polynomial of degree H whose other coefficients vanish at the point, so H orders of one
    parity in a row generate all later ones of that parity. A polynomial has finitely many.
    """
    if function.subs(z, 0) != 0:
        return "the activation is not zero at zero"
    if function.is_polynomial(z):
        return sorted(power for (power,) in sympy.Poly(function, z).monoms() if power)
    most = 2 * units + _MOST_MISSING
    series = sympy.Poly(function.series(z, 0, most + 1).removeO(), z)
    present = sorted(power for (power,) in series.monoms() if power)
    found: list[int] = []
    for parity in (1, 0):
        orders = [order for order in present if order % 2 == parity]
        if not orders:
            continue
        runs = [start for start in orders if all(start + 2 * step in orders for step in range(units))]
        if not runs:
            if len(orders) == 1 and _is_one_power(function, orders[0], series.coeff_monomial(z ** orders[0])):
                found += orders
                continue
            return f"the derivatives of the activation vanish irregularly up to order {most}"
        found += [order for order in orders if order < runs[0] + 2 * units]
    return sorted(found) or "all derivatives of the activation vanish"


def _is_one_power(function: Expr, order: int, coefficient: Expr) -> bool:
    """Whether the part of that parity is this coefficient times a power, and nothing else."""
    part = (function + (-1) ** order * function.subs(z, -z)) / 2
    return bool(sympy.simplify(part - coefficient * z**order) == 0)


def units_germ(
    problem: Problem, inner: Tensor, outer: Tensor, activation: Callable[[Tensor], Tensor], function: Expr
) -> Germ | str:
    r"""The germ of f = Σ_i a_i φ(w_i·x) beside its living units, or why it is not enumerated.

    Living units have independent derivatives by all their weights; with a = 0 and w ≠ 0, by a. A dead unit has a = 0
    and w = 0. With the monomials x^α of the orders s of φ independent of those derivatives and of one another, on the
    inputs and in the metric of the head, K ≍ Σ u² + Σ_α ‖Σ_dead a_i w_i^α‖², u as many as there are derivatives.
    """
    zero_in, zero_out = (inner == 0).all(1), (outer == 0).all(0)
    dead, silent = zero_in & zero_out, ~zero_in & zero_out
    if bool((zero_in & ~zero_out).any()):
        return "a unit has no weights in and some out"
    count = int(dead.sum())
    orders = derivative_orders(function, count) if count else []
    if isinstance(orders, str):
        return orders
    powers = [list(combinations_with_replacement(range(inner.shape[1]), order)) for order in orders]
    monomials = [power for some in powers for power in some]
    live = ~dead & ~silent
    regular = int(live.sum()) * (inner.shape[1] + outer.shape[0]) + int(silent.sum()) * outer.shape[0]
    expected = regular + len(monomials) * outer.shape[0]
    found = _independent(problem, _columns(inner[~dead], outer[:, ~dead], activation, monomials), expected)
    if found.certain != expected or not found.clear:
        return (
            f"{expected} functions should be independent on the inputs, of living units and of the monomials that dead "
            f"ones make, and their rank is {found}"
        )
    generators = [Symbol(f"u{number}") for number in range(1, regular + 1)]
    for o in range(outer.shape[0]):
        for power in monomials:
            terms = [
                Symbol(f"a{o}_{i}") * prod((Symbol(f"w{i}_{j}") for j in power), start=sympy.Integer(1))
                for i in range(count)
            ]
            generators.append(sympy.Add(*terms))
    says = f"one hidden layer, {int(live.sum())} living units, {int(silent.sum())} that nobody hears, {count} dead"
    return Germ(f"{says}, φ = {function} with the orders {orders}", tuple(generators))


def _columns(
    inner: Tensor, outer: Tensor, activation: Callable[[Tensor], Tensor], monomials: Sequence[tuple[int, ...]]
) -> Callable[[Tensor], Iterator[Tensor]]:
    """Inputs ↦ the changes of the outputs, (samples, outputs), one function after the other."""

    def columns(x: Tensor) -> Iterator[Tensor]:
        unit_outputs = torch.eye(outer.shape[0], dtype=x.dtype, device=x.device)
        for weight, leaving in zip(inner, outer.mT, strict=True):
            value, slope, *_ = torch.func.jvp(activation, (x @ weight,), (torch.ones_like(x[:, 0]),))
            yield from (value[:, None] * one for one in unit_outputs)
            if bool((leaving != 0).any()):
                yield from ((slope * x[:, j])[:, None] * leaving for j in range(x.shape[1]))
        for power in monomials:
            product = x[:, list(power)].prod(1)
            yield from (product[:, None] * one for one in unit_outputs)

    return columns


def _independent(problem: Problem, columns: Callable[[Tensor], Iterator[Tensor]], expected: int) -> Rank:
    """The rank of these changes in the metric of the head, each scaled to length one."""
    if not expected:
        return Rank(GramFactor(torch.zeros(0, 1)).spectrum(), 1)
    factor, rows = Factor(), 0
    for inputs, weights in problem.batches():
        here = problem.truth_outputs(inputs)
        moved = [problem.in_metric(here, one).flatten(1) * weights.sqrt()[:, None] for one in columns(inputs)]
        found = torch.stack([each.reshape(-1) for each in moved], dim=1)
        rows += len(found)
        factor.add(found)
    triangle = factor.triangle
    assert triangle is not None
    triangle = triangle / triangle.norm(dim=0).clamp_min(1e-300)
    epsilon = torch.finfo(problem.dtype).eps
    return Rank(GramFactor(triangle, "derivatives", epsilon).spectrum(), min(rows, expected))
