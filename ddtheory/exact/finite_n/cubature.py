r"""Integrals of e^{−Φ} and t K e^{−Φ} over [0, 1]^d with a proven error: cells, and a Gauss–Legendre rule on each.

If g is analytic and |g| ≤ M in the Bernstein ellipse E_ρ of [−1, 1], its Chebyshev coefficients are at most 2Mρ^{−k};
the rule with N ≥ 2 nodes is exact for k < 2N and by symmetry for odd k, and errs by at most 2 + 2/(k² − 1) ≤ 32/15 on
T_k; so in all by at most (64/15) M ρ^{−2N}/(1 − ρ^{−2}) (after Trefethen 2008). For d variables the product rule errs
by at most the sum over i of the one-variable error in v_i, with M taken over the ellipse in v_i and the real cell in
the others, times the volume of the others, because the weights are positive and sum to that volume.

A cell that cannot contribute more than its share of the error is not evaluated. Rounding is in the balls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NoReturn

from flint import arb

from ddtheory.errors import NotADivergenceError, NotAnalyticError, UndecidedError
from ddtheory.exact.finite_n.legendre import legendre
from ddtheory.exact.finite_n.phase import AnalyticPhase
from ddtheory.exact.numbers.enclosing import ball, working

MAX_CELLS = 20_000
_SMALLEST = Fraction(1, 2**16)  # half width of a cell on which an analytic function has a bound
_RHOS = (2.0, 4.0, 10.0)

Cell = tuple[tuple[Fraction, Fraction], ...]  # centre and half width in each variable


class Quadrature:
    """(∫ e^{−Φ} v^q, ∫ t K e^{−Φ} v^q) over [0, 1]^d, each with at most this absolute error."""

    def __init__(self, phase: AnalyticPhase, weights: Sequence[int], t: Fraction, digits: int) -> None:
        self.phase, self.weights, self.t = phase, tuple(weights), t
        self.dimension = len(weights)
        self.nodes = digits + 5
        self.precision = precision_of(digits, t)
        self.cells = 0
        self.evidence, self.moment = arb(0), arb(0)

    def integrate(
        self, goal: Fraction, allowance: int = MAX_CELLS, go_on: Callable[[], None] = lambda: None
    ) -> Quadrature:
        """`go_on` is called at every cell; it raises when there is no time left."""
        half = Fraction(1, 2)
        waiting: list[Cell] = [((half, half),) * self.dimension]
        with working(self.precision):
            while waiting:
                go_on()
                cell = waiting.pop()
                worst, axis, size = self._error(cell)
                allowed = float(goal * math.prod((2 * r for _, r in cell), start=Fraction(1)))
                if size <= allowed:
                    self.evidence += arb(0, size)
                    self.moment += arb(0, size)
                elif worst <= allowed:
                    self._evaluate(cell, worst)
                else:
                    if size == math.inf:
                        self._examine(cell)
                    c, r = cell[axis]
                    for sign in (-1, 1):
                        waiting.append((*cell[:axis], (c + sign * r / 2, r / 2), *cell[axis + 1 :]))
                if self.cells + len(waiting) > allowance:
                    raise UndecidedError(
                        f"The box needs more than {MAX_CELLS} cells. Ask for fewer digits, a smaller box, or a smaller "
                        f"nβ than {self.t}. For a product of powers finite_n has no such limit."
                    )
        return self

    def _error(self, cell: Cell) -> tuple[float, int, float]:
        """Bounds of the rule's error and of the cell's whole contribution; between them the axis that errs most."""
        bound = self.phase.at([c for c, _ in cell])
        radii = [float(r) for _, r in cell]
        volume = math.prod(2 * r for r in radii)

        def largest(axis: int | None, rho: float) -> float:
            """sup |v^q| max(1, t|K|) |e^{−Φ}|, v_axis in the ellipse, rounded up."""
            reach = [(1.0000001 * r, 0.0) for r in radii]
            if axis is not None:
                r = 1.0000001 * radii[axis]
                reach[axis] = (r * (rho + 1 / rho) / 2, r * (rho - 1 / rho) / 2)
            low, size = bound(tuple(reach))
            if not low > -600 or not size < math.inf:
                return math.inf
            prior = math.prod(
                (float(c) + real) ** q for (c, _), (real, _), q in zip(cell, reach, self.weights, strict=True) if q
            )
            return 1.001 * prior * max(1.0, size) * math.exp(-low)

        errors = []
        for axis in range(self.dimension):
            # the rule on a cell of half width r is that on [−1, 1] times r; volume/2 holds the other factors
            errors.append(
                min(
                    64 / 15 * largest(axis, rho) * rho ** (-2 * self.nodes) / (1 - rho**-2) * volume / 2
                    for rho in _RHOS
                )
            )
        axis = max(range(self.dimension), key=lambda i: (errors[i], radii[i]))
        return 1.001 * sum(errors), axis, largest(None, 1.0) * volume

    def _examine(self, cell: Cell) -> None:
        """Why a cell has no bound: K is negative, or not analytic; otherwise the cell is only too large."""
        low, _ = self.phase.at([c for c, _ in cell])(tuple((float(r), 0.0) for _, r in cell))
        if low > -math.inf:
            for _, divergence, _ in self.phase.values([[(ball(c), arb(1))] for c, _ in cell]):
                if divergence < 0:
                    self._refuse_negative(divergence)
        elif max(r for _, r in cell) < _SMALLEST:
            raise NotAnalyticError(
                "K has no bound near a point of the box: it divides by zero or has a branch point there. Make the box "
                "smaller, so that K is analytic on it."
            )

    def _refuse_negative(self, divergence: arb) -> NoReturn:
        raise NotADivergenceError(
            f"K is negative inside the box (about {float(divergence):.3g}); a divergence is not. Check its sign, or "
            "make the box smaller."
        )

    def _evaluate(self, cell: Cell, error: float) -> None:
        self.cells += 1
        rule = legendre(self.nodes, self.precision)
        axes = [[(ball(c) + ball(r) * node, ball(r) * weight) for node, weight in rule] for c, r in cell]
        factors = [
            [weight * node**q if q else weight for node, weight in axis]
            for axis, q in zip(axes, self.weights, strict=True)
        ]
        t, zeroth, first = ball(self.t), arb(0), arb(0)
        for indices, divergence, localisation in self.phase.values(axes):
            if divergence < 0:
                self._refuse_negative(divergence)
            density = (-t * divergence - localisation).exp()
            for axis, index in enumerate(indices):
                density *= factors[axis][index]
            zeroth += density
            first += density * divergence
        self.evidence += zeroth + arb(0, error)
        self.moment += first * t + arb(0, error)


def precision_of(digits: int, t: Fraction) -> int:
    """Working precision in bits for so many digits at this t."""
    return 64 + math.ceil(3.4 * digits) + max(int(t), 1).bit_length()
