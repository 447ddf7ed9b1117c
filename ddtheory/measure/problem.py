"""What is measured: a model, its true parameter, the data and the head."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.direction import Direction, unit_direction
from ddtheory.measure.heads import Density, Head
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.modules import ModuleFunction, private_copy
from ddtheory.measure.parameters import checked, flatten, unflatten

Model = Callable[[Mapping[str, Tensor], Tensor], Tensor]

MASS_TOLERANCE = 1e-6  # a density on nodes that misses more than this is not integrated well enough to be measured


@dataclass(frozen=True, eq=False)
class Problem:
    """A statistical model near a true parameter: K(θ) = E_x KL(p(·|x, θ0) ‖ p(·|x, θ)), with the x given.

    Attributes:
        model: (parameters, inputs) ↦ outputs (batch, …), a pure function, differentiable in forward mode.
        truth: θ0 by name, real floating tensors of one dtype (float64 unless rounding is the subject) and
            device. A detached copy is kept.
        inputs: a tensor whose first dimension runs over samples, or something that can be iterated again and
            again and yields such tensors or (inputs, targets, …) tuples, such as a DataLoader. Targets are
            ignored: labels are drawn from the model. Floating inputs are cast to the dtype of the parameters.
        head: what outputs mean; see `ddtheory.measure.heads`.
        weights: one quadrature weight ≥ 0 a sample, used as given; default 1/n each. Needs inputs in a known
            order: a tensor, a list or a tuple.
        batch_size: samples a step when inputs is a tensor; default all at once.

    Raises:
        MeasurementError: no data, a one-shot iterator, NaN or infinite numbers, outputs that are not one row
            a sample or that change from call to call, a density that does not integrate to one.
        InvalidValueError: weights or batch size that mean nothing.

    >>> from ddtheory.measure import Gaussian
    >>> problem = Problem(
    ...     model=lambda parameters, x: parameters["t"] ** 2 * x,
    ...     truth={"t": torch.zeros(1, dtype=torch.float64)},
    ...     inputs=torch.ones(1, 1, dtype=torch.float64),
    ...     head=Gaussian(),
    ... )
    >>> problem.dimension, problem.truth_outputs(problem.inputs).item()
    (1, 0.0)
    """

    model: Model
    truth: Mapping[str, Tensor]
    inputs: Tensor | Iterable[Any]
    head: Head
    weights: Tensor | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "truth", checked(self.truth))
        self._check_data()
        with measuring():
            first, _ = next(self.batches())
            self._check_outputs(first)
            if isinstance(self.head, Density):
                self._check_mass()

    @classmethod
    def from_module(
        cls,
        module: nn.Module,
        inputs: Tensor | Iterable[Any],
        head: Head,
        *,
        dtype: torch.dtype = torch.float64,
        batch_size: int | None = None,
        weights: Tensor | None = None,
    ) -> Problem:
        """The problem whose true parameter is where `module` stands.

        The module is copied: its parameters, buffers, dtype and mode stay as they are, and training it later
        does not move the problem. Parameters and floating buffers of the copy are cast to `dtype`, so a
        float32 checkpoint is measured in float64.

        >>> from ddtheory.measure import Gaussian
        >>> layer = nn.Linear(2, 1)
        >>> problem = Problem.from_module(layer, torch.eye(2), Gaussian())
        >>> list(problem.truth), problem.dtype, layer.weight.dtype
        (['weight', 'bias'], torch.float64, torch.float32)
        """
        own = private_copy(module, dtype)
        return cls(ModuleFunction(own), dict(own.named_parameters()), inputs, head, weights, batch_size)

    @property
    def dimension(self) -> int:
        """Number of scalar parameters d."""
        return sum(value.numel() for value in self.truth.values())

    @property
    def dtype(self) -> torch.dtype:
        return next(iter(self.truth.values())).dtype

    @property
    def device(self) -> torch.device:
        return next(iter(self.truth.values())).device

    def flat(self, direction: Direction) -> Tensor:
        """A direction as a unit vector of shape (d,), in parameter order."""
        named = unit_direction(self.truth, direction)
        return flatten({name: named.get(name, torch.zeros_like(value)) for name, value in self.truth.items()})

    def in_basis(self, basis: Tensor) -> Problem:
        """The same problem in rotated flat coordinates φ = Qθ, so θ = Qᵀφ; Q orthogonal, shape (d, d).

        It has one parameter, "rotated", of shape (d,). The direction u of this problem is Qu there
        (`basis @ problem.flat(u)`): carried along, it has the same Fisher uᵀFu. The axis of the same number
        is another direction.

        Raises:
            InvalidValueError: Q is not a real orthogonal (d, d) matrix.
        """
        rotation = basis.detach().to(dtype=self.dtype, device=self.device)
        size = self.dimension
        if tuple(rotation.shape) != (size, size):
            raise InvalidValueError(
                f"The basis has shape {tuple(basis.shape)}; {size} parameters need ({size}, {size})."
            )
        identity = torch.eye(size, dtype=self.dtype, device=self.device)
        defect = float((rotation @ rotation.mT - identity).abs().max())
        if not defect <= 100 * size * torch.finfo(self.dtype).eps:
            raise InvalidValueError(
                f"The basis is not orthogonal: QQᵀ differs from the identity by {defect:.2g}. "
                "Take Q from torch.linalg.qr in float64."
            )
        origin = flatten(self.truth)
        start = rotation @ origin

        def rotated(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
            # θ0 + Qᵀ(φ − φ0), not Qᵀφ: exact zeros of the true parameter stay exact
            flat = origin + rotation.mT @ (parameters["rotated"] - start)
            return self.model(unflatten(flat, self.truth), inputs)

        return Problem(rotated, {"rotated": start}, self.inputs, self.head, self.weights, self.batch_size)

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over the data: inputs (b, …) and weights (b,); weights are 1 when none were given.

        Divide sums by `total(samples seen)`.
        """
        start = 0
        for inputs in self._raw_batches():
            if inputs.shape[0] == 0:
                continue
            if inputs.is_floating_point():
                inputs = inputs.to(self.dtype)
            inputs = inputs.to(self.device)
            if inputs.is_floating_point() and not bool(torch.isfinite(inputs).all()):
                raise MeasurementError("The inputs contain NaN or infinite numbers. Clean the data first.")
            stop = start + inputs.shape[0]
            if self.weights is None:
                yield inputs, torch.ones(inputs.shape[0], dtype=self.dtype, device=self.device)
            else:
                yield inputs, self.weights[start:stop]
            start = stop
        if start == 0:
            raise MeasurementError("The data are empty: there is no sample to measure on.")

    def total(self, samples: int) -> float:
        """What sums over weighted samples are divided by: n for equal weights, 1 for given weights."""
        return float(samples) if self.weights is None else 1.0

    def outputs(self, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """The model at θ0 with some parameters replaced."""
        return self.model({**self.truth, **parameters}, inputs)

    def truth_outputs(self, inputs: Tensor) -> Tensor:
        """The model at θ0."""
        return self.outputs({}, inputs)

    def _raw_batches(self) -> Iterator[Tensor]:
        if isinstance(self.inputs, Tensor):
            yield from torch.split(self.inputs.detach(), self.batch_size or max(1, self.inputs.shape[0]))
            return
        for item in self.inputs:
            inputs = cast("Sequence[object]", item)[0] if isinstance(item, tuple | list) and item else item
            if not isinstance(inputs, Tensor) or inputs.ndim == 0:
                raise MeasurementError(
                    f"The data yield {type(inputs).__name__}, not a tensor of samples. "
                    "Yield tensors or (inputs, targets) tuples; wrap the model if it needs several inputs."
                )
            yield inputs.detach()

    def _check_data(self) -> None:
        if isinstance(self.inputs, Iterator):
            raise MeasurementError(
                f"The data are a one-shot iterator ({type(self.inputs).__name__}), used up after one pass. "
                "Pass a tensor, a list, a DataLoader or another object that can be iterated again."
            )
        if isinstance(self.inputs, Tensor) and self.inputs.ndim == 0:
            raise MeasurementError("The inputs are a single number. Give them a first dimension over samples.")
        if self.batch_size is not None and (self.batch_size < 1 or not isinstance(self.inputs, Tensor)):
            raise InvalidValueError(
                f"batch_size = {self.batch_size} splits a tensor into steps of that many samples (at least "
                "1); an iterable already comes in batches. Leave it out."
            )
        if self.weights is None:
            return
        if not isinstance(self.inputs, Tensor | list | tuple):
            raise InvalidValueError(
                "Weights need samples in a known order, and an iterable may shuffle. Pass a tensor, list or tuple."
            )
        weights = self.weights.detach().to(dtype=self.dtype, device=self.device)
        samples = sum(inputs.shape[0] for inputs in self._raw_batches())
        if tuple(weights.shape) != (samples,):
            raise InvalidValueError(f"There are {samples} samples but weights of shape {tuple(weights.shape)}.")
        if not bool((weights >= 0).all()) or not 0 < float(weights.sum()) < math.inf:
            raise InvalidValueError("Weights must be finite, none negative and not all zero.")
        object.__setattr__(self, "weights", weights)

    def _check_outputs(self, inputs: Tensor) -> None:
        try:
            outputs = cast("object", self.truth_outputs(inputs))
            again = self.truth_outputs(inputs)
        except (RuntimeError, TypeError, ValueError, IndexError, KeyError) as error:
            raise MeasurementError(
                f"The model failed on the first batch, inputs {tuple(inputs.shape)} {inputs.dtype}: {error} "
                "Check shapes, and that tensors held outside parameters and buffers have the right dtype."
            ) from error
        if not isinstance(outputs, Tensor) or outputs.ndim == 0 or outputs.shape[0] != inputs.shape[0]:
            what = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
            raise MeasurementError(
                f"The model returns {what} for {inputs.shape[0]} samples. It must return one tensor whose "
                "first dimension runs over samples; wrap it if it returns more."
            )
        if not bool(torch.isfinite(outputs).all()):
            raise MeasurementError("The model is NaN or infinite at the true parameter.")
        if not torch.equal(outputs, again):
            raise MeasurementError(
                "The model gives two answers on the same batch, so no derivative of it means anything. "
                "Look for dropout, sampling or state that a call changes; call module.eval()."
            )

    def _check_mass(self) -> None:
        mass, samples = 0.0, 0
        for inputs, weights in self.batches():
            mass += float((weights * torch.exp(self.truth_outputs(inputs)).reshape(-1)).sum())
            samples += inputs.shape[0]
        mass /= self.total(samples)
        if not abs(mass - 1) <= MASS_TOLERANCE:
            raise MeasurementError(
                f"The density integrates to {mass:.8g} over the nodes, not to 1. Outputs must be log p at "
                "the nodes and weights those of the base measure; give more nodes or a wider range."
            )
