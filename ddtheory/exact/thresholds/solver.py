"""The search for a derivation: it walks the stages of the table of rules, within a time and a depth."""

from __future__ import annotations

import contextlib
import functools
import logging
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import OutOfTime, ending_at, spend
from ddtheory.exact.thresholds.germs.local_ring import Element
from ddtheory.exact.thresholds.germs.real_fields import coefficients
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
    WithZeros,
)
from ddtheory.exact.thresholds.rules.table import RULES
from ddtheory.exact.thresholds.zero_families import ZeroFamily

_LOG = logging.getLogger(__name__)

_Stage = TypeVar("_Stage", bound=Rule)


_MOST_ALIKE = 3  # open germs with the same exponents
_GRACE = 0.3  # seconds after the limit, for good bounds where they are cheap
_LONGEST_NUMBER = 2_000  # bits of a coefficient


def _shape(germ: IdealGerm) -> Hashable:
    """A germ without its coefficients."""
    exponents = tuple(frozenset(generator) for generator in germ.generators)
    prior = germ.prior if any(germ.prior) else None  # hashes of fractions are slow
    return exponents, prior, germ.nonnegative, germ.parameters, germ.field


def _longest_number(germ: IdealGerm) -> int:
    """The bits of the largest numerator or denominator."""
    values = [c for generator in germ.generators for c in generator.values()]
    parts = values if germ.field is None else [part for c in values for part in coefficients(c)]
    return max((int(n).bit_length() for part in parts for n in (part.numerator, part.denominator)), default=0)


@dataclass(frozen=True)
class _Stages:
    """The rows of a table by what they are for."""

    as_written: tuple[AsWritten, ...]
    with_zeros: tuple[WithZeros, ...]
    endings: tuple[Ending, ...]
    reductions: tuple[Reduction, ...]
    over_fields: tuple[Reduction, ...]
    in_families: tuple[Reduction | FamilyReduction, ...]
    alternatives: tuple[Alternative, ...]
    last_resort: LastResort
    competition: Competition

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> _Stages:
        def stage(kind: type[_Stage]) -> tuple[_Stage, ...]:
            return tuple(rule for rule in rules if isinstance(rule, kind))

        reductions = stage(Reduction)
        everywhere = tuple(rule for rule in reductions if rule.everywhere)
        (last_resort,), (competition,) = stage(LastResort), stage(Competition)
        return cls(
            as_written=stage(AsWritten),
            with_zeros=stage(WithZeros),
            endings=stage(Ending),
            reductions=reductions,
            over_fields=tuple(rule for rule in reductions if rule.over_fields),
            in_families=(*everywhere, *stage(FamilyReduction)),
            alternatives=stage(Alternative),
            last_resort=last_resort,
            competition=competition,
        )


