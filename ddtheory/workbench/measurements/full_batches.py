"""What beds that train the problems of many seeds at once share: draws of a seed, and descent on full batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

Make = Callable[[nn.Module], torch.optim.Optimizer]


class Draws:
    """Numbers of one seed, in float64, in the order in which they are asked for."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self._generator, dtype=torch.float64)

    def signed(self, size: int) -> Tensor:
        """Uniform in [−1, 1)."""
        return 2 * torch.rand(size, generator=self._generator, dtype=torch.float64) - 1


def descend(losses: Callable[[], Tensor], optimizer: torch.optim.Optimizer, steps: int) -> Iterator[Tensor]:
    """The losses of the problems before each of the steps on their sum, and after the last. It trains as it is read."""
    for step in range(steps + 1):
        optimizer.zero_grad()
        with torch.enable_grad():
            found = losses()
            if step < steps:
                found.sum().backward()  # type: ignore[no-untyped-call]
        yield found.detach()
        if step < steps:
            optimizer.step()
