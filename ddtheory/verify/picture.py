"""A measured profile as a small drawing inside the page: values against radii on logarithmic axes.

A page holds some hundreds of these and stays light, so each is a few hundred bytes of SVG and not a rendered figure, in
whole units of half a pixel, and its caption says what it shows; `ddtheory.plots.rate` draws the same curve for paper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ddtheory.errors import InvalidValueError
from ddtheory.verify.claim import Curve

_WIDTH, _HEIGHT = 520, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, _WIDTH - 12, 16, _HEIGHT - 44


@dataclass(frozen=True)
class _Axis:
    """Powers of ten to lengths: `low` at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, power: float) -> int:
        return round(self.start + (power - self.low) / (self.high - self.low) * (self.end - self.start))

    @property
    def ticks(self) -> tuple[int, ...]:
        """At most two whole powers."""
        whole = range(math.ceil(self.low), math.floor(self.high) + 1)
        return tuple(whole[:: max(1, -(-len(whole) // 2))])


def drawing(curve: Curve) -> Markup:
    """The curve as one SVG element: points, the window of the reading, a guide of the predicted slope.

    Values that are not positive have no place on logarithmic axes; their number is written under the drawing.

    Raises:
        InvalidValueError: there is no positive value, or the numbers are too large to be drawn.
    """
    powers = [
        (math.log10(radius), math.log10(value))
        for radius, value in zip(map(float, curve.radii), map(float, curve.values), strict=True)
        if 0 < radius < math.inf and 0 < value < math.inf
    ]
    if not powers:
        raise InvalidValueError(f"The curve {curve.label!r} has no positive value, so it cannot be drawn.")
    x = _axis([radius for radius, _ in powers], _LEFT, _RIGHT)
    y = _axis([value for _, value in powers], _BOTTOM, _TOP)
    points = Markup("").join(Markup("M{} {}h0").format(x(radius), y(value)) for radius, value in sorted(powers))
    missing = len(curve.radii) - len(powers)
    return Markup(
        '<svg class="curve" viewBox="0 0 {} {}" aria-hidden="true">{}{}{}<path class="points" d="{}"/></svg>{}'
    ).format(
        _WIDTH,
        _HEIGHT,
        _window(curve.window, x),
        _ticks(x, y),
        _guide(curve, powers, x, y),
        points,
        Markup('<p class="quiet">{} not positive</p>').format(missing) if missing else "",
    )


def _axis(powers: Sequence[float], start: float, end: float) -> _Axis:
    low, high = min(powers), max(powers)
    room = 0.06 * (high - low) or 0.5
    return _Axis(low - room, high + room, start, end)


def _ticks(x: _Axis, y: _Axis) -> Markup:
    below = [Markup('<text x="{}" y="{}">1e{}</text>').format(x(power), _HEIGHT - 12, power) for power in x.ticks]
    beside = [Markup('<text y="{}">1e{}</text>').format(y(power) + 6, power) for power in y.ticks]
    lines = "".join(f"M{x(power)} {_TOP}V{_BOTTOM}" for power in x.ticks)
    lines += "".join(f"M{_LEFT} {y(power)}H{_RIGHT}" for power in y.ticks)
    return Markup('<path class="grid" d="{}"/>').format(lines) + Markup("").join([*below, *beside])


def _window(window: tuple[float, float] | None, x: _Axis) -> Markup:
    """The radii that were used, shaded."""
    if window is None or not all(0 < end < math.inf for end in window):
        return Markup("")
    left, right = (min(max(math.log10(end), x.low), x.high) for end in sorted(map(float, window)))
    box = Markup('<path class="window" d="M{} {}H{}V{}H{}z"/>')
    return box.format(x(left), _TOP, x(right), _BOTTOM, x(left))


def _guide(curve: Curve, powers: Sequence[tuple[float, float]], x: _Axis, y: _Axis) -> Markup:
    """A line of the predicted slope through the point of the smallest radius, as far as it stays in the frame."""
    slope = None if curve.slope is None else float(curve.slope)
    if slope is None or not math.isfinite(slope):
        return Markup("")
    at, value = min(powers)
    ends = [(x.low, value + slope * (x.low - at)), (x.high, value + slope * (x.high - at))]
    clipped = [_clip(end, (at, value), slope, y) for end in ends]
    (a, b), (c, d) = clipped
    return Markup('<path class="guide" d="M{} {}L{} {}"/>').format(x(a), y(b), x(c), y(d))


def _clip(end: tuple[float, float], through: tuple[float, float], slope: float, y: _Axis) -> tuple[float, float]:
    """The end of the guide, or where it leaves the frame."""
    height = min(max(end[1], y.low), y.high)
    return end if height == end[1] else (through[0] + (height - through[1]) / slope, height)
