"""Samplers of other packages as estimators, each with the calibration that it brings, within a budget of passes.

NUTS tunes its step and its masses while it warms up, and that is paid for; every leapfrog step is a pass. The budget is
spent in rounds, each begun only where its worst case fits. SGLD has no calibration of its own: it gets a step size.
"""

from __future__ import annotations

import math
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
class PosteriorsSGLD:
    """`posteriors.sgmcmc.sgld` in the coordinates u that have no box, with a step size ε that somebody chose.

    Δu = ε ∇ log p(u) + N(0, 2ε), all chains in one batch.
    """

    step_size: float
    burn_in: float = 0.2

    def __call__(self, task: EstimationTask) -> LossSamples:
        import posteriors
        import torch

        if any(map(math.isfinite, (*task.lower, *task.upper))) or any(task.prior_exponents):
            raise InvalidValueError("posteriors has no box, and no prior |w|^h.")
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
