"""Sparse parity by online gradient descent: a plateau, then the few inputs that matter are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from ddtheory import cells
from ddtheory.arguments import as_integer
from ddtheory.testbeds.bed import Bed, Transition, call_of, descend, generator, linear, mean_square, size_of
from ddtheory.testbeds.limit import Limit, joint_order

_LEARNT, _TESTS, _BATCH = 0.95, 2000, 32


def sparse_parity(seed: int = 0, *, inputs: int = 30, sparse: int = 3, hidden: int = 100, steps: int = 1500) -> Bed:
    """The product of the first few of many signs by a ReLU network, squared error, a fresh batch of 32 every step.

    Plain gradient descent of rate 0.05. No data are seen twice, so what is held out differs from the inputs of the bed
    only in the draw. The layers are "0", "1" (ReLU) and "2".

    Raises:
        InvalidValueError: sizes below 1, or more signs in the product than there are.
    """
    sparse = size_of(sparse, "sparse", least=1)
    inputs, hidden = size_of(inputs, "inputs", least=sparse), size_of(hidden, "hidden", least=1)
    steps, draw = size_of(steps, "steps", least=1), generator(seed)
    first = torch.randn(hidden, inputs, generator=draw, dtype=torch.float64) * (2 / inputs) ** 0.5
    last = torch.randn(1, hidden, generator=draw, dtype=torch.float64) / hidden**0.5

    def signs(size: int, source: torch.Generator) -> tuple[Tensor, Tensor]:
        found = (2 * torch.randint(2, (size, inputs), generator=source) - 1).double()
        return found, found[:, :sparse].prod(1, keepdim=True)

    (x, y), (fresh, fresh_y) = signs(_TESTS, draw), signs(_TESTS, draw)
    state = draw.get_state()

    def module() -> nn.Module:
        return nn.Sequential(
            linear(first, torch.zeros(hidden, dtype=torch.float64)),
            nn.ReLU(),
            linear(last, torch.zeros(1, dtype=torch.float64)),
        )

    def run() -> Iterator[tuple[int, nn.Module]]:
        network, source = module(), torch.Generator()
        source.set_state(state)  # every run sees the same batches

        def loss(net: nn.Module) -> Tensor:
            batch, labels = signs(_BATCH, source)
            return mean_square(net(batch), labels)

        return descend(network, torch.optim.SGD(network.parameters(), lr=0.05), loss, steps)

    def measured(network: nn.Module) -> Mapping[str, float]:
        with torch.no_grad():
            outputs = network(fresh)
            return {
                "held-out loss": float(mean_square(outputs, fresh_y)),
                "held-out accuracy": float((outputs.sign() == fresh_y).double().mean()),
            }

    def limit() -> Limit:
        return Limit(
            "Many units share the product, others are idle.",
            "No pair has been derived: the network is wider than it needs to be, and ReLU has kinks. The order is that "
            "of one ReLU unit at zero.",
            order=joint_order(cells.node_death(activation="relu")),
        )

    given = {"seed": as_integer(seed), "inputs": inputs, "sparse": sparse, "hidden": hidden, "steps": steps}
    return Bed(
        call_of("sparse_parity", given),
        {**given, "optimiser": "SGD", "rate": 0.05, "batch": _BATCH},
        Transition(
            f"accuracy on the held-out signs is above {_LEARNT}", lambda values: values["held-out accuracy"] > _LEARNT
        ),
        limit,
        module,
        x,
        y,
        (fresh, fresh_y),
        steps,
        25,
        run,
        measured,
    )
