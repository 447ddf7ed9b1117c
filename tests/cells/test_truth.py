"""(λ, m) of the catalogue: routes that share nothing agree, published tables hold, and wrong rivals are refused."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from catalogue_points import measured
from cell_recipes import CATALOGUE, Recipe, later
from published import PUBLISHED, pair

from ddtheory import cells
from ddtheory.cells import Cell, Route, Side, Status
from ddtheory.cells.hidden_layer import derivative_orders, shelves, vandermonde
from ddtheory.cells.shared.routes import hidden_exponents, product_exponents
from ddtheory.cells.shared.truth import establish
from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.thresholds import matrix_products
from ddtheory.exact.thresholds.polyhedra.newton import monomial_rlct
from ddtheory.values import RLCT, Enclosure


def named(recipe: Recipe) -> str:
    return recipe.name


OPEN = {
    "nonnegative_factorisation(rows=3, columns=3, inner=2, true_inner=1)",
    "superposition_polygon(corners=4)",
}


@pytest.mark.parametrize("cell", CATALOGUE, ids=named)
def test_every_value_rests_on_two_routes_or_on_bounds_that_meet(cell: Cell) -> None:
    for truth in (cell.truth, cell.global_truth):
        assert truth.status is (Status.BOUNDS if cell.name in OPEN else Status.EXACT)
        assert truth.lower is not None and truth.upper is not None and truth.lower <= truth.upper
        if truth.rlct:
            assert len(truth.agreeing) >= 2


@pytest.mark.parametrize("cell", CATALOGUE, ids=named)
def test_control_a_route_with_a_rival_value_is_refused(cell: Cell) -> None:
    """Another half, a quarter, and another multiplicity in place of what the last route finds."""
    rlct = cell.rlct
    if rlct is None:
        return
    for rival in (RLCT(rlct.lam + Fraction(1, 2), 1), RLCT(rlct.lam + Fraction(1, 4), 1), RLCT(rlct.lam, rlct.m + 1)):
        wrong = Route("rival", "a wrong value", lambda rival=rival: rival)  # type: ignore[misc]
        with pytest.raises(UndecidedError, match="contradict"):
            establish(cell.name, (*cell.routes, wrong))


@pytest.mark.parametrize(("cell", "value"), PUBLISHED, ids=lambda value: getattr(value, "name", str(value)))
def test_published_tables(cell: Cell, value: RLCT) -> None:
    assert cell.rlct == value


GLOBAL = [
    # (5/2, 1) over the closed domain: Lin 2011; (n + 1)/2: Rusakov and Geiger 2005;
    # 23/2, m = 2: Aoyagi and Watanabe 2005
    (later(cells.contingency_table, rows=3, columns=3), pair("3", 2), pair("5/2", 1)),
    (later(cells.contingency_table, rows=2, columns=2), pair("3/2", 2), pair("3/2", 3)),
    (later(cells.naive_bayes, features=3), pair("9/4", 1), pair("2", 1)),
    (later(cells.naive_bayes, features=2), pair("3/2", 2), pair("3/2", 3)),
    (
        later(cells.reduced_rank, inputs=5, hidden=5, outputs=5, rank=2, rank_first=2, rank_second=5),
        pair("25/2", 1),
        pair("23/2", 2),
    ),
    (later(cells.reduced_rank, rank=1, rank_first=2, rank_second=1), pair("2", 1), pair("2", 2)),
]


@pytest.mark.parametrize(("cell", "local", "overall"), GLOBAL, ids=lambda value: getattr(value, "name", str(value)))
def test_the_pair_at_the_point_is_not_the_global_one(cell: Cell, local: RLCT, overall: RLCT) -> None:
    assert (cell.rlct, cell.global_truth.rlct) == (local, overall)
    assert overall < local  # the global pair dominates


@pytest.mark.parametrize("cell", CATALOGUE, ids=named)
def test_the_global_pair_is_never_larger_than_the_local_one(cell: Cell) -> None:
    if cell.rlct and cell.global_truth.rlct:
        assert cell.global_truth.rlct <= cell.rlct


def test_the_anchor_has_fourteen_cells() -> None:
    found = [cell for cell in cells.catalogue() if cell.family == "reduced_rank" and cell.arguments["inputs"] == 10]
    assert len(found) == 14
    assert {(cell.arguments["hidden"], cell.arguments["rank"]) for cell in found} == {
        (hidden, rank) for hidden in (2, 3, 4, 5) for rank in range(1, hidden + 1)
    }


class TestRoutes:
    """The Newton programmes in resolved coordinates against closed forms, far beyond the catalogue."""

    def test_products_of_two_factors(self) -> None:
        for rows in range(1, 5):
            for hidden in range(1, 5):
                for columns in range(1, 5):
                    found = monomial_rlct(*product_exponents(rows, hidden, columns))
                    assert found == matrix_products.reduced_rank(columns, hidden, rows), (rows, hidden, columns)

    @pytest.mark.parametrize("gap", [1, 2, 3])
    def test_vandermonde(self, gap: int) -> None:
        for hidden in range(1, 6):
            for outputs in (1, 2, 3):
                orders = tuple(1 + gap * s for s in range(hidden))
                found = monomial_rlct(*hidden_exponents(orders, hidden, outputs))
                assert found == vandermonde(hidden, outputs, gap) == shelves(orders, hidden, outputs)

    @pytest.mark.parametrize("orders", [(1, 2, 4, 6, 8), (1, 2, 3, 4, 5), (2, 3, 5, 7, 8), (1, 4, 5, 9, 11)])
    def test_shelves_of_any_orders(self, orders: tuple[int, ...]) -> None:
        for hidden in range(1, 6):
            for outputs in (1, 2, 3):
                assert monomial_rlct(*hidden_exponents(orders, hidden, outputs)) == shelves(orders, hidden, outputs)

    def test_control_the_orders_of_another_activation_give_another_pair(self) -> None:
        odd, gelu = derivative_orders("tanh", 2), derivative_orders("gelu", 2)
        assert monomial_rlct(*hidden_exponents(odd, 2, 1)) != shelves(gelu, 2, 1)

    def test_control_a_forgotten_measure_is_noticed(self) -> None:
        exponents, prior = product_exponents(2, 2, 2)
        assert monomial_rlct(exponents, [0] * len(prior)) != matrix_products.reduced_rank(2, 2, 2)


class TestEstablish:
    def test_status(self) -> None:
        half = pair("1/2", 1)
        exact, lower, upper = (
            Route(side.name, "", lambda: half, side) for side in (Side.EXACT, Side.LOWER, Side.UPPER)
        )
        nothing = Route("too large", "", lambda: None)
        assert establish("x", (exact, exact)).status is Status.EXACT
        assert establish("x", (lower, upper)).status is Status.EXACT
        assert establish("x", (exact, nothing)).status is Status.FORMULA
        assert establish("x", (exact, upper)).status is Status.FORMULA  # a bound from one side proves no value
        assert establish("x", (lower,)).status is Status.BOUNDS
        assert establish("x", (lower,)).rlct is None
        assert establish("x", ()).status is Status.BOUNDS

    def test_bounds_that_cross_are_refused(self) -> None:
        low = Route("low", "", lambda: pair("1", 1), Side.LOWER)
        high = Route("high", "", lambda: pair("3/4", 1), Side.UPPER)
        with pytest.raises(UndecidedError, match="One of them is wrong"):
            establish("x", (low, high))


class TestMeasuredVolume:
    """Sublevel volumes by seeded sampling, where the argument for a value is our own."""

    @staticmethod
    def shares(values: torch.Tensor, levels: tuple[float, ...]) -> list[float]:
        return [float((values < level).double().mean()) for level in levels]

    @pytest.mark.long
    def test_orthogonal_rows_have_a_logarithm(self) -> None:
        """On the unit sphere of three rows in the plane P(K < δ) ~ δ^{3/2} log(1/δ): m = 2 there, m = 3 at 0.

        P/δ^{3/2} must grow by the ratio of a + log(1/δ); with m = 1 it is constant, and with four rows it tends to 0.
        """
        generator = torch.Generator().manual_seed(11)
        levels = (0.04, 0.01, 0.0025)

        def growth(rows: int, power: float) -> list[float]:
            points = torch.randn(4_000_000, rows, 2, generator=generator)
            points /= points.square().sum(dim=(1, 2), keepdim=True).sqrt()
            products = points @ points.mT
            off = products.square().sum(dim=(1, 2)) - products.diagonal(dim1=1, dim2=2).square().sum(dim=1)
            return [share / level**power for share, level in zip(self.shares(off / 2, levels), levels, strict=True)]

        first, second, third = growth(3, 1.5)
        # standard errors are below 1 % (more than 1e4 points under the smallest level)
        assert second > 1.1 * first and third > 1.1 * second
        four = growth(4, 2.0)
        assert four[2] < 0.9 * four[1] < 0.9 * four[0]

    def test_superposition_falls_like_three_quarters(self) -> None:
        """V(ε) of the torch model on the box; the regular rival 1 and the dead rival 1/2 lie outside."""
        generator = torch.Generator().manual_seed(12)
        u, v = (2 * torch.rand(2, 4_000_000, generator=generator, dtype=torch.float64) - 1) / 2
        kept, cross = (1 + u).square() - 1, torch.relu((1 + u) * v)
        values = (kept.square() + 2 * cross.square() + v**4) / 4
        high, low = self.shares(values, (1e-4, 1e-6))
        # the positive half adds ε to ε^{3/4}: 2 % of the slope at these levels, and 1 % is noise
        assert abs(math.log(high / low) / math.log(100) - 0.75) < 0.06


# The general machine is a third opinion; it takes seconds where generators are many, so these run as slow tests.
# Generators with irrational coefficients are not for it.
def asked(cell: Cell) -> bool:
    return len(cell.coordinates) <= 14 and bool(cell.generators) and not cell.family.startswith("superposition")


def settled(cell: Cell) -> bool:
    return asked(cell) and (len(cell.coordinates) <= 4 or cell.family in ("latent_forest", "contingency_table"))


@pytest.mark.long
def test_most_cells_are_asked() -> None:
    assert sum(map(asked, cells.catalogue())) >= 127
    assert sum(map(settled, cells.catalogue())) >= 83


def agrees(cell: Cell, seconds: float) -> bool:
    """Whether the general machine settles the pair; wrong or crossing bounds fail at once."""
    found = cell.derivation(seconds)
    if found.rlct is None:
        value = cell.rlct or cell.truth.upper
        assert value is not None
        assert found.lower.value <= value.lam and (cell.rlct is None or value.lam <= found.upper.value)
        return False
    assert cell.rlct is None or found.rlct == cell.rlct
    return True


@pytest.mark.parametrize("cell", CATALOGUE, ids=named)
def test_the_general_machine_agrees(cell: Cell) -> None:
    assert not settled(cell) or agrees(cell, 20)


@pytest.mark.slow
@pytest.mark.parametrize("cell", CATALOGUE, ids=named)
def test_the_general_machine_agrees_or_bounds(cell: Cell) -> None:
    if asked(cell) and not settled(cell):
        agrees(cell, 10)


def test_control_the_general_machine_tells_real_factors_from_nonnegative_ones() -> None:
    cell = cells.nonnegative_factorisation(rows=1, columns=1, inner=2)
    entries = cells.reduced_rank(inputs=1, hidden=2, outputs=1)
    assert cell.derivation().rlct == cell.rlct == pair("1", 3)
    assert entries.derivation().rlct == entries.rlct == pair("1/2", 1)


class TestFiniteN:
    def test_a_crossing_at_the_values_of_a_quadrature(self) -> None:
        """K = (xy)² at nβ = n/log n: 0.3559 and 0.3883 for n = 1e3 and 1e4, by an independent Gauss quadrature."""
        cell = cells.normal_crossing(exponents=(1, 1))
        for n, value in ((1e3, 0.3559), (1e4, 0.3883)):
            # the cell has half of that K, so it is met at twice the nβ
            found = cell.finite_n(Fraction(round(2e6 * n / math.log(n)), 10**6))
            assert float(found) == pytest.approx(value, abs=5e-5)
            assert abs(float(found) - 0.5) > 0.1  # and it is not λ

    @pytest.mark.long
    def test_superposition_against_a_grid(self) -> None:
        """λ(t) from the torch face on a grid of midpoints, kink included; the analytic half alone is excluded."""
        cell, t, steps = cells.superposition(), 30, 60
        line = [-1 + (2 * i + 1) / steps for i in range(steps)]
        weights = [(k, math.exp(-t * k)) for u in line for v in line for k in [measured(cell, {"w11": u, "w12": v})]]
        grid = t * sum(k * w for k, w in weights) / sum(w for _, w in weights)
        found = cell.finite_n(t, digits=4)
        assert float(found) == pytest.approx(grid, rel=2e-3)  # midpoints err by h²/24 · K'' t ~ 1e-3
        from ddtheory.exact.finite_n.germs import finite_n_germ

        alone = finite_n_germ(cell.divergence, t, digits=4).learning_coefficient
        assert abs(float(alone) - grid) > 0.02

    def test_isolated_points_add(self) -> None:
        both, one, other = (cells.isolated(orders=k).finite_n(50, digits=10) for k in ((1, 2), (1,), (2,)))
        assert both.overlaps(one + other)


class TestFluctuation:
    VALUES = (
        # ν(1 … 3) of one line; a crossing of two lines has the ν of its λ = 1/2; x y² of λ = 1/4, two-sided
        (later(cells.isolated, orders=(2,)), "0.1729732674"),
        (later(cells.isolated, orders=(3,)), "0.2783664744"),
        (later(cells.isolated, orders=(1, 1)), "1"),
        (later(cells.normal_crossing, exponents=(1, 1)), "0.5"),
        (later(cells.normal_crossing, exponents=(1, 2)), "0.34868738"),
        (later(cells.normal_crossing, exponents=(2, 2)), "0.17297327"),
        (later(cells.node_death, "cube"), "0.27836647"),
    )

    @pytest.mark.parametrize(("cell", "value"), VALUES, ids=lambda value: getattr(value, "name", value))
    def test_values(self, cell: Cell, value: str) -> None:
        found = cell.singular_fluctuation(12)
        assert isinstance(found, Enclosure)
        assert abs(found.midpoint - Fraction(value)) < Fraction(1, 10**8)

    def test_unknown_is_said(self) -> None:
        with pytest.raises(InvalidValueError, match="not known"):
            cells.node_death("tanh").singular_fluctuation()


def test_replacing_the_routes_of_a_cell_changes_its_truth() -> None:
    cell = replace(cells.swiglu(), routes=cells.swiglu().routes[:1])
    assert cell.truth.status is Status.FORMULA
