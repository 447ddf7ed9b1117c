"""Gaussian mixtures in one dimension: the boundary of a weight, and components that fall together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import numpy
import sympy
from sympy import Rational, Symbol

from ddtheory.arguments import as_float
from ddtheory.cells.shared.blocks import at_least, vector
from ddtheory.cells.shared.cell import Cell, Relation, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form, newton, pure_powers
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.intersection import transversal_crossing
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Problem

_NODES = 160  # Gauss–Hermite nodes: exact for the polynomial factors here, and the tails are below rounding


def mixture_problem(weight: float, location: float) -> Problem:
    """The mixture w N(m, 1) + (1 − w) N(0, 1) at (w, m), by Gauss–Hermite quadrature; parameters "w" and "m".

    Expectations are sums over quadrature nodes, so there is no sampling noise. At w = 0 the parameter m is not
    identified; along a curve (w, m)(t) from there the model is smooth.

    Raises:
        InvalidValueError: w lies outside [0, 1], or one of the two is no number.
    """
    weight, location = as_float(weight, "The weight w"), as_float(location, "The location m")
    if not 0 <= weight <= 1:
        raise InvalidValueError(f"The weight w = {weight} lies outside [0, 1].")
    if not math.isfinite(location):
        raise InvalidValueError(f"The location m = {location} is not finite.")
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


@family()
def mixture_fixed(name: str, /) -> Cell:
    """w N(b, 1) + (1 − w) N(0, 1) with one component held at the truth, at w = b = 0.

    The χ² divergence is w²(e^{b²} − 1), and K is asymptotically half of it, so K ≍ (w b)²: both axes are flat, the
    diagonal has order 2, λ = 1/2, m = 2. The weight lies on its boundary, which a monomial does not notice.

    Source: Watanabe 2009, Section 7.3; the pair is derived here.

    >>> mixture_fixed().rlct, mixture_fixed().kl_order("joint", arc=False).k
    (RLCT(lam=Fraction(1, 2), m=2), 2)
    """
    weight, location = Symbol("w", real=True), Symbol("b", real=True)
    line = RLCT(Fraction(1, 2))
    return Cell(
        name,
        lambda: SymbolicFace(
            weight**2 * (sympy.exp(location**2) - 1) / 2, {weight: "w", location: "m"}, (weight * location,)
        ),
        {"joint": {"w": 1, "b": 1}, "weight": {"w": 1}, "location": {"b": 1}},
        cite("watanabe2009", "Section 7.3"),
        lambda seed: mixture_problem(0.0, 0.0),
        boundary=(weight,),
        relation=Relation.ASYMPTOTIC,
        routes=(
            closed_form("λ = 1/2, m = 2", lambda: RLCT(Fraction(1, 2), 2)),
            newton("e^{b²} − 1 is b² times a unit", [(1, 1)]),
            Route("typed intersection", "crossing of two lines", lambda: transversal_crossing(line, line)),
        ),
    )


@family({"components": 2}, {"components": 3}, {"components": 4})
def mixture(name: str, /, *, components: int = 2) -> Cell:
    """Σ_i w_i N(b_i, 1) with H components and free weights, at equal weights and b = 0: the truth is one component.

    With the moments M_k = Σ w_i b_i^k, K ~ ½ Σ_k M_k²/k!, and M_k, k ≥ 3, is small against M_2: K ~ ½(M_1² + M_2²/2).
    M_1 is regular, M_2 a positive definite form in the other H − 1 locations, the weights are flat:
    λ = ½ + (H − 1)/4 = (3r + H − 2)/4 at r = 1, m = 1.

    Args:
        components: H, at least 2.

    Source: the closed form of third-party code for strongly identifiable families; derived here at r = 1.

    Raises:
        InvalidValueError: fewer than two components.

    >>> mixture(components=3).rlct
    RLCT(lam=Fraction(1, 1), m=1)
    """
    at_least(components, 2, "The number of components")
    locations, location_names = vector("b", "location", components)
    shifts, shift_names = vector("w", "weight", components - 1)

    def face() -> SymbolicFace:
        weights = [Rational(1, components) + shift for shift in shifts]
        weights.append(1 - sympy.Add(*weights))
        moments = [sympy.Add(*[w * b**power for w, b in zip(weights, locations, strict=True)]) for power in (1, 2)]
        first, second = moments
        return SymbolicFace((first**2 + second**2 / 2) / 2, location_names | shift_names, (first, second))

    apart = {locations[0].name: 1, locations[1].name: -1}
    extra = components - 1
    return Cell(
        name,
        face,
        {
            "apart": apart,
            "together": {b.name: 1 for b in locations},
            "weight": {shifts[0].name: 1},
        },
        cite("watanabe2009", "Section 7.3"),
        lambda seed: _mixture(components),
        Size(2 * components - 1, 2),
        relation=Relation.ASYMPTOTIC,
        provenance=Provenance.CODE,
        routes=(
            closed_form("λ = (3r + H − 2)/4, m = 1, at r = 1", lambda: RLCT(Fraction(components + 1, 4))),
            newton(
                "M_1 is regular, and M_2 on M_1 = 0 is a positive definite form, with the closure of all b_i²",
                pure_powers(extra, 2),
                regular=1,
            ),
        ),
        remark="Each extra component adds 1/4, and not the 1/2 of a regular parameter.",
    )


def _mixture(components: int) -> Problem:
    import torch

    from ddtheory.measure import Density, Problem

    nodes, weights = _hermite()

    def log_density(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        x, b = inputs[:, :1], parameters["location"]
        share = 1 / components + parameters["weight"]
        shares = torch.cat([share, 1 - share.sum().reshape(1)])
        ratio = torch.expm1(b * x - b**2 / 2)  # of each component to N(0, 1), less 1
        base = -0.5 * inputs[:, 0] ** 2 - 0.5 * float(numpy.log(2 * numpy.pi))
        return base + torch.log1p((shares * ratio).sum(dim=1))

    truth = {
        "location": torch.zeros(components, dtype=torch.float64),
        "weight": torch.zeros(components - 1, dtype=torch.float64),
    }
    return Problem(log_density, truth, torch.tensor(nodes[:, None]), Density(), weights=torch.tensor(weights))
