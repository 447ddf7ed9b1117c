r"""Tensors as leading terms in t: Σ_e lead_e t^e, entry by entry, on a batch of inputs.

A tensor of a network along a path is lead_0 + Σ_{e ∈ E} lead_e t^e + o(t^{min E}) in each entry, with few exponents e
in all and, in one entry, only those that can be smallest. Beside each coefficient stands a `size`: a bound of the sum
of the absolute values that made it. Where the size is zero no such term can exist (a structural fact); where the size
is positive and the coefficient is not, the terms cancelled, and only the bound on the order remains. So orders come
from the exponents alone, and coefficients (at the model's own parameters, on drawn inputs) only decide whether a
bound is attained. Sizes ignore closed gates, so a bound holds uniformly over inputs, and with it the order of moments.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from sympy import Expr, Integer
from torch import Tensor

from ddtheory.exact.orders.valuation import certainly_less

ZERO = Integer(0)

# Rounding leaves 1e-15 of a sum that cancels; six decimals of room. A true coefficient below this share of its
# summands is taken for a cancellation, which only weakens "exactly" to "at least".
CANCELLED = 1e-9
# A coefficient that lost no more than three decimals to cancellation starts afresh, so that sizes do not outgrow
# coefficients in deep networks.
KEPT = 1e-3

Part = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Terms:
    """Exponent → (coefficient, size), all of one shape. No part at all is the zero tensor."""

    shape: torch.Size
    parts: Mapping[Expr, Part]

    @property
    def start(self) -> Tensor:
        """The value at t = 0."""
        return self.parts[ZERO][0] if ZERO in self.parts else torch.zeros(self.shape, dtype=torch.float64)

    @property
    def started(self) -> Tensor:
        """Where a value at t = 0 can exist."""
        return self.parts[ZERO][1] > 0 if ZERO in self.parts else torch.zeros(self.shape, dtype=torch.bool)

    @property
    def deviation(self) -> Terms:
        """The difference to the value at t = 0."""
        return Terms(self.shape, {e: part for e, part in self.parts.items() if e != ZERO})

    def leading(self) -> Terms:
        """The terms of lowest order, without the deviation of what does not vanish at t = 0."""
        return settle(self.shape, self.parts, keep_start=False)


def constant(value: Tensor) -> Terms:
    """A tensor that does not depend on t; −∞, as in attention masks, has size one."""
    value = value.to(torch.float64)
    size = torch.where(value.isfinite(), value.abs(), torch.ones_like(value))
    return settle(value.shape, {ZERO: (value, size)})


def settle(shape: torch.Size, parts: Mapping[Expr, Part], *, keep_start: bool = True) -> Terms:
    """Notice what cancelled, and drop in every entry the terms that are certainly not smallest.

    With `keep_start` the value at t = 0 stands beside the smallest deviation; without, it hides it.
    """
    noticed: dict[Expr, Part] = {}
    for exponent, (lead, size) in parts.items():
        lead, size = lead.expand(shape), size.expand(shape)
        lead = torch.where(lead.abs() <= CANCELLED * size, 0.0, lead)
        fresh = (lead.abs() >= KEPT * size) & lead.isfinite()
        noticed[exponent] = (lead, torch.where(fresh, lead.abs(), size))
    kept: dict[Expr, Part] = {}
    for exponent, (lead, size) in noticed.items():
        stands = size > 0
        if not (keep_start and exponent == ZERO):
            for other, (_, other_size) in noticed.items():
                if not (keep_start and other == ZERO) and certainly_less(other, exponent):
                    stands = stands & (other_size == 0)
        if bool(stands.any()):
            kept[exponent] = (torch.where(stands, lead, 0.0), torch.where(stands, size, 0.0))
    return Terms(shape, kept)


def combine(operation: Callable[..., Tensor], factors: Sequence[Terms], *, keep_start: bool = True) -> Terms:
    """An operation that is linear in each factor, with non-negative constants: exponents add, coefficients multiply."""
    found: dict[Expr, Part] = {}
    shape: torch.Size | None = None
    for chosen in itertools.product(*(factor.parts.items() for factor in factors)):
        exponent = sum((e for e, _ in chosen), ZERO)
        lead, size = operation(*(part[0] for _, part in chosen)), operation(*(part[1] for _, part in chosen))
        shape = lead.shape
        found[exponent] = (found[exponent][0] + lead, found[exponent][1] + size) if exponent in found else (lead, size)
    if shape is None:
        shape = operation(*(torch.zeros(factor.shape, dtype=torch.float64) for factor in factors)).shape
    return settle(shape, found, keep_start=keep_start)


def add(terms: Iterable[Terms], *, keep_start: bool = True) -> Terms:
    """The sum of tensors whose shapes broadcast."""
    summands = list(terms)
    shape = broadcast(*(term.shape for term in summands))
    found: dict[Expr, Part] = {}
    for term in summands:
        for e, (lead, size) in term.parts.items():
            lead, size = lead.expand(shape), size.expand(shape)
            found[e] = (found[e][0] + lead, found[e][1] + size) if e in found else (lead, size)
    return settle(shape, found, keep_start=keep_start)


def broadcast(*shapes: torch.Size) -> torch.Size:
    shape: torch.Size = torch.broadcast_shapes(*shapes)  # type: ignore[no-untyped-call]
    return shape


def negative(terms: Terms) -> Terms:
    return Terms(terms.shape, {e: (-lead, size) for e, (lead, size) in terms.parts.items()})


def pull_back(operation: Callable[..., Tensor], factors: Sequence[Terms], position: int, signal: Terms) -> Terms:
    """The backward signal at one factor of a multilinear operation; it is linear in the signal and the other factors.

    Only the leading terms of the other factors matter, because a backward signal is seen whole.
    """
    others = [factor.leading() for i, factor in enumerate(factors) if i != position]

    def transposed(cotangent: Tensor, *rest: Tensor) -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():  # `torch.func.vjp` would load the compiler of torch
            varied = torch.zeros(factors[position].shape, dtype=torch.float64, requires_grad=True)
            arguments = [tensor.clone() if tensor.is_inference() else tensor for tensor in rest]
            arguments.insert(position, varied)
            return torch.autograd.grad(operation(*arguments), varied, cotangent)[0]

    return combine(transposed, [signal, *others], keep_start=False)


def scaled(parameter: Tensor, powers: Mapping[Expr, Tensor]) -> Terms:
    """c·t^p entry by entry; `powers` says for each power where it stands."""
    lead = parameter.detach().to(torch.float64)
    return settle(lead.shape, {e: (lead * where, lead.abs() * where) for e, where in powers.items()})


def finite(terms: Terms) -> bool:
    """Whether no coefficient is NaN or +∞; −∞ stands for a masked score."""
    return all(not bool(torch.isnan(lead).any() | (lead == math.inf).any()) for lead, _ in terms.parts.values())
