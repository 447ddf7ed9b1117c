"""Coordinates in which zeros on faces of the Newton polyhedron have moved away (a Newton–Puiseux step)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element
from ddtheory.exact.thresholds.nodes import Node
from ddtheory.exact.thresholds.rules.attempt import Attempt
from ddtheory.exact.thresholds.rules.changes import apply_change, changed, described, shifts
from ddtheory.exact.thresholds.rules.face_zeros import FaceZeros
from ddtheory.exact.thresholds.rules.polyhedron import newton_polyhedron

_BRANCHES = 3  # changes of coordinates that are followed from one germ


def moved_from_edges(attempt: Attempt) -> Iterator[Node]:
    """Derivations in coordinates where zeros on edges, which are known, have moved away."""
    if attempt.edges is not None:
        yield from _moved(attempt, [found for found in attempt.edges.harmful if found.order is not None])


def moved_from_faces(attempt: Attempt) -> Iterator[Node]:
    """Derivations in coordinates where zeros on faces that could not be settled may have moved away."""
    if attempt.faces is not None:
        yield from _moved(attempt, [found for found in attempt.faces.harmful if found.order is None])


def _moved(attempt: Attempt, harmful: Sequence[FaceZeros]) -> Iterator[Node]:
    """The most promising coordinates first."""
    germ = attempt.germ
    candidates: list[tuple[tuple[bool, Fraction, int, int], int, IdealGerm, list[Element]]] = []
    for found in harmful:
        for new in shifts(germ, found.face):
            if attempt.expired():
                return
            child = apply_change(germ, new)
            if attempt.is_open(child) or any(child == other for _, _, other, _ in candidates):
                continue
            seen = newton_polyhedron(child, attempt.expired, edges_only=True)
            if seen is None:
                continue
            key = (not seen.node.is_exact, seen.distance.value, len(seen.harmful), sum(map(len, child.generators)))
            candidates.append((key, len(candidates), child, new))
    for _, _, child, new in sorted(candidates, key=lambda entry: entry[:2])[:_BRANCHES]:
        if attempt.expired():
            return
        yield changed(germ, attempt.solve(child), f"New coordinates {described(germ, new)}.", new)
