"""What the losses along chains say of an estimate that is off: signs, drift, chains that disagree, few effective draws.

K ≥ 0 with K(w*) = 0 on every cell, and that is what makes these signs mean something.
"""

from __future__ import annotations

import importlib.util

import numpy

from ddtheory.extras import need
from ddtheory.testing.conformance.posterior import Floats

_DRIFT = 5.0  # standard errors between the halves of the chains
_APART = 1.1  # R̂
_FEWEST = 50  # effective draws


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
    if draws > 3 and losses.var() > 0:
        found += _mixing(losses)
    return "; ".join(found)


def _mixing(losses: Floats) -> list[str]:
    """What R̂ and the number of effective draws say, of ArviZ."""
    if importlib.util.find_spec("arviz_stats") is None:
        return ["R̂ is not known without pip install 'ddtheory[diagnosis]'"]
    apart, effective = mixing(losses)
    found = []
    if len(losses) > 1 and apart > _APART:
        found.append(f"the chains disagree (R̂ = {apart:.2f}): they have not mixed, take longer ones")
    if effective < _FEWEST:
        found.append(f"about {effective:.0f} effective draws of {losses.size}: the step is small for these chains")
    return found


def mixing(losses: Floats) -> tuple[float, float]:
    """R̂ and the effective draws for the mean of chains of shape (chains, draws ≥ 4) that are not constant, by ArviZ.

    R̂ is that of ranks over split chains; of one chain, between its halves.

    Raises:
        MissingExtraError: arviz-stats is not installed.
    """
    need("arviz_stats", "R̂")
    from arviz_stats.base import array_stats

    axes = {"chain_axis": 0, "draw_axis": 1}
    with numpy.errstate(divide="ignore", invalid="ignore"):  # chains of two values have ranks without a spread
        return float(array_stats.rhat(losses, **axes)), float(array_stats.ess(losses, method="mean", **axes))
