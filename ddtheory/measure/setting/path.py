"""Unit-speed paths out of the true parameter: straight rays and curved arcs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from ddtheory.arguments import pairs_of
from ddtheory.errors import DirectionError
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import listed, shown, text
from ddtheory.measure.setting.direction import Direction
from ddtheory.measure.setting.exponential import EXPONENTIALS
from ddtheory.measure.setting.formulas import Formulas
from ddtheory.measure.setting.parameters import squared_norm, why_unknown
from ddtheory.measure.setting.problem import Problem, as_problem

Curve = Callable[[Tensor], Mapping[str, Tensor]]

SPEED_TOLERANCE = 1e-6  # users type 0.7071068 for 1/√2; an order does not change by it


@dataclass(frozen=True, eq=False, repr=False)
class Path:
    """A path t ↦ γ(t) with γ(0) = θ0 and ‖γ'(0)‖ = 1; made by `ray` and `arc`.

    Attributes:
        label: how messages and tables call it.
        positions: t, a tensor of no dimension, to the parameters that move, by name.
        truth: the true parameter it starts from.
    """

    label: str
    positions: Curve
    truth: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", text("The label", self.label))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.label!r})"

    def state(self, radius: float) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Positions γ(t) and velocities γ'(t) of the parameters that move, at t = radius."""
        first = next(iter(self.truth.values()))
        t = torch.tensor(radius, dtype=first.dtype, device=first.device)
        with (
            Formulas(EXPONENTIALS),
            borrowed(
                f"The curve cannot be differentiated in forward mode at t = {radius:.4g}",
                "Write it in torch operations of t.",
            ),
        ):
            positions, velocities, *_ = torch.func.jvp(lambda s: dict(self.positions(s)), (t,), (torch.ones_like(t),))
        return positions, velocities


@dataclass(frozen=True, eq=False, repr=False)
class Ray(Path):
    """A straight path; its velocity is known without differentiating."""

    unit: Mapping[str, Tensor]

    def state(self, radius: float) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        # in place: one new tensor a parameter, and the same bits as truth + t * block
        positions = {name: (radius * block).add_(self.truth[name]) for name, block in self.unit.items()}
        return positions, dict(self.unit)


def ray(problem: Problem, direction: Direction, *, label: str = "") -> Path:
    """The straight path θ0 + tu, u the direction at unit length.

    >>> from ddtheory.measure import Gaussian, Problem
    >>> layer = torch.nn.Linear(2, 1)
    >>> problem = Problem.from_module(layer, torch.eye(2), Gaussian())
    >>> path = ray(problem, {"weight": torch.tensor([[3.0, 4.0]])})
    >>> [round(x, 12) for x in path.state(1.0)[1]["weight"].flatten().tolist()]
    [0.6, 0.8]

    Raises:
        DirectionError: see `unit_direction`.
    """
    unit = as_problem(problem).unit(direction)
    truth = problem.truth

    def positions(t: Tensor) -> dict[str, Tensor]:
        return {name: truth[name] + t * block for name, block in unit.items()}

    return Ray(text("The label", label) or f"ray along {listed(unit)}", positions, truth, unit)


def opposite(path: Path) -> Path:
    """The path in the other direction: t ↦ γ(−t), as far as it goes behind its start."""
    label = f"{path.label}, backwards"
    if isinstance(path, Ray):
        return Ray(label, lambda t: path.positions(-t), path.truth, {name: -block for name, block in path.unit.items()})
    return Path(label, lambda t: path.positions(-t), path.truth)


