"""The Kronecker factors of all layers of a module, from passes that the layers share, and what has none and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.errors import MeasurementError, clipped, unknown
from ddtheory.measure.batch import Inputs
from ddtheory.measure.doors import listed, several
from ddtheory.measure.factor import Factor
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.kronecker import KroneckerFactors, check_own, read_rows
from ddtheory.measure.labels import NoisyTargets, cotangents
from ddtheory.measure.layers import one_to_one, pull_back, submodules, with_hooks
from ddtheory.measure.problem import Problem, as_problem
from ddtheory.measure.spectra import finished, weighted_rows
from ddtheory.measure.tables import html_table
from ddtheory.measure.unfolding import called, check_width, gradient_rows
from ddtheory.shown import Shown, counted, in_words, shortened


@dataclass(frozen=True, eq=False, repr=False)
class LayerFactors(Mapping[str, KroneckerFactors], Shown):
    """The Kronecker factors by layer, a mapping, and the layers with parameters that have none.

    Attributes:
        found: layer → its factors, in the order in which they were asked for.
        left_out: layer → why its parameters have no factors here. The module itself is "".
    """

    found: Mapping[str, KroneckerFactors]
    left_out: Mapping[str, str]

    def __post_init__(self) -> None:
        for name in ("found", "left_out"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __getitem__(self, layer: str) -> KroneckerFactors:
        if layer not in self.found and layer in self.left_out:
            raise KeyError(f"{layer!r} was left out: {self.left_out[layer]}")
        return self.found[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __repr__(self) -> str:
        reasons = f": {_reasons(self.left_out)}" if self.left_out else ""
        return f"LayerFactors({shortened(f'{len(self.found)} layers, {len(self.left_out)} left out{reasons}', 160)})"

    def latex(self) -> str:
        return in_words(f"{counted(len(self.found), 'layer')}, {len(self.left_out)} left out")

    def _repr_html_(self) -> str:
        rows = [
            [name, str(f.activation.width), str(f.gradient.width), f"{f.positions:g}"] for name, f in self.found.items()
        ]
        rows += [[name, f"left out: {reason}"] for name, reason in self.left_out.items()]
        caption = f"{len(self.found)} layers, {len(self.left_out)} left out"
        return html_table(caption, ["layer", "width of A", "width of G", "positions"], rows)


def _reasons(left_out: Mapping[str, str]) -> str:
    """Each reason once, after the layers that have it."""
    layers: dict[str, list[str]] = {}
    for layer, reason in left_out.items():
        layers.setdefault(reason, []).append(repr(layer))
    return " ".join(f"{listed(names)} {reason}" for reason, names in layers.items())


def kronecker_factors_of_all(
    problem: Problem,
    layers: Sequence[str] | None = None,
    parameters: Mapping[str, Tensor] | None = None,
    *,
    labels: NoisyTargets | None = None,
) -> LayerFactors:
    """A = E[a aᵀ], (in, in), and G = E[g gᵀ], (out, out), of many layers, from passes that all layers share.

    The values are those of `kronecker_factors`, in the same normalisation: E is the mean over samples, and positions
    are summed. With a shift s_l = 0 added to the output of every layer, one reverse pass of a cotangent of the head
    gives g_l = ∂/∂s_l for all l at once. A batch takes two forward passes and one reverse pass a cotangent, where
    `kronecker_factors` takes three and as many for each layer.

    Without `layers` every submodule that has parameters of its own is read, and those that have no factors stand in
    `left_out` with the reason: norms and grouped convolutions, layers that run never or twice, matrices that are too
    wide. A layer that is asked for by name and has none is an error.

    Memory: the factors of all layers are held together, min(rows, in)·in + min(rows, out)·out numbers a layer, beside
    the graph of one batch and a shift of the size of each layer's output; a smaller `batch_size` shrinks the last two.

    Args:
        layers: names, in the order of the result; every submodule with parameters of its own when omitted.
        parameters, labels: as in `fisher_gram`.

    Raises:
        UnknownNameError: no such layer.
        MeasurementError: the problem holds no module, no layer has factors, or one of those named has none.

    >>> from ddtheory.measure import Gaussian
    >>> net = torch.nn.Sequential(*(torch.nn.Linear(1, 1, bias=False) for _ in range(3)), torch.nn.PReLU(init=1.0))
    >>> with torch.no_grad():
    ...     _ = [layer.weight.fill_(0.5) for layer in net[:3]]
    >>> found = kronecker_factors_of_all(Problem.from_module(net, torch.ones(1, 1), Gaussian()))
    >>> {layer: (round(f.activation.entry(0), 12), round(f.gradient.entry(0), 12)) for layer, f in found.items()}
    {'0': (1.0, 0.0625), '1': (0.25, 0.25), '2': (0.0625, 1.0)}
    >>> list(found.left_out)
    ['3']
    """
    positions = as_problem(problem).at(parameters)
    modules = submodules(problem)
    if layers is None:
        own = [name for name, module in modules.items() if any(True for _ in module.parameters(recurse=False))]
        reading = _Reading(problem, positions, own, strict=False)
    else:
        reading = _Reading(problem, positions, list(dict.fromkeys(several("layers", layers))), strict=True)
    with measuring():
        for inputs, weights in problem.batches():
            reading.see(inputs, weights, labels)
    return reading.result()


@dataclass
class _Reading:
    """The factors while batches are seen. A layer that cannot be read raises if `strict`, and is left out if not."""

    problem: Problem
    positions: Mapping[str, Tensor]
    layers: list[str]
    strict: bool
    samples: int = 0
    activations: dict[str, Factor] = field(default_factory=dict[str, Factor])
    gradients: dict[str, Factor] = field(default_factory=dict[str, Factor])
    rows: dict[str, int] = field(default_factory=dict[str, int])
    left_out: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        modules = submodules(self.problem)
        for layer in list(self.layers):
            if layer not in modules:
                raise unknown("layer", clipped(layer), filter(None, modules))
            try:
                check_own(self.problem, layer, modules[layer])
            except MeasurementError as error:
                self._leave_out(layer, modules[layer], error)
        for layer in self.layers:
            self.activations[layer], self.gradients[layer], self.rows[layer] = Factor(), Factor(), 0
        self._any_left()

    def see(self, inputs: Inputs, weights: Tensor, labels: NoisyTargets | None) -> None:
        self.samples += len(weights)
        shifts = self._read_inputs(inputs, weights)
        outputs, gradients = pull_back(self.problem, self.positions, inputs, shifts)
        modules = submodules(self.problem)
        for cotangent in cotangents(self.problem, outputs, inputs, labels):
            for layer, gradient in gradients(cotangent).items():
                rows = gradient_rows(layer, modules[layer], gradient)
                self.gradients[layer].add(weighted_rows(self.problem, rows, weights, layer))

    def result(self) -> LayerFactors:
        found = {
            layer: KroneckerFactors(
                finished(self.problem, self.activations[layer], self.samples, f"activations of layer {layer}"),
                finished(self.problem, self.gradients[layer], self.samples, f"gradients at layer {layer}"),
                layer,
                self.rows[layer] / self.samples,
            )
            for layer in self.layers
        }
        return LayerFactors(found, self.left_out)

    def _read_inputs(self, inputs: Inputs, weights: Tensor) -> dict[str, Tensor]:
        """Adds the input of every layer to its factor; returns zeros of the shapes of the layers' outputs."""
        shifts: dict[str, Tensor] = {}
        runs = dict.fromkeys(self.layers, 0)
        trouble: dict[str, MeasurementError] = {}

        def watch(layer: str, module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
            runs[layer] += 1
            if runs[layer] > 1 or layer in trouble:
                return
            try:  # read here, before the model can overwrite the input in place
                if not one_to_one(arguments, output):
                    raise MeasurementError(f"{called(layer, module)} does not map one tensor to one tensor.")
                rows = weighted_rows(self.problem, read_rows(layer, module, arguments[0], output), weights, layer)
                shift = torch.zeros_like(output)
                check_width(layer, module, gradient_rows(layer, module, shift).shape[-1])
            except MeasurementError as error:
                trouble[layer] = error
                return
            self.activations[layer].add(rows)
            self.rows[layer] += len(rows)
            shifts[layer] = shift

        modules = submodules(self.problem)
        with_hooks(self.problem, self.layers, watch, self.positions, inputs)
        for layer, times in runs.items():
            if times != 1:
                trouble[layer] = MeasurementError(
                    f"{called(layer, modules[layer])} runs {times} times in one call of the model, so it has no one "
                    "input and no one gradient."
                )
        for layer, error in trouble.items():
            self._leave_out(layer, modules[layer], error)
            shifts.pop(layer, None)
        self._any_left()
        return shifts

    def _leave_out(self, layer: str, module: nn.Module, error: MeasurementError) -> None:
        if self.strict:
            raise error
        self.layers.remove(layer)
        self.left_out[layer] = str(error).removeprefix(f"{called(layer, module)} ")

    def _any_left(self) -> None:
        if not self.layers:
            reasons = _reasons(self.left_out) or "Name layers of the module, or use one with linear layers."
            raise MeasurementError(f"There is no layer to read. {reasons}")
