"""A reading as one HTML file: no network, no scripts, readable on a phone and on paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from markupsafe import Markup

from ddtheory.reads import pictures
from ddtheory.reads.bracket import Bracket
from ddtheory.reads.verdicts import CHEAP, DEAR, Standing
from ddtheory.shown import counted
from ddtheory.verify import html
from ddtheory.verify.environment import versions

if TYPE_CHECKING:
    from jinja2 import Template


class Read(Protocol):
    """A `Reading`, which knows this page; the template shows the rest of it."""

    @property
    def dimension(self) -> int: ...
    @property
    def census(self) -> Any: ...
    @property
    def bracket(self) -> Bracket | None: ...


MEANING = {
    Standing.LIVE: f"costs n·K ≥ {DEAR:g} to remove, or is regular",
    Standing.GAUGE: "K = 0 along the orbit of a symmetry",
    Standing.DEAD: "cheap to remove, and singular where it is removed",
    Standing.PRE_ASYMPTOTIC: "cheap, but no law is seen from the checkpoint",
    Standing.BETWEEN: f"costs n·K between {CHEAP:g} and {DEAR:g}",
    Standing.UNDECIDED: "the reason stands in its row",
}


def render(reading: Read) -> str:
    """The page: verdicts, bracket, census with its reasons, layers, joint sets, gauges."""
    counts = Counter(row.verdict for row in reading.census)
    return _template().render(
        reading=reading,
        counts={each: counts[each] for each in Standing if counts[each]},
        meaning=MEANING,
        half=Fraction(reading.dimension, 2),
        strip=None if reading.bracket is None else strip(reading.bracket),
        most=pictures.MOST,
        drawn=_profiles(reading.census),
        orders=_orders(reading.census),
        versions=versions(),
    )


def _profiles(census: Sequence[Any]) -> dict[int, Markup]:
    """Drawings of the first rows that were read along a path, by number."""
    read = [row for row in census if row.sides is not None]
    return {
        row.number: pictures.profile(row.sides, row.distance, row.order, row.scale) for row in read[: pictures.MOST]
    }


def _orders(census: Any) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """The orders of dead candidates, and how many each layer has of each."""
    layers = census.by_layer()
    orders = sorted({order for counts in layers.values() for order in counts}, key=lambda each: (each == "flat", each))
    return orders, [(layer, [counts.get(order, 0) for order in orders]) for layer, counts in layers.items()]


def strip(bracket: Bracket) -> Markup:
    """Where λ can lie, on a line from 0 to d/2, as a drawing of 100 units.

    >>> from ddtheory.measure.matrices.gram import Spectrum
    >>> from ddtheory.reads.rank import Rank
    >>> rank = Rank(Spectrum((4.0, 1.0), zeros=0, threshold=0.0, separation=1e9), most=2)
    >>> print(strip(Bracket(8, rank, rank)))                                              # 1 ≤ λ ≤ 3, of 4
    <svg class="strip" viewBox="0 0 100 4" aria-hidden="true"><path d="M0 2h100"/><path d="M25 2h50"/></svg>
    """
    end = bracket.dimension / 2 or 1.0
    start, length = 100 * float(bracket.lower) / end, 100 * float(bracket.upper - bracket.lower) / end
    if length < 1:  # a point is seen, and inside
        start, length = min(max(0.0, start - 0.5), 99.0), 1.0
    return Markup(
        '<svg class="strip" viewBox="0 0 100 4" aria-hidden="true"><path d="M0 2h100"/><path d="M{:g} 2h{:g}"/></svg>'
    ).format(round(start, 2), round(length, 2))


@cache
def _template() -> Template:
    environment = html.environment("ddtheory.reads")
    environment.filters["word"] = lambda verdict: verdict.value.replace(" ", "-")
    environment.filters["counted"] = counted
    return environment.get_template("reading.html.jinja")
