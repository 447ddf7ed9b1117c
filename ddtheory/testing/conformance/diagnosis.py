"""What the losses along chains say of an estimate that is off: signs, drift, chains that disagree, few effective draws.

K ≥ 0 with K(w*) = 0 on every cell, and that is what makes these signs mean something.
"""

from __future__ import annotations

import numpy

from ddtheory.testing.conformance.posterior import Floats

_DRIFT = 5.0  # standard errors between the halves of the chains
_APART = 1.1  # R̂
_FEWEST = 50  # effective draws
_BATCHES = 10  # a chain; long ones, because a short batch hides how long the chain remembers


def told_by(losses: Floats) -> str:
    """Everything that is wrong with chains of shape (chains, draws), each with its cause; empty where nothing is.

    >>> told_by(numpy.tile([-0.1, 0.3], (8, 100)))
    'the least loss along the chains is -0.1, and K ≥ 0: the baseline was taken 0.1 nats too high, or L is noisy'
    """
    found = []
    losses = numpy.atleast_2d(losses)
    chains, draws = losses.shape
    lowest = float(losses.min())
    if lowest < 0:
        found.append(
            f"the least loss along the chains is {lowest:.3g}, and K ≥ 0: the baseline was taken {-lowest:.3g} nats "
            "too high, or L is noisy"
        )
    half = draws // 2
    if chains > 3 and half > 1:
        moved = losses[:, half:].mean(axis=1) - losses[:, :half].mean(axis=1)
        error = float(moved.std(ddof=1)) / chains**0.5
        if abs(float(moved.mean())) > _DRIFT * error > 0:
            way = "rises" if moved.mean() > 0 else "falls"
            found.append(f"the loss still {way} along the chains: take longer chains or more burn-in")
    if chains > 1 and draws > 3 and (apart := _split_r_hat(losses)) > _APART:
        found.append(f"the chains disagree (R̂ = {apart:.2f}): they have not mixed, take longer ones")
    if draws > 3 and 0 < (effective := _effective(losses)) < _FEWEST:
        found.append(f"about {effective:.0f} effective draws of {chains * draws}: the step is small for these chains")
    return "; ".join(found)


def _split_r_hat(losses: Floats) -> float:
    """R̂ = √((N − 1)/N + B/W) of half chains of length N: B between their means, W the mean variance inside."""
    half = losses.shape[1] // 2
    parts = numpy.concatenate([losses[:, :half], losses[:, half : 2 * half]])
    inside = float(parts.var(axis=1, ddof=1).mean())
    between = float(parts.mean(axis=1).var(ddof=1))
    return ((half - 1) / half + between / inside) ** 0.5 if inside > 0 else 1.0


def _effective(losses: Floats) -> float:
    """Draws over their autocorrelation time, by batch means; 0 where nothing varies."""
    draws = losses.shape[1]
    count = min(max(int(draws**0.5), 2), _BATCHES)
    length = draws // count
    means = losses[:, : count * length].reshape(len(losses), count, length).mean(axis=2)
    spread, total = float(means.var(ddof=1)), float(losses.var(ddof=1))
    return losses.size * min(1.0, total / (length * spread)) if spread > 0 else 0.0
