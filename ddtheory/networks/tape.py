"""Jets in place of tensors, and the tape on which backward signals are found.

A `Jet` is a tensor whose entries are known by their leading terms in t. It carries its value at t = 0 as data, so that
shapes and dtypes answer as usual; everything else that a model does with it is a rule of the calculus. Rules are
written with the methods of the `Tape`, each of which records how a backward signal passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ddtheory.networks.terms import (
    CANCELLED,
    ZERO,
    Terms,
    add,
    broadcast,
    combine,
    constant,
    negative,
    pull_back,
    settle,
)


class Jet(torch.Tensor):
    """A tensor that is known by its leading terms along the path."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]
    terms: Terms
    parameter: str | None  # the name, when this is a parameter as the model has it


def jet(terms: Terms, parameter: str | None = None) -> Jet:
    made: Jet = torch.Tensor._make_subclass(Jet, terms.start)
    made.terms, made.parameter = terms, parameter
    return made


@dataclass(frozen=True)
class Use:
    """A weight at work: z = W a, the place where Kronecker factors are read."""

    weight: str
    inputs: Jet
    channel: int
    output: Jet
    output_channel: int


class Tape:
    """Operations on jets, recorded for the backward pass."""

    def __init__(self) -> None:
        self._nodes: list[tuple[Jet, Sequence[Jet], Callable[[Terms], Sequence[Terms]]]] = []
        self.uses: list[Use] = []

    def record(self, terms: Terms, inputs: Sequence[Jet], pull: Callable[[Terms], Sequence[Terms]]) -> Jet:
        made = jet(terms)
        self._nodes.append((made, inputs, pull))
        return made

    def lift(self, value: Any) -> Jet:
        """A jet of what is constant along the path."""
        if isinstance(value, Jet):
            return value
        return jet(constant(torch.as_tensor(value, dtype=torch.float64)))

    def multilinear(self, operation: Callable[..., Tensor], *factors: Any) -> Jet:
        """An operation linear in each factor, with non-negative constants: products, contractions, views, sums."""
        jets = [self.lift(factor) for factor in factors]
        terms = [made.terms for made in jets]
        return self.record(
            combine(operation, terms),
            jets,
            lambda signal: [pull_back(operation, terms, i, signal) for i in range(len(terms))],
        )

    def times(self, left: Any, right: Any) -> Jet:
        return self.multilinear(torch.mul, left, right)

    def plus(self, *summands: Any) -> Jet:
        jets = [self.lift(summand) for summand in summands]
        shape = broadcast(*(made.shape for made in jets))
        terms = [made.terms for made in jets]

        def pull(signal: Terms) -> list[Terms]:
            return [pull_back(lambda part: part.expand(shape), [term], 0, signal) for term in terms]

        return self.record(add(terms), jets, pull)

    def minus(self, left: Any, right: Any) -> Jet:
        return self.plus(left, self.negative(right))

    def negative(self, value: Any) -> Jet:
        made = self.lift(value)
        return self.record(negative(made.terms), [made], lambda signal: [negative(signal)])

    def elementwise(self, function: Callable[[Tensor], Tensor], value: Jet) -> Jet:
        """A smooth σ with σ'(0) ≠ 0 (or a domain that excludes 0): D σ(z) = σ'(z₀) D z to leading order."""
        z = value.terms
        start, slope = torch.func.jvp(function, (z.start,), (torch.ones_like(z.start),))  # type: ignore[misc]
        parts = {e: (slope * lead, _seen(slope) * size) for e, (lead, size) in z.deviation.parts.items()}
        # σ(z₀) can only vanish structurally where z₀ does and σ(0) = 0
        can_start = z.started | (start != 0)
        parts[ZERO] = (start, torch.where(can_start, _seen(start), 0.0))
        factor = Terms(z.shape, {ZERO: (slope, _seen(slope))})
        return self.record(
            settle(z.shape, parts), [value], lambda signal: [combine(torch.mul, [signal, factor], keep_start=False)]
        )

    def rectified(self, value: Jet, below: float = 0.0) -> Jet:
        """ReLU, or leaky ReLU with a slope below zero: homogeneous where z₀ = 0, gated by the sign of z₀ elsewhere."""
        z = value.terms
        gate = _gate(z, below)
        # a closed gate is a fact of this input, not of the path: the size passes as if it were open
        parts = {e: (gate * lead, size) for e, (lead, size) in z.parts.items()}
        factor = Terms(z.shape, {ZERO: (gate, torch.ones_like(gate))})
        return self.record(
            settle(z.shape, parts), [value], lambda signal: [combine(torch.mul, [signal, factor], keep_start=False)]
        )

    def clipped(self, value: Jet, low: float, high: float) -> Jet:
        """min(max(z, low), high): as it is between the bounds, gated by the sign of z₀ − bound elsewhere."""
        z = value.terms
        gate = _gate(_shifted(z, -low), 0.0) * _gate(_shifted(negative(z), high), 0.0)
        parts = {e: (gate * lead, size) for e, (lead, size) in z.deviation.parts.items()}
        start = z.start.clamp(low, high)
        parts[ZERO] = (start, torch.where(z.started | (start != 0), _seen(start), 0.0))
        factor = Terms(z.shape, {ZERO: (gate, torch.ones_like(gate))})
        return self.record(
            settle(z.shape, parts), [value], lambda signal: [combine(torch.mul, [signal, factor], keep_start=False)]
        )

    def largest(self, value: Jet, seen: Tensor) -> Jet:
        """The largest of the seen entries along the last axis: the one that is largest at t = 0.

        Where several are, the one that rises fastest; a mere bound where that depends on more than one exponent.
        """
        z = value.terms
        start = torch.where(seen, z.start, -math.inf)
        largest = start.amax(-1, keepdim=True)
        scale = z.parts[ZERO][1].amax(-1, keepdim=True) if ZERO in z.parts else torch.zeros_like(largest)
        best = largest - start <= CANCELLED * scale  # what only rounding tells apart is tied
        moves = z.deviation.parts
        several = torch.stack([best & (size > 0) for _, size in moves.values()]).any(-1).sum(0) if moves else None
        slope = torch.zeros_like(start) if not moves else torch.stack([lead for lead, _ in moves.values()]).sum(0)
        rising = torch.where(best, slope, -math.inf)
        chosen = F.one_hot(rising.argmax(-1), start.shape[-1]).double()
        if several is not None:
            tied, alike = best.sum(-1) > 1, (rising == rising.amax(-1, keepdim=True)).sum(-1) > 1
            known = ~tied | ((several <= 1) & ~alike)
            chosen = chosen * known.unsqueeze(-1)
        open_ = seen.double().expand(start.shape)
        parts = {e: ((chosen * lead).sum(-1), (open_ * size).sum(-1)) for e, (lead, size) in moves.items()}
        if ZERO in z.parts:
            parts[ZERO] = (start.amax(-1), (open_ * z.parts[ZERO][1]).sum(-1))
        factor = Terms(start.shape, {ZERO: (chosen, open_)})

        def pull(signal: Terms) -> list[Terms]:
            spread = combine(lambda part: part.unsqueeze(-1).expand(start.shape), [signal], keep_start=False)
            return [combine(torch.mul, [spread, factor], keep_start=False)]

        return self.record(settle(start.shape[:-1], parts), [value], pull)

    def softmax(self, value: Jet, axis: int) -> Jet:
        """Uniform where the scores vanish; the deviation is a (D s − Σ a D s), of the order of the scores."""
        weights = torch.softmax(value.terms.start, axis)
        masked = value.terms.start == -math.inf
        weighting = Terms(weights.shape, {ZERO: (weights, torch.where(masked, 0.0, _seen(weights)))})

        def centred(moved: Terms, keep_start: bool) -> Terms:
            weighted = combine(torch.mul, [weighting, moved], keep_start=keep_start)
            mean = combine(lambda part: part.sum(axis, keepdim=True), [weighted], keep_start=keep_start)
            spread = negative(combine(torch.mul, [weighting, mean], keep_start=keep_start))
            return add([weighted, spread], keep_start=keep_start)

        moved = centred(value.terms.deviation, True)
        terms = settle(weights.shape, {**moved.parts, **weighting.parts})
        return self.record(terms, [value], lambda signal: [centred(signal, False)])

    def backward(self, output: Jet, seed: Terms) -> dict[int, Terms]:
        """The backward signal at every jet, by the id of the jet."""
        signals = {id(output): seed}
        for made, inputs, pull in reversed(self._nodes):
            if id(made) in signals:
                for source, signal in zip(inputs, pull(signals[id(made)]), strict=True):
                    known = signals.get(id(source))
                    signals[id(source)] = signal if known is None else add([known, signal], keep_start=False)
        return signals


