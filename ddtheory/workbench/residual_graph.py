"""A chain of layers with skip connections and one dead channel, as a torch network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError


@dataclass(frozen=True)
class ResidualGraph:
    r"""Nodes z_0 = x and z_m = φ(W_m z_{m−1}) + Σ_{skips (a, m)} z_a, the output being the last node.

    W_m = live matrix ⊕ c_m t: every layer multiplies the dead channel, the last one, by c_m t.

    Attributes:
        live: (depth, d − 1, d − 1).
        slopes: c_1 … c_depth, of any sign.
        skips: pairs (source, target) of nodes with source < target − 1, of weight 1.
        inputs: (batch, d).
        activation: φ with φ(0) = 0, elementwise.

    Source: residual graphs of Shirodkar 2026, Dead Directions.

    >>> graph = residual_graph(depth=2, skips=[(0, 2)], activation=lambda z: z)
    >>> float(graph.sensitivity(0.1, 0)[-1, 0, -1])    # 1 + t²
    1.01
    """

    live: Tensor
    slopes: tuple[float, ...]
    skips: tuple[tuple[int, int], ...]
    inputs: Tensor
    activation: Callable[[Tensor], Tensor] = torch.tanh

    def __post_init__(self) -> None:
        if self.live.shape[0] != len(self.slopes):
            raise InvalidValueError(f"There are {self.live.shape[0]} layers but {len(self.slopes)} slopes.")
        for source, target in self.skips:
            if not 0 <= source < target - 1 < self.depth:
                raise InvalidValueError(
                    f"The skip ({source}, {target}) does not jump over a layer of a chain with nodes 0 to {self.depth}."
                )

    @property
    def depth(self) -> int:
        return len(self.slopes)

    def nodes(self, t: float) -> list[Tensor]:
        """All nodes at distance t of the dead point, (batch, d) each."""
        return self._continued(t, [self.inputs])

    def output_from(self, t: float, node: int) -> Callable[[Tensor], Tensor]:
        """The output as a function of one node, the nodes before it being kept."""
        before = self.nodes(t)[:node]
        return lambda value: self._continued(t, [*before, value])[-1]

    def sensitivity(self, t: float, node: int) -> Tensor:
        """Derivative of the output by a node, (channel of the node, batch, channel of the output)."""
        at = self.nodes(t)[node]
        found: list[Tensor] = []
        for channel in range(at.shape[1]):
            tangent = torch.zeros_like(at)
            tangent[:, channel] = 1.0
            found.append(torch.func.jvp(self.output_from(t, node), (at,), (tangent,))[1])
        return torch.stack(found)

    def gradient_factor(self, t: float, node: int, noise: Tensor) -> Tensor:
        """M with MᵀM = E[δδᵀ] at a node, for ½‖f − y‖², y = output at t = 0 plus noise.

        The mean over the noise is exact: E δδᵀ = E_x Jᵀ(eeᵀ + CCᵀ)J with e the model error and C the given factor
        of the covariance. Its singular values reach twice as deep as eigenvalues of the product.
        """
        jacobian = self.sensitivity(t, node).permute(1, 2, 0)  # (batch, output, node)
        error = (self.nodes(t)[-1] - self.nodes(0.0)[-1]).unsqueeze(1)
        rows = torch.cat([noise.mT @ jacobian, error @ jacobian], 1)
        return rows.flatten(0, 1) / self.inputs.shape[0] ** 0.5

    def gradient_moment(self, t: float, node: int, noise: float) -> float:
        """E[δ²] of the dead channel of a node, against independent noise of this variance."""
        spread = noise**0.5 * torch.eye(self.inputs.shape[1], dtype=self.inputs.dtype)
        return self.gradient_factor(t, node, spread)[:, -1].square().sum().item()

    def _continued(self, t: float, nodes: list[Tensor]) -> list[Tensor]:
        found = list(nodes)
        for layer in range(len(nodes), self.depth + 1):
            before = found[-1]
            live = before[:, :-1] @ self.live[layer - 1].mT
            dead = self.slopes[layer - 1] * t * before[:, -1:]
            value = self.activation(torch.cat([live, dead], 1))
            found.append(value + sum(found[source] for source, target in self.skips if target == layer))
        return found


def residual_graph(
    *,
    depth: int,
    skips: list[tuple[int, int]],
    slopes: tuple[float, ...] | None = None,
    activation: Callable[[Tensor], Tensor] = torch.tanh,
    width: int = 4,
    batch: int = 64,
    gain: float = 0.8,
    seed: int = 0,
) -> ResidualGraph:
    """A graph with seeded Gaussian inputs and random orthogonal live matrices times `gain`, in float64."""
    generator = torch.Generator().manual_seed(seed)
    raw = torch.randn(depth, width - 1, width - 1, generator=generator, dtype=torch.float64)
    inputs = torch.randn(batch, width, generator=generator, dtype=torch.float64)
    return ResidualGraph(gain * torch.linalg.qr(raw)[0], slopes or (1.0,) * depth, tuple(skips), inputs, activation)
