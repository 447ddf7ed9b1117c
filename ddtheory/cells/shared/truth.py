"""What a cell knows of (λ, m), and why it may be believed.

A value is *exact* only when two routes that share nothing agree, or when a proven bound from below meets one from
above. One route alone is a *formula*, and everything else is *bounds*. Routes that disagree report nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ddtheory.errors import UndecidedError
from ddtheory.values import RLCT


class Provenance(StrEnum):
    """How the closed form of a cell was obtained, before any route checked it. The value is the mark in tables."""

    PRIMARY = "P"
    CODE = "C"
    SUMMARY = "S"
    MEMORY = "M"
    DERIVATION = "derivation"

    @property
    def meaning(self) -> str:
        """What the mark says, in words."""
        return {
            Provenance.PRIMARY: "the primary text was read",
            Provenance.CODE: "read in the code of a published package",
            Provenance.SUMMARY: "read in a summary or a re-implementation",
            Provenance.MEMORY: "from memory; it stands only because another route agrees",
            Provenance.DERIVATION: "derived without a source",
        }[self]


class Side(StrEnum):
    """What a route proves about the pair, in the order of dominance."""

    EXACT = "="
    LOWER = "≥"  # the pair is this one or a larger one
    UPPER = "≤"


class Status(StrEnum):
    """What the routes together say."""

    EXACT = "exact"
    FORMULA = "formula"  # one route only; the others are too large to run on this cell
    BOUNDS = "bounds"


@dataclass(frozen=True)
class Route:
    """One way to (λ, m) of a cell.

    Attributes:
        name: the method in a word or two, such as "Newton programme".
        says: the formula or the argument, in one sentence with its source.
        compute: the pair, or None when this cell is too large for the method.
        side: whether the pair is the value or a bound of it.
    """

    name: str
    says: str
    compute: Callable[[], RLCT | None]
    side: Side = Side.EXACT


@dataclass(frozen=True)
class RouteResult:
    """A route that was run, and the pair that it found (None: too large to run here)."""

    route: Route
    found: RLCT | None


@dataclass(frozen=True)
class Truth:
    """(λ, m) with everything that speaks for it.

    Attributes:
        status: exact, formula, or bounds.
        lower: the largest proven lower bound in the order of dominance, None when there is none.
        upper: the smallest proven upper bound, None when there is none. Equal to `lower` unless the status is bounds.
        results: every route, with what it found.
    """

    status: Status
    lower: RLCT | None
    upper: RLCT | None
    results: tuple[RouteResult, ...]

    @property
    def rlct(self) -> RLCT | None:
        """The pair itself, None when only bounds are known."""
        return None if self.status is Status.BOUNDS else self.upper

    @property
    def agreeing(self) -> tuple[str, ...]:
        """Names of the routes that rest on nothing but themselves and found the pair."""
        return tuple(result.route.name for result in self.results if self.rlct and result.found == self.rlct)


def establish(what: str, routes: Sequence[Route]) -> Truth:
    """Run every route and say what they prove together.

    Raises:
        UndecidedError: two routes contradict each other. One of them is wrong, so nothing is reported.

    >>> from fractions import Fraction
    >>> half = Route("closed form", "1/(2k) at k = 1", lambda: RLCT(Fraction(1, 2)))
    >>> establish("a line", [half]).status.value, establish("a line", [half, half]).status.value
    ('formula', 'exact')
    """
    results = tuple(RouteResult(route, route.compute()) for route in routes)
    lowest = [result for result in results if result.found and result.route.side is not Side.UPPER]
    highest = [result for result in results if result.found and result.route.side is not Side.LOWER]
    lower = max((result.found for result in lowest if result.found), default=None)
    upper = min((result.found for result in highest if result.found), default=None)
    if lower is not None and upper is not None and upper < lower:
        told = "; ".join(f"{result.route.name} {result.route.side} {result.found}" for result in results)
        raise UndecidedError(f"The routes to (λ, m) of {what} contradict each other: {told}. One of them is wrong.")
    values = [result for result in results if result.found and result.route.side is Side.EXACT]
    met = lower is not None and lower == upper
    sandwiched = met and {Side.LOWER, Side.UPPER} <= {result.route.side for result in results if result.found == lower}
    status = Status.EXACT if len(values) > 1 or sandwiched else Status.FORMULA if values else Status.BOUNDS
    return Truth(status, lower, upper, results)