def arc(problem: Problem, curve: Curve, *, offsets: bool = False, label: str = "") -> Path:
    """A curved path. The Fisher along it is that of dγ/dt, so t must be arc length as t → 0.

    The order belongs to the parametrisation: t ↦ t² doubles every k, and a regular direction would read as
    dead. So ‖γ'(0)‖ = 1 is demanded. A curve that stops at t = 0 has to be reparametrised by its arc length.

    Args:
        curve: t, a tensor of no dimension, to parameters by name; those left out stay at the truth. It must
            be differentiable in forward mode at t ≥ 0. Matrix exponentials in it are computed to rounding, which
            torch's own are not.
        offsets: the curve returns γ(t) − θ0, not γ(t).

    Raises:
        DirectionError: unknown name, wrong shape, γ(0) ≠ θ0, speed at 0 other than 1, NaN.
        InvalidValueError: what the curve returns is a mapping that cannot be read.

    >>> from ddtheory.measure import Gaussian, Problem
    >>> problem = Problem(
    ...     model=lambda parameters, x: (parameters["a"] * parameters["b"] * x),
    ...     truth={"a": torch.ones(1, dtype=torch.float64), "b": torch.ones(1, dtype=torch.float64)},
    ...     inputs=torch.ones(1, 1, dtype=torch.float64),
    ...     head=Gaussian(),
    ... )
    >>> def orbit(t):                                     # the product a·b stays 1
    ...     return {"a": torch.exp(t / 2**0.5).reshape(1), "b": torch.exp(-t / 2**0.5).reshape(1)}
    >>> gauge = arc(problem, orbit)
    >>> round(gauge.state(0.0)[1]["a"].item(), 12)
    0.707106781187
    """
    truth = as_problem(problem).truth
    if not callable(curve):
        raise DirectionError(f"The curve is {shown(curve)}; give a function of t that returns parameters by name.")

    def positions(t: Tensor) -> dict[str, Tensor]:
        moved = curve(t)
        return {name: truth[name] + value for name, value in moved.items()} if offsets else dict(moved)

    with borrowed("The curve fails at t = 0", "Write it in torch operations of t, a tensor of no dimension."):
        returned = cast("object", curve(torch.zeros((), dtype=problem.dtype, device=problem.device)))
    if not isinstance(returned, Mapping):
        raise DirectionError(f"The curve returns {shown(returned)}. Return the moved parameters by name.")
    named = dict(pairs_of(returned, "What the curve returns"))
    if not named:
        raise DirectionError("The curve moves no parameter. Return the moved parameters by name.")
    for name, value in named.items():
        if name not in truth:
            raise DirectionError(f"The curve moves {name!r}. {why_unknown(name, truth, problem.tied)}")
        if not isinstance(value, Tensor):
            raise DirectionError(f"The curve gives {name!r} as {shown(value)}, not a tensor.")
        if value.shape != truth[name].shape or value.dtype != truth[name].dtype:
            raise DirectionError(
                f"The curve gives {name!r} as {tuple(value.shape)} {value.dtype}, "
                f"the parameter is {tuple(truth[name].shape)} {truth[name].dtype}."
            )
    path = Path(text("The label", label) or f"arc through {listed(named)}", positions, truth)
    start, velocity = path.state(0.0)
    gap = max((float((start[name] - truth[name]).abs().max()) for name in start), default=0.0)
    scale = 1.0 + max((float(truth[name].abs().max()) for name in start), default=0.0)
    if not gap <= 16 * torch.finfo(problem.dtype).eps * scale:
        raise DirectionError(
            f"The curve starts {gap:.3g} away from the true parameter. "
            "Make γ(0) = θ0, or pass offsets=True if the curve returns γ(t) − θ0."
        )
    speed = math.sqrt(squared_norm(velocity))
    if not abs(speed - 1.0) <= SPEED_TOLERANCE:
        advice = (
            f"Replace t by t / {speed:.6g} in the curve."
            if speed > SPEED_TOLERANCE and math.isfinite(speed)
            else "It stops or has no derivative there (t² is not a parameter of a path): use its arc length."
        )
        raise DirectionError(f"The curve has speed {speed:.6g} at t = 0, and orders are defined for speed 1. {advice}")
    return path
