"""The bracket holds λ of every cell whose value is known, meets it where the fibre is smooth, and says no more."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from torch import Tensor, nn

from ddtheory import cells
from ddtheory.cells import Cell
from ddtheory.errors import DDTheoryError, InvalidValueError, MeasurementError
from ddtheory.gauges import Gauge, Group, Leg, Motion, find_gauges, moved
from ddtheory.measure import Categorical, Gaussian, Problem, fisher_matrix
from ddtheory.measure.matrices.gram import Spectrum
from ddtheory.reads import Bracket, Rank, bracket
from ddtheory.reads.flow import flows, generators, tangent
from ddtheory.reads.orbit import orbit_rank
from ddtheory.values import RLCT

# a prior that vanishes or is infinite at the point is another question
CELLS = [cell for cell in cells.catalogue() if not cell.prior]


def named(cell: Cell) -> str:
    return cell.name


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(*weights: Tensor) -> nn.Sequential:
    layers = []
    for weight in weights:
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=torch.float64)
        layer.weight.data.copy_(weight)
        layers.append(layer)
    return nn.Sequential(*layers)


def problem_of(module: nn.Module, inputs: Tensor) -> Problem:
    return Problem.from_module(module.double(), inputs.double(), Gaussian())


def rank(*values: float, zeros: int = 0, threshold: float = 1e-25, separation: float = float("inf")) -> Rank:
    return Rank(Spectrum(tuple(values), zeros, threshold, separation), len(values) + zeros)


# --- against values that are known ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS, ids=named)
def test_the_exact_coefficient_lies_inside(cell: Cell) -> None:
    found, truth = bracket(cell.problem()), cell.truth
    assert truth.upper is None or found.lower <= truth.upper.lam
    assert truth.lower is None or found.upper >= truth.lower.lam
    assert found.exact in (None, cell.rlct)


def test_control_a_rank_or_an_orbit_of_one_more_is_caught() -> None:
    meeting = [cell for cell in CELLS if bracket(cell.problem()).exact]
    assert len(meeting) >= 12
    for cell in meeting:
        assert cell.rlct is not None and cell.rlct.m == 1
        found = bracket(cell.problem())
        assert found.lower + Fraction(1, 2) > cell.rlct.lam > found.upper - Fraction(1, 2)


@pytest.mark.parametrize(("widths", "middle"), [((3, 4, 2), 2), ((4, 3, 5), 3), ((2, 3, 3, 2), 2)])
def test_a_deep_linear_network_of_full_rank_in_any_basis(widths: tuple[int, ...], middle: int) -> None:
    """Generic factors reach every map of rank r = min H: its fibre is smooth, λ = r(M + N − r)/2 (Aoyagi 2024)."""
    shapes = itertools.pairwise(widths)
    module = linear(*(drawn(rows, columns, seed=columns) for columns, rows in shapes))
    expected = Fraction(middle * (widths[0] + widths[-1] - middle), 2)
    found = bracket(problem_of(module, drawn(9, widths[0])))
    assert found.exact == RLCT(expected, 1)
    assert found.jacobian.clear and found.orbit.clear
    # control: with one singular value of one factor at zero the fibre is singular there
    u, s, v = torch.linalg.svd(module[0].weight.data, full_matrices=False)
    module[0].weight.data.copy_(u @ torch.diag(torch.cat([s[:-1], torch.zeros(1)])) @ v)
    assert bracket(problem_of(module, drawn(9, widths[0]))).exact is None


@pytest.mark.parametrize(
    ("activation", "free"),
    [(nn.ReLU(), 5), (nn.LeakyReLU(0.1), 5), (nn.Tanh(), 0), (nn.GELU(), 0), (nn.Softplus(), 0)],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_one_hidden_layer_with_living_units(activation: nn.Module, free: int) -> None:
    """H living units in general position are identified up to scale, where the activation has one: λ = (d − H)/2."""
    torch.manual_seed(4)
    module = nn.Sequential(nn.Linear(3, 5), activation, nn.Linear(5, 2)).double()
    found = bracket(problem_of(module, drawn(60, 3)))
    assert found.exact == RLCT(Fraction(3 * 5 + 5 + 5 * 2 + 2 - free, 2), 1)
    # control: a unit that nobody listens to, with a dead entry
    module[0].weight.data[0] = module[0].bias.data[0] = 0.0
    module[2].weight.data[:, 0] = 0.0
    assert bracket(problem_of(module, drawn(60, 3))).exact is None


def test_the_softmax_has_a_shift_and_squares_have_none() -> None:
    """Logits of C classes of N features: (C − 1)(N + 1) functions are seen."""
    torch.manual_seed(0)
    module, inputs = nn.Linear(2, 3).double(), drawn(8, 2)
    classes = Problem.from_module(module, inputs, Categorical())
    assert bracket(classes).exact == RLCT(Fraction(2 * 3, 2))
    assert bracket(problem_of(module, inputs)).exact == RLCT(Fraction(3 * 3, 2))
    shift = find_gauges(module, inputs, softmax=True).gauges
    with pytest.raises(MeasurementError, match="does not have the gauge logit shift"):
        bracket(problem_of(module, inputs), shift)
    assert bracket(classes, ()).upper == Fraction(9, 2)


def test_a_norm_does_not_see_the_mean_of_what_it_reads() -> None:
    """Of a map into C channels C − 1 contrasts of its N inputs and its bias are seen, through an ε that is no rounding
    beside the variance; the root of a mean square sees all."""
    torch.manual_seed(0)
    for norm, seen in ((nn.LayerNorm(4, 1.0, False), 4 - 1), (nn.RMSNorm(4, 1.0, False), 4)):
        module = nn.Sequential(nn.Linear(3, 4), norm).double()
        assert bracket(problem_of(module, drawn(12, 3))).exact == RLCT(Fraction(seen * (3 + 1), 2))


def test_a_list_of_gauges_is_not_asked_whether_it_is_true() -> None:
    class Odd(list):  # type: ignore[type-arg]
        def __len__(self) -> int:
            raise RuntimeError("code of somebody else")

    module, inputs = nn.Linear(2, 3).double(), drawn(8, 2)
    with pytest.raises(InvalidValueError, match="list of gauges"):
        bracket(problem_of(module, inputs), Odd.__iter__)  # type: ignore[arg-type]
    assert bracket(problem_of(module, inputs), iter(())).upper == bracket(problem_of(module, inputs), Odd()).upper


def test_fewer_inputs_give_a_smaller_lower_bound_that_holds_for_more() -> None:
    module = linear(drawn(3, 3, seed=1), drawn(3, 3, seed=2))
    lower = [bracket(problem_of(module, drawn(samples, 3))).lower for samples in (1, 2, 3, 8)]
    assert lower == [Fraction(3, 2), 3, Fraction(9, 2), Fraction(9, 2)]


# --- ranks ---------------------------------------------------------------------------------------------------------


def test_the_rank_is_that_of_the_dense_fisher() -> None:
    torch.manual_seed(2)
    module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    problem = problem_of(module, drawn(3, 2))
    values = torch.linalg.eigvalsh(fisher_matrix(problem)).flip(0)
    found = bracket(problem).jacobian
    assert found.certain == int((values > 1e-14).sum()) == 6
    kept = torch.tensor(found.spectrum.eigenvalues, dtype=torch.float64)
    assert torch.allclose(kept, values[:6], rtol=1e-6)


def test_a_fading_spectrum_bounds_from_one_side_and_says_so() -> None:
    """y = Σ 10^{−i} θ_i x_i has rank 16, but the last values are not told from rounding."""
    scale = 10.0 ** -torch.arange(16, dtype=torch.float64)
    model = Problem(
        lambda p, x: (p["t"] * scale * x).sum(1, keepdim=True), {"t": scale * 0}, torch.eye(16).double(), Gaussian()
    )
    found = bracket(model)
    assert found.exact is None and found.lower < found.upper == 8
    # rounding ends at 2e-13 of the largest, and what counts begins at 2e-11
    assert (found.lower, found.jacobian.certain, found.jacobian.unclear) == (Fraction(11, 2), 11, 2)
    assert not found.jacobian.clear and "no gap" in str(found.jacobian)
    few = replace(model, model=lambda p, x: (p["t"] * scale * x)[:, :9].sum(1, keepdim=True))
    assert bracket(few).jacobian.clear and bracket(few).lower == Fraction(9, 2)


def test_a_rank_counts_what_no_rounding_explains() -> None:
    assert (rank(4.0, 1.0).certain, rank(4.0, 1.0).gap, rank().certain, rank(zeros=3).clear) == (
        2,
        float("inf"),
        0,
        True,
    )
    fading = rank(1.0, 1e-20, 1e-22, 1e-24, zeros=1, separation=100.0)
    assert (fading.certain, fading.unclear, fading.clear) == (2, 2, False)
    assert fading.gap == pytest.approx(10.0)
    assert not rank(1.0, 2e-21, zeros=1, separation=2e3).clear  # above the cut, and not far from what is below it
    with pytest.raises(InvalidValueError, match="rank 1 at most"):
        Rank(Spectrum((1.0, 1.0), 0, 0.0, 1.0), 1)


def test_random_directions_give_a_lower_bound() -> None:
    module = linear(drawn(3, 4, seed=1), drawn(5, 3, seed=2))  # rank 3, λ = 3 · 6/2
    problem = problem_of(module, drawn(9, 4))
    assert [bracket(problem, directions=n).lower for n in (1, 7, 18, 40)] == [Fraction(1, 2), Fraction(7, 2), 9, 9]
    few = bracket(problem, directions=7)
    assert few.exact is None and "of at most 7" in few.rows()["rank J"]
    assert bracket(problem, directions=7, seed=1).jacobian != few.jacobian


def test_random_rows_give_a_lower_bound() -> None:
    """The rank of J is 18, of 45 rows; each row raises it by one until then, in drawn sums of parameters too."""
    module = linear(drawn(3, 4, seed=1), drawn(5, 3, seed=2))
    problem = problem_of(module, drawn(9, 4))
    assert [bracket(problem, rows=n).lower for n in (1, 7, 18, 45, 90)] == [Fraction(1, 2), Fraction(7, 2), 9, 9, 9]
    assert problem.dimension == 27 and "of at most 5" in bracket(problem, rows=5).rows()["rank J"]  # 20 sums of 27
    assert bracket(problem, rows=7, seed=1).jacobian != bracket(problem, rows=7).jacobian
    with pytest.raises(InvalidValueError, match="not both"):
        bracket(problem, rows=7, directions=7)
    with pytest.raises(InvalidValueError, match="1000000000 directions, and there are 27"):
        bracket(problem, directions=10**9)
    assert bracket(problem, directions=2, seed=2**63 - 1).lower == 1
    with pytest.raises(InvalidValueError, match="rows"):
        bracket(problem, rows=0)


def test_rows_of_logits_do_not_see_their_shift() -> None:
    """3 classes of 2 features: rank 2 · (2 + 1) of 9 parameters, though there are 60 rows."""
    problem = Problem.from_module(nn.Linear(2, 3).double(), drawn(20, 2), Categorical())
    assert bracket(problem, rows=60).exact == bracket(problem).exact == RLCT(Fraction(3), 1)


def test_rows_leave_kinks_out() -> None:
    """|wx| at w = 0 has a kink in every sample, and no row."""
    found = bracket(half_line(torch.abs, 0.0), rows=8)
    assert (found.lower, found.kinks) == (0, bracket(half_line(torch.abs, 0.0)).kinks) and found.kinks > 0


def test_many_parameters_need_rows_or_directions() -> None:
    module = linear(drawn(50, 50), drawn(1, 50))
    problem = problem_of(module, drawn(2, 50))
    with pytest.raises(InvalidValueError, match="2550 parameters"):
        bracket(problem, ())
    assert bracket(problem, (), directions=5).lower == bracket(problem, (), rows=5).lower == 1


def test_samples_on_a_kink_are_left_out() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    torch.manual_seed(1)
    inputs = drawn(20, 2)
    off = bracket(problem_of(module, inputs))
    assert off.kinks == 0
    row, bias = module[0].weight.data[0], module[0].bias.data[0]
    on = torch.cat([inputs, (-bias * row / row.square().sum())[None]])
    found = bracket(problem_of(module, on))
    assert found.kinks == 1 and found.jacobian.certain == off.jacobian.certain
    assert "1 sample" in found.rows()["kinks"] and "kinks" not in off.rows()
    all_on = bracket(problem_of(module, on[-1:]))
    assert (all_on.kinks, all_on.lower) == (1, 0)


def half_line(positive: Callable[[Tensor], Tensor], at: float, dtype: torch.dtype = torch.float64) -> Problem:
    """y = (w)_+ x of one parameter: K = w²/2 on one side and 0 on the other, so λ = 0 at w = 0 and 1/2 at w > 0."""
    one = torch.ones(1, 1, dtype=dtype)
    return Problem(lambda p, x: positive(p["w"] * x), {"w": torch.full((1,), at, dtype=dtype)}, one, Gaussian())


def by_norm(z: Tensor) -> Tensor:
    return (z + torch.linalg.vector_norm(z, dim=-1, keepdim=True)) / 2


POSITIVE: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "less its negative part": lambda z: z + torch.relu(-z),
    "maximum": lambda z: torch.maximum(z, torch.zeros_like(z)),
    "norm": by_norm,
    "copied sign": lambda z: (z + torch.copysign(z, torch.ones_like(z))) / 2,
    "a loss inside": lambda z: (z + nn.functional.l1_loss(z, torch.zeros_like(z))) / 2,
    "root of a square": lambda z: (z + torch.sqrt(z * z + 1e-300)) / 2,
}


# 1e-300 is zero in float32, and the root of zero has no derivative
KINKS = [(name, torch.float64) for name in POSITIVE]
KINKS += [(name, torch.float32) for name in POSITIVE if name != "root of a square"]


@pytest.mark.parametrize(("name", "dtype"), KINKS, ids=str)
def test_a_kink_is_seen_by_the_derivative_whatever_operation_makes_it(name: str, dtype: torch.dtype) -> None:
    found = bracket(half_line(POSITIVE[name], 0.0, dtype))
    assert (found.lower, found.kinks, found.exact) == (0, 1, None)
    off = bracket(half_line(POSITIVE[name], 0.3, dtype))  # control
    assert (off.kinks, off.exact) == (0, RLCT(Fraction(1, 2)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_a_kink_between_weights_that_are_not_zero(dtype: torch.dtype) -> None:
    """y = −(−w·x)_+ at w·x = 0: K = 0 on a half space, so λ = 0, though torch has a derivative on the other one."""

    def model(p: dict[str, Tensor], x: Tensor) -> Tensor:
        z = (p["w"] * x).sum(1, keepdim=True)
        return z - torch.relu(z)

    theta = {"w": torch.tensor([1.0, -1.0], dtype=dtype)}
    found = bracket(Problem(model, theta, torch.ones(1, 2, dtype=dtype), Gaussian()))
    assert (found.lower, found.kinks) == (0, 1)


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_a_unit_that_is_dead_on_both_sides_leaves_every_sample_in(slope: float) -> None:
    """a·relu(w·x + b) at zero has the derivative zero on all its pieces: the bound is that of the living units."""
    torch.manual_seed(4)
    module = nn.Sequential(nn.Linear(3, 5), nn.LeakyReLU(slope), nn.Linear(5, 2)).double()
    module[0].weight.data[0] = module[0].bias.data[0] = 0.0
    module[2].weight.data[:, 0] = 0.0
    found = bracket(problem_of(module, drawn(60, 3)))
    assert (found.kinks, found.lower) == (0, Fraction(4 * (3 + 1 + 2 - 1) + 2, 2))
    module[2].weight.data[:, 0] = 0.5  # control: somebody hears it, and each sample has a kink
    assert bracket(problem_of(module, drawn(60, 3))).kinks == 60


def test_outputs_that_jump_have_no_bracket() -> None:
    """y = wx + sign(w)x is 1 away from its value at w = 0 on both sides, so that λ is infinite and not 1/2."""
    with pytest.raises(MeasurementError, match=r"jump by 1\.0e\+00"):
        bracket(half_line(lambda z: z + torch.sign(z), 0.0))
    assert bracket(half_line(lambda z: z + torch.sign(z), 0.5)).exact == RLCT(Fraction(1, 2))


# --- the orbit -----------------------------------------------------------------------------------------------------


def actions() -> list[tuple[str, Gauge, dict[str, Tensor]]]:
    """A gauge of every continuous group, with blocks, a start and a last axis."""
    theta = {"w": drawn(9, 2, seed=1), "v": drawn(2, 3, 6, seed=2).movedim(1, 2).contiguous()}
    legs = (Leg("w", 0, start=2), Leg("v", 1, dual=True))
    return [
        ("scales", Gauge("scales", Group.POSITIVE, 6, legs), theta),
        ("rotations", Gauge("rotations", Group.ROTATION, 6, legs), theta),
        ("rotations in blocks", Gauge("rotations", Group.ROTATION, 6, legs, blocks=2), theta),
        ("shift", Gauge("shift", Group.SHIFT, 6, (Leg("w", 0, start=2), Leg("v", 1))), theta),
    ]


@pytest.mark.parametrize(
    ("name", "gauge", "theta"), actions(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_small_move_lies_in_the_span_of_the_tangents(name: str, gauge: Gauge, theta: dict[str, Tensor]) -> None:
    def flat(value: dict[str, Tensor]) -> Tensor:
        return torch.cat([value.get(key, torch.zeros_like(theta[key])).reshape(-1) for key in theta])

    (flow,) = flows([gauge])
    span = torch.stack([flat(tangent(flow, one, theta)) for one in generators(flow, theta)])
    basis = torch.linalg.qr(span.mT).Q
    if gauge.group is Group.ROTATION:  # a drawn rotation is never small
        size = 6 // gauge.blocks
        parts = [drawn(size, size, seed=block) for block in range(gauge.blocks)]
        turn = torch.linalg.matrix_exp(1e-6 * torch.block_diag(*(part - part.mT for part in parts)))
        small = {"w": theta["w"].clone(), "v": torch.einsum("iaj,ba->ibj", theta["v"], turn)}
        small["w"][2:8] = turn @ theta["w"][2:8]
    else:
        small = moved(gauge, theta, Motion(3, 1e-6 if gauge.group is Group.SHIFT else 1 + 1e-6))
    step = flat(small) - flat(theta)
    assert step.norm() > 1e-7
    assert (step - basis @ (basis.mT @ step)).norm() < 1e-5 * step.norm()
    # control: a random step is none
    other = drawn(len(step), seed=9)
    assert (other - basis @ (basis.mT @ other)).norm() > 0.1 * other.norm()


class Block(nn.Module):
    """Attention behind a LayerNorm, in two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(4), nn.MultiheadAttention(4, 2, batch_first=True)
        self.last = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        z = self.norm(x)
        found: Tensor = self.last(self.attention(z, z, z, need_weights=False)[0])
        return found


