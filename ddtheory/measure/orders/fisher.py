"""The directional Fisher: one forward-mode derivative a radius, streamed over the data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ddtheory.errors import DirectionError, MeasurementError
from ddtheory.measure.doors import entries, shown
from ddtheory.measure.heads.head import per_sample, saturated
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.orders.floors import Jitter, RoundingProbe
from ddtheory.measure.orders.kinks import pieces
from ddtheory.measure.orders.profile import Profile, chosen_radii
from ddtheory.measure.orders.pushforward import push_forward
from ddtheory.measure.orders.start import Start
from ddtheory.measure.setting.casts import Shortening, listening
from ddtheory.measure.setting.direction import Direction
from ddtheory.measure.setting.path import Path, ray
from ddtheory.measure.setting.problem import Problem, as_problem


def fisher_along(
    problem: Problem, direction: Direction | Path, radii: Sequence[float] | None = None, *, label: str = ""
) -> Profile:
    r"""F and K along one path: F(t) = E ‖G(f)^{1/2} J γ'(t)‖², K(t) = E KL(p(·|θ0) ‖ p(·|γ(t))), in nats.

    F is the quadratic form uᵀF(θ0 + tu)u of the expected Fisher (labels drawn from the model, so label noise
    plays no role), taken as the mean squared length of one whitened Jacobian-vector product. The matrix is
    never formed, no per-sample gradient is taken, and memory does not grow with the number of radii. K comes
    from the same pass, as does F(0), which proves order 1 where it is positive away from a kink.

    Args:
        problem: model, true parameter, data and head.
        direction: a direction (scaled to unit length; see `ray`) or a path made by `ray` or `arc`.
        radii: distances t along the path, positive, finite, distinct, in any order; default half octaves from
            2⁻¹ to 2⁻¹⁰. `order` needs at least five above the floor.

    Raises:
        DirectionError: see `ray`; or a path made for another problem.
        InvalidValueError: the radii are no radii.
        MeasurementError: NaN or infinity on the way, or an operator without forward-mode derivative.

    Source: directional rate F ~ 2k²c t^{2(k−1)} for K ~ c t^{2k}, Shirodkar 2026, Dead Directions.

    >>> from ddtheory.measure import Gaussian
    >>> problem = Problem(
    ...     model=lambda parameters, x: parameters["t"] ** 3 * x,      # N(t³, 1)
    ...     truth={"t": torch.zeros(1, dtype=torch.float64)},
    ...     inputs=torch.ones(1, 1, dtype=torch.float64),
    ...     head=Gaussian(),
    ... )
    >>> profile = fisher_along(problem, {"t": torch.ones(1)}, radii=[0.5, 0.25])
    >>> profile.fisher == (9 * 0.5**4, 9 * 0.25**4), profile.divergence == (0.5**7, 0.25**6 / 2)
    (True, True)
    """
    path = direction if isinstance(direction, Path) else ray(as_problem(problem), direction, label=label)
    return fisher_profiles(problem, [path], radii)[0]


def fisher_profiles(
    problem: Problem, directions: Sequence[Direction | Path], radii: Sequence[float] | None = None
) -> tuple[Profile, ...]:
    """`fisher_along` for several paths in one pass over the data, sharing the pass at the true parameter.

    >>> from ddtheory.measure import Gaussian
    >>> layer = torch.nn.Linear(2, 1)
    >>> problem = Problem.from_module(layer, torch.eye(2), Gaussian())
    >>> axes = [{"weight": torch.tensor([[1.0, 0.0]])}, {"bias": torch.ones(1)}]
    >>> [profile.fisher for profile in fisher_profiles(problem, axes, radii=[1.0])]    # E x₁² = 1/2, E 1 = 1
    [(0.5,), (1.0,)]
    """
    as_problem(problem)
    chosen = chosen_radii(radii)
    if isinstance(directions, Mapping | Tensor | Path) or not isinstance(directions, Iterable):
        raise DirectionError(f"The directions are {shown(directions)}; give a list of directions and paths.")
    tracks = [Track(own_path(problem, direction)) for direction in entries("the directions", directions)]
    with measuring(), listening() as raised:
        probe = RoundingProbe(problem)
        samples = 0
        for inputs, weights in problem.batches():
            samples += len(weights)
            truth_outputs = problem.truth_outputs(inputs)
            if not bool(torch.isfinite(truth_outputs).all()):
                raise MeasurementError("The model is NaN or infinite at the true parameter on some batch.")
            kinds, shortest = watched(problem, inputs, weights)
            probe.rounds_to(shortest)
            batch = Batch(inputs, weights, truth_outputs, probe.see(inputs, weights), kinds)
            for track in tracks:
                track.see(problem, chosen, batch, probe)
    notes = casts(problem.dtype, raised, probe.epsilon)
    return tuple(track.profile(problem, chosen, samples, probe, notes) for track in tracks)


def casts(dtype: torch.dtype, raised: Collection[torch.dtype], epsilon: float) -> tuple[str, ...]:
    """What is to be said of casts inside the model."""
    asked = " and ".join(sorted(str(other).removeprefix("torch.") for other in raised))
    name = str(dtype).removeprefix("torch.")
    notes = [f"the module asks for {asked} inside, which ran in {name}"] if raised else []
    if epsilon > torch.finfo(dtype).eps:
        notes.append(f"the model rounds inside to ε = {epsilon:.2g}, and the floors are those of that")
    return tuple(notes)


def own_path(problem: Problem, direction: Direction | Path) -> Path:
    """The direction as a path of this problem."""
    if not isinstance(direction, Path):
        return ray(problem, direction)
    if direction.truth is not problem.truth:
        raise DirectionError(
            f"The path {direction.label!r} was made for another problem. Make it again with this problem."
        )
    return direction


@dataclass(frozen=True)
class Batch:
    """One batch, and what all paths need to know of it.

    Attributes:
        scale: the Jacobian scale of each sample; see `RoundingProbe.see`.
        kinds: operations of the model that have kinks.
    """

    inputs: Tensor
    weights: Tensor
    truth_outputs: Tensor
    scale: Tensor
    kinds: frozenset[str]


def watched(problem: Problem, inputs: Tensor, weights: Tensor) -> tuple[frozenset[str], torch.dtype]:
    """Operations of the model that have kinks, and the shortest dtype that it rounds to inside."""
    with Shortening(problem.dtype) as found:
        kinds = pieces(problem, {}, inputs, len(weights)).names
    return frozenset(kinds), found.shortest


@dataclass
class Track:
    """Running sums along one path."""

    path: Path
    fisher: dict[float, float] = field(default_factory=dict[float, float])
    divergence: dict[float, float] = field(default_factory=dict[float, float])
    jitter: dict[float, Jitter] = field(default_factory=lambda: defaultdict(Jitter))
    kinks: dict[float, int] = field(default_factory=lambda: defaultdict(int))
    kinds: set[str] = field(default_factory=set[str])
    saturated: int = 0
    start: Start = field(init=False)

    def __post_init__(self) -> None:
        self.start = Start(self.path)

    def see(self, problem: Problem, radii: Sequence[float], batch: Batch, probe: RoundingProbe) -> None:
        """Add one batch at the true parameter and at every radius; rounding is probed at the smallest and largest."""
        inputs, weights = batch.inputs, batch.weights
        self.start.see(problem, batch.truth_outputs, inputs, weights)
        chosen: list[Tensor] = []
        for radius in radii:
            where = f"at t = {radius:.4g} on the {self.path.label}"
            positions, velocities = self.path.state(radius)
            outputs, tangents = push_forward(problem, positions, velocities, inputs, where)
            whitened = problem.in_metric(outputs, tangents)
            add(self.fisher, radius, weights, per_sample(whitened.square()), where)
            add(self.divergence, radius, weights, problem.kl(batch.truth_outputs, outputs), where)
            if radius == radii[0]:
                self.saturated += int((saturated(problem.head, outputs, tangents) & (weights > 0)).sum())
            if radius in (radii[0], radii[-1]):
                found = probe.jitter(positions, velocities, outputs, whitened, inputs, weights, batch.scale, where)
                self.jitter[radius].add(found)
            if batch.kinds:
                chosen.append(pieces(problem, positions, inputs, len(weights)).chosen)
        for radius, choice in zip(radii, chosen, strict=False):
            self.kinks[radius] += int(((choice != chosen[-1]) & (weights > 0)).sum())
        self.kinds |= batch.kinds

    def profile(
        self, problem: Problem, radii: Sequence[float], samples: int, probe: RoundingProbe, notes: tuple[str, ...]
    ) -> Profile:
        total = problem.total(samples)
        fisher_floor, divergence_floor = probe.floors(self.jitter.values(), samples)
        return Profile(
            radii=tuple(radii),
            fisher=tuple(self.fisher[radius] / total for radius in radii),
            divergence=tuple(self.divergence[radius] / total for radius in radii),
            fisher_floor=fisher_floor,
            divergence_floor=divergence_floor,
            label=self.path.label,
            saturated=self.saturated,
            start=None if self.start.infinite else self.start.fisher / total,
            kinks=tuple(self.kinks[radius] for radius in radii) if self.kinds else (),
            kinds=tuple(sorted(self.kinds)),
            notes=notes,
        )


def add(sums: dict[float, float], radius: float, weights: Tensor, values: Tensor, where: str) -> None:
    """Add a weighted batch of per-sample values, refusing what is not a number."""
    value = float((weights.double() * values.double()).sum())
    if not value < float("inf"):
        raise MeasurementError(
            f"The Fisher or the divergence is NaN or infinite, {where}. "
            "The path leaves the domain of the law there: use smaller radii, or the opposite direction."
        )
    sums[radius] = sums.get(radius, 0.0) + value
