r"""Evidences of products of 2-column matrices by quadrature: Z(n) = ∫ e^{−n‖W_L ⋯ W_1 − C‖²/2} over Gaussian weights.

Every weight is N(0, 1). The last factor is integrated exactly: row by row,

  ∫ e^{−n‖w P − c‖²/2} dN(w) = det(I + n PᵀP)^{−1/2} e^{−(n/2) c (I + n PᵀP)^{−1} cᵀ},

and so is the angle between P and C, which gives a Bessel function. What is left are singular values, on a logarithmic
scale. The result is an evidence, and knows no rule for (λ, m).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from ddtheory.errors import InvalidValueError
from ddtheory.measure.sublevel import Threshold, threshold

Floats = NDArray[np.float64]


def two_factors(
    hidden: int, outputs: int, rank: int, depth: float, *, reach: float | None = None, weight: int = 0
) -> float:
    """log Z(e^depth) up to a constant: W_1 of shape (H, 2), W_2 of shape (N, H), C with `rank` unit singular values.

    Args:
        reach: depth up to which the same nodes are used, so that differences in depth are smooth; `depth` by default.
        weight: the power of the prior |det(W_1ᵀW_1)|^{weight/2} on top.

    Raises:
        InvalidValueError: a size below 1, fewer than 2 hidden units, or a rank that no product has.

    >>> slope = (two_factors(2, 2, 2, 30.0, reach=31) - two_factors(2, 2, 2, 31.0, reach=31))
    >>> round(slope, 6)                                    # full rank: regular, four parameters
    2.0
    """
    if hidden < 2 or outputs < 1 or not 0 <= rank <= min(2, outputs):
        raise InvalidValueError(
            f"Widths (2, {hidden}, {outputs}) with rank {rank}: at least 2 hidden units are needed."
        )
    x, w = leggauss(6)
    last = depth if reach is None else reach
    starts, gaps = np.arange(-3.0, last / 2 + 25), np.arange(0.0, last / 2 + 25)
    s = (starts[:, None] + (1 + x) / 2).reshape(-1, 1)
    v = (gaps[:, None] + (1 + x) / 2).reshape(1, -1)
    t = s + v  # singular values e^{−s} ≥ e^{−t}, with volume element (ab)^{H−2} (a² − b²) da db
    first, second = (np.logaddexp(0.0, depth - 2 * value) for value in (s, t))  # log(1 + n a²), log(1 + n b²)
    logs = -(hidden - 1 + weight) * (s + t) - 2 * s + np.log1p(-np.exp(-2 * v)) - outputs / 2 * (first + second)
    logs = logs - (np.exp(-2 * s) + np.exp(-2 * t)) / 2
    near, far = np.exp(depth - first), np.exp(depth - second)  # n/(1 + n a²) ≤ n/(1 + n b²)
    if rank == 1:
        logs = logs - near / 2 + _log_bessel((far - near) / 4)
    elif rank == 2:
        logs = logs - (near + far) / 2
    top = logs.max()
    masses = np.tile(w, len(starts))[:, None] * np.tile(w, len(gaps)) * np.exp(logs - top)
    return float(top + np.log(masses.sum()))


_DEPTHS = tuple(16.0 * 2**step for step in range(5))


def two_factor_threshold(hidden: int, outputs: int, rank: int, weight: int = 0) -> Threshold:
    """(λ, m) of two factors, read from how log Z of `two_factors` falls at log n = 16 … 256.

    >>> two_factor_threshold(2, 2, 2).lam.contains(2.0)                # full rank: regular, four parameters
    True
    """
    step = 0.05  # the third derivative of log Z is at most 2m/ℓ³, so a central difference errs below 1e-6
    exponents = []
    for depth in _DEPTHS:
        below, above = (
            two_factors(hidden, outputs, rank, depth + sign * step, reach=depth, weight=weight) for sign in (-1, 1)
        )
        exponents.append((below - above) / (2 * step))
    return threshold(_DEPTHS, exponents, 1e-6)


def three_factors(depth: float, *, reach: float | None = None) -> float:
    """log Z(e^depth) up to a constant, for three 2 × 2 factors and C = diag(1, 0); depth below 300.

    Z depends on P = W_2 W_1 through det P and ‖P‖². Nodes: the singular values a_l ≥ a_l e^{−u_l} of both factors, and
    the angle between them. a_1, a_2 and the angle move along the fibre, where each point gives the same pair (λ, m);
    there few nodes do, at the price of a prior that is not quite Gaussian.
    """
    x, w = leggauss(5)
    starts = np.arange(0.0, (depth if reach is None else reach) + 20, 2.0)
    u, wu = (starts[:, None] + 1 + x).ravel(), np.tile(w, len(starts))
    u1, u2 = u[:, None], u[None, :]
    q1, q2 = np.exp(-2 * u1), np.exp(-2 * u2)
    common = -(u1 + u2) + np.log1p(-q1) + np.log1p(-q2) + np.log(wu[:, None] * wu)
    y, wy = leggauss(4)
    scales, squares, n = 1.75 * (1 + y), np.cos(math.pi / 4 * (1 + y)) ** 2, math.exp(depth)
    nodes = [(i, j, k) for i in range(4) for j in range(4) for k in range(4)]
    logs = np.empty((len(nodes), *common.shape))
    for row, (i, j, k) in enumerate(nodes):
        size, cosine = (scales[i] * scales[j]) ** 2, squares[k]
        norm = size * (cosine + (1 - cosine) * (q1 + q2) + cosine * q1 * q2)  # ‖P‖²
        log_whole = np.logaddexp(np.log1p(n * norm), 2 * (depth + math.log(size) - u1 - u2))  # log det(I + n PPᵀ)
        whole = np.exp(log_whole)
        trace = (2 + n * norm) / whole
        far = (trace + np.sqrt(np.maximum(trace**2 - 4 / whole, 0.0))) / 2  # eigenvalues of (I + n PPᵀ)⁻¹
        near = 1 / (whole * far)
        logs[row] = common - log_whole - n * near / 2 + _log_bessel(n * (far - near) / 4)
        logs[row] -= (scales[i] ** 2 * (1 + q1) + scales[j] ** 2 * (1 + q2)) / 2
        logs[row] += 1.5 * math.log(size) + math.log(wy[i] * wy[j] * wy[k])
    top = logs.max()
    return float(top + np.log(np.exp(logs - top).sum()))


def _log_bessel(x: Floats) -> Floats:
    """log(e^{−x} I_0(x)), x ≥ 0; beyond 20 eleven terms of the asymptotic series are exact to 1e-11."""
    found = np.empty_like(x)
    small = x < 20
    found[small] = np.log(np.i0(x[small])) - x[small]
    large = x[~small]
    term, total = np.ones_like(large), np.ones_like(large)
    for order in range(1, 12):
        term = term * (2 * order - 1) ** 2 / (8 * order * large)
        total = total + term
    found[~small] = np.log(total) - np.log(2 * math.pi * large) / 2
    return found
