"""What was measured along one path: Fisher and divergence at each radius, and where rounding begins."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ddtheory.errors import InvalidValueError
from ddtheory.measure.doors import count, entries, real_number, several, text
from ddtheory.measure.tables import along, html_table, reach
from ddtheory.tabled import Swept

DEFAULT_RADII = tuple(2.0 ** (-n / 2) for n in range(2, 21))
"""Half octaves from 2⁻¹ to 2⁻¹⁰."""


@dataclass(frozen=True, repr=False)
class Profile(Swept):
    """Directional Fisher F(t) and divergence K(t), in nats, at decreasing radii t.

    Attributes:
        radii: t > 0, stored from large to small.
        fisher: F(t) = γ'(t)ᵀ F(γ(t)) γ'(t), the expected Fisher, one value a radius.
        divergence: K(γ(t)), one value a radius.
        fisher_floor: values of F at or below this are rounding.
        divergence_floor: values of K at or below this are rounding.
        label: how messages and tables call the path.
        saturated: samples whose outputs move at the largest radius while the numbers of their law are too small for
            the dtype, as p = e⁻⁸⁰⁰ is. What F and K miss there is no proof of flatness.
        start: the part of F(0) that belongs to samples whose derivative is continuous at the true parameter; None where
            that was not measured, or where some derivative is infinite there.

    Raises:
        InvalidValueError: lengths differ, radii are not positive, finite and distinct, or F or K is negative,
            NaN, infinite or no number.

    >>> radii = (0.5, 0.25, 0.125)
    >>> cubic = Profile(radii, tuple(9 * t**4 for t in radii), tuple(t**6 / 2 for t in radii), 0.0, 0.0)
    >>> [round(slope, 9) for _, slope in cubic.local_slopes()]    # 2(k − 1) at k = 3
    [4.0, 4.0]
    """

    axis = "radius"

    radii: tuple[float, ...]
    fisher: tuple[float, ...]
    divergence: tuple[float, ...]
    fisher_floor: float
    divergence_floor: float
    label: str = ""
    saturated: int = 0
    start: float | None = None
    kinds: tuple[str, ...] = ()
    kinks: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        radii = all_real("radius", self.radii)
        order = descending(radii)
        for name in ("fisher", "divergence"):
            object.__setattr__(self, name, measured(name, getattr(self, name), order))
        object.__setattr__(self, "radii", tuple(radii[i] for i in order))
        for name in ("fisher_floor", "divergence_floor"):
            object.__setattr__(self, name, square(name, getattr(self, name)))
        text("The label", self.label)
        object.__setattr__(self, "saturated", count("saturated", self.saturated, 0))
        if self.start is not None:
            object.__setattr__(self, "start", square("start", self.start))
        object.__setattr__(self, "kinds", several("kinds", self.kinds))
        object.__setattr__(self, "notes", several("notes", self.notes))
        kinks = tuple(count("An entry of kinks", number, 0) for number in entries("kinks", self.kinks))
        if len(kinks) not in (0, len(order)):
            raise InvalidValueError(f"There are {len(order)} radii but {len(kinks)} counts of kinks.")
        object.__setattr__(self, "kinks", tuple(kinks[i] for i in order) if kinks else ())

    def __repr__(self) -> str:
        name = f"{self.label!r}, " if self.label else ""
        lost = f", {self.saturated} samples saturated" if self.saturated else ""
        return (
            f"Profile({name}{len(self.radii)} radii {reach(self.radii)}, F {reach(self.fisher)}, "
            f"K {reach(self.divergence)}, floors {self.fisher_floor:.1g} and {self.divergence_floor:.1g}{lost})"
        )

    def latex(self) -> str:
        return along("F", self.radii, self.fisher)

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        kinks = {"kinks": self.kinks} if self.kinks else {}
        return {"radius": self.radii, "fisher": self.fisher, "divergence": self.divergence, **kinks}

    def _repr_html_(self) -> str:
        rows = [
            [f"{t:.6g}", f"{f:.6g}", f"{k:.6g}"]
            for t, f, k in zip(self.radii, self.fisher, self.divergence, strict=True)
        ]
        return html_table(repr(self), ["t", "F", "K"], rows)

    def local_slopes(self) -> tuple[tuple[float, float], ...]:
        """(t, d log F/d log t) between neighbouring radii, t their geometric mean; NaN where F = 0."""
        return local_slopes(self.radii, self.fisher)


def local_slopes(radii: Sequence[float], values: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Log–log slopes between neighbours, each at the geometric mean of its two radii."""
    slopes: list[tuple[float, float]] = []
    for i in range(len(radii) - 1):
        positive = values[i] > 0 and values[i + 1] > 0
        rise = math.log(values[i]) - math.log(values[i + 1]) if positive else math.nan
        slopes.append((math.sqrt(radii[i] * radii[i + 1]), rise / math.log(radii[i] / radii[i + 1])))
    return tuple(slopes)


def chosen_radii(radii: Sequence[float] | None) -> tuple[float, ...]:
    """Radii from large to small; the default ones for None.

    Raises:
        InvalidValueError: they are no radii.
    """
    if radii is None:
        return DEFAULT_RADII
    given = all_real("radius", radii)
    return tuple(given[i] for i in descending(given))


def all_real(name: str, values: Sequence[float]) -> tuple[float, ...]:
    """A sequence of real numbers as Python ones."""
    return tuple(real_number(f"The {name}", value) for value in entries(f"the {name}", values))


def descending(radii: Sequence[float]) -> list[int]:
    """The order from large to small; an error when these are no radii."""
    if not radii:
        raise InvalidValueError("There are no radii. Give distances from the true parameter, or leave them out.")
    for radius in radii:
        if not (math.isfinite(radius) and radius > 0):
            raise InvalidValueError(f"The radius {radius!r} is not a positive finite distance along the path.")
    if len(set(radii)) != len(radii):
        raise InvalidValueError("The radii repeat. A slope needs distinct distances.")
    return sorted(range(len(radii)), key=lambda i: -radii[i])


def measured(name: str, values: Sequence[float], order: Sequence[int]) -> tuple[float, ...]:
    """Values in the order of descending radii; an error when they are no squares and no divergence."""
    found = all_real(name, values)
    if len(found) != len(order):
        raise InvalidValueError(f"There are {len(order)} radii but {len(found)} values of the {name}.")
    for value in found:
        if not (math.isfinite(value) and value >= 0):
            raise InvalidValueError(f"The {name} has the value {value!r}; it must be finite and not negative.")
    return tuple(found[i] for i in order)


def square(name: str, value: float) -> float:
    value = real_number(name, value)
    if not (math.isfinite(value) and value >= 0):
        raise InvalidValueError(f"{name} = {value!r} must be finite and not negative.")
    return value
