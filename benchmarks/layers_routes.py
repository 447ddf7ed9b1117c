"""Three routes to A = E[a aᵀ] and G = E[g gᵀ] of every layer.

A shared pass enumerates labels, G = Σ_y p(y) ∇log p(y) ∇log p(y)ᵀ with one reverse pass a label through all layers at
once, where `ddtheory` runs the model anew for each layer and takes the gradients from the metric of the head.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from layers_model import Case
from torch import Tensor

from ddtheory.measure import GramFactor, kronecker_factors
from ddtheory.measure.matrices.schur import Factor

Factors = dict[str, tuple[GramFactor, GramFactor]]
Grams = Mapping[str, tuple[Tensor, Tensor]]


def by_layer(case: Case) -> Factors:
    """`kronecker_factors` of one layer after the other."""
    found = {}
    for layer in case.layers:
        factors = kronecker_factors(case.problem, layer)
        found[layer] = (factors.activation, factors.gradient)
    return found


def shared_factors(case: Case) -> Factors:
    """Triangular factors from one pass that all layers share."""
    factors = {layer: (Factor(), Factor()) for layer in case.layers}
    shared_pass(case, lambda layer, which, rows: factors[layer][which].add(rows))
    root = math.sqrt(case.inputs.shape[0])
    return {
        layer: (GramFactor(a.triangle / root), GramFactor(g.triangle / root))
        for layer, (a, g) in factors.items()
        if a.triangle is not None and g.triangle is not None
    }


def dense_grams(case: Case) -> Grams:
    """The Gram matrices themselves, formed from one shared pass."""
    sums: dict[tuple[str, int], Tensor] = {}

    def add(layer: str, which: int, rows: Tensor) -> None:
        product = rows.mT @ rows / case.inputs.shape[0]
        sums[layer, which] = sums[layer, which] + product if (layer, which) in sums else product

    shared_pass(case, add)
    return {layer: (sums[layer, 0], sums[layer, 1]) for layer in case.layers}


def shared_pass(case: Case, add: Callable[[str, int, Tensor], None]) -> None:
    """Hands over the rows of A (0) and of G (1) of every layer as they come."""
    shifts: dict[str, Tensor] = {}

    def hook(layer: str) -> Callable[..., Tensor]:
        def watch(_module: object, arguments: tuple[Tensor, ...], output: Tensor) -> Tensor:
            add(layer, 0, arguments[0].detach().reshape(-1, arguments[0].shape[-1]))
            shifts[layer] = torch.zeros_like(output, requires_grad=True)
            return output + shifts[layer]

        return watch

    handles = [case.module.get_submodule(layer).register_forward_hook(hook(layer)) for layer in case.layers]
    try:
        log_p = torch.log_softmax(case.module(case.inputs), dim=-1)
    finally:
        for handle in handles:
            handle.remove()
    for label in range(log_p.shape[1]):
        score = log_p[:, label]
        gradients = torch.autograd.grad(score, list(shifts.values()), score.detach().div(2).exp(), retain_graph=True)
        for layer, gradient in zip(shifts, gradients, strict=True):
            add(layer, 1, gradient.reshape(-1, gradient.shape[-1]))
