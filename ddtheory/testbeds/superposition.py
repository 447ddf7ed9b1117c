"""The toy model of superposition: features arrange themselves in a polygon, and no unit dies. A negative control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddtheory.arguments import as_integer
from ddtheory.testbeds.bed import Bed, Transition, call_of, descend, generator, mean_square, size_of
from ddtheory.testbeds.limit import Limit

_KEPT, _CORNERS, _TESTS, _BATCH = 1.0, 5, 2000, 256


class Tied(nn.Module):
    """x ↦ relu(WᵀWx + b): one weight that is read twice, and one layer, "output", the ReLU."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.clone())
        self.bias = nn.Parameter(torch.zeros(weight.shape[1], dtype=torch.float64))
        self.output = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.output(x @ self.weight.mT @ self.weight + self.bias)
        return found


def superposition(seed: int = 0, *, features: int = 6, hidden: int = 2, steps: int = 2000) -> Bed:
    """One feature at a time, uniform on [0, 1], through two hidden units and back: relu(WᵀWx + b), squared error.

    Gradient descent of rate 0.05 on fresh batches of 256. Five features take the corners of a pentagon at about step
    1000; both hidden units live, so a monitor that calls a death here is wrong. The layer is "output", the ReLU.

    Raises:
        InvalidValueError: sizes below 1, or fewer than five features.
    """
    features, hidden = size_of(features, "features", least=_CORNERS), size_of(hidden, "hidden", least=1)
    steps, draw = size_of(steps, "steps", least=1), generator(seed)
    start = 0.1 * torch.randn(hidden, features, generator=draw, dtype=torch.float64)

    def batch(size: int, source: torch.Generator) -> Tensor:
        which = torch.randint(features, (size,), generator=source)
        return F.one_hot(which, features).double() * torch.rand(size, 1, generator=source, dtype=torch.float64)

    x, fresh = batch(_TESTS, draw), batch(_TESTS, draw)
    state = draw.get_state()

    def module() -> nn.Module:
        return Tied(start)

    def run() -> Iterator[tuple[int, nn.Module]]:
        network, source = module(), torch.Generator()
        source.set_state(state)  # every run sees the same batches

        def loss(net: nn.Module) -> Tensor:
            data = batch(_BATCH, source)
            return mean_square(net(data), data)

        return descend(network, torch.optim.SGD(network.parameters(), lr=0.05), loss, steps)

    def measured(network: nn.Module) -> Mapping[str, float]:
        with torch.no_grad():
            weight = network.get_parameter("weight")
            return {
                "held-out loss": float(mean_square(network(fresh), fresh)),
                "corners": float((weight.norm(dim=0) > _KEPT).sum()),
                "smallest singular value of W": float(torch.linalg.svdvals(weight)[-1]),
            }

    def limit() -> Limit:
        return Limit(
            "Five features at the corners of a pentagon, the others dropped; every hidden unit lives.",
            "Not realisable, so K is measured from the best map of this kind, and no pair has been derived at it.",
            live=hidden,
            dead=0,
        )

    given = {"seed": as_integer(seed), "features": features, "hidden": hidden, "steps": steps}
    return Bed(
        call_of("superposition", given),
        {**given, "optimiser": "SGD", "rate": 0.05, "batch": _BATCH},
        Transition(f"{_CORNERS} features are longer than {_KEPT}", lambda values: values["corners"] == _CORNERS),
        limit,
        module,
        x,
        x,
        (fresh, fresh),
        steps,
        20,
        run,
        measured,
    )
