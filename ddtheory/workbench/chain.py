"""The canonical chain of the bridge theorem: layers W_l, one dead axis that each of them scales by a power of t.

Layers are counted from 1 and named "1", …, "L" in the module. A_l is the second moment of the *input* of layer l, G_l
that of the loss gradient by its output (before the activation). In the chain W_l = diag(1, …, 1, t) their dead entries
are t^{2(l−1)} and t^{2(L−l)}.

Inputs here are quadrature nodes, so that a Gram of the torch module carries no sampling noise: `corner_inputs` makes
E xxᵀ = I and fair, independent signs exact, `normal_inputs` integrates functions of one normal coordinate that are
smooth between given kinks.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ddtheory.errors import InvalidValueError

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Problem
    from ddtheory.measure.heads.heads import Head

REACH = 12.0  # the normal density beyond is below 10⁻³¹
NODES_A_PANEL = 60
LARGEST_CUBE = 12


def canonical(t: float, width: int, dead: int = 1) -> Tensor:
    """D(t) = diag(1, …, 1, t, …, t) with `dead` entries t.

    >>> canonical(0.5, 3, dead=2).diagonal().tolist()
    [1.0, 0.5, 0.5]
    """
    import torch

    if not 0 <= dead <= width:
        raise InvalidValueError(f"{dead} of {width} axes cannot be dead. Choose between 0 and {width}.")
    return torch.diag(torch.tensor([1.0] * (width - dead) + [t] * dead, dtype=torch.float64))


def chain_problem(
    weights: Sequence[Tensor],
    *,
    activation: Callable[[Tensor], Tensor] | None = None,
    biases: Sequence[Tensor | None] | None = None,
    inputs: Tensor | None = None,
    input_weights: Tensor | None = None,
    head: Head | None = None,
    activate_last: bool = False,
) -> Problem:
    """A torch network x ↦ W_L φ(… φ(W_1 x + b_1) …) + b_L standing at the given weights.

    Args:
        weights: W_1 to W_L, (out, in) each.
        activation: φ, element by element, between layers and with `activate_last` after the last; linear when omitted.
        biases: one for each layer, None for a layer without.
        inputs: samples (n, in); `corner_inputs` when omitted.
        input_weights: one quadrature weight a sample.
        head: Gaussian of variance one when omitted.

    >>> problem = chain_problem([canonical(0.5, 2)] * 3)
    >>> list(problem.truth), problem.truth_outputs(problem.inputs)[-1].tolist()                    # t³ on the dead axis
    (['1.weight', '2.weight', '3.weight'], [1.0, 0.125])
    """
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, Problem

    class Activation(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return z if activation is None else activation(z)

    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, weight in enumerate(weights, start=1):
        bias = None if biases is None else biases[number - 1]
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(weight)
            if bias is not None:
                layer.bias.copy_(bias)
        layers[str(number)] = layer
        if number < len(weights) or activate_last:
            layers[f"after {number}"] = Activation()
    data = corner_inputs(weights[0].shape[1]) if inputs is None else inputs
    return Problem.from_module(nn.Sequential(layers), data, head or Gaussian(), weights=input_weights)


def corner_inputs(width: int) -> Tensor:
    """The 2^width corners of the cube [−1, 1]^width: E xxᵀ = I, and the signs are independent and fair, both exactly.

    >>> x = corner_inputs(2)
    >>> x.shape, float((x.mT @ x / 4)[0, 1]), float((x[:, 0] > 0).double().mean())
    (torch.Size([4, 2]), 0.0, 0.5)
    """
    import torch

    if width > LARGEST_CUBE:
        raise InvalidValueError(f"2^{width} corners are too many. Use axis_inputs, or samples.")
    signs = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    return torch.cartesian_prod(*[signs] * width).reshape(-1, width)


def axis_inputs(width: int) -> Tensor:
    """±√width e_i, 2·width samples: mean zero and E xxᵀ = I exactly, as for a standard normal.

    >>> x = axis_inputs(3)
    >>> float(((x.mT @ x) / len(x) - __import__("torch").eye(3)).abs().max()) < 1e-15
    True
    """
    import torch

    axes = math.sqrt(width) * torch.eye(width, dtype=torch.float64)
    return torch.cat([axes, -axes])


def normal_inputs(kinks: Sequence[float] = (0.0,)) -> tuple[Tensor, Tensor]:
    """Nodes (n, 1) and weights (n,) for E g(x), x ~ N(0, 1), g smooth between the kinks: Gauss–Legendre on panels.

    >>> x, w = normal_inputs([0.0])
    >>> abs(float((w * x[:, 0] ** 4).sum()) - 3) < 1e-12, abs(float(w[x[:, 0] > 0].sum()) - 0.5) < 1e-12
    (True, True)
    """
    import numpy
    import torch

    edges = sorted({-REACH, REACH, 0.0, *(float(kink) for kink in kinks if abs(kink) < REACH)})
    nodes, weights = numpy.polynomial.legendre.leggauss(NODES_A_PANEL)
    points: list[float] = []
    masses: list[float] = []
    for low, high in pairwise(edges):
        middle, half = (low + high) / 2, (high - low) / 2
        points += [middle + half * float(node) for node in nodes]
        masses += [half * float(weight) for weight in weights]
    x = torch.tensor(points, dtype=torch.float64)
    density = torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)
    return x[:, None], torch.tensor(masses, dtype=torch.float64) * density


def live_part(dead: int = 1) -> Callable[[Tensor], Tensor]:
    """x with its last `dead` coordinates set to zero: what the canonical chain computes at t = 0.

    >>> import torch
    >>> live_part()(torch.ones(1, 3)).tolist()
    [[1.0, 1.0, 0.0]]
    """

    def target(x: Tensor) -> Tensor:
        import torch

        return torch.cat([x[:, : x.shape[1] - dead], 0 * x[:, x.shape[1] - dead :]], dim=1)

    return target


def random_rotation(width: int, seed: int) -> Tensor:
    """An orthogonal matrix from the Haar measure, by QR with the signs of the diagonal put right.

    >>> q = random_rotation(3, seed=1)
    >>> float((q @ q.mT - __import__("torch").eye(3)).abs().max()) < 1e-14
    True
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    q, r = torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=torch.float64))
    return q * r.diagonal().sign()
