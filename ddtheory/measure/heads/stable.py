"""Differences of convex functions without cancellation, and factors of positive matrices."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ddtheory.errors import MeasurementError

TAYLOR_TERMS = 20  # 2·1^20/22! is below float64 rounding
QUADRATURE_NODES = 20
SAFE_SHARE = 0.05  # a difference larger than this share of its terms loses less than two digits


def exponential_remainder(x: Tensor) -> Tensor:
    """eˣ − 1 − x to full relative accuracy, element by element; ≥ 0.

    >>> exponential_remainder(torch.tensor([1e-9], dtype=torch.float64)).item()   # x²/2 + x³/6
    5.000000001666667e-19
    """
    small = x.clamp(-1.0, 1.0)
    series = torch.zeros_like(x)
    for n in range(TAYLOR_TERMS, 1, -1):
        series = small * series + 1.0 / math.factorial(n)
    return torch.where(x.abs() < 1.0, small.square() * series, torch.expm1(x) - x)


def second_along(function: Callable[[Tensor], Tensor], point: Tensor, step: Tensor) -> Tensor:
    """stepᵀ ∇²function(point) step, in the shape that `function` returns."""
    point, step = point.contiguous(), step.contiguous()  # forward mode takes no expanded tensors

    def first(at: Tensor) -> Tensor:
        return torch.func.jvp(function, (at,), (step,))[1]

    return torch.func.jvp(first, (point,), (step,))[1]


def hessian(function: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """∇² over the last dimension: points (…, n) to (…, n, n)."""
    size = points.shape[-1]
    rows = torch.func.vmap(torch.func.jacfwd(torch.func.jacfwd(function)))(points.reshape(-1, size))
    return rows.reshape(*points.shape, size)


def bregman(function: Callable[[Tensor], Tensor], origin: Tensor, points: Tensor) -> Tensor:
    """function(points) − function(origin) − ∇function(origin)·(points − origin), stable for near points.

    Where the difference cancels it is ∫₀¹ (1 − s) Δᵀ∇²function(origin + sΔ)Δ ds: for a convex function a
    sum of terms of one sign.

    >>> zero, near = torch.zeros(1, dtype=torch.float64), torch.full((1,), 1e-8, dtype=torch.float64)
    >>> abs(bregman(torch.exp, zero, near).item() / 5.0000000166666667e-17 - 1) < 1e-14
    True
    """
    origin = origin.contiguous()
    step = points - origin
    start, slope, *_ = torch.func.jvp(function, (origin,), (step,))
    end = function(points)
    direct = end - start - slope
    abscissae, weights = np.polynomial.legendre.leggauss(QUADRATURE_NODES)
    integral = torch.zeros_like(direct)
    for abscissa, weight in zip(abscissae.tolist(), weights.tolist(), strict=True):
        s = 0.5 * (1.0 + abscissa)
        integral = integral + 0.5 * weight * (1.0 - s) * second_along(function, origin + s * step, step)
    safe = direct.abs() > SAFE_SHARE * (end.abs() + start.abs() + slope.abs())
    return torch.where(safe, direct, integral)


def positive_factor(matrices: Tensor, what: str) -> Tensor:
    """B with BᵀB = G for symmetric positive semidefinite G of shape (…, n, n).

    Eigenvalues below n ε of the largest one, the rounding of their computation, are 0: their roots would be 1e-8 of it.

    Raises:
        MeasurementError: a matrix is not symmetric, or has an eigenvalue below zero beyond rounding.
    """
    size = float(matrices.abs().max()) if matrices.numel() else 0.0
    slack = 1e3 * torch.finfo(matrices.dtype).eps * matrices.shape[-1] * size
    if not math.isfinite(size):
        raise MeasurementError(f"{what} is NaN or infinite. The model has probably left its domain.")
    if bool(((matrices - matrices.mT).abs() > slack).any()):
        raise MeasurementError(f"{what} is not symmetric. Symmetrise it: ½(G + Gᵀ).")
    values, vectors = torch.linalg.eigh(matrices)
    if bool((values < -slack).any()):
        raise MeasurementError(
            f"{what} has the negative eigenvalue {float(values.min()):.3g}, so it is no metric. Check its sign."
        )
    rounding = torch.finfo(matrices.dtype).eps * matrices.shape[-1] * values.amax(-1, keepdim=True)
    values = torch.where(values > rounding, values, torch.zeros_like(values))
    return values.sqrt().unsqueeze(-1) * vectors.mT