def test_the_tangents_of_all_gauges_of_an_attention_are_in_the_kernel_of_the_jacobian() -> None:
    torch.manual_seed(0)
    module = Block().double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * drawn(*parameter.shape, seed=parameter.numel())
    problem = Problem.from_module(module, drawn(20, 5, 4), Categorical())
    found = bracket(problem)
    assert {gauge.rule for gauge in found.gauges} >= {"normalisation scale", "query–key rotation", "value–output scale"}
    fisher = fisher_matrix(problem)
    for flow in flows(found.gauges):
        for generator in generators(flow, problem.truth):
            unit = problem.flat(tangent(flow, generator, problem.truth))
            assert float(unit @ fisher @ unit) < 1e-16 * float(fisher.trace())
    # 2 heads of GL(2) for queries and keys, and for values and outputs; 4 scales of the norm, whose kernel each of 12
    # outputs has; 4 biases of keys; 4 of values, which that of the output takes up, and of the norm's offset, which
    # those of queries, keys and values do; a shift of the logits for each of 4 inputs and the bias
    assert found.orbit.certain == 2 * 4 + 2 * 4 + 4 + 12 + 4 + 4 + 4 + 5


def test_scales_and_rotations_make_the_whole_linear_group() -> None:
    module = linear(drawn(3, 5, seed=1), drawn(4, 3, seed=2))
    theta = {name: value.detach() for name, value in module.named_parameters()}
    found = find_gauges(module, drawn(9, 5)).gauges
    by_group = {gauge.group: gauge for gauge in found}
    scales, turns = by_group[Group.POSITIVE], by_group[Group.ROTATION]
    sizes = [orbit_rank(some, theta).certain for some in ([scales], [turns], [scales, turns], found, [])]
    assert sizes == [3, 3, 9, 9, 0]
    assert [flow.full for flow in flows(found)] == [True]
    assert [flow.full for flow in flows([scales, replace(turns, legs=turns.legs[:1])])] == [False, False]


