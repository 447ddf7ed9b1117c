"""What an estimator is given, and what it may give back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy

from ddtheory.errors import DDTheoryError, InvalidValueError, shown
from ddtheory.extras import need
from ddtheory.testing.conformance.posterior import Floats, Posterior
from ddtheory.testing.ranges import check_rational, check_whole
from ddtheory.visible import one_line

if TYPE_CHECKING:
    from xarray import Dataset

Z = 3.3
"""Half width of an interval in standard errors: one in a thousand misses, for an error that is normal and honest."""


class BudgetExceededError(DDTheoryError):
    """An estimator asked for more forward–backward passes than it was given."""


@dataclass
class Meter:
    """Counts forward–backward passes: one a parameter vector at which K, or K with its gradient, is asked for."""

    budget: int
    used: int = 0
    outside: int = 0  # of those at points; the rest is counted without its parameters

    def charge(self, passes: int) -> None:
        self.used += check_whole("passes", passes, least=0)
        if self.used > self.budget:
            raise BudgetExceededError(
                f"The estimator asked for {self.used} forward–backward passes and has {self.budget}. Read task.budget, "
                "or check it with a larger budget."
            )

    @property
    def share_outside(self) -> float:
        return self.outside / max(self.used, 1)


@dataclass(frozen=True, eq=False, repr=False)
class EstimationTask:
    r"""One question to an estimator: nβ E[K] under the local posterior ∝ e^{−nβK(w)} ∏|w_i|^{h_i} e^{−γ‖w−w*‖²/2}.

    That expectation is what a sampler of the local learning coefficient at (n, β) estimates. It tends to λ as nβ → ∞.
    K is the population loss less its value at the truth, in nats: there is no label noise, so K(w*) = 0 needs no
    estimate. The task does not say which value is expected.

    Attributes:
        cell: name of the cell, for messages and logs.
        posterior: the model; `loss`, `loss_and_gradient` and `module` below are the metered way to it.
        n: number of samples.
        beta: β, the inverse temperature; only nβ counts.
        seed: for everything that the estimator draws.
        budget: forward–backward passes that may be used; one more raises BudgetExceededError.

    Raises:
        InvalidValueError: n, β or the budget is no positive number, or the seed no whole number.
    """

    cell: str
    posterior: Posterior
    n: int
    beta: Fraction
    seed: int
    budget: int
    _meter: Meter = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.cell, str):
            raise InvalidValueError(f"The name of a cell is text, got a {type(self.cell).__name__}.")
        try:
            len(self.posterior.truth)
        except Exception as error:  # a posterior is anybody's object
            raise InvalidValueError(
                f"The posterior is {shown(self.posterior)}, which has no point w*. Give one such as those of "
                "conformance_cells()."
            ) from error
        object.__setattr__(self, "n", check_whole("n", self.n, least=1))
        object.__setattr__(self, "beta", check_rational("beta", self.beta))
        check_rational("n times beta", self.n * self.beta)
        object.__setattr__(self, "seed", check_whole("seed", self.seed, least=0))
        object.__setattr__(self, "budget", check_whole("budget", self.budget, least=1))
        object.__setattr__(self, "_meter", Meter(self.budget))

    def __repr__(self) -> str:
        size = f"{self.dimension} parameters, nβ = {self.n_beta:g}"
        return f"EstimationTask({one_line(self.cell)}, {size}, seed {self.seed}, budget {self.budget:,})"

    @property
    def n_beta(self) -> float:
        return float(self.n * self.beta)

    @property
    def truth(self) -> Floats:
        """w*, a fresh array of shape (d,)."""
        return numpy.array(self.posterior.truth, dtype=numpy.float64)

    @property
    def dimension(self) -> int:
        return len(self.posterior.truth)

    @property
    def lower(self) -> Floats:
        """Lower corner of the box; −∞ where there is none. The prior is 0 outside."""
        return numpy.array(self.posterior.lower, dtype=numpy.float64)

    @property
    def upper(self) -> Floats:
        return numpy.array(self.posterior.upper, dtype=numpy.float64)

    @property
    def prior_exponents(self) -> Floats:
        """h of the prior ∏ |w_i|^{h_i}; zeros for a flat one."""
        return numpy.array(self.posterior.prior_exponents, dtype=numpy.float64)

    @property
    def localisation(self) -> float:
        """γ of e^{−γ‖w − w*‖²/2}; 0 for none."""
        return self.posterior.localisation

    @property
    def passes_used(self) -> int:
        return self._meter.used

    @property
    def share_outside(self) -> float:
        """The share of all passes that were at points outside of the box, where the prior is 0."""
        return self._meter.share_outside

    def charge(self, passes: int) -> None:
        """Pays for passes that `loss` cannot count: those of a traced function, on `posterior.divergence` itself.

        Raises:
            BudgetExceededError: the budget is spent.
            InvalidValueError: no whole number, or a negative one.
        """
        self._meter.charge(passes)

    def loss(self, points: Any) -> Floats:
        """K at each row of `points`, shape (rows, d) → (rows,); one pass a row. A single point (d,) gives a scalar.

        Raises:
            BudgetExceededError: the budget is spent.
            InvalidValueError: points of another shape, or that numpy cannot read, such as those of a traced function.
        """
        rows = self._paid(points)
        values = self.posterior.divergence(rows)
        return values if numpy.ndim(points) > 1 else values[0]

    def loss_and_gradient(self, points: Any) -> tuple[Floats, Floats]:
        """K and ∇K at each row; one pass a row.

        Raises:
            BudgetExceededError, InvalidValueError: as in `loss`.
        """
        rows = self._paid(points)
        values, slopes = self.posterior.divergence(rows), self.posterior.gradient(rows)
        return (values, slopes) if numpy.ndim(points) > 1 else (values[0], slopes[0])

    def log_prior(self, points: Any) -> Floats:
        """log φ up to a constant at each row, −∞ outside of the box; free of charge.

        Raises:
            InvalidValueError: as in `loss`.
        """
        rows = self._rows(points)
        weights = self.prior_exponents
        with numpy.errstate(divide="ignore", invalid="ignore"):
            powers = numpy.where(weights == 0, 0.0, weights * numpy.log(numpy.abs(rows))).sum(axis=1)
        spread = self.localisation * numpy.square(rows - self.truth).sum(axis=1) / 2
        values = numpy.where(self._inside(rows), powers - spread, -math.inf)
        return values if numpy.ndim(points) > 1 else values[0]

    def _inside(self, rows: Floats) -> Any:
        return ((rows >= self.lower) & (rows <= self.upper)).all(axis=1)

    def _paid(self, points: Any) -> Floats:
        rows = self._rows(points)
        self._meter.charge(len(rows))
        self._meter.outside += int((~self._inside(rows)).sum())
        return rows

    def _rows(self, points: Any) -> Floats:
        try:
            rows = numpy.atleast_2d(numpy.asarray(points, dtype=numpy.float64))
        except Exception as error:  # every library has its own for an array that has no values yet
            raise InvalidValueError(
                f"Points of type {type(points).__name__} cannot be read as numbers ({type(error).__name__}). Inside of "
                "a traced function (JAX) call task.posterior.divergence, which is made of operators alone, and pay for "
                "it with task.charge(passes)."
            ) from error
        if rows.ndim != 2 or rows.shape[1] != self.dimension:
            raise InvalidValueError(
                f"Points have shape (rows, {self.dimension}) or ({self.dimension},), got {numpy.shape(points)}."
            )
        return rows

    def module(self) -> Any:
        """A torch module at w* whose every forward call is charged as one pass, whatever the batch.

        With `inputs, targets = task.data()`, K is the mean over samples of ‖module(inputs) − targets‖².
        """
        module = self.posterior.module()
        module.register_forward_pre_hook(_Charge(self._meter))
        return module

    def data(self) -> tuple[Any, Any]:
        """Inputs and noise-free targets for `module`, torch tensors whose first dimension runs over samples."""
        return self.posterior.data()


@dataclass(frozen=True)
class _Charge:
    """A hook that copies of a module share, deep copies included: a chain on a copy is paid for all the same."""

    meter: Meter

    def __call__(self, *_: object) -> None:
        self.meter.charge(1)

    def __deepcopy__(self, memo: object) -> _Charge:
        return self


@dataclass(frozen=True)
class Estimate:
    """What an estimator says of nβ E[K]: a value and its standard error, which covers whatever may be wrong with it.

    Raises:
        InvalidValueError: one of the two is no number.
    """

    value: float
    standard_error: float

    def __post_init__(self) -> None:
        for name in ("value", "standard_error"):
            given = getattr(self, name)
            try:
                if isinstance(given, str | bytes | bool):
                    raise TypeError
                number = float(given)
            except Exception as error:  # tensors and arrays of any library are numbers too, or raise what they like
                raise InvalidValueError(
                    f"The {name.replace('_', ' ')} of an estimate is {shown(given)}, which is no number."
                ) from error
            object.__setattr__(self, name, number)

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.standard_error:.2g}"


@dataclass(frozen=True, eq=False, repr=False)
class LossSamples:
    """The loss K along chains, shape (chains, draws), after burn-in; the kit averages and finds the error itself."""

    losses: Any

    def to_xarray(self) -> Dataset:
        """The losses as an xarray data set with the dimensions that ArviZ knows, chain and draw.

        Raises:
            MissingExtraError: xarray is not installed.
            InvalidValueError: they are no numbers of shape (chains, draws).
        """
        need("xarray", "to_xarray()")
        from xarray import Dataset

        losses = numpy.atleast_2d(numpy.asarray(self.losses, dtype=numpy.float64))
        if losses.ndim != 2:
            raise InvalidValueError(f"Samples of the loss have shape (chains, draws), got {losses.shape}.")
        return Dataset({"loss": (("chain", "draw"), losses)})

    def __repr__(self) -> str:
        shape = self.losses.shape if isinstance(self.losses, numpy.ndarray) else None
        return f"LossSamples({shown(self.losses) if shape is None else f'shape {shape}'})"


Estimator: TypeAlias = Callable[[EstimationTask], "Estimate | LossSamples | tuple[float, float]"]
"""Any callable from a task to an estimate: `Estimate`, `(value, standard error)` or `LossSamples`."""


def read_answer(answer: object, n_beta: float) -> Estimate:
    """The answer of an estimator as an estimate; samples of the loss are averaged and multiplied by nβ.

    Raises:
        InvalidValueError: it is of another type, not finite, or has a negative error.
    """
    if isinstance(answer, LossSamples):
        answer = from_samples(answer, n_beta)
    if isinstance(answer, tuple) and len(answer) == 2:
        answer = Estimate(*answer)
    if not isinstance(answer, Estimate):
        raise InvalidValueError(
            f"The estimator returned {type(answer).__name__}. Return Estimate(value, standard_error), that pair as a "
            "tuple, or LossSamples(losses of shape (chains, draws))."
        )
    if not math.isfinite(answer.value):
        raise InvalidValueError(
            f"The estimate is {answer.value}. Likely causes: a chain that diverged, an average of nothing."
        )
    if not answer.standard_error >= 0:
        raise InvalidValueError(
            f"The standard error is {answer.standard_error}; it has to be a number that is not negative."
        )
    return answer


def from_samples(samples: LossSamples, n_beta: float) -> Estimate:
    """nβ times the mean loss, with the larger of two errors: from batch means within chains, and between chains.

    A chain of N draws is cut into about √N batches (Flegal and Jones 2010), whose means are nearly independent when a
    batch is longer than the memory of the chain; when it is not, the spread between chains says so.

    Raises:
        InvalidValueError: no array of numbers of shape (chains, draws), or fewer than 4 draws.

    >>> found = from_samples(LossSamples(numpy.array([[1.0, 3.0] * 8, [1.0, 3.0] * 8])), n_beta=10)
    >>> found.value, found.standard_error
    (20.0, 0.0)
    """
    losses = numpy.asarray(samples.losses, dtype=numpy.float64)
    if losses.ndim == 1:
        losses = losses[None]
    if losses.ndim != 2 or losses.shape[1] < 4:
        raise InvalidValueError(f"Samples of the loss have shape (chains, draws ≥ 4), got {losses.shape}.")
    chains, draws = losses.shape
    if not numpy.isfinite(losses).all():
        bad = int((~numpy.isfinite(losses).all(axis=1)).sum())
        raise InvalidValueError(
            f"{bad} of {chains} chains hold a loss that is NaN or infinite: they diverged. Take a smaller step; "
            "beyond ε = 4/a discrete Langevin does, where the posterior has the curvature a."
        )
    batches = math.isqrt(draws)
    length = draws // batches
    means = losses[:, : batches * length].reshape(chains * batches, length).mean(axis=1)
    error = float(means.std(ddof=1)) / math.sqrt(len(means))
    if chains > 1:
        error = max(error, float(losses.mean(axis=1).std(ddof=1)) / math.sqrt(chains))
    return Estimate(n_beta * float(losses.mean()), n_beta * error)
