"""Where the structure enumerates the pair is that of the closed forms, in any basis; elsewhere the bracket stands."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import pytest
import sympy
import torch
from torch import Tensor, nn

from ddtheory import cells, certify
from ddtheory.cells import Cell
from ddtheory.errors import DDTheoryError, InvalidValueError, MeasurementError
from ddtheory.exact.thresholds.matrix_products import at_factorisation
from ddtheory.measure import Bernoulli, Categorical, Gaussian, Problem
from ddtheory.reads import Assembly, assemble, bracket
from ddtheory.reads.products import generators, matrix_rank, normal_form
from ddtheory.reads.units import derivative_orders, given_unit, z
from ddtheory.values import RLCT

CELLS = [cell for cell in cells.catalogue() if cell.family in ("deep_linear", "reduced_rank")]
UNITS = [cell for cell in cells.catalogue() if cell.family == "hidden_layer" and cell.arguments.get("outputs", 1) == 1]


def named(cell: Cell) -> str:
    return cell.name


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def basis(size: int, seed: int) -> Tensor:
    return torch.linalg.qr(drawn(size, size, seed=seed)).Q


class Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.square()


def chain(*weights: Tensor, between: nn.Module | None = None) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weight in weights:
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=torch.float64)
        layer.weight.data.copy_(weight)
        layers += [layer] if between is None else [layer, between]
    return nn.Sequential(*(layers if between is None else layers[:-1]))


def problem_of(module: nn.Module, inputs: Tensor, head: Any = None) -> Problem:
    return Problem.from_module(module, inputs, Gaussian() if head is None else head)


# --- deep linear ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS, ids=named)
def test_linear_cells_have_their_pair(cell: Cell) -> None:
    found = assemble(cell.problem())
    assert found.rlct == cell.rlct
    assert found.form == cell.rlct or found.derivation is not None


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.bfloat16])
def test_modules_of_other_precision_are_read_in_double(dtype: torch.dtype) -> None:
    """Aoyagi and Watanabe's (2, 2) of widths 2, 2, 2 at rank one; the entries are exact in any of them."""
    module = chain(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 0.0]])).to(dtype)
    found = assemble(problem_of(module, torch.eye(2, dtype=torch.float32)))
    assert found.rlct == RLCT(Fraction(2), 2)
    assert next(module.parameters()).dtype is dtype


def test_a_unit_that_nothing_uses_is_refused() -> None:
    problem = problem_of(chain(torch.eye(2), torch.eye(2)), torch.eye(2))
    with pytest.raises(InvalidValueError, match="a chain of linear layers has no units"):
        assemble(problem, unit="z^2")
    module = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    with pytest.raises(InvalidValueError, match="The unit"):
        assemble(problem_of(module, torch.eye(2)), unit=object())  # type: ignore[arg-type]


def test_two_factors_of_any_ranks_in_any_basis() -> None:
    """The local pair is at_factorisation; the derivation does not know it, and its certificate is accepted."""
    inputs, hidden, outputs = 3, 2, 2
    for a, b, r in itertools.product(range(3), repeat=3):
        if not max(0, a + b - hidden) <= r <= min(a, b):
            continue
        left, middle, right = basis(outputs, 1), drawn(hidden, hidden, seed=2), basis(inputs, 3)
        first, second = torch.zeros(hidden, inputs).double(), torch.zeros(outputs, hidden).double()
        for i in range(a):
            first[i, i] = 1.5
        for i in range(b):
            second[i, i if i < r else a + i - r] = 0.5
        module = chain(middle @ first @ right, left @ second @ torch.linalg.inv(middle))
        if r == 0 and a and b:
            continue  # outputs are rounding alone, which no problem takes; the cells have this case in a clean basis
        found = assemble(problem_of(module, drawn(8, inputs, seed=4)))
        assert found.rlct == at_factorisation(inputs, hidden, outputs, rank=r, rank_first=a, rank_second=b)
        assert found.derivation is not None and found.derivation.rlct == found.rlct
        assert certify.check(found.derivation.to_json()).accepted


def test_three_factors_that_are_not_of_least_rank() -> None:
    """W_2 = 0 between an invertible W_1 and a W_3 of rank 2: K ≍ ‖W_3 ΔW_2 W_1‖² is 2 · 3 squares."""
    module = chain(drawn(3, 3, seed=1), torch.zeros(3, 3).double(), drawn(2, 3, seed=2))
    found = assemble(problem_of(module, drawn(9, 3)))
    assert found.rlct == RLCT(Fraction(3)) and found.form is None
    # control: with a W_3 of rank 1 one output is dead in two layers
    module[2].weight.data[1] = 0
    assert assemble(problem_of(module, drawn(9, 3))).rlct != RLCT(Fraction(3))