def test_the_orbit_shrinks_where_the_point_stands_still() -> None:
    """GL(3) on factors of ranks a and b has the dimension 9 − (3 − a)(3 − b)."""
    scales = Gauge("scales", Group.POSITIVE, 3, (Leg("a"), Leg("b", 1, dual=True)))
    turns = replace(scales, rule="turns", group=Group.ROTATION)
    for a, b in itertools.product(range(4), repeat=2):
        theta = {"a": drawn(3, a, seed=1) @ drawn(a, 5, seed=2), "b": drawn(4, b, seed=3) @ drawn(b, 3, seed=4)}
        assert orbit_rank([scales, turns], theta).certain == 9 - (3 - a) * (3 - b)


def test_signs_and_permutations_have_no_dimension() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    found = bracket(problem_of(module, drawn(30, 2)))
    assert {gauge.group for gauge in found.gauges} == {Group.SIGN, Group.PERMUTATION}
    assert found.orbit.certain == 0


def test_an_orbit_that_is_too_large_is_refused() -> None:
    """A ↦ gAg⁻¹ for 80 channels: 6400 tangent vectors that nothing takes apart."""
    scales = Gauge("scales", Group.POSITIVE, 80, (Leg("a"), Leg("a", 1, dual=True)))
    with pytest.raises(InvalidValueError, match="6400 tangent vectors of 6400 entries hang together"):
        orbit_rank([scales, replace(scales, group=Group.ROTATION)], {"a": torch.zeros(80, 80)})


