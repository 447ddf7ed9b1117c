"""The SGLD sampler of devinterp 1.3.2 as an estimator: `pip install 'ddtheory[devinterp]'`.

Version 1 samples any torch module; version 2 is for language models and has no such entry. Facts about 1.3.2 that the
adapter works around, found by running it: the loader must be a DataLoader with a batch size even when nβ is given; an
initial loss of 0 counts as missing and is measured; the default optimiser warns that it is deprecated; seeding a run
seeds torch as a whole.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from ddtheory.errors import InvalidValueError
from ddtheory.testing.conformance.task import EstimationTask, LossSamples
from ddtheory.testing.ranges import check_rational, check_whole

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class DevinterpSGLD:
    """Chains of `devinterp.slt.sampler.sample` with `devinterp.optim.sgld.SGLD`, spending the budget.

    Attributes:
        step_size: ε of Δw = −(ε/2)(nβ ∇L + γ(w − w*)) + N(0, ε).
        chains: independent chains, one after the other.
        burn_in: share of each chain that is dropped.

    Raises:
        InvalidValueError: no positive step, no whole number of chains, or a share that leaves nothing.
    """

    step_size: float = 1e-4
    chains: int = 4
    burn_in: float = 0.2

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_size", float(check_rational("step_size", self.step_size)))
        object.__setattr__(self, "chains", check_whole("chains", self.chains, least=1))
        if not isinstance(self.burn_in, Real) or isinstance(self.burn_in, bool) or not 0 <= self.burn_in < 1:
            raise InvalidValueError(f"burn_in = {self.burn_in!r} must be a share of the chain, from 0 to below 1.")

    def __call__(self, task: EstimationTask) -> LossSamples:
        import torch
        from devinterp.optim.sgld import SGLD  # type: ignore[import-not-found,import-untyped,unused-ignore]
        from devinterp.slt.llc import LLCEstimator  # type: ignore[import-not-found,import-untyped,unused-ignore]
        from devinterp.slt.sampler import sample  # type: ignore[import-not-found,import-untyped,unused-ignore]

        if any(task.prior_exponents):
            raise InvalidValueError("devinterp has flat and Gaussian priors, and none of the form |w|^h.")
        # one forward pass a chain measures the initial loss
        steps = task.budget // self.chains - 1
        burnt = int(self.burn_in * steps)
        options: dict[str, Any] = {
            "lr": self.step_size,
            "nbeta": task.n_beta,
            "localization": task.localisation,
            "bounding_box_size": _half_width(task),
        }
        found = LLCEstimator(self.chains, steps - burnt, init_loss=0.0, nbeta=task.n_beta, device="cpu")
        with warnings.catch_warnings(), torch.random.fork_rng():
            warnings.simplefilter("ignore")
            sample(
                task.module(),
                _loader(task),
                [found],
                evaluate=_loss,
                sampling_method=SGLD,
                optimizer_kwargs=options,
                num_draws=steps - burnt,
                num_chains=self.chains,
                num_burnin_steps=burnt,
                seed=task.seed,
                verbose=False,
            )
        return LossSamples(found.losses.numpy())


def _half_width(task: EstimationTask) -> float | None:
    """The half width of a cube around the truth, which is the only box that devinterp has.

    Raises:
        InvalidValueError: the box is another one.
    """
    widths = {*(task.upper - task.truth), *(task.truth - task.lower)}
    if len(widths) > 1:
        raise InvalidValueError("devinterp bounds a cube around the truth, and this box is none.")
    width = float(widths.pop())
    return width if math.isfinite(width) else None


def _loss(module: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    inputs, targets = batch
    return (module(inputs) - targets).square().sum(dim=1).mean()


def _loader(task: EstimationTask) -> Any:
    """All data in every batch. Many batches, because the loader starts anew after the last."""
    from torch.utils.data import DataLoader, TensorDataset

    inputs, targets = task.data()
    return DataLoader(TensorDataset(inputs.repeat(100, 1), targets.repeat(100, 1)), batch_size=len(inputs))