def test_inputs_of_less_rank_leave_columns_free() -> None:
    narrow = drawn(8, 2) @ drawn(2, 4, seed=1)
    found = assemble(problem_of(chain(drawn(3, 4, seed=2), drawn(3, 3, seed=3)), narrow))
    assert found.rlct == RLCT(Fraction(3)) and "widths [2, 3, 3]" in found.structure  # 3 outputs of 2 inputs


@pytest.mark.parametrize("widths", [(1, 2), (2, 1, 2), (2, 2, 2), (2, 3, 1, 2)])
def test_the_normal_form_has_the_ranks_that_it_was_made_from(widths: tuple[int, ...]) -> None:
    seen = set()
    for seed in range(40):
        chosen = torch.Generator().manual_seed(seed)
        layers = []
        for below, above in itertools.pairwise(widths):
            ones = torch.randint(-1, 2, (above, below), generator=chosen)
            layers.append(sympy.Matrix(ones.tolist()))
        ranks = {(i, i): width for i, width in enumerate(widths)}
        for i in range(len(layers)):
            for j in range(i + 1, len(widths)):
                product = sympy.eye(widths[i])
                for layer in layers[i:j]:
                    product = layer * product
                ranks[i, j] = product.rank()
        seen.add(tuple(ranks.values()))
        made = normal_form(widths, ranks)
        assert [layer.shape for layer in made] == [layer.shape for layer in layers]
        for (i, j), rank in ranks.items():
            product = sympy.eye(widths[i])
            for layer in made[i:j]:
                product = layer * product
            assert product.rank() == rank
    assert len(seen) > 1


def test_the_generators_vanish_at_the_point_and_are_those_of_the_product() -> None:
    layers = [sympy.Matrix([[1, 0], [0, 0]]), sympy.Matrix([[0, 1]])]
    a, b, c, d, e, f = sympy.symbols("w1_0_0 w1_0_1 w1_1_0 w1_1_1 w2_0_0 w2_0_1")
    assert generators(layers) == ((e * (1 + a) + (1 + f) * c).expand(), (e * b + (1 + f) * d).expand())


def test_a_product_that_cancels_to_rounding_has_no_rank() -> None:
    """Its own largest entry is rounding, and would count as one if it were the scale."""
    turn = basis(3, 1)
    one, other = torch.zeros(3, 3).double(), torch.zeros(3, 3).double()
    one[0, 0], other[1, 1] = 1.0, 1.0
    product = (other @ turn.mT) @ (turn @ one)
    assert float(product.abs().max()) < 1e-15
    assert matrix_rank([turn @ one, other @ turn.mT]).certain == 0
    assert matrix_rank([turn @ one]).certain == 1


def test_ranks_without_a_gap_enumerate_nothing() -> None:
    u, v = basis(3, 1), basis(3, 2)
    fading = u @ torch.diag(torch.tensor([1.0, 1e-6, 3e-13], dtype=torch.float64)) @ v
    found = assemble(problem_of(chain(fading, drawn(2, 3)), drawn(9, 3)))
    assert found.derivation is None and found.form is None and "no gap" in found.why
    assert found.lower == found.bracket.lower and found.upper == found.bracket.upper


# --- one hidden layer ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", UNITS, ids=named)
def test_hidden_layers_have_their_pair_or_ask_for_more_inputs(cell: Cell) -> None:
    found = assemble(cell.problem())
    if cell.arguments["activation"] != "tanh" and cell.arguments["hidden"] == 3:
        assert found.rlct is None and "4 functions should be independent" in found.why
    else:
        assert found.rlct == cell.rlct


@pytest.mark.parametrize("dead", [1, 2, 3])
def test_dead_units_beside_living_ones(dead: int) -> None:
    """One input, tanh: two derivatives a living unit, and the pair of the dead ones by Vandermonde (Aoyagi 2009)."""
    inner, outer = torch.zeros(2 + dead, 1).double(), torch.zeros(1, 2 + dead).double()
    inner[:2, 0], outer[0, :2] = torch.tensor([1.0, 2.0]), torch.tensor([1.0, -0.5])
    found = assemble(problem_of(chain(inner, outer, between=nn.Tanh()), torch.linspace(-3, 3, 40).double()[:, None]))
    alone = cells.hidden_layer(hidden=dead).rlct
    assert alone is not None
    assert found.rlct == RLCT(2 + alone.lam, alone.m)
    assert found.bracket.exact is None and found.bracket.lower <= found.lower <= found.upper <= found.bracket.upper
    assert found.derivation is not None and certify.check(found.derivation.to_json()).accepted


def test_units_that_nobody_hears_cost_half_an_outer_weight_each() -> None:
    """At a = 0, w ≠ 0: K vanishes along w, so the unit has 1/2 for each output."""
    inner, outer = drawn(3, 2, seed=1), drawn(2, 3, seed=2)
    outer[:, 2] = 0
    found = assemble(problem_of(chain(inner, outer, between=nn.Tanh()), drawn(60, 2)))
    assert found.rlct == RLCT(Fraction(2 * 4 + 2, 2)) and "1 that nobody hears" in found.structure


