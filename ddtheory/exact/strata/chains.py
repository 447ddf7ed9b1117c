"""Chains of linear maps by ranks: how often each interval occurs, dimensions, closures, and the germ across an orbit.

A chain V_0 → V_1 → … → V_L is a sum of intervals [i, j], lines that are born at V_i and die after V_j. Their numbers
are the ranks of the partial products, and two chains with equal numbers differ by changes of bases, over any field.
Extensions of intervals are what leaves an orbit, so products along extensions are the germ across it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

Interval: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Chain:
    """An orbit of chains: dimensions n_0 … n_L, and how often each interval [i, j] occurs, 0 left out.

    >>> one = Chain((2, 2, 2), {(0, 1): 1, (0, 0): 1, (1, 1): 1, (2, 2): 2})           # ranks 1 and 0, product 0
    >>> one.rank(0, 1), one.rank(1, 2), one.codimension
    (1, 0, 5)
    """

    sizes: tuple[int, ...]
    numbers: Mapping[Interval, int]

    @property
    def last(self) -> int:
        """L."""
        return len(self.sizes) - 1

    def rank(self, start: int, end: int) -> int:
        """The rank of the map from V_start to V_end."""
        return sum(number for (i, j), number in self.numbers.items() if i <= start and end <= j)

    @cached_property
    def ranks(self) -> dict[Interval, int]:
        """The ranks of all partial products, shorter ones first."""
        pairs = itertools.combinations(range(len(self.sizes)), 2)
        return {pair: self.rank(*pair) for pair in sorted(pairs, key=lambda pair: (pair[1] - pair[0], pair))}

    @cached_property
    def codimension(self) -> int:
        """Of the orbit among all chains: the number of extensions of its intervals (Voigt's lemma)."""
        return sum(
            first * second
            for (one, first), (other, second) in itertools.product(self.numbers.items(), repeat=2)
            if extends(one, other)
        )

    def is_below(self, other: Chain) -> bool:
        """Whether this orbit lies in the closure of the other: no rank is larger (Abeasis and Del Fra 1985)."""
        return all(rank <= other.ranks[pair] for pair, rank in self.ranks.items())


def extends(one: Interval, other: Interval) -> bool:
    """Whether the first interval can be extended by the second, Ext¹ ≠ 0: a line of the first may end in the second."""
    (a, b), (c, d) = one, other
    return a < c <= b + 1 <= d


def chains(sizes: Sequence[int], rank: int) -> Iterator[Chain]:
    """All orbits whose whole product has this rank.

    >>> len(list(chains((2, 2, 2), 0))), len(list(chains((1, 1, 1, 1), 0)))
    (6, 7)
    """
    last = len(sizes) - 1

    def after(vertex: int, alive: tuple[int, ...], numbers: dict[Interval, int]) -> Iterator[dict[Interval, int]]:
        """Lines alive at a vertex, by where they were born."""
        if vertex == last:
            if alive[0] == rank:
                yield numbers | {(i, last): number for i, number in enumerate(alive) if number}
            return
        room = sizes[vertex + 1]
        for kept in itertools.product(*(range(min(number, room) + 1) for number in alive)):
            if kept[0] >= rank and sum(kept) <= room:
                ended = {(i, vertex): n - k for i, (n, k) in enumerate(zip(alive, kept, strict=True)) if n > k}
                yield from after(vertex + 1, (*kept, room - sum(kept)), numbers | ended)

    for numbers in after(0, (sizes[0],), {}):
        yield Chain(tuple(sizes), numbers)


@dataclass(frozen=True)
class Network:
    """The germ across an orbit, beside regular directions: products of matrices at zero, summed over paths.

    Vertices are intervals, an arrow J → J' is a free matrix at zero of size number(J) × number(J'), and each pair of a
    source [0, b] and a target [c, L] that is listed asks that the sum over all paths between them vanishes.

    Attributes:
        regular: the number of equations that are coordinates.
        pairs: sources and targets whose equations are left.
        arrows: from each vertex to the next ones.
        numbers: of each vertex.
    """

    regular: int
    pairs: tuple[tuple[Interval, Interval], ...]
    arrows: Mapping[Interval, tuple[Interval, ...]]
    numbers: Mapping[Interval, int]

    def parts(self) -> list[Network]:
        """The network cut into parts that share no arrow; pairs without a path ask nothing."""
        parts: list[tuple[set[tuple[Interval, Interval]], list[tuple[Interval, Interval]]]] = []
        for pair in self.pairs:
            edges = self._between(*pair)
            if not edges:
                continue
            met = [part for part in parts if part[0] & edges]
            parts = [part for part in parts if not part[0] & edges]
            joined = edges.union(*(part[0] for part in met))
            parts.append((joined, [entry for part in met for entry in part[1]] + [pair]))
        return [
            Network(
                0,
                tuple(pairs),
                {one: tuple(sorted(b for a, b in edges if a == one)) for one in sorted({a for a, _ in edges})},
                {vertex: self.numbers[vertex] for edge in sorted(edges) for vertex in edge},
            )
            for edges, pairs in parts
        ]

    def as_product(self) -> tuple[int, ...] | None:
        """The sizes of a product of matrices at zero that the network is, where it is one.

        Vertices with the same arrows in and out are one vertex; then the arrows have to form one line, and every source
        has to be paired with every target.

        >>> zero = Chain((2, 3, 4), {(0, 0): 2, (1, 1): 3, (2, 2): 4})
        >>> [part.as_product() for part in across(zero).parts()]
        [(2, 3, 4)]
        """
        before: dict[Interval, set[Interval]] = {vertex: set() for vertex in self.numbers}
        for one, onward in self.arrows.items():
            for other in onward:
                before[other].add(one)
        sources = {vertex for vertex in self.numbers if not before[vertex]}
        targets = {vertex for vertex in self.numbers if not self.arrows.get(vertex)}
        if len(self.pairs) != len(sources) * len(targets):
            return None
        layer, seen = sources, set(sources)
        sizes = [sum(self.numbers[vertex] for vertex in layer)]
        while layer != targets:
            following: set[Interval] = {other for one in layer for other in self.arrows.get(one, ())}
            complete = all(set(self.arrows.get(one, ())) == following for one in layer)
            if not complete or following & seen or any(before[other] != layer for other in following):
                return None
            layer, seen = following, seen | following
            sizes.append(sum(self.numbers[vertex] for vertex in layer))
        return tuple(sizes) if len(seen) == len(self.numbers) else None

    def entries(self) -> list[str]:
        """The equations as expressions, to be derived where no closed form is known.

        >>> across(Chain((1, 1, 1), {(0, 0): 1, (1, 1): 1, (2, 2): 1})).entries()
        ['x0_1*x1_2']
        """
        index: dict[Interval, list[int]] = {}
        count = itertools.count()
        for vertex in sorted(self.numbers):
            index[vertex] = [next(count) for _ in range(self.numbers[vertex])]

        def sums(vertex: Interval, line: int, target: Interval, end: int) -> list[str]:
            if vertex == target:
                return [""] if line == end else []
            return [
                f"x{line}_{following}" + (f"*{rest}" if rest else "")
                for other in self.arrows.get(vertex, ())
                for following in index[other]
                for rest in sums(other, following, target, end)
            ]

        found = [
            " + ".join(sums(source, start, target, end))
            for source, target in self.pairs
            for start in index[source]
            for end in index[target]
        ]
        return [entry for entry in found if entry]

    def _between(self, source: Interval, target: Interval) -> set[tuple[Interval, Interval]]:
        """The arrows on paths from a source to a target."""
        found: set[tuple[Interval, Interval]] = set()

        def reaches(vertex: Interval) -> bool:
            if vertex == target:
                return True
            onward = [other for other in self.arrows.get(vertex, ()) if reaches(other)]
            found.update((vertex, other) for other in onward)
            return bool(onward)

        reaches(source)
        return found


def across(chain: Chain) -> Network:
    """The germ of "product = C" at a chain: r(n_0 + n_L − r) equations of the rank r are regular, and one for each
    source that a target extends; the rest is a network. The slice of the orbit by extensions is transversal to it.
    """
    last, numbers = chain.last, chain.numbers
    rank = numbers.get((0, last), 0)
    sources = [one for one in numbers if one[0] == 0 and one[1] < last]
    targets = [one for one in numbers if one[0] > 0 and one[1] == last]
    inner = [one for one in numbers if one[0] > 0 and one[1] < last]
    direct = [(s, t) for s in sources for t in targets if extends(s, t)]
    regular = rank * (chain.sizes[0] + chain.sizes[-1] - rank) + sum(numbers[s] * numbers[t] for s, t in direct)
    pairs = tuple((s, t) for s in sources for t in targets if (s, t) not in direct)
    arrows = {
        one: tuple(other for other in [*inner, *targets] if extends(one, other) and (one, other) not in direct)
        for one in [*sources, *inner]
    }
    return Network(regular, pairs, arrows, numbers)
