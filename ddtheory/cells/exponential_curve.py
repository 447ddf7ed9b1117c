"""One-parameter exponential families along θ = t^k: the same order through another likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Symbol

from ddtheory.cells.shared.cell import Cell, SymbolicFace
from ddtheory.cells.shared.families import family as register
from ddtheory.cells.shared.routes import line_routes
from ddtheory.cells.shared.truth import Provenance
from ddtheory.errors import InvalidValueError, unknown
from ddtheory.exact.fluctuation.nu import singular_fluctuation
from ddtheory.references import cite

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Head, Problem

_t = Symbol("t", real=True)

LOG_PARTITIONS = {
    "bernoulli": lambda theta: sympy.log(1 + sympy.exp(theta)),
    "poisson": lambda theta: sympy.exp(theta),
    "gaussian": lambda theta: theta**2 / 2,
}
"""b(θ) of p(y|θ) ∝ exp(θ y − b(θ))."""


@register(*({"family": name, "k": k} for name in LOG_PARTITIONS for k in (1, 2, 3)))
def exponential_curve(name: str, /, family: str = "bernoulli", k: int = 2) -> Cell:
    """A one-parameter exponential family on the curve θ = t^k through θ = 0.

    K(t) = b(t^k) − b(0) − b'(0) t^k − … reversed: K = b(θ) − b(0) − b'(0)θ with θ = t^k (Bregman divergence of the
    log-partition b), and F(t) = k² t^{2k−2} b''(t^k) in the curve parameter. λ = 1/(2k), m = 1, ν = ν(k).

    Args:
        family: "bernoulli", "poisson" or "gaussian".
        k: order of the curve, at least 1.

    Raises:
        UnknownNameError: no such family.
        InvalidValueError: k is not a positive integer.

    >>> exponential_curve("poisson", 2).kl_order("t").leading
    1/2
    """
    if family not in LOG_PARTITIONS:
        raise unknown("exponential family", family, LOG_PARTITIONS)
    if not isinstance(k, int) or k < 1:
        raise InvalidValueError(f"The order k = {k!r} must be a positive integer.")
    theta = sympy.Dummy("theta", real=True)
    log_partition = LOG_PARTITIONS[family](theta)
    tangent = log_partition.subs(theta, 0) + log_partition.diff(theta).subs(theta, 0) * theta
    divergence = (log_partition - tangent).subs(theta, _t**k)

    def build(seed: int) -> Problem:
        del seed  # one input, nothing is drawn
        import torch

        from ddtheory.measure import Categorical, ExponentialFamily, Gaussian, Problem

        def natural(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
            return (parameters["t"] ** k).expand(inputs.shape[0], 1)

        def logits(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
            theta = natural(parameters, inputs)
            return torch.cat([torch.zeros_like(theta), theta], dim=1)

        heads: dict[str, Head] = {
            "bernoulli": Categorical(),
            "poisson": ExponentialFamily(torch.exp),
            "gaussian": Gaussian(1.0),
        }
        return Problem(
            logits if family == "bernoulli" else natural,
            {"t": torch.zeros(1, dtype=torch.float64)},
            torch.zeros(1, 1, dtype=torch.float64),
            heads[family],
        )

    return Cell(
        name,
        lambda: SymbolicFace(divergence, {_t: "t"}, (_t**k,)),
        {"t": {"t": 1}},
        cite("shirodkar2026dead", "thm:fisher_decay"),
        build,
        provenance=Provenance.PRIMARY,
        routes=line_routes(k),
        fluctuation=lambda digits: singular_fluctuation(k, digits=digits),
        statistic=_poisson_counts if family == "poisson" else None,
    )


def _poisson_counts(outputs: Tensor, generator: Any) -> Tensor:
    import torch

    return torch.poisson(torch.exp(outputs), generator=generator)
