"""Two mean maps with a dead coordinate t, as surfaces in R³: dead at one point only, and dead on a whole sheet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Symbol

from ddtheory.cells.shared.torch_expression import evaluate
from ddtheory.errors import InvalidValueError

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.workbench.measurements.curvature import Metric

t = Symbol("t", positive=True)
w = Symbol("w", real=True)


def point_map(order: Expr | int, coupling: Expr | int = 1) -> Matrix:
    """μ = (t^k + w², w, t^j w): the Fisher of N(μ, I) degenerates at t = w = 0 only, for k ≥ 2.

    >>> normal = point_map(2).diff(t).cross(point_map(2).diff(w))
    >>> sympy.factor(normal.dot(normal).subs(t, 0))                                        # det F on t = 0
    w**2*(4*w**2 + 1)
    """
    return Matrix([t**order + w**2, w, t**coupling * w])


def sheet_map(order: Expr | int) -> Matrix:
    """μ = (t^k, w, t^{k+1} + w²): ∂_t μ = O(t^{k−1}) for every w, so that the whole line t = 0 is dead.

    >>> sheet_map(3).diff(t).subs(t, 0).T
    Matrix([[0, 0, 0]])
    """
    return Matrix([t**order, w, t ** (order + 1) + w**2])


def gauss_curvature(mean: Matrix) -> Expr:
    """K of a surface in R³ by the Gauss equation: (n·μ_tt n·μ_ww − (n·μ_tw)²)/|n|⁴ with n = μ_t × μ_w.

    >>> sympy.simplify(gauss_curvature(Matrix([sympy.cos(w) * t, sympy.sin(w) * t, t**2 / 2])))      # a paraboloid
    (t**2 + 1)**(-2)
    """
    normal = mean.diff(t).cross(mean.diff(w))

    def form(*at: Symbol) -> Expr:
        return normal.dot(mean.diff(*at))

    return (form(t, t) * form(w, w) - form(t, w) ** 2) / normal.dot(normal) ** 2


def fisher_metric(mean: Matrix, weight: Callable[[Tensor], Tensor] | None = None) -> Metric:
    """The torch face: the Fisher metric in the coordinates (t, w).

    Args:
        mean: means of N(μ, I).
        weight: b'' of a log-partition, with μ as natural parameters instead.

    >>> import torch
    >>> fisher_metric(point_map(2))(torch.tensor([0.5, 0.0], dtype=torch.float64)).tolist()       # diag(4t², 1 + t²)
    [[1.0, 0.0], [0.0, 1.25]]
    """
    import torch

    from ddtheory.workbench.measurements.curvature import pullback_metric

    entries = list(mean)

    def means(point: Tensor) -> Tensor:
        return torch.stack([evaluate(entry, {"t": point[0], "w": point[1]}) for entry in entries])

    return pullback_metric(means, weight)


def curved_volume(
    mean: Matrix, level: float, sides: tuple[float, float], *, cells: int = 1000, strip: bool = False
) -> float:
    """∫ √det F over {|K| > level} in the box 0 < t < sides[0], |w| < sides[1], by the midpoint rule.

    The edge of the set leaves a relative error of about cells^{−3/2} when the box fits the set.

    Args:
        mean: a surface in R³.
        level: of |K|.
        sides: of the box.
        cells: of the grid along each side.
        strip: cut the set off at |w| = sides[1].

    Raises:
        InvalidValueError: the set reaches an edge of the box that does not cut it.

    >>> paraboloid = Matrix([t, w, (t**2 + w**2) / 2])                # K = 1/(1 + r²)², √det F = √(1 + r²)
    >>> exact = sympy.pi * (2 ** sympy.Rational(3, 2) - 1) / 3        # the half disc r < 1
    >>> abs(curved_volume(paraboloid, 0.25, (1.1, 1.1)) - float(exact)) < 1e-3
    True
    """
    import numpy

    first = sides[0] * (numpy.arange(cells) + 0.5) / cells
    second = sides[1] * (2 * (numpy.arange(cells) + 0.5) / cells - 1)
    normal = mean.diff(t).cross(mean.diff(w))
    curvature = sympy.lambdify((t, w), gauss_curvature(mean), "numpy")(first[:, None], second[None, :])
    inside = numpy.abs(curvature) > level
    if inside[-1].any() or (not strip and inside[:, [0, -1]].any()):
        raise InvalidValueError(f"The set |K| > {level:.3g} reaches the edge of the box {sides}. Take a larger box.")
    determinant = sympy.lambdify((t, w), normal.dot(normal), "numpy")(first[:, None], second[None, :])
    return float(numpy.sqrt(determinant[inside]).sum()) * 2 * sides[0] * sides[1] / cells**2
