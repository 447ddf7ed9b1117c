"""The order in which rules are tried, and the search over coordinates when none of them closes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from ddtheory.exact.thresholds.ideal import IdealGerm
from ddtheory.exact.thresholds.local_ring import Element
from ddtheory.exact.thresholds.nodes import Node, best_lower, best_upper
from ddtheory.exact.thresholds.rules.blow_ups import blow_ups
from ddtheory.exact.thresholds.rules.changes import apply_change, changed, described, shifts
from ddtheory.exact.thresholds.rules.general_bounds import order_bounds
from ddtheory.exact.thresholds.rules.newton import Polyhedron, newton_polyhedron
from ddtheory.exact.thresholds.rules.table import REDUCTIONS
from ddtheory.exact.thresholds.rules.toric import toric_charts

_BRANCHES = 3  # changes of coordinates that are followed from one germ


class Solver:
    """Derives the pair of germs, within a time and a depth that its user sets."""

    def __init__(self, seconds: float, depth: int, progress: Callable[[IdealGerm], None] | None = None) -> None:
        self._deadline = time.monotonic() + seconds
        self._deepest = depth
        self._depth = 0
        self._known: dict[IdealGerm, Node] = {}
        self._open: set[IdealGerm] = set()
        self._progress = progress

    def solve(self, germ: IdealGerm) -> Node:
        """The best derivation found for a germ; its bounds are proven whether or not they meet."""
        if germ in self._known:
            return self._known[germ]
        if germ in self._open:
            return order_bounds(germ, "The search came back to the same germ.")
        if self._expired():
            return order_bounds(germ, "The time limit was reached.")
        if self._depth >= self._deepest:
            return order_bounds(germ, "The depth limit was reached.")
        if self._progress:
            self._progress(germ)
        self._open.add(germ)
        self._depth += 1
        try:
            node = self._derive(germ)
        finally:
            self._depth -= 1
            self._open.discard(germ)
        self._known[germ] = node
        return node

    def _derive(self, germ: IdealGerm) -> Node:
        for rule in REDUCTIONS:
            node = rule.apply(germ, self.solve)
            if node is not None:
                return node
        polyhedron = newton_polyhedron(germ, self._expired, edges_only=True)
        if polyhedron is None:
            return self._in_charts(germ, [order_bounds(germ, "The Newton polyhedron has too many faces.")])
        if polyhedron.node.is_exact:
            return polyhedron.node
        tried = [polyhedron.node]
        # zeros on edges are cheap to find; larger faces are settled once the edges are
        if any(found.order is not None for found in polyhedron.harmful):
            for node in self._other_coordinates(germ, polyhedron, edges=True):
                if node.is_exact:
                    return node
                tried.append(node)
        polyhedron = newton_polyhedron(germ, self._expired) or polyhedron
        if polyhedron.node.is_exact:
            return polyhedron.node
        tried.append(polyhedron.node)
        for node in self._other_coordinates(germ, polyhedron, edges=False):
            if node.is_exact:
                return node
            tried.append(node)
        node = toric_charts(germ, polyhedron, self.solve)
        if node is not None:
            if node.is_exact:
                return node
            tried.append(node)
        return self._in_charts(germ, tried)

    def _expired(self) -> bool:
        return time.monotonic() > self._deadline

    def _in_charts(self, germ: IdealGerm, tried: list[Node]) -> Node:
        for node in blow_ups(germ, self.solve, self._expired):
            if node.is_exact:
                return node
            tried.append(node)
        tried.append(order_bounds(germ, "No rule closed this germ."))
        return _best(germ, tried)

    def _other_coordinates(self, germ: IdealGerm, polyhedron: Polyhedron, edges: bool) -> Iterator[Node]:
        """Derivations in coordinates where zeros on harmful faces have moved away, the most promising first."""
        candidates: list[tuple[tuple[bool, Fraction, int, int], int, IdealGerm, list[Element]]] = []
        for found in polyhedron.harmful:
            if (found.order is not None) != edges:
                continue
            for new in shifts(germ, found.face):
                if self._expired():
                    return
                child = apply_change(germ, new)
                if child in self._open or any(child == other for _, _, other, _ in candidates):
                    continue
                seen = newton_polyhedron(child, self._expired, edges_only=True)
                if seen is None:
                    continue
                key = (not seen.node.is_exact, seen.distance.value, len(seen.harmful), sum(map(len, child.generators)))
                candidates.append((key, len(candidates), child, new))
        for _, _, child, new in sorted(candidates, key=lambda entry: entry[:2])[:_BRANCHES]:
            if self._expired():
                return
            yield changed(germ, self.solve(child), f"New coordinates {described(germ, new)}.", new)


def _best(germ: IdealGerm, tried: Sequence[Node]) -> Node:
    lower, upper = best_lower([node.lower for node in tried]), best_upper([node.upper for node in tried])
    for node in tried:
        if node.lower == lower and node.upper == upper:
            return node
    useful = tuple(node for node in tried if node.lower == lower or node.upper == upper)
    return Node("best", germ, lower, upper, "The best bounds of several derivations.", useful)
