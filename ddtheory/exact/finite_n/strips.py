r"""Z and t ∫ K e^{−tK} φ of polynomial posteriors with a proven error: the piece that weighs most is looked at first.

For each piece (`charts`) the integrand is bounded on Bernstein ellipses (`discs`). If |f| ≤ M in E_ρ, the
Gauss–Legendre rule with N ≥ 2 nodes errs by at most (64/15) M ρ^{−2N}/(1 − ρ^{−2}) (Trefethen 2008), and the product
rule by the sum of that over the axes, each with M over the ellipse in its variable and the real cube in the others,
times 2^{d−1}. A piece whose error is below its share is evaluated in balls; another is cut along a curve of zeros
(`valleys`) or halved. What remains when the pieces left weigh too little to matter is added to the error.

The number of pieces grows like a power of log t: along a valley the pieces are as long as the valley is straight in the
coordinates of the piece, across it and towards singular points they shrink geometrically.

Many integrals at once: Φ = tK + γR at several (t, γ). Pieces, their bounds at t = γ = 1 and the values of K and R at
the nodes are the same for all; a piece is cut only for those integrals that need it cut, in the bands of the smallest
t among them, because the valley at a larger t lies inside.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from operator import add, mul
from typing import NoReturn

from flint import arb, fmpq

from ddtheory.errors import NotADivergenceError, UndecidedError
from ddtheory.exact.finite_n.charts import Chart, Floats, floats
from ddtheory.exact.finite_n.discs import RHOS, Bounds, Disc, Margins, bounds, margins
from ddtheory.exact.finite_n.kernels import EXPONENTIAL, Kernel, Nodes
from ddtheory.exact.finite_n.legendre import grid, raised, weights_of
from ddtheory.exact.finite_n.squares import Term, fraction
from ddtheory.exact.finite_n.valleys import Valleys
from ddtheory.exact.numbers.enclosing import ball, working

MOST_PIECES = 400_000
_NODES = (4, 6, 8, 10, 12, 15, 18, 22, 26)
_FALLS = [math.log(rho) for rho in RHOS]
_SHARE = 1e-3  # of the error that one piece may have
_LIGHT = 1e-3  # of the error: the weight of a piece that is not worth a look
_MOST_CUTS = 12


@dataclass(frozen=True)
class Exponent:
    """Φ at t = γ = 1, and the factors of the prior, in terms of the bases of a chart.

    Attributes:
        terms: what K and R are made of.
        weights: (index of the base, exponent) of the prior ∏ base^exponent, each base ≥ 0 on the domain.
    """

    terms: tuple[Term, ...]
    weights: tuple[tuple[int, int], ...]


@dataclass
class Integral:
    """(∫ e^{−(Φ − level)} φ, ∫ tK e^{−(Φ − level)} φ) at one (t, γ), as far as they are known.

    Attributes:
        level: about the least value of Φ.
        least: about the least value of Z e^{level} that counts.
        error: of the pieces that were evaluated.
        left: a bound of the pieces that were not, and will not be.
        settled: whether all that is left weighs too little to be looked at.
    """

    t: Fraction
    gamma: Fraction
    level: float
    least: float
    evidence: arb = field(default_factory=lambda: arb(0))
    moment: arb = field(default_factory=lambda: arb(0))
    error: float = 0.0
    left: float = 0.0
    settled: bool = False
    done: list[tuple[float, Chart, arb, arb]] = field(default_factory=list["tuple[float, Chart, arb, arb]"])

    def __post_init__(self) -> None:
        self.sizes = float(self.t), float(self.gamma)

    def wanted(self, digits: int) -> float:
        """The error that may be made."""
        size = min(float(self.evidence), float(self.moment)) if self.done else 0.0
        return max(size, self.least) * 10.0**-digits / 30


@dataclass(order=True)
class Piece:
    """A chart with bounds of what the integrals have there, by their index."""

    order: float
    serial: int
    chart: Chart = field(compare=False)
    terms: list[Floats] = field(compare=False)
    margins: list[Margins] = field(compare=False)
    widths: Floats = field(compare=False)
    sizes: dict[int, float] = field(compare=False)


class Strips:
    """All integrals over the pieces."""

    def __init__(
        self,
        exponent: Exponent,
        charts: Sequence[Chart],
        digits: int,
        integrals: Sequence[Integral],
        kernel: Kernel = EXPONENTIAL,
    ) -> None:
        self.exponent, self.digits, self.integrals = exponent, digits, list(integrals)
        self.kernel = kernel
        self.dimension = len(charts[0].jacobian.context().gens())
        self.squares = all(term.square for term in exponent.terms if term.divergence)
        self.precision = 64 + max(math.ceil(3.4 * digits) - 20, 0) + self.kernel.guard
        self.pieces = 0
        self.waiting: list[Piece] = []
        self._serial = itertools.count()
        for chart in charts:
            self._wait(chart, range(len(self.integrals)))

    def integrate(self, go_on: Callable[[], None]) -> None:
        """Until the error is below 10^{−digits}/30 of both integrals of every pair."""
        share = _SHARE
        for _ in range(4):
            self._settle(share, go_on)
            rough = [one for one in self.integrals if one.error + one.left > one.wanted(self.digits)]
            if not rough:
                return
            share /= 30
            for one in rough:
                self._reopen(one)
        raise UndecidedError(f"{self.digits} digits could not be proven. Ask for fewer.")

    def totals(self, index: int) -> tuple[arb, arb]:
        """Both integrals; what is still open only adds to them where K is a sum of squares."""
        one = self.integrals[index]
        rest = one.left + math.fsum(piece.sizes[index] for piece in self.waiting if index in piece.sizes)
        with working(self.precision):
            slack = arb(0, one.error * (1 + 1e-9))
            half = rest * (1 + 1e-9) / 2
            open_part = arb(half, half) if self.squares else arb(0, 2 * half)
            return one.evidence + slack + open_part, one.moment + slack + open_part

    def _settle(self, share: float, go_on: Callable[[], None]) -> None:
        waits, count = 0, 0
        while self.waiting:
            if count >= waits:  # now and then: the sums are over all pieces
                self._retire()
                waits, count = 1 + len(self.waiting) // 8, 0
            count += 1
            go_on()
            if not self.waiting:
                break
            piece = heapq.heappop(self.waiting)
            active = self._active(piece)
            if not active:
                continue
            chosen = self._orders(piece, {i: self.integrals[i].wanted(self.digits) * share for i in active})
            ready = {i: found for i, found in chosen.items() if not isinstance(found, int)}
            if ready:
                self._evaluate(piece, ready)
            if coarse := [i for i in active if i not in ready]:
                self._refuse_negative_centre(piece)
                first = min(coarse, key=lambda i: self.integrals[i].t)
                axis = chosen[first]
                assert isinstance(axis, int)
                for chart in self._cut(piece, axis, self.integrals[first].sizes[0]):
                    self._wait(chart, coarse)
            if self.pieces + len(self.waiting) > MOST_PIECES:
                raise UndecidedError(
                    f"The domain needs more than {MOST_PIECES} pieces. Ask for fewer digits, a smaller box, or a "
                    "smaller nβ."
                )
        for one in self.integrals:
            one.settled = True

    def _active(self, piece: Piece) -> list[int]:
        """The integrals for which the piece is worth a look; what the others have there is left open."""
        found = []
        for index, size in piece.sizes.items():
            one = self.integrals[index]
            wanted = one.wanted(self.digits)
            if one.settled or (size <= _LIGHT * wanted and one.left + size <= wanted / 8):
                one.left += size
            else:
                found.append(index)
        return found

    def _retire(self) -> None:
        """Ends the integrals whose open part is below a quarter of their error."""
        for index, one in enumerate(self.integrals):
            if not one.settled:
                rest = math.fsum(piece.sizes[index] for piece in self.waiting if index in piece.sizes)
                one.settled = (one.left + rest) * (1 + 1e-9) <= one.wanted(self.digits) / 4
        if all(one.settled for one in self.integrals):
            for piece in self.waiting:
                for index, size in piece.sizes.items():
                    self.integrals[index].left += size
            self.waiting = []

    def _reopen(self, one: Integral) -> None:
        allowed = one.wanted(self.digits) / (4 * len(one.done) + 1)
        again = [item for item in one.done if item[0] > allowed]
        one.done = kept = [item for item in one.done if item[0] <= allowed]
        with working(self.precision):
            one.evidence = sum((item[2] for item in kept), arb(0))
            one.moment = sum((item[3] for item in kept), arb(0))
        one.error = math.fsum(item[0] for item in kept) * (1 + 1e-9)
        one.settled = False
        for _, chart, _, _ in again:
            self._wait(chart, [self.integrals.index(one)])

    def _wait(self, chart: Chart, indices: Iterable[int]) -> None:
        terms = [floats(base) for base in chart.bases]
        found = [margins(one, self.dimension) for one in terms]
        widths = floats(chart.jacobian)
        log = self._logs([one.real for one in found], sum(map(abs, widths.values())))
        sizes, order = {}, 0.0
        for index in indices:
            one = self.integrals[index]
            weight = log(one)
            size = math.exp(weight + self.dimension * math.log(2)) if weight < 600 else math.inf
            sizes[index] = size
            order = max(order, size / one.wanted(self.digits))
        heapq.heappush(self.waiting, Piece(-order, next(self._serial), chart, terms, found, widths, sizes))

    def _logs(self, found: Sequence[Disc], factor: float) -> Callable[[Integral], float]:
        """A bound of the logarithm of both integrands where the bases are in these discs."""
        try:
            within: Bounds | None = bounds(self.exponent.terms, found)
            for base, power in self.exponent.weights:
                factor *= (abs(found[base][0]) + found[base][1]) ** power
        except OverflowError:
            within = None
        log_factor = math.log(max(factor, 1e-300))

        def log(one: Integral) -> float:
            if within is None:
                return math.inf
            low, divergence = within.at(*one.sizes)
            value = log_factor + self.kernel.log_bound(low, divergence, found, one.sizes[0]) + one.level + 1e-6
            return value if value == value else math.inf

        return log

    def _errors(self, piece: Piece, axis: int) -> list[Callable[[Integral], float]]:
        """For each ellipse the logarithm of the error but for the factor ρ^{−2N}."""
        logs = []
        for index, rho in enumerate(RHOS):
            reach = (rho + 1 / rho) / 2
            factor = sum(abs(value) * reach ** powers[axis] for powers, value in piece.widths.items())
            factor *= 64 / 15 * 2 ** (self.dimension - 1) / (1 - rho**-2)
            logs.append(self._logs([one.disc(axis, index) for one in piece.margins], factor))
        return logs

    def _orders(self, piece: Piece, allowed: dict[int, float]) -> dict[int, tuple[list[int], float] | int]:
        """By integral: nodes for each axis and the error, or the axis along which no rule is good enough."""
        errors = [self._errors(piece, axis) for axis in range(self.dimension)]
        return {index: self._order(errors, self.integrals[index], limit) for index, limit in allowed.items()}

    def _order(
        self, errors: Sequence[Sequence[Callable[[Integral], float]]], one: Integral, allowed: float
    ) -> tuple[list[int], float] | int:
        wanted = math.log(allowed / self.dimension) if allowed > 0 else -math.inf
        orders, error, worst = [], 0.0, []
        for axis in range(self.dimension):
            logs = [log(one) for log in errors[axis]]
            for nodes in _NODES:
                best = min(log - 2 * nodes * fall for log, fall in zip(logs, _FALLS, strict=True))
                if best <= wanted:
                    orders.append(nodes)
                    error += math.exp(best)
                    break
            worst.append(best)
        if len(orders) < self.dimension:
            return max(range(self.dimension), key=lambda axis: worst[axis])
        return orders, error * (1 + 1e-6)

    def _cut(self, piece: Piece, axis: int, t: float) -> list[Chart]:
        chart = piece.chart
        if chart.cuts < _MOST_CUTS:
            terms = (*self.exponent.terms, *self.kernel.edges)
            found = Valleys(terms, t, chart, piece.terms, piece.margins).narrowest()
            if found is not None:
                return chart.along(*found)
        return chart.halves(axis)

    def _refuse_negative_centre(self, piece: Piece) -> None:
        if not self.squares:
            value = fmpq(0)
            for term in self.exponent.terms:
                if term.divergence:
                    part = fraction(term.scale)
                    for index, power in term.powers:
                        part *= piece.chart.bases[index].to_dict().get((0,) * self.dimension, fmpq(0)) ** power
                    value = value + part
            if value < 0:
                _refuse_negative()

    def _evaluate(self, piece: Piece, ready: dict[int, tuple[list[int], float]]) -> None:
        """The rule with the most nodes that any of the integrals needs, for all of them."""
        self.pieces += 1
        chart = piece.chart
        orders = tuple(max(found[axis] for found, _ in ready.values()) for axis in range(self.dimension))
        with working(self.precision):
            weights = weights_of(orders, self.precision)
            values = [grid(base, orders, self.precision) for base in chart.bases]
            divergence, rest = [arb(0)] * len(weights), [arb(0)] * len(weights)
            for term in self.exponent.terms:
                found = [arb(fraction(term.scale))] * len(weights)
                for index, power in term.powers:
                    found = list(map(mul, found, raised(values[index], power)))
                target = divergence if term.divergence else rest
                target[:] = map(add, target, found)
            if not self.squares and any(value < 0 for value in divergence):
                _refuse_negative()
            for index, power in self.exponent.weights:
                weights = list(map(mul, weights, raised(values[index], power)))
            if chart.jacobian.is_constant():
                factor = arb(chart.jacobian.leading_coefficient())
            else:
                factor = arb(1)
                weights = list(map(mul, weights, grid(chart.jacobian, orders, self.precision)))
            for index, (_, error) in ready.items():
                one = self.integrals[index]
                t, gamma, level = ball(one.t), ball(one.gamma), arb(one.level)
                nodes = Nodes([t * k for k in divergence], [gamma * r for r in rest], values)
                density, moments = self.kernel.values(nodes, level, t)
                zeroth = factor * sum(map(mul, density, weights), arb(0))
                first = factor * sum(map(mul, moments, weights), arb(0))
                one.evidence += zeroth
                one.moment += first
                one.error += error
                one.done.append((error, chart, zeroth, first))


def _refuse_negative() -> NoReturn:
    raise NotADivergenceError(
        "K is negative inside the box; a divergence is not. Check its sign, or make the box smaller."
    )
