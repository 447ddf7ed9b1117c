"""The strategies themselves: what they cover, what they shrink to, and that bounds are kept."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy
import pytest
import sympy
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from seeded import sample

from ddtheory import testing
from ddtheory.errors import InvalidValueError
from ddtheory.exact.orders.ray import kl_order
from ddtheory.testing import HiddenDivergence, InputLaw, KnownCell, Rotation
from ddtheory.testing.units import ACTIVATIONS
from ddtheory.values import RLCT, Interval, Kind

x, y, t = sympy.symbols("x y t", real=True)


def simplest(strategy: SearchStrategy[Any], condition: Callable[[Any], bool] = lambda drawn: True) -> Any:
    quick = settings(database=None, deadline=None, max_examples=200, phases=[Phase.generate, Phase.shrink])
    return find(strategy, condition, settings=quick)


# --- bounds -----------------------------------------------------------------------------------------------------------


@given(st.data(), st.integers(1, 6), st.integers(0, 4))
def test_orders_keep_their_bounds(data: st.DataObject, low: int, more: int) -> None:
    assert low <= data.draw(testing.orders(min_value=low, max_value=low + more)) <= low + more


@given(st.data(), st.integers(1, 9), st.integers(1, 3), st.fractions(min_value=1, max_value=9, max_denominator=5))
def test_rlcts_keep_their_bounds(data: st.DataObject, denominator: int, multiplicity: int, largest: Fraction) -> None:
    drawn = data.draw(
        testing.rlcts(max_value=largest, max_denominator=denominator, max_multiplicity=multiplicity), label="rlct"
    )
    assert isinstance(drawn, RLCT)
    assert 0 < drawn.lam <= largest and drawn.lam.denominator <= denominator and 1 <= drawn.m <= multiplicity


@given(st.data(), st.fractions(min_value=Fraction(1, 3), max_value=9, max_denominator=7), st.integers(3, 6))
def test_coefficients_keep_their_bounds(data: st.DataObject, largest: Fraction, denominator: int) -> None:
    drawn = data.draw(testing.coefficients(max_magnitude=largest, max_denominator=denominator))
    assert drawn != 0 and abs(drawn) <= largest and drawn.denominator <= denominator


@given(testing.intervals(max_magnitude=2, max_width=1))
def test_intervals_keep_their_bounds(drawn: Interval) -> None:
    assert abs(drawn.estimate) <= 2 and drawn.width <= 1 and drawn.contains(drawn.estimate)


@given(testing.directions(["a", "b", "c"], max_component=2, moving=["b"]))
def test_directions_keep_their_bounds(drawn: dict[str, int]) -> None:
    assert list(drawn) == ["a", "b", "c"] and drawn["b"] != 0
    assert all(isinstance(value, int) and abs(value) <= 2 for value in drawn.values())


@given(testing.directions(["a", "b"]))
def test_directions_are_never_zero(drawn: dict[str, int]) -> None:
    assert any(drawn.values())


@given(st.data(), st.integers(1, 4))
def test_rotations_are_orthogonal_exactly(data: st.DataObject, dimension: int) -> None:
    turn: Rotation = data.draw(testing.rotations(dimension))
    assert turn.dimension == dimension
    matrix = sympy.Matrix(
        dimension, dimension, [sympy.Rational(e.numerator, e.denominator) for r in turn.rows for e in r]
    )
    assert matrix * matrix.T == sympy.eye(dimension)
    assert matrix.det() == 1
    vector = list(range(1, dimension + 1))
    assert sum(e * e for e in turn.apply(vector)) == sum(e * e for e in vector)


def test_a_rotation_as_a_tensor() -> None:
    import torch

    turn = simplest(testing.rotations(3, min_planes=2), lambda q: not q.is_identity)
    matrix = turn.tensor()
    assert matrix.dtype is torch.float64
    assert torch.allclose(matrix @ matrix.T, torch.eye(3, dtype=torch.float64), atol=1e-15, rtol=0)


@given(testing.rotations(3, min_planes=1))
def test_a_rotation_that_must_turn(turn: Rotation) -> None:
    assert not turn.is_identity


@given(testing.input_laws(max_points=3, max_magnitude=2, max_denominator=3, max_weight=2))
def test_input_laws_keep_their_bounds(law: InputLaw) -> None:
    assert 1 <= len(law.points) <= 3 and len(set(law.points)) == len(law.points)
    assert all(point != 0 and abs(point) <= 2 and point.denominator <= 3 for point in law.points)
    assert sum(law.weights) == law.moment(0) == 1 and max(law.weights) <= 2 * min(law.weights)


@given(testing.mean_map_cells(min_order=2, max_order=3, min_live=1, max_live=2))
def test_mean_map_cells_keep_their_bounds(known: KnownCell) -> None:
    assert known.order in (2, 3) and len(known.cell.coordinates) - 1 in (1, 2)
    assert known.cell.problem().dimension == len(known.cell.coordinates)


@given(testing.dead_unit_cells(min_order=3, max_order=3))
def test_dead_unit_cells_keep_their_bounds(known: KnownCell) -> None:
    assert known.order == 3 and all(known.along.values())


@given(testing.hidden_divergences(min_order=2, max_order=3))
def test_hidden_divergences_keep_their_bounds(hidden: HiddenDivergence) -> None:
    assert 2 <= hidden.ray_order <= hidden.arc_order <= 3
    assert sympy.expand(hidden.divergence - sum(mean**2 for mean in hidden.means) / 2) == 0


# --- what is claimed of the objects is true, by another route than the exact side -------------------------------------


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda activation: activation.name)
def test_activations_have_their_order_and_both_faces(activation: testing.Activation) -> None:
    import torch

    p, c = activation.order, sympy.Rational(str(activation.leading))
    assert sympy.limit(activation.symbolic(t) / t**p, t, 0) == c
    points = torch.tensor([-1.3, -0.2, 0.4, 2.0], dtype=torch.float64)
    exact = [float(sympy.N(activation.symbolic(sympy.Rational(z)), 30)) for z in points.tolist()]
    assert activation.torch(points).tolist() == pytest.approx(exact, rel=1e-13)


@given(testing.hidden_divergences(rotated=True))
def test_hidden_orders_by_substitution(hidden: HiddenDivergence) -> None:
    """The ray by substitution, and the whole object against the exact side."""
    s = sympy.Symbol("s")
    ray = sympy.expand(
        hidden.divergence.subs(
            {x: s * sympy.Rational(str(hidden.along["x"])), y: s * sympy.Rational(str(hidden.along["y"]))}
        )
    )
    assert min(m[0] for m in sympy.Poly(ray, s).monoms()) == 2 * hidden.ray_order
    assert sum(value**2 for value in hidden.along.values()) == 1
    assert kl_order(hidden.divergence, hidden.along, arc=False).k == hidden.ray_order


# --- coverage ---------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_every_order_occurs() -> None:
    assert set(sample(testing.orders(), 100)) == {1, 2, 3, 4, 5}
    maps = sample(testing.mean_map_cells(), 150)
    assert {known.order for known in maps} == {1, 2, 3, 4, 5}
    assert {len(known.cell.coordinates) - 1 for known in maps} == {0, 1, 2}
    units = sample(testing.dead_unit_cells(), 100)
    assert {known.order for known in units} == {2, 3, 4}
    assert {known.cell.name for known in units} == {f"dead unit with {phi.name}" for phi in ACTIVATIONS}
    hidden = sample(testing.hidden_divergences(), 150)
    assert {h.arc_order for h in hidden} == {1, 2, 3, 4}
    assert {(h.ray_order, h.arc_order) for h in hidden} >= {(1, 1), (2, 2), (2, 3), (2, 4), (3, 4)}


@pytest.mark.long
def test_everything_else_occurs() -> None:
    pairs = sample(testing.rlcts(), 200)
    assert {pair.m for pair in pairs} == {1, 2, 3, 4}
    assert min(pair.lam for pair in pairs) < Fraction(1, 2) < max(pair.lam for pair in pairs)
    assert {value > 0 for value in sample(testing.coefficients(), 50)} == {True, False}
    assert {len(law.points) for law in sample(testing.input_laws(), 150)} == {1, 2, 3, 4}
    assert {turn.is_identity for turn in sample(testing.rotations(2), 50)} == {True, False}
    flat = sample(testing.dead_unit_cells(flat=True), 30)
    assert {tuple(known.along.values()) for known in flat} == {(1, 0), (0, 1)}
    assert all(known.order is None for known in flat)


# --- shrinking --------------------------------------------------------------------------------------------------------


def test_values_shrink_to_the_regular_model() -> None:
    assert simplest(testing.orders()) == 1
    assert simplest(testing.orders(), lambda k: k >= 3) == 3
    assert simplest(testing.rlcts()) == RLCT(Fraction(1, 2), 1)
    assert simplest(testing.rlcts(max_denominator=1)) == RLCT(Fraction(1), 1)
    assert simplest(testing.rlcts(), lambda pair: pair.m >= 2) == RLCT(Fraction(1, 2), 2)
    assert simplest(testing.coefficients()) == 1
    assert simplest(testing.coefficients(max_magnitude=Fraction(2, 3), max_denominator=3)) == Fraction(2, 3)
    assert simplest(testing.intervals()) == Interval(0.0, 0.0, 0.0)
    assert simplest(testing.input_laws()) == InputLaw((Fraction(1),), (Fraction(1),))
    assert simplest(testing.directions(["a", "b"])) == {"a": 1, "b": 0}
    assert simplest(testing.directions(["a", "b"]), lambda u: u["b"] < 0) in ({"a": 0, "b": -1}, {"a": 1, "b": -1})
    assert simplest(testing.rotations(3)).is_identity
    assert simplest(testing.activations()).name == "linear"
    assert simplest(testing.activations(min_order=3)).name == "cube"


def test_models_shrink_to_one_coordinate_and_coefficient_one() -> None:
    first: KnownCell = simplest(testing.mean_map_cells())
    assert (first.cell.divergence, first.order, first.leading) == (t**2 / 2, 1, Fraction(1, 2))
    dead: KnownCell = simplest(testing.mean_map_cells(), lambda known: known.order >= 2)
    assert (dead.cell.divergence, dead.cell.kl_order("t").kind) == (t**4 / 2, Kind.DEAD)
    live: KnownCell = simplest(testing.mean_map_cells(), lambda known: len(known.cell.coordinates) == 2)
    v1 = sympy.Symbol("v1", real=True)
    assert sympy.expand(live.cell.divergence - (t**2 + v1**2) / 2) == 0
    unit: KnownCell = simplest(testing.dead_unit_cells())
    a, b = sympy.symbols("a b", real=True)
    assert unit.cell.divergence == a**2 * b**2 / 2
    hidden: HiddenDivergence = simplest(testing.hidden_divergences())
    assert sympy.expand(hidden.divergence - (x**2 + y**2) / 2) == 0


# --- bad bounds -------------------------------------------------------------------------------------------------------

BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: testing.orders(min_value=0), "min_value = 0 must be a whole number, at least 1"),
    (lambda: testing.orders(min_value=3, max_value=2), "min_value = 3 is larger than max_value = 2"),
    (lambda: testing.orders(max_value=2.5), "max_value = 2.5 must be a whole number"),
    (lambda: testing.orders(max_value=True), "max_value = True must be a whole number"),
    (lambda: testing.orders(max_value=math.nan), "max_value = nan must be a whole number"),
    (lambda: testing.rlcts(max_denominator=0), "max_denominator = 0"),
    (lambda: testing.rlcts(max_multiplicity="2"), "max_multiplicity = '2'"),
    (lambda: testing.rlcts(max_value=0), "max_value = 0 must be a positive int or Fraction"),
    (lambda: testing.rlcts(max_value=0.5), "max_value = 0.5 must be a positive int or Fraction"),
    (lambda: testing.rlcts(max_value=Fraction(1, 5), max_denominator=4), "No fraction with denominator up to 4"),
    (lambda: testing.coefficients(max_magnitude=-1), "max_magnitude = -1"),
    (lambda: testing.coefficients(max_magnitude=Fraction(1, 9)), "No fraction with denominator up to 4"),
    (lambda: testing.intervals(max_width=-1), "max_width = -1"),
    (lambda: testing.intervals(max_magnitude=0), "max_magnitude = 0"),
    (lambda: testing.directions([]), "at least one"),
    (lambda: testing.directions("ab"), "give a list"),
    (lambda: testing.directions(["a", "a"]), "distinct names"),
    (lambda: testing.directions(["a"], moving=["b"]), "a list of the coordinates"),
    (lambda: testing.directions(["a"], max_component=0), "max_component = 0"),
    (lambda: testing.rotations(0), "dimension = 0"),
    (lambda: testing.rotations(2, min_planes=2), "min_planes = 2 must be a whole number, from 0 to 1"),
    (lambda: testing.rotations(3, min_planes=2, max_planes=1), "max_planes = 1 must be a whole number, from 2 to 3"),
    (lambda: testing.rotations(2, max_denominator=0), "max_denominator = 0"),
    (lambda: testing.input_laws(max_points=0), "max_points = 0"),
    (lambda: testing.input_laws(max_weight=0), "max_weight = 0"),
    (lambda: testing.input_laws(max_magnitude=Fraction(1, 9)), "No fraction"),
    (lambda: InputLaw((Fraction(1),), (Fraction(1, 2),)), "no probabilities"),
    (lambda: InputLaw((), ()), "at least one"),
    (lambda: testing.activations(max_order=4), "from 1 to 3"),
    (lambda: testing.mean_map_cells(min_order=0), "min_order = 0"),
    (lambda: testing.mean_map_cells(min_order=4, max_order=3), "larger than max_order = 3"),
    (lambda: testing.mean_map_cells(min_live=2, max_live=1), "larger than max_live = 1"),
    (lambda: testing.mean_map_cells(max_terms=-1), "max_terms = -1"),
    (lambda: testing.mean_map_cells(max_coefficient=0), "max_coefficient = 0"),
    (lambda: testing.dead_unit_cells(min_order=1), "from 2 to 4"),
    (lambda: testing.dead_unit_cells(laws=3), "must be a strategy"),
    (lambda: testing.hidden_divergences(min_order=0), "min_order = 0"),
    (lambda: testing.hidden_divergences(max_terms=-1), "max_terms = -1"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_bounds_are_refused_when_the_strategy_is_made(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        make()
    assert message in str(caught.value)


two, four = numpy.int64(2), numpy.int32(4)

OF_NUMPY: list[tuple[SearchStrategy[Any], SearchStrategy[Any]]] = [
    (testing.orders(min_value=two, max_value=four), testing.orders(min_value=2, max_value=4)),
    (testing.coefficients(max_magnitude=four), testing.coefficients(max_magnitude=4)),
    (testing.rlcts(max_value=two, max_multiplicity=two), testing.rlcts(max_value=2, max_multiplicity=2)),
    (testing.intervals(max_width=two), testing.intervals(max_width=2)),
    (testing.enclosures(max_magnitude=two, max_radius=two), testing.enclosures(max_magnitude=2, max_radius=2)),
    (testing.directions(["a", "b"], max_component=two), testing.directions(["a", "b"], max_component=2)),
    (testing.rotations(two, min_planes=numpy.int8(1)), testing.rotations(2, min_planes=1)),
    (testing.input_laws(max_points=two, max_magnitude=four), testing.input_laws(max_points=2, max_magnitude=4)),
    (testing.layer_shapes(min_depth=two, max_rank=two), testing.layer_shapes(min_depth=2, max_rank=2)),
    (testing.activations(min_order=two), testing.activations(min_order=2)),
    (testing.known_germs(min_blocks=two, max_order=two), testing.known_germs(min_blocks=2, max_order=2)),
    (testing.germs_with_known_pairs(max_variables=two), testing.germs_with_known_pairs(max_variables=2)),
    (testing.crossing_cells(max_localisation=two), testing.crossing_cells(max_localisation=2)),
    (testing.hidden_divergences(min_order=two), testing.hidden_divergences(min_order=2)),
    (testing.mean_map_cells(min_order=two, max_live=two), testing.mean_map_cells(min_order=2, max_live=2)),
    (testing.dead_unit_cells(min_order=two), testing.dead_unit_cells(min_order=2)),
]


@pytest.mark.parametrize("pair", OF_NUMPY, ids=[str(plain)[:40] for _, plain in OF_NUMPY])
def test_bounds_of_numpy_are_whole_numbers(pair: tuple[SearchStrategy[Any], SearchStrategy[Any]]) -> None:
    """The same strategy to the letter: its text holds every bound, and the simplest value is the same."""
    given_numpy, plain = pair
    assert repr(given_numpy) == repr(plain)
    texts = [re.sub(r" at 0x\w+", "", repr(simplest(strategy))) for strategy in pair]
    assert texts[0] == texts[1] and "numpy" not in texts[0] and "int64" not in texts[0]


def test_a_shape_of_numpy_integers_is_one_of_python() -> None:
    """A product of 64 bits would wrap around: 2³² · 2³² is 0 there."""
    wide = testing.LayerShape((numpy.int64(2**32), numpy.int64(2**32)), numpy.int64(1))
    assert wide == testing.LayerShape((2**32, 2**32), 1) and wide.dimension == 2**64
    for widths, rank in (((2.0, 2), 1), ((True, 2), 1), ((2, 2), 0.5), ((2, 2), True)):
        with pytest.raises(InvalidValueError):
            testing.LayerShape(widths, rank)
