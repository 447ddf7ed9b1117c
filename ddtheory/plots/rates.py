"""A profile against the radius: the picture of a rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ddtheory.arguments import list_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.plots import style

_MOST_PROFILES = 100

Point: TypeAlias = "tuple[float, float]"


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
    found = [_read(profile, index) for index, profile in enumerate(_listed(profiles))]
    figure, axes = style.figure(width=4.6, height=3.0 + 0.2 * len(found))
    for index, profile in enumerate(found):
        _draw_profile(axes, profile, index)
    floor = max((profile.floor for profile in found), default=0.0)
    if floor > 0:
        axes.axhline(floor, color=style.MUTED, linestyle=":", linewidth=1, label="float64 floor")
    for window in dict.fromkeys(profile.window for profile in found if profile.window):
        axes.axvspan(*window, color=style.WINDOW, alpha=0.1, linewidth=0, label="window of the reading")
    axes.set_xlabel("radius t")
    if all(profile.is_fisher for profile in found):
        axes.set_ylabel("directional Fisher F(t)")
    if not any(profile.points for profile in found):
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


@dataclass(frozen=True)
class _Drawn:
    """What is drawn of a profile; `points` are those that have a place on logarithmic axes, by radius."""

    points: list[Point]
    hidden: int
    label: str
    slope: float | None
    window: Point | None
    floor: float
    is_fisher: bool


def _listed(profiles: object) -> list[Any]:
    return [profiles] if hasattr(profiles, "radii") else list_of(profiles, "The list of profiles", _MOST_PROFILES)


def _read(profile: Any, index: int) -> _Drawn:
    try:
        values = getattr(profile, "values", None)
        values = profile.fisher if values is None else values
        pairs = [(float(radius), float(value)) for radius, value in zip(profile.radii, values, strict=True)]
        slope, window = getattr(profile, "slope", None), getattr(profile, "window", None)
        return _Drawn(
            points := sorted((radius, value) for radius, value in pairs if radius > 0 and 0 < value < math.inf),
            len(pairs) - len(points),
            str(getattr(profile, "label", "") or f"profile {index + 1}"),
            None if slope is None else float(slope),
            None if window is None else (float(window[0]), float(window[1])),
            float(getattr(profile, "fisher_floor", 0)),
            hasattr(profile, "fisher"),
        )
    except Exception as error:  # a profile is anybody's object
        raise InvalidValueError(
            f"There is nothing to draw in {shown(profile)}. Give a profile, which has radii with one value each."
        ) from error


def _draw_profile(axes: Axes, profile: _Drawn, index: int) -> None:
    colour = style.SERIES[index % len(style.SERIES)]
    label = style.readable(profile.label)
    if profile.hidden:
        label += f" ({profile.hidden} not positive)"
    axes.plot(
        [radius for radius, _ in profile.points],
        [value for _, value in profile.points],
        marker=style.MARKERS[index % len(style.MARKERS)],
        markersize=4,
        linewidth=1 if profile.slope is None else 0,  # a line through the points would hide the guide
        color=colour,
        label=label,
    )
    if profile.slope is not None and profile.points:
        _draw_guide(axes, profile.points, profile.slope, profile.window, colour)


def _draw_guide(
    axes: Axes,
    points: Sequence[Point],
    slope: float,
    window: Point | None,
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
