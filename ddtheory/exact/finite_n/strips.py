r"""Z and t ∫ K e^{−tK} φ of a polynomial posterior with a proven error: the piece that weighs most is looked at first.

For each piece (`charts`) the integrand is bounded on Bernstein ellipses (`discs`). If |f| ≤ M in E_ρ, the
Gauss–Legendre rule with N ≥ 2 nodes errs by at most (64/15) M ρ^{−2N}/(1 − ρ^{−2}) (Trefethen 2008), and the product
rule by the sum of that over the axes, each with M over the ellipse in its variable and the real cube in the others,
times 2^{d−1}. A piece whose error is below its share is evaluated in balls; another is cut along a curve of zeros or
halved. What remains when the pieces left weigh too little to matter is added to the error.

The number of pieces grows like a power of log t: along a valley the pieces are as long as the valley is straight in the
coordinates of the piece, across it and towards singular points they shrink geometrically.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import add, mul
from typing import NoReturn

from flint import arb, fmpq, fmpq_mpoly

from ddtheory.errors import NotADivergenceError, UndecidedError
from ddtheory.exact.finite_n.charts import Chart, Floats, floats, graph_of_zeros
from ddtheory.exact.finite_n.discs import RHOS, Disc, Margins, bounds, margins
from ddtheory.exact.finite_n.legendre import grid, raised, weights_of
from ddtheory.exact.finite_n.squares import Term, fraction
from ddtheory.exact.numbers.enclosing import working

MOST_PIECES = 400_000
_NODES = (4, 6, 8, 10, 12, 15, 18, 22, 26)
_FALLS = [math.log(rho) for rho in RHOS]
_SHARE = 1e-3  # of the error that one piece may have
_MOST_CUTS = 12
_MOST_DEGREE = 48
_INSIDE = fmpq(7, 8)
_HEIGHT = 12.0  # of tK at the edge of a band


@dataclass(frozen=True)
class Exponent:
    """Φ, and the factors of the prior, in terms of the bases of a chart.

    Attributes:
        terms: what Φ is made of.
        weights: (index of the base, exponent) of the prior ∏ base^exponent, each base ≥ 0 on the domain.
    """

    terms: tuple[Term, ...]
    weights: tuple[tuple[int, int], ...]


@dataclass(order=True)
class Piece:
    """A chart with bounds of its integrals and of the rule's error."""

    order: float
    serial: int
    chart: Chart = field(compare=False)
    terms: list[Floats] = field(compare=False)
    margins: list[Margins] = field(compare=False)
    widths: Floats = field(compare=False)
    size: float = field(compare=False)