def test_a_gauge_that_is_none_is_refused() -> None:
    module = linear(drawn(3, 5, seed=1), drawn(4, 3, seed=2))
    half = Gauge("half", Group.POSITIVE, 3, (Leg("0.weight"),))
    with pytest.raises(MeasurementError, match="does not have the gauge half of 3 channels"):
        bracket(problem_of(module, drawn(9, 5)), [half])


def test_gauges_that_hold_one_by_one_only_are_refused() -> None:
    """y = abx at a = b = 0 is 0 along a, and along b, and λ = 1/2 with m = 2, not 0."""
    zero = torch.zeros(1, dtype=torch.float64)
    problem = Problem(lambda p, x: p["a"] * p["b"] * x, {"a": zero, "b": zero}, torch.ones(1, 1).double(), Gaussian())
    one, other = (Gauge(f"free {name}", Group.SHIFT, 1, (Leg(name),)) for name in "ab")
    assert [bracket(problem, [each]).upper for each in (one, other)] == [Fraction(1, 2)] * 2
    with pytest.raises(MeasurementError, match="does not have 2 gauges together"):
        bracket(problem, [one, other])


def test_gauges_of_a_model_in_single_precision_and_in_batches() -> None:
    torch.manual_seed(4)
    module, inputs = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)), drawn(60, 3).float()
    half = Gauge("half", Group.POSITIVE, 5, (Leg("0.weight"), Leg("0.bias")))
    for dtype in (torch.float32, torch.float64):
        problem = Problem.from_module(module, inputs, Gaussian(), dtype=dtype, batch_size=7)
        found = bracket(problem)
        assert (found.upper, found.orbit.certain) == (Fraction(32 - 5, 2), 5)
        assert found.exact == RLCT(Fraction(27, 2)) or dtype == torch.float32
        with pytest.raises(MeasurementError, match="gauge half"):
            bracket(problem, [half])