def _seen(factor: Tensor) -> Tensor:
    """A size for a factor that may underflow or vanish on one input: never zero."""
    return torch.where((factor != 0) & factor.isfinite(), factor.abs(), 1.0)


def _shifted(z: Terms, by: float) -> Terms:
    """z + by, of which only the sign at t = 0 and the deviation are asked for."""
    start = z.start + by
    if math.isfinite(by):
        start = torch.where(start.abs() <= CANCELLED * (z.start.abs() + abs(by)), 0.0, start)
    return Terms(z.shape, {**z.parts, ZERO: (start, torch.ones_like(start))})


def _gate(z: Terms, below: float) -> Tensor:
    """The slope on the side that z moves to; zero, a mere bound, where the sign is not that of every possible term."""
    moves = z.deviation.parts.values()
    at_zero = z.start == 0
    never = torch.zeros(z.shape, dtype=torch.bool)
    opens = torch.stack([never, *((size > 0) & (lead > 0) for lead, size in moves)]).any(0)
    shuts = torch.stack([never, *((size > 0) & (lead < 0) for lead, size in moves)]).any(0)
    unknown = torch.stack([never, *((size > 0) & (lead == 0) for lead, size in moves)]).any(0)
    moved = torch.where(unknown | (opens & shuts), 0.0, torch.where(opens, 1.0, below))
    return torch.where(at_zero, moved, torch.where(z.start > 0, 1.0, below))
