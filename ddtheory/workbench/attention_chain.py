"""Softmax attention blocks in a row, with one dead channel that every weight matrix carries with size t."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError


@dataclass(frozen=True)
class AttentionChain:
    r"""Blocks X ↦ (softmax(QKᵀ/√d_h) V) W_Oᵀ, optionally with a residual stream, at distance t of the dead point.

    The weights of each block are W_Q, W_K, W_V, W_O = live matrix ⊕ dead entry, the dead entry being t times the
    number in `follow`. The dead channel is the last one, in the last head. A block has amplitude t² along it.

    Attributes:
        live: (blocks, 4, d − 1, d − 1), the live matrices in the order Q, K, V, O.
        inputs: (batch, positions, d).
        heads: a divisor of d.
        follow: the dead entries of Q, K, V, O as multiples of t.
        residual: whether each block is added to its input.

    Source: attention chains of Shirodkar 2026, Dead Directions.

    >>> chain = attention_chain(blocks=1, heads=1)
    >>> chain.stream(0.5)[..., -1].abs().max() < 0.25 * chain.inputs[..., -1].abs().max()   # t² times an average
    tensor(True)
    """

    live: Tensor
    inputs: Tensor
    heads: int = 2
    follow: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    residual: bool = False

    def __post_init__(self) -> None:
        width = self.inputs.shape[-1]
        if width % self.heads or self.live.shape[1:] != (4, width - 1, width - 1):
            raise InvalidValueError(
                f"The live matrices have shape {tuple(self.live.shape)} and there are {self.heads} heads, but the "
                f"inputs have {width} channels. Give (blocks, 4, {width - 1}, {width - 1}) and a divisor of {width}."
            )

    @property
    def blocks(self) -> int:
        return self.live.shape[0]

    def weights(self, t: float) -> Tensor:
        """(blocks, 4, d, d) at distance t."""
        width = self.inputs.shape[-1]
        found = self.live.new_zeros(self.blocks, 4, width, width)
        found[..., :-1, :-1] = self.live
        found[..., -1, -1] = t * self.live.new_tensor(self.follow)
        return found

    def attention(self, stream: Tensor, weights: Tensor, added: Tensor | None = None) -> Tensor:
        """Attention weights (batch, heads, positions, positions) of one block; `added` is added to the scores."""
        query, key = self._by_head(stream @ weights[0].mT), self._by_head(stream @ weights[1].mT)
        scores = query @ key.mT / query.shape[-1] ** 0.5
        return torch.softmax(scores if added is None else scores + added, -1)

    def mixed(self, attention: Tensor, values: Tensor) -> Tensor:
        """What the heads hand to W_O: the values (batch, positions, d) averaged head by head."""
        return (attention @ self._by_head(values)).transpose(-2, -3).flatten(-2)

    def block(self, stream: Tensor, weights: Tensor, added: Tensor | None = None) -> Tensor:
        """One block, with its residual stream if the chain has one."""
        attention = self.attention(stream, weights, added)
        written = self.mixed(attention, stream @ weights[2].mT) @ weights[3].mT
        return stream + written if self.residual else written

    def stream(self, t: float, blocks: int | None = None) -> Tensor:
        """The stream after the first `blocks` blocks, all of them by default."""
        found = self.inputs
        for weights in self.weights(t)[:blocks]:
            found = self.block(found, weights)
        return found

    def onward(self, t: float, below: int) -> Callable[[Tensor], Tensor]:
        """What the blocks above number `below` make of a stream."""

        def function(stream: Tensor) -> Tensor:
            for weights in self.weights(t)[below:]:
                stream = self.block(stream, weights)
            return stream

        return function

    def sensitivity(self, t: float, below: int) -> Tensor:
        """Derivative of the output with respect to the dead channel of the stream after `below` blocks.

        Shape (positions, batch, positions, d): first the position that is moved. By forward-mode derivatives, so
        that small routes keep their relative accuracy.
        """
        return by_position(self.onward(t, below), self.stream(t, below))

    def gradient_moment(self, t: float, below: int, noise: float, *, error: bool = True) -> float:
        """E[δ²] of the dead gradient there, for ½‖f − y‖², y = output at t = 0 plus noise of variance `noise`.

        The mean over the noise is exact: (eᵀJ)² + noise·‖J‖² with e the model error. Without `error` it is the
        moment with labels drawn from the model, up to the factor 1/noise².
        """
        jacobian = self.sensitivity(t, below)
        found = noise * jacobian.square().sum((-1, -2))
        if error:
            found = found + ((self.stream(t) - self.stream(0.0)) * jacobian).sum((-1, -2)).square()
        return found.mean().item()

    def value_route(self, below: int) -> Tensor:
        """Leading coefficient of the route through V and O of all k blocks above, t^{2k}: a product of attentions.

        Shape as in `sensitivity`, computed at t = 0 without any derivative.
        """
        stack = torch.eye(self.inputs.shape[-2], dtype=self.inputs.dtype).expand(self.inputs.shape[0], -1, -1)
        for attention in self._dead_attention()[below:]:
            stack = self.follow[2] * self.follow[3] * attention @ stack
        found = torch.zeros(stack.shape[-1], *self.inputs.shape, dtype=self.inputs.dtype)
        found[..., -1] = stack.permute(2, 0, 1)
        return found

    def score_route(self, below: int) -> Tensor:
        """Leading coefficient of the route through the scores of the next block, t^{2·below + 2}.

        Shape as in `sensitivity`: the model at t = 0, differentiated with respect to those scores, in the
        direction in which the dead reading of the stream moves them.
        """
        reading = self.inputs[..., -1:]
        for attention in self._dead_attention()[:below]:
            reading = self.follow[2] * self.follow[3] * attention @ reading
        before, weights = self.stream(0.0, below), self.weights(0.0)[below]
        positions = self.inputs.shape[-2]
        scale = self.follow[0] * self.follow[1] / (self.inputs.shape[-1] // self.heads) ** 0.5
        onward = self.onward(0.0, below + 1)
        still = self.inputs.new_zeros(self.inputs.shape[0], self.heads, positions, positions)

        def function(added: Tensor) -> Tensor:
            return onward(self.block(before, weights, added))

        found: list[Tensor] = []
        for position in range(positions):
            moved = torch.zeros_like(still)
            moved[:, -1, position, :] += scale * reading[..., 0]
            moved[:, -1, :, position] += scale * reading[..., 0]
            found.append(torch.func.jvp(function, (still,), (moved,))[1])
        return torch.stack(found)

    def _dead_attention(self) -> list[Tensor]:
        """Attention of the dead head of each block at t = 0, (batch, positions, positions)."""
        found: list[Tensor] = []
        stream = self.inputs
        for weights in self.weights(0.0):
            found.append(self.attention(stream, weights)[:, -1])
            stream = self.block(stream, weights)
        return found

    def _by_head(self, values: Tensor) -> Tensor:
        return values.reshape(*values.shape[:-1], self.heads, -1).transpose(-2, -3)


def by_position(function: Callable[[Tensor], Tensor], stream: Tensor) -> Tensor:
    """Derivatives of a function of the stream along its last channel, one position at a time."""
    found: list[Tensor] = []
    for position in range(stream.shape[-2]):
        tangent = torch.zeros_like(stream)
        tangent[:, position, -1] = 1.0
        found.append(torch.func.jvp(function, (stream,), (tangent,))[1])
    return torch.stack(found)


def attention_chain(
    *,
    blocks: int,
    positions: int = 4,
    width: int = 6,
    heads: int = 2,
    gain: float = 0.9,
    batch: int = 16,
    follow: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0),
    residual: bool = False,
    seed: int = 0,
) -> AttentionChain:
    """A chain with seeded Gaussian inputs and random orthogonal live matrices times `gain`, in float64.

    Larger gains saturate the softmax, and routes through the scores then sink below the radii that one can read.
    """
    generator = torch.Generator().manual_seed(seed)
    raw = torch.randn(blocks, 4, width - 1, width - 1, generator=generator, dtype=torch.float64)
    inputs = torch.randn(batch, positions, width, generator=generator, dtype=torch.float64)
    return AttentionChain(gain * torch.linalg.qr(raw)[0], inputs, heads, follow, residual)
