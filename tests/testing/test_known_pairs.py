"""Germs with a known pair behind a disguise: the pair by a second route, and a disguise that keeps it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from random import Random

import pytest
import sympy
from hypothesis import Phase, find, given, settings
from seeded import sample

from ddtheory import testing
from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.matrix_products import deep_linear
from ddtheory.exact.thresholds.polyhedra.newton import monomial_rlct
from ddtheory.testing import HiddenGerm
from ddtheory.testing.known_pairs import FORMS, HIDINGS, hidden_germ
from ddtheory.values import RLCT


def straight(germ: HiddenGerm) -> list[sympy.Symbol]:
    return [sympy.Symbol(f"x{i}") for i in range(1, len(germ.coordinates) + 1)]


@settings(max_examples=40)
@given(testing.germs_with_known_pairs(max_variables=4, form="generators", hidden="none"))
def test_pairs_by_the_newton_polyhedron_and_by_the_closed_form(germ: HiddenGerm) -> None:
    """Monomial ideals by a linear programme; the one block that is none, by the closed form of matrix products."""
    symbols = straight(germ)
    polynomials = [sympy.Poly(generator, *symbols) for generator in germ.plain]
    if all(len(polynomial.monoms()) == 1 for polynomial in polynomials):
        assert germ.rlct == monomial_rlct([polynomial.monoms()[0] for polynomial in polynomials])
    else:
        assert germ.plain == (symbols[0] * symbols[1] + symbols[2] * symbols[3],)
        assert germ.rlct == deep_linear((1, 2, 1))


def comparable(divergence: sympy.Expr, germ: HiddenGerm) -> bool:
    """K against Σ g² in the straight coordinates, near 0: units and unimodular mixing change it by a bounded factor.

    Up to four generators, each with at most twice an earlier one added, change Σ g² by less than 100 either way;
    coefficients and units by less than 5. One more variable as a factor would be 10⁻⁶.
    """
    symbols = straight(germ)
    images = dict(zip(symbols, germ.coordinates, strict=True))
    moved = sum(f.xreplace(images) ** 2 for f in germ.plain)
    for place in itertools.product((1, -2, 3), repeat=len(symbols)):
        point = {symbol: sympy.Rational(entry, 2000) for symbol, entry in zip(symbols, place, strict=True)}
        height, expected = divergence.subs(point), moved.subs(point)
        if not expected / 500 <= height <= 500 * expected:
            return False
    return True


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hidden", HIDINGS)
def test_the_disguise_is_invertible_and_keeps_the_germ(form, hidden) -> None:
    @settings(max_examples=15)
    @given(testing.germs_with_known_pairs(max_variables=2, form=form, hidden=hidden))
    def holds(germ: HiddenGerm) -> None:
        symbols = straight(germ)
        jacobian = sympy.Matrix(germ.coordinates).jacobian(symbols).subs(dict.fromkeys(symbols, 0))
        assert jacobian.det() in ((1, -1) if hidden != "none" else (1,))
        assert (germ.divergence is None, germ.generators is None) == (form != "divergence", form != "generators")
        divergence = germ.divergence if form == "divergence" else sum(f**2 for f in germ.generators)
        assert comparable(divergence, germ)
        assert not comparable(divergence * symbols[0] ** 2, germ)  # the control

    holds()


def test_every_kind_of_germ_and_of_disguise_occurs() -> None:
    drawn = sample(testing.germs_with_known_pairs(min_variables=4, max_variables=4, form="generators"), 60)
    assert {germ.rlct.m for germ in drawn} >= {1, 2, 3}
    assert {len(germ.plain) for germ in drawn} >= {1, 2, 3, 4}
    assert sum(germ.coordinates != tuple(straight(germ)) for germ in drawn) > 40
    assert any(germ.plain[0].is_Add for germ in drawn)
    assert all(germ.generators is not None and sum(map(bool, germ.generators)) for germ in drawn)


@pytest.mark.parametrize(
    ("wanted", "divergence"),
    [
        (lambda germ: True, "x1**2"),
        (lambda germ: germ.rlct == RLCT(Fraction(1, 2), 2), "x1**2*x2**2"),
        (lambda germ: germ.rlct.lam == Fraction(1), "x1**2 + x2**2"),
    ],
)
def test_germs_shrink_to_simple_ones(wanted: Callable[[HiddenGerm], bool], divergence: str) -> None:
    quick = settings(database=None, deadline=None, max_examples=500, phases=[Phase.generate, Phase.shrink])
    found = find(testing.germs_with_known_pairs(), wanted, settings=quick, random=Random(0))
    assert found.divergence == sympy.sympify(divergence)


def test_the_same_seed_gives_the_same_germ() -> None:
    first, second = (hidden_germ(Random(7), 3, "divergence", "polynomial") for _ in range(2))
    assert first == second != hidden_germ(Random(8), 3, "divergence", "polynomial")


@pytest.mark.parametrize("bad", [{"form": "K"}, {"hidden": "well"}, {"max_variables": 0}, {"max_degree": 0}])
def test_bad_arguments(bad) -> None:
    with pytest.raises(InvalidValueError):
        testing.germs_with_known_pairs(**bad)
