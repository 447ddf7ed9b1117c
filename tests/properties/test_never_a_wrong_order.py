"""The key property of a measurement: it may refuse, and it must not be wrong, however badly the model is scaled.

What counts as wrong is stated in `agreement.OVERLOOKED`: a power that cannot be seen at any radius cannot be read.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy
from agreement import CONCLUSIVE, FEWER, OVERLOOKED, agrees, read, share_below
from hypothesis import event, example, given
from hypothesis import strategies as st

from ddtheory.cells import Cell, mean_map
from ddtheory.exact.orders.ray import kl_order
from ddtheory.measure import Gaussian, fisher_along, order
from ddtheory.testing import KnownCell, coefficients, dead_unit_cells, mean_map_cells, orders
from ddtheory.values import Kind, ReadingStatus

t = sympy.Symbol("t", real=True)

DECADES = st.integers(-4, 4).map(lambda n: Fraction(10) ** n)
"""Scales from 1e-4 to 1e4, exact."""


def power(k: int, size: Fraction) -> sympy.Expr:
    return sympy.Rational(size.numerator, size.denominator) * t**k


@st.composite
def badly_scaled_cells(draw: st.DrawFn) -> Cell:
    """μ ∈ R^n of polynomials in t, every coefficient on its own scale from 1e-4 to 1e4."""
    terms = st.tuples(st.integers(1, 6), st.builds(Fraction.__mul__, DECADES, coefficients()))
    means = draw(
        st.lists(st.lists(terms, min_size=1, max_size=3, unique_by=lambda term: term[0]), min_size=1, max_size=2)
    )
    return mean_map([sum(power(k, size) for k, size in mean) for mean in means])


@given(badly_scaled_cells())
@example(mean_map([t**5 / 1000 + 1000 * t**6]))  # refused or misread, as the small end of the radii decides
def test_coefficients_from_1e_minus_4_to_1e4(cell: Cell) -> None:
    exact = cell.kl_order("t")
    profile, reading = read(cell, "t")
    event(reading.status.value)
    assert reading.status is not ReadingStatus.FLAT
    if not agrees(exact, reading):
        share = share_below(cell, {"t": 1}, reading.k, profile)
        event("a lower power is out of sight")
        assert share < OVERLOOKED, (str(reading), exact.k, share)
        assert reading.k > exact.k


@st.composite
def crossings(draw: st.DrawFn) -> tuple[Cell, int, int, Fraction, bool]:
    """ε t^j against t^k in one output, where they interfere, or in two, where their squares add."""
    j = draw(orders(max_value=4))
    k = draw(orders(min_value=j + 1, max_value=j + 3))
    epsilon = draw(DECADES) * draw(coefficients(max_magnitude=9, max_denominator=1))
    interfering = draw(st.booleans())
    lower, upper = power(j, epsilon), t**k
    return mean_map([lower + upper] if interfering else [lower, upper]), j, k, epsilon, interfering


@FEWER
@given(crossings())
def test_an_interfering_lower_term(crossing: tuple[Cell, int, int, Fraction, bool]) -> None:
    cell, j, k, epsilon, interfering = crossing
    profile, reading = read(cell, "t")
    event(f"{'one output' if interfering else 'two outputs'}: {reading.status.value}")
    assert reading.k in (None, j, k)
    assert cell.kl_order("t").k == j
    if reading.k == k:
        assert share_below(cell, {"t": 1}, k, profile) < OVERLOOKED
    if abs(epsilon) >= 1:
        assert reading.k == j or reading.status not in CONCLUSIVE


@pytest.mark.long
@pytest.mark.parametrize("interfering", [True, False], ids=["one output", "two outputs"])
@pytest.mark.parametrize(("j", "k"), [(1, 2), (1, 3), (2, 3), (3, 4)])
def test_a_crossing_moved_through_the_window(j: int, k: int, interfering: bool) -> None:
    """Deterministic: the crossing passes from above the window to below it, and the reading from j by refusal to k."""
    found: list[int | None] = []
    for n in range(-8, 36, 4):
        epsilon = Fraction(1, 2**n) if n >= 0 else Fraction(2**-n)
        lower, upper = power(j, epsilon), t**k
        cell = mean_map([lower + upper] if interfering else [lower, upper])
        profile, reading = read(cell, "t")
        assert reading.k in (None, j, k)
        if reading.k == k:
            assert share_below(cell, {"t": 1}, k, profile) < OVERLOOKED
        found.append(reading.k)
    assert found[0] == j
    assert None in found or j == 1  # F(0) > 0 shows order 1 however small the radius of the crossing is
    ranked = [{j: 0, None: 1, k: 2}[reading] for reading in found]
    assert ranked == sorted(ranked)


def test_smaller_radii_bring_what_was_out_of_sight_into_view() -> None:
    """The one way to be wrong that is left, and its remedy."""
    cell = mean_map([t**2 / 10**11 + t**3])
    problem, direction = cell.problem(), cell.torch_direction("t")
    assert order(fisher_along(problem, direction)).k == 3
    assert order(fisher_along(problem, direction, [2.0 ** (-n / 2) for n in range(80, 110)])).k == 2


@pytest.mark.long
@FEWER
@given(mean_map_cells(max_live=1, max_order=4), DECADES)
def test_another_noise_variance(known: KnownCell, factor: Fraction) -> None:
    """σ² → vσ² divides K by v. No order changes, and no reading may: floors scale with what they are floors of."""
    problem, direction = known.cell.problem(), known.cell.torch_direction(known.along)
    assert isinstance(problem.head, Gaussian)
    noisier = replace(problem, head=Gaussian(problem.head.variance * float(factor)))
    exact = kl_order(known.cell.divergence / sympy.Rational(factor.numerator, factor.denominator), known.along)
    assert (exact.k, exact.arc_k, exact.leading) == (known.order, known.arc_order, known.leading / factor)
    before, after = fisher_along(problem, direction), fisher_along(noisier, direction)
    assert after.fisher == pytest.approx([f / float(factor) for f in before.fisher], rel=1e-12)
    assert (order(after).status, order(after).k) == (order(before).status, order(before).k)


@FEWER
@given(dead_unit_cells(flat=True), st.sampled_from(["dead", "flat"]), DECADES)
def test_flat_is_never_said_of_a_direction_that_moves(known: KnownCell, state: str, size: Fraction) -> None:
    """A flat axis stays flat beside an output of any scale, and becomes dead when that output moves with it."""
    moved = next(name for name, value in known.along.items() if value)
    other = "b" if moved == "a" else "a"
    u, v = (sympy.Symbol(name, real=True) for name in (moved, other))
    extra = power(1, size).subs(t, v if state == "flat" else u**3)
    cell = mean_map([u * v, extra])
    exact, (_, reading) = cell.kl_order({moved: 1}), read(cell, {moved: 1})
    assert exact.kind is (Kind.FLAT if state == "flat" else Kind.DEAD)
    assert agrees(exact, reading)
    assert (reading.status is ReadingStatus.FLAT) == (state == "flat")
