"""Drawings of a reading for its page: plain SVG, in colours of the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from ddtheory.measure.orders.profile import Profile

WIDTH, HEIGHT = 240.0, 110.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 6.0, 6.0, 8.0, 16.0
MOST = 60
"""Profiles on one page."""


def profile(sides: Profile, distance: float, order: int | None, window: tuple[float, float] | None) -> Markup:
    """F* against the radius t, both logarithmic: dots are read, the dashed line has the slope 2(k − 1) of the law.

    The upright line is s: far above it both sides follow the singular point, below it they see the checkpoint.

    >>> radii = [2.0**-n for n in range(9)]
    >>> cubic = Profile(radii, [9 * t**4 for t in radii], [t**6 / 2 for t in radii], 0.0, 0.0)
    >>> drawn = profile(cubic, 2.0**-12, 3, (2.0**-6, 1.0))
    >>> drawn.count("<circle"), "stroke-dasharray" in drawn
    (9, True)
    """
    floor = sides.fisher_floor
    points = [(math.log10(t), math.log10(f)) for t, f in zip(sides.radii, sides.fisher, strict=True) if f > floor]
    if len(points) < 2:
        return Markup("")
    s = math.log10(distance) if distance > 0 else None
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    seen = s is not None and low - 1 <= s <= high
    low = min(low, s) if seen and s is not None else low
    bottom, top = min(y for _, y in points), max(y for _, y in points)
    place = _Scale((low, high), (bottom, max(top, bottom + 1)))
    parts = [Markup('<circle cx="{:.1f}" cy="{:.1f}" r="1.8"/>').format(*place(x, y)) for x, y in points]
    if order is not None and window is not None:
        parts.append(_guide(points, 2.0 * (order - 1), window, place))
    if seen and s is not None:
        x, _ = place(s, bottom)
        parts.append(Markup('<path d="M{:.1f} {:g}V{:g}"/>').format(x, _TOP, HEIGHT - _BOTTOM))
        parts.append(_text(min(x + 2, WIDTH - 30), _TOP + 16, f"s = {distance:.2g}"))
    parts.append(_text(_LEFT, _TOP + 4, f"F* from {10**bottom:.1g} to {10**top:.1g}"))
    parts.append(_text(_LEFT, HEIGHT - 4, f"t = {10**low:.1g}"))
    parts.append(_text(WIDTH - _RIGHT, HEIGHT - 4, f"t = {10**high:.1g}", end=True))
    told = f"F* from {10**bottom:.1g} to {10**top:.1g} over radii from {10**low:.1g} to {10**high:.1g}"
    opening = Markup('<svg class="profile" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">')
    return opening.format(WIDTH, HEIGHT, told) + Markup("").join(parts) + Markup("</svg>")


class _Scale:
    """Logarithms to places of the drawing."""

    def __init__(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        self.across, self.up = across, up

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        width, height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
        share = (x - self.across[0]) / max(self.across[1] - self.across[0], 1e-9)
        up = (y - self.up[0]) / (self.up[1] - self.up[0])
        return _LEFT + width * share, HEIGHT - _BOTTOM - height * min(1.0, max(0.0, up))


def _guide(points: Sequence[tuple[float, float]], slope: float, window: tuple[float, float], place: _Scale) -> Markup:
    ends = [math.log10(t) for t in window]
    inside = [point for point in points if ends[0] - 1e-9 <= point[0] <= ends[1] + 1e-9] or list(points)
    x0, y0 = inside[len(inside) // 2]
    (a, b), (c, d) = (place(x, y0 + slope * (x - x0)) for x in ends)
    line = Markup('<path stroke-dasharray="4 3" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>')
    return line.format(a, b, c, d)


def _text(x: float, y: float, words: str, *, end: bool = False) -> Markup:
    """Words that begin at x, or end there."""
    where = Markup(' class="end"') if end else Markup("")
    return Markup('<text{} x="{:.1f}" y="{:.1f}">{}</text>').format(where, x, y, escape(words))
