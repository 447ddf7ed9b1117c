"""Ideals recognised as they stand, whose pair is a theorem: definite quadrics, matrix products, minors, Vandermonde."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from ddtheory.exact.thresholds.ideal import IdealGerm
from ddtheory.exact.thresholds.limits import spend
from ddtheory.exact.thresholds.local_ring import Element, fraction, initial_form, order
from ddtheory.exact.thresholds.matrix_products import deep_linear
from ddtheory.exact.thresholds.newton import newton_distance
from ddtheory.exact.thresholds.nodes import Bound, Node, Solve


def definite_quadric(germ: IdealGerm, _solve: Solve) -> Node | None:
    """A generator whose quadratic part is definite in all variables, all generators of order ≥ 2: κ = Σ (h_i + 1)/2."""
    if any(order(generator) < 2 for generator in germ.generators):
        return None
    for slot, generator in enumerate(germ.generators):
        if order(generator) != 2 or not _is_definite(initial_form(generator)):
            continue
        bound = Bound(sum((h + 1 for h in germ.prior), Fraction(0)) / 2, 1)
        return Node(
            "definite",
            germ,
            bound,
            bound,
            "The quadratic part of a generator is definite, so the ideal compares with |x|²: κ = Σ (h_i + 1)/2.",
            (),
            functools.partial(dict, generator=slot),
        )
    return None


def _is_definite(form: Element) -> bool:
    """Sylvester's criterion, for either sign."""
    count = form.ring.ngens
    rows = [[fmpq(0)] * count for _ in range(count)]
    for monomial, coefficient in form.items():
        value = fraction(coefficient)
        places = [i for i, power in enumerate(monomial) for _ in range(power)]
        i, j = places
        half = fmpq(value.numerator, value.denominator) / (1 if i == j else 2)
        rows[i][j] = rows[j][i] = half
    sign = 1 if rows[0][0] > 0 else -1
    return all(
        fmpq_mat([[sign * rows[i][j] for j in range(size)] for i in range(size)]).det() > 0
        for size in range(1, count + 1)
    )


def two_factors(germ: IdealGerm, _solve: Solve) -> Node | None:
    """The entries of a product B·A of two matrices of distinct free variables: κ = 2λ of the closed form, at rank 0."""
    if not _all_free(germ) or any(set(map(sum, generator)) != {2} for generator in germ.generators):
        return None
    found = _factorisation(germ)
    if found is None:
        return None
    first, second = found
    widths = (len(first[0]), len(first), len(second))
    pair = deep_linear(widths)
    bound = Bound(2 * pair.lam, pair.m)
    return Node(
        "matrix_product",
        germ,
        bound,
        bound,
        f"The entries of a product of matrices of distinct variables, of widths {widths}: the closed form at rank 0.",
        (),
        lambda: {"widths": list(widths), "matrices": [first, second]},
    )


def _all_free(germ: IdealGerm) -> bool:
    return all(germ.is_free(i) for i in range(germ.dimension))


def _factorisation(germ: IdealGerm) -> tuple[list[list[int]], list[list[int]]] | None:
    """A (hidden × input) and B (output × hidden) as variable indices, from which variables occur together."""
    partners: dict[int, set[int]] = {i: set() for i in range(germ.dimension)}
    places: dict[int, set[int]] = {i: set() for i in range(germ.dimension)}
    for slot, generator in enumerate(germ.generators):
        if len(set(generator.values())) != 1:
            return None
        for monomial in generator:
            used = [i for i, power in enumerate(monomial) if power == 1]
            if len(used) != 2:
                return None
            partners[used[0]].add(used[1])
            partners[used[1]].add(used[0])
            for i in used:
                places[i].add(slot)
    left = _one_side(partners)
    if left is None:
        return None
    right = sorted(set(range(germ.dimension)) - set(left))
    hidden = sorted(
        {tuple(sorted(partners[i])) for i in left}
    )  # all A-variables of one hidden unit have equal partners
    inputs = sorted({tuple(sorted(places[i])) for i in left})
    outputs = sorted({tuple(sorted(places[i])) for i in right})
    slots = {(tuple(sorted(partners[i])), tuple(sorted(places[i]))): i for i in left}
    first = [[slots.get((unit, column), -1) for column in inputs] for unit in hidden]
    owner = {j: number for number, unit in enumerate(hidden) for j in unit}
    other = {(outputs.index(tuple(sorted(places[j]))), owner[j]): j for j in right}
    second = [[other.get((row, unit), -1) for unit in range(len(hidden))] for row in range(len(outputs))]
    if any(entry < 0 for row in [*first, *second] for entry in row):
        return None
    return (first, second) if _is_product(germ, first, second) else None


