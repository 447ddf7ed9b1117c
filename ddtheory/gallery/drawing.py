"""Drawings of cells with two coordinates, as SVG that stands inside a page: the valley of K, and the Newton polygon."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from markupsafe import Markup

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.polyhedra.newton import newton_distance
from ddtheory.visible import visible

if TYPE_CHECKING:
    from sympy import Expr, Symbol

    from ddtheory.cells import Cell

Point = tuple[Fraction, Fraction]

_SIDE = 61  # an odd number, so that a row and a column of the grid run through the point
_SHARES = (0.35, 0.15, 0.05)  # of the box that the three sublevel sets fill

_SIZE = 200.0
_MARGIN = 24.0


def pictures(cell: Cell) -> list[Markup]:
    """The drawings that a cell admits; none unless it has exactly two coordinates."""
    if cell.dimension != 2:
        return []
    symbols = list(cell.coordinates)
    prior = [Fraction(cell.prior.get(symbol, 0)) for symbol in symbols]
    drawings = valley(cell.divergence, symbols), newton_polygon(cell.generators, symbols, prior)
    return [drawing for drawing in drawings if drawing is not None]


def valley(divergence: Expr, symbols: Sequence[Symbol]) -> Markup | None:
    """Three nested sublevel sets of K on the box [−1, 1]², darker towards K = 0; None when K has no values there."""
    import numpy

    from ddtheory.exact.numbers.evaluate import evaluate

    line = numpy.linspace(-1, 1, _SIDE)
    across, up = numpy.meshgrid(line, line)
    try:
        with numpy.errstate(all="ignore"):
            values = evaluate(divergence, {symbols[0].name: across, symbols[1].name: up}, numpy)
    except InvalidValueError:
        return None  # a function without a counterpart, such as erf
    if not numpy.isfinite(values).all():
        return None
    width = 100 / _SIDE
    layers = []
    for number, share in enumerate(_SHARES, 1):
        below = values <= numpy.quantile(values, share)
        path = "".join(_run(row, start, stop, width) for row in range(_SIDE) for start, stop in _runs(list(below[row])))
        layers.append(Markup('<path class="level-{}" d="{}"/>').format(number, path))
    across_name, up_name = (visible(symbol.name) for symbol in symbols)
    label = f"Sublevel sets of K in {across_name}, to the right, and {up_name}, upwards, on the box of half width 1"
    return Markup('<svg viewBox="0 0 100 100" role="img" aria-label="{}">{}</svg>').format(
        label, Markup("").join(layers)
    )


def _runs(below: Sequence[bool]) -> list[tuple[int, int]]:
    """Start and end of the stretches that are below, half open.

    >>> _runs([True, True, False, True])
    [(0, 2), (3, 4)]
    """
    edges = [i for i in range(len(below) + 1) if (i < len(below) and below[i]) != (i > 0 and below[i - 1])]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _run(row: int, start: int, stop: int, width: float) -> str:
    top = 100 - (row + 1) * width
    return f"M{start * width:.1f} {top:.1f}h{(stop - start) * width:.1f}v{width:.1f}H{start * width:.1f}z"


def newton_polygon(generators: Sequence[Expr], symbols: Sequence[Symbol], prior: Sequence[Fraction]) -> Markup | None:
    """The exponents of the generators, the polygon above them, and where the ray of τ = h + 1 enters it."""
    import sympy

    if not generators or not all(generator.is_polynomial(*symbols) for generator in generators):
        return None
    support = sorted({tuple(map(int, power)) for f in generators for power in sympy.Poly(f, *symbols).monoms()})
    if any(not any(power) for power in support):
        return None
    distance = newton_distance(support, prior)
    hull = lower_hull([(Fraction(x), Fraction(y)) for x, y in support])
    targets = [h + 1 for h in prior]
    entry = tuple(target / distance.value for target in targets)
    reach = max(*(max(power) for power in support), 1) + 1
    scale = (_SIZE - 2 * _MARGIN) / reach

    def place(x: Fraction | int, y: Fraction | int) -> str:
        return f"{_MARGIN + float(x) * scale:.1f},{_SIZE - _MARGIN - float(y) * scale:.1f}"

    outline = [(hull[0][0], Fraction(reach)), *hull, (Fraction(reach), hull[-1][1]), (Fraction(reach), Fraction(reach))]
    longest = min(Fraction(reach) / target for target in targets)
    parts = [
        Markup('<polygon class="region" points="{}"/>').format(" ".join(place(*point) for point in outline)),
        Markup('<polyline class="axis" points="{} {} {}"/>').format(place(0, reach), place(0, 0), place(reach, 0)),
        Markup('<polyline class="ray" points="{} {}"/>').format(
            place(0, 0), place(targets[0] * longest, targets[1] * longest)
        ),
    ]
    for x, y in support:
        left, top = place(x, y).split(",")
        parts.append(Markup('<circle class="support" cx="{}" cy="{}" r="3.5"/>').format(left, top))
    names = [visible(symbol.name) for symbol in symbols]
    left, top = place(*entry).split(",")
    parts.append(Markup('<circle class="entry" cx="{}" cy="{}" r="4.5"/>').format(left, top))
    parts.append(Markup('<text x="{:.0f}" y="{:.0f}">{}</text>').format(_SIZE - _MARGIN - 8, _SIZE - 8, names[0]))
    parts.append(Markup('<text x="4" y="{:.0f}">{}</text>').format(_MARGIN + 4, names[1]))
    label = f"Newton polygon of the generators; the ray enters it at 1/ℓ with ℓ = {distance.value}"
    return Markup('<svg viewBox="0 0 {0:.0f} {0:.0f}" role="img" aria-label="{1}">{2}</svg>').format(
        _SIZE, label, Markup("").join(parts)
    )


def lower_hull(points: Sequence[Point]) -> list[Point]:
    """The vertices of the convex hull of points + quadrant, from the upper left to the lower right.

    >>> lower_hull([(Fraction(2), Fraction(0)), (Fraction(1), Fraction(1)), (Fraction(0), Fraction(3))])
    [(Fraction(0, 1), Fraction(3, 1)), (Fraction(1, 1), Fraction(1, 1)), (Fraction(2, 1), Fraction(0, 1))]
    """
    kept: list[Point] = []
    lowest: Fraction | None = None
    for x, y in sorted(points):
        if lowest is not None and y >= lowest:
            continue
        lowest = y
        while len(kept) > 1 and _turns_up(kept[-2], kept[-1], (x, y)):
            kept.pop()
        kept.append((x, y))
    return kept


def _turns_up(first: Point, middle: Point, last: Point) -> bool:
    """Whether the middle lies on or above the segment from first to last."""
    run, rise = last[0] - first[0], last[1] - first[1]
    return (middle[1] - first[1]) * run >= (middle[0] - first[0]) * rise
