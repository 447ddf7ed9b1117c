"""The matrix exponential for curves, to rounding.

`torch.matrix_exp` has a relative error of up to 5·10⁻¹³ where the norm lies between 10⁻³ and 0.05 (torch 2, float64:
its polynomial of degree 8). A gauge orbit written with it leaves the orbit by as much, which a float64 reading sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

TERMS = 18  # (1/2)^19/19! is below float64 rounding


def exponential(input: Tensor) -> Tensor:
    """exp of matrices (…, n, n): Taylor's polynomial of A/2ˢ with norm at most 1/2, squared s times.

    The argument has the name that torch gives it, since this stands in its place.

    >>> turn = torch.tensor([[0.0, -0.03], [0.03, 0.0]], dtype=torch.float64)
    >>> abs(exponential(turn)[1, 0].item() - math.sin(0.03)) < 1e-17
    True
    """
    norm = float(input.detach().abs().sum(dim=-2).max()) if input.numel() else 0.0
    if not math.isfinite(norm):
        return torch.full_like(input, math.nan)
    halvings = max(0, math.ceil(math.log2(norm)) + 1) if norm > 0 else 0
    size = input.shape[-1]
    scaled = (input / 2.0**halvings).reshape(math.prod(input.shape[:-2]), size, size)
    # with a derivative of its own, zero: where one is missing, torch works out its shape in every sum, and slowly
    identity = torch.eye(size, dtype=input.dtype, device=input.device) + 0 * scaled
    result = identity
    for term in range(TERMS, 0, -1):
        result = torch.baddbmm(identity, scaled, result, alpha=1 / term)
    for _ in range(halvings):
        result = result @ result
    return result.reshape(input.shape)


EXPONENTIALS: Mapping[Any, Callable[..., Tensor]] = dict.fromkeys(
    (torch.matrix_exp, torch.linalg.matrix_exp, Tensor.matrix_exp), exponential
)
"""For `ddtheory.measure.setting.formulas.Formulas`: every spelling of it in torch."""
