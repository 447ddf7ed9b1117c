"""Pictures of profiles and verdicts. Every function returns a `Figure` and touches no global state of matplotlib.

from ddtheory import plots
figure = plots.rate(profile)         # anything with radii and values, or several of them
figure.savefig("rate.svg")
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, cast

from ddtheory.errors import InvalidValueError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from sympy import Expr

    from ddtheory.exact.thresholds.derivation import Derivation
    from ddtheory.exact.thresholds.ideal import IdealGerm
    from ddtheory.exact.thresholds.nodes import Node
    from ddtheory.values import KLOrder, Verdict
    from ddtheory.verify.verdicts import ClaimResult

INK = "#2b2f33"
MUTED = "#7d858c"
GRID = "#dfe3e6"
SERIES = ("#2e6f9e", "#b0632a", "#3f7d58", "#7a5195")
WINDOW = "#2e6f9f"  # one step beside the first series, so that a style sheet can tell them apart

VERDICTS: dict[str, str] = {
    "confirmed": "#2f7d4f",
    "narrower": "#2b6ca3",
    "refuted": "#86459b",
    "inconclusive": "#a86f00",
    "not checked": "#7d858c",
}

Point = tuple[Fraction | int, Fraction | int]

_LONG_LABEL = 32
_LONG_TITLE = 60
_MARKERS = ("o", "s", "^", "D")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class HasRadii(Protocol):
    """A `Curve`, or the profile that `measure.fisher_along` returns.

    What is drawn is its `values`, or its `fisher`. A `label`, a `slope` and a `window`, or a `fisher_floor`, are
    used when present.
    """

    @property
    def radii(self) -> Iterable[float]: ...


def rate(profiles: HasRadii | Iterable[HasRadii]) -> Figure:
    """Values against radii on logarithmic axes, with a guide line of the predicted slope.

    The guide runs through the middle of the window that the reading used, which is shaded. Values that are not
    positive have no place on these axes; how many there are stands in the label.
    """
    found = [cast(HasRadii, profiles)] if hasattr(profiles, "radii") else list(profiles)
    figure, axes = _figure(width=4.6, height=3.0 + 0.2 * len(found))
    drawn = [_draw_profile(axes, profile, index) for index, profile in enumerate(found)]
    floor = max((float(getattr(profile, "fisher_floor", 0)) for profile in found), default=0.0)
    if floor > 0:
        axes.axhline(floor, color=MUTED, linestyle=":", linewidth=1, label="float64 floor")
    windows = dict.fromkeys(getattr(profile, "window", None) for profile in found)
    for window in filter(None, windows):
        axes.axvspan(*window, color=WINDOW, alpha=0.1, linewidth=0, label="window of the reading")
    axes.set_xlabel("radius t")
    if all(hasattr(profile, "fisher") for profile in found):
        axes.set_ylabel("directional Fisher F(t)")
    if not any(drawn):
        axes.text(0.5, 0.5, "no positive value", transform=axes.transAxes, ha="center", va="center", color=MUTED)
        axes.set(xticks=[], yticks=[])
        return figure
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_power_of_ten)
    axes.minorticks_off()
    _widen(axes)
    _legend(figure, axes)
    return figure


def landscape(divergence: Expr, order: KLOrder, *, extent: float = 0.5) -> Figure:
    """Level lines of K in two coordinates, with the ray of a direction and the best arc tangent to it.

    The first coordinate of K, by name, is drawn upwards. Levels are powers of ten.

    Raises:
        InvalidValueError: K does not have exactly two symbols, or the order was computed without its arc.
    """
    import numpy
    from sympy import Symbol

    from ddtheory.exact.numbers.evaluate import evaluate

    names = sorted(symbol.name for symbol in divergence.free_symbols)
    if len(names) != 2 or order.arc is None:
        raise InvalidValueError("A landscape needs K in two coordinates, and an order that was computed with its arc.")
    figure, axes = _figure(width=4.6, height=4.2)
    line = numpy.linspace(-extent, extent, 401)
    across, up = numpy.meshgrid(line, line)
    height = evaluate(divergence, {names[1]: across, names[0]: up}, numpy)
    with numpy.errstate(divide="ignore"):
        levels = numpy.log10(numpy.maximum(height, 1e-30))
    axes.contour(across, up, levels, levels=numpy.arange(-9, 2), colors=MUTED, linewidths=0.7, linestyles="solid")
    times = numpy.linspace(0, extent, 200)
    path = {name: evaluate(value, {"t": times}, numpy) for name, value in order.arc.path.items()}
    time = Symbol("t", positive=True)
    tangent = {name: float(value.diff(time).subs(time, 0)) for name, value in order.arc.path.items()}
    best = "K ≡ 0 on it" if order.arc.order is None else f"order {order.arc.order}"
    axes.plot(*(tangent[name] * times for name in reversed(names)), color=SERIES[0], label=f"ray, order {order.k}")
    axes.plot(*(path[name] for name in reversed(names)), color=SERIES[1], label=f"arc, {best}")
    axes.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xlabel=names[1], ylabel=names[0])
    _legend(figure, axes)
    return figure


def fluctuation(largest: int = 16) -> Figure:
    """ν against the order k: odd and even orders follow two laws. Dashed: the value without noise in the data.

    Raises:
        InvalidValueError: fewer than two orders were asked for.
    """
    from ddtheory.exact.fluctuation.nu import frozen_fluctuation, singular_fluctuation

    if largest < 2:
        raise InvalidValueError(f"The picture needs at least the orders 1 and 2, got {largest}.")
    figure, axes = _figure(width=4.6, height=3.4)
    for index, (name, start) in enumerate((("odd k: v on the line", 1), ("even k: v on the half-line", 2))):
        orders = range(start, largest + 1, 2)
        values = [float(singular_fluctuation(k, digits=6)) for k in orders]
        frozen = [float(frozen_fluctuation(Fraction(1, 2 * k), "two" if k % 2 else "one", 6)) for k in orders]
        axes.plot(orders, values, marker=_MARKERS[index], markersize=4, color=SERIES[index], label=f"ν, {name}")
        axes.plot(orders, frozen, linestyle=(0, (4, 3)), linewidth=1, color=SERIES[index], label="without noise")
    axes.set(xlabel="order k", ylabel="singular fluctuation ν", ylim=(0, None), xticks=range(1, largest + 1))
    _legend(figure, axes)
    return figure


def finite_temperature(crossings: Iterable[Sequence[int]], *, decades: int = 30) -> Figure:
    """λ(nβ) of normal crossings on the unit box against nβ, and the λ that each of them tends to.

    Raises:
        InvalidValueError: there is no crossing.
    """
    from ddtheory.exact.finite_n.crossings import finite_n

    found = [tuple(exponents) for exponents in crossings]
    if not found:
        raise InvalidValueError("There is nothing to draw. Give exponents, as in [(2,), (2, 2), (2, 2, 2)].")
    figure, axes = _figure(width=4.6, height=3.0 + 0.2 * len(found))
    sizes = [digit * 10**power for power in range(decades) for digit in (1, 2, 5)]
    for index, exponents in enumerate(found):
        values = [finite_n(exponents, size, digits=6) for size in sizes]
        colour = SERIES[index % len(SERIES)]
        limit = values[0].rlct
        label = f"exponents {', '.join(map(str, exponents))}: λ = {limit.lam}, m = {limit.m}"
        axes.plot(sizes, [float(value.learning_coefficient) for value in values], color=colour, label=label)
        axes.axhline(float(limit.lam), color=colour, linestyle=(0, (4, 3)), linewidth=1)
    axes.set(xscale="log", xlabel="nβ", ylabel="λ(nβ) = nβ E[K]", ylim=(0, None))
    axes.xaxis.set_major_formatter(_power_of_ten)
    axes.minorticks_off()
    _legend(figure, axes)
    return figure


def newton_polygon(source: Derivation | IdealGerm) -> Figure:
    """The Newton polygon of a germ in two variables, and the ray ℝ₊τ, τ = h + 1, that enters it in τ/ℓ.

    ℓ bounds κ from above. Where no zero on an edge matters, κ = ℓ, and m = 2 exactly when the ray enters at a vertex.
    Of a derivation that germ is drawn which is the first in two variables to be settled by a Newton polygon; the title
    has its ℓ and κ, and the λ of K.

    Raises:
        InvalidValueError: the germ does not have two variables, is 0 or does not vanish at 0; or no germ of the
            derivation has two variables and was settled by a Newton polygon.
    """
    from ddtheory.exact.thresholds.ideal import IdealGerm
    from ddtheory.exact.thresholds.newton import newton_distance

    germ, known = (source, []) if isinstance(source, IdealGerm) else _planar_step(source)
    if germ.dimension != 2:
        raise InvalidValueError(
            f"A Newton polygon needs a germ in two variables; {germ} has {germ.dimension}. Give a germ of two of them, "
            "or the derivation, whose first step in two variables is drawn."
        )
    exponents = sorted({(m[0], m[1]) for generator in germ.generators for m in generator})
    distance = newton_distance(exponents, germ.prior)
    figure, axes = _figure(width=4.6, height=4.8)
    _draw_polygon(axes, exponents, tuple(h + 1 for h in germ.prior), distance.value)
    axes.set_title(
        f"{_readable(_shortened(str(germ)))}\n{', '.join([f'ℓ = {distance.value}', *known])}", color=INK, fontsize=10
    )
    axes.set(xlabel=f"exponent of {germ.names[0]}", ylabel=f"exponent of {germ.names[1]}", aspect="equal")
    _legend(figure, axes)
    return figure


def verdicts(results: Iterable[ClaimResult]) -> Figure:
    """One tile a claim, a row a chapter, in the order of the book; the sign in the tile is the verdict's."""
    from ddtheory.verify.verdicts import GLYPH, WORST_FIRST

    chapters: dict[str, list[Verdict]] = {}
    for result in results:
        chapters.setdefault(result.record.chapter, []).append(result.verdict)
    longest = max((len(row) for row in chapters.values()), default=1)
    figure, axes = _figure(width=2.2 + 0.32 * max(longest, 8), height=0.9 + 0.36 * max(len(chapters), 1))
    for row, found in enumerate(chapters.values()):
        for column, verdict in enumerate(found):
            _tile(axes, column, row, VERDICTS[verdict.value], GLYPH[verdict])
    axes.set_yticks(range(len(chapters)), list(chapters), color=INK)
    axes.tick_params(length=0)
    axes.set(xticks=[], xlim=(-0.6, max(longest, 8) - 0.4), ylim=(len(chapters) - 0.4, -0.6), aspect="equal")
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for verdict in WORST_FIRST:
        if any(verdict in row for row in chapters.values()):
            axes.scatter([], [], marker="s", color=VERDICTS[verdict.value], label=f"{GLYPH[verdict]} {verdict.value}")
    if chapters:
        figure.legend(frameon=False, fontsize=8, labelcolor=INK, ncols=3, loc="outside lower center")
    return figure


