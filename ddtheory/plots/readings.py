"""Pictures of a reading: what a checkpoint follows, the orders by layer, and where λ lies."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ddtheory.arguments import as_integer, list_of, pairs_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.plots import style


def two_scales(row: Any) -> Figure:
    """F* from both sides of a checkpoint against the radius t, with both scales: s, and where a law is followed.

    The row is one of `reading.census`. Far above s both sides follow the singular point, with slope 2(k − 1); below it
    they see the checkpoint, which is regular. The window of the law is shaded.

    Raises:
        InvalidValueError: no row of a census, or one of which no path was read.
    """
    try:
        radii, values = ([float(x) for x in list_of(each, "A side")] for each in (row.sides.radii, row.sides.fisher))
        points = [(t, f) for t, f in zip(radii, values, strict=True) if f > 0]
        order = None if row.order is None else as_integer(row.order)
        scale = None if row.scale is None else (float(row.scale[0]), float(row.scale[1]))
        distance, floor, name = float(row.distance), float(row.sides.fisher_floor), f"{row.layer} {row.place}"
    except Exception as error:  # anybody's object
        raise InvalidValueError(
            f"There is no profile in {shown(row)}. Give a row of reading.census that was read along a path, such as a "
            "dead one."
        ) from error
    figure, axes = style.figure(width=4.6, height=3.4)
    axes.set_xlabel("radius t")
    axes.set_ylabel("F*(t) from both sides")
    if not points:
        axes.text(0.5, 0.5, "no positive value", transform=axes.transAxes, ha="center", va="center", color=style.MUTED)
        axes.set(xticks=[], yticks=[])
        return figure
    label = style.readable(name)
    axes.plot(*zip(*points, strict=True), marker="o", markersize=4, linewidth=0, color=style.SERIES[0], label=label)
    if scale is not None and order is not None:
        slope = 2 * (order - 1)
        inside = [point for point in points if scale[0] <= point[0] <= scale[1]] or points
        t0, f0 = inside[len(inside) // 2]
        line = [f0 * (t / t0) ** slope for t in scale]
        axes.plot(scale, line, color=style.INK, linewidth=1, linestyle=(0, (4, 3)), label=f"slope {slope}")
        axes.axvspan(*scale, color=style.WINDOW, alpha=0.1, linewidth=0, label="follows the order")
    if distance > 0:
        axes.axvline(distance, color=style.SERIES[1], linewidth=1, label=f"s = {distance:.2g}")
    if floor > 0:
        axes.axhline(floor, color=style.MUTED, linestyle=":", linewidth=1, label="float64 floor")
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(style.power_of_ten)
    axes.minorticks_off()
    style.legend(figure, axes)
    return figure


def orders_by_layer(reading: Any) -> Figure:
    """How many dead candidates each layer has of each order.

    Raises:
        InvalidValueError: no reading.
    """
    try:
        counts = {
            str(layer): {str(order): int(count) for order, count in pairs_of(some, "The orders")}
            for layer, some in pairs_of(reading.census.by_layer(), "The layers")
        }
        layers = [str(layer.layer) for layer in list_of(reading.layers, "The layers")]
    except Exception as error:  # anybody's object
        raise InvalidValueError(
            f"There are no orders in {shown(reading)}. Give a reading, as dd.read returns it."
        ) from error
    figure, axes = style.figure(width=4.6, height=1.4 + 0.3 * max(1, len(layers)))
    orders = sorted(
        {order for some in counts.values() for order in some}, key=lambda each: (each == "flat", len(each), each)
    )
    left = [0] * len(layers)
    for index, order in enumerate(orders):
        numbers = [counts.get(layer, {}).get(order, 0) for layer in layers]
        label = order if order == "flat" else f"order {order}"
        axes.barh(range(len(layers)), numbers, left=left, color=style.SERIES[index % len(style.SERIES)], label=label)
        left = [a + b for a, b in zip(left, numbers, strict=True)]
    axes.set_yticks(range(len(layers)), [style.readable(layer) for layer in layers])
    axes.invert_yaxis()
    axes.set_xlabel("dead candidates")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if orders:
        style.legend(figure, axes)
    else:
        axes.set_xlim(0, 1)
        axes.text(0.5, 0.5, "none is dead", transform=axes.transAxes, ha="center", va="center", color=style.MUTED)
    return figure


def bracket(found: Any) -> Figure:
    """Where λ lies between 0 and d/2.

    Raises:
        InvalidValueError: no bracket.
    """
    try:
        low, high, end = float(found.lower), float(found.upper), found.dimension / 2
    except Exception as error:  # anybody's object
        raise InvalidValueError(f"There is no bracket in {shown(found)}. Give reading.bracket.") from error
    figure, axes = style.figure(width=4.6, height=1.3)
    axes.plot([0, end], [0, 0], color=style.MUTED, linewidth=1)
    axes.plot([low, high], [0, 0], color=style.SERIES[3], linewidth=6, solid_capstyle="butt")
    axes.plot([low, high], [0, 0], color=style.SERIES[3], linewidth=0, marker="|", markersize=14)
    axes.set(yticks=[], xlabel=f"{low:g} ≤ λ ≤ {high:g}, of at most d/2 = {end:g}")
    axes.spines["left"].set_visible(False)
    return figure
