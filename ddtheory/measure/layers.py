"""One layer of a module: what goes in, and the derivative of the model by what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ddtheory.errors import MeasurementError, clipped, unknown
from ddtheory.measure.batch import Inputs, described
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import text
from ddtheory.measure.modules import ModuleFunction
from ddtheory.measure.problem import Problem
from ddtheory.measure.trial import ADVICE

T = TypeVar("T")


def submodules(problem: Problem) -> dict[str, nn.Module]:
    """Every submodule by name, the module itself under "".

    Raises:
        MeasurementError: the problem was not made from a module.
    """
    if not isinstance(problem.model, ModuleFunction):
        raise MeasurementError(
            "Layers have names in a module, and this problem holds a bare function. Make it with Problem.from_module."
        )
    return dict(problem.model.module.named_modules())


def submodule(problem: Problem, layer: str) -> nn.Module:
    """The submodule of that name.

    Raises:
        MeasurementError: the problem was not made from a module.
        UnknownNameError: no such submodule.
    """
    modules = submodules(problem)
    layer = text("The name of the layer", layer)
    if layer not in modules:
        raise unknown("layer", clipped(layer), filter(None, modules))
    return modules[layer]


def run_once(
    problem: Problem,
    layer: str,
    positions: Mapping[str, Tensor],
    inputs: Inputs,
    read: Callable[[nn.Module, Tensor, Tensor], T],
) -> T:
    """What `read` makes of a layer, its input and its output, while it runs in the model.

    Read there, since its weight stands at `positions` only then, and the model may overwrite its input afterwards.

    Raises:
        MeasurementError: the layer does not run once, or is no map from one tensor to one.
    """
    seen: list[T] = []

    def watch(_layer: str, module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        if not one_to_one(arguments, output):
            raise MeasurementError(
                f"The layer {layer!r} does not map one tensor to one tensor, so it has no activations and no gradient "
                "of its own. Choose a layer inside it, such as a linear one."
            )
        seen.append(read(module, arguments[0], output))

    with_hooks(problem, [layer], watch, positions, inputs)
    if len(seen) != 1:
        raise MeasurementError(
            f"The layer {layer!r} runs {len(seen)} times in one call of the model, so it has no one input and no one "
            "gradient. Choose a layer that runs once."
        )
    return seen[0]


def one_to_one(arguments: tuple[Any, ...], output: object) -> bool:
    return bool(arguments) and isinstance(arguments[0], Tensor) and isinstance(output, Tensor)


def pull_back(
    problem: Problem, positions: Mapping[str, Tensor], inputs: Inputs, shifts: Mapping[str, Tensor]
) -> tuple[Tensor, Callable[[Tensor], dict[str, Tensor]]]:
    """The outputs of the model, and the map from an output cotangent to the gradients by the outputs of layers.

    `shifts` are zeros of the shapes of these outputs. Samples do not see each other, so one reverse pass gives the
    gradient of each of them.
    """

    def shifted(moved: Mapping[str, Tensor]) -> Tensor:
        def add(layer: str, _module: nn.Module, _arguments: tuple[Any, ...], output: Tensor) -> Tensor:
            return output + moved[layer]

        return with_hooks(problem, shifts, add, positions, inputs)

    what, advice = "The model cannot be differentiated in reverse mode", "Look for in-place changes, .item() and numpy."
    with borrowed(what, advice):
        outputs, backward, *_ = torch.func.vjp(shifted, dict(shifts))

    def gradients(cotangent: Tensor) -> dict[str, Tensor]:
        with borrowed(what, advice):
            return backward(cotangent)[0]

    return outputs, gradients


def with_hooks(
    problem: Problem,
    layers: Mapping[str, object] | list[str],
    hook: Callable[..., Any],
    positions: Mapping[str, Tensor],
    inputs: Inputs,
) -> Tensor:
    """The outputs of the model, each layer calling hook(name, module, arguments, output)."""
    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(submodule(problem, layer).register_forward_hook(partial(hook, layer)))
        with borrowed(f"The model failed on a batch of shape {described(inputs)}", ADVICE):
            return problem.outputs(positions, inputs)
