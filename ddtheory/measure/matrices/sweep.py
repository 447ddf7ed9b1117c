"""The factors of many layers while batches are seen, and why some layers have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ddtheory.errors import MeasurementError, clipped, unknown
from ddtheory.measure.doors import listed
from ddtheory.measure.matrices.factor import Factor
from ddtheory.measure.matrices.kronecker import KroneckerFactors, check_own, read_rows
from ddtheory.measure.matrices.labels import Cotangents, Labels, Spread
from ddtheory.measure.matrices.layers import (
    one_to_one,
    pull_back,
    shared_by_samples,
    sizes_of_one,
    submodules,
    with_hooks,
)
from ddtheory.measure.matrices.products import Products
from ddtheory.measure.matrices.rows import finished, weighted_rows
from ddtheory.measure.matrices.unfolding import called, check_width, gradient_rows
from ddtheory.measure.setting.batch import Inputs, samples_of
from ddtheory.measure.setting.problem import Problem


class LayerSweep:
    """What is known of each layer so far. A layer that cannot be read raises if it was named, and else is left out.

    A layer is a submodule, or a product with a parameter that no submodule of its own runs.
    """

    def __init__(
        self, problem: Problem, positions: Mapping[str, Tensor], layers: list[str] | None, labels: Labels
    ) -> None:
        self.left_out: dict[str, str] = {}
        self._problem, self._positions, self._strict = problem, positions, layers is not None
        self._modules = submodules(problem)
        self._cotangents = Cotangents(problem, labels)
        self._samples = 0
        own = [name for name, module in self._modules.items() if any(True for _ in module.parameters(recurse=False))]
        self._wanted = own if layers is None else layers  # those still to be found, in the order of the result
        self._activations: dict[str, Factor] = {}
        self._gradients: dict[str, Factor] = {}
        self._spreads: dict[str, Spread] = {}
        self._rows: Counter[str] = Counter()
        self._products: dict[str, str] = {}
        for layer in [layer for layer in self._wanted if layer in self._modules]:
            try:
                check_own(problem, layer, self._modules[layer])
            except MeasurementError as error:
                self._leave_out(layer, error)
        self._any_left()

    def see(self, inputs: Inputs, weights: Tensor) -> None:
        """Add one batch to the factors of every layer."""
        pass_ = _Pass(self, inputs, weights)
        if not self._samples:
            self._settle(pass_)
        self._samples += len(weights)
        for layer in list(self._wanted):
            reason = pass_.trouble_of(layer)
            if reason is not None:
                self._leave_out(layer, reason)
        self._any_left()
        shifts = {}
        for layer in self._wanted:
            rows, shifts[layer] = pass_.kept(layer)
            self._activations.setdefault(layer, Factor()).add(rows)
            self._rows[layer] += len(rows)
        outputs, gradients = pull_back(self._problem, self._positions, inputs, shifts, self._products)
        for number, cotangent in enumerate(self._cotangents.of(outputs, inputs)):
            for layer, gradient in gradients(cotangent).items():
                rows = weighted_rows(self._problem, self.by_unit(layer, gradient), weights, layer)
                self._gradients.setdefault(layer, Factor()).add(rows)
                self._spreads.setdefault(layer, Spread()).add(number, rows, self._cotangents.draws)

    def result(self) -> dict[str, KroneckerFactors]:
        """The factors of every layer that has some."""
        total = self._problem.total(self._samples)

        def gram(factor: Factor, label: str) -> Any:
            return finished(self._problem, factor, self._samples, label)

        return {
            layer: KroneckerFactors(
                gram(self._activations[layer], f"activations of layer {layer}"),
                self._spreads[layer].onto(gram(self._gradients[layer], f"gradients at layer {layer}"), total),
                layer,
                self._rows[layer] / self._samples,
            )
            for layer in self._wanted
        }

    def by_unit(self, layer: str, values: Tensor) -> Tensor:
        """The output of a layer, or a gradient by it, with units along the last axis."""
        return values if layer in self._products else gradient_rows(layer, self._modules[layer], values)

    def _settle(self, first: _Pass) -> None:
        """Which of the wanted layers are products is known after the first batch."""
        self._products = {name: owner for name, owner in first.met.items() if not first.hooked[name]}
        if self._strict:
            for layer in self._wanted:
                if layer not in self._modules and layer not in self._products:
                    known = dict.fromkeys((*self._modules, *self._products))
                    raise unknown("layer", clipped(layer), filter(None, known))
            self._products = {name: owner for name, owner in self._products.items() if name in self._wanted}
            return
        kept: list[str] = []
        for layer in self._wanted:
            own = [name for name, _ in self._modules[layer].named_parameters(prefix=layer, recurse=False)]
            kept += [] if first.read.issuperset(own) and not first.has_layer(layer) else [layer]
            kept += [name for name, parameter in self._products.items() if parameter in own]
        self._wanted = list(dict.fromkeys(kept))

    def _leave_out(self, layer: str, error: MeasurementError) -> None:
        if self._strict:
            raise error
        self._wanted.remove(layer)
        module = None if layer in self._products else self._modules.get(layer)
        self.left_out[layer] = str(error).removeprefix(f"{called(layer, module)} ")

    def _any_left(self) -> None:
        if not self._wanted:
            reasons = reasons_of(self.left_out) or "Name layers of the module, or use one with linear layers."
            raise MeasurementError(f"There is no layer to read. {reasons}")


class _Kept(NamedTuple):
    """The input of a layer as rows, and zeros of the shape of its output."""

    rows: Tensor
    shift: Tensor


class _Pass:
    """One forward pass over a batch."""

    def __init__(self, sweep: LayerSweep, inputs: Inputs, weights: Tensor) -> None:
        self.hooked: Counter[str] = Counter()
        self._sweep, self._weights = sweep, weights
        self._visited: Counter[str] = Counter()
        # a layer and a product may have one name, where a submodule runs and its weight is handed over too
        self._of_layers: dict[str, _Kept | MeasurementError] = {}
        self._of_products: dict[str, _Kept | MeasurementError] = {}
        problem, positions = sweep._problem, sweep._positions
        self._products = Products({**problem.truth, **positions}, self._visit)
        layers = [layer for layer in sweep._wanted if layer in sweep._modules]
        with_hooks(problem, layers, self._watch, positions, inputs, self._products)
        self.met, self.read = self._products.met, self._products.read
        self._samples = samples_of(inputs)
        self._alone = sizes_of_one(problem, layers, positions, inputs) if self._samples > 1 else None

    def kept(self, layer: str) -> _Kept:
        """What was kept of a layer without trouble."""
        found = self._found(layer)
        assert isinstance(found, _Kept)
        return found

    def has_layer(self, layer: str) -> bool:
        """Whether the submodule itself is one linear map."""
        return isinstance(self._of_layers.get(layer), _Kept)

    def _found(self, layer: str) -> _Kept | MeasurementError:
        return (self._of_products if layer in self._sweep._products else self._of_layers)[layer]

    def trouble_of(self, layer: str) -> MeasurementError | None:
        """Why this layer has no factors in this batch."""
        module = self._sweep._modules.get(layer)
        name = called(layer, None if layer in self._sweep._products else module)
        times = self._visited[layer] if layer in self._sweep._products else self.hooked[layer]
        if times != 1:
            return MeasurementError(
                f"{name} runs {times} times in one call of the model, so it has no one input and no one gradient."
            )
        found = self._found(layer)
        if isinstance(found, MeasurementError):
            return found
        size = found.shift.numel()
        if self._alone is not None and size != self._samples * self._alone[layer]:
            return shared_by_samples(layer, self._samples, size, self._alone[layer])
        owners = [self.met[layer]] if layer in self._sweep._products else self._weights_of(layer)
        for owner in owners:
            if self._products.uses[owner] > 1:
                return MeasurementError(
                    f"{name} is not the only one that reads its parameter {owner!r}: {self._products.uses[owner]} "
                    "operations do, so the Fisher of it is no Kronecker product of one input and one gradient."
                )
        return None

    def _weights_of(self, layer: str) -> list[str]:
        own = self._sweep._modules[layer].named_parameters(prefix=layer, recurse=False)
        return [name for name, value in own if value.ndim > 1]

    def _watch(self, layer: str, module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        self.hooked[layer] += 1
        if self.hooked[layer] > 1:
            return
        with self._products.deaf():  # read here, before the model can overwrite the input in place
            try:
                if not one_to_one(arguments, output):
                    raise MeasurementError(f"{called(layer, module)} does not map one tensor to one tensor.")
                rows = read_rows(layer, module, arguments[0], output)
                check_width(layer, module, gradient_rows(layer, module, output).shape[-1])
                self._of_layers[layer] = self._keep(layer, rows, output)
            except MeasurementError as error:
                self._of_layers[layer] = error

    def _visit(self, product: str, inputs: Tensor, output: Tensor) -> Tensor:
        self._visited[product] += 1
        if self._visited[product] == 1 and (not self._sweep._strict or product in self._sweep._wanted):
            try:
                for width in (inputs.shape[-1], output.shape[-1]):
                    check_width(product, None, width)
                self._of_products[product] = self._keep(product, inputs.clone(), output)
            except MeasurementError as error:
                self._of_products[product] = error
        return output

    def _keep(self, layer: str, rows: Tensor, output: Tensor) -> _Kept:
        return _Kept(weighted_rows(self._sweep._problem, rows, self._weights, layer), torch.zeros_like(output))


def reasons_of(left_out: Mapping[str, str]) -> str:
    """Each reason once, after the layers that have it."""
    layers: dict[str, list[str]] = {}
    for layer, reason in left_out.items():
        layers.setdefault(reason, []).append(repr(layer))
    return " ".join(f"{listed(names)} {reason}" for reason, names in layers.items())
