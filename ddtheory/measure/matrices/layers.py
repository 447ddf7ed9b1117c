"""One layer of a module: what goes in, and the derivative of the model by what comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ddtheory.errors import MeasurementError, clipped, unknown
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import text
from ddtheory.measure.matrices.products import Products
from ddtheory.measure.matrices.unfolding import Convolution, is_matrix
from ddtheory.measure.setting.batch import Inputs, described, part, samples_of
from ddtheory.measure.setting.modules import ModuleFunction
from ddtheory.measure.setting.problem import Problem
from ddtheory.measure.setting.trial import ADVICE

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
    seen: list[tuple[T, int]] = []

    def watch(_layer: str, module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        if not one_to_one(arguments, output):
            raise MeasurementError(
                f"The layer {layer!r} does not map one tensor to one tensor, so it has no activations and no gradient "
                "of its own. Choose a layer inside it, such as a linear one."
            )
        seen.append((read(module, arguments[0], output), output.numel()))

    with_hooks(problem, [layer], watch, positions, inputs)
    if len(seen) != 1:
        raise MeasurementError(
            f"The layer {layer!r} runs {len(seen)} times in one call of the model, so it has no one input and no one "
            "gradient. Choose a layer that runs once."
        )
    found, size = seen[0]
    samples = samples_of(inputs)
    if samples > 1:
        alone = sizes_of_one(problem, [layer], positions, inputs)[layer]
        if size != samples * alone:
            raise shared_by_samples(layer, samples, size, alone)
    return found


def sizes_of_one(
    problem: Problem, layers: Iterable[str], positions: Mapping[str, Tensor], inputs: Inputs
) -> Counter[str]:
    """How many numbers each layer, and each product, makes of the first sample alone."""
    layers_made: Counter[str] = Counter()
    products_made: Counter[str] = Counter()

    def watch(layer: str, _module: nn.Module, _arguments: tuple[Any, ...], output: Any) -> None:
        layers_made[layer] += output.numel() if isinstance(output, Tensor) else 0

    def visit(product: str, _inputs: Tensor, output: Tensor) -> Tensor:
        products_made[product] += output.numel()
        return output

    with_hooks(problem, layers, watch, positions, part(inputs, [0]), Products({**problem.truth, **positions}, visit))
    return Counter({**products_made, **layers_made})


def shared_by_samples(layer: str, samples: int, size: int, alone: int) -> MeasurementError:
    """The refusal of a layer that runs once for all samples, as on positions that they share: no gradient is of one."""
    return MeasurementError(
        f"The layer {layer!r} makes {size} numbers of {samples} samples and {alone} of one of them, so its outputs are "
        "not those of single samples."
    )


def one_to_one(arguments: tuple[Any, ...], output: object) -> bool:
    return bool(arguments) and isinstance(arguments[0], Tensor) and isinstance(output, Tensor)


def pull_back(
    problem: Problem,
    positions: Mapping[str, Tensor],
    inputs: Inputs,
    shifts: Mapping[str, Tensor],
    products: Collection[str] = (),
) -> tuple[Tensor, Callable[[Tensor], dict[str, Tensor]]]:
    """The outputs of the model, and the map from an output cotangent to the gradients by the outputs of layers.

    `shifts` are zeros of the shapes of these outputs; those of `products` are no submodules. Samples do not see each
    other, so one reverse pass gives the gradient of each of them.
    """
    layers = [layer for layer in shifts if layer not in products]

    def shifted(moved: Mapping[str, Tensor]) -> Tensor:
        def add(layer: str, _module: nn.Module, _arguments: tuple[Any, ...], output: Tensor) -> Tensor:
            return output + moved[layer]

        def visit(product: str, _inputs: Tensor, output: Tensor) -> Tensor:
            return output + moved[product] if product in moved else output

        watcher = Products({**problem.truth, **positions}, visit) if products else None
        return with_hooks(problem, layers, add, positions, inputs, watcher)

    what, advice = "The model cannot be differentiated in reverse mode", "Look for in-place changes, .item() and numpy."
    with borrowed(what, advice):
        outputs, backward, *_ = torch.func.vjp(shifted, dict(shifts))

    def gradients(cotangent: Tensor) -> dict[str, Tensor]:
        with borrowed(what, advice):
            return backward(cotangent)[0]

    return outputs, gradients


def with_hooks(
    problem: Problem,
    layers: Iterable[str],
    hook: Callable[..., Any],
    positions: Mapping[str, Tensor],
    inputs: Inputs,
    products: Products | None = None,
) -> Tensor:
    """The outputs of the model, each layer calling hook(name, module, arguments, output), products being watched."""
    with ExitStack() as stack:
        if products is not None:
            for module in submodules(problem).values():
                if isinstance(module, Convolution) or is_matrix(module):
                    stack.enter_context(module.register_forward_pre_hook(partial(_enter, products)))
                    stack.enter_context(module.register_forward_hook(partial(_leave, products), always_call=True))
            stack.enter_context(products)
        for layer in layers:
            stack.enter_context(submodule(problem, layer).register_forward_hook(partial(hook, layer)))
        with borrowed(f"The model failed on a batch of shape {described(inputs)}", ADVICE):
            return problem.outputs(positions, inputs)


def _enter(products: Products, module: nn.Module, _arguments: tuple[Any, ...]) -> None:
    products.running[id(module._parameters.get("weight"))] += 1


def _leave(products: Products, module: nn.Module, _arguments: tuple[Any, ...], _output: Any) -> None:
    products.running[id(module._parameters.get("weight"))] -= 1
