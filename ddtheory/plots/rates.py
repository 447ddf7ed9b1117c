"""A profile against the radius: the picture of a rate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Protocol, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ddtheory.errors import InvalidValueError, shown
from ddtheory.plots import style

_MOST_PROFILES = 100


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

    Raises:
        InvalidValueError: something that has no radii with one value each.
    """
    found = [cast(HasRadii, profiles)] if hasattr(profiles, "radii") else _listed(profiles)
    figure, axes = style.figure(width=4.6, height=3.0 + 0.2 * len(found))
    drawn = [_draw_profile(axes, profile, index) for index, profile in enumerate(found)]
    floor = max((float(getattr(profile, "fisher_floor", 0)) for profile in found), default=0.0)
    if floor > 0:
        axes.axhline(floor, color=style.MUTED, linestyle=":", linewidth=1, label="float64 floor")
    windows = dict.fromkeys(getattr(profile, "window", None) for profile in found)
    for window in filter(None, windows):
        axes.axvspan(*window, color=style.WINDOW, alpha=0.1, linewidth=0, label="window of the reading")
    axes.set_xlabel("radius t")
    if all(hasattr(profile, "fisher") for profile in found):
        axes.set_ylabel("directional Fisher F(t)")
    if not any(drawn):
        axes.text(0.5, 0.5, "no positive value", transform=axes.transAxes, ha="center", va="center", color=style.MUTED)
        axes.set(xticks=[], yticks=[])
        return figure
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(style.power_of_ten)
    axes.minorticks_off()
    _widen(axes)
    style.legend(figure, axes)
    return figure


def _listed(profiles: object) -> list[HasRadii]:
    if isinstance(profiles, str) or not isinstance(profiles, Iterable):
        raise InvalidValueError(f"There is nothing to draw in {shown(profiles)}. Give a profile, or several in a list.")
    found = list(itertools.islice(profiles, _MOST_PROFILES + 1))
    for profile in found:
        if not hasattr(profile, "radii"):
            raise InvalidValueError(f"There is nothing to draw in {shown(profile)}. Give a profile, which has radii.")
    if len(found) > _MOST_PROFILES:
        raise InvalidValueError(f"More than {_MOST_PROFILES} profiles are no picture.")
    return cast("list[HasRadii]", found)


def _draw_profile(axes: Axes, profile: HasRadii, index: int) -> bool:
    pairs = [(float(radius), float(value)) for radius, value in zip(profile.radii, _values(profile), strict=True)]
    shown = sorted((radius, value) for radius, value in pairs if radius > 0 and 0 < value < math.inf)
    colour = style.SERIES[index % len(style.SERIES)]
    label = style.readable(str(getattr(profile, "label", "") or f"profile {index + 1}"))
    if len(shown) < len(pairs):
        label += f" ({len(pairs) - len(shown)} not positive)"
    slope = cast("float | None", getattr(profile, "slope", None))
    axes.plot(
        [radius for radius, _ in shown],
        [value for _, value in shown],
        marker=style.MARKERS[index % len(style.MARKERS)],
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