def _planar_step(derivation: Derivation) -> tuple[IdealGerm, list[str]]:
    """The germ to draw, with what is known of its κ and of λ."""
    waiting = [derivation.root]
    while waiting:
        node = waiting.pop()
        if node.rule in ("newton", "toric") and node.germ.dimension == 2:
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
    from matplotlib.ticker import MaxNLocator

    from ddtheory.exact.thresholds.faces import compact_faces

    corners = [face.exponents for face in compact_faces(exponents) if face.dimension == 0]
    vertices: list[Point] = sorted((x, y) for corner in corners for x, y in corner)
    entry = (ray[0] / value, ray[1] / value)
    reach = Fraction(5, 4) * max(*entry, vertices[0][1], vertices[-1][0]) + 1
    border: list[Point] = [(vertices[0][0], reach), *vertices, (reach, vertices[-1][1])]
    axes.fill(*_floats([*border, (reach, reach)]), color=SERIES[0], alpha=0.1, linewidth=0)
    axes.plot(*_floats(border), color=SERIES[0], linewidth=1, label="Newton polygon")
    axes.plot(*_floats(vertices), color=SERIES[0], linewidth=2)
    start, end = next(part for part in _border_parts(border) if _is_on(entry, *part))
    marker = "D" if start == end else ""
    axes.plot(*_floats([start, end]), color=SERIES[1], linewidth=3, marker=marker, label="face that it meets")
    tip: list[Point] = [(0, 0), (ray[0] * reach / max(ray), ray[1] * reach / max(ray))]
    label = f"ray of τ = ({ray[0]}, {ray[1]})"
    axes.plot(*_floats(tip), color=INK, linewidth=1, linestyle=(0, (4, 3)), label=label)
    shown = [point for point in exponents if max(point) <= reach]
    outside = f" ({len(exponents) - len(shown)} outside)" if len(shown) < len(exponents) else ""
    axes.plot(*_floats(shown), "o", markersize=4, color=INK, label=f"exponents{outside}")
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


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure in inches with quiet axes. Built without pyplot: no window, no registry, no global style."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="none")
    axes = figure.add_subplot(facecolor="none")
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=9, length=3)
    axes.xaxis.label.set(color=INK, fontsize=10)
    axes.yaxis.label.set(color=INK, fontsize=10)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(MUTED)
    return figure, axes


