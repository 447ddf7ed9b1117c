"""Divergences whose ray order and arc order are known, and cannot be read off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ddtheory.shown import Shown
from ddtheory.testing.models import exact
from ddtheory.testing.numbers import coefficients
from ddtheory.testing.ranges import check_range, check_truth, check_whole
from ddtheory.testing.vectors import Rotation, rotations

if TYPE_CHECKING:
    from sympy import Expr

    from ddtheory.cells import Cell


@dataclass(frozen=True, repr=False)
class HiddenDivergence(Shown):
    """A normal form (x² + y^{2m})/2 behind a change of coordinates, as a divergence and as a model that has it.

    Attributes:
        means: μ of the Gaussian model N(μ, 1), so that K = ‖μ‖²/2; in the symbols x and y.
        divergence: K, expanded.
        along: a direction, by coordinate name.
        ray_order: half the order of K along the ray.
        arc_order: half the largest order of K along an arc tangent to it.
    """

    means: tuple[Expr, ...]
    divergence: Expr
    along: Mapping[str, Fraction | int]
    ray_order: int
    arc_order: int

    def __str__(self) -> str:
        along = ", ".join(f"{name} = {value}" for name, value in self.along.items())
        return f"{self.divergence} along {along}, orders {self.ray_order} and {self.arc_order}"

    def latex(self) -> str:
        from sympy import latex

        return rf"K = {latex(self.divergence)},\quad k = {self.ray_order},\ k^* = {self.arc_order}"

    def cell(self) -> Cell:
        """The model y ~ N(μ, 1)."""
        from ddtheory.cells import mean_map

        return mean_map(self.means, name=f"hidden normal form of orders {self.ray_order} and {self.arc_order}")


def hidden_divergences(
    *, min_order: int = 1, max_order: int = 4, max_terms: int = 3, rotated: bool = False
) -> SearchStrategy[HiddenDivergence]:
    """x² + y^{2m} hidden by a polynomial shear, scalings and a positive unit, along the direction of y.

    With g = x − p(y), p = O(y²), and u = 1 + u₁ x + u₂ y², the means are u s g and u c y^m, so that
    2K = u² (s² g² + c² y^{2m}). On the ray p(y) counts: its order is min(ord p, m). The arc x = p(y) keeps the
    order m. Shrinks to (x² + y²)/2 along y.

    Args:
        min_order, max_order: of m, the arc order.
        max_terms: terms of the shear.
        rotated: also turn the plane by a rational rotation, so that the direction is no axis.

    Raises:
        InvalidValueError: a bound is no whole number in reach, or bounds are in the wrong order.

    >>> from hypothesis import find
    >>> bent = find(hidden_divergences(), lambda hidden: hidden.ray_order < hidden.arc_order)
    >>> bent.divergence, bent.ray_order, bent.arc_order
    (x**2/2 - x*y**2 + y**6/2 + y**4/2, 2, 3)
    """
    min_order, max_order = check_range("min_order", min_order, "max_order", max_order, least=1)
    max_terms = check_whole("max_terms", max_terms, least=0)
    nonzero = coefficients(max_magnitude=3, max_denominator=2)
    any_size = st.one_of(st.just(Fraction(0)), nonzero)
    turns = (
        rotations(2)
        if check_truth("rotated", rotated)
        else st.just(Rotation(((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))))
    )

    @st.composite
    def draw_divergence(draw: DrawFn) -> HiddenDivergence:
        import sympy

        arc = draw(st.integers(min_order, max_order))
        shear = draw(st.lists(any_size, max_size=max_terms))
        across, along = draw(nonzero), draw(nonzero)
        unit = draw(any_size), draw(any_size)
        turn = draw(turns)
        x, y = sympy.symbols("x y", real=True)
        # columns of Q are the new axes: old coordinates are Qᵀ times the new ones
        (qxx, qxy), (qyx, qyy) = ((exact(entry) for entry in row) for row in turn.rows)
        old_x, old_y = qxx * x + qyx * y, qxy * x + qyy * y
        bend = sum((exact(c) * old_y ** (i + 2) for i, c in enumerate(shear)), exact(Fraction(0)))
        positive = 1 + exact(unit[0]) * old_x + exact(unit[1]) * old_y**2
        means = (positive * exact(across) * (old_x - bend), positive * exact(along) * old_y**arc)
        lowest = next((i + 2 for i, c in enumerate(shear) if c), arc)
        direction = turn.apply((0, 1))
        return HiddenDivergence(
            means,
            sympy.expand(sum(mean**2 for mean in means) / 2),
            {"x": direction[0], "y": direction[1]},
            min(lowest, arc),
            arc,
        )

    return draw_divergence()
