"""Which typed intersection applies: germs whose structure is plain, and the same germs where it is hidden."""

from __future__ import annotations

from fractions import Fraction

import pytest

import ddtheory.exact.thresholds.intersection_type as types
from ddtheory.errors import NotADivergenceError
from ddtheory.exact.thresholds.intersection_type import Intersection, intersection_type
from ddtheory.exact.thresholds.rules.table import RULES

# K, the intersection, regular coordinates split off before it
DIVERGENCES = [
    ("x^2 + y^2 + z^2", Intersection.REGULAR, 3),
    ("x^2*y^4", Intersection.CROSSING, 0),
    ("x^4 + y^6", Intersection.SEPARABLE, 0),
    ("z^2 + x^2*y^2", Intersection.CROSSING, 1),
    ("(x - y)^2*(x + y)^4", Intersection.CROSSING, 0),  # hidden by a rotation
    ("(z + x*y)^2 + x^2*(y + x^2)^2", Intersection.CROSSING, 1),  # hidden by a polynomial change
    ("(x*y*(x - y))^2", Intersection.ARRANGEMENT, 0),
    ("x^2*(x^2 + y^4)", Intersection.OVERLAPPING, 0),  # the blocks share x
    # λ = 1/4, 2/3, 1/2, 3/4 and 1/8: no d/2
    ("x^4", Intersection.POWER, 0),
    ("(x - y^2)^2 + y^6", Intersection.POWER, 1),
    ("(x^2 + y^2)^2", Intersection.POWER, 0),
    ("(x + y)^4 + z^2", Intersection.POWER, 1),
    ("x^8*(1 + x)", Intersection.POWER, 0),
    ("x^2 + x*y + y^2 + z^2 + z^3", Intersection.REGULAR, 3),  # a sum of which nothing is left
    ("x^2 + x^3 + y^4 + y^5", Intersection.POWER, 1),
    ("(x - y)^2", Intersection.LIVE_BLOCK, 1),  # K = 0 on the line x = y
    ("(x + y^2)^2*(1 + z)", Intersection.LIVE_BLOCK, 1),
]


@pytest.mark.parametrize(("given", "kind", "live"), DIVERGENCES)
def test_divergences(given: str, kind: Intersection, live: int) -> None:
    found = intersection_type(given)
    assert (found.kind, found.live) == (kind, live)
    assert found.derivation.rlct is not None and found.reason in found.derivation.explain()


@pytest.mark.parametrize(
    ("generators", "kind"),
    [
        (["a*e + b*g", "a*f + b*h", "c*e + d*g", "c*f + d*h"], Intersection.DETERMINANTAL),
        (["a*d - b*c"], Intersection.DETERMINANTAL),
        (["x^2", "y*z"], Intersection.SEPARABLE),
        (["x*y", "y*z", "z*x"], Intersection.OVERLAPPING),
    ],
)
def test_generators(generators: list[str], kind: Intersection) -> None:
    assert intersection_type(generators=generators).kind is kind


@pytest.mark.parametrize(("given", "kind", "live"), DIVERGENCES)
def test_only_a_regular_point_has_half_the_dimension(given: str, kind: Intersection, live: int) -> None:
    """λ ≤ d/2 with equality exactly at a point where the Hessian of K is not degenerate."""
    derivation = intersection_type(given).derivation
    assert derivation.rlct is not None
    half = Fraction(derivation.root.germ.dimension, 2)
    assert (derivation.rlct.lam == half) == (kind is Intersection.REGULAR)
    assert (live == derivation.root.germ.dimension) == (kind is Intersection.REGULAR)


def test_a_weight_at_a_definite_point_is_no_live_coordinate() -> None:
    """λ = (1 + 1)/2 + (1 + 1)/2: a sum over the coordinates, and twice d/2."""
    found = intersection_type("x^2 + x*y + y^2", prior={"x": 1, "y": 1})
    assert (found.kind, found.live) == (Intersection.SEPARABLE, 0)
    assert found.derivation.rlct is not None and found.derivation.rlct.lam == 2


def test_every_rule_has_a_type_or_is_looked_through() -> None:
    """A rule that is in neither place would make a germ regular."""
    names = {rule.name for rule in RULES}
    placed = {*types._TYPES, *types._LIVE_AT, *types._LOOKED_THROUGH}
    assert names - placed == set(), "say in intersection_type.py which typed intersection these rules show"
    assert placed - names == set(), "intersection_type.py names rules that are no longer in rules/table.py"
    assert len(placed) == len(types._TYPES) + len(types._LIVE_AT) + len(types._LOOKED_THROUGH)
    assert set(types._SCALES) <= types._LOOKED_THROUGH


def test_a_crossing_is_not_taken_for_a_sum() -> None:
    """The control: x²y² and x² + y² have the same variables and orders along the axes, and different types."""
    assert intersection_type("x^2*y^2").kind is not intersection_type("x^4 + y^4").kind
    with pytest.raises(NotADivergenceError):
        intersection_type("x^2 - y^4")
