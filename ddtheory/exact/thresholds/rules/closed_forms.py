"""Ideals recognised as they stand, whose pair is a theorem: definite quadrics, matrix products, minors, Vandermonde."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import (
    Element,
    Monomial,
    constant_term,
    fraction,
    initial_form,
    order,
    rational,
)
from ddtheory.exact.thresholds.matrix_products import deep_linear
from ddtheory.exact.thresholds.nodes import Bound, Node, Solve
from ddtheory.exact.thresholds.polyhedra.newton import newton_distance
from ddtheory.exact.thresholds.rules.factorisations import Matrix, factorised
from ddtheory.exact.thresholds.wire import rationals_to_json


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


def product_of_matrices(germ: IdealGerm, _solve: Solve) -> Node | None:
    """The entries of W_L ⋯ W_1 − C in distinct free variables, all factors and C of one rank r: the closed form.

    In block bases W_l = diag(1_r, 0) at the point. Unipotent factors move through the product, from one matrix to the
    next, so that W_L ⋯ W_1 = [[1, 0], [Y, 1]]·diag(A, D_L ⋯ D_1)·[[1, Z], [0, 1]], where A − 1_r, Y, Z and the D_l of
    widths H_l − r are coordinates. The ideal is ⟨A − 1, Y, Z⟩ + ⟨entries of D_L ⋯ D_1⟩: r(H_0 + H_L) − r² coordinates
    beside a product at rank 0.
    """
    found = _factors_at_point(germ) if _all_free(germ) else None
    if found is None:
        return None
    matrices, point = found
    widths = (len(matrices[0][0]), *map(len, matrices))
    ranks = {_rank(constants) for constants in [*point, functools.reduce(_product, point)]}
    if len(ranks) > 1:
        return None
    (rank,) = ranks
    pair = deep_linear(widths, rank)
    bound = Bound(2 * pair.lam, pair.m)
    return Node(
        "matrix_product",
        germ,
        bound,
        bound,
        f"The entries of a product of {len(matrices)} matrices of distinct variables, of widths {widths}: the closed "
        f"form at rank {rank}.",
        (),
        lambda: {
            "widths": list(widths),
            "matrices": matrices,
            **({"point": [[rationals_to_json(row) for row in constants] for constants in point]} if rank else {}),
        },
    )


Constants = list[list[Fraction]]


def _factors_at_point(germ: IdealGerm) -> tuple[list[Matrix], list[Constants]] | None:
    """The matrices of variables, from the terms of highest degree, and their values at the point.

    With x_e the variable of one step of a path p, the coefficient of p/x_e in its entry is the value of that place.
    """
    tops = [_highest(generator) for generator in germ.generators]
    if any(top is None for top in tops) or all(top and len(top) == 1 for top in tops):
        return None  # monomials are no product of matrices that needs a theorem
    entries = [frozenset(frozenset(i for i, e in enumerate(m) if e) for m in top) for top in tops if top]
    matrices = factorised(entries)
    if matrices is None or sorted(i for matrix in matrices for row in matrix for i in row) != [*range(germ.dimension)]:
        return None
    values: dict[int, Fraction] = {}
    for generator, top in zip(germ.generators, tops, strict=True):
        for monomial in top or ():
            spend()
            for i in (i for i, e in enumerate(monomial) if e and i not in values):
                shorter = tuple(e - (i == j) for j, e in enumerate(monomial))
                values[i] = fraction(generator.get(shorter, 0) / generator[monomial])
    point = [[[values[i] for i in row] for row in matrix] for matrix in matrices]
    return (matrices, point) if _are_entries(germ, matrices, point) else None


def _highest(generator: Element) -> list[Monomial] | None:
    """The exponents of highest degree; None unless they are square-free and have equal coefficients."""
    if not generator:
        return None
    degree = max(map(sum, generator))
    top = [monomial for monomial in generator if sum(monomial) == degree]
    alike = len({generator[monomial] for monomial in top}) == 1
    return top if degree > 1 and alike and max(map(max, top)) == 1 else None


def _are_entries(germ: IdealGerm, matrices: Sequence[Matrix], point: Sequence[Constants]) -> bool:
    factors = [
        [[germ.ring.gens[i] + rational(c) for i, c in zip(*rows, strict=True)] for rows in zip(*pair, strict=True)]
        for pair in zip(matrices, point, strict=True)
    ]
    entries = [entry for row in functools.reduce(_product, factors) for entry in row]
    found = {_signless(entry - constant_term(entry)) for entry in entries}
    return found == {_signless(generator) for generator in germ.generators}


def _product(first: Sequence[Sequence[Any]], second: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """second · first."""
    spend()
    columns = list(zip(*first, strict=True))
    return [[functools.reduce(operator.add, map(operator.mul, row, column)) for column in columns] for row in second]


def _rank(constants: Constants) -> int:
    return int(fmpq_mat([[fmpq(c.numerator, c.denominator) for c in row] for row in constants]).rank())


def _all_free(germ: IdealGerm) -> bool:
    return all(germ.is_free(i) for i in range(germ.dimension))


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
