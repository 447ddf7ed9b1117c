"""Random networks with random powers of t, as a strategy that shrinks to few and simple layers."""

from __future__ import annotations

from typing import NamedTuple

import torch
from hypothesis import strategies as st
from torch import Tensor, nn


class Residual(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


class SwiGLU(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate, self.up = (nn.Linear(width, hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(nn.functional.silu(self.gate(x)) * self.up(x))


class SquaredReLU(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) ** 2


ACTIVATIONS = (nn.Identity, nn.Tanh, nn.GELU, nn.SiLU, nn.Sigmoid, nn.ReLU, SquaredReLU)


class Case(NamedTuple):
    """A network with c·t^p for parameters: `scaling` has the powers, entry by entry."""

    model: nn.Module
    scaling: dict[str, Tensor]
    shape: tuple[int, ...]
    loss: str


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Linear layers, residual and gated blocks and norms, of widths up to four, with powers 0, 1 and 2."""
    first = width = draw(st.integers(1, 4))
    layers: list[nn.Module] = []
    for kind in draw(st.lists(st.sampled_from(["linear", "residual", "gated", "layer norm", "RMS norm"]), max_size=4)):
        activation = draw(st.sampled_from(ACTIVATIONS))()
        if kind == "linear":
            after = draw(st.integers(1, 4))
            layers += [nn.Linear(width, after, bias=draw(st.booleans())), activation]
            width = after
        elif kind == "residual":
            layers.append(Residual(nn.Sequential(nn.Linear(width, width, bias=False), activation)))
        elif kind == "gated":
            layers.append(SwiGLU(width, draw(st.integers(1, 3))))
        else:  # an eps of order one, so that the window is not about t² against a tiny eps
            layers.append((nn.LayerNorm if kind == "layer norm" else nn.RMSNorm)(width, eps=0.5))
    layers.append(nn.Linear(width, draw(st.integers(2, 3))))
    model = generic(nn.Sequential(*layers), draw(st.integers(0, 2**20)))
    scaling = {name: draw(powers(parameter.shape)) for name, parameter in model.named_parameters()}
    return Case(model, scaling, (first,), draw(st.sampled_from(["squared", "cross-entropy"])))


@st.composite
def powers(draw: st.DrawFn, shape: torch.Size) -> Tensor:
    """One power for the tensor, one for each unit, or one for each entry; often zero."""
    one = st.sampled_from([0, 0, 1, 2])
    kind = draw(st.sampled_from(["tensor", "unit", "entry"]))
    count = {"tensor": 1, "unit": shape[0], "entry": shape.numel()}[kind]
    drawn = torch.tensor(draw(st.lists(one, min_size=count, max_size=count)))
    return drawn.reshape(shape if kind == "entry" else (count, *[1] * (len(shape) - 1))).expand(shape).clone()


def generic(model: nn.Module, seed: int) -> nn.Module:
    """The module in float64 with coefficients of both signs and of size one half to three halves over √fan-in."""
    generator = torch.Generator().manual_seed(seed)
    model = model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            size = torch.rand(parameter.shape, generator=generator, dtype=torch.float64) + 0.5
            sign = torch.where(torch.rand(parameter.shape, generator=generator) < 0.5, -1.0, 1.0)
            fan = parameter.shape[1:].numel() if parameter.dim() > 1 else 1
            parameter.copy_(size * sign / fan**0.5)
    return model
