"""What is measured of a candidate: its cost, the order at the repaired point, and both sides at the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ddtheory.errors import DDTheoryError, MeasurementError
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.orders.fisher import fisher_profiles
from ddtheory.measure.orders.ladder import RUNG, exhausted, joined, order_along
from ddtheory.measure.orders.profile import DEFAULT_RADII, Profile
from ddtheory.measure.orders.scales import Law, TwoScaleReading, both_sides, law_above
from ddtheory.measure.setting.parameters import squared_norm
from ddtheory.measure.setting.path import Path, arc, opposite, ray
from ddtheory.measure.setting.problem import Problem
from ddtheory.reads.explained import Explained, explained, orbit
from ddtheory.reads.flow import Flow
from ddtheory.reads.proposal import Parameters, Proposal
from ddtheory.values import OrderReading, ReadingStatus

Order = OrderReading | TwoScaleReading

FAR = (*(2.0 ** (n / 2) for n in range(4, -2, -1)), *DEFAULT_RADII)
"""Radii from 4 down: parameters are of size one, and a direction has unit length."""

FAR_AWAY = FAR[0] / 8
"""Of a distance s: no law over three octaves fits between s and the largest radius."""

REACH = 0.5
"""How far K must stay small along a direction that is flat at the repaired point."""

MOST_KEPT = 10**7
"""Numbers of outputs at the checkpoint that are kept while candidates are priced."""

MILLION = 10**6
"""Parameters beyond which a reading along a path takes half a minute."""

ALL = 1e-6
"""A direction of which a smaller share leaves the orbits is gauge."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was measured.

    Attributes:
        cost: K(θ0 ‖ θ*) in nats, the divergence of the repaired model.
        distance: s = ‖θ0 − θ*‖.
        repaired: the order at θ* along u, None where the cost alone decides.
        sides: F* and K* at θ0 along ±u.
        law: the law of an order above 1 that both sides follow over three octaves.
        reach: the largest K at θ0 along ±u up to the largest radius.
        share: of u along the orbits of gauges at θ*.
        rules: of the gauges that explain it.
        orbit: the order along the orbit, where gauges explain u.
        far: s is so large that no three octaves beyond it were left to read, and nothing was read.
        failed: why something could not be measured.
    """

    cost: float
    distance: float
    repaired: Order | None = None
    sides: Profile | None = None
    law: Law | None = None
    reach: float | None = None
    share: float = 0.0
    rules: tuple[str, ...] = ()
    orbit: Order | None = None
    far: bool = False
    failed: str = ""


def cost_of(problem: Problem, moved: Parameters) -> float:
    """K(θ0 ‖ θ*) in nats, once."""
    return Costs(problem)(moved)


class Costs:
    """K(θ0 ‖ θ*) of one problem for many θ*: the outputs at θ0 are kept, where they are not too many.

    >>> import torch
    >>> from ddtheory.measure import Gaussian
    >>> layer = torch.nn.Linear(1, 1, bias=False).double()
    >>> costs = Costs(Problem.from_module(layer, torch.ones(1, 1), Gaussian()))
    >>> round(costs({"weight": layer.weight.detach() + 2}), 12)
    2.0
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._kept: list[Tensor] = []
        with measuring():
            for inputs, _ in problem.batches():
                self._kept.append(problem.truth_outputs(inputs))
                if sum(each.numel() for each in self._kept) > MOST_KEPT:
                    self._kept = []
                    break

    def __call__(self, moved: Parameters) -> float:
        """K in nats, where some parameters have moved."""
        total, samples = 0.0, 0
        with measuring():
            for number, (inputs, weights) in enumerate(self.problem.batches()):
                samples += len(weights)
                here = self._kept[number] if self._kept else self.problem.truth_outputs(inputs)
                total += float((weights * self.problem.kl(here, self.problem.outputs(moved, inputs))).sum())
        return max(0.0, total / self.problem.total(samples))


def distance_of(problem: Problem, moved: Parameters) -> float:
    return float(squared_norm({name: value - problem.truth[name] for name, value in moved.items()}) ** 0.5)


