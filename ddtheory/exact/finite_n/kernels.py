r"""What is integrated over a piece: e^{−Φ} with Φ = tK + γR, or its integral along rays or lines.

Where K(r^{α_1} p_1, …) = r^D K(p) (`rays`), the integral along the ray through p is, with A = Σ α_i (1 + h_i),

  G(s) = ∫_0^1 r^{A−1} e^{−s r^D} dr = (Γ(a)/D) γ*(a, s),  a = A/D,  s = tK(p),

γ* the entire incomplete gamma function (DLMF § 8.2), and by parts ∫_0^1 r^{A−1} s r^D e^{−s r^D} dr = aG(s) − e^{−s}/D.
Since |e^{−s r^D}| = e^{−r^D Re s}, |G(s)| ≤ G(Re s), which decreases.

Where K = c(ax + b)² + L with a, b and L free of x (`lines`), and with v = √(tc)(ax + b) at the ends of x in [l, u],

  ∫_l^u e^{−tK} dx = e^{−tL} [√π erf v/(2√(tc) a)]_l^u,
  ∫_l^u tK e^{−tK} dx = e^{−tL} [((1/2 + tL) √π erf v − v e^{−v²})/(2√(tc) a)]_l^u.

e^{v²} erfc v = (2/√π) ∫_0^∞ e^{−s² − 2vs} ds, so |erfc v| ≤ e^{−Re v²} where Re v ≥ 0, and |erf v| ≤ 1 + e^{−Re v²}
everywhere. Also |∫| ≤ (u − l) sup |e^{−tK}|, and on [l, u] the values of ax + b are between those at the ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

from flint import arb

from ddtheory.exact.finite_n.discs import Disc
from ddtheory.exact.finite_n.squares import Term
from ddtheory.exact.numbers.enclosing import ball

_NO_SLOPE = 2.0**-36  # of v over its line, below which it is a constant


class Nodes(NamedTuple):
    """tK and γR at the nodes of a piece, and the bases there; K without what a line takes."""

    scaled: Sequence[arb]
    rest: Sequence[arb]
    bases: Sequence[Sequence[arb]]


class Kernel(Protocol):
    """The two integrands of a piece, but for the prior."""

    @property
    def edges(self) -> tuple[Term, ...]:
        """Squares along whose zeros it is worth to cut, besides those of K."""

    @property
    def guard(self) -> int:
        """Bits that it loses."""

    def log_bound(self, low: float, size: float, discs: Sequence[Disc], t: float) -> float:
        """A bound of the logarithm of both, where Re Φ ≥ low, |tK| ≤ size and the bases are in these discs."""

    def values(self, nodes: Nodes, level: arb, t: arb) -> tuple[list[arb], list[arb]]:
        """Both times e^{level}."""


@dataclass(frozen=True)
class Exponential:
    """e^{−Φ} and tK e^{−Φ}."""

    edges: tuple[Term, ...] = ()
    guard: int = 0

    def log_bound(self, low: float, size: float, discs: Sequence[Disc], t: float) -> float:
        return math.log(max(size, 1.0)) - low

    def values(self, nodes: Nodes, level: arb, t: arb) -> tuple[list[arb], list[arb]]:
        density = [(level - s - r).exp() for s, r in zip(nodes.scaled, nodes.rest, strict=True)]
        return density, [value * s for value, s in zip(density, nodes.scaled, strict=True)]


EXPONENTIAL = Exponential()


@dataclass(frozen=True)
class AlongRays:
    """G(tK) and tK's share of it; without a Gaussian.

    Attributes:
        exponent: A.
        degree: D.
    """

    exponent: Fraction
    degree: int
    edges: tuple[Term, ...] = ()
    guard: int = 0

    def log_bound(self, low: float, size: float, discs: Sequence[Disc], t: float) -> float:
        a, degree = float(self.exponent / self.degree), float(self.degree)
        log = -math.log(a * degree)
        if low > 0:
            log = min(log, math.lgamma(a) - a * math.log(low) - math.log(degree))
        else:
            log -= low
        largest = max(log, -low - math.log(degree))
        parts = a * math.exp(log - largest) + math.exp(-low - math.log(degree) - largest)
        return max(log, largest + math.log(parts))

    def values(self, nodes: Nodes, level: arb, t: arb) -> tuple[list[arb], list[arb]]:
        order = ball(self.exponent / self.degree)
        factor, share = level.exp() * order.gamma() / self.degree, level.exp() / self.degree
        density = [factor * s.gamma_lower(order, regularized=2) for s in nodes.scaled]
        return density, [order * value - share * (-s).exp() for value, s in zip(density, nodes.scaled, strict=True)]


@dataclass(frozen=True)
class AlongLines:
    """Both integrals over x, with tL in the place of tK; without a Gaussian.

    Attributes:
        scale: c.
        length: u − l.
        slope, low, high: indices of the bases a, al + b and au + b.
    """

    scale: Fraction
    length: Fraction
    slope: int
    low: int
    high: int
    guard: int = 40

    @property
    def edges(self) -> tuple[Term, ...]:
        return tuple(Term(self.scale, ((index, 2),), True) for index in (self.low, self.high, self.slope))

    def log_bound(self, low: float, size: float, discs: Sequence[Disc], t: float) -> float:
        ends = [discs[self.low], discs[self.high]]
        tau = t * float(self.scale)
        side = max(imaginary for _, _, imaginary in ends)
        gaps = [max(abs(centre) - radius, 0.0) for centre, radius, _ in ends]
        largest = max(abs(centre) + radius for centre, radius, _ in ends)
        one_side = ends[0][0] * ends[1][0] > 0 and min(gaps) > 0
        least = tau * ((min(gaps) if one_side else 0.0) ** 2 - side**2)
        if least < -600:
            return math.inf
        whole = float(self.length) * math.exp(-least)
        mass, moment = whole, whole * tau * largest**2
        centre, radius, _ = discs[self.slope]
        if abs(centre) > radius:
            factor = 1 / (2 * math.sqrt(tau) * (abs(centre) - radius))
            falls = [math.exp(tau * (side**2 - gap**2)) for gap in gaps]
            edge = math.sqrt(tau) * largest * sum(falls) * factor
            mass = min(mass, math.sqrt(math.pi) * factor * (sum(falls) + (0 if one_side else 2)))
            moment = min(moment, mass / 2 + edge)
        return math.log(max(moment + size * mass, mass, 1e-300)) - low

    def values(self, nodes: Nodes, level: arb, t: arb) -> tuple[list[arb], list[arb]]:
        root, length = (t * ball(self.scale)).sqrt(), ball(self.length)
        slopes, lows, highs = (nodes.bases[index] for index in (self.slope, self.low, self.high))
        density, moments = [], []
        for s, a, first, last in zip(nodes.scaled, slopes, lows, highs, strict=True):
            mass, moment = _on_a_line(root * a, root * first, root * last, length)
            factor = (level - s).exp()
            density.append(factor * mass)
            moments.append(factor * (moment + s * mass))
        return density, moments


def _on_a_line(slope: arb, first: arb, last: arb, length: arb) -> tuple[arb, arb]:
    """∫ e^{−v²} dx and ∫ v² e^{−v²} dx, v linear in x with this slope from first to last."""
    if abs(slope * length).upper() < _NO_SLOPE:
        v = first.union(last)
        mass = length * (-v * v).exp()
        return mass, v * v * mass
    if first < 0 and last < 0:
        slope, first, last = -slope, -first, -last
    between = first.erfc() - last.erfc() if first > 0 and last > 0 else last.erf() - first.erf()
    mass = arb.pi().sqrt() * between / (2 * slope)
    return mass, mass / 2 - (last * (-last * last).exp() - first * (-first * first).exp()) / (2 * slope)
