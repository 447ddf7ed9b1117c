r"""λ(nβ) over a grid of nβ and of the localisation γ that samplers add: one run for all of them.

When does a pin e^{−γ‖w − w*‖²/2} localise? Where λ(nβ) is that of the point w* one sees the pin's answer, where it is
that of the whole domain the pin is too weak, and where γ is large against nβ the pin itself is all there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sympy import Expr

from ddtheory.arguments import list_of
from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.finite_n.germs import FiniteNGerm, checked_sign, germ_of, integrals_of, read_size, why_not
from ddtheory.exact.finite_n.given import read_germ, read_prior, refuse_narrower_than
from ddtheory.exact.finite_n.localised import spread_of
from ddtheory.exact.numbers.enclosing import check_digits, deadline, rational
from ddtheory.extras import need
from ddtheory.tabled import Tabled

if TYPE_CHECKING:
    from xarray import Dataset

_MOST = 10_000  # points


class Regime(StrEnum):
    """What λ(nβ, γ) shows."""

    GLOBAL = "global"  # λ of the whole domain: the pin is too weak
    LOCAL = "local"  # λ of the point w*
    BETWEEN = "between"  # a number between the two
    OUTSIDE = "outside"  # below both, where n is too small or the pin stronger than the data; or above both


@dataclass(frozen=True, repr=False)
class FiniteNSweep(Tabled):
    """Exact quantities of a germ over a grid.

    Attributes:
        n_beta: the sizes t = nβ, ascending.
        localisation: the γ, ascending; a single 0 without a Gaussian.
        values: one row for each γ, one entry for each nβ; None where it could not be proven.
        missing: (γ, nβ) → why there is none.
    """

    n_beta: tuple[Fraction, ...]
    localisation: tuple[Fraction, ...]
    values: tuple[tuple[FiniteNGerm | None, ...], ...]
    missing: Mapping[tuple[Fraction, Fraction], str]

    def __str__(self) -> str:
        count = len(self.n_beta) * len(self.localisation)
        left = f", {len(self.missing)} of them not proven" if self.missing else ""
        return f"λ(nβ) at {len(self.n_beta)} sizes and {len(self.localisation)} localisations: {count} points{left}"

    def latex(self) -> str:
        lines = [
            " & ".join([r"\text{not proven}" if one is None else one.learning_coefficient.latex() for one in row])
            for row in self.values
        ]
        return r"\begin{matrix} " + r" \\ ".join(lines) + r" \end{matrix}"

    def rows(self) -> Mapping[str, str]:
        return {
            f"γ = {gamma}": ", ".join(
                "not proven" if one is None else f"{float(one.learning_coefficient):.4g}" for one in row
            )
            for gamma, row in zip(self.localisation, self.values, strict=True)
        }

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a point of the grid, enclosed values as they are; None where none was proven."""
        points = [(gamma, t) for gamma in self.localisation for t in self.n_beta]
        found = [one for row in self.values for one in row]
        names = ("learning_coefficient", "free_energy", "evidence")
        return {
            "localisation": [gamma for gamma, _ in points],
            "n_beta": [t for _, t in points],
            **{name: [None if one is None else getattr(one, name) for one in found] for name in names},
            "missing": [self.missing.get(point) for point in points],
        }

    def to_xarray(self) -> Dataset:
        """Midpoints and radii of λ(nβ) by localisation and nβ, as floating numbers; NaN where none was proven.

        Raises:
            MissingExtraError: xarray is not installed.
        """
        need("xarray", "to_xarray()")
        from xarray import Dataset

        def table(part: str) -> tuple[tuple[str, str], list[list[float]]]:
            return ("localisation", "n_beta"), [
                [float("nan") if one is None else float(getattr(one.learning_coefficient, part)) for one in row]
                for row in self.values
            ]

        return Dataset(
            {"learning_coefficient": table("midpoint"), "radius": table("radius")},
            {"localisation": list(map(float, self.localisation)), "n_beta": list(map(float, self.n_beta))},
        )

    def regimes(self, *, whole: Any, point: Any, within: Any = "1/20") -> tuple[tuple[Regime | None, ...], ...]:
        """Which λ each value shows, row by row: that of the whole domain, that of the point w*, or neither.

        A value shows a λ if the one at the next larger nβ shows it too: λ(nβ) may pass through on its way, as
        t/(2(t + γ)) does through 1/4 where a pin γ = t is as strong as the data.

        Args:
            whole, point: λ over the domain and at w*, as `rlct` and the cells give them.
            within: the share of λ by which a value may be off, between 0 and 1.

        Raises:
            InvalidValueError: the two λ are equal, or so near that a value could show both.
        """
        bounds = {
            Regime.GLOBAL: rational(whole, "the λ of the whole"),
            Regime.LOCAL: rational(point, "the λ of the point"),
        }
        share = rational(within, "within")
        low, high = sorted(bounds.values())
        if not 0 < share < 1 or not 0 < low * (1 + share) < high * (1 - share):
            raise InvalidValueError(
                f"λ = {low} and {high}, each ± {float(share):.2g} of itself, do not lie apart above 0. Take a smaller "
                "share."
            )

        def near(one: FiniteNGerm | None) -> Regime | None:
            """By the midpoint, which is known to some digits."""
            if one is None:
                return None
            value = one.learning_coefficient.midpoint
            for name, limit in bounds.items():
                if abs(value - limit) <= share * limit:
                    return name
            return Regime.BETWEEN if low < value < high else Regime.OUTSIDE

        return tuple(_lasting(list(map(near, row))) for row in self.values)

    def at(self, n_beta: Any, localisation: Any = 0) -> FiniteNGerm:
        """The value at one point of the grid.

        Raises:
            InvalidValueError: the point is not on the grid.
            UndecidedError: it could not be proven.
        """
        t, gamma = rational(n_beta, "nβ"), rational(localisation, "the localisation γ")
        if t not in self.n_beta or gamma not in self.localisation:
            raise InvalidValueError(f"nβ = {t}, γ = {gamma} is no point of this grid.")
        found = self.values[self.localisation.index(gamma)][self.n_beta.index(t)]
        if found is None:
            raise UndecidedError(self.missing[gamma, t])
        return found


