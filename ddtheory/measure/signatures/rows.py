"""The rows that signatures are made of: activations and gradients of several layers, from passes that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from ddtheory.errors import MeasurementError
from ddtheory.measure.matrices.factor import RANK_TOLERANCE, Factor
from ddtheory.measure.matrices.gram import GramFactor
from ddtheory.measure.matrices.labels import Cotangents
from ddtheory.measure.matrices.layers import (
    one_to_one,
    pull_back,
    shared_by_samples,
    sizes_of_one,
    submodule,
    with_hooks,
)
from ddtheory.measure.matrices.rows import finished, weighted_rows
from ddtheory.measure.matrices.spectra import read_features
from ddtheory.measure.matrices.unfolding import called, check_width, gradient_rows
from ddtheory.measure.setting.batch import Inputs, Labelled
from ddtheory.measure.setting.problem import Problem

Side: TypeAlias = Literal["activation", "gradient"]

SIDES: tuple[Side, ...] = ("activation", "gradient")


@dataclass
class SignatureRows:
    """Sums over the data seen so far: a triangular factor for each side of each layer, and of every two layers.

    The factor of two layers side by side says whether the rows of one are a linear function of those of the other.
    """

    problem: Problem
    positions: Mapping[str, Tensor]
    layers: Sequence[str]
    cotangents: Cotangents
    samples: int = 0
    components: float = 0.0
    squares: float = 0.0
    counts: dict[tuple[str, Side], int] = field(default_factory=dict[tuple[str, Side], int])
    own: dict[tuple[str, Side], Factor] = field(default_factory=dict[tuple[str, Side], Factor])
    beside: dict[tuple[str, str, Side], Factor] = field(default_factory=dict[tuple[str, str, Side], Factor])

    def see(self, inputs: Inputs, weights: Tensor) -> None:
        """Adds a batch."""
        self.samples += len(weights)
        activations, shifts = self._activations(inputs, len(weights))
        self._add("activation", {layer: self._weighted(rows, weights, layer) for layer, rows in activations.items()})
        outputs, gradients = pull_back(self.problem, self.positions, inputs, shifts)
        self.components += _sum(_labelled(torch.ones_like(outputs), inputs), weights)
        for cotangent in self.cotangents.of(outputs, inputs):
            self.squares += _sum(_labelled(cotangent, inputs).square(), weights)
            found = gradients(cotangent)
            rows = {layer: self._rows_of(layer, found[layer]) for layer in self.layers}
            self._add("gradient", {layer: self._weighted(value, weights, layer) for layer, value in rows.items()})

    def gram(self, layer: str, side: Side) -> GramFactor:
        """The Gram of one side of a layer, as its factor."""
        return finished(self.problem, self.own[layer, side], self.samples, f"{side} of layer {layer}")

    def residual(self) -> float:
        """Mean square of the gradient of the loss by one output component that has a label."""
        return self.squares / self.components

    def caps(self, layer: str, side: Side) -> dict[str, int]:
        """Why the rank of a Gram may be below its width, by name, with the largest rank that is left."""
        triangle = self.gram(layer, side).triangle
        width = triangle.shape[1]
        found: dict[str, int] = {}
        if self.counts[layer, side] < width:
            found["samples"] = self.counts[layer, side]
        silent = int((triangle == 0).all(0).sum())
        if silent:
            found["silent units"] = width - silent
        sizes = {other: self.gram(other, side).width for other in self.layers if other != layer}
        for other in sorted(sizes, key=lambda name: sizes[name]):
            if sizes[other] < width and self._is_linear(other, sizes[other], layer, side):
                found[f"linear in the {side} of {other}"] = sizes[other]
                break  # the narrowest one is the cap
        return found

    def _is_linear(self, other: str, size: int, layer: str, side: Side) -> bool:
        """Whether the rows of a layer are to rounding a fixed matrix times those of another one."""
        factor = self.beside.get((other, layer, side))
        if factor is None or factor.triangle is None:
            return False
        base, rest = factor.triangle[:, :size], factor.triangle[:, size:]
        left, values, _ = torch.linalg.svd(base, full_matrices=False)
        cut = RANK_TOLERANCE * torch.finfo(self.problem.dtype).eps
        span = left[:, values > cut * values.max()]
        left_over = rest - span @ (span.mT @ rest)
        return bool(left_over.norm() <= cut * rest.norm())

    def _add(self, side: Side, rows: Mapping[str, Tensor]) -> None:
        for layer, values in rows.items():
            self.own.setdefault((layer, side), Factor()).add(values)
            self.counts[layer, side] = self.counts.get((layer, side), 0) + len(values)
        for other, layer in permutations(rows, 2):
            if rows[other].shape[1] < rows[layer].shape[1] and len(rows[other]) == len(rows[layer]):
                pair = torch.cat([rows[other], rows[layer]], dim=1)
                self.beside.setdefault((other, layer, side), Factor()).add(pair)

    def _activations(self, inputs: Inputs, samples: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The inputs of all layers, and zeros of the shapes of their outputs."""
        rows: dict[str, Tensor] = {}
        shifts: dict[str, Tensor] = {}

        def watch(layer: str, module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
            if layer in rows:
                raise MeasurementError(f"{called(layer, module)} runs twice in one call of the model.")
            if not one_to_one(arguments, output):
                raise MeasurementError(f"{called(layer, module)} does not map one tensor to one tensor.")
            rows[layer] = read_features(layer, "input", None, module, arguments[0], output)  # a copy
            shifts[layer] = torch.zeros_like(output)
            check_width(layer, module, gradient_rows(layer, module, shifts[layer]).shape[-1])

        with_hooks(self.problem, list(self.layers), watch, self.positions, inputs)
        alone = sizes_of_one(self.problem, self.layers, self.positions, inputs)
        for layer in self.layers:
            if layer not in rows:
                module = submodule(self.problem, layer)
                raise MeasurementError(f"{called(layer, module)} does not run when the model is called.")
            if shifts[layer].numel() != samples * alone[layer]:
                raise shared_by_samples(layer, samples, shifts[layer].numel(), alone[layer])
        return rows, shifts

    def _rows_of(self, layer: str, gradient: Tensor) -> Tensor:
        return gradient_rows(layer, submodule(self.problem, layer), gradient)

    def _weighted(self, rows: Tensor, weights: Tensor, layer: str) -> Tensor:
        return weighted_rows(self.problem, rows, weights, layer)


def _labelled(outputs: Tensor, inputs: Inputs) -> Tensor:
    return inputs.only(outputs) if isinstance(inputs, Labelled) else outputs


def _sum(values: Tensor, weights: Tensor) -> float:
    """Over the entries of every sample, and with weights over samples."""
    return float((weights * values.flatten(1).sum(1)).sum())
