"""Arithmetic of polynomials in the local ring of the origin: units, factors, elimination and changes of coordinates.

Polynomials are sparse elements of a sympy ring over ℚ. What takes long (factors, divisors) is done by FLINT.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from flint import Ordering, fmpq, fmpq_mpoly_ctx, fmpq_poly
from sympy import QQ, Symbol
from sympy.polys.rings import PolyElement, PolyRing

from ddtheory.exact.thresholds.germs.limits import spend

Element: TypeAlias = PolyElement
Monomial: TypeAlias = tuple[int, ...]

_LARGEST_COFACTOR = 2_000  # terms
_LARGEST_ELIMINANT = 40_000  # monomials that a resultant could have; FLINT cannot be interrupted
_LARGEST_EFFORT = 60_000  # numbers of terms times degrees
_LARGEST_FACTORED = 2_000  # terms; longer polynomials are taken as they are


def ring_of(names: Sequence[str], over: Any = QQ) -> PolyRing:
    """ℚ[names] or over another field, with terms in graded order; one object for equal names."""
    return _ring_of(tuple(names), over)


@functools.lru_cache(maxsize=256)
def _ring_of(names: tuple[str, ...], over: Any) -> PolyRing:
    return PolyRing([Symbol(name) for name in names], over, "grevlex")


def fraction(coefficient: Any) -> Fraction:
    """A coefficient of ℚ as a fraction."""
    return Fraction(int(coefficient.numerator), int(coefficient.denominator))


def rational(value: Fraction | int) -> Any:
    """A fraction as a coefficient of ℚ."""
    return QQ(value.numerator, value.denominator)


def to_flint(coefficient: Any) -> fmpq:
    """A coefficient of ℚ for FLINT, whichever library sympy keeps its rationals in."""
    if isinstance(coefficient, fmpq):
        return coefficient
    return fmpq(int(coefficient.numerator), int(coefficient.denominator))


def from_flint(value: fmpq) -> Any:
    """A rational of FLINT as a coefficient of ℚ."""
    return value if QQ.dtype is fmpq else QQ(int(value.p), int(value.q))


def element_of(ring: PolyRing, terms: Mapping[Monomial, Any]) -> Element:
    """The polynomial with these terms, of which none is 0: `from_dict` converts and compares every coefficient."""
    found = ring.zero
    found.update(terms)
    return found


def constant_term(polynomial: Element) -> Any:
    """The value at the origin."""
    return polynomial.get(polynomial.ring.zero_monom, QQ.zero)


def is_unit(polynomial: Element) -> bool:
    """Whether the polynomial is invertible in the local ring: its value at the origin is not 0."""
    return bool(constant_term(polynomial))


def order(polynomial: Element) -> int:
    """The lowest total degree of a term; the polynomial is not 0."""
    return min(sum(monomial) for monomial in polynomial)


def lowest_exponents(polynomials: Iterable[Element]) -> list[Monomial]:
    """The exponents of all polynomials that no other one divides."""
    found: list[Monomial] = []
    for exponent in sorted({monomial for polynomial in polynomials for monomial in polynomial}, key=sum):
        if not any(all(map(operator.le, other, exponent)) for other in found):
            found.append(exponent)
    return found


def initial_form(polynomial: Element) -> Element:
    """The homogeneous part of lowest degree."""
    lowest = order(polynomial)
    return element_of(polynomial.ring, {m: c for m, c in polynomial.items() if sum(m) == lowest})


def linear_coefficient(polynomial: Element, index: int) -> Any:
    """∂f/∂x_i at the origin."""
    (monomial,) = polynomial.ring.gens[index]
    return polynomial.get(monomial, QQ.zero)


def degree_in(polynomial: Element, index: int) -> int:
    """The degree in one variable; −1 for the polynomial 0."""
    return max((monomial[index] for monomial in polynomial), default=-1)


def support(polynomials: Iterable[Element]) -> frozenset[int]:
    """The variables that occur."""
    return frozenset(
        index for polynomial in polynomials for monomial in polynomial for index, power in enumerate(monomial) if power
    )


@functools.lru_cache(maxsize=128)
def _context(names: tuple[str, ...]) -> Any:
    return fmpq_mpoly_ctx.get(names, Ordering.degrevlex)


@functools.lru_cache(maxsize=2_048)
def _to_flint(polynomial: Element) -> Any:
    spend()
    context = _context(tuple(f"x{i}" for i in range(polynomial.ring.ngens)))
    return context.from_dict({monomial: to_flint(coefficient) for monomial, coefficient in polynomial.items()})


def _from_flint(polynomial: Any, ring: PolyRing) -> Element:
    return element_of(ring, {tuple(map(int, m)): from_flint(c) for m, c in polynomial.to_dict().items()})


def factors(polynomial: Element) -> tuple[Any, list[tuple[Element, int]]]:
    """The constant and the irreducible factors over ℚ, with multiplicities, each primitive and of a fixed sign.

    >>> ring = ring_of(("x", "y"))
    >>> x, y = ring.gens
    >>> factors(2 * x**2 * (x + y))
    (2, [(x, 2), (x + y, 1)])
    """
    constant, found = _factors(polynomial)
    return constant, list(found)


@functools.lru_cache(maxsize=2_048)
def _factors(polynomial: Element) -> tuple[Any, tuple[tuple[Element, int], ...]]:
    spend()
    used = sorted(support([polynomial]))  # in the variables that do not occur FLINT would work too
    small = _context(tuple(f"x{i}" for i in used))
    terms = {tuple(m[i] for i in used): to_flint(c) for m, c in polynomial.items()}
    constant, found = small.from_dict(terms).factor()
    pairs = [(_widened(factor, used, polynomial.ring), int(power)) for factor, power in found]
    return from_flint(constant), tuple(sorted(pairs, key=_place) if len(pairs) > 1 else pairs)


def _place(pair: tuple[Element, int]) -> tuple[int, str]:
    return len(pair[0]), str(pair[0])


def _widened(factor: Any, used: Sequence[int], ring: PolyRing) -> Element:
    """A polynomial of FLINT in some of the variables of a ring."""
    terms: dict[Monomial, Any] = {}
    for monomial, coefficient in factor.to_dict().items():
        whole = [0] * ring.ngens
        for index, power in zip(used, monomial, strict=True):
            whole[index] = int(power)
        terms[tuple(whole)] = from_flint(coefficient)
    return element_of(ring, terms)


def split_unit(polynomial: Element) -> tuple[Element, list[tuple[Element, int]]]:
    """f = unit · ∏ p^e with p the irreducible factors that vanish at the origin; one factor when f is very long."""
    if len(polynomial) > _LARGEST_FACTORED:
        return polynomial.ring.one, [(polynomial, 1)]
    constant, found = factors(polynomial)
    unit = polynomial.ring.ground_new(constant)
    vanishing: list[tuple[Element, int]] = []
    for factor, power in found:
        if is_unit(factor):
            unit = unit * factor**power
        else:
            vanishing.append((factor, power))
    return unit, vanishing


def greatest_divisor(polynomials: Sequence[Element]) -> Element:
    """The greatest common divisor, primitive."""
    spend()
    found = functools.reduce(lambda a, b: a.gcd(b), [_to_flint(polynomial) for polynomial in polynomials])
    return _from_flint(found, polynomials[0].ring)


@functools.lru_cache(maxsize=2_048)
def _degrees(polynomial: Element) -> Monomial:
    """The degree in every variable."""
    return tuple(map(max, zip(*polynomial, strict=True)))


def quotient(numerator: Element, denominator: Element) -> Element | None:
    """numerator / denominator when it is a polynomial, else None."""
    if not numerator:
        return numerator
    if any(below > above for below, above in zip(_degrees(denominator), _degrees(numerator), strict=True)):
        return None
    spend()
    whole, remainder = divmod(_to_flint(numerator), _to_flint(denominator))
    return None if remainder else _from_flint(whole, numerator.ring)


def remainder(numerator: Element, denominator: Element) -> Element:
    """What division leaves, term by term in graded order."""
    spend()
    return _from_flint(divmod(_to_flint(numerator), _to_flint(denominator))[1], numerator.ring)


def substitute(polynomial: Element, images: Sequence[Element], ring: PolyRing) -> Element:
    """f(images): every variable is replaced by a polynomial of `ring`."""
    if not polynomial:
        return ring.zero
    spend()
    return _from_flint(_to_flint(polynomial).compose(*[_to_flint(image) for image in images]), ring)


def shift(polynomial: Element, index: int, image: Element) -> Element:
    """f with one variable replaced by a polynomial of the same ring."""
    images = list(polynomial.ring.gens)
    images[index] = image
    return substitute(polynomial, images, polynomial.ring)


def moved_to_origin(polynomial: Element, place: Sequence[Fraction]) -> Element:
    """f(x + place): what f is at a point, moved to the origin.

    >>> ring = ring_of(("x", "y"))
    >>> x, y = ring.gens
    >>> moved_to_origin(x * y - x, (Fraction(0), Fraction(1)))
    x*y
    """
    ring = polynomial.ring
    if not any(place):
        return polynomial
    return substitute(polynomial, [x + rational(entry) for x, entry in zip(ring.gens, place, strict=True)], ring)


def without(polynomial: Element, index: int, ring: PolyRing) -> Element:
    """A polynomial that does not contain the variable, in the ring without it."""
    return ring.from_dict({m[:index] + m[index + 1 :]: c for m, c in polynomial.items()})


def eliminant(target: Element, relation: Element, index: int) -> Element | None:
    """G free of one variable with G = A·target + B·relation and A a unit, or None when the variable does not allow it.

    When the relation has a non-zero linear part in it, exactly one of its branches passes through the origin,
    and up to a unit the resultant is the target on that branch times the target on the others. These are no units when
    a root v ≠ 0 of the relation on the axis is a root of the target, or when both have a root at infinity there.
    """
    if not linear_coefficient(relation, index):
        return None  # a shear has turned the axis into the relation
    if degree_in(target, index) <= 0:
        return target
    on_axis = [_univariate(polynomial, index) for polynomial in (relation, target)]
    if all(len(line) <= degree_in(whole, index) for line, whole in zip(on_axis, (relation, target), strict=True)):
        return None
    effort = len(target) * len(relation) * degree_in(target, index) * degree_in(relation, index)
    if effort > _LARGEST_EFFORT or _possible_monomials(target, relation, index) > _LARGEST_ELIMINANT:
        return None
    others = fmpq_poly(on_axis[0][1:])
    if others.gcd(fmpq_poly(on_axis[1])).degree() > 0:
        return None
    if others.degree() == 0 and degree_in(relation, index) == 1:
        return _remainder(target, relation, index)[0]
    found = _to_flint(relation).resultant(_to_flint(target), f"x{index}")
    return _from_flint(found, target.ring)


def resultant(first: Element, second: Element, index: int) -> Element:
    """The resultant in one variable; 0 when it would be too large to compute."""
    if _possible_monomials(first, second, index) > _LARGEST_ELIMINANT:
        return first.ring.zero
    return _from_flint(_to_flint(first).resultant(_to_flint(second), f"x{index}"), first.ring)


def rational_roots(polynomials: Sequence[Element], index: int) -> list[Fraction]:
    """The common rational roots of polynomials in one variable; none for an empty list.

    >>> x, y = ring_of(("x", "y")).gens
    >>> rational_roots([(2 * x - 1) * (x**2 - 2), (2 * x - 1) * (x + 3)], 0)
    [Fraction(1, 2)]
    """
    if not polynomials:
        return []
    roots: list[Fraction] = []
    for factor, _ in factors(greatest_divisor(polynomials))[1]:
        if degree_in(factor, index) == 1:
            roots.append(-fraction(constant_term(factor)) / fraction(linear_coefficient(factor, index)))
    return sorted(roots)


def _possible_monomials(target: Element, relation: Element, index: int) -> int:
    """How many monomials of degree at most that of the resultant there are in the other variables."""
    first, second = degree_in(target, index), degree_in(relation, index)
    degree = first * max(map(sum, relation)) + second * max(map(sum, target)) - first * second
    others = len(support([target, relation]) - {index})
    return math.comb(degree + others, others)


def cofactors(target: Element, relation: Element, index: int, found: Element) -> tuple[Element, Element] | None:
    """(A, B) with found = A·target + B·relation for the eliminant, or None when they are too large to write down."""
    ring = target.ring
    if found == target:
        return ring.one, ring.zero
    if degree_in(relation, index) == 1:
        _, multiplier, whole = _remainder(target, relation, index)
        return multiplier, -whole
    older, old = _by_power(relation, index), _by_power(target, index)
    older_cofactor, cofactor = ring.zero, ring.one
    while len(old) > 1:
        remainder, multiplier, whole = _pseudo_division(older, old, ring, index)
        older, old = old, remainder
        older_cofactor, cofactor = cofactor, multiplier * older_cofactor - whole * cofactor
        if not old or len(cofactor) > _LARGEST_COFACTOR:
            return None
        shared = greatest_divisor([*[c for c in old if c], *[c for c in _by_power(cofactor, index) if c]])
        if not shared.is_ground:
            old = [_exact(c, shared) for c in old]
            cofactor = _exact(cofactor, shared)
    if not old:
        return None
    scale = quotient(found, old[0])
    if scale is None:
        return None
    rest = quotient(found - scale * cofactor * target, relation)
    return None if rest is None else (scale * cofactor, rest)


def _remainder(target: Element, relation: Element, index: int) -> tuple[Element, Element, Element]:
    """(r, c, q) with c·target = q·relation + r, for a relation of degree 1 in the variable."""
    rest, multiplier, whole = _pseudo_division(_by_power(target, index), _by_power(relation, index), target.ring, index)
    return (rest[0] if rest else target.ring.zero), multiplier, whole


def _univariate(polynomial: Element, index: int) -> list[Any]:
    """The coefficients of f on the axis of one variable, lowest first, without leading zeros."""
    line: dict[int, Any] = {
        monomial[index]: to_flint(coefficient)
        for monomial, coefficient in polynomial.items()
        if not any(power for other, power in enumerate(monomial) if other != index)
    }
    return [line.get(power, fmpq(0)) for power in range(max(line, default=-1) + 1)]


def _by_power(polynomial: Element, index: int) -> list[Element]:
    ring = polynomial.ring
    parts: list[dict[Monomial, Any]] = [{} for _ in range(degree_in(polynomial, index) + 1)]
    for monomial, coefficient in polynomial.items():
        parts[monomial[index]][(*monomial[:index], 0, *monomial[index + 1 :])] = coefficient
    return [ring.from_dict(part) for part in parts]


def _pseudo_division(
    dividend: list[Element], divisor: list[Element], ring: PolyRing, index: int
) -> tuple[list[Element], Element, Element]:
    """(r, c, q) with c·dividend = q·divisor + r, deg r < deg divisor, c free of the variable."""
    variable = ring.gens[index]
    rest, leading = list(dividend), divisor[-1]
    multiplier, whole = ring.one, ring.zero
    while rest and len(rest) >= len(divisor):
        spend()
        gap = len(rest) - len(divisor)
        top = rest[-1]
        shared = greatest_divisor([top, leading])
        scale, factor = _exact(leading, shared), _exact(top, shared)
        rest = [scale * c for c in rest]
        for k, c in enumerate(divisor):
            rest[k + gap] = rest[k + gap] - factor * c
        multiplier, whole = multiplier * scale, whole * scale + factor * variable**gap
        while rest and not rest[-1]:
            rest.pop()
    return rest, multiplier, whole


def _exact(numerator: Element, denominator: Element) -> Element:
    found = quotient(numerator, denominator)
    assert found is not None
    return found
