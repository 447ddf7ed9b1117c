"""Which monomials the tail of a power series can have, and proofs that it changes neither an ideal nor a pair.

Let f = g + t with g a Taylor polynomial, and let every monomial of t lie in a monomial ideal T.

*The same ideal* (Nakayama). If T ⊂ m·⟨g⟩ + m·T, then T ⊂ m·⟨g⟩, so ⟨f⟩ + m⟨g⟩ = ⟨g⟩ and ⟨f⟩ = ⟨g⟩.

*The same germ up to units and coordinates* (finite determinacy: Mather 1968; Arnold, Gusein-Zade and Varchenko 1985,
Chapter 6). Let Θ be vector fields with Θ·T ⊂ m·T that vanish at 0 and keep the hyperplanes on which a weight or a
boundary lies, and L(g) = m·(combinations of the generators) + Θ·g. If T ⊂ L(g) + m·T, then this holds for g + s·t too,
with any s, since L(g + s·t) and L(g) differ by elements of m·T. By Nakayama T ⊂ L(g + s·t), and so t is tangent to the
orbit all the way from g to f: a change of coordinates takes ⟨f⟩ to ⟨g⟩, and one generator to a positive unit times it.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy
from flint import fmpq, fmpq_mat
from sympy import Expr, Poly, Pow, Symbol

from ddtheory.exact.thresholds.analytic.jets import Monomial, jet, vanishes
from ddtheory.exact.thresholds.limits import spend

Terms = Mapping[Monomial, fmpq]

_MOST_SUBSETS = 30
_MOST_GENERATORS = 400
_MOST_PAIRS = 30_000
_LARGEST_SYSTEM = 400_000  # entries


@dataclass(frozen=True)
class Tail:
    """The monomials above a degree that also have an order in some sets of variables, by its minimal generators.

    >>> Tail(((3, 0), (1, 1))).contains((1, 2)), Tail(((3, 0), (1, 1))).contains_properly((1, 1))
    (True, False)
    """

    generators: tuple[Monomial, ...]

    def contains(self, monomial: Monomial) -> bool:
        return any(_divides(generator, monomial) for generator in self.generators)

    def contains_properly(self, monomial: Monomial) -> bool:
        """Whether the monomial lies in m·T."""
        return any(_divides(generator, monomial) and generator != monomial for generator in self.generators)

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
    found = _of_degree(count, range(count), degree + 1)
    sizes = [size for size in range(1, count) if count <= 4 or size in (1, 2)]
    subsets = itertools.chain.from_iterable(itertools.combinations(range(count), size) for size in sizes)
    for subset in itertools.islice(subsets, _MOST_SUBSETS):
        spend()
        order = min((sum(monomial[i] for i in subset) for monomial in known), default=0)
        if order and vanishes(expression, [symbols[i] for i in subset], order):
            found = _minimal(
                tuple(map(operator.add, monomial, more))
                for monomial in found
                for more in _of_degree(count, subset, max(0, order - sum(monomial[i] for i in subset)))
            )
        if len(found) > _MOST_GENERATORS:
            return None
    return Tail(tuple(found))


def joined(tails: Iterable[Tail]) -> Tail:
    """The sum of monomial ideals."""
    return Tail(tuple(_minimal(monomial for tail in tails for monomial in tail.generators)))


def same_ideal(jets: Sequence[Terms], tail: Tail) -> bool:
    """Whether T ⊂ m·⟨g⟩ + m·T, by linear algebra.

    >>> x_minus_xy = {(1, 0): fmpq(1), (1, 1): fmpq(-1)}
    >>> same_ideal([x_minus_xy], Tail(((1, 2), (3, 0)))), same_ideal([{(2, 0): fmpq(1)}], Tail(((0, 3),)))
    (True, False)
    """
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
        yield from _of_degree(count, range(count), degree)


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
    matrix = fmpq_mat(len(rows), len(kept) + len(targets))
    for place, column in enumerate([*kept, *[{key: fmpq(1)} for key in targets]]):
        for key, c in column.items():
            matrix[rows[key], place] = c
    left = fmpq_mat([[matrix[i, j] for j in range(len(kept))] for i in range(len(rows))]) if kept else None
    return (left.rank() if left is not None else 0) == matrix.rank()


def _of_degree(count: int, places: Sequence[int], degree: int) -> list[Monomial]:
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
        if not any(_divides(other, monomial) for other in found):
            found.append(monomial)
    return found


def _divides(first: Monomial, second: Monomial) -> bool:
    return all(map(operator.le, first, second))
