"""Exact values as curves: ν against the order, λ(nβ) against nβ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from matplotlib.figure import Figure

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.finite_n.crossings import finite_n
from ddtheory.exact.fluctuation.nu import frozen_fluctuation, singular_fluctuation
from ddtheory.exact.numbers.given import whole_number
from ddtheory.plots import style

_MOST_ORDERS = 60
_MOST_CURVES = 50
_MOST_DECADES = 300


def fluctuation(largest: int = 16) -> Figure:
    """ν against the order k: odd and even orders follow two laws. Dashed: the value without noise in the data.

    Raises:
        InvalidValueError: fewer than two orders were asked for, or more than 60.
    """
    largest = whole_number(largest, "largest", least=2, advice="The picture needs at least the orders 1 and 2.")
    if largest > _MOST_ORDERS:
        raise InvalidValueError(f"largest = {shown(largest)} is more orders than a picture shows; {_MOST_ORDERS} are.")
    figure, axes = style.figure(width=4.6, height=3.4)
    for index, (name, start) in enumerate((("odd k: v on the line", 1), ("even k: v on the half-line", 2))):
        orders = range(start, largest + 1, 2)
        values = [float(singular_fluctuation(k, digits=6)) for k in orders]
        frozen = [float(frozen_fluctuation(Fraction(1, 2 * k), "two" if k % 2 else "one", 6)) for k in orders]
        colour, marker = style.SERIES[index], style.MARKERS[index]
        axes.plot(orders, values, marker=marker, markersize=4, color=colour, label=f"ν, {name}")
        axes.plot(orders, frozen, linestyle=(0, (4, 3)), linewidth=1, color=colour, label="without noise")
    axes.set(xlabel="order k", ylabel="singular fluctuation ν", ylim=(0, None), xticks=range(1, largest + 1))
    style.legend(figure, axes)
    return figure


def finite_temperature(crossings: Iterable[Sequence[int]], *, decades: int = 30) -> Figure:
    """λ(nβ) of normal crossings on the unit box against nβ, and the λ that each of them tends to.

    Raises:
        InvalidValueError: there is no crossing, or the decades are no number from 1 to 300.
    """
    found = [tuple(in_order(exponents, "A crossing")) for exponents in in_order(crossings, "crossings", _MOST_CURVES)]
    decades = whole_number(decades, "decades")
    if decades > _MOST_DECADES:
        raise InvalidValueError(
            f"decades = {shown(decades)} is more than {_MOST_DECADES}, beyond what an axis can show."
        )
    if not found:
        raise InvalidValueError("There is nothing to draw. Give exponents, as in [(2,), (2, 2), (2, 2, 2)].")
    figure, axes = style.figure(width=4.6, height=3.0 + 0.2 * len(found))
    sizes = [digit * 10**power for power in range(decades) for digit in (1, 2, 5)]
    for index, exponents in enumerate(found):
        values = [finite_n(exponents, size, digits=6) for size in sizes]
        colour = style.SERIES[index % len(style.SERIES)]
        limit = values[0].rlct
        label = f"exponents {', '.join(map(str, exponents))}: λ = {limit.lam}, m = {limit.m}"
        axes.plot(sizes, [float(value.learning_coefficient) for value in values], color=colour, label=label)
        axes.axhline(float(limit.lam), color=colour, linestyle=(0, (4, 3)), linewidth=1)
    axes.set(xscale="log", xlabel="nβ", ylabel="λ(nβ) = nβ E[K]", ylim=(0, None))
    axes.xaxis.set_major_formatter(style.power_of_ten)
    axes.minorticks_off()
    style.legend(figure, axes)
    return figure
