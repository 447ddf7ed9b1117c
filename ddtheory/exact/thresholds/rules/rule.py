"""What a row of the table of rules is. The kind of a row is its stage: when it is tried, and what its answer means."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import final

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element
from ddtheory.exact.thresholds.nodes import Node, Solve
from ddtheory.exact.thresholds.rules.attempt import Attempt
from ddtheory.exact.thresholds.zero_families import ZeroFamily
from ddtheory.values import RLCT, Citation


@dataclass(frozen=True)
class Example:
    """A germ that needs a rule, as `rlct` takes it, with its pair by hand.

    Attributes:
        given: K by itself, or several generators of its ideal.
        pair: (λ, m) of K; None when the rule gives bounds.
        because: how the pair follows by hand, or where it stands.
        prior, depth, zeros: as in `rlct`.
    """

    given: str | tuple[str, ...]
    pair: RLCT | None
    because: str
    prior: Mapping[str, int] = field(default_factory=dict)
    depth: int = 60
    zeros: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule(ABC):
    """A row of the table.

    Attributes:
        name: as it stands in derivations and certificates; several rows share one when they take the same step.
        hypothesis: what must hold.
        source: where it comes from.
        twin: the function in `ddtheory.certify.rules` that checks the step, as file.function.
        example: a germ in whose derivation this row takes a step.
    """

    name: str
    hypothesis: str
    source: Citation
    twin: str
    example: Example


@final
@dataclass(frozen=True)
class AsWritten(Rule):
    """Tried first, on K as it was written: a sum of terms c_i f_i² with c_i > 0, given as (c_i, f_i)."""

    apply: Callable[[IdealGerm, Sequence[tuple[Fraction, Element]], Solve], Node | None]


@final
@dataclass(frozen=True)
class WithZeros(Rule):
    """Tried first, on generators with a family of zeros that somebody knows."""

    apply: Callable[[IdealGerm, ZeroFamily], Node | None]


@final
@dataclass(frozen=True)
class Ending(Rule):
    """Nothing is left to derive. Tried before any limit of the search."""

    apply: Callable[[IdealGerm], Node | None]


@final
@dataclass(frozen=True)
class Reduction(Rule):
    """The first that applies gives the answer.

    `everywhere`: at all points of a family too. `over_fields`: for germs over ℚ(c) with a real algebraic c too.
    """

    apply: Callable[[IdealGerm, Solve], Node | None]
    everywhere: bool = False
    over_fields: bool = False


@final
@dataclass(frozen=True)
class FamilyReduction(Rule):
    """As a reduction, but for families only."""

    apply: Callable[[IdealGerm, Solve], Node | None]


@final
@dataclass(frozen=True)
class Alternative(Rule):
    """Tried when no reduction applies: the first exact derivation is the answer, otherwise all compete.

    `alone`: it asks for no other germ, so it is tried as well where a reduction led to nothing exact.
    `over_fields`: for germs over ℚ(c) with a real algebraic c too.
    """

    apply: Callable[[Attempt], Iterator[Node]]
    alone: bool = False
    over_fields: bool = False


@final
@dataclass(frozen=True)
class LastResort(Rule):
    """Applies always, and gives bounds; it is told why nothing better was found, and when it must end."""

    apply: Callable[[IdealGerm, str, Callable[[], bool]], Node]


@final
@dataclass(frozen=True)
class Competition(Rule):
    """Makes one derivation of several for the same germ."""

    apply: Callable[[IdealGerm, Sequence[Node]], Node]
