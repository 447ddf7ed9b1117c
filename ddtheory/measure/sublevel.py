r"""Volumes of sublevel sets, V(ε) = ∫_{K<ε} φ, measured; and (λ, m) read from how they shrink.

V(ε) = ε^λ P(ℓ) + smaller powers of ε, ℓ = log(1/ε), with P a polynomial of degree m − 1; likewise the evidence
Z(n) = ∫ e^{−nK} φ with ℓ = log n. So the local exponent has an expansion in 1/ℓ,

  −d log V/dℓ = λ − (m − 1)/ℓ + O(1/ℓ²),

whose value at 1/ℓ = 0 is λ and whose slope there is −(m − 1): that slope is the log log term. The raw quotient
log V/log ε is never used. Nothing here knows a rule for (λ, m): volumes come from draws, from one integral, or from a
matrix exponential.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from ddtheory.errors import InvalidValueError
from ddtheory.measure.doors import count, seed_number
from ddtheory.measure.extrapolation import Extrapolation
from ddtheory.values import Interval

Floats = NDArray[np.float64]

DEPTHS = tuple(50.0 * 2.0**step for step in range(7))
"""ℓ = log(1/ε) from 50 to 3200; every depth twice the one before."""

_SIGMAS = 3.3  # one interval in a thousand misses
_CHUNK = 200_000
_ROUNDING = 1e-9  # of a local exponent: panels of Gauss–Legendre leave less


@dataclass(frozen=True)
class Threshold:
    """A measured pair: the learning coefficient and the multiplicity."""

    lam: Interval
    m: Interval


def threshold(depths: Sequence[float], exponents: Sequence[float], error: float = _ROUNDING) -> Threshold:
    """(λ, m) from local exponents at depths that grow by one factor: value and slope of the exponent at 1/ℓ = 0.

    Args:
        depths: ℓ = log(1/ε) or log n, increasing, each the same multiple of the one before.
        exponents: −d log V/dℓ at each depth.
        error: absolute error of an exponent.

    Raises:
        InvalidValueError: fewer than four depths, or depths that do not grow by one factor.

    >>> found = threshold(DEPTHS, [0.5 - 1 / (l + 2) for l in DEPTHS])       # V = (ℓ + 2) e^{−ℓ/2}
    >>> found.lam.contains(0.5), found.m.contains(2), found.m.width < 1e-3
    (True, True, True)
    """
    factors = [after / before for before, after in pairwise(depths)]
    if len(depths) < 4 or len(depths) != len(exponents):
        raise InvalidValueError(f"A threshold needs four depths or more, one exponent each; got {len(depths)}.")
    if factors[0] <= 1 or any(abs(factor - factors[0]) > 1e-9 * factors[0] for factor in factors):
        raise InvalidValueError(f"The depths must all grow by one factor, so that slopes extrapolate; got {depths}.")
    x = [1 / depth for depth in reversed(depths)]
    e = list(reversed(exponents))
    # between nodes of constant ratio a difference quotient is the slope at 0 plus a power series in the smaller node
    slopes = [(above - below) / (v - u) for (u, below), (v, above) in pairwise(zip(x, e, strict=True))]
    rounding = [2 * error / (v - u) for u, v in pairwise(x)]
    lam = Extrapolation(x).limit(e, [error] * len(e))
    slope = Extrapolation(x[:-1]).limit(slopes, rounding)
    return Threshold(Interval.around(lam.value, lam.error), Interval.around(1 - slope.value, slope.error))


def sampled_volume(
    inside: Callable[[Floats], Any], sides: Sequence[tuple[float, float]], *, samples: int, seed: int
) -> Interval:
    """The volume of {w in a box : inside(w)}, by uniform draws, with 3.3 standard errors.

    `inside` gets an array with one row a coordinate and returns one truth value, or one weight in [0, 1], a column.

    >>> found = sampled_volume(lambda w: w[0] * w[1] < 0.25, [(0, 1), (0, 1)], samples=100_000, seed=1)
    >>> found.contains(0.25 + 0.25 * float(np.log(4))), found.width < 0.02
    (True, True)
    """
    samples, generator = count("samples", samples), np.random.default_rng(seed_number(seed))
    low, high = np.array(sides, dtype=np.float64).T
    total = square = 0.0
    for start in range(0, samples, _CHUNK):
        drawn = generator.random((len(low), min(_CHUNK, samples - start)))
        values = np.asarray(inside(low[:, None] + (high - low)[:, None] * drawn), float)
        total, square = total + values.sum(), square + (values**2).sum()
    mean = total / samples
    box, error = float(np.prod(high - low)), float((square / samples - mean**2) / samples) ** 0.5
    return Interval.around(box * float(mean), box * _SIGMAS * error)


def crossing_exponents(rates: Sequence[float], depths: Sequence[float] = DEPTHS) -> list[float]:
    """Local exponents of V for K = ∏ x_i^{p_i} with prior ∏ x_i^{h_i} on the unit cube; rates (h_i + 1)/p_i.

    >>> found = threshold(DEPTHS, crossing_exponents([0.5, 0.5]))            # (xy)²
    >>> found.lam.contains(0.5), found.m.contains(2)
    (True, True)
    """
    return [float(_first_passage(rates, depth, 0.0, 1)[1][0]) for depth in depths]


def crossing_evidence_exponents(rates: Sequence[float], depths: Sequence[float] = DEPTHS) -> list[float]:
    """−d log Z/d log n of Z = ∫ e^{−nK} φ for the same K, from Z(n) = ∫ e^{−w} V(w/n) dw; n = e^ℓ.

    For K + K' in disjoint variables evidences multiply, so these exponents add.

    >>> found = crossing_evidence_exponents([0.5], [40.0])                   # x²: Z = Γ(3/2) n^{−1/2}
    >>> abs(found[0] - 0.5) < 1e-12
    True
    """
    step, top = 0.25, 4.0  # trapezoidal rule in log w: analytic, so a coarse step is exact; e^{−w} vanishes above
    log_w = top - step * np.arange(1 + int((top + 40 / min(rates)) / step))
    weights = np.exp(log_w - np.exp(log_w) + min(rates) * log_w)
    found = []
    for depth in depths:
        scaled, exponents = _first_passage(rates, depth - top, step, len(log_w))
        found.append(float((weights * scaled * exponents).sum() / (weights * scaled).sum()))
    return found


def _first_passage(rates: Sequence[float], start: float, step: float, count: int) -> tuple[Floats, Floats]:
    """e^{μℓ} V(e^{−ℓ}) and −d log V/dℓ at ℓ = start, start + step, …; V(1) = 1, and μ is the smallest rate.

    −log x_i^{p_i} is exponential with rate λ_i, and V is the chance that their sum exceeds ℓ: a chain that leaves
    state i at rate λ_i has not left the last one. A matrix exponential advances it; entries are not negative, so
    nothing cancels.
    """
    ordered = np.array(rates, dtype=np.float64)
    chain = np.diag(ordered.min() - ordered) + np.diag(ordered[:-1], 1)
    state, advance = _exponential(chain * start) @ np.ones(len(ordered)), _exponential(chain * step)
    values, exponents = [], []
    for _ in range(count):
        later = state[1] if len(ordered) > 1 else 0.0  # the chain that starts in the second state
        values.append(state[0])
        exponents.append(ordered[0] * (1 - later / state[0]))
        state = advance @ state
    return np.array(values), np.array(exponents)


def _exponential(matrix: Floats) -> Floats:
    """exp of a matrix with non-negative entries off the diagonal, by sums and products of non-negative numbers."""
    shift = float(max(-matrix.diagonal().min(), 0.0))
    size = float(np.abs(matrix).sum(axis=1).max()) + shift
    halvings = max(0, int(np.ceil(np.log2(size + 1e-300))) + 1)
    identity = np.eye(len(matrix))
    small = (matrix + shift * identity) / 2.0**halvings
    found = term = identity
    for power in range(1, 25):
        term = term @ small / power
        found = found + term
    found = found * np.exp(-shift / 2.0**halvings)
    for _ in range(halvings):
        found = found @ found
    return found


def planar_exponents(
    powers: Sequence[tuple[float, float]], depths: Sequence[float] = DEPTHS, prior: tuple[float, float] = (0.0, 0.0)
) -> list[float]:
    """Local exponents of V for K = Σ x^a y^b with prior x^{h_1} y^{h_2} on the unit square, by one integral over log x.

    At x = e^{−s} the set {K < ε} is y < e^{−t(s)}, so V = ∫ e^{−(h_1+1)s − (h_2+1)t(s)} ds/(h_2 + 1).

    Raises:
        InvalidValueError: no power of y, or K does not vanish at the origin.

    >>> found = threshold(DEPTHS, planar_exponents([(2, 0), (0, 4)]))        # x² + y⁴: 1/2 + 1/4
    >>> found.lam.contains(0.75), found.m.contains(1)
    (True, True)
    """
    a, b = np.array(powers, dtype=np.float64).T
    if not b.any() or not (a + b).all():
        raise InvalidValueError(f"K = Σ x^a y^b must contain y and vanish at the origin; got the powers {powers}.")

    def logarithm(depth: float) -> float:
        return _planar_log_volume(a, b, prior[0] + 1, prior[1] + 1, depth)

    # five-point differences: their error is 1/30 of the fifth derivative of log V, at most 24/ℓ⁵ for each logarithm
    steps = ((-1.0, -1 / 6), (-0.5, 8 / 6), (0.5, -8 / 6), (1.0, 1 / 6))
    return [sum(weight * logarithm(depth + shift) for shift, weight in steps) for depth in depths]


def _planar_log_volume(a: Floats, b: Floats, p: float, q: float, depth: float) -> float:
    # s = first + σ: from where y can be small enough, to where t(s) no longer changes
    free = b == 0
    first = _level(a[free], depth) if free.any() else 0.0
    offsets = depth - a * first
    if free.any():
        offsets[free] -= np.log(np.exp(offsets[free]).sum())  # exactly 1 at σ = 0, or the root there would be lost
    length = _level(a, depth) - first if (a > 0).all() else (depth / float(a[a > 0].min()) if a.any() else 0.0) + 60.0
    # powers of two resolve the root of σ with which y shrinks at 0, and short panels the bends
    near = 2.0 ** -np.arange(45, 0, -1)
    edges = np.concatenate([[0.0], near[near < length], np.linspace(min(0.5, length), length, 2 + int(2 * length))])
    nodes, weights = leggauss(10)
    half = np.diff(edges) / 2
    sigma = (edges[:-1, None] + half[:, None] * (1 + nodes)).ravel()
    log_density = -p * sigma - q * _height(a, b, sigma, offsets)
    log_tail = -p * length - q * float(_height(a, b, np.array([length]), offsets)[0]) - float(np.log(p))
    top = max(float(log_density.max()), log_tail)
    mass = ((half[:, None] * weights).ravel() * np.exp(log_density - top)).sum() + np.exp(log_tail - top)
    return top - p * first + float(np.log(mass))


def _level(a: Floats, depth: float) -> float:
    """The s ≥ 0 with Σ e^{−a s} = e^{−ℓ}."""
    return float(_height(np.zeros(len(a)), a, np.zeros(1), np.full(len(a), depth))[0])


def _height(a: Floats, b: Floats, s: Floats, offsets: Floats) -> Floats:
    """The t ≥ 0 with Σ e^{offset − a s − b t} = 1 for each s, by Newton's method from below on a convex function."""
    rising = b > 0
    fixed = np.exp(offsets[~rising, None] - a[~rising, None] * s).sum(axis=0)
    left = np.log1p(-fixed.clip(max=1 - 1e-16))  # what the terms with y may still add up to
    base, slope = offsets[rising, None] - a[rising, None] * s - left, b[rising, None]
    t = np.max(base / slope, axis=0).clip(0.0)
    for _ in range(100):
        exponent = base - slope * t
        top = exponent.max(axis=0)
        share = np.exp(exponent - top)
        total = share.sum(axis=0)
        step = (np.log(total) + top) * total / (slope * share).sum(axis=0)
        t = t + step.clip(0.0)
        if float(step.max()) < 1e-12 * (1 + offsets.max()):
            break
    return t
