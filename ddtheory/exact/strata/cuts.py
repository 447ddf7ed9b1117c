"""Why the pair is constant along a piece of a zero set: by what, and off which smaller sets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ddtheory.exact.strata.flows import Field, fields_along, rank_at
from ddtheory.exact.strata.graphs import Part, graph_of, parts_of
from ddtheory.exact.strata.ideals import Ideal, jacobian, minors, unmixed_off
from ddtheory.exact.thresholds.germs.local_ring import Element, factors
from ddtheory.exact.thresholds.nodes import Bound

NOWHERE = Bound(math.inf, 1)
"""The bound from above where none is known."""

_DEGREES = (1, 2, 3, 5)


@dataclass(frozen=True)
class Cut:
    """What proves the pair on a piece off some smaller sets; where nothing does, pair and parts are None."""

    off: tuple[Ideal, ...]
    why: str
    pair: Bound | None = None
    upper: Bound = NOWHERE
    parts: tuple[Part, ...] | None = None


def cut_of(ideal: Ideal, generators: Sequence[Element], piece: Ideal) -> Cut:
    """The first that holds: a normal crossing, a smooth zero set, an orbit of flows that keep the ideal; or nothing."""
    return _crossing(generators, piece) or _smooth(generators, piece) or _flown(ideal, piece) or _unproven(piece)


def _crossing(generators: Sequence[Element], piece: Ideal) -> Cut | None:
    if len(generators) > 1:
        return None
    _, listed = factors(generators[0])
    there = [(f, power) for f, power in listed if piece.contains([f])]
    if not there or len(there) > piece.codimension:
        return None
    off = [piece.plus([f]) for f, _ in listed if not piece.contains([f])]
    off.append(piece.plus(minors(jacobian([f for f, _ in there], piece.ring), len(there))))
    if not _smaller(off, piece):
        return None
    order = max(power for _, power in there)
    pair = Bound(Fraction(1, 2 * order), sum(power == order for _, power in there))
    orders = ", ".join(str(power) for _, power in there)
    return Cut(_real(off), f"smooth factors with independent differentials, of orders {orders}", pair)


def _smooth(generators: Sequence[Element], piece: Ideal) -> Cut | None:
    rows = jacobian(generators, piece.ring)
    if len(rows) < piece.codimension:
        return None
    off = [piece.plus(minors(rows, piece.codimension)), *mixed_off(piece)]
    if not _smaller(off, piece):
        return None
    pair = Bound(Fraction(piece.codimension, 2), 1)
    return Cut(_real(off), f"smooth: the differentials of the generators have rank {piece.codimension}", pair)


def _flown(ideal: Ideal, piece: Ideal) -> Cut | None:
    graph = graph_of(piece)
    if graph.rest:
        return None
    for degree in _DEGREES:
        fields = [tuple(map(graph.pulled_back, field)) for field in fields_along(ideal, piece, degree)]
        off = [piece.plus(minors(rows, piece.dimension)) for rows in [_spanning(fields, piece.dimension)] if rows]
        if off and _smaller(off, piece):
            parts = parts_of(graph, _real(off))
            if parts is not None:
                why = f"one orbit of vector fields of degree {degree} that keep the ideal"
                return Cut(_real(off), why, parts=tuple(parts))
    return None


def _unproven(piece: Ideal) -> Cut:
    """Nothing but where the piece is smooth, for a bound from above by its codimension."""
    rows, why = jacobian(piece.basis, piece.ring), "not proven: whether the pair is constant"
    off = [piece.plus(minors(rows, piece.codimension)), *mixed_off(piece)] if len(rows) >= piece.codimension else []
    if not off or not _smaller(off, piece):
        return Cut((), why)
    return Cut(_real(off), why, upper=Bound(Fraction(piece.codimension, 2), 1))


def _real(off: Iterable[Ideal]) -> tuple[Ideal, ...]:
    return tuple(one for one in off if not one.is_whole)


def _smaller(off: Iterable[Ideal], piece: Ideal) -> bool:
    return all(one.dimension < piece.dimension for one in off)


def _spanning(fields: Sequence[Field], dimension: int) -> list[Field]:
    """The fields, those first that span at some point; none if there are no such."""
    rows = sorted((field for field in dict.fromkeys(fields) if any(field)), key=lambda field: sum(map(len, field)))
    first: list[Field] = []
    place = [Fraction(2 * i + 3, i + 2) for i in range(len(rows[0]))] if rows else []
    for field in rows:
        if len(first) < dimension and rank_at([*first, field], place) > len(first):
            first.append(field)
    if len(first) < dimension:
        return []
    return [*first, *(field for field in rows if field not in first)]


def mixed_off(piece: Ideal) -> list[Ideal]:
    """Where the piece may have components of smaller dimension. Nowhere, if after elimination of coordinates nothing is
    left, or one polynomial, or as many as the codimension (Macaulay's unmixedness). Not where its vector fields span
    the dimension either: orbits are as large as that.
    """
    graph = graph_of(piece)
    solved = len(graph.solved) - len(graph.free)
    if len(graph.rest) <= 1 or len(graph.rest) + solved == piece.codimension:
        return []
    rows = _spanning(fields_along(piece, piece, 1), piece.dimension)
    return [piece.plus([*unmixed_off(piece), *(minors(rows, piece.dimension) if rows else ())])]
