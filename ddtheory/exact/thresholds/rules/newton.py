"""The Newton polyhedron as a derivation: first with its edges settled, then with all its faces."""

from __future__ import annotations

from collections.abc import Iterator

from ddtheory.exact.thresholds.nodes import Node
from ddtheory.exact.thresholds.rules.attempt import Attempt
from ddtheory.exact.thresholds.rules.general_bounds import general_bounds


def settled_on_edges(attempt: Attempt) -> Iterator[Node]:
    """The pair of the polyhedron, when zeros on its edges are all that needs a look."""
    if attempt.edges is None:
        yield general_bounds(attempt.germ, "The Newton polyhedron has too many faces.", attempt.expired)
    else:
        yield attempt.edges.node


def settled_on_faces(attempt: Attempt) -> Iterator[Node]:
    """The pair of the polyhedron, when no zero on a compact face matters."""
    if attempt.faces is not None:
        yield attempt.faces.node
