"""An oracle for plane ideals: (λ, m) by blowing up points, in rationals, and at 120 digits where roots are irrational.

The total transform of h·(f_1, …) is followed point by point: h by its irreducible factors g_i^{e_i}, the rest as it is.
A divisor E over p has N_E = Σ N + Σ e_i mult_p(g_i) + ord_p(f) and k_E = Σ k + 1, sums over the divisors through p.
Where all is normal crossing, λ = min (k + 1)/(2N), and 1/(2e_i) on a branch; m is how many curves attain it at a point.
Nothing is shared with the package: polynomials are dictionaries, factors and roots come from sympy and mpmath.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import sympy

Number = Any  # a Fraction, or an mpf where a root was irrational
Polynomial = dict[tuple[int, int], Number]

_DIGITS = 120
_ZERO = mpmath.mpf(10) ** -40
_CLUSTER = mpmath.mpf(10) ** -9
_DEEPEST = 40


class Undecided(Exception):
    """The resolution is too deep for the oracle."""


@dataclass(frozen=True)
class Curve:
    """A divisor of the total transform: N and k."""

    order: int
    jacobian: int

    @property
    def value(self) -> Fraction:
        return Fraction(self.jacobian + 1, 2 * self.order) if self.order else Fraction(10**9)


@dataclass(frozen=True)
class Place:
    """A point: factors with exponents, the rest, and the divisors x = 0 and y = 0 where there are any."""

    factors: tuple[tuple[Polynomial, int], ...]
    rest: tuple[Polynomial, ...]
    at_x: Curve | None = None
    at_y: Curve | None = None
    depth: int = 0


def pair(
    generators: Sequence[sympy.Expr], x: sympy.Symbol, y: sympy.Symbol, prior: tuple[int, int] = (0, 0)
) -> tuple[Fraction, int]:
    """(λ, m) of Σ f² at 0 with the prior |x|^a |y|^b, for generators that vanish there and are not all 0.

    Raises:
        Undecided: more than forty blow-ups over one point.
    """
    with mpmath.workdps(_DIGITS):
        ring = sympy.ring([x, y], sympy.QQ)[0]  # multiplies out much faster than an expression does
        found = [sympy.Poly.from_dict(dict(g), x, y) for f in generators if (g := ring.from_expr(sympy.sympify(f)))]
        common = found[0]
        for f in found[1:]:
            common = common.gcd(f)
        factors = [(_terms(g), e) for g, e in common.factor_list()[1] if not g.eval({x: 0, y: 0})]
        # a factor x is the axis itself, and has its prior
        orders = [sum(e for g, e in factors if set(g) == {axis}) for axis in ((1, 0), (0, 1))]
        branches = tuple((g, e) for g, e in factors if set(g) not in ({(1, 0)}, {(0, 1)}))
        axes = [Curve(e, power) if e or power else None for e, power in zip(orders, prior, strict=True)]
        rest = tuple(_terms(f.exquo(common)) for f in found)
        points = list(_resolved(Place(branches, rest, *axes)))
    least = min(curve for point in points for curve in point)
    return least, max(sum(curve == least for curve in point) for point in points)


def _terms(f: sympy.Poly) -> Polynomial:
    return {(int(a), int(b)): Fraction(int(c.p), int(c.q)) for (a, b), c in f.terms()}


def _is_zero(value: Number) -> bool:
    return value == 0 if isinstance(value, Fraction | int) else abs(value) < _ZERO


def _order(f: Polynomial) -> int:
    return min(a + b for a, b in f)


def _resolved(place: Place) -> Iterator[list[Fraction]]:
    """For every point at which all is normal crossing: the values of the curves through it."""
    through = [(g, e) for g, e in place.factors if (0, 0) not in g]
    isolated = not any((0, 0) in f for f in place.rest)
    divisors = [curve for curve in (place.at_x, place.at_y) if curve is not None]
    if not isolated and _is_normal_crossing(place, through):
        values = [curve.value for curve in divisors] + [Fraction(1, 2 * e) for _, e in through]
        if values:
            yield values
        return
    if place.depth > _DEEPEST:
        raise Undecided
    multiplicity = min(map(_order, place.rest)) if isolated else 0
    total = multiplicity + sum(e * _order(g) for g, e in through) + sum(curve.order for curve in divisors)
    new = Curve(total, 1 + sum(curve.jacobian for curve in divisors))
    yield [new.value]
    for c in _directions(through, place.rest if isolated else (), place.at_y is not None):
        yield from _resolved(
            Place(
                tuple((_chart(g, c, _order(g)), e) for g, e in through),
                tuple(_chart(f, c, multiplicity) for f in place.rest) if isolated else ({(0, 0): Fraction(1)},),
                new,
                place.at_y if _is_zero(c) else None,
                place.depth + 1,
            )
        )
    swapped = tuple(({(b, a): v for (a, b), v in g.items()}, e) for g, e in through)
    turned = tuple({(b, a): v for (a, b), v in f.items()} for f in place.rest)
    vertical = tuple((_chart(g, Fraction(0), _order(g)), e) for g, e in swapped)
    rest = tuple(_chart(f, Fraction(0), multiplicity) for f in turned) if isolated else ({(0, 0): Fraction(1)},)
    if place.at_x is not None or any((0, 0) not in g for g, _ in vertical) or not any((0, 0) in f for f in rest):
        yield from _resolved(Place(vertical, rest, new, place.at_x, place.depth + 1))


def _is_normal_crossing(place: Place, through: Sequence[tuple[Polynomial, int]]) -> bool:
    lines = [(g.get((1, 0), 0), g.get((0, 1), 0)) for g, _ in through]
    lines += [(1, 0)] * (place.at_x is not None) + [(0, 1)] * (place.at_y is not None)
    if len(lines) > 2 or any(_is_zero(a) and _is_zero(b) for a, b in lines):
        return False
    return len(lines) < 2 or not _is_zero(lines[0][0] * lines[1][1] - lines[0][1] * lines[1][0])


def _chart(f: Polynomial, c: Number, order: int) -> Polynomial:
    """f(x, x(c + y))/x^order, without what is zero to rounding."""
    if c == 0:
        return {(a + b - order, b): value for (a, b), value in f.items()}
    powers = [c**0]
    for _ in range(max(b for _, b in f)):
        powers.append(powers[-1] * c)
    found: Polynomial = {}
    for (a, b), value in f.items():
        for j in range(b + 1):
            key = (a + b - order, j)
            found[key] = found.get(key, 0) + value * math.comb(b, j) * powers[b - j]
    return {key: value for key, value in found.items() if not _is_zero(value)}


def _directions(through: Sequence[tuple[Polynomial, int]], rest: Sequence[Polynomial], zero: bool) -> list[Number]:
    """The real c at which something passes through the point y = cx of the new divisor."""
    found: list[Number] = [Fraction(0)] if zero else []
    for g, _ in through:
        found += _real_roots(_on_divisor(g, _order(g)))
    if rest:
        order = min(map(_order, rest))
        forms = [_on_divisor(f, order) for f in rest]
        present = [form for form in forms if form]
        for root in _real_roots(present[0]):
            if all(_is_zero(sum(v * root**k for k, v in form.items())) for form in present):
                found.append(root)
    distinct: list[Number] = []
    for c in found:
        if not any(_is_zero(c - other) for other in distinct):
            distinct.append(c)
    return distinct


def _on_divisor(f: Polynomial, order: int) -> dict[int, Number]:
    return {b: value for (a, b), value in f.items() if a + b == order}


def _real_roots(form: dict[int, Number]) -> list[Number]:
    if max(form) == 0:
        return []
    if all(isinstance(value, Fraction) for value in form.values()):
        t = sympy.Symbol("t")
        whole = sympy.Poly({(k,): sympy.Rational(v.numerator, v.denominator) for k, v in form.items()}, t)
        found: list[Number] = []
        for factor, _ in whole.factor_list()[1]:
            if factor.degree() == 1:
                slope, value = factor.all_coeffs()
                root = -value / slope
                found.append(Fraction(int(root.p), int(root.q)))
            else:
                coefficients = [mpmath.mpf(int(c.p)) / int(c.q) for c in factor.all_coeffs()]
                found += [root.real for root in _all_roots(coefficients) if abs(root.imag) < _ZERO]
        return found
    top = max(form)
    roots = _all_roots([mpmath.mpmathify(_float(form.get(k, Fraction(0)))) for k in range(top, -1, -1)])
    return [centre.real for centre in _clusters(roots) if abs(centre.imag) < mpmath.mpf(10) ** -30]


def _float(value: Number) -> Number:
    return mpmath.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def _all_roots(coefficients: Sequence[Number]) -> list[Number]:
    try:
        return list(mpmath.polyroots(list(coefficients), maxsteps=400, extraprec=4 * _DIGITS))
    except mpmath.libmp.NoConvergence as error:
        raise Undecided("roots too close to be told apart") from error


def _clusters(roots: Sequence[Number]) -> list[Number]:
    """A multiple root comes out as a cloud, whose centre is as accurate as a simple root."""
    left, found = list(roots), []
    while left:
        near = [root for root in left if abs(root - left[0]) < _CLUSTER]
        left = [root for root in left if abs(root - near[0]) >= _CLUSTER]
        found.append(sum(near) / len(near))
    return found


def random_ideals(random: Any, x: sympy.Symbol, y: sympy.Symbol) -> Iterator[list[sympy.Expr]]:
    """Plane ideals of nine kinds, each as likely as the others; coefficients are integers."""
    _, a, b = sympy.ring([x, y], sympy.ZZ)
    while True:
        found = random.choice(_KINDS)(random, a, b)
        if all(f and not f.coeff(1) for f in found):
            yield [f.as_expr() for f in found]


def _sparse(random: Any, x: Any, y: Any, most: int = 6) -> Any:
    wanted = random.randint(2, 4)
    exponents = [(a, b) for a, b in itertools.product(range(most + 1), repeat=2) if 1 < a + b <= 8]
    return sum(random.choice(_SMALL) * x**a * y**b for a, b in random.sample(exponents, wanted))


def _branch(random: Any, x: Any, y: Any) -> Any:
    a, b = random.choice([(1, 1), (1, 2), (2, 1), (2, 3), (3, 2), (1, 3), (3, 4)])
    return random.choice(_SMALL) * x**a + random.choice(_SMALL) * y**b


def _one(random: Any, x: Any, y: Any) -> list[Any]:
    return [_sparse(random, x, y)]


def _branches(random: Any, x: Any, y: Any) -> list[Any]:
    return [math.prod(_branch(random, x, y) ** random.choice((1, 1, 2, 3)) for _ in range(random.randint(1, 3)))]


def _quadratic_tangents(random: Any, x: Any, y: Any) -> list[Any]:
    c = random.choice((2, 3, 5, 6))
    found = (x**2 - c * y**2) ** random.choice((1, 2)) + random.choice((0, *_SMALL)) * y ** random.randint(3, 7)
    return [found * random.choice((1, x, y, x - y))]


def _moved(random: Any, x: Any, y: Any) -> list[Any]:
    f = _branch(random, x, y) ** random.choice((1, 2)) * _branch(random, x, y)
    f += random.choice((0, 1)) * _sparse(random, x, y, 5)
    turn = (x + random.choice(_SMALL) * y, y + random.choice((0, *_SMALL)) * x**2)
    return [f.compose([(x, turn[0]), (y, turn[1])])]


def _two(random: Any, x: Any, y: Any) -> list[Any]:
    return [_sparse(random, x, y, 5), _sparse(random, x, y, 5)]


def _two_steps(random: Any, x: Any, y: Any) -> list[Any]:
    """A power of a branch and a term above its edge, so that the next step of Newton and Puiseux has to be taken."""
    p, q = random.choice([(1, 1), (1, 2), (2, 3), (3, 2), (3, 4), (2, 5)])
    power = random.randint(2, 3)
    above = [(i, j) for i in range(9) for j in range(9) if power * p * q < i * q + j * p <= power * p * q + 4]
    i, j = random.choice(above)
    found = (x**p + random.choice(_SMALL) * y**q) ** power + random.choice(_SMALL) * x**i * y**j
    return [found * random.choice((1, 1, x, y, _branch(random, x, y)))]


def _higher_tangents(random: Any, x: Any, y: Any) -> list[Any]:
    """Roots of degree three and four, real or not, one of them with three real ones."""
    c, e = random.choice((2, 3, 5)), random.choice((1, 2))
    form = random.choice((x**3 - c * y**3, x**3 - 3 * x * y**2 + y**3, x**4 - c * y**4, x**4 + c * y**4))
    form = form.compose(y, y**e)
    power = random.choice((1, 1, 2))
    return [form**power + random.choice((0, *_SMALL)) * x ** random.randint(0, 2) * y ** random.randint(7, 14)]


def _common_factor(random: Any, x: Any, y: Any) -> list[Any]:
    common = _branch(random, x, y) ** random.choice((1, 2)) * random.choice((1, x, y, _branch(random, x, y)))
    return [common * _branch(random, x, y) ** random.choice((1, 2)) for _ in range(random.randint(2, 3))]


def _mixed(random: Any, x: Any, y: Any) -> list[Any]:
    """Three generators with units, and multiples of the first added to the others."""
    first, *others = (_sparse(random, x, y, 5) for _ in range(3))
    unit = 1 + random.choice(_SMALL) * x + random.choice(_SMALL) * y
    return [first * unit, *(f + random.choice((1, -1, x, y)) * first for f in others)]


_SMALL = (-3, -2, -1, 1, 2, 3)
_KINDS = (
    _one,
    _branches,
    _quadratic_tangents,
    _moved,
    _two,
    _two_steps,
    _higher_tangents,
    _common_factor,
    _mixed,
)