_STANDARD = _Stages.of(RULES)


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
        self._met_again: set[IdealGerm] = set()  # germs to which a reduction of theirs came back
        self._shapes: Counter[Hashable] = Counter()  # of the open germs
        self._progress = progress

        self._stages = _STANDARD if rules is RULES else _Stages.of(rules)

    def derive(
        self,
        germ: IdealGerm,
        squares: Sequence[tuple[Fraction, Element]] = (),
        zeros: ZeroFamily | None = None,
    ) -> Node:
        """The derivation of a germ.

        Args:
            squares: the terms (c_i, f_i) of a K that was written as Σ c_i f_i².
            zeros: a family of zeros of all generators.
        """
        tried: list[Node] = []
        with ending_at(self._deadline):
            if zeros is not None:
                tried += [node for known in self._stages.with_zeros if (node := known.apply(germ, zeros)) is not None]
                if tried and tried[0].is_exact:
                    return tried[0]
            for rule in self._stages.as_written:
                node = self._in_time(functools.partial(rule.apply, germ, squares, self.solve))
                if node is not None:
                    if node.is_exact:
                        return node
                    tried.append(node)
            return self._stages.competition.apply(germ, [*tried, self.solve(germ)])

    def solve(self, germ: IdealGerm) -> Node:
        """The best derivation found for a germ; its bounds are proven whether or not they meet."""
        if germ in self._known:
            return self._known[germ]
        for rule in self._stages.endings:
            node = rule.apply(germ)
            if node is not None:
                return node
        if germ in self._open:
            self._met_again.add(germ)
            return self._bounds(germ, "The search came back to the same germ.")
        if self.expired():
            return self._bounds(germ, "The time limit was reached.")
        if self._depth >= self._deepest:
            return self._bounds(germ, "The depth limit was reached.")
        if _longest_number(germ) > _LONGEST_NUMBER:
            return self._bounds(germ, f"A coefficient has more than {_LONGEST_NUMBER} bits.")
        _LOG.debug("comes to %s", germ)
        if self._progress:
            self._progress(germ)
        self._open.add(germ)
        shape = _shape(germ)
        self._shapes[shape] += 1
        self._depth += 1
        try:
            node = self._found(germ)
        finally:
            self._depth -= 1
            self._open.discard(germ)
            self._shapes[shape] -= 1
        _LOG.debug("%s: %s by %s", germ, "exact" if node.is_exact else "bounds", node.rule)
        self._known[germ] = node
        return node

    def _found(self, germ: IdealGerm) -> Node:
        if germ.field is not None:
            return self._over_field(germ)
        return self._in_family(germ) if germ.parameters else self._at_origin(germ)

    def _over_field(self, germ: IdealGerm) -> Node:
        reduced = self._reduced(germ, self._stages.over_fields)
        if reduced is not None and reduced.is_exact:
            return reduced
        others = self._best(germ, [rule for rule in self._stages.alternatives if rule.over_fields])
        return others if reduced is None else self._stages.competition.apply(germ, [reduced, others])

    def _in_family(self, germ: IdealGerm) -> Node:
        return self._reduced(germ, self._stages.in_families) or self._best(germ, ())

    def _at_origin(self, germ: IdealGerm) -> Node:
        reduced = self._reduced(germ, self._stages.reductions)
        if reduced is None:
            return self._best(germ, self._stages.alternatives)
        if reduced.is_exact:
            return reduced
        # where the reductions go round in a circle, this is where another way must be looked for
        others = (
            self._stages.alternatives
            if germ in self._met_again
            else [rule for rule in self._stages.alternatives if rule.alone]
        )
        return self._stages.competition.apply(germ, [reduced, self._best(germ, others)])

    def _reduced(self, germ: IdealGerm, reductions: Sequence[Reduction | FamilyReduction]) -> Node | None:
        for rule in reductions:
            node = self._in_time(functools.partial(rule.apply, germ, self.solve))
            if node is not None:
                return node
        return None

    def _best(self, germ: IdealGerm, alternatives: Sequence[Alternative]) -> Node:
        tried: list[Node] = []
        attempt = Attempt(germ, self.solve, self.expired, self._goes_round)
        with contextlib.suppress(OutOfTime):
            for rule in alternatives:
                for node in rule.apply(attempt):
                    if node.is_exact:
                        return node
                    tried.append(node)
        tried.append(self._bounds(germ, "No rule closed this germ."))
        return self._stages.competition.apply(germ, tried)

    def _bounds(self, germ: IdealGerm, reason: str) -> Node:
        return self._stages.last_resort.apply(germ, reason, lambda: time.monotonic() > self._deadline + _GRACE)

    @staticmethod
    def _in_time(apply: Callable[[], Node | None]) -> Node | None:
        """What a rule finds; nothing when it runs out of time."""
        try:
            spend()
            return apply()
        except OutOfTime:
            return None

    def _goes_round(self, germ: IdealGerm) -> bool:
        """Whether a germ is open, or several open germs differ from it in coefficients only: a circle that scales.

        Where the coefficients have grown out of all bounds, no circle was seen.
        """
        alike = self._shapes[_shape(germ)] >= _MOST_ALIKE
        return germ in self._open or alike or _longest_number(germ) > _LONGEST_NUMBER

    def expired(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._deadline
