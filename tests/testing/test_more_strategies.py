"""Germs with known pairs, shapes of layers, enclosures and random conformance cells: right, covering, and simple."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

import mpmath
import pytest
import sympy
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ddtheory import testing
from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.matrix_products import by_rank_sequences, deep_linear
from ddtheory.exact.thresholds.polyhedra.newton import monomial_rlct
from ddtheory.testing import ConformanceCell, KnownGerm, LayerShape
from ddtheory.testing.conformance import quadrature
from ddtheory.testing.conformance.task import EstimationTask
from ddtheory.values import RLCT, Enclosure


def simplest(strategy: SearchStrategy[Any], condition: Callable[[Any], bool] = lambda drawn: True) -> Any:
    """With a seed: what is rare is found every time or never."""
    quick = settings(database=None, deadline=None, max_examples=2000, phases=[Phase.generate, Phase.shrink])
    return find(strategy, condition, settings=quick, random=Random(0))


# --- germs ------------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(testing.known_germs(hidden=False))
def test_pairs_of_unhidden_germs_by_the_newton_polyhedron(germ: KnownGerm) -> None:
    """Generators are monomials, for which the polyhedron is exact: a linear programme against the rules of assembly."""
    names = sorted(germ.substitution)
    symbols = [sympy.Symbol(name, real=True) for name in names]
    exponents = [sympy.Poly(generator, *symbols).monoms()[0] for generator in germ.generators]
    assert germ.rlct == monomial_rlct(exponents, [germ.prior.get(name, 0) for name in names])


@pytest.mark.long
@settings(max_examples=40)
@given(testing.known_germs())
def test_the_hiding_keeps_what_it_must(germ: KnownGerm) -> None:
    names = sorted(germ.substitution)
    symbols = [sympy.Symbol(name, real=True) for name in names]
    straight = [germ.substitution[name] for name in names]
    assert sympy.expand(sympy.Matrix(straight).jacobian(symbols).det()) == 1
    assert all(germ.substitution[name] == sympy.Symbol(name, real=True) for name in germ.prior)
    origin = dict.fromkeys(symbols, 0)
    assert germ.divergence.subs(origin) == 0
    assert sympy.expand(germ.divergence - sum(g**2 for g in germ.generators)) == 0
    # each generator is a unit times a monomial in the straight coordinates
    for generator in germ.generators:
        _, factors = sympy.factor_list(generator)
        for factor, _ in factors:
            vanishes = factor.subs(origin) == 0
            assert not vanishes or any(sympy.cancel(factor / old).is_number for old in straight)


@given(testing.known_germs(max_blocks=2, max_block_size=3, max_order=2, max_prior=0))
def test_germs_keep_their_bounds(germ: KnownGerm) -> None:
    assert not germ.prior and len(germ.substitution) <= 6
    assert germ.rlct.lam >= Fraction(1, 4) and germ.rlct.lam <= Fraction(len(germ.substitution), 2)


@pytest.mark.long
@pytest.mark.parametrize(
    ("wanted", "divergence"),
    [
        (lambda germ: True, "x1**2"),
        (lambda germ: germ.rlct.lam == Fraction(1, 6), "x1**6"),
        (lambda germ: germ.rlct == RLCT(1) and not germ.prior, "x1**2 + x2**2"),
        (lambda germ: germ.rlct.m == 2 and not germ.prior, "x1**2*x2**2"),
        (lambda germ: germ.rlct.m == 3, None),
        (lambda germ: len(germ.generators) == 2 and germ.rlct.m == 2, None),
        (lambda germ: germ.prior and germ.rlct.m == 1, None),
        (lambda germ: germ.divergence.coeff(sympy.Symbol("x1", real=True), 3) != 0, None),
    ],
)
def test_germs_cover_and_shrink(wanted, divergence: str | None) -> None:  # type: ignore[no-untyped-def]
    found = simplest(testing.known_germs(), wanted)
    assert wanted(found)
    if divergence is not None:
        assert str(found.divergence) == divergence
        assert found.generators and not found.prior


# --- shapes -----------------------------------------------------------------------------------------------------------


@given(testing.layer_shapes(max_depth=3, max_width=4))
def test_shapes_suit_the_formulas(shape: LayerShape) -> None:
    """Two formulas for λ of a deep linear network on every shape that is drawn, and λ ≤ d/2."""
    found = deep_linear(shape.widths, shape.rank)
    assert found == by_rank_sequences(shape.widths, shape.rank)
    assert found.lam <= Fraction(shape.dimension, 2)
    assert shape.dimension == sum(a * b for a, b in pairwise(shape.widths)) and shape.depth in (1, 2, 3)


@given(st.data(), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3), st.integers(0, 3))
def test_shapes_keep_their_bounds(data: st.DataObject, depth: int, more: int, width: int, wider: int) -> None:
    rank = data.draw(st.integers(0, width + wider))
    shape = data.draw(
        testing.layer_shapes(
            min_depth=depth,
            max_depth=depth + more,
            min_width=width,
            max_width=width + wider,
            min_rank=rank,
        )
    )
    assert depth <= shape.depth <= depth + more
    assert all(width <= w <= width + wider for w in shape.widths)
    assert rank <= shape.rank <= min(shape.widths)


def test_shapes_cover_and_shrink() -> None:
    assert simplest(testing.layer_shapes()) == LayerShape((1, 1), 0)
    assert simplest(testing.layer_shapes(min_depth=2), lambda s: s.rank == 2) == LayerShape((2, 2, 2), 2)
    assert simplest(testing.layer_shapes(), lambda s: s.rank < min(s.widths) and s.depth == 3).rank == 0
    assert simplest(testing.layer_shapes(), lambda s: max(s.widths[1:-1], default=9) < min(s.widths[0], s.widths[-1]))
    assert simplest(testing.layer_shapes(max_rank=0), lambda s: min(s.widths) > 2).rank == 0


@pytest.mark.parametrize(("widths", "rank"), [((2,), 0), ((0, 2), 0), ((2, 3), 3), ((2, 3), -1)])
def test_shapes_that_do_not_exist(widths: tuple[int, ...], rank: int) -> None:
    with pytest.raises(InvalidValueError):
        LayerShape(widths, rank)


# --- enclosures -------------------------------------------------------------------------------------------------------


@given(testing.enclosures(max_magnitude=3, max_radius=Fraction(1, 10)))
def test_enclosures_keep_their_bounds(value: Enclosure) -> None:
    assert abs(value.midpoint) <= 3 and 0 <= value.radius <= Fraction(1, 10)


def test_enclosures_cover_and_shrink() -> None:
    assert simplest(testing.enclosures()) == Enclosure(0)
    assert simplest(testing.enclosures(), lambda v: 0 < v.radius < Fraction(1, 10**20)).midpoint == 0


# --- conformance cells ------------------------------------------------------------------------------------------------


@pytest.mark.long
@settings(max_examples=15)
@given(testing.crossing_cells(max_blocks=1, max_block_size=1, max_localisation=3))
def test_targets_of_random_lines_by_another_integral(cell: ConformanceCell) -> None:
    """K = w^p with prior |w|^h on the box, or under e^{−γw²/2}: one integral by mpmath, at nβ = 50."""
    (posterior,) = [cell.posterior]
    ((_, (k,)),) = posterior.generators[0]
    h, gamma = posterior.prior_exponents[0], posterior.localisation
    end = 1 if not gamma else 12 / gamma**0.5

    def moment(power: int) -> mpmath.mpf:
        return mpmath.quad(
            lambda w: w ** (h + 2 * k * power) * mpmath.exp(-50 * w ** (2 * k) - gamma * w * w / 2),
            [end * 2.0**-i for i in range(12, 0, -1)] + [end],
        ) + mpmath.quad(lambda w: w ** (h + 2 * k * power) * mpmath.exp(-50 * w ** (2 * k)), [0, end * 2.0**-12])

    assert abs(float(50 * moment(1) / moment(0)) - float(cell.target(Fraction(50)))) < 1e-5


@settings(max_examples=10)
@given(testing.crossing_cells(max_blocks=2, max_block_size=1))
def test_random_cells_can_be_estimated(cell: ConformanceCell) -> None:
    found = quadrature(EstimationTask(cell.name, cell.posterior, 50, Fraction(1), 0, 10**6))
    # the grid is right to 1e-4 on two parameters at nβ = 50; rivals are 25% away
    assert found.value == pytest.approx(float(cell.target(Fraction(50))), rel=1e-3)


def test_cells_cover_and_shrink() -> None:
    assert simplest(testing.crossing_cells()).name == "w²"
    assert simplest(testing.crossing_cells(), lambda cell: cell.rlct == RLCT(Fraction(1, 4))).name == "w⁴"
    assert simplest(testing.crossing_cells(), lambda cell: len(cell.posterior.generators) == 2).name == "w² + w²"
    assert simplest(testing.crossing_cells(), lambda cell: any(cell.posterior.prior_exponents)).name == "w², prior [1]"
    assert (
        simplest(testing.crossing_cells(max_localisation=2), lambda c: c.posterior.localisation > 0).name == "w², γ = 1"
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: testing.known_germs(max_order=0),
        lambda: testing.known_germs(min_blocks=3, max_blocks=2),
        lambda: testing.layer_shapes(min_width=0),
        lambda: testing.layer_shapes(min_rank=9),
        lambda: testing.layer_shapes(min_rank=2, max_rank=1),
        lambda: testing.crossing_cells(max_blocks=0),
        lambda: testing.crossing_cells(max_localisation=-1),
        lambda: testing.enclosures(max_radius=0),
        lambda: testing.enclosures(max_magnitude=0),
    ],
)
def test_bounds_are_checked_when_the_strategy_is_made(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidValueError):
        call()