# --- what it says, and refuses -------------------------------------------------------------------------------------


def test_gauges_are_found_whatever_the_inputs_come_in() -> None:
    torch.manual_seed(4)
    module, inputs = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)).double(), drawn(60, 3)
    found = bracket(Problem.from_module(module, [inputs[:20], inputs[20:]], Gaussian()))
    assert found.sought and found.exact == RLCT(Fraction(27, 2))


def test_both_sides_that_contradict_each_other_are_an_error() -> None:
    with pytest.raises(MeasurementError, match="too much"):
        Bracket(2, rank(1.0, 1.0), rank(1.0))
    assert Bracket(2, rank(1.0), rank(1.0)).exact == RLCT(Fraction(1, 2))


def test_where_nothing_is_seen_there_is_no_coefficient() -> None:
    still = Problem(lambda p, x: 0 * p["t"] * x, {"t": torch.ones(1).double()}, torch.ones(1, 1).double(), Gaussian())
    free = Gauge("any scale", Group.POSITIVE, 1, (Leg("t"),))
    found = bracket(still, [free])
    assert (found.lower, found.upper, found.exact) == (0, 0, None)


def test_a_function_has_no_gauges_but_those_given() -> None:
    def product(p: dict[str, Tensor], x: Tensor) -> Tensor:
        return p["b"] * p["a"] * x

    one = torch.ones(1, dtype=torch.float64)
    problem = Problem(product, {"a": one, "b": 2 * one}, torch.ones(1, 1).double(), Gaussian())
    alone = bracket(problem)
    assert (alone.lower, alone.upper, alone.sought) == (Fraction(1, 2), 1, False)
    assert "no others were sought" in alone.rows()["s"]
    scale = Gauge("scale", Group.POSITIVE, 1, (Leg("a"), Leg("b", dual=True)))
    assert str(bracket(problem, [scale])) == "λ = 1/2, m = 1: rank J = 1 = d − s"
    assert str(alone) == "1/2 ≤ λ ≤ 1: rank J ≥ 1, d − s ≤ 2"


@pytest.mark.parametrize(
    "given",
    [
        {"gauges": "rescaling"},
        {"gauges": ["rescaling"]},
        {"directions": 0},
        {"directions": 1.5},
        {"directions": True},
        {"seed": -1},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(given: dict[str, object]) -> None:
    problem = problem_of(linear(drawn(1, 2)), drawn(3, 2))
    with pytest.raises(DDTheoryError) as refused:
        bracket(problem, **given)  # type: ignore[arg-type]
    assert str(refused.value).isprintable()


def test_a_module_is_no_problem() -> None:
    with pytest.raises(InvalidValueError, match=r"Problem\.from_module"):
        bracket(linear(drawn(1, 2)))  # type: ignore[arg-type]
