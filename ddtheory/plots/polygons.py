"""The Newton polygon of a germ in two variables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.polyhedra.faces import compact_faces
from ddtheory.exact.thresholds.polyhedra.newton import newton_distance
from ddtheory.plots import style

if TYPE_CHECKING:
    from ddtheory.exact.thresholds.derivation import Derivation
    from ddtheory.exact.thresholds.nodes import Node

Point = tuple[Fraction | int, Fraction | int]


def newton_polygon(source: Derivation | IdealGerm) -> Figure:
    """The Newton polygon of a germ in two variables, and the ray ℝ₊τ, τ = h + 1, that enters it in τ/ℓ.

    ℓ bounds κ from above. Where no zero on an edge matters, κ = ℓ, and m = 2 exactly when the ray enters at a vertex.
    Of a derivation that germ is drawn which is the first in two variables to be settled by a Newton polygon; the title
    has its ℓ and κ, and the λ of K.

    Raises:
        InvalidValueError: the germ does not have two variables, is 0 or does not vanish at 0; or no germ of the
            derivation has two variables and was settled by a Newton polygon.
    """
    from ddtheory.exact.thresholds.derivation import Derivation

    if not isinstance(source, Derivation | IdealGerm):
        raise InvalidValueError(f"A Newton polygon is that of a derivation or of a germ; this is {shown(source)}.")
    germ, known = (source, []) if isinstance(source, IdealGerm) else _planar_step(source)
    if germ.dimension != 2:
        raise InvalidValueError(
            f"A Newton polygon needs a germ in two variables; {germ} has {germ.dimension}. Give a germ of two of them, "
            "or the derivation, whose first step in two variables is drawn."
        )
    exponents = sorted({(m[0], m[1]) for generator in germ.generators for m in generator})
    distance = newton_distance(exponents, germ.prior)
    figure, axes = style.figure(width=4.6, height=4.8)
    _draw_polygon(axes, exponents, tuple(h + 1 for h in germ.prior), distance.value)
    title = [style.readable(style.shortened(str(germ))), ", ".join([f"ℓ = {distance.value}", *known])]
    axes.set_title("\n".join(title), color=style.INK, fontsize=10)
    axes.set(xlabel=f"exponent of {germ.names[0]}", ylabel=f"exponent of {germ.names[1]}", aspect="equal")
    style.legend(figure, axes)
    return figure


def _planar_step(derivation: Derivation) -> tuple[IdealGerm, list[str]]:
    """The germ to draw, with what is known of its κ and of λ."""
    waiting = [derivation.root]
    while waiting:
        node = waiting.pop()
        if node.rule in ("newton", "toric", "transversal") and node.germ.dimension == 2:
            return node.germ, [_pair(node, "κ"), _pair(derivation, "λ")]
        waiting += reversed(node.children)
    raise InvalidValueError(
        "No germ in two variables was settled by a Newton polygon in this derivation. Its rules: "
        f"{', '.join(derivation.rules)}. The germ itself is the `given` of the derivation."
    )


def _pair(found: Node | Derivation, name: str) -> str:
    lower, upper = found.lower, found.upper
    if lower == upper and lower.m is not None:
        return f"({name}, m) = ({lower.value}, {lower.m})"
    return f"{lower.value} ≤ {name} ≤ {upper.value}"


def _draw_polygon(axes: Axes, exponents: Sequence[tuple[int, int]], ray: tuple[Fraction, ...], value: Fraction) -> None:
    corners = [face.exponents for face in compact_faces(exponents) if face.dimension == 0]
    vertices: list[Point] = sorted((x, y) for corner in corners for x, y in corner)
    entry = (ray[0] / value, ray[1] / value)
    reach = Fraction(5, 4) * max(*entry, vertices[0][1], vertices[-1][0]) + 1
    border: list[Point] = [(vertices[0][0], reach), *vertices, (reach, vertices[-1][1])]
    axes.fill(*_floats([*border, (reach, reach)]), color=style.SERIES[0], alpha=0.1, linewidth=0)
    axes.plot(*_floats(border), color=style.SERIES[0], linewidth=1, label="Newton polygon")
    axes.plot(*_floats(vertices), color=style.SERIES[0], linewidth=2)
    start, end = next(part for part in _border_parts(border) if _is_on(entry, *part))
    marker = "D" if start == end else ""
    axes.plot(*_floats([start, end]), color=style.SERIES[1], linewidth=3, marker=marker, label="face that it meets")
    tip: list[Point] = [(0, 0), (ray[0] * reach / max(ray), ray[1] * reach / max(ray))]
    label = f"ray of τ = ({ray[0]}, {ray[1]})"
    axes.plot(*_floats(tip), color=style.INK, linewidth=1, linestyle=(0, (4, 3)), label=label)
    shown = [point for point in exponents if max(point) <= reach]
    outside = f" ({len(exponents) - len(shown)} outside)" if len(shown) < len(exponents) else ""
    axes.plot(*_floats(shown), "o", markersize=4, color=style.INK, label=f"exponents{outside}")
    axes.set(xlim=(-0.3, float(reach)), ylim=(-0.3, float(reach)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))


def _floats(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [float(x) for x, _ in points], [float(y) for _, y in points]


def _border_parts(border: Sequence[Point]) -> list[tuple[Point, Point]]:
    """The vertices as segments of length 0, then the segments between neighbours."""
    return [(vertex, vertex) for vertex in border[1:-1]] + list(itertools.pairwise(border))


def _is_on(point: Point, start: Point, end: Point) -> bool:
    across = (end[0] - start[0]) * (point[1] - start[1]) == (end[1] - start[1]) * (point[0] - start[0])
    return across and all(min(a, b) <= p <= max(a, b) for p, a, b in zip(point, start, end, strict=True))