def test_units_with_other_heads() -> None:
    """Logits of a Bernoulli label are seen one by one; of a softmax one of them is free."""
    inner, outer = torch.tensor([[1.0], [0.0]]).double(), torch.tensor([[1.0, 0.0], [2.0, 0.0]]).double()
    module, inputs = chain(inner, outer, between=nn.Tanh()), torch.linspace(-3, 3, 40).double()[:, None]
    weights = torch.linspace(1, 2, 40, dtype=torch.float64)
    seen = Problem.from_module(module, inputs, Bernoulli(), weights=weights)
    # a living unit of three derivatives, and a · w with a of two entries
    assert assemble(seen).rlct == RLCT(Fraction(3, 2) + Fraction(1, 2))
    assert "independent" in assemble(problem_of(module, inputs, Categorical())).why


def test_a_formula_is_needed_and_compared() -> None:
    inputs = torch.tensor([[1.0], [2.0], [-1.0]], dtype=torch.float64)
    dead = problem_of(chain(torch.zeros(1, 1), torch.zeros(1, 1), between=Square()), inputs)
    assert "formula of Square is not known" in assemble(dead).why
    assert assemble(dead, unit="z^2").rlct == cells.node_death(activation="square").rlct
    with pytest.raises(InvalidValueError, match="the formula"):
        assemble(dead, unit="z^3")
    for bad in ("x*y", "3", 5, "__import__('os')"):
        with pytest.raises(DDTheoryError):
            assemble(dead, unit=bad)  # type: ignore[arg-type]


def test_a_living_unit_that_makes_what_dead_ones_make_is_not_enumerated() -> None:
    """a w² of a living unit moves x² already: the dead one is no independent part."""
    inner, outer = torch.tensor([[1.0], [0.0]]).double(), torch.tensor([[1.0, 0.0]]).double()
    found = assemble(problem_of(chain(inner, outer, between=Square()), drawn(9, 1)), unit="z^2")
    assert found.rlct is None and "independent" in found.why


@pytest.mark.parametrize(
    ("function", "units", "expected"),
    [
        (sympy.tanh(z), 3, [1, 3, 5]),
        (sympy.sin(z) ** 2, 2, [2, 4]),
        (z**2 * sympy.sin(z), 1, [3]),
        (z / (1 + sympy.exp(-z)), 2, [1, 2, 4]),
        (z**3 - 2 * z, 5, [1, 3]),
    ],
)
def test_orders_that_generate_all_others(function: sympy.Expr, units: int, expected: list[int]) -> None:
    assert derivative_orders(function, units) == expected


def test_functions_without_such_orders() -> None:
    assert "not zero at zero" in derivative_orders(sympy.cos(z), 1)
    assert "irregularly" in derivative_orders(z + sympy.sin(z**5), 3)
    assert given_unit("tanh(z)", nn.Tanh()) == sympy.tanh(z)


# --- what a module does is not what it holds -------------------------------------------------------------------------


class Beside(nn.Sequential):
    """y = a·tanh(wx) + wx, whose layers say a·tanh(wx)."""

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = super().forward(x) + x * self[0].weight
        return found


