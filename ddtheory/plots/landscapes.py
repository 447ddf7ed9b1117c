"""A divergence in two coordinates, with a ray and an arc."""

from __future__ import annotations

import numpy
from matplotlib.figure import Figure
from sympy import Expr, Symbol

from ddtheory.arguments import as_float
from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.numbers.coordinates import free_coordinates_of
from ddtheory.exact.numbers.evaluate import evaluate
from ddtheory.exact.numbers.given import expression_of
from ddtheory.plots import style
from ddtheory.values import KLOrder

_LARGEST = 1e6


def landscape(divergence: Expr, order: KLOrder, *, extent: float = 0.5) -> Figure:
    """Level lines of K in two coordinates, with the ray of a direction and the best arc tangent to it.

    The first coordinate of K, by name, is drawn upwards. Levels are powers of ten.

    Raises:
        InvalidValueError: K does not have exactly two symbols, or the order was computed without its arc.
    """
    divergence, extent = expression_of(divergence), as_float(extent, "The extent")
    if not isinstance(order, KLOrder):
        raise InvalidValueError(f"The order is {shown(order)}; give what kl_order returns.")
    if not 0 < extent < _LARGEST:
        raise InvalidValueError(f"The extent {extent:g} is not between 0 and {_LARGEST:g}.")
    names = [symbol.name for symbol in free_coordinates_of(divergence.free_symbols)]
    if len(names) != 2 or order.arc is None:
        raise InvalidValueError("A landscape needs K in two coordinates, and an order that was computed with its arc.")
    figure, axes = style.figure(width=4.6, height=4.2)
    line = numpy.linspace(-extent, extent, 401)
    across, up = numpy.meshgrid(line, line)
    height = evaluate(divergence, {names[1]: across, names[0]: up}, numpy)
    with numpy.errstate(divide="ignore"):
        levels = numpy.log10(numpy.maximum(height, 1e-30))
    axes.contour(across, up, levels, levels=numpy.arange(-9, 2), colors=style.MUTED, linewidths=0.7, linestyles="solid")
    times = numpy.linspace(0, extent, 200)
    path = {name: evaluate(value, {"t": times}, numpy) for name, value in order.arc.path.items()}
    time = Symbol("t", positive=True)
    tangent = {name: float(value.diff(time).subs(time, 0)) for name, value in order.arc.path.items()}
    best = "K ≡ 0 on it" if order.arc.order is None else f"order {order.arc.order}"
    ray = [tangent[name] * times for name in reversed(names)]
    axes.plot(*ray, color=style.SERIES[0], label=f"ray, order {order.k}")
    axes.plot(*(path[name] for name in reversed(names)), color=style.SERIES[1], label=f"arc, {best}")
    axes.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xlabel=names[1], ylabel=names[0])
    style.legend(figure, axes)
    return figure
