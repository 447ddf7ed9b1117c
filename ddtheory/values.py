"""The values that cross public boundaries: frozen, standard library only, and honest about their guarantee.

Exact values are `Fraction` or a sympy expression. Measured values come with an interval. A bare float
never crosses a public boundary as a result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import total_ordering
from typing import TYPE_CHECKING, Any, TypeAlias

from ddtheory.arguments import MOST_DIGITS, MOST_PRINTED, as_float, as_fraction, as_integer, is_long, read_fraction
from ddtheory.digits import all_digits, decimal_places, exponent, power_of_ten, scientific, written
from ddtheory.errors import InvalidValueError, shown
from ddtheory.shown import Shown, decimal, shortened

if TYPE_CHECKING:
    from sympy import Expr

Exact: TypeAlias = "int | Fraction | Expr"


_MIDPOINT_ZEROS, _RADIUS_ZEROS = 20, 3  # that a decimal may start with before it is printed in scientific notation

UNVERIFIED = "† The place was not compared with the text of the work."
"""What the dagger behind a citation means; whoever prints citations prints this once below them."""


@dataclass(frozen=True)
class Citation:
    """Where a fact comes from: a work and the place in it, a numbered statement if there is one.

    The works that this package rests on stand in `ddtheory.references` and are cited by `references.cite`; a book of
    your own may cite any other paper in words.

    Attributes:
        paper: how the work is called in running text.
        label: the place: label or number of the statement.
        link: "doi:…", "arXiv:…", or an address.
        key: the work in `references.WORKS`; empty for a paper that is not there.
        verified: the place was compared with the text of the work, its contents, or a quotation of it. Without that
            the citation is printed with a dagger.

    Raises:
        InvalidValueError: a part that is no text.

    >>> str(Citation("Watanabe 2009", "Theorem 6.7")), str(Citation("Lin 2011", "Proposition 4.5", verified=False))
    ('Watanabe 2009, Theorem 6.7', 'Lin 2011, Proposition 4.5 †')
    """

    paper: str
    label: str = ""
    link: str = ""
    key: str = ""
    verified: bool = True

    def __post_init__(self) -> None:
        for name in ("paper", "label", "link", "key"):
            if not isinstance(getattr(self, name), str):
                raise InvalidValueError(f"The {name} of a citation is {shown(getattr(self, name))}; give text.")
        if not isinstance(self.verified, bool):
            raise InvalidValueError(f"verified is {shown(self.verified)}; say True or False.")

    def __str__(self) -> str:
        return (f"{self.paper}, {self.label}" if self.label else self.paper) + ("" if self.verified else " †")


@total_ordering
@dataclass(frozen=True)
class RLCT(Shown):
    """Real log canonical threshold of K and its multiplicity, the pair (λ, m).

    With prior density φ, the zeta function ∫ K^z φ has its largest pole at z = −λ, of order m;
    equivalently ∫ e^{−nK} φ ≍ n^{−λ} (log n)^{m−1} (Watanabe 2009, Theorem 6.7).

    The order is that of dominance: `a < b` when a governs an integral that has both, that is
    smaller λ, and at equal λ larger m.

    Raises:
        InvalidValueError: λ is not a positive rational, or m is not a positive integer.

    >>> RLCT(Fraction(1, 2), 2) < RLCT(Fraction(1, 2), 1) < RLCT(Fraction(3, 4), 1)
    True
    """

    lam: Fraction
    m: int = 1

    def __post_init__(self) -> None:
        lam, m = as_fraction(self.lam), as_integer(self.m)
        if lam is None:
            kind = "a float" if isinstance(self.lam, float) else f"of type {type(self.lam).__name__}"
            raise InvalidValueError(f"λ is {kind}. Exact values are given as Fraction or int.")
        object.__setattr__(self, "lam", lam)
        if self.lam <= 0:
            raise InvalidValueError(f"λ = {shown(lam)} is not positive; a singular point of a zero set has λ > 0.")
        if m is None or m < 1:
            raise InvalidValueError(f"The multiplicity m = {shown(self.m)} is not a positive integer.")
        if is_long(lam, MOST_PRINTED) or is_long(Fraction(m), MOST_PRINTED):
            raise InvalidValueError(f"λ = {shown(lam)} or m = {shown(m)} has more digits than Python prints.")
        object.__setattr__(self, "m", m)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, RLCT):
            return NotImplemented
        return (self.lam, -self.m) < (other.lam, -other.m)

    def latex(self) -> str:
        return rf"(\lambda, m) = \left({_fraction(self.lam)}, {self.m}\right)"


def _fraction(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else rf"\tfrac{{{value.numerator}}}{{{value.denominator}}}"


class Kind(StrEnum):
    """What K does along a direction."""

    REGULAR = "regular"  # order 1
    DEAD = "dead"  # order 2 or more
    FLAT = "flat"  # K vanishes identically: a gauge direction or the zero set itself; it has no order
    EITHER = "regular or dead"  # a symbolic order that the declared parameters allow to be 1


@dataclass(frozen=True, repr=False)
class Arc(Shown):
    """The best arc found among those tangent to a direction, and how far that is proven.

    Attributes:
        order: half the order of K along the arc in the arc length t, or None when K vanishes on it.
        path: coordinate name → expression in t (exact, possibly truncated after the terms that matter).
        proven: True when no tangent arc has a larger order; False when `order` is only a lower bound.
        reason: why the search stopped there.
    """

    order: Exact | None
    path: Mapping[str, Expr] = field(default_factory=dict[str, "Expr"])
    proven: bool = True
    reason: str = ""

    def __str__(self) -> str:
        path = ", ".join(f"{name} = {value}" for name, value in self.path.items())
        order = "K vanishes on it" if self.order is None else f"order {'' if self.proven else '≥ '}{self.order}"
        return f"{order}: {path}"

    def latex(self) -> str:
        from sympy import Symbol, latex

        sign = "=" if self.proven else r"\ge"
        order = r"K \equiv 0" if self.order is None else f"k^* {sign} {latex(self.order)}"
        path = (rf",\ {latex(Symbol(str(name)))} = {latex(value)}" for name, value in self.path.items())
        return order + "".join(path)

    def rows(self) -> Mapping[str, str]:
        return {str(name): str(value) for name, value in self.path.items()} | {"because": f"{self}; {self.reason}"}


@dataclass(frozen=True, repr=False)
class KLOrder(Shown):
    r"""Order of the divergence along a direction: K(θ0 + t u) = c t^{2k} + o(t^{2k}), ‖u‖ = 1, c > 0.

    Attributes:
        kind: regular (k = 1), dead (k ≥ 2) or flat (K ≡ 0 on the ray).
        k: the order, an int or an expression in symbolic parameters; None when flat.
        leading: the coefficient c in nats, exact; None when flat.
        arc: the arc order k*(u) = sup over arcs tangent to u, None when it was not asked for.
        proof: one sentence that says why the answer holds.
    """

    kind: Kind
    k: Exact | None
    leading: Expr | None
    arc: Arc | None
    proof: str

    @property
    def rate(self) -> Exact | None:
        """The decay rate 2(k − 1) of the directional Fisher, None when flat."""
        return None if self.k is None else 2 * (self.k - 1)

    @property
    def fisher_leading(self) -> Expr | None:
        """The coefficient 2k²c of F(t) = 2k²c t^{2(k−1)} + …, None when flat."""
        return None if self.k is None or self.leading is None else 2 * self.k**2 * self.leading

    @property
    def arc_k(self) -> Exact | None:
        """The arc order, None when K vanishes on a tangent arc or when no arc order was asked for."""
        return None if self.arc is None else self.arc.order

    def __str__(self) -> str:
        if self.k is None:
            return self.kind.value
        arc = "" if self.arc is None else f", arc {shortened(str(self.arc), 60)}"
        return f"{self.kind.value}, k = {self.k}, leading {shortened(str(self.leading), 40)}{arc}"

    def latex(self) -> str:
        if self.k is None:
            return r"K(\theta_0 + t u) \equiv 0"
        from sympy import latex

        power = f"t^{{{latex(2 * self.k)}}}"
        return rf"K(\theta_0 + t u) = {latex(self.leading)}\,{power} + o\left({power}\right)"

    def rows(self) -> Mapping[str, str]:
        found = {"K(θ0 + t u)": self._repr_latex_(), "kind": self.kind.value}
        if self.k is not None:
            found |= {"k": str(self.k), "rate of the Fisher": str(self.rate)}
        if self.arc is not None:
            found |= {"best arc": str(self.arc)}
        return found | {"proof": self.proof}

    def summary(self) -> dict[str, Any]:
        """The answer as plain data: k, kind, rate, arc_k, leading, proof, arc.

        Whole orders are numbers, other orders and the leading coefficient are strings; null when flat or not asked for.
        """
        return {
            "k": _order(self.k),
            "kind": self.kind.value,
            "rate": _order(self.rate),
            "arc_k": _order(self.arc_k),
            "leading": None if self.leading is None else str(self.leading),
            "proof": self.proof,
            "arc": None
            if self.arc is None
            else {
                "order": _order(self.arc.order),
                "path": {str(name): str(value) for name, value in self.arc.path.items()},
                "proven": self.arc.proven,
                "reason": self.arc.reason,
            },
        }


def _order(value: Exact | None) -> int | str | None:
    if value is None:
        return None
    text = str(value)  # the same for an int and for a sympy Integer
    return int(text) if text.isdecimal() else text


@dataclass(frozen=True)
class Interval(Shown):
    """A measured number: an estimate and the interval that the measurement supports.

    >>> Interval(1.0, 0.9, 1.2).contains(1.1), round(Interval(1.0, 0.9, 1.2).width, 12)
    (True, 0.3)
    """

    estimate: float
    lower: float
    upper: float

    def __post_init__(self) -> None:
        for name in ("estimate", "lower", "upper"):
            object.__setattr__(self, name, as_float(getattr(self, name), f"The {name} of an interval"))
        if math.isnan(self.estimate) or not self.lower <= self.estimate <= self.upper:
            raise InvalidValueError(
                f"An interval needs lower ≤ estimate ≤ upper, got {self.lower}, {self.estimate}, {self.upper}."
            )

    @property
    def width(self) -> float:
        return self.upper - self.lower

    def contains(self, value: float) -> bool:
        return self.lower <= value <= self.upper

    def overlaps(self, other: Interval) -> bool:
        return self.lower <= other.upper and other.lower <= self.upper

    def latex(self) -> str:
        return rf"{decimal(self.estimate)} \in [{decimal(self.lower)}, {decimal(self.upper)}]"

    @classmethod
    def around(cls, estimate: float, radius: float) -> Interval:
        return cls(estimate, estimate - radius, estimate + radius)


@dataclass(frozen=True, repr=False)
class Enclosure(Shown):
    """A real number known by proof to lie in [midpoint − radius, midpoint + radius]; both ends are exact rationals.

    Sums, differences and products of enclosures are enclosures. Two of them are compared by their ends:
    `a.upper < b.lower` proves a < b.

    Raises:
        InvalidValueError: the midpoint or the radius is a float or no number, or the radius is negative.

    >>> third = Enclosure("0.3333", "1e-4")
    >>> third.contains(Fraction(1, 3)), third.overlaps(Enclosure("0.33", "0.01")), third.digits
    (True, True, 3)
    >>> print(third * 3)
    0.99990 ± 3.0e-4
    """

    midpoint: Fraction
    radius: Fraction

    def __init__(self, midpoint: Fraction | int | str, radius: Fraction | int | str = 0) -> None:
        if isinstance(midpoint, float) or isinstance(radius, float):
            raise InvalidValueError(
                "An enclosure is exact, and a float is rounded. Give the midpoint and the radius as Fraction, int or "
                'decimal text, as in Enclosure("0.5", "1e-30").'
            )
        for name, value in (("midpoint", midpoint), ("radius", radius)):
            number = read_fraction(str.__str__(value)) if isinstance(value, str) else as_fraction(value)
            if number is None or is_long(number, MOST_DIGITS):
                what = shown(value) if isinstance(value, str) else f"of type {type(value).__name__}"
                raise InvalidValueError(
                    f"An enclosure needs two rational numbers of at most {MOST_DIGITS} digits; the {name} is {what}."
                )
            object.__setattr__(self, name, number)
        if self.radius < 0:
            raise InvalidValueError(f"The radius {shown(self.radius)} of an enclosure is negative.")

    @property
    def lower(self) -> Fraction:
        return self.midpoint - self.radius

    @property
    def upper(self) -> Fraction:
        return self.midpoint + self.radius

    @property
    def digits(self) -> int | None:
        """The proven significant digits: the largest D with radius ≤ 10^{−D} |midpoint|; None when exact."""
        if self.radius == 0:
            return None
        ratio = abs(self.midpoint) / self.radius
        found = len(all_digits(ratio.numerator // ratio.denominator)) - 1
        return max(found, 0)

    def contains(self, value: Fraction | int | float | Enclosure) -> bool:
        """Whether a number, or all of another enclosure, lies inside. A float counts as the dyadic that it is."""
        if isinstance(value, Enclosure):
            return self.lower <= value.lower and value.upper <= self.upper
        return self.lower <= Fraction(value) <= self.upper

    def overlaps(self, other: Enclosure) -> bool:
        """Whether the two can be the same number."""
        return self.lower <= other.upper and other.lower <= self.upper

    def decimals(self) -> tuple[str, str]:
        """Midpoint and radius as decimal text, rounded outwards: the interval they denote contains this one."""
        if self.radius == 0:
            places = decimal_places(self.midpoint)
            if places is not None:
                return written(self.midpoint, places), "0"
            radius = abs(self.midpoint) / 10**30  # a fraction such as 1/3 has no last decimal
        else:
            radius = self.radius
        places = max(1 - exponent(radius), 0)  # two digits of the radius are shown
        rounded = Fraction(round(self.midpoint * 10**places), 10**places)
        error = self.radius + abs(rounded - self.midpoint)
        return written(rounded, places), written(Fraction(math.ceil(error * 10**places), 10**places), places)

    def summary(self) -> dict[str, str]:
        """The answer as plain data: value and radius, the two texts of `decimals`."""
        value, radius = self.decimals()
        return {"value": value, "radius": radius}

    def __float__(self) -> float:
        return float(self.midpoint)

    def __neg__(self) -> Enclosure:
        return Enclosure(-self.midpoint, self.radius)

    def __add__(self, other: Enclosure | Fraction | int) -> Enclosure:
        right = _enclosed(other)
        return Enclosure(self.midpoint + right.midpoint, self.radius + right.radius)

    def __sub__(self, other: Enclosure | Fraction | int) -> Enclosure:
        return self + (-_enclosed(other))

    def __mul__(self, other: Enclosure | Fraction | int) -> Enclosure:
        right = _enclosed(other)
        radius = abs(self.midpoint) * right.radius + (abs(right.midpoint) + right.radius) * self.radius
        return Enclosure(self.midpoint * right.midpoint, radius)

    __radd__ = __add__
    __rmul__ = __mul__

    def __str__(self) -> str:
        return " ± ".join(self._parts())

    def latex(self) -> str:
        return r" \pm ".join(map(power_of_ten, self._parts()))

    def _parts(self) -> list[str]:
        """The midpoint and, unless it is 0, the radius, as they are printed."""
        midpoint, radius = self.decimals()
        shown = [scientific(midpoint, _MIDPOINT_ZEROS), scientific(radius, _RADIUS_ZEROS)]
        return shown[:1] if radius == "0" else shown


def _enclosed(value: Enclosure | Fraction | int) -> Enclosure:
    return value if isinstance(value, Enclosure) else Enclosure(value)


class ReadingStatus(StrEnum):
    """What a measurement of an order can honestly say. The value is the message."""

    ORDER = "order"
    FLAT = "flat"
    PRE_ASYMPTOTIC = "no order in this window"
    BELOW_FLOOR = "below the float64 floor"
    DISAGREE = "readings disagree"


@dataclass(frozen=True, repr=False)
class OrderReading(Shown):
    """A measured KL order, or the reason why there is none.

    Attributes:
        status: one of five; only ORDER carries a k.
        k: the order, when the combined interval contains one admissible value and no rival.
        interval: the union of the readings, in units of k; None when there is nothing to read.
        readings: each reading by name ("slope", "ratio", "taylor") in units of k.
        window: smallest and largest radius used.
        why: why this window, and what decided the status.
        rivals_excluded: the other orders (whole and half) that lie outside the interval.
        advice: what to try next, empty when there is an order.
    """

    status: ReadingStatus
    k: int | None
    interval: Interval | None
    readings: Mapping[str, Interval]
    window: tuple[float, float] | None
    why: str
    rivals_excluded: tuple[Fraction, ...] = ()
    advice: str = ""

    @property
    def kind(self) -> Kind | None:
        """Regular, dead or flat; None when nothing was decided."""
        if self.status is ReadingStatus.FLAT:
            return Kind.FLAT
        if self.k is None:
            return None
        return Kind.REGULAR if self.k == 1 else Kind.DEAD

    def __str__(self) -> str:
        if self.status is ReadingStatus.ORDER and self.interval is not None:
            return f"k = {self.k} in [{self.interval.lower:.4f}, {self.interval.upper:.4f}]"
        return f"{self.status.value}: {self.why}"

    def latex(self) -> str:
        if self.status is ReadingStatus.ORDER and self.interval is not None:
            return rf"k = {self.k},\quad \hat k \in [{self.interval.lower:.4f}, {self.interval.upper:.4f}]"
        return rf"\text{{{self.status.value}}}"

    def rows(self) -> Mapping[str, str]:
        readings = {
            name: f"{found.estimate:.4f} in [{found.lower:.4f}, {found.upper:.4f}]"
            for name, found in self.readings.items()
        }
        rivals = ", ".join(map(str, self.rivals_excluded))
        found = {"order": str(self), **readings, "excluded": rivals, "why": self.why, "try": self.advice}
        return {name: text for name, text in found.items() if text}


class Verdict(StrEnum):
    """What the witnesses say of a claim."""

    CONFIRMED = "confirmed"
    NARROWER = "narrower"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    NOT_CHECKED = "not checked"


def as_json(value: Any) -> Any:
    """Exact values as strings that read back exactly ("1/2", "2*k"), everything else as JSON has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    return str(value)
