"""Linear attention with the truth 0: how the volume where its mean is small shrinks, with the scale of E integrated."""

from __future__ import annotations

import itertools

import numpy as np

from ddtheory.measure.sublevel import Floats, sampled_volume
from ddtheory.values import Interval
from ddtheory.workbench.measurements.volume_slope import slope


def misfit(embedding: Floats, attention: Floats, out: Floats, length: int) -> Floats:
    """Mean of |ℓ(x)|²/2 over strings, ℓ(x) = Σ_t (E_{x_T} Q E_{x_t}ᵀ) E_{x_t}U/T; the last axis is that of draws."""
    scores = np.einsum("aix,ijx,bjx->abx", embedding, attention, embedding, optimize=True)
    values = np.einsum("aix,icx->acx", embedding, out)
    strings = list(itertools.product(range(len(embedding)), repeat=length))
    total = np.zeros(embedding.shape[-1])
    for string in strings:
        mean = sum(scores[string[-1], t] * values[t] for t in string) / length
        total += (np.asarray(mean) ** 2).sum(0)
    return total / len(strings) / 2


def slope_at_zero(tokens: int, length: int, width: int, level: float, *, samples: int = 500_000, seed: int) -> Interval:
    """log₄ of V(4ε)/V(ε), V(ε) the volume of {K < ε} in the cube [−1, 1]^d.

    K is of degree 6 in E, and E = ρ·θ with θ on the boundary of its cube and ρ^{ve} uniform: so θ, Q and U are drawn,
    and the share of ρ with ρ⁶ K(θ, Q, U) < ε is exact.

    Raises:
        MeasurementError: too few draws for this level.

    >>> slope_at_zero(1, 2, 2, 1e-11, samples=100_000, seed=1).contains(1 / 3)
    True
    """
    sizes = ((tokens, width), (width, width), (width, tokens))
    ends = np.cumsum([rows * columns for rows, columns in sizes])

    def volume(below: float, stream: int) -> Interval:
        def share(w: Floats) -> Floats:
            direction = w[: ends[0]] / np.abs(w[: ends[0]]).max(0)
            parts = np.split(np.concatenate([direction, w[ends[0] :]]), ends[:-1])
            embedding, attention, out = (part.reshape(*size, -1) for part, size in zip(parts, sizes, strict=True))
            k = misfit(embedding, attention, out, length)
            return np.minimum(1.0, below / np.maximum(k, 1e-300)) ** (tokens * width / 6)

        return sampled_volume(share, [(-1.0, 1.0)] * int(ends[-1]), samples=samples, seed=2 * seed + stream)

    return slope(volume(level, 0), volume(4 * level, 1))
