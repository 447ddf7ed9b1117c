"""Two Gaussian components, w N(m, 1) + (1 − w) N(0, 1): the boundary of the weight and curves through it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy

from ddtheory.errors import InvalidValueError

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Problem

_NODES = 160  # Gauss–Hermite nodes: exact for the polynomial factors here, and the tails are below rounding


def mixture_problem(weight: float, location: float) -> Problem:
    """The mixture w N(m, 1) + (1 − w) N(0, 1) at (w, m), by Gauss–Hermite quadrature; parameters "w" and "m".

    Expectations are sums over quadrature nodes, so there is no sampling noise. At w = 0 the parameter m is not
    identified; along a curve (w, m)(t) from there the model is smooth.

    Raises:
        InvalidValueError: w lies outside [0, 1].
    """
    if not 0 <= weight <= 1:
        raise InvalidValueError(f"The weight w = {weight} lies outside [0, 1].")
    import torch

    from ddtheory.measure import Density, Problem

    nodes, weights = _hermite()

    def log_density(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        x, w, m = inputs[:, 0], parameters["w"], parameters["m"]
        base = -0.5 * x**2 - 0.5 * float(numpy.log(2 * numpy.pi))
        # log(1 + w (r − 1)), r the likelihood ratio of the components: exact near w = 0
        return base + torch.log1p(w * torch.expm1(m * x - 0.5 * m**2))

    truth = {
        "w": torch.tensor([weight], dtype=torch.float64),
        "m": torch.tensor([location], dtype=torch.float64),
    }
    return Problem(log_density, truth, torch.tensor(nodes[:, None]), Density(), weights=torch.tensor(weights))


@cache
def _hermite() -> tuple[numpy.ndarray, numpy.ndarray]:
    """Nodes and Lebesgue weights: ∫ g dx ≈ Σ w_i g(x_i) for g = polynomial-like × e^{−x²/2}."""
    nodes, weights = numpy.polynomial.hermite_e.hermegauss(_NODES)
    kept = numpy.abs(nodes) < 12  # beyond, the weights underflow and e^{x²/2} overflows
    nodes, weights = nodes[kept], weights[kept]
    return nodes, weights * numpy.exp(nodes**2 / 2)
