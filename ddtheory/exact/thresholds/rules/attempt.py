"""One germ that no reduction applies to, as the alternatives see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.nodes import Solve
from ddtheory.exact.thresholds.rules.polyhedron import Polyhedron, newton_polyhedron


@dataclass(frozen=True)
class Attempt:
    """A germ with what the solver offers, and its Newton polyhedron, which several alternatives use.

    Attributes:
        germ: what is to be derived.
        solve: derives other germs.
        expired: whether the time limit was reached.
        is_open: whether a germ is being derived already, up to a scale: asking for it would go round in a circle.
    """

    germ: IdealGerm
    solve: Solve
    expired: Callable[[], bool]
    is_open: Callable[[IdealGerm], bool]

    @cached_property
    def edges(self) -> Polyhedron | None:
        """The polyhedron with its edges settled, which is cheap; None when it has too many faces."""
        return newton_polyhedron(self.germ, self.expired, edges_only=True)

    @cached_property
    def faces(self) -> Polyhedron | None:
        """The polyhedron with larger faces settled as well, as far as time allows."""
        return newton_polyhedron(self.germ, self.expired) or self.edges if self.edges else None
