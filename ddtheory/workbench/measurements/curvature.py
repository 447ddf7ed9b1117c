r"""Curvature of a Riemannian metric given as a function of the parameters, by nested forward-mode derivatives.

In coordinates i, j, with Γ the Christoffel symbols of the second kind,

  R_ijij = ∂_i∂_j g_ij − (∂_j² g_ii + ∂_i² g_jj)/2 + g_np (Γⁿ_ij Γᵖ_ij − Γⁿ_ii Γᵖ_jj),   K = R_ijij/(g_ii g_jj − g_ij²),

so that the unit sphere has K = 1. Only the metric is read: no embedding, no second fundamental form.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import jacfwd, vmap

from ddtheory.errors import InvalidValueError

Metric = Callable[[Tensor], Tensor]
"""The (d, d) matrix of the metric at a point with d coordinates."""


def pullback_metric(mean: Callable[[Tensor], Tensor], weight: Callable[[Tensor], Tensor] | None = None) -> Metric:
    """The Fisher metric Jᵀ diag(b''(μ)) J of independent outputs with natural parameters μ(θ) and log-partition b.

    Args:
        mean: θ (d,) to μ (n,).
        weight: b'', element by element; 1 when omitted, which is y ~ N(μ(θ), I).

    >>> metric = pullback_metric(lambda p: torch.stack([p[0] ** 2, p[1]]))
    >>> metric(torch.tensor([3.0, 0.0], dtype=torch.float64)).tolist()
    [[36.0, 0.0], [0.0, 1.0]]
    """

    def metric(point: Tensor) -> Tensor:
        jacobian = jacfwd(mean)(point)
        weighted = jacobian if weight is None else weight(mean(point))[:, None] * jacobian
        return jacobian.mT @ weighted

    return metric


def christoffel(metric: Metric, points: Tensor) -> Tensor:
    """Γⁿ_ij as [point, n, i, j], at points (count, d).

    >>> plane = lambda p: torch.diag(torch.stack([torch.ones_like(p[0]), p[0] ** 2]))          # polar coordinates
    >>> gamma = christoffel(plane, torch.tensor([[2.0, 0.0]], dtype=torch.float64))
    >>> gamma[0, 0, 1, 1].item(), gamma[0, 1, 0, 1].item()                                     # −r and 1/r
    (-2.0, 0.5)
    """
    return vmap(lambda point: _christoffel(metric(point), jacfwd(metric)(point)))(_checked(points))


def sectional_curvature(metric: Metric, points: Tensor, plane: tuple[int, int] = (0, 1)) -> Tensor:
    """The sectional curvature K of a coordinate plane at points (count, d).

    Raises:
        InvalidValueError: the points are no matrix of finite numbers.

    >>> def normal(p):                                                        # Fisher of N(m, s²): K = −1/2
    ...     return torch.diag(torch.stack([1 / p[1] ** 2, 2 / p[1] ** 2]))
    >>> sectional_curvature(normal, torch.tensor([[0.0, 1.0], [5.0, 3.0]], dtype=torch.float64)).tolist()
    [-0.5, -0.5]
    """
    i, j = plane

    def at(point: Tensor) -> Tensor:
        g, first, second = metric(point), jacfwd(metric)(point), jacfwd(jacfwd(metric))(point)
        gamma = _christoffel(g, first)
        bend = second[i, j, i, j] - (second[i, i, j, j] + second[j, j, i, i]) / 2
        square = gamma[:, i, j] @ g @ gamma[:, i, j] - gamma[:, i, i] @ g @ gamma[:, j, j]
        return (bend + square) / (g[i, i] * g[j, j] - g[i, j] ** 2)

    return vmap(at)(_checked(points))


def _christoffel(g: Tensor, first: Tensor) -> Tensor:
    """Γⁿ_ij = gⁿᵖ (∂_i g_pj + ∂_j g_pi − ∂_p g_ij)/2 from first[i, j, k] = ∂_k g_ij."""
    lowered = (first.permute(0, 2, 1) + first - first.permute(2, 0, 1)) / 2
    return torch.linalg.solve(g, lowered.flatten(1)).reshape(lowered.shape)


def _checked(points: Tensor) -> Tensor:
    if points.ndim != 2 or not bool(torch.isfinite(points).all()):
        raise InvalidValueError(
            f"Curvature needs points as a matrix (count, d) of finite numbers, got the shape {tuple(points.shape)}. "
            "Give one row a point."
        )
    return points