def repaired(problem: Problem, proposal: Proposal) -> Parameters:
    """What moves at the repaired point, by name."""
    with borrowed(f"The repair of {proposal.place} fails", "It maps parameters by name to those that move."):
        return dict(proposal.repair(problem.truth))


def measured(
    problem: Problem,
    proposal: Proposal,
    flows: Sequence[Flow],
    most: float,
    rungs: int = 4,
    costs: Costs | None = None,
) -> Evidence:
    """Everything that a verdict needs; a candidate that costs more than `most` nats is not read along paths.

    Nor is one of a million parameters that is too far from its singular point for a law.
    """
    moved = repaired(problem, proposal)
    place = problem.at(moved)
    cost, distance = (costs or Costs(problem))(moved), distance_of(problem, moved)
    if cost > most:
        return Evidence(cost, distance)
    if problem.dimension > MILLION and distance > FAR_AWAY:
        return Evidence(cost, distance, far=True)
    there = replace(problem, truth=place)
    seen = _along(problem, there, proposal, proposal.direction, flows, Evidence(cost, distance), rungs)
    if proposal.other is not None and seen.reach is not None and seen.reach > most and _one_sided(seen):
        return _along(problem, there, proposal, proposal.other, flows, Evidence(cost, distance), rungs)
    return seen


def _one_sided(found: Evidence) -> bool:
    """Whether F vanishes on one side of the checkpoint, so that both together say nothing."""
    return found.sides is not None and sum(f <= found.sides.fisher_floor for f in found.sides.fisher) > len(FAR) // 2


def _along(
    problem: Problem,
    there: Problem,
    proposal: Proposal,
    direction: Callable[[], Parameters],
    flows: Sequence[Flow],
    found_so_far: Evidence,
    rungs: int,
) -> Evidence:
    """What is read along one direction, at the checkpoint and at the repaired point."""
    with borrowed(f"The direction of {proposal.place} fails", "It returns parameters by name."):
        unit = problem.unit(direction())
    found = explained(flows, there.truth, unit)
    so_far = replace(found_so_far, share=found.share, rules=found.rules)
    try:
        repaired = order_along(there, unit, label=f"{proposal.place} of {proposal.layer}")
        sides, law, reach = two_sided(problem, unit, rungs)
        along = along_orbit(there, found) if 1 - found.share <= ALL else None
    except DDTheoryError as error:
        return replace(so_far, failed=str(error))
    return replace(so_far, repaired=repaired, sides=sides, law=law, reach=reach, orbit=along)


def two_sided(problem: Problem, unit: Mapping[str, Tensor], rungs: int) -> tuple[Profile, Law | None, float]:
    """F* at the checkpoint, from large radii down until three octaves follow one law, and the largest K near it.

    Radii above those of an order are read too, where the model has an output there: a law is seen from about 5s on.
    """
    path = ray(problem, unit)
    found: tuple[Profile, Profile] | None = None
    for radii in (FAR, DEFAULT_RADII):
        try:
            found = _both(problem, path, radii)
            break
        except MeasurementError:
            if radii is DEFAULT_RADII:
                raise
    assert found is not None
    near = (k for side in found for t, k in zip(side.radii, side.divergence, strict=True) if t <= REACH)
    reach = max(near)
    while True:
        sides = both_sides(*found)
        law = law_above(sides, 1)
        rungs -= 1
        if law is not None or rungs <= 0 or exhausted(sides):
            return sides, law, reach
        below = _both(problem, path, [sides.radii[-1] * 2.0 ** (-n / 2) for n in range(RUNG + 1)])
        found = (joined(found[0], below[0]), joined(found[1], below[1]))


def _both(problem: Problem, path: Path, radii: Sequence[float]) -> tuple[Profile, Profile]:
    one, other = fisher_profiles(problem, [path, opposite(path)], radii)
    return one, other


def along_orbit(problem: Problem, found: Explained) -> Order:
    """The order along the orbit of gauges."""
    return order_along(problem, arc(problem, orbit(found, problem.truth), label="orbit of " + ", ".join(found.rules)))


def is_flat(reading: Order | None) -> bool:
    return reading is not None and reading.status is ReadingStatus.FLAT
