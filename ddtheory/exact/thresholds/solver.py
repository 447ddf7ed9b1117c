"""The search for a derivation: it walks the stages of the table of rules, within a time and a depth."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar

from ddtheory.exact.thresholds.ideal import IdealGerm
from ddtheory.exact.thresholds.local_ring import Element
from ddtheory.exact.thresholds.nodes import Node
from ddtheory.exact.thresholds.rules.attempt import Attempt
from ddtheory.exact.thresholds.rules.rule import (
    Alternative,
    AsWritten,
    Competition,
    Ending,
    FamilyReduction,
    LastResort,
    Reduction,
    Rule,
)
from ddtheory.exact.thresholds.rules.table import RULES

_Stage = TypeVar("_Stage", bound=Rule)


class Solver:
    """Derives the pair of germs, within a time and a depth that its user sets, by the rules of a table."""

    def __init__(
        self,
        seconds: float,
        depth: int,
        progress: Callable[[IdealGerm], None] | None = None,
        rules: Sequence[Rule] = RULES,
    ) -> None:
        self._deadline = time.monotonic() + seconds
        self._deepest = depth
        self._depth = 0
        self._known: dict[IdealGerm, Node] = {}
        self._open: set[IdealGerm] = set()
        self._progress = progress

        def stage(kind: type[_Stage]) -> list[_Stage]:
            return [rule for rule in rules if isinstance(rule, kind)]

        self._as_written = stage(AsWritten)
        self._endings = stage(Ending)
        self._reductions = stage(Reduction)
        everywhere = [rule for rule in self._reductions if rule.everywhere]
        self._in_families: list[Reduction | FamilyReduction] = [*everywhere, *stage(FamilyReduction)]
        self._alternatives = stage(Alternative)
        (self._last_resort,) = stage(LastResort)
        (self._competition,) = stage(Competition)

    def derive(self, germ: IdealGerm, squares: Sequence[tuple[Fraction, Element]] = ()) -> Node:
        """The derivation of a germ; `squares` are the terms (c_i, f_i) of a K that was written as Σ c_i f_i²."""
        tried: list[Node] = []
        for rule in self._as_written:
            node = rule.apply(germ, squares, self.solve)
            if node is not None:
                if node.is_exact:
                    return node
                tried.append(node)
        return self._competition.apply(germ, [*tried, self.solve(germ)])

    def solve(self, germ: IdealGerm) -> Node:
        """The best derivation found for a germ; its bounds are proven whether or not they meet."""
        if germ in self._known:
            return self._known[germ]
        for rule in self._endings:
            node = rule.apply(germ)
            if node is not None:
                return node
        if germ in self._open:
            return self._last_resort.apply(germ, "The search came back to the same germ.")
        if self.expired():
            return self._last_resort.apply(germ, "The time limit was reached.")
        if self._depth >= self._deepest:
            return self._last_resort.apply(germ, "The depth limit was reached.")
        if self._progress:
            self._progress(germ)
        self._open.add(germ)
        self._depth += 1
        try:
            node = self._in_family(germ) if germ.parameters else self._at_origin(germ)
        finally:
            self._depth -= 1
            self._open.discard(germ)
        self._known[germ] = node
        return node

    def _in_family(self, germ: IdealGerm) -> Node:
        return self._reduced(germ, self._in_families) or self._best(germ, ())

    def _at_origin(self, germ: IdealGerm) -> Node:
        return self._reduced(germ, self._reductions) or self._best(germ, self._alternatives)

    def _reduced(self, germ: IdealGerm, reductions: Sequence[Reduction | FamilyReduction]) -> Node | None:
        for rule in reductions:
            node = rule.apply(germ, self.solve)
            if node is not None:
                return node
        return None

    def _best(self, germ: IdealGerm, alternatives: Sequence[Alternative]) -> Node:
        tried: list[Node] = []
        attempt = Attempt(germ, self.solve, self.expired, self._open.__contains__)
        for rule in alternatives:
            for node in rule.apply(attempt):
                if node.is_exact:
                    return node
                tried.append(node)
        tried.append(self._last_resort.apply(germ, "No rule closed this germ."))
        return self._competition.apply(germ, tried)

    def expired(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._deadline
