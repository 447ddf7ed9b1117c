"""An estimate of the local learning coefficient at a checkpoint, beside its calibration and a bracket that is proven.

A sampler that has not equilibrated gives a number all the same. So the chains are judged first, then the same sampler
with the same settings is run on the quadratic posterior of the same curvature, whose value is known; only then is the
estimate set beside rank J/2 ≤ λ ≤ (d − s)/2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy

from ddtheory.arguments import as_float
from ddtheory.errors import InvalidValueError, MeasurementError, shown
from ddtheory.extras import need
from ddtheory.shown import Shown, in_words
from ddtheory.testing.conformance.diagnosis import told_by
from ddtheory.testing.conformance.posterior import Floats
from ddtheory.testing.conformance.task import Estimate, EstimationTask, Estimator, LossSamples, read_answer
from ddtheory.testing.ranges import check_rational, check_whole

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ddtheory.measure import Problem

MOST_PARAMETERS = 512  # the Fisher is built as a matrix
_OFF = 0.1  # of the exact value, by which a calibration may miss
_SIGMAS = 3.0


class CoefficientStanding(StrEnum):
    """What an estimate at a checkpoint says."""

    NOT_EQUILIBRATED = "not equilibrated"
    WITHIN = "within the bracket"
    BELOW = "below the bracket"
    ABOVE = "above the bracket"


@dataclass(frozen=True, repr=False)
class LocalCoefficient(Shown):
    """An estimate of nβ E[K] at a checkpoint, and what stands beside it.

    Attributes:
        estimate: of the sampler, with its standard error.
        calibration: of the same sampler on the quadratic posterior of the same curvature.
        exact: what the calibration should have been, ½ Σ nβf_i/(nβf_i + γ) over the eigenvalues f of the Fisher.
        bracket: proven bounds of λ at the checkpoint.
        faults: why the chains are not believed; empty when they are.
        settings: n, β, γ, the budget and the seed.
    """

    estimate: Estimate
    calibration: Estimate
    exact: float
    bracket: tuple[Fraction, Fraction]
    faults: tuple[str, ...]
    settings: Mapping[str, float]

    @property
    def standing(self) -> CoefficientStanding:
        """Chains first: an estimate of chains that have not equilibrated is no reading.

        Below the bracket is possible for chains that are right: at n the posterior sees less than λ, or more, and the
        bracket is of the limit n → ∞.
        """
        if self.faults:
            return CoefficientStanding.NOT_EQUILIBRATED
        reach = _SIGMAS * self.estimate.standard_error
        if self.estimate.value + reach < self.bracket[0]:
            return CoefficientStanding.BELOW
        return (
            CoefficientStanding.ABOVE if self.estimate.value - reach > self.bracket[1] else CoefficientStanding.WITHIN
        )

    def __str__(self) -> str:
        why = f" ({'; '.join(self.faults)})" if self.faults else ""
        return (
            f"{self.standing.value}{why}: estimate {self.estimate}, {self.bracket[0]} ≤ λ ≤ {self.bracket[1]}, "
            f"calibration {self.calibration} for {self.exact:.4g}"
        )

    def latex(self) -> str:
        return in_words(str(self))

    def rows(self) -> Mapping[str, str]:
        return {
            "standing": self.standing.value,
            "estimate": str(self.estimate),
            "λ": f"{self.bracket[0]} to {self.bracket[1]}",
            "calibration": f"{self.calibration} for {self.exact:.4g}",
            **{name: f"{value:g}" if type(value) is float else str(value) for name, value in self.settings.items()},
            "faults": "; ".join(self.faults) or "none",
        }


@dataclass(frozen=True, eq=False, repr=False)
class ProblemPosterior:
    """The local posterior of a network as an estimator sees it: K about the parameters where the problem stands.

    Attributes:
        problem: with a Gaussian head and one tensor of inputs, without weights or a mask.
        localisation: γ > 0: there is no box.
    """

    version: ClassVar[str] = "1"

    problem: Problem
    localisation: float

    @cached_property
    def truth(self) -> tuple[float, ...]:
        """w*, all parameters as one vector."""
        import torch

        return tuple(torch.cat([value.reshape(-1) for value in self.problem.truth.values()]).tolist())

    @property
    def lower(self) -> tuple[float, ...]:
        return (-math.inf,) * self.problem.dimension

    @property
    def upper(self) -> tuple[float, ...]:
        return (math.inf,) * self.problem.dimension

    @property
    def prior_exponents(self) -> tuple[float, ...]:
        return (0.0,) * self.problem.dimension

    def divergence(self, points: Floats) -> Floats:
        """K at each row."""
        import torch

        with torch.no_grad():
            found: Floats = torch.vmap(self._loss)(torch.tensor(points, dtype=torch.float64)).numpy()
        return found

    def gradient(self, points: Floats) -> Floats:
        """∇K at each row."""
        import torch

        slopes = torch.vmap(torch.func.grad(self._loss))(torch.tensor(points, dtype=torch.float64))
        found: Floats = slopes.detach().numpy()
        return found

    def module(self) -> nn.Module:
        """The network as a function of one vector "w", its outputs in units of √2 σ."""
        import torch
        from torch import nn

        posterior = self

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.w = nn.Parameter(torch.tensor(posterior.truth, dtype=torch.float64))

            def forward(self, inputs: Tensor) -> Tensor:
                return posterior._outputs(self.w, inputs)

        return Network()

    def data(self) -> tuple[Any, Any]:
        """The inputs of the problem, and the outputs at w*."""
        return self._data

    @cached_property
    def _data(self) -> tuple[Tensor, Tensor]:
        import torch

        inputs: Tensor = self.problem.inputs  # type: ignore[assignment]  # a tensor, by the door of local_coefficient
        inputs = inputs.to(self.problem.dtype) if inputs.is_floating_point() else inputs
        with torch.no_grad():
            return inputs, self._outputs(torch.tensor(self.truth, dtype=torch.float64), inputs)

    def _outputs(self, point: Tensor, inputs: Tensor) -> Tensor:
        parameters, place = {}, 0
        for name, value in self.problem.truth.items():
            parameters[name] = point[place : place + value.numel()].reshape(value.shape)
            place += value.numel()
        outputs: Tensor = self.problem.model(parameters, inputs)
        variance: float = self.problem.head.variance  # type: ignore[attr-defined]  # a Gaussian, by the same door
        return outputs.reshape(len(inputs), -1) / math.sqrt(2 * variance)

    def _loss(self, point: Tensor) -> Tensor:
        inputs, targets = self._data
        return (self._outputs(point, inputs) - targets).square().sum(1).mean()


def local_coefficient(
    problem: Problem,
    estimator: Estimator,
    *,
    n: int,
    budget: int,
    localisation: float = 1.0,
    beta: Fraction | float | None = None,
    seed: int = 0,
) -> LocalCoefficient:
    r"""An estimate of nβ E[K] at the parameters where a problem stands, with its calibration and a bracket for λ.

    K is that of the network against itself on the inputs of the problem, so no label noise enters. The estimator runs
    twice with the same settings and budget: on the network, and on K = ½ Σ f_i w_i² with the eigenvalues f of its
    Fisher, where nβ E[K] = ½ Σ nβf_i/(nβf_i + γ). The estimate is not believed when chains drift, disagree (R̂ above
    1.1), have fewer than fifty effective draws, or when the calibration misses its value by a tenth and three standard
    errors.

    Args:
        problem: with a Gaussian head and one tensor of inputs, such as `bed.problem()`.
        estimator: as for `check_estimator`, returning `LossSamples`: `conformance.metropolis`, or
            `conformance.devinterp_sgld.DevinterpSGLD(step_size)`.
        n: number of samples of the posterior.
        budget: forward–backward passes of each of the two runs.
        localisation: γ.
        beta: β, 1/log n when omitted.
        seed: of everything that is drawn.

    Raises:
        InvalidValueError: no problem of this kind, no positive γ, settings that mean nothing, or an estimator that
            returns no chains.
        MeasurementError: more than 512 parameters, or an estimator that fails, as on chains that diverge.
        MissingExtraError: arviz-stats, for R̂, is not installed.
    """
    from ddtheory.measure import Gaussian, Problem, fisher_matrix
    from ddtheory.reads import bracket

    need("arviz_stats", "R̂")
    import torch

    if not callable(estimator):
        raise InvalidValueError(f"An estimator is a callable that takes a task, got a {type(estimator).__name__}.")
    if not isinstance(problem, Problem):
        raise InvalidValueError(f"The problem is {shown(problem)}; give one such as bed.problem().")
    plain = isinstance(problem.inputs, torch.Tensor) and problem.weights is None and problem.mask is None
    if not isinstance(problem.head, Gaussian) or not plain:
        raise InvalidValueError(
            "K is sampled as a mean squared error: the problem needs a Gaussian head, one tensor of inputs, and "
            "neither weights nor a mask."
        )
    if problem.dimension > MOST_PARAMETERS:
        raise MeasurementError(
            f"The network has {problem.dimension} parameters, and the calibration takes its Fisher as a matrix, up to "
            f"{MOST_PARAMETERS}."
        )
    n, budget, seed = (
        check_whole(name, value, least=least)
        for name, value, least in (("n", n, 2), ("budget", budget, 1), ("seed", seed, 0))
    )
    gamma = as_float(localisation, "localisation")
    if not 0 < gamma < math.inf:
        raise InvalidValueError(f"localisation = {gamma} is not above 0, and without a box the posterior needs it.")
    chosen = check_rational("beta", 1 / math.log(n) if beta is None else beta)
    curvatures = torch.linalg.eigvalsh(fisher_matrix(problem)).clamp(min=0)
    n_beta = float(check_rational("n times beta", n * chosen))
    exact = float((n_beta * curvatures / (n_beta * curvatures + gamma)).sum()) / 2
    found = []
    faults: list[str] = []
    for name, posed in (("the network", problem), ("the calibration", _quadratic(curvatures))):
        task = EstimationTask(name, ProblemPosterior(posed, gamma), n, chosen, seed, budget)
        try:
            answer = estimator(task)
        except Exception as error:  # an estimator is anybody's, and so is what it raises
            largest = 4 / (n_beta * float(curvatures.max()) + gamma)
            raise MeasurementError(
                f"The estimator fails on {name} ({type(error).__name__}: {shown(str(error))}). Langevin steps of "
                f"ε = {largest:.2g} or more diverge on this curvature; take a tenth of it."
            ) from error
        if not isinstance(answer, LossSamples):
            raise InvalidValueError(
                f"The estimator returned {shown(answer)}. Whether chains have equilibrated is read from their losses: "
                "return LossSamples."
            )
        found.append(read_answer(answer, n_beta))
        told = told_by(numpy.asarray(answer.losses, dtype=numpy.float64))
        faults += [f"{name}: {told}"] if told else []
    missed = abs(found[1].value - exact) - _SIGMAS * found[1].standard_error
    if missed > _OFF * exact:
        faults.append(f"the calibration reads {found[1]} where {exact:.4g} is exact: change the step or the budget")
    sides = bracket(problem)
    return LocalCoefficient(
        found[0],
        found[1],
        exact,
        (Fraction(sides.lower), Fraction(sides.upper)),
        tuple(faults),
        {"n": n, "beta": float(chosen), "localisation": gamma, "budget": budget, "seed": seed},
    )


def _quadratic(curvatures: Tensor) -> Problem:
    """K = ½ Σ f_i w_i² as a linear network at 0."""
    import torch

    from ddtheory.measure import Gaussian, Problem

    return Problem(
        lambda parameters, x: parameters["w"] * x,
        {"w": torch.zeros(len(curvatures), dtype=torch.float64)},
        curvatures.sqrt()[None],
        Gaussian(),
    )
