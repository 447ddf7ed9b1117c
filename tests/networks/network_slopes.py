"""Orders in networks as float64 shows them: local slopes of second moments, found without the calculus.

Nothing here knows rules or exponents: the module itself is run at a ladder of t, backward by autograd, and slopes are
extrapolated. A quantity is read where it stands well above rounding.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RATIO = 4.0
LADDER = [RATIO**-i for i in range(2, 13)]
# share of the mean square of the quantity that a deviation is the rounded difference of
ROUNDING = 1e-30
STEADY = 0.05


class Readings:
    """Second moments along the ladder, by quantity, and their extrapolated slopes."""

    def __init__(self) -> None:
        self.moments: dict[tuple[str, str], list[Tensor]] = {}
        self.scales: dict[tuple[str, str], float] = {}

    def slope(self, kind: str, name: str, unit: int) -> float | None:
        """The rate of a second moment; inf when it is zero to rounding, None when no window is steady."""
        series = [float(moment[unit]) for moment in self.moments[kind, name]]
        floor = ROUNDING * self.scales[kind, name]
        if max(series) <= floor:
            return math.inf
        reading: float | None = None
        for first, second, third in zip(series, series[1:], series[2:], strict=False):
            if min(second, third) <= 1e6 * floor:
                break
            if first == 0:  # a gate that opens on the way
                continue
            one, two = math.log(first / second, RATIO), math.log(second / third, RATIO)
            # the last window counts, which has the smallest t
            reading = two + (two - one) / (RATIO - 1) if abs(two - one) < STEADY else None
        return reading


def along(model: nn.Module, scaling: Mapping[str, Tensor], t: float) -> nn.Module:
    """The model with entry i of each named parameter multiplied by t^{p_i}."""
    moved = copy.deepcopy(model).double()
    with torch.no_grad():
        for name, powers in scaling.items():
            moved.get_parameter(name).mul_(torch.where(powers > 0, t ** powers.double(), 1.0))
    return moved


def measured(
    model: nn.Module, scaling: Mapping[str, Tensor], shape: tuple[int, ...], *, loss: str = "squared", seed: int = 100
) -> Readings:
    """Moments of module outputs, their deviations, gradients, and of K, on 200 inputs with labels of the true model."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(200, *shape, generator=generator, dtype=torch.float64)
    inputs.requires_grad_()  # so that every output has a gradient
    truth, at_zero = _run(along(model, scaling, 0.0), inputs)
    if loss == "squared":
        noise = torch.randn(truth.shape, generator=generator, dtype=torch.float64)
    else:
        noise = torch.multinomial(truth.softmax(-1).reshape(-1, truth.shape[-1]), 1, generator=generator).reshape(
            truth.shape[:-1]
        )
    found = Readings()

    def keep(kind: str, name: str, value: Tensor, scale: float = 0.0) -> None:
        moment = value.detach().reshape(len(inputs), -1).square().mean(0)
        found.moments.setdefault((kind, name), []).append(moment)
        found.scales[kind, name] = scale

    size = float(truth.detach().square().mean())
    for t in LADDER:
        output, outputs = _run(along(model, scaling, t), inputs)
        if loss == "squared":
            total = (output * noise).sum()  # the gradient of −noise·output: labels are outputs plus noise
            keep("K", "", (output - truth).reshape(len(inputs), -1).norm(dim=1, keepdim=True), size)
        else:
            total = F.cross_entropy(output.flatten(0, -2), noise.flatten(), reduction="sum")
            shifted = output - output.mean(-1, keepdim=True) - truth + truth.mean(-1, keepdim=True)
            keep("K", "", shifted.reshape(len(inputs), -1).norm(dim=1, keepdim=True), size)
        gradients = torch.autograd.grad(total, list(outputs.values()), allow_unused=True)
        for (name, value), gradient in zip(outputs.items(), gradients, strict=True):
            keep("activation", name, value)
            keep("deviation", name, value - at_zero[name], float(value.detach().square().mean()))
            keep("signal", name, torch.zeros_like(value) if gradient is None else gradient)
    return found


def _run(model: nn.Module, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    outputs: dict[str, Tensor] = {}

    def keeper(name: str) -> Any:
        def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
            outputs[name] = output[0] if isinstance(output, tuple) else output

        return keep

    for name, module in model.named_modules():
        if name:
            module.register_forward_hook(keeper(name))
    return model(inputs), outputs