def _draw_profile(axes: Axes, profile: HasRadii, index: int) -> bool:
    pairs = [(float(radius), float(value)) for radius, value in zip(profile.radii, _values(profile), strict=True)]
    shown = sorted((radius, value) for radius, value in pairs if radius > 0 and 0 < value < math.inf)
    colour = SERIES[index % len(SERIES)]
    label = _readable(str(getattr(profile, "label", "") or f"profile {index + 1}"))
    if len(shown) < len(pairs):
        label += f" ({len(pairs) - len(shown)} not positive)"
    slope = cast("float | None", getattr(profile, "slope", None))
    axes.plot(
        [radius for radius, _ in shown],
        [value for _, value in shown],
        marker=_MARKERS[index % len(_MARKERS)],
        markersize=4,
        linewidth=1 if slope is None else 0,  # a line through the points would hide the guide
        color=colour,
        label=label,
    )
    window = cast("tuple[float, float] | None", getattr(profile, "window", None))
    if slope is not None and shown:
        _draw_guide(axes, shown, slope, window, colour)
    return bool(shown)


def _values(profile: HasRadii) -> Iterable[float]:
    values = getattr(profile, "values", None)
    return cast("Iterable[float]", getattr(profile, "fisher", ()) if values is None else values)


def _draw_guide(
    axes: Axes,
    points: Sequence[tuple[float, float]],
    slope: float,
    window: tuple[float, float] | None,
    colour: str,
) -> None:
    used = [point for point in points if window is None or window[0] <= point[0] <= window[1]] or points
    anchor_radius, anchor_value = used[len(used) // 2]
    ends = (points[0][0], points[-1][0])
    line = [anchor_value * (radius / anchor_radius) ** slope for radius in ends]
    axes.plot(ends, line, color=colour, linestyle=(0, (4, 3)), linewidth=1, label=f"predicted slope {slope:g}")


def _widen(axes: Axes) -> None:
    """At least two decades upwards, so that a constant looks constant and the axis has ticks."""
    low, high = axes.get_ylim()
    if high < 100 * low:
        middle = math.sqrt(low * high)
        axes.set_ylim(middle / 10, middle * 10)


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    by_label = dict(zip(labels, handles, strict=True))  # several windows share one line
    figure.legend(
        list(by_label.values()),
        list(by_label),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=1.8,
        ncols=1 if max(map(len, by_label)) > _LONG_LABEL else 2,
        loc="outside lower left",
    )


def _tile(axes: Axes, column: int, row: int, colour: str, sign: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    box = FancyBboxPatch(
        (column - 0.4, row - 0.4), 0.8, 0.8, boxstyle="round,pad=0,rounding_size=0.15", color=colour, linewidth=0
    )
    axes.add_patch(box)
    axes.text(column, row, sign, color="white", ha="center", va="center_baseline", fontsize=9)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG_TITLE else text[: _LONG_TITLE - 1] + "…"


def _readable(label: str) -> str:
    """The label with its dollar signs taken literally when matplotlib cannot typeset what they enclose."""
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(label)
    except ValueError:
        return label.replace("$", r"\$")
    return label


def _power_of_ten(value: float, _position: float | None) -> str:
    """10⁻³ in plain characters, which keep their place in any font."""
    if value <= 0:
        return ""
    exponent = math.log10(value)
    if abs(exponent - round(exponent)) > 1e-6:
        return f"{value:g}"
    return "10" + str(round(exponent)).translate(_SUPERSCRIPTS)