class Strips:
    """(∫ e^{−(Φ − level)} φ, ∫ tK e^{−(Φ − level)} φ) over the pieces."""

    def __init__(self, exponent: Exponent, charts: Sequence[Chart], digits: int, level: float, least: float) -> None:
        self.exponent, self.level, self.digits = exponent, level, digits
        self.dimension = len(charts[0].jacobian.context().gens())
        self.squares = all(term.square for term in exponent.terms if term.divergence)
        self.precision = 64 + max(math.ceil(3.4 * digits) - 20, 0)
        self.least = least
        self.evidence, self.moment = arb(0), arb(0)
        self.error, self.open, self.pieces = 0.0, 0.0, 0
        self.waiting: list[Piece] = []
        self.done: list[tuple[float, Chart, arb, arb]] = []
        self._serial = itertools.count()
        for chart in charts:
            self._wait(chart)

    def integrate(self, go_on: Callable[[], None]) -> None:
        """Until the error is below 10^{−digits}/30 of both integrals."""
        share = _SHARE
        for _ in range(4):
            self._settle(share, go_on)
            wanted = self._wanted()
            if self.error + self.open <= wanted:
                return
            share /= 30
            self._reopen(wanted / (4 * len(self.done) + 1))
        raise UndecidedError(f"{self.digits} digits could not be proven. Ask for fewer.")

    def totals(self) -> tuple[arb, arb]:
        """Both integrals; what is still open only adds to them where K is a sum of squares."""
        with working(self.precision):
            slack = arb(0, self.error * (1 + 1e-9))
            half = self.open * (1 + 1e-9) / 2
            rest = arb(half, half) if self.squares else arb(0, 2 * half)
            return self.evidence + slack + rest, self.moment + slack + rest

    def _wanted(self) -> float:
        size = min(float(self.evidence), float(self.moment)) if self.done else 0.0
        return max(size, self.least) * 10.0**-self.digits / 30

    def _settle(self, share: float, go_on: Callable[[], None]) -> None:
        while self.waiting:
            wanted = self._wanted()
            if self.open <= wanted / 4:
                self.open = math.fsum(piece.size for piece in self.waiting) * (1 + 1e-9)
                if self.open <= wanted / 4:
                    return
            go_on()
            piece = heapq.heappop(self.waiting)
            self.open = max(self.open - piece.size, 0.0) if piece.size < math.inf else self._weigh()
            chosen = self._orders(piece, wanted * share)
            if isinstance(chosen, tuple):
                self._evaluate(piece, *chosen)
            else:
                self._refuse_negative_centre(piece)
                for chart in self._cut(piece, chosen):
                    self._wait(chart)
            if self.pieces + len(self.waiting) > MOST_PIECES:
                raise UndecidedError(
                    f"The domain needs more than {MOST_PIECES} pieces. Ask for fewer digits, a smaller box, or a "
                    "smaller nβ."
                )
        self.open = 0.0

    def _weigh(self) -> float:
        return math.fsum(piece.size for piece in self.waiting)

    def _reopen(self, allowed: float) -> None:
        again = [item for item in self.done if item[0] > allowed]
        self.done = kept = [item for item in self.done if item[0] <= allowed]
        with working(self.precision):
            self.evidence = sum((item[2] for item in kept), arb(0))
            self.moment = sum((item[3] for item in kept), arb(0))
        self.error = math.fsum(item[0] for item in kept) * (1 + 1e-9)
        for _, chart, _, _ in again:
            self._wait(chart)

    def _wait(self, chart: Chart) -> None:
        terms = [floats(base) for base in chart.bases]
        found = [margins(one, self.dimension) for one in terms]
        widths = floats(chart.jacobian)
        log = self._log([one.real for one in found], sum(map(abs, widths.values())))
        size = math.exp(log + self.dimension * math.log(2)) if log < 600 else math.inf
        self.open += size
        heapq.heappush(self.waiting, Piece(-size, next(self._serial), chart, terms, found, widths, size))

    def _log(self, found: Sequence[Disc], factor: float) -> float:
        """A bound of the logarithm of both integrands where the bases are in these discs."""
        try:
            low, divergence = bounds(self.exponent.terms, found)
            for base, power in self.exponent.weights:
                factor *= (abs(found[base][0]) + found[base][1]) ** power
        except OverflowError:
            return math.inf
        log = math.log(max(factor, 1e-300) * max(divergence, 1.0)) - low + self.level + 1e-6
        return log if log == log else math.inf

    def _errors(self, piece: Piece, axis: int) -> list[float]:
        """For each ellipse the logarithm of the error but for the factor ρ^{−2N}."""
        logs = []
        for index, rho in enumerate(RHOS):
            reach = (rho + 1 / rho) / 2
            factor = sum(abs(value) * reach ** powers[axis] for powers, value in piece.widths.items())
            log = self._log([one.disc(axis, index) for one in piece.margins], factor)
            logs.append(log - math.log1p(-(rho**-2)) + math.log(64 / 15 * 2 ** (self.dimension - 1)))
        return logs

    def _orders(self, piece: Piece, allowed: float) -> tuple[list[int], float] | int:
        """Nodes for each axis and the error, or the axis along which no rule is good enough."""
        wanted = math.log(allowed / self.dimension) if allowed > 0 else -math.inf
        orders, error, worst = [], 0.0, []
        for axis in range(self.dimension):
            logs = self._errors(piece, axis)
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

    def _cut(self, piece: Piece, axis: int) -> list[Chart]:
        chart = piece.chart
        if chart.cuts < _MOST_CUTS and (found := self._valley(piece)) is not None:
            return chart.along(*found)
        return chart.halves(axis)

    def _valley(self, piece: Piece) -> tuple[int, fmpq_mpoly, fmpq] | None:
        """(axis, graph, half width of the band) for a cut along the narrowest valley of the piece."""
        found = []
        for term in self.exponent.terms:
            if term.divergence and term.square:
                for index, power in term.powers:
                    height = self._height(piece, term, index, power)
                    for axis in range(self.dimension):
                        slope = abs(piece.terms[index].get(self._unit(axis), 0.0))
                        if 0 < 4 * height < slope < math.inf:  # 0 where the sizes of the others are beyond floats
                            found.append((height / slope, index, axis))
        for width, index, axis in sorted(found):
            if cut := self._along(piece, index, axis, width):
                return cut
        return None

    def _height(self, piece: Piece, term: Term, index: int, power: int) -> float:
        """The size of a factor of K at which its term is `_HEIGHT`; infinite where it does not vanish alone."""
        centre, radius, _ = piece.margins[index].real
        others = term.size if abs(centre) <= radius else 0.0
        for other, exponent in term.powers:
            if other != index:
                centre, radius, _ = piece.margins[other].real
                others *= abs(centre) ** exponent if abs(centre) > 2 * radius else 0.0
        return (_HEIGHT / others) ** (1 / power) if others > 0 else math.inf

    def _along(self, piece: Piece, index: int, axis: int, width: float) -> tuple[int, fmpq_mpoly, fmpq] | None:
        base = piece.chart.bases[index]
        graph = graph_of_zeros(base, piece.terms[index], axis)
        if graph is None or not self._small(piece.chart, graph, axis):
            return None
        band = fmpq(1, 2 ** math.floor(-math.log2(width)))
        centre, radius, _ = margins(floats(graph), self.dimension).real
        if radius < float(band) / 4:  # straight enough for a box
            level = fmpq(round(centre * 2**60), 2**60)
            if abs(centre) + float(band) < 0.98:
                return axis, graph * 0 + level, band
            if abs(centre) > 1 + float(band):
                return None
            return axis, graph * 0 + (1 - 2 * band) * (1 if centre > 0 else -1), fmpq(0)
        if abs(centre) + radius + float(band) < 0.98:
            return axis, graph, band
        if abs(centre) - radius > 0.05:
            return axis, graph * 0, fmpq(0)
        # it leaves by a side or a corner: what is well inside is cut off, the rest shrinks towards the exit
        for side in (-_INSIDE, _INSIDE):
            images = list(base.context().gens())
            images[axis] = images[axis] * 0 + side
            face = base.compose(*images)
            terms = floats(face)
            for other in range(self.dimension):
                if other != axis and self._unit(other) in terms:
                    end = graph_of_zeros(face, terms, other)
                    if end is not None and self._small(piece.chart, end, other):
                        centre, radius, _ = margins(floats(end), self.dimension).real
                        if abs(centre) + radius < 0.98:
                            return other, end, fmpq(0)
        return None

    def _unit(self, axis: int) -> tuple[int, ...]:
        return tuple(int(position == axis) for position in range(self.dimension))

    def _small(self, chart: Chart, graph: fmpq_mpoly, axis: int) -> bool:
        """Whether the degrees stay bounded after the cut."""
        degrees = graph.degrees()
        return all(
            base.degrees()[axis] * degrees[other] + base.degrees()[other] <= _MOST_DEGREE
            for base in chart.bases
            for other in range(self.dimension)
        )

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

    def _evaluate(self, piece: Piece, orders: Sequence[int], error: float) -> None:
        self.pieces += 1
        chart = piece.chart
        with working(self.precision):
            weights = weights_of(tuple(orders), self.precision)
            values = [grid(base, orders, self.precision) for base in chart.bases]
            divergence, rest = [arb(0)] * len(weights), [arb(-self.level)] * len(weights)
            for term in self.exponent.terms:
                found = [arb(fraction(term.scale))] * len(weights)
                for index, power in term.powers:
                    found = list(map(mul, found, raised(values[index], power)))
                target = divergence if term.divergence else rest
                target[:] = map(add, target, found)
            if not self.squares and any(value < 0 for value in divergence):
                _refuse_negative()
            density = [(-first - second).exp() for first, second in zip(divergence, rest, strict=True)]
            for index, power in self.exponent.weights:
                density = list(map(mul, density, raised(values[index], power)))
            if chart.jacobian.is_constant():
                factor = arb(chart.jacobian.leading_coefficient())
            else:
                factor = arb(1)
                density = list(map(mul, density, grid(chart.jacobian, orders, self.precision)))
            density = list(map(mul, density, weights))
            zeroth = factor * sum(density, arb(0))
            first_moment = factor * sum(map(mul, density, divergence), arb(0))
            self.evidence += zeroth
            self.moment += first_moment
        self.error += error
        self.done.append((error, chart, zeroth, first_moment))


def _refuse_negative() -> NoReturn:
    raise NotADivergenceError(
        "K is negative inside the box; a divergence is not. Check its sign, or make the box smaller."
    )
