"""One generator of any sign with a non-degenerate quadratic part in free variables: f = q(x) + g(y).

By the splitting lemma, with the other variables y as parameters. The density of the values of q at 0 decides:
|t|^{−1/2} for one square, log 1/|t| for an indefinite form of rank 2, bounded for the others of rank 2 and more. It
does not matter what prior and which boundaries y has. The proofs stand in `ddtheory.certify.rules.saddles`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat, fmpq_poly

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import (
    Element,
    cofactors,
    degree_in,
    eliminant,
    linear_coefficient,
    ring_of,
    to_flint,
    without,
)
from ddtheory.exact.thresholds.nodes import Bound, CertificateError, Data, Node, Solve
from ddtheory.exact.thresholds.rules.attempt import Attempt
from ddtheory.exact.thresholds.signs.arcs import Arc, composed, solved, some_arcs
from ddtheory.exact.thresholds.wire import polynomial_to_json, rational_to_json

_PRECISIONS = (4, 16, 40)  # terms of an arc
_MOST_TERMS = 400  # of a generator that is followed along arcs
_DIRECTIONS = 4
_ONE = Bound(Fraction(1), 1)


def saddle(germ: IdealGerm, _solve: Solve) -> Node | None:
    """Rank ρ ≥ 2 and both signs: κ = m = 1, but m = 2 for an indefinite form of rank 2 with g = 0."""
    if len(germ.generators) != 1 or germ.divergence:
        return None
    (f,) = germ.generators
    live, rank, definite = _nondegenerate(germ, f)
    if rank < 2:
        return None
    names = ", ".join(germ.names[i] for i in live)
    what = f"f = q + g with q {'definite' if definite else 'indefinite'} of rank {rank} in {names}"
    if not definite and rank == 2 and all(sum(m[i] for i in live) >= 2 for m in f):
        both = Bound(Fraction(1), 2)
        return Node("saddle", germ, both, both, f"{what} and g = 0: κ = 1, m = 2.", (), lambda: {"live": live})
    arc: Arc | None = None
    if definite:
        arc = _other_sign(germ, f, live)
        why = "and f of both signs"
    elif rank == 2:
        arc = _not_only_quadratic(germ, f, live)
        why = "and g ≠ 0"
    else:
        return Node("saddle", germ, _ONE, _ONE, f"{what}: κ = 1, m = 1.", (), lambda: {"live": live})
    if arc is None:
        return None
    return Node("saddle", germ, _ONE, _ONE, f"{what}, {why}: κ = 1, m = 1.", (), functools.partial(_data, live, arc))


def suspension(attempt: Attempt) -> Iterator[Node]:
    """f = ±x² + g(y): κ = min(1, 1/2 + κ(g)), where 1 is attained if f takes both signs, and there m may be greater."""
    germ = attempt.germ
    if len(germ.generators) != 1 or germ.divergence:
        return
    (f,) = germ.generators
    live = [i for i in germ.free if _second(f, i, i) and not linear_coefficient(f, i)]
    for variable in sorted(live, key=lambda i: (degree_in(f, i), sum(1 for m in f if m[i]))):
        slope = f.diff(germ.ring.gens[variable])
        found = eliminant(f, slope, variable)
        if found is not None:
            yield _suspended(germ, variable, found, attempt.solve)
            return


def _suspended(germ: IdealGerm, variable: int, found: Element, solve: Solve) -> Node:
    (f,) = germ.generators
    kept = [i for i in range(germ.dimension) if i != variable]
    ring = ring_of([germ.names[i] for i in kept])
    child = solve(
        IdealGerm(
            ring,
            (without(found, variable, ring),),
            tuple(germ.prior[i] for i in kept),
            tuple(germ.nonnegative[i] for i in kept),
        )
    )
    half = Fraction(1, 2)
    arc = _other_sign(germ, f, [variable]) if child.upper.value > half else None
    if child.lower.value == half:
        lower = Bound(Fraction(1), None if child.lower.m is None else child.lower.m + 1)
    else:
        lower = _ONE if child.lower.value > half else child.lower.shifted(half)
    upper = child.upper.shifted(half) if arc is None else _ONE

    def data() -> Data:
        pair = cofactors(f, f.diff(germ.ring.gens[variable]), variable, found)
        if pair is None:
            raise CertificateError("The cofactors of an eliminant are too large to write down.")
        unit, cofactor = map(polynomial_to_json, pair)
        shown = {} if arc is None else {"arc": _written(arc)}
        return {"variable": variable, "unit": unit, "cofactor": cofactor, **shown}

    says = (
        f"f = ± a square + g in a coordinate in place of {germ.names[variable]}: κ is the least of 1/2 + κ(g) and, "
        "where f takes both signs, 1."
    )
    return Node("suspension", germ, lower, upper, says, (child,), data)


def _second(f: Element, i: int, j: int) -> fmpq:
    """∂²f/∂x_i∂x_j at the origin."""
    value = f.get(tuple((i == k) + (j == k) for k in range(f.ring.ngens)), 0)
    return to_flint(value) * (1 + (i == j)) if value else fmpq(0)


def _nondegenerate(germ: IdealGerm, f: Element) -> tuple[list[int], int, bool]:
    """Critical free variables in which the Hessian is non-degenerate, of the largest number; and if it is definite.

    Rows that span the rows of a symmetric matrix give a principal minor that is not 0.
    """
    free = [i for i in germ.free if not linear_coefficient(f, i)]
    hessian = [[_second(f, i, j) for j in free] for i in free]
    if not any(any(row) for row in hessian):
        return [], 0, False
    reduced, rank = fmpq_mat(hessian).rref()
    pivots = [next(j for j in range(len(free)) if reduced[i, j]) for i in range(rank)]
    return [free[k] for k in pivots], int(rank), _is_definite([[hessian[i][j] for j in pivots] for i in pivots])


def _is_definite(matrix: Sequence[Sequence[fmpq]]) -> bool:
    """Sylvester's criterion, for either sign."""
    turn = 1 if matrix[0][0] > 0 else -1
    return all(
        fmpq_mat([[turn * entry for entry in row[:size]] for row in matrix[:size]]).det() > 0
        for size in range(1, len(matrix) + 1)
    )


