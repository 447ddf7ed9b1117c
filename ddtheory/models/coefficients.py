"""The ideal that a function D(x, w) generates over all inputs x of a generic law, by finitely many of its coefficients.

Let D = Σ p_n(w) x^n, and let p_1 … p_N be a minimal set of generators of the ideal I of all p_n (finite: convergent
power series form a Noetherian ring). Then E D² ≍ Σ p_j² near w*, and so for every other finite set of generators.

Proof. D(x, ·) lies in I for all x near 0 and, since it is analytic in x and I is closed, for all x of the connected
set that carries the law: D = Σ p_j(w) H_j(x, w), with H_j analytic by Weierstrass' division. That gives E D² ≤ C Σ
p_j². If Σ α_j H_j(x, w*) = 0 for all x and one α ≠ 0, then the matrix h_nj(w*) of the p_n = Σ_j h_nj p_j has a rank
below N, the classes of the p_n span less than N dimensions of I/mI, and N generators are not minimal. So the H_j(·,
w*) are linearly independent, as functions and, the law charging no proper analytic subset, in L²: their Gram matrix is
positive definite at w*, and near it, and E D² ≥ c Σ p_j².
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Integer, Matrix, Rational, Symbol

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.thresholds.analytic.jets import Monomial, jet
from ddtheory.models.chains import Progression, progressions
from ddtheory.models.reading import said
from ddtheory.models.units import Chain, Parts, parts_of

_WINDOW = 12  # degrees looked at beyond those that are needed
_MOST_COEFFICIENTS = 300
_SEPARABLE_DEGREES = (4, 8, 16)


@dataclass(frozen=True)
class Coefficients:
    """Coefficients of a function, as functions of the parameters.

    Attributes:
        expressions: they generate the ideal of all coefficients, or lie in it.
        says: why they generate.
        open: what is missing, where it is not proven that they generate; else empty.
    """

    expressions: tuple[Expr, ...]
    says: str
    open: str = ""


def coefficients(function: Expr, inputs: Sequence[Symbol], degree: int) -> Coefficients:
    """Coefficients of a function of the inputs that generate the ideal of all of them; else those up to a degree.

    Raises:
        NotAnalyticError: the function has no power series in the inputs at 0.

    >>> a, b, c, d, x = sympy.symbols("a b c d x", real=True)
    >>> coefficients(a * sympy.tanh(b * x) + c * sympy.tanh(d * x), [x], 5).expressions
    (a*b + c*d, a*b**3 + c*d**3)
    """
    parts = parts_of(function, inputs)
    found = _separable(parts, inputs) if parts.rest else _by_chains(parts, len(inputs))
    return _truncated(function, inputs, degree) if found is None else found


@dataclass(frozen=True)
class _Stream:
    """One part of one chain, and the degree |n| after which its coefficients are not needed."""

    chain: Chain
    part: Progression
    last: int


def _by_chains(parts: Parts, count: int) -> Coefficients | None:
    if not parts.chains:
        return Coefficients(
            tuple(map(normalised, parts.polynomial.values())),
            "The monomials of the inputs are linearly independent: the coefficients of a polynomial generate.",
        )
    streams = _streams(parts)
    if streams is None:
        return None
    needed = dict.fromkeys(parts.polynomial)
    for stream in streams:
        for d in stream.part.coefficients:
            if d <= stream.last:
                needed |= {tuple(map(sum, zip(stream.chain.shift, n, strict=True))): None for n in _monomials(count, d)}
        if len(needed) > _MOST_COEFFICIENTS:
            return None
    values = [
        parts.polynomial.get(monomial, Integer(0)) + sympy.Add(*[_coefficient(stream, monomial) for stream in streams])
        for monomial in sorted(needed, key=lambda monomial: (sum(monomial), monomial))
    ]
    units = max(len(chain.units) for chain in parts.chains)
    shapes = ", ".join(f"Σ a·{said(chain.shape).replace('_z', 'z')}" for chain in parts.chains)
    return Coefficients(
        tuple(normalised(value) for value in values if sympy.expand(value) != 0),
        f"Chains of power sums ({shapes}, z = b·x): with {units} different b, ∏(T − b) = 0 writes the later ones by "
        "the earlier ones (Newton's identities).",
    )


def _streams(parts: Parts) -> list[_Stream] | None:
    """All parts of all chains, each with its end; None where the parts of two chains mix, or one has no end."""
    ways = [[(chain, way) for way in _ways(chain, parts)] for chain in parts.chains]
    if not all(ways):
        return None
    for choice in itertools.product(*ways):
        pieces = [(chain, part) for chain, way in choice for part in way]
        found: list[_Stream] = []
        for number, (chain, part) in enumerate(pieces):
            last = _last(chain, part, parts, pieces[:number] + pieces[number + 1 :])
            if last is None:
                break
            found.append(_Stream(chain, part, last))
        else:
            return found
    return None


def _ways(chain: Chain, parts: Parts) -> list[list[Progression]]:
    ends = [sum(monomial) for monomial in parts.polynomial] + [sum(other.shift) + 3 for other in parts.chains]
    highest = max(ends)  # so that no coefficient which stands beside another one is missing
    try:
        return list(progressions(chain.shape, highest + 2 * len(chain.units) + _WINDOW))
    except (NotAnalyticError, UndecidedError):
        return []


def _last(chain: Chain, part: Progression, parts: Parts, others: Sequence[tuple[Chain, Progression]]) -> int | None:
    """The degree at which a part stops: behind all other terms of its degrees."""
    shift = sum(chain.shift)
    mixed = [sum(monomial) - shift for monomial in parts.polynomial]
    for other, own in others:
        degrees = [sum(other.shift) + d - shift for d in own.coefficients]
        if own.ends:
            mixed += degrees
        elif part.ends:
            continue
        elif part.step == own.step == 2 and degrees and part.coefficients:
            if (degrees[0] - next(iter(part.coefficients))) % 2 == 0:
                return None
        else:
            return None
    parity = next(iter(part.coefficients), 0) % 2
    if part.step == 2:
        mixed = [degree for degree in mixed if degree % 2 == parity]
    return part.last(len(chain.units), max(mixed, default=-1))


def _coefficient(stream: _Stream, monomial: Monomial) -> Expr:
    """The coefficient of a monomial of the inputs in one part of one chain."""
    powers = [n - m for n, m in zip(monomial, stream.chain.shift, strict=True)]
    degree = sum(powers)
    if min(powers) < 0 or degree not in stream.part.coefficients:
        return Integer(0)
    count = math.factorial(degree) // math.prod(map(math.factorial, powers))
    sums = [a * sympy.Mul(*[b**n for b, n in zip(bs, powers, strict=True)]) for bs, a in stream.chain.units.items()]
    return count * stream.part.coefficients[degree] * sympy.Add(*sums)


def _monomials(count: int, degree: int) -> Iterator[Monomial]:
    for chosen in itertools.combinations_with_replacement(range(count), degree):
        yield tuple(chosen.count(place) for place in range(count))


def _separable(parts: Parts, inputs: Sequence[Symbol]) -> Coefficients | None:
    """Σ c_k(w) g_k(x) with linearly independent g_k: the c_k. None where a term does not split, or that is not seen."""
    if parts.chains:
        return None
    functions: dict[Expr, Expr] = {
        sympy.Mul(*[x**n for x, n in zip(inputs, m, strict=True)]): c for m, c in parts.polynomial.items()
    }
    for term in parts.rest:
        weight, own = term.as_independent(*inputs, as_Add=False)
        if own.free_symbols - set(inputs):
            return None
        functions[own] = functions.get(own, Integer(0)) + weight
    for degree in _SEPARABLE_DEGREES:
        try:
            series = [jet(own, inputs, degree) for own in functions]
        except (NotAnalyticError, UndecidedError):
            return None
        if not all(isinstance(c, Rational) for terms in series for c in terms.values()):
            return None
        columns = sorted({monomial for terms in series for monomial in terms})
        if Matrix([[terms.get(monomial, 0) for monomial in columns] for terms in series]).rank() == len(functions):
            return Coefficients(
                tuple(normalised(c) for c in functions.values() if sympy.expand(c) != 0),
                "The functions of the inputs are linearly independent, by their power series: coefficients generate.",
            )
    return None


def _truncated(function: Expr, inputs: Sequence[Symbol], degree: int) -> Coefficients:
    found = {m: c for m, c in taylor(function, inputs, degree).items() if sympy.expand(c) != 0}
    return Coefficients(
        tuple(map(normalised, found.values())),
        f"The coefficients of degree ≤ {degree} in the inputs lie in the ideal of all of them.",
        f"It is not proven that the coefficients of degree > {degree} in {', '.join(map(str, inputs))} of "
        f"{said(function)} lie in the ideal of the earlier ones.",
    )


def taylor(function: Expr, inputs: Sequence[Symbol], degree: int) -> Mapping[Monomial, Expr]:
    """The coefficients of the power series in the inputs at 0, up to a total degree, by differentiation."""
    origin = dict.fromkeys(inputs, Integer(0))
    found: dict[Monomial, Expr] = {}
    derivatives: dict[Monomial, Expr] = {(0,) * len(inputs): function}
    for total in range(degree + 1):
        for monomial in _monomials(len(inputs), total):
            if total:
                place = next(i for i, n in enumerate(monomial) if n)
                before = tuple(n - (i == place) for i, n in enumerate(monomial))
                derivatives[monomial] = derivatives[before].diff(inputs[place])
            value = derivatives[monomial].subs(origin)
            if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
                raise NotAnalyticError(
                    f"{said(function)} has no power series in the inputs at 0. Give points as inputs, or shift them."
                )
            found[monomial] = value / math.prod(map(math.factorial, monomial))
    return found


def normalised(expression: Expr) -> Expr:
    """A constant multiple without a constant in front of its first term with a symbol."""
    whole = sympy.expand(expression)
    first = next((term for term in sympy.Add.make_args(whole) if term.free_symbols), None)
    if first is None:
        return whole
    constant, _ = first.as_independent(*first.free_symbols, as_Add=False)
    return sympy.expand(whole / constant)
