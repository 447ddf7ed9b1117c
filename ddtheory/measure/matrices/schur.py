"""One direction among live ones, free of the basis: the Schur complement of the Fisher along a ray."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import torch
from torch import Tensor

from ddtheory.errors import DirectionError, InvalidValueError
from ddtheory.measure.doors import count, entries, shown, text
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.matrices.factor import Factor
from ddtheory.measure.orders.fisher import fisher_along
from ddtheory.measure.orders.floors import SAFETY
from ddtheory.measure.orders.profile import all_real, chosen_radii, descending, local_slopes, measured, square
from ddtheory.measure.orders.pushforward import push_forward
from ddtheory.measure.orders.rate import lost, visible_orders
from ddtheory.measure.orders.readings import Series, coefficient_reading, slope_reading
from ddtheory.measure.orders.window import Data, Readings, decide
from ddtheory.measure.setting.direction import Direction
from ddtheory.measure.setting.parameters import unflatten
from ddtheory.measure.setting.path import ray
from ddtheory.measure.setting.problem import Problem
from ddtheory.measure.tables import along, html_table, reach
from ddtheory.tabled import Swept
from ddtheory.values import OrderReading, ReadingStatus

LARGEST_COMPLEMENT = 512
DEPENDENT = 1e-8  # a direction this close to the span of the others is one of them


@dataclass(frozen=True, repr=False)
class SchurProfile(Swept):
    """S(t) = F_uu − F_uL F_LL⁻¹ F_Lu at decreasing radii along θ0 + tu.

    Attributes:
        radii: t > 0, stored from large to small.
        schur: S(t), the squared distance of the score of u from the span of the live scores.
        fisher: F_uu(t), the axis reading it is to be compared with; S ≤ F_uu.
        smallest_positive: smallest eigenvalue, above the rank tolerance, of F on the span of u and L.
        dropped: how many live dimensions were in the kernel of F at each radius, and left out of F_LL⁻¹.
        live: number of live directions.
        floor: values of S at or below this are rounding.
        label: how messages and tables call it.
        saturated: as in `Profile`.

    Raises:
        InvalidValueError: see `Profile`.
    """

    axis = "radius"

    radii: tuple[float, ...]
    schur: tuple[float, ...]
    fisher: tuple[float, ...]
    smallest_positive: tuple[float, ...]
    dropped: tuple[int, ...]
    live: int
    floor: float
    label: str = ""
    saturated: int = 0

    def __post_init__(self) -> None:
        radii = all_real("radius", self.radii)
        order = descending(radii)
        for name in ("schur", "fisher", "smallest_positive"):
            object.__setattr__(self, name, measured(name, getattr(self, name), order))
        if not isinstance(self.dropped, Sequence) or len(self.dropped) != len(order):
            raise InvalidValueError(f"There are {len(order)} radii but counts {shown(self.dropped)} of dropped ones.")
        dropped = [count("An entry of dropped", value, 0) for value in self.dropped]
        object.__setattr__(self, "dropped", tuple(dropped[i] for i in order))
        object.__setattr__(self, "radii", tuple(radii[i] for i in order))
        object.__setattr__(self, "floor", square("floor", self.floor))
        text("The label", self.label)
        object.__setattr__(self, "live", count("live", self.live, 0))
        object.__setattr__(self, "saturated", count("saturated", self.saturated, 0))

    def __repr__(self) -> str:
        name = f"{self.label!r}, " if self.label else ""
        return (
            f"SchurProfile({name}{len(self.radii)} radii {reach(self.radii)}, S {reach(self.schur)}, "
            f"F {reach(self.fisher)}, {self.live} live directions, floor {self.floor:.1g})"
        )

    def latex(self) -> str:
        return along("S", self.radii, self.schur)

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        names = ("schur", "fisher", "smallest_positive", "dropped")
        return {"radius": self.radii, **{name: getattr(self, name) for name in names}}

    def _repr_html_(self) -> str:
        columns = (self.radii, self.schur, self.fisher, self.smallest_positive, self.dropped)
        rows = [[f"{value:.6g}" for value in row] for row in zip(*columns, strict=True)]
        return html_table(repr(self), ["t", "S", "F", "smallest eigenvalue", "dropped"], rows)

    def local_slopes(self) -> tuple[tuple[float, float], ...]:
        """(t, d log S/d log t) between neighbouring radii."""
        return local_slopes(self.radii, self.schur)


def schur_along(
    problem: Problem,
    direction: Direction,
    live: Sequence[Direction] | Literal["complement"] = "complement",
    radii: Sequence[float] | None = None,
    *,
    label: str = "",
) -> SchurProfile:
    r"""S(t) = F_uu − F_uL F_LL⁻¹ F_Lu of the expected Fisher at θ0 + tu: what u adds to the live directions.

    S(t) = min_c E ‖ψ_u − Ψ_L c‖² for the whitened Jacobian-vector products ψ. It does not change when the
    live directions are replaced by others with the same span, and 1/S is the u-entry of the inverse Fisher
    when they span the complement. It is computed as the squared residual of a projection, from a QR factor of
    the products that is updated batch by batch: forming the Gram matrix and subtracting would lose S once it
    is 10⁻¹⁶ of F_uu.

    Args:
        direction: u, scaled to unit length.
        live: directions that span L, or "complement": all of the orthogonal complement of u (at most 512
            parameters).
        radii: as in `fisher_along`.

    Raises:
        DirectionError: a bad direction, or u and the live directions are linearly dependent.
        InvalidValueError: "complement" of a model that is too large.
        MeasurementError: see `fisher_along`.

    Source: λ_min(F)/(k²t^{2(k−1)}) → E a² − eᵀg⁻¹e for leading score a, live scores of Gram g and e = E[ab];
    for scores aligned with the live span see the second example. Setting of Shirodkar 2026, Dead
    Directions.

    >>> from ddtheory.measure import Gaussian
    >>> def mean(parameters, x):                            # (t² + w, t³): the leading score 2t lies along w
    ...     t, w = parameters["t"], parameters["w"]
    ...     return x * torch.stack([t**2 + w, t**3], dim=-1)
    >>> zero, one = torch.zeros((), dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    >>> problem = Problem(mean, {"t": zero, "w": zero}, one, Gaussian())
    >>> profile = schur_along(problem, {"t": torch.ones(())}, live=[{"w": torch.ones(())}])
    >>> abs(profile.schur[-1] / (9 * profile.radii[-1] ** 4) - 1) < 1e-9           # S = 9t⁴, F_uu = 4t² + 9t⁴
    True
    >>> schur_order(profile).k                             # while along the ray k = 2
    3
    """
    path = ray(problem, direction, label=label)
    chosen = chosen_radii(radii)
    columns = live_columns(problem, direction, live)
    basis = torch.stack([problem.flat(column) for column in columns], dim=1)
    triangle: Tensor = torch.linalg.qr(basis.double(), mode="r").R
    if not bool((triangle.diagonal().abs() > DEPENDENT).all()) or basis.shape[0] < basis.shape[1]:
        raise DirectionError(
            "The direction and the live directions are linearly dependent, so nothing is left of one of "
            "them. Leave out the live directions that are sums of others or of the direction itself."
        )
    factors = {radius: Factor() for radius in chosen}
    samples = 0
    with measuring():
        for inputs, weights in problem.batches():
            samples += len(weights)
            for radius in chosen:
                positions, _ = path.state(radius)
                where = f"at t = {radius:.4g} on the {path.label}"
                products: list[Tensor] = []
                for column in columns:
                    outputs, tangents = push_forward(problem, positions, column, inputs, where)
                    whitened = problem.in_metric(outputs, tangents)
                    products.append((whitened.reshape(len(weights), -1) * weights.sqrt()[:, None]).reshape(-1))
                factors[radius].add(torch.stack(products, dim=1))
    readings = [factors[radius].read(triangle) for radius in chosen]
    total = problem.total(samples)
    epsilon = torch.finfo(problem.dtype).eps
    fisher = tuple(reading.fisher / total for reading in readings)
    along = fisher_along(problem, path, chosen)
    return SchurProfile(
        radii=chosen,
        schur=tuple(reading.schur / total for reading in readings),
        fisher=fisher,
        smallest_positive=tuple(reading.smallest_positive / total for reading in readings),
        dropped=tuple(reading.dropped for reading in readings),
        live=len(columns) - 1,
        floor=along.fisher_floor + SAFETY * epsilon**2 * max(fisher),
        label=path.label,
        saturated=along.saturated,
    )


def live_columns(
    problem: Problem, direction: Direction, live: Sequence[Direction] | Literal["complement"]
) -> list[dict[str, Tensor]]:
    """The live directions as unit blocks, and the direction itself last."""
    own = problem.unit(direction)
    if (
        isinstance(live, Mapping | Tensor)
        or not isinstance(live, Iterable)
        or (isinstance(live, str) and live != "complement")
    ):
        raise DirectionError(f'The live directions are {shown(live)}; give a list of directions, or "complement".')
    if not isinstance(live, str):
        return [*(problem.unit(other) for other in entries("the live directions", live)), own]
    if problem.dimension > LARGEST_COMPLEMENT:
        raise InvalidValueError(
            f"The complement of a direction among {problem.dimension} parameters is too large to be spanned "
            f"(at most {LARGEST_COMPLEMENT}). Name the live directions that matter."
        )
    flat = problem.flat(direction)
    frame = torch.linalg.qr(flat.double()[:, None], mode="complete").Q[:, 1:]
    return [*(problem.unit(unflatten(column, problem.truth)) for column in frame.T), own]


def schur_order(profile: SchurProfile) -> OrderReading:
    """The order k with S ~ t^{2(k−1)}: that of the arc that the live directions bend to, not of the ray.

    S has no divergence beside it, so there are two readings and not three: "slope", k = 1 + s/2 from local
    log–log slopes extrapolated to t = 0, and "coefficient", k = 1 + p/2 for the one power p for which S/t^p
    has a finite non-zero limit. Windows and statuses are those of `order`. When the number of live directions
    in the kernel of F changes from radius to radius, S is not one function of t, and the reading is refused.

    FLAT here means that the score of u lies in the span of the live scores at every radius.
    """
    if not isinstance(profile, SchurProfile):
        raise InvalidValueError(f"The profile is {shown(profile)}. Make one with schur_along.")
    if len(set(profile.dropped)) > 1:
        return OrderReading(
            ReadingStatus.PRE_ASYMPTOTIC,
            None,
            None,
            {},
            (profile.radii[-1], profile.radii[0]),
            f"between {min(profile.dropped)} and {max(profile.dropped)} of {profile.live} live directions "
            "fall into the kernel of F depending on the radius, so S(t) is not one function of t",
            advice="Leave the directions that die along the ray out of `live`, or use larger radii.",
        )
    buried = all(value <= profile.floor for value in profile.schur)
    if buried and profile.saturated:
        return lost(profile.radii[0], profile.saturated)
    if buried:
        excluded = visible_orders(profile.radii[0], fisher_floor=profile.floor)
        return OrderReading(
            ReadingStatus.FLAT,
            None,
            None,
            {},
            None,
            "the score of the direction lies in the span of the live scores, to rounding, at every radius "
            f"up to {profile.radii[0]:.3g}; a residual score of size one and order up to "
            f"{max(excluded, default=Fraction(0))} would have shown",
            excluded,
        )
    radii = profile.radii[::-1]
    series = Series.above(profile.floor, radii, profile.schur[::-1])

    def read(data: Data) -> Readings:
        s = data["Schur complement"]
        return {"slope": slope_reading(s), "coefficient": coefficient_reading(s)}

    return decide({"Schur complement": series}, read, {"Schur complement": lambda k: 2 * (k - 1)})
