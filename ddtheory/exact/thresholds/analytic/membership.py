"""Proofs that the tail of a power series changes neither an ideal nor a pair, by linear algebra.

Let f = g + t with g a Taylor polynomial, and let every monomial of t lie in a monomial ideal T.

*The same ideal* (Nakayama). If T ⊂ m·⟨g⟩ + m·T, then T ⊂ m·⟨g⟩, so ⟨f⟩ + m⟨g⟩ = ⟨g⟩ and ⟨f⟩ = ⟨g⟩.

*The same germ up to units and coordinates* (finite determinacy: Arnold, Gusein-Zade and Varchenko 1985,
Chapter 6). Let Θ be vector fields with Θ·T ⊂ m·T that vanish at 0 and keep the hyperplanes on which a weight or a
boundary lies, and L(g) = m·(combinations of the generators) + Θ·g. If T ⊂ L(g) + m·T, then this holds for g + s·t too,
with any s, since L(g + s·t) and L(g) differ by elements of m·T. By Nakayama T ⊂ L(g + s·t), and so t is tangent to the
orbit all the way from g to f: a change of coordinates takes ⟨f⟩ to ⟨g⟩, and one generator to a positive unit times it.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence

from flint import fmpq, fmpq_mat

from ddtheory.exact.thresholds.analytic.jets import Monomial
from ddtheory.exact.thresholds.analytic.tails import Tail, divides, of_degree
from ddtheory.exact.thresholds.germs.limits import spend

Terms = Mapping[Monomial, fmpq]

_LARGEST_SYSTEM = 400_000  # entries


def same_ideal(jets: Sequence[Terms], tail: Tail) -> bool:
    """Whether T ⊂ m·⟨g⟩ + m·T, by linear algebra.

    >>> x_minus_xy = {(1, 0): fmpq(1), (1, 1): fmpq(-1)}
    >>> same_ideal([x_minus_xy], Tail(((1, 2), (3, 0)))), same_ideal([{(2, 0): fmpq(1)}], Tail(((0, 3),)))
    (True, False)
    """
    if len(jets) == 1:
        # a divisor of a monomial is a monomial times a unit
        front = tuple(map(min, zip(*jets[0], strict=True)))
        return front in jets[0] and all(divides(front, m) and front != m for m in tail.generators)
    if _axes(tail) > len(jets):
        return False  # V(g) has at most as many codimensions as there are generators
    highest = max(map(sum, tail.generators), default=0)
    columns = [
        {(0, product): c for product, c in _multiplied(terms, factor)}
        for terms in jets
        for factor in _factors(terms, 1, highest)
    ]
    return _solves(columns, [(0, generator) for generator in tail.generators], lambda _, m: tail.contains_properly(m))


def same_germ(jets: Sequence[Terms], cut: Sequence[bool], tail: Tail, free: Sequence[bool]) -> bool:
    """Whether T ⊂ L(g) + m·T in every generator that was cut off; the others are polynomials and have no tail."""
    highest = max(map(sum, tail.generators), default=0)
    columns: list[dict[tuple[int, Monomial], fmpq]] = []
    for j, terms in enumerate(jets):
        for factor in _factors(terms, 1, highest):
            product = _multiplied(terms, factor)
            columns += [{(i, m): c for m, c in product} for i in range(len(jets)) if cut[i] or not cut[j]]
    lowest = min(sum(m) for terms in jets for m in terms)
    count = len(free)
    for i in range(count):
        for factor in _up_to(count, 1, highest - lowest + 1):
            if (not free[i] and not factor[i]) or not _keeps(tail, factor, i):
                continue
            column: dict[tuple[int, Monomial], fmpq] = {}
            for j, terms in enumerate(jets):
                for monomial, c in terms.items():
                    if monomial[i]:
                        key = j, _lowered(tuple(map(operator.add, monomial, factor)), i)
                        column[key] = column.get(key, fmpq(0)) + c * monomial[i]
            columns.append(column)
    targets = [(j, generator) for j in range(len(jets)) if cut[j] for generator in tail.generators]
    return _solves(columns, targets, lambda j, m: cut[j] and tail.contains_properly(m))


def _axes(tail: Tail) -> int:
    """How many coordinates have a power in T."""
    return sum(1 for generator in tail.generators if sum(map(bool, generator)) == 1)


def _keeps(tail: Tail, factor: Monomial, i: int) -> bool:
    """Whether x^factor ∂_i takes T into m·T."""
    return all(
        tail.contains_properly(_lowered(tuple(map(operator.add, generator, factor)), i))
        for generator in tail.generators
        if generator[i]
    )


def _lowered(monomial: Monomial, i: int) -> Monomial:
    return (*monomial[:i], monomial[i] - 1, *monomial[i + 1 :])


def _factors(terms: Terms, least: int, highest: int) -> Iterator[Monomial]:
    """Monomials whose product with the lowest term does not exceed a degree."""
    lowest = min(map(sum, terms), default=highest)
    return _up_to(len(next(iter(terms), ())), least, highest - lowest)


def _up_to(count: int, least: int, most: int) -> Iterator[Monomial]:
    for degree in range(least, most + 1):
        yield from of_degree(count, range(count), degree)


def _multiplied(terms: Terms, factor: Monomial) -> list[tuple[Monomial, fmpq]]:
    return [(tuple(map(operator.add, monomial, factor)), c) for monomial, c in terms.items()]


def _solves(
    columns: Sequence[Mapping[tuple[int, Monomial], fmpq]],
    targets: Sequence[tuple[int, Monomial]],
    small: Callable[[int, Monomial], bool],
) -> bool:
    """Whether every target is a combination of the columns, up to entries that are small."""
    keys = {key for column in columns for key in column}
    large = {key for key in keys if not small(*key)}
    kept = [{key: c for key, c in column.items() if key in large} for column in columns]
    kept = [column for column in kept if column]
    rows = {key: place for place, key in enumerate(dict.fromkeys([*targets, *itertools.chain(*kept)]))}
    if len(rows) * (len(kept) + len(targets)) > _LARGEST_SYSTEM:
        return False
    spend()
    without, complete = fmpq_mat(len(rows), len(kept)), fmpq_mat(len(rows), len(kept) + len(targets))
    for place, column in enumerate([*kept, *[{key: fmpq(1)} for key in targets]]):
        for key, c in column.items():
            complete[rows[key], place] = c
            if place < len(kept):
                without[rows[key], place] = c
    return bool(without.rank() == complete.rank())