class Offset(nn.Linear):
    """wx + 1."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 1


class Cubed(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight**3


class Even(nn.Tanh):
    """z², and no tanh."""

    def forward(self, x: Tensor) -> Tensor:
        return x * x


class Reversed(nn.Sequential):
    """Its layers in the other order."""

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self[1](self[0](x)).flip(-1)
        return found


def dead_tanh(kind: type[nn.Sequential] = nn.Sequential, first: type[nn.Linear] = nn.Linear) -> nn.Sequential:
    module = kind(first(1, 1, bias=False), nn.Tanh(), nn.Linear(1, 1, bias=False)).double()
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def hooked() -> nn.Sequential:
    """y = a·tanh(wx + x)."""
    module = dead_tanh()
    module[0].register_forward_hook(lambda layer, given, found: found + given[0])
    return module


def parametrised() -> nn.Sequential:
    """y = a·tanh(w³x)."""
    module = dead_tanh()
    nn.utils.parametrize.register_parametrization(module[0], "weight", Cubed())
    return module


@pytest.mark.parametrize(
    ("module", "lam", "m", "why"),
    [
        (dead_tanh(Beside), Fraction(1, 2), 1, "outputs are not those of its layers"),
        (dead_tanh(first=Offset), Fraction(1, 2), 1, "outputs are not those of its layers"),
        (hooked(), Fraction(1, 2), 1, "outputs are not those of its layers"),
        (parametrised(), Fraction(1, 6), 1, "other parameters"),
    ],
    ids=["own forward", "subclass of a layer", "hook", "parametrised"],
)
def test_a_module_that_does_something_else_is_not_enumerated(
    module: nn.Module, lam: Fraction, m: int, why: str
) -> None:
    """By hand: K ≍ w², a², a² and (aw³)², and not (aw)² with (1/2, 2), which is what the layers say."""
    found = assemble(problem_of(module, drawn(20, 1)))
    assert why in found.why and found.derivation is None
    assert found.lower <= lam <= found.upper and found.rlct in (None, RLCT(lam, m))
    assert assemble(problem_of(dead_tanh(), drawn(20, 1))).rlct == RLCT(Fraction(1, 2), 2)  # control


def test_a_chain_whose_outputs_are_moved_is_not_enumerated() -> None:
    module = Reversed(*chain(drawn(3, 2, seed=1), drawn(2, 3, seed=2)))
    assert "neither a chain" in assemble(problem_of(module, drawn(9, 2))).why


def test_an_activation_is_what_it_does_and_not_what_it_is_called() -> None:
    """a·w²x² has (1/4, 1), and a·tanh(wx) has (1/2, 2)."""
    module = dead_tanh()
    module[1] = Even()
    assert "the formula of Even is not known" in assemble(problem_of(module, drawn(20, 1))).why
    assert assemble(problem_of(module, drawn(20, 1)), unit="z^2").rlct == RLCT(Fraction(1, 4), 1)


@pytest.mark.parametrize("width", [0.1, 1e-2, 1e-4])
def test_a_unit_that_is_its_formula_far_away_only_is_refused(width: float) -> None:
    """What counts is the unit near 0, and this one is zero there."""

    class Gap(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.where(x.abs() < width, 0 * x, x * x)

    module = dead_tanh()
    module[1] = Gap()
    with pytest.raises(InvalidValueError, match="The activation is"):
        assemble(problem_of(module, drawn(20, 1)), unit="z^2")


def test_a_chain_of_many_parameters_has_its_closed_form() -> None:
    """2550 parameters, more than one Jacobian takes: λ = r(M + N − r)/2, three inputs spanning M = 3, N = r = 1."""
    found = assemble(problem_of(chain(drawn(50, 50, seed=1), drawn(1, 50, seed=2)), drawn(3, 50)))
    assert found.rlct == RLCT(Fraction(3, 2), 1)


def test_a_weight_of_which_the_square_is_no_number_is_counted_nowhere() -> None:
    module = dead_tanh()
    for parameter in module.parameters():
        nn.init.constant_(parameter, 1e-300)
    found = assemble(problem_of(module, drawn(20, 1)))
    assert (found.lower, found.upper, found.rlct) == (0, 1, None)


# --- everything else -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)), "neither a chain"),
        (nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)), "biases"),
        (nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False)), "not known"),
        (nn.Linear(2, 2, bias=False), "neither a chain"),
    ],
    ids=["biases", "biases beside units", "ReLU", "one layer"],
)
def test_elsewhere_the_bracket_stands(module: nn.Module, why: str) -> None:
    torch.manual_seed(0)
    problem = Problem.from_module(module, drawn(20, 2), Gaussian())
    found = assemble(problem)
    assert why in found.why and not found.structure and found.derivation is None
    assert found.rlct == bracket(problem).exact
    assert (found.lower, found.upper) == (found.bracket.lower, found.bracket.upper)


def test_a_head_that_does_not_see_every_output_is_no_square() -> None:
    module = chain(drawn(2, 2, seed=1), torch.zeros(2, 2).double())
    assert "head does not see" in assemble(problem_of(module, drawn(6, 2), Categorical())).why
    assert assemble(problem_of(module, drawn(6, 2), Bernoulli())).rlct == RLCT(Fraction(2))


def test_a_pair_outside_of_the_bracket_is_an_error() -> None:
    inside = bracket(problem_of(chain(drawn(2, 2), drawn(2, 2, seed=1)), drawn(6, 2)))
    assert inside.exact == RLCT(Fraction(2))
    for wrong in (RLCT(Fraction(3)), RLCT(Fraction(3, 2)), RLCT(Fraction(2), 2)):
        with pytest.raises(MeasurementError, match="contradict each other"):
            Assembly(inside, "made up", form=wrong)
    assert Assembly(inside, "made up", form=RLCT(Fraction(2))).rlct == inside.exact


def test_bounds_of_a_derivation_that_does_not_close_are_kept_inside_the_bracket() -> None:
    """Three dead tanh units with two outputs: λ = 7/6, which the rules leave open within a second."""
    found = assemble(cells.hidden_layer(hidden=3, outputs=2).problem(), seconds=1)
    assert found.lower <= Fraction(7, 6) <= found.upper < found.bracket.upper
    assert "≤ λ ≤" in str(found)
