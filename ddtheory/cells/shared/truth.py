"""What a cell knows of (λ, m), and why it may be believed.

A value is *exact* only when two routes that share nothing agree, or when a proven bound from below meets one from
above. One route alone is a *formula*, and everything else is *bounds*. Routes that disagree report nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ddtheory.errors import UndecidedError
from ddtheory.shown import Shown, in_words
from ddtheory.tabled import Tabled
from ddtheory.values import RLCT

_NO_ROUTE = "no route is given; ddtheory.rlct of its divergence may find the pair"


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


@dataclass(frozen=True, repr=False)
class Route(Shown):
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

    def __str__(self) -> str:
        return f"{self.name} {self.side} (λ, m): {self.says}"

    def rows(self) -> Mapping[str, str]:
        return {"route": self.name, "says": self.says, "side": self.side.value}


@dataclass(frozen=True, repr=False)
class RouteResult(Shown):
    """A route that was run, and the pair that it found (None: too large to run here)."""

    route: Route
    found: RLCT | None

    def __str__(self) -> str:
        return f"{self.route.name} {self.route.side} {_pair(self.found)}"

    def latex(self) -> str:
        sign = {Side.EXACT: "=", Side.LOWER: r"\ge", Side.UPPER: r"\le"}[self.route.side]
        pair = in_words("too large to run") if self.found is None else self.found.latex()
        return rf"{in_words(self.route.name)}\ {sign}\ {pair}"

    def rows(self) -> Mapping[str, str]:
        return {**self.route.rows(), "found": _pair(self.found)}


@dataclass(frozen=True, repr=False)
class Truth(Tabled):
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

    def __str__(self) -> str:
        routes = ", ".join(result.route.name for result in self.results if result.found)
        return f"{self._claim()}, {self.status.value}: {routes or _NO_ROUTE}"

    def latex(self) -> str:
        if self.rlct is not None:
            return self.rlct.latex()
        lower, upper = (str(bound.lam) if bound else other for bound, other in self._sides("0", r"\infty"))
        return rf"{lower} \le \lambda \le {upper}"

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a route; None where it was too large to be run."""
        routes = [(result.route, result.found) for result in self.results]
        return {
            "route": [route.name for route, _ in routes],
            "says": [route.says for route, _ in routes],
            "side": [route.side.value for route, _ in routes],
            "lambda": [None if found is None else found.lam for _, found in routes],
            "multiplicity": [None if found is None else found.m for _, found in routes],
        }

    def rows(self) -> Mapping[str, str]:
        found = {result.route.name: f"{result.route.side} {_pair(result.found)}" for result in self.results}
        return {"λ, m": self._claim(), "status": self.status.value, **found}

    def _claim(self) -> str:
        if self.rlct is not None:
            return _pair(self.rlct)
        return " … ".join(_pair(bound) if bound else other for bound, other in self._sides("0", "∞"))

    def _sides(self, below: str, above: str) -> tuple[tuple[RLCT | None, str], ...]:
        """The bounds, each with what stands for one that is not known."""
        return (self.lower, below), (self.upper, above)

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


def _pair(found: RLCT | None) -> str:
    return "too large to run" if found is None else f"{found.lam}, {found.m}"
