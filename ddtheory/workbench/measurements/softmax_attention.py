"""One-head softmax attention in torch: its logits on all strings, their rank, and what the regular directions leave."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]

_NEWTON = 12
_LEAST_SINGULAR_VALUE = 1e-9


@dataclass(frozen=True)
class Attention:
    """v tokens, strings of length T, width e; parameters are E (v × e), Q (e × e) and U (e × v), in one vector."""

    tokens: int
    length: int
    width: int

    @property
    def dimension(self) -> int:
        """How many parameters there are."""
        return self.width * (2 * self.tokens + self.width)

    def padded(
        self, embedding: Sequence[Sequence[float]], attention: Sequence[Sequence[float]], out: Sequence[Sequence[float]]
    ) -> Tensor:
        """A teacher of smaller width, its entries first and zeros behind."""
        v, e = self.tokens, self.width
        parts = []
        for size, given in (((v, e), embedding), ((e, e), attention), ((e, v), out)):
            part = torch.zeros(size, dtype=torch.float64)
            block = torch.tensor(given, dtype=torch.float64).reshape(len(given), -1)
            part[: block.shape[0], : block.shape[1]] = block
            parts.append(part.flatten())
        return torch.cat(parts)

    def place(self, matrix: str, row: int, column: int) -> int:
        """Where an entry of "E", "Q" or "U" stands in the vector."""
        v, e = self.tokens, self.width
        start, columns = {"E": (0, e), "Q": (v * e, e), "U": (v * e + e * e, v)}[matrix]
        return start + row * columns + column

    def logits(self, w: Tensor) -> Tensor:
        """Logits less their mean, one row a string."""
        v, e = self.tokens, self.width
        embedding, attention, out = (
            w[: v * e].reshape(v, e),
            w[v * e : v * e + e * e].reshape(e, e),
            w[v * e + e * e :].reshape(e, v),
        )
        strings = torch.tensor(list(itertools.product(range(v), repeat=self.length)))
        scores = embedding @ attention @ embedding.T
        weights = torch.softmax(scores[strings[:, -1:], strings], -1)
        found = torch.einsum("xt,xtv->xv", weights, (embedding @ out)[strings])
        return found - found.mean(-1, keepdim=True)

    def jacobian(self, w: Tensor) -> Floats:
        """The derivative of the centred logits of all strings."""

        def flat(at: Tensor) -> Tensor:
            return self.logits(at).flatten()

        found: Tensor = torch.func.jacfwd(flat)(w)
        return found.numpy()

    def rank(self, w: Tensor) -> int:
        """Singular values of the derivative above 1e-9 of the largest; 0 where all vanish."""
        values = np.linalg.svd(self.jacobian(w), compute_uv=False)
        return int((values > _LEAST_SINGULAR_VALUE * max(values[0], _LEAST_SINGULAR_VALUE)).sum())

    def least_misfit(self, w: Tensor, direction: Tensor, step: float) -> float:
        """The least squared change of the logits at w + step·direction plus anything in the row space at w.

        The row space holds the regular directions; what they cannot undo is the singular part.
        """
        rows = np.linalg.svd(self.jacobian(w))[2][: self.rank(w)]
        truth, at = self.logits(w), w + step * direction
        for _ in range(_NEWTON):
            gap = (self.logits(at) - truth).flatten().numpy()
            move = np.linalg.lstsq(self.jacobian(at) @ rows.T, gap, rcond=None)[0]
            at = at - torch.from_numpy(move @ rows)
        return float((self.logits(at) - truth).square().sum())