def _one_side(partners: dict[int, set[int]]) -> list[int] | None:
    """One colour class of the graph of variables that occur together; the two classes are the two matrices."""
    colour = {0: 0}
    waiting = [0]
    while waiting:
        i = waiting.pop()
        for j in partners[i]:
            if j not in colour:
                colour[j] = 1 - colour[i]
                waiting.append(j)
            elif colour[j] == colour[i]:
                return None
    if len(colour) < len(partners):
        # one hidden unit is one component: colour the others so that generators stay bilinear
        return None if not all(partners.values()) else _colour_components(partners)
    return sorted(i for i, c in colour.items() if c == 0)


def _colour_components(partners: dict[int, set[int]]) -> list[int] | None:
    left: list[int] = []
    seen: set[int] = set()
    sizes: list[tuple[int, int]] = []
    for start in sorted(partners):
        if start in seen:
            continue
        sides = (sorted(partners[next(iter(partners[start]))]), sorted(partners[start]))
        seen.update(*sides)
        sizes.append((len(sides[0]), len(sides[1])))
        left.extend(sides[0])
    return sorted(left) if len(set(sizes)) == 1 else None


def _is_product(germ: IdealGerm, first: Sequence[Sequence[int]], second: Sequence[Sequence[int]]) -> bool:
    gens = germ.ring.gens
    entries: set[Element] = set()
    for row, column in itertools.product(second, range(len(first[0]))):
        spend()
        entries.add(sum((gens[row[h]] * gens[first[h][column]] for h in range(len(first))), germ.ring.zero))
    given = {generator * (1 / next(iter(generator.values()))) for generator in germ.generators}
    return entries == given and len(entries) == len(germ.generators)


def generic_minors(germ: IdealGerm, _solve: Solve) -> Node | None:
    """All k-minors of an a × b matrix of distinct free variables: κ = min over 0 ≤ i < k of (a − i)(b − i)/(k − i)."""
    if not _all_free(germ):
        return None
    degrees = {sum(monomial) for generator in germ.generators for monomial in generator}
    if len(degrees) != 1:
        return None
    (size,) = degrees
    if size < 2:
        return None
    matrix = _matrix_of_minors(germ, size)
    if matrix is None:
        return None
    rows, columns = len(matrix), len(matrix[0])
    values = [Fraction((rows - i) * (columns - i), size - i) for i in range(size)]
    bound = Bound(min(values), values.count(min(values)))
    return Node(
        "minors",
        germ,
        bound,
        bound,
        f"The {size}-minors of a generic {rows} × {columns} matrix.",
        (),
        lambda: {"matrix": matrix, "size": size},
    )


def _matrix_of_minors(germ: IdealGerm, size: int) -> list[list[int]] | None:
    """The matrix, from pairs of variables that never occur in one monomial: they share a row or a column."""
    count = germ.dimension
    together = {
        frozenset(pair)
        for generator in germ.generators
        for monomial in generator
        for pair in itertools.combinations([i for i, power in enumerate(monomial) if power], 2)
    }
    lines = {i: {j for j in range(count) if j != i and frozenset((i, j)) not in together} for i in range(count)}
    # the line through 0 splits in a row and a column: two members of it share a line exactly when they are on the same
    row = [0]
    rest = sorted(lines[0])
    if rest:
        row += [j for j in rest if j == rest[0] or rest[0] in lines[j]]
    column = [0, *[j for j in rest if j not in row]]
    if len(row) * len(column) != count:
        return None
    matrix = [list(row)]
    for start in column[1:]:
        found = [start]
        for above in row[1:]:
            shared = (lines[start] & lines[above]) - {0}
            if len(shared) != 1:
                return None
            found.append(next(iter(shared)))
        matrix.append(found)
    if sorted(itertools.chain(*matrix)) != list(range(count)) or min(len(matrix), len(row)) < size:
        return None
    return matrix if _are_minors(germ, matrix, size) else None


