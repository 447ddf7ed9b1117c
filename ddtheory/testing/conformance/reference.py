"""Two estimators that are right, and slow or small: what the kit is tried on, and what a sampler can be set beside."""

from __future__ import annotations

import itertools
import math

import numpy
from numpy.polynomial.legendre import leggauss

from ddtheory.errors import InvalidValueError, shown
from ddtheory.testing.conformance.posterior import Floats
from ddtheory.testing.conformance.task import Estimate, EstimationTask, LossSamples
from ddtheory.testing.ranges import check_whole

_NODES = {1: 200, 2: 110, 3: 42, 4: 20}
_REACH = 8.0  # of a Gaussian localisation, in standard deviations: e^{−32} of the mass lies beyond


def quadrature(task: EstimationTask) -> Estimate:
    r"""nβ E[K] by Gauss–Legendre on a grid that is dense near the truth, w = w* ± R s³; up to four parameters.

    The error is the difference to a grid with two thirds of the nodes.

    Raises:
        InvalidValueError: no task, or one in more than four parameters.
    """
    _require_task(task)
    fine = _NODES.get(task.dimension)
    if fine is None:
        raise InvalidValueError(
            f"A grid in {task.dimension} dimensions is too large; up to {max(_NODES)} are possible. Take `metropolis`."
        )
    value, coarse = (_on_grid(task, nodes) for nodes in (fine, 2 * fine // 3))
    return Estimate(value, abs(value - coarse))


def _on_grid(task: EstimationTask, nodes: int) -> float:
    unit, unit_weights = leggauss(nodes)
    s, weights = (unit + 1) / 2, unit_weights / 2
    axes: list[tuple[Floats, Floats]] = []
    for truth, lower, upper in zip(task.truth, task.lower, task.upper, strict=True):
        reach = _REACH / math.sqrt(task.localisation) if task.localisation else math.inf
        ends = (max(lower, truth - reach), min(upper, truth + reach))
        points = [truth + (end - truth) * s**3 for end in ends if end != truth]
        jacobians = [abs(end - truth) * 3 * s**2 * weights for end in ends if end != truth]
        axes.append((numpy.concatenate(points), numpy.concatenate(jacobians)))
    evidence = moment = 0.0
    # one slab for each value of the first parameter: memory stays small in four dimensions
    rest = [numpy.array(list(itertools.product(*(axis[part] for axis in axes[1:])))) for part in (0, 1)]
    for first, weight in zip(*axes[0], strict=True):
        rows = numpy.column_stack([numpy.full(len(rest[0]), first), rest[0].reshape(len(rest[0]), -1)])
        volume = weight * rest[1].reshape(len(rest[1]), -1).prod(axis=1)
        losses = task.loss(rows)
        density = volume * numpy.exp(task.log_prior(rows) - task.n_beta * losses)
        evidence += float(density.sum())
        moment += float(density @ losses)
    return task.n_beta * moment / evidence


def _require_task(task: object) -> None:
    if not isinstance(task, EstimationTask):
        raise InvalidValueError(f"An estimator is given an EstimationTask, got {shown(task)}.")


def metropolis(task: EstimationTask, *, chains: int = 64) -> LossSamples:
    """Random-walk Metropolis from the truth, proposals of many scales, one axis or all at a time; an eighth is burnt.

    Spends the budget. Exact in the limit: the steps outside of the box are refused, so there is no error of step size.

    Raises:
        InvalidValueError: no task, or more chains than its budget pays two passes for.
    """
    _require_task(task)
    chains = check_whole("chains", chains, least=1)
    generator = numpy.random.default_rng(task.seed)
    steps = task.budget // chains - 1
    if steps < 1:
        raise InvalidValueError(
            f"A budget of {task.budget} passes gives {chains} chains no step. Take fewer chains, or a larger budget."
        )
    width = numpy.minimum(task.upper - task.lower, 2 / math.sqrt(task.localisation) if task.localisation else math.inf)
    # a hair towards the inside, where a prior |w|^h is positive
    inwards = numpy.where(task.truth < task.upper, 1.0, -1.0)
    points = numpy.tile(task.truth + 1e-6 * inwards, (chains, 1))
    losses = task.loss(points)
    priors = task.log_prior(points)
    kept = numpy.empty((chains, steps))
    for step in range(steps):
        scales = width * 2.0 ** -generator.integers(0, 8, (chains, 1))
        moving = generator.integers(0, task.dimension, (chains, 1)) == numpy.arange(task.dimension)
        moving |= generator.random((chains, 1)) < 0.25
        proposals = points + scales * generator.standard_normal(points.shape) * moving
        proposed, weights = task.loss(proposals), task.log_prior(proposals)
        gain = weights - priors - task.n_beta * (proposed - losses)
        accepted = numpy.log(generator.random(chains)) < gain
        points[accepted], losses[accepted], priors[accepted] = (
            proposals[accepted],
            proposed[accepted],
            weights[accepted],
        )
        kept[:, step] = losses
    return LossSamples(kept[:, steps // 8 :])
