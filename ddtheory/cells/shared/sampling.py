"""Draws data from the true model of a cell, and the loss that an estimator lowers on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ddtheory.errors import InvalidValueError

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Problem


@runtime_checkable
class Law(Protocol):
    """A head that draws its own labels and knows its own loss."""

    def labels(self, outputs: Tensor, generator: Any) -> Tensor:
        """One label a row of outputs."""
        ...

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """−log p(label | outputs) for each row, up to a term without the outputs."""
        ...


@dataclass(frozen=True, eq=False)
class Sample:
    """Data from the true model.

    Attributes:
        problem: the torch face that they were drawn from.
        inputs: one row a sample.
        labels: of the shape of the outputs; class numbers for a categorical head; sufficient statistics for an
            exponential family; nothing for a density, whose sample is the input.
    """

    problem: Problem
    inputs: Tensor
    labels: Tensor

    def loss(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """−log p(label | input, θ) for each sample, in nats, up to a term without θ; parameters left out are true.

        Its mean minus the mean at the truth estimates K(θ) without bias.
        """
        import torch

        from ddtheory.measure import Categorical, Density, ExponentialFamily, Gaussian

        outputs, head = self.problem.outputs(parameters, self.inputs), self.problem.head
        match head:
            case Gaussian():
                return (outputs - self.labels).square().reshape(len(outputs), -1).sum(1) / (2 * head.variance)
            case Categorical():
                logs = torch.log_softmax(outputs, dim=-1)
                return -logs.gather(-1, self.labels.unsqueeze(-1)).reshape(len(outputs), -1).sum(1)
            case Density():
                return -outputs.reshape(-1)
            case ExponentialFamily():
                partition = head.log_partition(outputs).reshape(len(outputs), -1).sum(1)
                return partition - (outputs * self.labels).reshape(len(outputs), -1).sum(1)
        if isinstance(head, Law):
            return head.loss(outputs, self.labels)
        raise InvalidValueError(f"A {type(head).__name__} head has no law to draw labels from.")


def draw(problem: Problem, count: int, seed: int, statistic: Callable[[Tensor, Any], Tensor] | None = None) -> Sample:
    """`count` samples of the true model: inputs from the data of the problem by weight, labels from its head.

    Raises:
        InvalidValueError: count < 1, or a head without a law.
    """
    import torch

    from ddtheory.measure import Categorical, Density, Gaussian

    if count < 1:
        raise InvalidValueError(f"The sample size is {count}; ask for at least 1.")
    generator = torch.Generator().manual_seed(seed)
    batches = list(problem.batches())
    inputs, weights = torch.cat([batch for batch, _ in batches]), torch.cat([weight for _, weight in batches])
    if isinstance(problem.head, Density):
        weights = weights * torch.exp(problem.truth_outputs(inputs)).reshape(-1)
    inputs = inputs[torch.multinomial(weights, count, replacement=True, generator=generator)]
    outputs = problem.truth_outputs(inputs)
    if isinstance(problem.head, Density):
        return Sample(problem, inputs, torch.empty(0))
    if isinstance(problem.head, Gaussian):
        noise = torch.randn(outputs.shape, generator=generator, dtype=outputs.dtype)
        return Sample(problem, inputs, outputs + problem.head.variance**0.5 * noise)
    if isinstance(problem.head, Categorical):
        law = torch.softmax(outputs, dim=-1).reshape(-1, outputs.shape[-1])
        classes = torch.multinomial(law, 1, generator=generator)
        return Sample(problem, inputs, classes.reshape(outputs.shape[:-1]))
    if isinstance(problem.head, Law):
        return Sample(problem, inputs, problem.head.labels(outputs, generator))
    if statistic is None:
        raise InvalidValueError("This head has no sampler; give the statistic that draws its labels.")
    return Sample(problem, inputs, statistic(outputs, generator))
