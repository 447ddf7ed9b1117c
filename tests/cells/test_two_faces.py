"""Each cell has a symbolic face and a torch face, built apart. These tests tie them together."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import sympy
import torch
from catalogue_points import with_divergence
from hypothesis import given
from hypothesis import strategies as st

from ddtheory import cells
from ddtheory.cells import Cell
from ddtheory.measure import Problem, fisher_along, order
from ddtheory.testing import KnownCell, dead_unit_cells, input_laws, mean_map_cells
from ddtheory.values import Kind, KLOrder, ReadingStatus

s, w = sympy.symbols("s w", real=True)

CELLS = [
    *(cells.gaussian_location(k, variance) for k in (1, 2, 3, 5) for variance in (1, sympy.Rational(1, 3))),
    *(cells.exponential_curve(family, k) for family in ("bernoulli", "poisson", "gaussian") for k in (1, 2, 3)),
    *(cells.node_death(name) for name in ("linear", "tanh", "silu", "gelu", "square", "cube")),
    cells.mean_map([s**2 + w, s**3], name="mean (s² + w, s³)"),
    cells.mean_map([sympy.tanh(s * w) + w**2, sympy.sin(s) - s], 3, name="mean (tanh sw + w², sin s − s)"),
]

# The amplitudes √K are sums of a few terms of size at most 1, each rounded a few times: an error of a few ε ~ 2e-16 in
# √K, which 1e-14 bounds generously, moves K by 2√K · 1e-14. The logarithms and exponentials of the other heads keep a
# relative accuracy of a few ε.
AMPLITUDE = 1e-14
RELATIVE = 1e-12


def same(exact: float, measured: float) -> bool:
    return abs(measured - exact) <= RELATIVE * exact + 2 * AMPLITUDE * math.sqrt(exact) + AMPLITUDE**2


def symbolic(cell: Cell, point: Mapping[str, float]) -> float:
    """K in 50 digits at the binary values of the point."""
    exact = {symbol: sympy.Rational(point[symbol.name]) for symbol in cell.coordinates}
    return float(sympy.N(cell.divergence.subs(exact, simultaneous=True), 50))


def from_torch(cell: Cell, point: Mapping[str, float]) -> float:
    problem: Problem = cell.problem()
    moved = {
        parameter: torch.full_like(problem.truth[parameter], point[symbol.name])
        for symbol, parameter in cell.coordinates.items()
    }
    total, samples = 0.0, 0
    for inputs, weights in problem.batches():
        divergence = problem.head.divergence(problem.truth_outputs(inputs), problem.outputs(moved, inputs))
        total += float((weights * divergence).sum())
        samples += inputs.shape[0]
    return total / problem.total(samples)


def a_point(cell: Cell, seed: int) -> dict[str, float]:
    """Coordinates between 0.02 and 0.7, of either sign: there K is far from its own rounding, or zero exactly."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.rand(len(cell.coordinates), generator=generator, dtype=torch.float64)
    sign = torch.randint(0, 2, (len(cell.coordinates),), generator=generator) * 2 - 1
    values = (0.02 + 0.68 * size) * sign
    return {symbol.name: float(value) for symbol, value in zip(cell.coordinates, values, strict=True)}