def _are_minors(germ: IdealGerm, matrix: Sequence[Sequence[int]], size: int) -> bool:
    gens = germ.ring.gens
    expected: set[Any] = set()
    for rows in itertools.combinations(range(len(matrix)), size):
        for columns in itertools.combinations(range(len(matrix[0])), size):
            spend()
            minor = _determinant([[gens[matrix[i][j]] for j in columns] for i in rows], germ)
            expected.add(_signless(minor))
    return expected == {_signless(generator) for generator in germ.generators}


def _determinant(entries: Sequence[Sequence[Element]], germ: IdealGerm) -> Element:
    if len(entries) == 1:
        return entries[0][0]
    total = germ.ring.zero
    for j, entry in enumerate(entries[0]):
        rest = [[*row[:j], *row[j + 1 :]] for row in entries[1:]]
        total = total + (-1) ** j * entry * _determinant(rest, germ)
    return total


def _signless(polynomial: Element) -> Element:
    """Scaled so that the coefficient of its largest monomial is 1."""
    return polynomial * (1 / polynomial[max(polynomial)])


def vandermonde(germ: IdealGerm, _solve: Solve) -> Node | None:
    """⟨Σ_i a_i b_i^{1 + jQ}⟩ for j = 0 … J ≥ H − 1: one input, one output, H hidden units, true function 0.

    κ is computed twice: by the closed form with k = max{i : 2H ≥ i(i − 1)Q + 2i}, and by the programme of the
    desingularised ideal, b_i = t_1 … t_i.
    """
    if not _all_free(germ) or germ.dimension % 2 or len(germ.generators) < 2:
        return None
    units = germ.dimension // 2
    found = _vandermonde_shape(germ, units)
    if found is None:
        return None
    pairs, gap = found
    k = max(i for i in range(units + 1) if 2 * units >= i * (i - 1) * gap + 2 * i)
    value = Fraction(gap * k * (k + 1) + 2 * units, 2 * (1 + k * gap))
    multiplicity = 2 if k >= 1 and 2 * units == k * (k - 1) * gap + 2 * k else 1
    exponents = []
    for i in range(1, units + 1):
        along = [1 + (i - j) * gap if j <= i else 0 for j in range(1, units + 1)]
        exponents.append((*along, *[int(other == i) for other in range(1, units + 1)]))
    prior = [units - j for j in range(1, units + 1)] + [0] * units
    route = newton_distance(exponents, prior)
    if (route.value, route.multiplicity) != (value, multiplicity):
        return None
    bound = Bound(value, multiplicity)
    return Node(
        "vandermonde",
        germ,
        bound,
        bound,
        f"A Vandermonde singularity with {units} units, powers 1, {1 + gap}, …: closed form and programme agree.",
        (),
        lambda: {"pairs": [list(pair) for pair in pairs], "gap": gap},
    )


def _vandermonde_shape(germ: IdealGerm, units: int) -> tuple[list[tuple[int, int]], int] | None:
    """The pairs (a_i, b_i) and Q."""
    ranked = sorted(germ.generators, key=lambda f: max(map(sum, f)))
    pairs: list[tuple[int, int]] | None = None
    gap = 0
    for step, generator in enumerate(ranked):
        if len(generator) != units or len(set(generator.values())) != 1:
            return None
        powers = {max(monomial) for monomial in generator}
        if len(powers) != 1 or any(sorted(p for p in m if p) not in ([1, *powers], [1]) for m in generator):
            return None
        (power,) = powers
        if step == 0:
            if power != 1:
                return None
            continue
        gap = power - 1 if step == 1 else gap
        if power != 1 + step * gap or gap < 1:
            return None
        here = [(m.index(1), m.index(power)) for m in generator]
        if pairs is not None and sorted(here) != sorted(pairs):
            return None
        pairs = here
    if pairs is None or len(ranked) < units:
        return None
    first = {tuple(sorted(i for i, p in enumerate(m) if p)) for m in ranked[0]}
    return (pairs, gap) if first == {tuple(sorted(pair)) for pair in pairs} else None
