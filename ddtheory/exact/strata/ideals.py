"""Ideals of polynomials over ℚ, globally: bases, dimensions, minors, and pieces whose zeros together are all zeros."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import Ordering, fmpz_mpoly_ctx, fmpz_mpoly_vec
from sympy import QQ, count_roots
from sympy.polys.rings import PolyRing

from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import Element, Monomial, degree_in, factors, support

_LIMITS = (150, 400, 4_000)  # polynomials of a basis, terms of one, bits of a coefficient; FLINT cannot be interrupted
_AT_ONCE = 40
_MOST_MINORS = 2_000
_MOST_PIECES = 120


class TooLarge(Exception):
    """A basis, or the number of pieces, is beyond what is computed."""


@dataclass(frozen=True)
class Ideal:
    """An ideal with a Gröbner basis in graded order.

    Attributes:
        ring: of the polynomials.
        basis: reduced.
    """

    ring: PolyRing
    basis: tuple[Element, ...]

    @property
    def is_whole(self) -> bool:
        """Whether 1 lies in it: there are no zeros, not even complex ones."""
        return any(f.is_ground for f in self.basis)

    @cached_property
    def dimension(self) -> int:
        """Of the complex zero set; −1 where it is empty.

        >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
        >>> x, y, z = ring_of(("x", "y", "z")).gens
        >>> ideal_of(x.ring, [x * y, x * z]).dimension, ideal_of(x.ring, [x + 1, x]).dimension
        (2, -1)
        """
        if self.is_whole:
            return -1
        leading = [support([self.ring.from_dict({f.LM: QQ.one})]) for f in self.basis]
        for size in range(self.ring.ngens, 0, -1):
            for chosen in map(frozenset, itertools.combinations(range(self.ring.ngens), size)):
                if not any(one <= chosen for one in leading):
                    return size
        return 0

    @property
    def codimension(self) -> int:
        """Of the complex zero set, where there is one."""
        return self.ring.ngens - self.dimension

    def reduced(self, f: Element) -> Element:
        """The remainder of a polynomial; 0 for those of the ideal alone."""
        return f.rem(list(self.basis)) if self.basis else f

    def contains(self, other: Iterable[Element]) -> bool:
        """Whether all polynomials lie in it."""
        return not any(self.reduced(f) for f in other)

    def plus(self, others: Iterable[Element]) -> Ideal:
        """The sum with further generators."""
        return ideal_of(self.ring, [*self.basis, *others])


def ideal_of(ring: PolyRing, generators: Iterable[Element]) -> Ideal:
    """The ideal of some polynomials.

    Raises:
        TooLarge: the basis passes the limits.
    """
    spend()
    listed = [f for f in generators if f]
    if not listed:
        return Ideal(ring, ())
    if any(f.is_ground for f in listed):
        return Ideal(ring, (ring.one,))
    context = fmpz_mpoly_ctx.get(tuple(map(str, ring.symbols)), Ordering.degrevlex)
    known = Ideal(ring, ())
    waiting = sorted(dict.fromkeys(listed), key=len)
    while waiting:
        some, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
        vector = fmpz_mpoly_vec([_to_flint(f, context) for f in [*known.basis, *some]], context)
        found, complete = vector.buchberger_naive(limits=_LIMITS)
        if not complete:
            raise TooLarge
        known = Ideal(ring, tuple(_from_flint(f, ring) for f in found.autoreduction()))
        waiting = [f for f in (known.reduced(entry) for entry in waiting) if f]
        spend()
    return known


def unmixed_off(ideal: Ideal) -> list[Element]:
    """Polynomials off whose common zeros all components of the zeros have the full dimension.

    For independent coordinates u, as many as the dimension, let h be the product of the leading coefficients, in u, of
    a basis for an order in which the others are larger. Then I : h^∞ is the contraction of the ideal over ℚ(u), whose
    components have dimension |u|, so every component of smaller dimension lies in the zeros of h.

    Source: Gianni, Trager and Zacharias 1988.

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> x, y, z = ring_of(("x", "y", "z")).gens
    >>> unmixed_off(ideal_of(x.ring, [x * y, x * z]))
    [y*z]
    """
    ring = ideal.ring
    found = []
    for chosen in itertools.combinations(range(ring.ngens), ideal.dimension):
        spend()
        order = [*(i for i in range(ring.ngens) if i not in chosen), *chosen]
        context = fmpz_mpoly_ctx.get(tuple(str(ring.symbols[i]) for i in order), Ordering.lex)
        moved = [_moved(f, order) for f in ideal.basis]
        vector = fmpz_mpoly_vec([_to_flint(f, context) for f in moved], context)
        basis, complete = vector.buchberger_naive(limits=_LIMITS)
        if not complete:
            continue
        count = ring.ngens - len(chosen)
        heads = [_head(_terms(f), count) for f in basis.autoreduction()]
        if any(not any(power) for power, _ in heads):
            continue  # a polynomial in the chosen coordinates alone: they are not independent
        product = ring.one
        for factor in dict.fromkeys(_moved_back(head, order, ring) for _, head in heads):
            for prime, _ in [] if factor.is_ground else factors(factor)[1]:
                product = product if not product.rem([prime]) else product * prime
        found.append(product)
    return list(dict.fromkeys(found))


def minors(rows: Sequence[Sequence[Element]], size: int) -> list[Element]:
    """The minors of a size of a matrix of polynomials, without those that vanish; if they are very many, some of them.

    Where all of some minors vanish, all of them may: a cut by some is larger, and as sound.
    """
    height, width = len(rows), len(rows[0]) if rows else 0
    columns = math.comb(width, size)
    step = 1 + math.comb(height, size) * columns // _MOST_MINORS
    while math.gcd(step, columns) > 1:  # else the same columns would come every time
        step += 1
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], Element] = {}

    def minor(chosen: tuple[int, ...], where: tuple[int, ...]) -> Element:
        if len(chosen) == 1:
            return rows[chosen[0]][where[0]]
        if (chosen, where) not in found:
            spend()
            found[chosen, where] = sum(
                (
                    (-1) ** i * rows[chosen[0]][column] * minor(chosen[1:], where[:i] + where[i + 1 :])
                    for i, column in enumerate(where)
                    if rows[chosen[0]][column]
                ),
                rows[0][0].ring.zero,
            )
        return found[chosen, where]

    places = itertools.product(itertools.combinations(range(height), size), itertools.combinations(range(width), size))
    listed = (minor(*place) for place in itertools.islice(places, 0, None, step))
    return list(dict.fromkeys(f for f in listed if f))


def jacobian(generators: Iterable[Element], ring: PolyRing) -> list[list[Element]]:
    """The derivatives, a row for each generator."""
    return [[f.diff(x) for x in ring.gens] for f in generators]


@dataclass(frozen=True)
class Pieces:
    """Ideals whose real zeros together are those of one, and those without real zeros, with the reason."""

    ideals: tuple[Ideal, ...]
    without_points: tuple[tuple[Ideal, str], ...]


def pieces(whole: Ideal) -> Pieces:
    """Real zeros cut into pieces: V(I, fg) = V(I, f) ∪ V(I, g), powers are dropped, and a sum of squares vanishes over
    ℝ where each of them does. The elements of every basis are irreducible then, and no piece lies in another one.

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> x, y, z = ring_of(("x", "y", "z")).gens
    >>> found = pieces(ideal_of(x.ring, [x**2 * (y**2 + z**2) * (z**2 + 1)]))
    >>> [one.basis for one in found.ideals], [why for _, why in found.without_points]
    ([(x,), (y, z)], ['z**2 + 1 > 0'])
    """
    found: list[Ideal] = []
    empty: dict[tuple[Element, ...], tuple[Ideal, str]] = {}
    waiting, seen = [whole], {whole.basis}
    while waiting:
        ideal = waiting.pop()
        if len(seen) > _MOST_PIECES:
            raise TooLarge
        if ideal.is_whole:
            continue
        following, why = _split(ideal)
        if why:
            empty.setdefault(ideal.basis, (ideal, why))
        elif following is None:
            found.append(ideal)
        else:
            waiting += [one for one in following if one.basis not in seen]
            seen |= {one.basis for one in following}
    largest: list[Ideal] = []
    for ideal in sorted(dict.fromkeys(found), key=lambda one: (-one.dimension, len(one.basis), str(one.basis))):
        if not any(ideal.contains(other.basis) for other in largest):
            largest.append(ideal)
    return Pieces(tuple(largest), tuple(empty.values()))


def _split(ideal: Ideal) -> tuple[list[Ideal] | None, str]:
    """Smaller pieces, None where it is one already; or why there are no real zeros."""
    for f in ideal.basis:
        _, listed = factors(f)
        if len(listed) > 1 or listed[0][1] > 1:
            return [ideal.plus([factor]) for factor, _ in listed], ""
        squares = sum_of_squares(f)
        if squares is not None:
            if any(g.is_ground for g in squares):
                positive = f if f.get(f.ring.zero_monom, QQ.zero) > 0 else -f
                return None, f"{positive} > 0"
            if not ideal.contains(squares):
                return [ideal.plus(squares)], ""
        elif len(support([f])) == 1 and not count_roots(f.as_expr()):
            return None, f"{f} has no real zero"
    return None, ""


def sum_of_squares(f: Element) -> list[Element] | None:
    """Polynomials g with ±f = Σ c g², c > 0, found by completing squares and among monomials; else None.

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> x, y = ring_of(("x", "y")).gens
    >>> sum_of_squares(x**2 + 2 * x * y**2 + 2 * y**4), sum_of_squares(-(x**4) - y**2), sum_of_squares(x**2 - y**2)
    ([y**2 + x, y**2], [x**2, y], None)
    """
    return _squares(f) or _squares(-f)


def _squares(f: Element) -> list[Element] | None:
    if all(c > 0 and all(n % 2 == 0 for n in monomial) for monomial, c in f.items()):
        return [f.ring.from_dict({tuple(n // 2 for n in monomial): QQ.one}) for monomial in f]
    for i, x in enumerate(f.ring.gens):
        square = tuple(2 * (i == j) for j in range(f.ring.ngens))
        leading = f.get(square, QQ.zero)
        if leading <= 0 or degree_in(f, i) != 2 or any(m[i] == 2 and m != square for m in f):
            continue
        root = x + (f.diff(x) - 2 * leading * x) * (QQ.one / (2 * leading))
        rest = _squares(f - leading * root**2)
        if rest is not None:
            return [root, *rest]
    return None


Terms = dict[Monomial, int]


def _moved(f: Element, order: Sequence[int]) -> Element:
    """The same polynomial with its coordinates in another order."""
    return f.ring.from_dict({tuple(monomial[i] for i in order): c for monomial, c in f.items()})


def _terms(f: Any) -> Terms:
    return {tuple(map(int, monomial)): int(c) for monomial, c in f.to_dict().items()}


def _head(terms: Terms, count: int) -> tuple[Monomial, Terms]:
    """The largest power of the first coordinates, with its coefficient in the others."""
    largest = max(monomial[:count] for monomial in terms)
    return largest, {(0,) * count + m[count:]: c for m, c in terms.items() if m[:count] == largest}


def _moved_back(terms: Terms, order: Sequence[int], ring: PolyRing) -> Element:
    back = [order.index(i) for i in range(ring.ngens)]
    return ring.from_dict({tuple(monomial[i] for i in back): QQ(c) for monomial, c in terms.items()})


def _to_flint(f: Element, context: Any) -> Any:
    scale = math.lcm(*(int(c.denominator) for c in f.values()))
    return context.from_dict({monomial: int(c * scale) for monomial, c in f.items()})


def _from_flint(f: Any, ring: PolyRing) -> Element:
    terms = {tuple(map(int, monomial)): QQ(int(c)) for monomial, c in f.to_dict().items()}
    found = ring.from_dict(terms)
    return found.monic()
