"""Reduced-rank regression at the maximum likelihood, in closed form: the fourteen cells of the signature paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from ddtheory import cells
from ddtheory.arguments import as_integer
from ddtheory.errors import InvalidValueError, shown
from ddtheory.measure import Gaussian
from ddtheory.measure.doors import real_number
from ddtheory.testbeds.bed import Bed, call_of, generator, linear, mean_square, size_of
from ddtheory.testbeds.limit import Limit, joint_order


def reduced_rank(
    seed: int = 0,
    *,
    inputs: int = 10,
    hidden: int = 5,
    outputs: int = 5,
    rank: int = 2,
    samples: int = 1000,
    noise: float = 0.1,
) -> Bed:
    """y = B A x + noise at the maximum-likelihood estimate of rank ≤ H, with balanced factors, AAᵀ = BᵀB.

    The n inputs are orthonormal in the sample, XᵀX/n = I, so the least squares estimate is M̂ = YᵀX/n and the maximum
    likelihood keeps its H largest singular triples (Eckart and Young): A = S^{1/2}Vᵀ, B = U S^{1/2}. The true map has
    singular values 1. The layers are "0" (A), "1" (B) and "2", the identity, whose input is the output of the model.

    Args:
        hidden: H, at most the smaller of inputs and outputs.
        rank: r of the true map, from 1 to H.
        samples: n, at least the number of inputs.
        noise: standard deviation of the labels.

    Raises:
        InvalidValueError: sizes or ranks that do not fit.

    >>> bed = reduced_rank(hidden=3, rank=2)
    >>> bed.truth.live, bed.truth.dead, bed.truth.order, bed.truth.rlct == cells.reduced_rank(
    ...     inputs=10, hidden=3, outputs=5, rank=2).rlct
    (2, 1, 2, True)
    """
    inputs, outputs, rank = (
        size_of(v, n, least=1) for v, n in ((inputs, "inputs"), (outputs, "outputs"), (rank, "rank"))
    )
    hidden, samples = size_of(hidden, "hidden", least=rank), size_of(samples, "samples", least=inputs)
    if hidden > min(inputs, outputs):
        raise InvalidValueError(
            "hidden is larger than the number of inputs or of outputs. Such a map has no hidden rank."
        )
    noise = real_number("noise", noise)
    if not 1e-150 < noise < 1e150:  # its square is a variance
        raise InvalidValueError(
            f"noise is {shown(noise)}; it is the standard deviation of the labels, between 1e-150 and 1e150."
        )
    draw = generator(seed)
    true = _orthonormal(outputs, rank, draw) @ _orthonormal(inputs, rank, draw).mT
    x = _orthonormal(samples, inputs, draw) * samples**0.5
    y = x @ true.mT + noise * torch.randn(samples, outputs, generator=draw, dtype=torch.float64)
    fresh = torch.randn(samples, inputs, generator=draw, dtype=torch.float64)
    fresh_y = fresh @ true.mT + noise * torch.randn(samples, outputs, generator=draw, dtype=torch.float64)

    def module() -> nn.Module:
        left, values, right = torch.linalg.svd(y.mT @ x / samples, full_matrices=False)
        root = values[:hidden].sqrt()
        return nn.Sequential(linear(root[:, None] * right[:hidden]), linear(left[:, :hidden] * root), nn.Identity())

    def run() -> Iterator[tuple[int, nn.Module]]:
        yield 0, module()

    def measured(network: nn.Module) -> Mapping[str, float]:
        with torch.no_grad():
            return {
                "loss": float(mean_square(network(x), y)),
                "held-out loss": float(mean_square(network(fresh), fresh_y)),
            }

    def limit() -> Limit:
        cell = cells.reduced_rank(inputs=inputs, hidden=hidden, outputs=outputs, rank=rank)
        return Limit(
            "For n → ∞ the factors tend to balanced ones of rank r, the others to zero.",
            f"The cell {cell.name}: {cell.truth.status.value}.",
            live=rank,
            dead=hidden - rank,
            order=joint_order(cell),
            rlct=cell.rlct,
        )

    sizes = {"inputs": inputs, "hidden": hidden, "outputs": outputs, "rank": rank, "samples": samples}
    given = {"seed": as_integer(seed), **sizes, "noise": noise}
    return Bed(
        call_of("reduced_rank", given),
        {**given, "estimate": "closed form"},
        None,
        limit,
        module,
        x,
        y,
        (fresh, fresh_y),
        0,
        1,
        run,
        measured,
        Gaussian(noise**2),
    )


def _orthonormal(rows: int, columns: int, draw: torch.Generator) -> Tensor:
    return torch.linalg.qr(torch.randn(rows, columns, generator=draw, dtype=torch.float64)).Q
