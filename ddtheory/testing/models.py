"""Gaussian models whose order along a direction is known by construction, without asking the exact side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ddtheory.shown import Shown
from ddtheory.testing.numbers import coefficients, orders
from ddtheory.testing.ranges import check_positive, check_range, check_whole

if TYPE_CHECKING:
    from sympy import Expr

    from ddtheory.cells import Cell


@dataclass(frozen=True, repr=False)
class KnownCell(Shown):
    """A cell, a direction of it, and what the construction says of that direction.

    Attributes:
        cell: both faces of the model.
        along: the direction, by coordinate name.
        order: the order k along it; None when K vanishes on the ray.
        leading: c in K = c t^{2k} + … at unit speed, exact; None when K vanishes on the ray.
        arc_order: the arc order; None when K vanishes on a tangent arc.
    """

    cell: Cell
    along: Mapping[str, int]
    order: int | None
    leading: Fraction | None
    arc_order: int | None

    def __str__(self) -> str:
        along = ", ".join(f"{name} = {value}" for name, value in self.along.items())
        ray, arc = ("flat" if order is None else f"order {order}" for order in (self.order, self.arc_order))
        return f"{self.cell} along {along}: {ray}, on an arc {arc}"

    def latex(self) -> str:
        if self.order is None:
            return rf"{self.cell.latex()},\quad K(t u) \equiv 0"
        return rf"{self.cell.latex()},\quad K(t u) = {self.leading}\,t^{{{2 * self.order}}} + \dots"

    def rows(self) -> Mapping[str, str]:
        return {**self.cell.rows(), "known": str(self)}


def mean_map_cells(
    *,
    min_order: int = 1,
    max_order: int = 5,
    min_live: int = 0,
    max_live: int = 2,
    max_terms: int = 2,
    max_coefficient: int | Fraction = 3,
) -> SearchStrategy[KnownCell]:
    r"""y ~ N(μ, σ²) with one coordinate t that dies to a known order among live ones.

    μ₀ = t^k (c + c₁ t + …) + Σ e_j v_j and μ_j = a_j v_j + t^{k+1} b_j + s_j t v_j with a_j ≠ 0, so
    K(t) = c² t^{2k}/(2σ²) + … along t. The live scores span what they need, so no tangent arc has a larger order.
    Shrinks to N(t, 1).

    Args:
        min_order, max_order: of k.
        min_live, max_live: how many live coordinates v₁, v₂, …
        max_terms: higher terms of μ₀ in t.
        max_coefficient: of every coefficient, in size.

    Raises:
        InvalidValueError: a bound is no number in reach, or bounds are in the wrong order.

    >>> from hypothesis import find
    >>> simplest = find(mean_map_cells(), lambda known: True)
    >>> simplest.cell.divergence, simplest.order, simplest.leading
    (t**2/2, 1, Fraction(1, 2))
    """
    min_order, max_order = check_range("min_order", min_order, "max_order", max_order, least=1)
    min_live, max_live = check_range("min_live", min_live, "max_live", max_live, least=0)
    max_terms = check_whole("max_terms", max_terms, least=0)
    max_coefficient = check_positive("max_coefficient", max_coefficient)
    nonzero = coefficients(max_magnitude=max_coefficient)
    any_size = st.one_of(st.just(Fraction(0)), nonzero)

    @st.composite
    def draw_cell(draw: DrawFn) -> KnownCell:
        from sympy import Symbol, symbols

        from ddtheory.cells import mean_map

        order = draw(orders(min_value=min_order, max_value=max_order))
        live = draw(st.integers(min_live, max_live))
        leading = draw(nonzero)
        tail = draw(st.lists(any_size, max_size=max_terms))
        variance = abs(draw(nonzero))
        t = Symbol("t", real=True)
        dying = sum((exact(c) * t ** (order + i) for i, c in enumerate([leading, *tail])), exact(Fraction(0)))
        means: list[Expr] = []
        for v in symbols(f"v1:{live + 1}", real=True):
            own, overlap, bend, shift = draw(nonzero), draw(any_size), draw(any_size), draw(any_size)
            dying += exact(overlap) * v
            means.append(exact(own) * v + exact(bend) * t ** (order + 1) + exact(shift) * t * v)
        cell = mean_map([dying, *means], exact(variance), name=f"mean map of order {order} with {live} live")
        return KnownCell(cell, {"t": 1}, order, leading**2 / (2 * variance), order)

    return draw_cell()


def exact(value: Fraction) -> Expr:
    """A fraction as sympy has it."""
    from sympy import Rational

    return Rational(value.numerator, value.denominator)
