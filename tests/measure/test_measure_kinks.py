"""Kinks are counted, named, and do not bury the samples that have none."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ddtheory.measure import Gaussian, Problem, Profile, fisher_along, order
from ddtheory.measure.orders.kinks import PIECES, Pieces, pieces
from ddtheory.values import ReadingStatus

POINTS = torch.tensor([-2.0, -1.0, -0.25, 0.5, 1.0, 4.0], dtype=torch.float64)


def hinges(corners: list[float], inputs: list[float]) -> Problem:
    """Σ_j relu(x − corner_j + t) + (x + t)/2: the sample x passes the kink j at t = corner_j − x."""
    fixed = torch.tensor(corners, dtype=torch.float64)
    return Problem(
        lambda p, x: torch.relu(x - fixed + p["t"]).sum(1, keepdim=True) + 0.5 * (x + p["t"]),
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.tensor(inputs, dtype=torch.float64)[:, None],
        Gaussian(),
    )


def along(problem: Problem, **options: object) -> Profile:
    return fisher_along(problem, {"t": torch.ones(())}, **options)


def test_kinks_are_counted_by_hand() -> None:
    """Samples 0, 1, 2 pass the corner at 2.3 at t = 2.3, 1.3 and 0.3; the last one is beyond it."""
    profile = along(hinges([2.3], [0.0, 1.0, 2.0, 3.0]), radii=[4.0, 2.0, 1.0, 0.2])
    assert (profile.kinks, profile.kinds) == ((3, 2, 1, 0), ("relu",))
    split = hinges([2.3], [0.0, 1.0, 2.0, 3.0])
    split = Problem(split.model, split.truth, split.inputs, split.head, batch_size=3)
    assert along(split, radii=[4.0, 2.0, 1.0, 0.2]).kinks == (3, 2, 1, 0)
    smooth = Problem(lambda p, x: torch.tanh(p["t"] * x), split.truth, split.inputs, split.head)
    assert (along(smooth).kinks, along(smooth).kinds) == ((), ())


def choices(function: object, values: Tensor) -> Pieces:
    with Pieces(len(values)) as found:
        function(values)
    return found


SPELLINGS = {
    "relu": [torch.relu, functional.relu, nn.ReLU(), lambda x: x.clone().relu_(), nn.ReLU(inplace=True), Tensor.relu],
    "leaky_relu": [nn.LeakyReLU(), functional.leaky_relu],
    "elu": [nn.ELU()],
    "abs": [abs, torch.abs, Tensor.abs],
    "clamp": [lambda x: x.clamp(min=0.0), lambda x: torch.clamp(input=x, min=0.0)],
    "gt": [lambda x: torch.where(x > 0, x, 0.1 * x), lambda x: x * torch.gt(x, 0)],
    "maximum": [lambda x: torch.maximum(x, torch.zeros_like(x))],
    "max": [lambda x: torch.max(x, -x), lambda x: torch.stack([x, -x], 1).max(1)],
    "amax": [lambda x: torch.stack([x, -x], 1).amax(1), lambda x: torch.stack([x, -x], 1).amax(dim=-1, keepdim=True)],
    "max_pool1d": [
        lambda x: functional.max_pool1d(torch.stack([x, -x], 1)[:, None], 2),
        lambda x: functional.max_pool1d(torch.stack([x, -x], 1)[:, None], 2, return_indices=True),
        lambda x: nn.MaxPool1d(2, return_indices=True)(torch.stack([x, -x], 1)[:, None]),
    ],
    "max_pool2d": [
        lambda x: functional.max_pool2d(torch.stack([x, -x], 1)[:, None, None], (1, 2), None, 0, 1, False, True)
    ],
    "adaptive_max_pool1d": [
        lambda x: functional.adaptive_max_pool1d(torch.stack([x, -x], 1)[:, None], 1),
        lambda x: functional.adaptive_max_pool1d(torch.stack([x, -x], 1)[:, None], 1, return_indices=True),
    ],
    "sign": [torch.sign, lambda x: x.clone().sign_()],
    "sgn": [torch.sgn],
    "heaviside": [lambda x: torch.heaviside(x, torch.ones_like(x))],
    "median": [lambda x: torch.stack([x, -x], 1).median(1)],
    "nanmedian": [lambda x: torch.stack([x, -x], 1).nanmedian(dim=1)],
    "kthvalue": [lambda x: torch.kthvalue(torch.stack([x, -x], 1), 1)],
    "mode": [lambda x: torch.stack([x, -x], 1).mode(1)],
    "cummax": [lambda x: torch.stack([x, -x], 1).cummax(1)],
    "cummin": [lambda x: torch.cummin(input=torch.stack([x, -x], 1), dim=1)],
    "argmax": [lambda x: torch.stack([x, -x], 1).argmax(1)],
    "topk": [lambda x: torch.stack([x, -x], 1).topk(1)],
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_a_kink_at_zero_is_seen(name: str) -> None:
    """A choice changes where the sign of the sample does, and nowhere else."""
    for function in SPELLINGS[name]:
        before, stretched, crossed = (choices(function, x) for x in (POINTS.clone(), 3 * POINTS, POINTS + 0.75))
        assert name in before.names
        assert torch.equal(before.chosen, stretched.chosen)
        assert (before.chosen != crossed.chosen).tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize(
    ("module", "joints"),
    [
        (nn.ReLU6(), [0.0, 6.0]),
        (nn.Hardtanh(), [-1.0, 1.0]),
        (nn.Hardswish(), [-3.0, 3.0]),
        (nn.Hardshrink(), [-0.5, 0.5]),
        (torch.frac, [-1.0, 1.0, 7.0]),
        (lambda x: x % 2, [-2.0, 0.0, 4.0]),
        (lambda x: torch.fmod(x, other=torch.tensor(2.0)), [-2.0, 2.0]),
        (lambda x: x // 2, [-2.0, 0.0, 2.0]),
    ],
)
def test_joints_elsewhere(module: Callable[[Tensor], Tensor], joints: list[float]) -> None:
    for joint in joints:
        left, right = (choices(module, torch.tensor([joint + side], dtype=torch.float64)) for side in (-0.1, 0.1))
        assert not torch.equal(left.chosen, right.chosen), joint
        near = choices(module, torch.tensor([joint + 0.2], dtype=torch.float64))
        assert torch.equal(right.chosen, near.chosen), joint  # the control: beside the joint nothing changes


@pytest.mark.parametrize("place", [0, 99, 199])
def test_no_depth_forgets_a_choice(place: int) -> None:
    def deep(x: Tensor) -> None:
        for layer in range(200):
            torch.relu(x if layer == place else torch.ones_like(x))

    before, stretched, crossed = (choices(deep, x) for x in (POINTS, 3 * POINTS, POINTS + 0.75))
    assert torch.equal(before.chosen, stretched.chosen)
    assert (before.chosen != crossed.chosen).tolist() == [False, False, True, False, False, False]


def test_choices_of_two_operations_do_not_cancel() -> None:
    """relu(x) and relu(−x) exchange their choices where x changes sign."""
    before, crossed = (choices(lambda x: (torch.relu(x), torch.relu(-x)), x) for x in (POINTS, POINTS + 0.75))
    assert (before.chosen != crossed.chosen).tolist() == [False, False, True, False, False, False]


def test_smooth_operations_have_no_pieces() -> None:
    for function in (torch.tanh, functional.gelu, functional.silu, lambda x: torch.softmax(x[None], -1)):
        assert choices(function, POINTS).names == set()
    assert "gt" in PIECES and choices(lambda x: torch.arange(3) > 1, POINTS).names == set()  # integers do not move


def test_a_model_is_watched_without_being_changed() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))
    problem = Problem.from_module(net, torch.randn(7, 3), Gaussian())
    before = problem.truth_outputs(problem.inputs.double())
    pieces(problem, {}, problem.inputs.double(), 7)
    assert torch.equal(problem.truth_outputs(problem.inputs.double()), before)


@pytest.mark.parametrize("at", [2.0**-10, 2.0**-5, 0.5])
def test_a_sample_exactly_on_a_kink_does_not_bury_the_others(at: float) -> None:
    problem = hinges([1.0], [1.0 - at, 2.0, 3.0, 4.0])
    profile = along(problem)
    assert profile.fisher_floor < 1e-26  # the jump of that sample is no rounding
    assert order(profile).k == 1
    assert order(replace(profile, start=None)).status is not ReadingStatus.BELOW_FLOOR


def test_rounding_is_no_kink() -> None:
    """The control: one unit of c turns the phase by a hundredth in one of five samples, as far as a small kink."""
    problem = Problem(
        lambda p, x: torch.where(x > 0.5, torch.sin(1e14 * p["c"]) * (1 + p["t"]), p["t"]),
        {"t": torch.zeros((), dtype=torch.float64), "c": torch.ones((), dtype=torch.float64)},
        torch.tensor([[0.0], [0.0], [0.0], [0.0], [1.0]], dtype=torch.float64),
        Gaussian(),
    )
    assert along(problem).fisher_floor > 1e-3


def test_jumps_of_most_samples_are_rounding() -> None:
    one, most = ([1.0 - 2.0**-10] * count + [2.0] * (5 - count) for count in (1, 4))
    assert along(hinges([1.0], one)).fisher_floor < 1e-26
    assert along(hinges([1.0], most)).fisher_floor > 1e-3


def test_a_refusal_names_the_kinks() -> None:
    """With every radius above the kinks nothing can be read, and the reason is said."""
    rng = torch.Generator().manual_seed(3)
    inputs = (-(10 ** (-3 * torch.rand(60, generator=rng, dtype=torch.float64)))).tolist()
    profile = replace(along(hinges([0.0], inputs)), start=None)
    assert profile.kinks[-4] > 0
    reading = order(profile)
    assert reading.k is None and "a kink (relu)" in reading.why and "goes below the kinks" in reading.advice
    nameless = order(replace(profile, kinks=(), kinds=()))
    assert "kink (" not in nameless.why  # the control


def dead_unit(activation: type[nn.Module], seed: int) -> Profile:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(6, 32), activation(), nn.Linear(32, 32), activation(), nn.Linear(32, 3))
    with torch.no_grad():
        net[0].weight[0], net[0].bias[0], net[2].weight[:, 0] = 0.0, 0.0, 0.0
    direction = {"0.weight": torch.zeros(32, 6), "0.bias": torch.zeros(32), "2.weight": torch.zeros(32, 32)}
    direction["0.weight"][0], direction["0.bias"][0] = torch.randn(6), 1.0
    direction["2.weight"][:, 0] = torch.randn(32)
    return fisher_along(Problem.from_module(net, torch.randn(200, 6), Gaussian()), direction)


@pytest.mark.long
def test_kinks_above_do_not_spoil_what_is_read_below() -> None:
    """A dead unit has order 2 below the kinks of the layer after it."""
    profiles = [dead_unit(activation, seed) for activation in (nn.ReLU, nn.LeakyReLU) for seed in range(5)]
    assert all(sum(profile.kinks) > 0 for profile in profiles)
    assert [order(profile).k for profile in profiles] == [2] * 10
    assert "samples pass a kink" in order(profiles[0]).why
    unwatched = [order(replace(profile, kinks=(), kinds=())).k for profile in profiles]
    assert unwatched != [2] * 10  # the control: without the count of kinks some are refused


def test_counts_of_kinks_are_checked() -> None:
    with pytest.raises(Exception, match="2 radii but 1 counts of kinks"):
        Profile((0.5, 0.25), (1.0, 1.0), (1.0, 1.0), 0.0, 0.0, kinks=(1,))
    assert Profile((0.25, 0.5), (1.0, 1.0), (1.0, 1.0), 0.0, 0.0, kinks=(1, 2)).kinks == (2, 1)