def test_every_family_is_registered() -> None:
    """A function of the package that returns a cell stands in the catalogue, except the one that takes expressions."""
    makers = {
        name
        for name, member in inspect.getmembers(cells, inspect.isfunction)
        if member.__annotations__.get("return") == "Cell"
    }
    assert makers == {*cells.families(), "mean_map", "find", "find_text"}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_the_divergence_of_the_two_faces(cell: Cell) -> None:
    for seed in range(3):
        point = a_point(cell, seed)
        exact = symbolic(cell, point)
        assert exact > 0
        assert same(exact, from_torch(cell, point)), (point, exact)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_control_a_symbolic_face_that_is_slightly_off_is_noticed(cell: Cell) -> None:
    """A relative change of 1e-9, an extra term of high order, a factor 2 and a wrong sign of the coordinates."""
    first = next(iter(cell.coordinates))
    millionth = sympy.Rational(1, 10**6)
    off = [
        cell.divergence * (1 + sympy.Rational(1, 10**9)),
        cell.divergence + millionth * sum(symbol for symbol in cell.coordinates) ** 8,
        2 * cell.divergence,
        cell.divergence.subs(first, first * (1 + millionth)),
    ]
    point = a_point(cell, 0)
    measured = from_torch(cell, point)
    assert same(symbolic(cell, point), measured)
    for divergence in off:
        assert not same(symbolic(with_divergence(cell, divergence), point), measured), divergence


@given(st.one_of(mean_map_cells(), dead_unit_cells(laws=input_laws())), st.integers(0, 2**32 - 1))
def test_cells_that_are_drawn(known: KnownCell, seed: int) -> None:
    point = a_point(known.cell, seed)
    exact, measured = symbolic(known.cell, point), from_torch(known.cell, point)
    # coefficients up to 3, up to three terms of each, over a variance of at least 1/4: amplitudes up to 60
    assert abs(measured - exact) <= RELATIVE * exact + 60 * (2 * AMPLITUDE * math.sqrt(exact) + AMPLITUDE**2)


@cache
def derived(cell_name: str, direction: str) -> KLOrder:
    return next(cell for cell in CELLS if cell.name == cell_name).kl_order(direction)


NAMED = [(cell, name) for cell in CELLS for name in cell.directions]


@pytest.mark.parametrize(("cell", "name"), NAMED, ids=[f"{cell.name} along {name}" for cell, name in NAMED])
def test_named_directions_have_the_orders_that_are_derived(cell: Cell, name: str) -> None:
    exact = derived(cell.name, name)
    reading = order(fisher_along(cell.problem(), cell.torch_direction(name)))
    wanted = ReadingStatus.FLAT if exact.kind is Kind.FLAT else ReadingStatus.ORDER
    assert (reading.status, reading.k, reading.kind) == (wanted, exact.k, exact.kind)


def test_orders_known_by_hand() -> None:
    assert [cells.gaussian_location(k).kl_order("t").k for k in range(1, 6)] == [1, 2, 3, 4, 5]
    joint = {name: derived(f"node_death(activation={name!r})", "joint").k for name in ("tanh", "square", "cube")}
    assert joint == {"tanh": 2, "square": 3, "cube": 4}
    assert [derived("node_death(activation='tanh')", axis).kind for axis in ("outer", "inner")] == [Kind.FLAT] * 2
    assert cells.exponential_curve("poisson", 3).kl_order("t").leading == sympy.Rational(1, 2)
    assert cells.exponential_curve("bernoulli", 3).kl_order("t").leading == sympy.Rational(1, 8)


def test_the_mixture_against_quadrature_by_sympy_free_numpy() -> None:
    """The one torch face without a symbolic twin: K at one point against an integral on another grid."""
    import numpy

    weight, location = 0.1, 1.3
    grid = numpy.linspace(-12, 14, 200_001)

    def normal(mean: float) -> Any:
        return numpy.exp(-((grid - mean) ** 2) / 2) / math.sqrt(2 * math.pi)

    q = normal(0.0)
    p = weight * normal(location) + (1 - weight) * q
    exact = float(numpy.trapezoid(q * (numpy.log(q) - numpy.log(p)), grid))
    problem = cells.mixture_problem(0.0, location)
    inputs, weights = next(problem.batches())
    moved = {"w": torch.tensor([weight], dtype=torch.float64)}
    found = float(
        (weights * problem.head.divergence(problem.truth_outputs(inputs), problem.outputs(moved, inputs))).sum()
    )
    assert found == pytest.approx(exact, rel=1e-9)
    assert exact > 1e-4  # the comparison is not about nothing