def finite_n_sweep(
    divergence: Expr | str,
    n_betas: Iterable[Any],
    *,
    localisations: Iterable[Any] | None = None,
    half_width: Any = None,
    box: Mapping[Any, Any] | None = None,
    radius: Any = None,
    prior: Mapping[Any, Any] | None = None,
    centre: Mapping[Any, Any] | None = None,
    digits: int = 4,
    seconds: float = 120,
) -> FiniteNSweep:
    r"""Z, F and λ(nβ) at every (nβ, γ) of a grid, as proven enclosures.

    The pieces of the domain, and the values of a polynomial K at their nodes, serve all points, so that a sweep costs
    a fraction of its points one by one. Of a K that is no polynomial the points are taken one by one.

    Args:
        n_betas: the sizes t = nβ > 0.
        localisations: γ > 0 of the pin e^{−γ‖w − w*‖²/2} around the centre w*; none when missing.
        divergence, half_width, box, radius, prior, centre, digits: as for `finite_n_germ`.
        seconds: limit of time for the whole grid. What is proven by then stays; the other points are `missing`.

    Raises:
        InvalidValueError: whatever `finite_n_germ` refuses, no points, one of them twice, or more than 10 000.
        NotADivergenceError, NotAnalyticError: as for `finite_n_germ`.
        UndecidedError: the limit of time before any point was proven.

    >>> found = finite_n_sweep("x^2", [10, 1000], localisations=[1, 100])  # λ(t) = t/(2t + γ)
    >>> print(found.at(1000, 100).learning_coefficient.contains(Fraction(1000, 2100)))
    True
    """
    go_on = deadline(seconds)
    digits = check_digits(digits, "Quadrature is meant for 3 to 20.")
    expression, symbols = read_germ(divergence)
    sizes = tuple(sorted(read_size(value) for value in list_of(n_betas, "n_betas", _MOST)))
    given = None if localisations is None else list_of(localisations, "localisations", _MOST)
    gammas = (Fraction(0),) if given is None else tuple(sorted(_localisation(value) for value in given))
    if not sizes or not gammas or len(sizes) * len(gammas) > _MOST:
        raise InvalidValueError(f"A sweep has 1 to {_MOST} points, got {len(sizes)} sizes and {len(gammas)} γ.")
    if len(set(sizes)) < len(sizes) or len(set(gammas)) < len(gammas):
        raise InvalidValueError("The same nβ, or the same γ, is given twice.")
    spread = None if given is None else 1 / gammas[0]
    phi = read_prior([symbol.name for symbol in symbols], half_width, prior, spread, centre, box, radius)
    refuse_narrower_than(phi, symbols)
    assumed = checked_sign(expression, symbols, phi)
    points = [(t, gamma) for gamma in gammas for t in sizes]
    found = integrals_of(expression, symbols, phi, points, digits, go_on)
    missing: dict[tuple[Fraction, Fraction], str] = {}
    values: list[FiniteNGerm | None] = []
    for (t, gamma), one in zip(points, found, strict=True):
        if isinstance(one, str):
            missing[gamma, t] = why_not(one, digits, t, phi.at(gamma) if gamma else phi)
            values.append(None)
        else:
            values.append(germ_of(*one, t, digits, assumed))
    if len(missing) == len(points):
        raise UndecidedError(f"None of the {len(points)} points could be proven. {missing[gammas[0], sizes[0]]}")
    rows = tuple(tuple(values[start : start + len(sizes)]) for start in range(0, len(values), len(sizes)))
    return FiniteNSweep(sizes, gammas, rows, missing)


def _localisation(value: Any) -> Fraction:
    gamma = rational(value, "a localisation γ")
    if gamma <= 0:
        raise InvalidValueError(f"The localisation γ = {gamma} is not positive. Leave localisations out for none.")
    spread_of(1 / gamma)
    return gamma


def _lasting(found: list[Regime | None]) -> tuple[Regime | None, ...]:
    """What holds at the next size too; of the last size the one before it is asked."""
    told = []
    for index, one in enumerate(found):
        beside = found[index + 1] if index + 1 < len(found) else found[index - 1]
        told.append(Regime.BETWEEN if one in (Regime.GLOBAL, Regime.LOCAL) and beside not in (one, None) else one)
    return tuple(told)
