"""Addition modulo a prime by a quadratic network: it fits the pairs that it sees, then it generalises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddtheory import cells
from ddtheory.arguments import as_integer
from ddtheory.testbeds.bed import (
    Bed,
    Transition,
    call_of,
    descend,
    finite_decay,
    generator,
    linear,
    mean_square,
    size_of,
)
from ddtheory.testbeds.limit import Limit, joint_order

_GENERALISES = 0.95


class Square(nn.Module):
    """φ(z) = z²."""

    def forward(self, z: Tensor) -> Tensor:
        return z.square()


def modular_addition(
    seed: int = 0, *, modulus: int = 23, hidden: int = 64, steps: int = 400, decay: float = 1.0
) -> Bed:
    """(a, b) ↦ a + b mod p by W₂ (W₁ x)², x two one-hot vectors, squared error on one-hot labels.

    Full-batch AdamW of rate 5e-3 on 60 % of all p² pairs; the others are held out. It fits within a hundred steps and
    generalises within a few hundred, with decay and without. The layers are "0" (W₁), "1" (the square) and "2" (W₂).

    Args:
        modulus: p, 5 or more.
        hidden: number of units.
        decay: weight decay of AdamW, which takes the share rate · decay of every weight at each step; 0 or more.

    Raises:
        InvalidValueError: sizes that are too small, or a decay that is none.
    """
    modulus, hidden = size_of(modulus, "modulus", least=5, most=500), size_of(hidden, "hidden", least=1)
    decay = finite_decay(decay)
    steps, draw = size_of(steps, "steps", least=1), generator(seed)
    first = torch.randn(hidden, 2 * modulus, generator=draw, dtype=torch.float64) / (2 * modulus) ** 0.5
    second = torch.randn(modulus, hidden, generator=draw, dtype=torch.float64) / hidden**0.5
    pairs = torch.cartesian_prod(torch.arange(modulus), torch.arange(modulus))
    data = torch.cat([F.one_hot(pairs[:, 0], modulus), F.one_hot(pairs[:, 1], modulus)], dim=1).double()
    sums = F.one_hot(pairs.sum(1) % modulus, modulus).double()
    order = torch.randperm(modulus**2, generator=draw)
    trained, others = order[: round(0.6 * modulus**2)], order[round(0.6 * modulus**2) :]
    x, y, fresh, fresh_y = data[trained], sums[trained], data[others], sums[others]

    def module() -> nn.Module:
        return nn.Sequential(linear(first), Square(), linear(second))

    def run() -> Iterator[tuple[int, nn.Module]]:
        network = module()
        optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3, weight_decay=decay)
        return descend(network, optimiser, lambda net: mean_square(net(x), y), steps)

    def measured(network: nn.Module) -> Mapping[str, float]:
        with torch.no_grad():
            return {
                "loss": float(mean_square(network(x), y)),
                "held-out loss": float(mean_square(network(fresh), fresh_y)),
                "accuracy": _accuracy(network(x), y),
                "held-out accuracy": _accuracy(network(fresh), fresh_y),
            }

    def limit() -> Limit:
        return Limit(
            "Units carry Fourier modes of the sum.",
            "Which modes, and how many units live, depends on the run; no pair has been derived. The order is that of "
            "one quadratic unit at zero.",
            order=joint_order(cells.node_death(activation="square")),
        )

    given = {"seed": as_integer(seed), "modulus": modulus, "hidden": hidden, "steps": steps, "decay": decay}
    return Bed(
        call_of("modular_addition", given),
        {**given, "optimiser": "AdamW", "rate": 5e-3, "trained": 0.6},
        Transition(
            f"accuracy on the held-out pairs is above {_GENERALISES}",
            lambda values: values["held-out accuracy"] > _GENERALISES,
        ),
        limit,
        module,
        x,
        y,
        (fresh, fresh_y),
        steps,
        10,
        run,
        measured,
    )


def _accuracy(outputs: Tensor, targets: Tensor) -> float:
    return float((outputs.argmax(1) == targets.argmax(1)).double().mean())
