"""Samplers of other packages as estimators, within a budget of passes.

NUTS tunes its step and its masses while it warms up, and that is paid for; every leapfrog step is a pass. The budget is
spent in rounds, each begun only where its worst case fits. SGLD has no calibration of its own: it gets a step size,
which `calibration.Plateau` finds on the cell itself.
"""

from __future__ import annotations

import itertools
import logging
import math
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy

from ddtheory.errors import InvalidValueError
from ddtheory.testing import EstimationTask, LossSamples
from ddtheory.testing.conformance import JaxPosterior

CHAINS = 4
DEPTH = 5  # doublings of a trajectory: at most 32 leapfrog steps a draw
WARM_UP = 0.4  # share of the budget, at the worst


def _rounds(task: EstimationTask) -> tuple[int, int]:
    """(steps of warm-up, draws a round) for each chain."""
    worst = CHAINS * 2**DEPTH
    steps = int(WARM_UP * task.budget) // worst
    if steps < 20:
        raise InvalidValueError(f"A budget of {task.budget} leaves {steps} steps of warm-up a chain; 20 are few.")
    return steps, max(steps // 4, 4)


@dataclass(frozen=True)
class BlackjaxNUTS:
    """`blackjax.nuts` after `blackjax.window_adaptation`."""

    def __call__(self, task: EstimationTask) -> LossSamples:
        import blackjax
        import jax

        jax.config.update("jax_enable_x64", True)
        face = JaxPosterior(task.posterior, task.n_beta)
        steps, size = _rounds(task)
        tuning = blackjax.window_adaptation(blackjax.nuts, face.unbounded, max_num_doublings=DEPTH)

        def warm(key: Any) -> Any:
            (state, parameters), info = tuning.run(key, face.start(), num_steps=steps)
            return state, parameters, info.info.num_integration_steps.sum()

        def sample(key: Any, state: Any, parameters: Any) -> Any:
            kernel = blackjax.nuts(face.unbounded, max_num_doublings=DEPTH, **parameters)

            def step(state: Any, key: Any) -> Any:
                state, info = kernel.step(key, state)
                return state, (face.constrain(state.position), info.num_integration_steps)

            state, (places, leaps) = jax.lax.scan(step, state, jax.random.split(key, size))
            return state, places, leaps.sum()

        keys = jax.random.split(jax.random.key(task.seed), CHAINS)
        state, parameters, spent = jax.jit(jax.vmap(warm))(keys)
        task.charge(int(spent.sum()))
        parameters = {name: value for name, value in parameters.items() if name != "max_num_doublings"}
        draw = jax.jit(jax.vmap(sample))
        places = []
        while task.budget - task.passes_used >= CHAINS * size * 2**DEPTH:
            keys = jax.vmap(lambda key: jax.random.split(key)[0])(keys)
            state, found, spent = draw(keys, state, parameters)
            task.charge(int(spent.sum()))
            places.append(found)
        return _losses(task, places)


@dataclass(frozen=True)
class NumpyroNUTS:
    """`numpyro.infer.NUTS`, by the two calls of its kernel, so that it is compiled once and not once a round."""

    def __call__(self, task: EstimationTask) -> LossSamples:
        import jax
        from numpyro.infer import NUTS

        jax.config.update("jax_enable_x64", True)
        face = JaxPosterior(task.posterior, task.n_beta)
        steps, size = _rounds(task)
        kernel = NUTS(potential_fn=lambda u: -face.unbounded(u), max_tree_depth=DEPTH)
        keys = jax.random.split(jax.random.key(task.seed), CHAINS)
        state = kernel.init(keys, steps, jax.numpy.tile(face.start(), (CHAINS, 1)), (), {})

        def step(state: Any, _: Any) -> Any:
            state = kernel.sample(state, (), {})  # of all chains: it was given a key for each
            return state, (state.z, state.num_steps)

        run = jax.jit(lambda state, count: jax.lax.scan(step, state, length=count), static_argnums=1)
        state, (_, spent) = run(state, steps)
        task.charge(int(spent.sum()))
        places = []
        while task.budget - task.passes_used >= CHAINS * size * 2**DEPTH:
            state, (found, spent) = run(state, size)
            task.charge(int(spent.sum()))
            places.append(face.constrain(found).swapaxes(0, 1))
        return _losses(task, places)


@dataclass(frozen=True)
class CanonicalSGLD:
    """`canonical_interp.slt.LLCEstimator`, all chains in one batch: Δw = −(ε/2)(nβ ∇L + γ(w − w*)) + N(0, ε)."""

    step_size: float
    burn_in: float = 0.2

    def __call__(self, task: EstimationTask) -> LossSamples:
        _without_box(task, "canonical-interp")
        with_batched()
        import torch
        from canonical_interp.slt import LLCEstimator

        calls = task.budget // CHAINS - 1  # one more measures the loss at w*
        burnt = int(self.burn_in * calls)
        chains = LLCEstimator(
            draws=calls - burnt,
            chains=CHAINS,
            burnin_steps=burnt,
            steps_bw_draws=1,
            learning_rate=self.step_size,
            localization=task.localisation,
            nbeta=task.n_beta,
            dtype=torch.float32,  # its word for no autocast: the parameters stay as they are, in double precision
        )
        paid = task.passes_used
        with torch.random.fork_rng(), torch.compiler.set_stance("force_eager"):
            logging.getLogger("canonical_interp").setLevel(logging.ERROR)  # advice on loaders that feed a GPU
            chains.estimate_llc(
                task.module(),
                _OneBatch(task.data()),
                criterion_fn=_squared_error,
                seed=task.seed,
                compile=False,
                show_progress=False,
            )
        task.charge((CHAINS - 1) * (task.passes_used - paid))  # a call of the module is a pass of every chain
        return LossSamples(chains.get_metrics()["losses"].double().numpy())


def with_batched() -> None:
    """canonical-interp 0.1.5 says Python 3.10 and takes `itertools.batched`, which is of 3.12."""
    if not hasattr(itertools, "batched"):
        itertools.batched = _batched  # type: ignore[attr-defined]


def _batched(values: Iterable[Any], count: int) -> Iterator[tuple[Any, ...]]:
    rest = iter(values)
    while batch := tuple(itertools.islice(rest, count)):
        yield batch


@dataclass
class _OneBatch:
    """All data in every batch, as a loader that is asked for nothing but its batches and its length."""

    batch: tuple[Any, Any]
    pin_memory: bool = False
    num_workers: int = 0

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        yield self.batch

    def __len__(self) -> int:
        return 1


def _squared_error(outputs: Any, targets: Any) -> Any:
    return (outputs - targets).square().sum(-1).mean()


def _without_box(task: EstimationTask, package: str) -> None:
    if any(map(math.isfinite, (*task.lower, *task.upper))) or any(task.prior_exponents):
        raise InvalidValueError(f"{package} has no box, and no prior |w|^h.")


@dataclass(frozen=True)
class PosteriorsSGLD:
    """`posteriors.sgmcmc.sgld` in the coordinates u that have no box, with a step size ε that somebody chose.

    Δu = ε ∇ log p(u) + N(0, 2ε), all chains in one batch.
    """

    step_size: float
    burn_in: float = 0.2

    def __call__(self, task: EstimationTask) -> LossSamples:
        _without_box(task, "posteriors")
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of tensordict, about what posteriors declares
            import posteriors

        truth = torch.tensor(task.truth)

        def log_posterior(w: Any, batch: Any) -> Any:
            spread = task.localisation * (w - truth).square().sum(-1) / 2
            losses = task.posterior.divergence(w)
            return (-task.n_beta * losses - spread).sum(), losses.detach()

        steps = task.budget // CHAINS
        with torch.random.fork_rng():
            torch.manual_seed(task.seed)
            sampler = posteriors.sgmcmc.sgld.build(log_posterior, lr=self.step_size)
            state = sampler.init(truth.repeat(CHAINS, 1))
            losses = []
            for _ in range(steps):
                state, found = sampler.update(state, None, inplace=False)
                losses.append(found.numpy())
        task.charge(CHAINS * steps)
        return LossSamples(numpy.stack(losses, axis=1)[:, int(self.burn_in * steps) :])


def _losses(task: EstimationTask, places: list[Any]) -> LossSamples:
    """K along the chains; its values were computed on the way, so they are not paid for twice."""
    points = numpy.concatenate([numpy.asarray(found) for found in places], axis=1)
    return LossSamples(task.posterior.divergence(points))
