"""What is measured: a model, its true parameter, the data and the head."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import shown
from ddtheory.measure.heads.heads import Density, Head
from ddtheory.measure.heads.losses import as_head
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.setting.batch import Inputs, Labelled, described, samples_of
from ddtheory.measure.setting.data import check_data, data_in_words, in_dtype, mask_of, raw_batches
from ddtheory.measure.setting.direction import Direction, unit_direction
from ddtheory.measure.setting.modules import ModuleFunction, check_still, private_copy
from ddtheory.measure.setting.parameters import checked, flatten, orthogonal, replaced, unflatten
from ddtheory.measure.setting.totals import check_mass, labels_per_sample
from ddtheory.measure.setting.trial import ADVICE, Model, check_head, check_model


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """A statistical model near a true parameter: K(θ) = E_x KL(p(·|x, θ0) ‖ p(·|x, θ)), with the x given.

    Attributes:
        model: (parameters, inputs) ↦ outputs (batch, …), a pure function, differentiable in forward mode.
        truth: θ0 by name, real floating tensors of one dtype (float64 unless rounding is the subject) and
            device. A detached copy is kept.
        inputs: a tensor whose first dimension runs over samples; several of them as a mapping from the names by which
            the model takes them, {"input_ids": …, "attention_mask": …}; or something that can be iterated again and
            again and yields either, or (inputs, targets, …) tuples, such as a DataLoader. Targets are
            ignored: labels are drawn from the model. Floating inputs are cast to the dtype of the parameters.
        head: what outputs mean; see `ddtheory.measure.heads`.
        weights: one quadrature weight ≥ 0 a sample, used as given; default 1/n each. Needs inputs in a known
            order: a tensor, a list or a tuple.
        batch_size: samples a step when inputs are tensors; default all at once.
        mask: which outputs have a label, (samples, positions, …) of truth values or of zeros and ones, over the first
            axes of the outputs; or the name of an input that is one, "attention_mask", which the model gets too. All
            others, such as padding, are left out of F and of K. Default all.
        per: "sample" sums over the labels of a sample, a sequence being one sample of its law, and takes the mean over
            samples; "label" divides by the number of labels that the mask leaves, the mean over tokens.

    Raises:
        MeasurementError: no data, a one-shot iterator, NaN or infinite numbers, outputs that are not one row
            a sample, that change from call to call or depend on other samples of the batch, a model that overwrites its
            inputs, a mask that leaves no label or covers other axes, a density that does not integrate to one.
        InvalidValueError: a model, parameters, data, head, weights, mask or batch size that are none.

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
    inputs: Tensor | Mapping[str, Tensor] | Iterable[Any]
    head: Head
    weights: Tensor | None = None
    batch_size: int | None = None
    mask: str | Tensor | None = None
    per: str = "sample"
    _share: float = field(default=1.0, init=False)

    def __post_init__(self) -> None:
        if not callable(self.model):
            raise InvalidValueError(
                f"The model is {shown(self.model)}; give a function (parameters, inputs) ↦ outputs, or a module to "
                "Problem.from_module."
            )
        object.__setattr__(self, "truth", checked(self.truth))
        as_head(self.head)
        given = (self.inputs, self.batch_size, self.weights, self.mask, self.per)
        for name, value in check_data(*given, like=next(iter(self.truth.values()))).items():
            object.__setattr__(self, name, value)
        with measuring():
            first, _ = next(self.batches())
            check_head(self.head, check_model(self._run, self.truth, first))
            if self.mask is not None:
                labels = labels_per_sample(self.batches(), self.total)
                object.__setattr__(self, "_share", 1.0 / labels if self.per == "label" else 1.0)
            if isinstance(self.head, Density):
                check_mass(self.batches(), self.total, self.truth_outputs)

    def __repr__(self) -> str:
        model = getattr(self.model, "__name__", None) or repr(self.model)
        tensors = f"{len(self.truth)} tensor{'s' if len(self.truth) > 1 else ''}"
        kind = str(self.dtype).removeprefix("torch.")
        weighted = ", weighted" if self.weights is not None else ""
        weighted += "" if self.mask is None else f", masked, per {self.per}"
        parameters = f"{self.dimension} parameters in {tensors} of {kind} on {self.device}"
        return (
            f"Problem({model[:60]}, {parameters}, {data_in_words(self.inputs)}{weighted}, {type(self.head).__name__})"
        )

    @classmethod
    def from_module(
        cls,
        module: nn.Module,
        inputs: Tensor | Mapping[str, Tensor] | Iterable[Any],
        head: Head,
        *,
        output: str | int | None = None,
        dtype: torch.dtype = torch.float64,
        batch_size: int | None = None,
        weights: Tensor | None = None,
        mask: str | Tensor | None = None,
        per: str = "sample",
    ) -> Problem:
        """The problem whose true parameter is where `module` stands.

        The module is copied: its parameters, buffers, dtype and mode stay as they are, and training it later
        does not move the problem. Parameters and floating buffers of the copy are cast to `dtype`, so a
        float32 checkpoint is measured in float64; complex ones are cast to its complex dtype. A complex parameter of
        shape s is measured in real coordinates, its real and imaginary parts along a last axis: `truth` and directions
        have shape (*s, 2) there.

        Args:
            inputs: as in `Problem`; several by the names that `forward` has for them. So a model of `transformers` is
                read as it is: inputs={"input_ids": ids, "attention_mask": seen}, output="logits",
                mask="attention_mask".
            output: which output is meant where the module returns several: the key or the attribute of that name, or
                the place in a tuple.
            weights, mask, per: as in `Problem`.

        Raises:
            InvalidValueError: no module, no head, or a dtype that is not real and floating.
            MeasurementError: no parameters; no output of that name; a buffer that a call changes; a submodule in
                training mode that is random or normalises by its batch; a scripted, compiled, lazy or meta module, a
                wrapper over devices; and see `Problem`.

        >>> from ddtheory.measure import Gaussian
        >>> layer = nn.Linear(2, 1)
        >>> problem = Problem.from_module(layer, torch.eye(2), Gaussian())
        >>> list(problem.truth), problem.dtype, layer.weight.dtype
        (['weight', 'bias'], torch.float64, torch.float32)
        """
        as_head(head)  # the cheapest check first
        function = ModuleFunction(private_copy(module, dtype), output)
        before = function.buffers()
        problem = cls(function, function.truth(), inputs, head, weights, batch_size, mask, per)
        check_still(before, function.buffers())
        return problem

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

    @property
    def tied(self) -> Mapping[str, str]:
        """Other names of shared parameters → the name by which they go here."""
        return self.model.tied if isinstance(self.model, ModuleFunction) else {}

    def unit(self, direction: Direction) -> dict[str, Tensor]:
        """A direction as blocks by name, scaled to unit length; see `unit_direction`."""
        return unit_direction(self.truth, direction, self.tied)

    def at(self, parameters: Mapping[str, Tensor] | None) -> dict[str, Tensor]:
        """All parameters, those given in the place of the true ones.

        Raises:
            InvalidValueError: an unknown name, another shape, NaN, infinite or complex numbers.
        """
        return replaced(self.truth, parameters, self.tied)

    def flat(self, direction: Direction) -> Tensor:
        """A direction as a unit vector of shape (d,), in parameter order."""
        named = self.unit(direction)
        return flatten({name: named.get(name, torch.zeros_like(value)) for name, value in self.truth.items()})

    def in_basis(self, basis: Tensor) -> Problem:
        """The same problem in rotated flat coordinates φ = Qθ, so θ = Qᵀφ; Q orthogonal, shape (d, d).

        It has one parameter, "rotated", of shape (d,). The direction u of this problem is Qu there
        (`basis @ problem.flat(u)`): carried along, it has the same Fisher uᵀFu. The axis of the same number
        is another direction.

        Raises:
            InvalidValueError: Q is not a real orthogonal (d, d) matrix.
        """
        rotation = orthogonal(basis, self.dimension, next(iter(self.truth.values())))
        origin = flatten(self.truth)
        start = rotation @ origin

        def rotated(parameters: Mapping[str, Tensor], inputs: Any) -> Tensor:
            # θ0 + Qᵀ(φ − φ0), not Qᵀφ: exact zeros of the true parameter stay exact
            flat = origin + rotation.mT @ (parameters["rotated"] - start)
            return self.model(unflatten(flat, self.truth), inputs)

        data = (self.inputs, self.head, self.weights, self.batch_size, self.mask, self.per)
        return Problem(rotated, {"rotated": start}, *data)

    def batches(self) -> Iterator[tuple[Any, Tensor]]:
        """One pass over the data: inputs of b samples, as the model takes them, and weights (b,).

        Inputs are a tensor (b, …) or tensors by name, beside their mask where the problem has one. Weights are 1 when
        none were given, and for a mean over labels the share of a sample in one. Divide sums by `total(samples seen)`.
        """
        start = 0
        for raw in raw_batches(self.inputs, self.batch_size):
            samples = samples_of(raw)
            if samples == 0:
                continue
            inputs = in_dtype(raw, self.dtype, self.device)
            stop = start + samples
            if self.mask is not None:
                mask = mask_of(raw, self.mask) if isinstance(self.mask, str) else self.mask[start:stop]
                inputs = Labelled(inputs, mask.to(self.device))
            if self.weights is None:
                yield inputs, torch.full((samples,), self._share, dtype=self.dtype, device=self.device)
            else:
                yield inputs, self._share * self.weights[start:stop]
            start = stop
        if start == 0:
            raise MeasurementError("The data are empty: there is no sample to measure on.")

    def total(self, samples: int) -> float:
        """What sums over weighted samples are divided by: n for equal weights, 1 for given weights."""
        return float(samples) if self.weights is None else 1.0

    def outputs(self, parameters: Mapping[str, Tensor], inputs: Inputs) -> Tensor:
        """The model at θ0 with some parameters replaced; outputs without a label are zero."""
        return self._run({**self.truth, **parameters}, inputs)

    def _run(self, parameters: Mapping[str, Tensor], inputs: Inputs) -> Tensor:
        if isinstance(inputs, Labelled):
            return inputs.only(self.model(parameters, inputs.inputs))
        return self.model(parameters, inputs)

    def in_metric(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        """Tangents in the metric of the head.

        Raises:
            MeasurementError: the head fails.
        """
        with self._head_runs(outputs):
            return self.head.whitened(outputs, tangents)

    def kl(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        """KL per sample between the laws at two outputs.

        Raises:
            MeasurementError: the head fails.
        """
        with self._head_runs(outputs):
            return self.head.divergence(truth_outputs, outputs)

    def _head_runs(self, outputs: Tensor) -> AbstractContextManager[None]:
        what = f"The head {type(self.head).__name__} fails on outputs of shape {tuple(outputs.shape)}"
        return borrowed(what, "They may lie outside the domain of the law: use smaller radii.")

    def truth_outputs(self, inputs: Inputs) -> Tensor:
        """The model at θ0.

        Raises:
            MeasurementError: the model fails on this batch.
        """
        with borrowed(f"The model failed on a batch of shape {described(inputs)}", ADVICE):
            return self.outputs({}, inputs)


def as_problem(value: object) -> Problem:
    """The value, if it is a problem.

    Raises:
        InvalidValueError: it is something else.
    """
    if isinstance(value, Problem):
        return value
    way = "Problem.from_module(module, inputs, head)" if isinstance(value, nn.Module) else "Problem"
    raise InvalidValueError(f"The problem is {shown(value)}. Make one with {way}.")
