"""One layer of a module: what goes in, and the derivative of the model by what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.errors import MeasurementError, unknown
from ddtheory.measure.modules import ModuleFunction
from ddtheory.measure.problem import Problem


def submodule(problem: Problem, layer: str) -> nn.Module:
    """The submodule of that name.

    Raises:
        MeasurementError: the problem was not made from a module.
        UnknownNameError: no such submodule.
    """
    if not isinstance(problem.model, ModuleFunction):
        raise MeasurementError(
            "Layers have names in a module, and this problem holds a bare function. Make it with Problem.from_module."
        )
    modules = dict(problem.model.module.named_modules())
    if layer not in modules:
        raise unknown("layer", layer, filter(None, modules))
    return modules[layer]


def layer_inputs(
    problem: Problem, layer: str, positions: Mapping[str, Tensor], inputs: Tensor
) -> tuple[Tensor, Tensor]:
    """The input of the layer (batch, …, in) and its output (batch, …, out)."""
    seen: list[tuple[Tensor, Tensor]] = []

    def watch(_module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        if not (arguments and isinstance(arguments[0], Tensor) and isinstance(output, Tensor)):
            raise MeasurementError(
                f"The layer {layer!r} does not map one tensor to one tensor, so it has no activations and no gradient "
                "of its own. Choose a layer inside it, such as a linear one."
            )
        seen.append((arguments[0].clone(), output))  # the model may overwrite its input in place afterwards

    _with_hook(problem, layer, watch, positions, inputs)
    if len(seen) != 1:
        raise MeasurementError(
            f"The layer {layer!r} runs {len(seen)} times in one call of the model, so it has no one input and no one "
            "gradient. Choose a layer that runs once."
        )
    return seen[0]


def layer_pull_back(
    problem: Problem, layer: str, positions: Mapping[str, Tensor], inputs: Tensor, output: Tensor
) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """The outputs of the model, and the map from an output cotangent to the gradient by the layer's output.

    Samples must not see each other; then one reverse pass gives the gradient of each of them.
    """

    def shifted(shift: Tensor) -> Tensor:
        def add(_module: nn.Module, _arguments: tuple[Any, ...], found: Tensor) -> Tensor:
            return found + shift

        return _with_hook(problem, layer, add, positions, inputs)

    outputs, pull_back, *_ = torch.func.vjp(shifted, torch.zeros_like(output))
    return outputs, lambda cotangent: pull_back(cotangent)[0]


def _with_hook(
    problem: Problem, layer: str, hook: Callable[..., Any], positions: Mapping[str, Tensor], inputs: Tensor
) -> Tensor:
    handle = submodule(problem, layer).register_forward_hook(hook)
    try:
        return problem.outputs(positions, inputs)
    finally:
        handle.remove()
