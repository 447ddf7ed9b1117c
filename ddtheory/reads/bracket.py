"""Two numbers between which the learning coefficient of a network lies, from one Jacobian and its gauges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from ddtheory.arguments import as_integer, list_of
from ddtheory.errors import InvalidValueError, MeasurementError, shown
from ddtheory.fields import require, require_each
from ddtheory.gauges.finding import STAYS
from ddtheory.gauges.gauge import Gauge
from ddtheory.gauges.moving import Motion, moved
from ddtheory.measure.doors import count, seed_number
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.matrices.dense import LARGEST_DENSE
from ddtheory.measure.matrices.factor import Factor
from ddtheory.measure.matrices.rows import finished
from ddtheory.measure.orders.jumps import on_kinks
from ddtheory.measure.orders.pushforward import push_forward
from ddtheory.measure.setting.modules import ModuleFunction
from ddtheory.measure.setting.parameters import flatten, unflatten
from ddtheory.measure.setting.problem import Problem, as_problem
from ddtheory.reads.gauge_finding import gauges_of
from ddtheory.reads.orbit import orbit_rank
from ddtheory.reads.output_rows import rank_of_rows
from ddtheory.reads.rank import Rank
from ddtheory.shown import Shown, counted
from ddtheory.values import RLCT

STANDING_IN = 1024
"""Rows of the Jacobian of a large network that stand for all, where nobody says how many."""

STANDING_IN_FOR_MILLIONS = 64
"""The same where there are more than a million parameters."""


@dataclass(frozen=True, repr=False)
class Bracket(Shown):
    r"""rank J/2 ≤ λ ≤ (d − s)/2 for K(θ) = E_x KL(p(·|x, θ0) ‖ p(·|x, θ)) at θ0, the network as its own teacher.

    x are the inputs of the problem as they are given, with their weights; λ is that of ∫ e^{−nK} over a neighbourhood
    of θ0, with a prior that is positive there. It is not the λ of a training loss whose minimum is elsewhere, nor of
    inputs that were not given.

    Attributes:
        dimension: d, the number of parameters.
        jacobian: rank of J, the outputs' Jacobian at θ0 in the metric of the head.
        orbit: s, the dimension of the orbit of the gauges at θ0.
        gauges: they that make the orbit.
        kinks: samples whose outputs have a kink at θ0, where smooth pieces with other derivatives meet. They are left
            out of J; the bounds hold all the same.
        sought: whether the table of gauges was searched, so that what is missing here is not in it.

    Raises:
        MeasurementError: the two sides contradict each other.
    """

    dimension: int
    jacobian: Rank
    orbit: Rank
    gauges: tuple[Gauge, ...] = ()
    kinks: int = 0
    sought: bool = False

    def __post_init__(self) -> None:
        require(self, Rank, "jacobian", "orbit")
        require_each(self, Gauge, "gauges")
        require(self, bool, "sought")
        for name in ("dimension", "kinks"):
            value = as_integer(getattr(self, name))
            if value is None or value < 0:
                raise InvalidValueError(f"{name} is {shown(getattr(self, name))}; it must be a whole number.")
            object.__setattr__(self, name, value)
        if self.lower > self.upper:
            raise MeasurementError(
                f"J has rank {self.jacobian.certain}, and the orbit {self.orbit.certain} of {self.dimension} "
                "dimensions: together that is too much, so one of the gauges is none along its whole orbit."
            )

    @property
    def lower(self) -> Fraction:
        """rank J/2: so many functions of the outputs are coordinates, and K is at least the sum of their squares."""
        return Fraction(self.jacobian.certain, 2)

    @property
    def upper(self) -> Fraction:
        """(d − s)/2: K is at most a multiple of the squared distance from the orbit."""
        return Fraction(self.dimension - self.orbit.certain, 2)

    @property
    def exact(self) -> RLCT | None:
        """(λ, 1) where the two sides meet, since K is then a sum of d − s squares; None where they do not.

        None too where both are 0: K vanishes on a neighbourhood, and has no λ.
        """
        return RLCT(self.lower, 1) if self.lower == self.upper and self.upper > 0 else None

    def __str__(self) -> str:
        if self.exact is not None:
            return f"λ = {self.lower}, m = 1: rank J = {self.jacobian.certain} = d − s"
        return f"{self.lower} ≤ λ ≤ {self.upper}: rank J ≥ {self.jacobian.certain}, d − s ≤ {int(2 * self.upper)}"

    def latex(self) -> str:
        return self.exact.latex() if self.exact else rf"{self.lower} \le \lambda \le {self.upper}"

    def rows(self) -> Mapping[str, str]:
        asked = "" if self.jacobian.most >= self.dimension else f" of at most {self.jacobian.most}"
        gauges = counted(len(self.gauges), "gauge") + ("" if self.sought else ", no others were sought")
        found = {
            "λ": str(self),
            "K": "the network as its own teacher, on the inputs that were given",
            "d": str(self.dimension),
            "rank J": f"{self.jacobian}{asked}",
            "s": f"{self.orbit}, from {gauges}",
        }
        left_out = f"{counted(self.kinks, 'sample')} whose outputs have a kink at θ0, left out of J"
        return {**found, "kinks": left_out} if self.kinks else found


def bracket(
    problem: Problem,
    gauges: Iterable[Gauge] | None = None,
    *,
    directions: int | None = None,
    rows: int | None = None,
    seed: int = 0,
) -> Bracket:
    r"""The bracket rank J/2 ≤ λ ≤ (d − s)/2 of a network at θ0, exact where the two sides meet.

    Lower: r outputs, whitened by the head, whose derivatives at θ0 are independent are coordinates there, and K is at
    least a multiple of the sum of their squares, so λ ≥ r/2. Fewer inputs, outputs or directions give a smaller J, and
    a bound that holds for all of them. Upper: K vanishes on the orbit of the gauges, of dimension s, and is at most a
    multiple of the squared distance from it. Where r = d − s, K is a sum of squares up to factors, and m = 1.

    Ranks are counted from singular values: those that are rounding are zeros, those in doubt are told and count on
    neither side. So both bounds stand where a spectrum fades without a gap; they only do not meet there.

    Args:
        gauges: of `ddtheory.gauges`, each tested by K at two points of its orbit, and all together. By default those
            that `find_gauges` finds; a model that is a function has none by default.
        directions: so many random directions in the place of all: for more than 2048 parameters.
        rows: so many outputs of single samples in the place of all, by reverse passes over one sample each; for more
            than 2048 parameters too, and cheaper by as many times as there are samples.
        seed: of the directions or the rows.

    Raises:
        InvalidValueError: more than 2048 parameters and neither; both; an orbit too large for one matrix.
        MeasurementError: a gauge that the model does not have, or several that it has not together; no derivative in
            forward mode; outputs that jump at θ0.

    Source: the lower bound is the inverse function theorem for functions that are strictly differentiable at θ0;
    Watanabe 2009, section 7.2, for λ ≤ d/2.

    >>> from torch import nn
    >>> from ddtheory.measure import Gaussian
    >>> net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False)).double()
    >>> with torch.no_grad():
    ...     _ = net[0].weight.copy_(torch.eye(2)), net[1].weight.fill_(1.0)
    >>> found = bracket(Problem.from_module(net, torch.eye(2), Gaussian()))
    >>> print(found)                                                          # y = BAx, B of rank 1 of 1: smooth
    λ = 1, m = 1: rank J = 2 = d − s
    """
    as_problem(problem)
    seed = seed_number(seed)
    number = problem.dimension if directions is None else count("directions", directions, 1)
    if number > max(problem.dimension, LARGEST_DENSE):
        raise InvalidValueError(
            f"{shown(number)} directions, and there are {problem.dimension} parameters: more say nothing new. Leave "
            "`directions` out for all parameters."
        )
    if rows is not None and directions is not None:
        raise InvalidValueError("Give rows of the Jacobian, or directions, that stand for all; not both.")
    if directions is None and rows is None and number > LARGEST_DENSE:
        raise InvalidValueError(
            f"The Jacobian along all of {number} parameters is not built (limit {LARGEST_DENSE}). Say how many of its "
            "rows stand for all, rows=1024, or random directions=256: their rank is a lower bound on that of J."
        )
    sought = gauges is None and isinstance(problem.model, ModuleFunction)
    given = (
        list(gauges_of(problem).gauges) if sought else list_of(() if gauges is None else gauges, "The list of gauges")
    )
    for gauge in given:
        if not isinstance(gauge, Gauge):
            raise InvalidValueError(f"A gauge is {shown(gauge)}; give values of ddtheory.gauges.Gauge.")
    for gauge in given:
        for motion in (Motion(1, 8.0), Motion(2, 1.5)):
            _stays(problem, moved(gauge, problem.truth, motion), f"the gauge {gauge}", "Check its legs and the head")
    return counted_ranks(problem, given, number if directions is not None else None, rows, seed, sought)


def counted_ranks(
    problem: Problem, given: Sequence[Gauge], directions: int | None, rows: int | None, seed: int, sought: bool
) -> Bracket:
    """The bracket from gauges of which each was measured alone."""
    _together(problem, given)
    if rows is not None:
        jacobian, kinks = rank_of_rows(problem, count("rows", rows, 1), seed)
    else:
        jacobian, kinks = jacobian_rank(problem, directions, seed)
    orbit = orbit_rank(given, problem.truth)
    return Bracket(problem.dimension, jacobian, orbit, tuple(given), kinks, sought)


def fewer_rows(problem: Problem) -> int | None:
    """None where the Jacobian along all parameters is built, else how many of its rows stand in."""
    if problem.dimension <= LARGEST_DENSE:
        return None
    return STANDING_IN if problem.dimension <= 10**6 else STANDING_IN_FOR_MILLIONS


def _together(problem: Problem, gauges: Sequence[Gauge]) -> None:
    """All gauges one after another, there and back.

    K that is zero on each of two orbits need not be so on both: that of (ab)² at 0 is along a, and along b.

    Raises:
        MeasurementError: K is more than what rounding makes.
    """
    there: Mapping[str, Tensor] = problem.truth
    for number, gauge in enumerate([*gauges, *reversed(gauges)]):
        there = moved(gauge, there, Motion(3 + number, 1.5))
    together = f"{counted(len(gauges), 'gauge')} together, though each alone"
    _stays(problem, there, together, "The orbit of one of them leaves that of another: check the legs")


def _stays(problem: Problem, there: Mapping[str, Tensor], what: str, advice: str) -> None:
    """K at a point of an orbit is what outputs that are off by rounding make, 1e-11 in float64."""
    off = max(STAYS, 1e3 * torch.finfo(problem.dtype).eps)
    found = rounding = 0.0
    with measuring():
        for inputs, weights in problem.batches():
            here, outputs = problem.truth_outputs(inputs), problem.outputs(there, inputs)
            signs = torch.where(torch.arange(here.numel(), device=here.device) % 3 == 0, -1.0, 1.0).to(here)
            size = off * torch.maximum(here.abs().max(), outputs.abs().max())
            found += float((weights * problem.kl(here, outputs)).sum())
            rounding += float((weights * problem.kl(here, here + size * signs.reshape(here.shape))).sum())
    if not found <= rounding:
        raise MeasurementError(
            f"The model does not have {what}: K is {found / problem.total(1):.1e} along it, where rounding makes "
            f"{rounding:.1e}. {advice}, or leave it out."
        )


def jacobian_rank(problem: Problem, directions: int | None = None, seed: int = 0) -> tuple[Rank, int]:
    """The rank of the whitened Jacobian at θ0, along all parameters or so many random directions; samples on kinks.

    Those are left out.
    """
    number = problem.dimension if directions is None else directions
    factor, samples, seen, kinks = Factor(), 0, 0, 0
    with measuring():
        for inputs, weights in problem.batches():
            samples += len(weights)
            smooth = ~on_kinks(problem, inputs, len(weights))
            kinks += int((~smooth).sum())
            columns = []
            for velocity in _velocities(problem, directions, seed):
                outputs, tangents = push_forward(problem, problem.truth, velocity, inputs, "at the true parameter")
                product = problem.in_metric(outputs, tangents).reshape(len(weights), -1)
                columns.append((product * weights.sqrt()[:, None])[smooth].reshape(-1))
            rows = torch.stack(columns, dim=1)
            seen += len(rows)
            factor.add(rows)
    return Rank(finished(problem, factor, samples, "whitened Jacobian").spectrum(), min(number, seen)), kinks


def _velocities(problem: Problem, directions: int | None, seed: int) -> Iterator[Mapping[str, Tensor]]:
    """All unit directions, one parameter moving at a time; or random ones."""
    if directions is None:
        for name, value in problem.truth.items():
            for place in range(value.numel()):
                unit = torch.zeros_like(value).reshape(-1)
                unit[place] = 1
                yield {name: unit.reshape(value.shape)}
        return
    flat = flatten(problem.truth)
    for number in range(directions):
        generator = torch.Generator().manual_seed((seed * 1_000_003 + number) % 2**63)
        drawn = torch.randn(flat.numel(), generator=generator, dtype=torch.float64)
        yield unflatten((drawn / drawn.norm()).to(flat), problem.truth)
