"""Which monomials the tail of a power series can have: an ideal that contains them, by its generators."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Poly, Pow, Symbol

from ddtheory.exact.thresholds.analytic.jets import Monomial, jet, vanishes
from ddtheory.exact.thresholds.germs.limits import spend

_MOST_SUBSETS = 30
_MOST_GENERATORS = 400
_MOST_PAIRS = 30_000


@dataclass(frozen=True)
class Tail:
    """The monomials above a degree that also have an order in some sets of variables, by its minimal generators.

    >>> Tail(((3, 0), (1, 1))).contains((1, 2)), Tail(((3, 0), (1, 1))).contains_properly((1, 1))
    (True, False)
    """

    generators: tuple[Monomial, ...]

    def contains(self, monomial: Monomial) -> bool:
        return any(divides(generator, monomial) for generator in self.generators)

    def contains_properly(self, monomial: Monomial) -> bool:
        """Whether the monomial lies in m·T."""
        return any(divides(generator, monomial) and generator != monomial for generator in self.generators)

    def meet(self, other: Tail) -> Tail:
        """The intersection, or this one where that would be long to compute."""
        if len(self.generators) * len(other.generators) > _MOST_PAIRS:
            return self
        return Tail(tuple(_minimal(tuple(map(max, m, n)) for m in self.generators for n in other.generators)))


def tail_of(expression: Expr, symbols: Sequence[Symbol], support: Iterable[Monomial], degree: int) -> Tail | None:
    """What the terms of an expression above a degree lie in; None when it has too many generators.

    Of a sum also the tails of its terms are looked at: those of a polynomial end.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> tail_of(x**2 + y**3 * sympy.exp(x), [x, y], [(2, 0), (0, 3), (1, 3)], 4)
    Tail(generators=((2, 3),))
    """
    whole = _whole_tail(expression, symbols, support, degree)
    terms = sympy.Add.make_args(expression)
    parts: list[Tail] = []
    for term in terms:
        if term.is_polynomial(*symbols) and Poly(term, *symbols).total_degree() <= degree:
            continue
        part = _tail_of_term(term, list(symbols), degree)
        if part is None:
            return whole
        parts.append(part)
    return joined(parts) if whole is None else whole.meet(joined(parts))


def _tail_of_term(expression: Expr, symbols: Sequence[Symbol], degree: int) -> Tail | None:
    """The tail of x^a·φ is x^a times that of φ, in the symbols that φ has."""
    front, rest = [0] * len(symbols), sympy.Integer(1)
    for factor in sympy.Mul.make_args(expression):
        base, power = factor.args if isinstance(factor, Pow) else (factor, sympy.Integer(1))
        if base in symbols and power.is_Integer and power > 0:
            front[symbols.index(base)] += int(power)
        else:
            rest *= factor
    own, below = [s for s in symbols if s in rest.free_symbols], degree - sum(front)
    if below < 0:
        return Tail((tuple(front),))
    if not own:
        return Tail(())
    inner = _whole_tail(rest, own, jet(rest, own, below), below)
    if inner is None:
        return None
    widened = (dict(zip(own, monomial, strict=True)) for monomial in inner.generators)
    return Tail(tuple(_minimal(tuple(f + m.get(s, 0) for s, f in zip(symbols, front, strict=True)) for m in widened)))


def _whole_tail(expression: Expr, symbols: Sequence[Symbol], support: Iterable[Monomial], degree: int) -> Tail | None:
    """The order along a coordinate subspace is read off the terms that are known, and then proven."""
    known, count = list(support), len(symbols)
    found = of_degree(count, range(count), degree + 1)
    sizes = [size for size in range(1, count) if count <= 4 or size in (1, 2)]
    subsets = itertools.chain.from_iterable(itertools.combinations(range(count), size) for size in sizes)
    for subset in itertools.islice(subsets, _MOST_SUBSETS):
        spend()
        order = min((sum(monomial[i] for i in subset) for monomial in known), default=0)
        if order and vanishes(expression, [symbols[i] for i in subset], order):
            found = _minimal(
                tuple(map(operator.add, monomial, more))
                for monomial in found
                for more in of_degree(count, subset, max(0, order - sum(monomial[i] for i in subset)))
            )
        if len(found) > _MOST_GENERATORS:
            return None
    return Tail(tuple(found))


def joined(tails: Iterable[Tail]) -> Tail:
    """The sum of monomial ideals."""
    return Tail(tuple(_minimal(monomial for tail in tails for monomial in tail.generators)))


def of_degree(count: int, places: Sequence[int], degree: int) -> list[Monomial]:
    """All monomials of a degree in some of the variables."""
    found = []
    for chosen in itertools.combinations_with_replacement(places, degree):
        powers = [0] * count
        for i in chosen:
            powers[i] += 1
        found.append(tuple(powers))
    return found


def _minimal(monomials: Iterable[Monomial]) -> list[Monomial]:
    found: list[Monomial] = []
    for monomial in sorted(set(monomials), key=lambda m: (sum(m), m)):
        if not any(divides(other, monomial) for other in found):
            found.append(monomial)
    return found


def divides(first: Monomial, second: Monomial) -> bool:
    """Whether x^first divides x^second."""
    return all(map(operator.le, first, second))