def _other_sign(germ: IdealGerm, f: Element, live: Sequence[int]) -> Arc | None:
    """An arc in the domain along which f has not the sign of its definite part."""
    if len(f) > _MOST_TERMS:
        return None
    turn = 1 if _second(f, live[0], live[0]) > 0 else -1
    lines = (line for line, found in some_arcs(f, germ.nonnegative) if found.sign != turn)
    return next(itertools.chain(lines, _through_critical_points(germ, f, live, turn)), None)


def _through_critical_points(germ: IdealGerm, f: Element, live: Sequence[int], turn: int) -> Iterator[Arc]:
    """Along y = d·t the value at the critical point in x is the least, or the greatest."""
    for wanted in _directions(germ, live):
        for precision in _PRECISIONS[:2]:
            arc = _critical(f, live, wanted, precision)
            along = composed(f, arc.coordinates, 2 * precision) if arc is not None else fmpq_poly()
            first = next((c for c in along.coeffs() if c), fmpq(0))
            if arc is not None and first * turn < 0:
                yield arc


def _not_only_quadratic(germ: IdealGerm, f: Element, live: Sequence[int]) -> Arc | None:
    """An arc close to the critical points in x along which f, and so g, does not vanish."""
    if len(f) > _MOST_TERMS:
        return None
    for precision in _PRECISIONS:
        for wanted in _directions(germ, live):
            arc = _critical(f, live, wanted, precision)
            if arc is not None and composed(f, arc.coordinates, 2 * precision):
                return arc
    return None


def _directions(germ: IdealGerm, live: Sequence[int]) -> Iterator[list[Any]]:
    """Lines in the other variables, inside the domain, as series."""
    others = [i for i in range(germ.dimension) if i not in live]
    for seed in range(_DIRECTIONS):
        wanted = [fmpq_poly()] * germ.dimension
        for place, i in enumerate(others):
            slope = 1 + seed * (place + 1) * (1 if germ.nonnegative[i] else (-1) ** (place + seed))
            wanted[i] = fmpq_poly([0, slope])
        yield wanted
    for i in others:
        for slope in (1,) if germ.nonnegative[i] else (1, -1):
            yield [fmpq_poly([0, slope]) if i == j else fmpq_poly() for j in range(germ.dimension)]


def _critical(f: Element, live: Sequence[int], wanted: Sequence[Any], precision: int) -> Arc | None:
    """The arc over a line along which ∂f/∂x vanishes up to t^{precision − 1}."""
    spend()
    gens = f.ring.gens
    return solved([f.diff(x) if i in live else x for i, x in enumerate(gens)], wanted, precision)


def _data(live: Sequence[int], arc: Arc) -> Data:
    return {"live": list(live), "arc": _written(arc)}


def _written(arc: Arc) -> list[list[Any]]:
    """The coordinates as polynomials in t."""
    return [
        [[[power], rational_to_json(Fraction(int(c.p), int(c.q)))] for power, c in enumerate(series.coeffs()) if c]
        for series in arc.coordinates
    ]
