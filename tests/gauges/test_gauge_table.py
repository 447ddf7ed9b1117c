"""Each row of the table: the function stays along the orbit to 1e-12, and moves where the hypothesis is broken."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy
import pytest
import torch
from gauge_cases import CASES, Attention, Case, Chain, Frozen, Grouped, Shared, images, rows, seeded, tokens
from hostile_values import hostile_values
from torch import nn

from ddtheory.errors import DDTheoryError, InvalidValueError, MeasurementError, UnknownNameError
from ddtheory.gauges import (
    RULES,
    Centre,
    Gauge,
    Group,
    Kernel,
    Leg,
    Motion,
    Taker,
    find_gauges,
    measured,
    moved,
    spoiled,
)
from ddtheory.gauges.finding import FoundGauges, RefusedGauge, Seen
from ddtheory.measure import Gaussian, Problem
from ddtheory.networks import network_orders
from ddtheory.optim import DDCAdam, DDCMuon
from ddtheory.reads import read

SCALE_OF_CHAIN = Gauge(
    "rescaling",
    Group.POSITIVE,
    5,
    (Leg("first.weight"), Leg("first.bias"), Leg("second.weight", 1, dual=True)),
)


def _names(case: Case) -> str:
    return f"{case.rule}: {case.breaks}"


def _gauge(case: Case) -> tuple[Seen, Gauge]:
    model = seeded(case.model)
    found = find_gauges(model, case.inputs(), softmax=case.softmax)
    (gauge,) = [each for each in found.gauges if each.rule == case.rule]
    return Seen(model, case.inputs(), case.softmax), gauge


def test_every_row_has_a_case() -> None:
    assert {case.rule for case in CASES} == set(RULES), "write a case in gauge_cases.py"


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_row_says_what_it_is(name: str) -> None:
    rule = RULES[name]
    assert rule.name == name and rule.orbit and rule.hypothesis.endswith(".") and str(rule).startswith(name)


@pytest.mark.parametrize("case", CASES, ids=_names)
@pytest.mark.parametrize("size", [1.5, 8.0, 100.0])
def test_the_function_stays_along_the_orbit(case: Case, size: float) -> None:
    seen, gauge = _gauge(case)
    # rounding grows with the size of a shift: the logits lose digits as they grow
    shifts = (Group.SHIFT, Group.TRANSLATION, Group.KERNEL, Group.BIAS, Group.CENTRED)
    bound = 1e-12 * (size if gauge.group in shifts else 1)
    for seed in range(3):
        assert seen.gap(gauge, Motion(seed, size)) <= bound


@pytest.mark.parametrize("case", CASES, ids=_names)
def test_control_with_the_hypothesis_broken_it_moves(case: Case) -> None:
    _, gauge = _gauge(case)
    broken = seeded(case.broken)
    assert Seen(broken, case.inputs(), case.softmax_when_broken).gap(gauge) > 1e-3
    with pytest.raises(MeasurementError, match="does not have the gauge"):
        measured([gauge], broken, case.inputs(), softmax=case.softmax_when_broken)
    assert case.rule not in {
        each.rule
        for each in find_gauges(broken, case.inputs(), softmax=case.softmax_when_broken).gauges
        if each.legs == gauge.legs
    }


@pytest.mark.parametrize("case", CASES, ids=_names)
def test_control_a_spoiled_gauge_moves_the_function(case: Case) -> None:
    seen, gauge = _gauge(case)
    broken = spoiled(gauge)
    assert broken is not None and seen.gap(broken) > 1e-3


@pytest.mark.parametrize("case", CASES, ids=_names)
def test_a_move_moves_its_parameters_and_no_others(case: Case) -> None:
    seen, gauge = _gauge(case)
    there = moved(gauge, seen.parameters)
    changed = {name for name, value in there.items() if not torch.equal(value, seen.parameters[name])}
    assert changed == set(gauge.parameters)
    again = moved(gauge, seen.parameters)
    assert all(torch.equal(there[name], again[name]) for name in there)


def test_powers_of_two_move_nothing_at_all() -> None:
    case = CASES[0]
    seen, gauge = _gauge(case)
    assert seen.gap(gauge, Motion(3, 64.0, powers=True)) == 0
    assert seen.gap(gauge, Motion(3, 64.0)) > 0


def test_by_hand_two_channels_of_relu() -> None:
    """x ↦ 3 relu(2x) + relu(−x): scaling the first unit by c gives (2c, 3/c)."""
    theta = {
        "in": torch.tensor([[2.0], [-1.0]], dtype=torch.float64),
        "out": torch.tensor([[3.0, 1.0]], dtype=torch.float64),
    }
    gauge = Gauge("rescaling", Group.POSITIVE, 2, (Leg("in"), Leg("out", 1, dual=True)))
    there = moved(gauge, theta)
    assert torch.allclose(there["in"][:, 0] * there["out"][0], torch.tensor([6.0, -1.0], dtype=torch.float64))
    assert torch.equal(there["in"].sign(), theta["in"].sign()) and bool((there["in"] != theta["in"]).all())


Parts = tuple[torch.Tensor, ...]

SPELLINGS: dict[str, Callable[[torch.Tensor], Parts]] = {
    "chunks": lambda z: tuple(each.unflatten(-1, (2, 4)).transpose(1, 2) for each in z.chunk(3, -1)),
    "sizes": lambda z: tuple(each.unflatten(-1, (2, 4)).transpose(1, 2) for each in z.split([8, 8, 8], -1)),
    "slices": lambda z: tuple(z[..., 8 * i : 8 * i + 8].unflatten(-1, (2, 4)).transpose(1, 2) for i in range(3)),
    "unbound": lambda z: z.unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4).unbind(0),
    "indexed": lambda z: tuple(z.reshape(*z.shape[:2], 3, 2, 4).permute(2, 0, 3, 1, 4)[i] for i in range(3)),
    "heads in the batch": lambda z: tuple(
        each.unflatten(-1, (2, 4)).transpose(1, 2).reshape(-1, z.shape[1], 4) for each in z.chunk(3, -1)
    ),
}
"""Ways from one matrix to the heads of queries, keys and values."""


class Fused(Attention):
    """Queries, keys and values from one matrix."""

    def __init__(self, spelling: str = "chunks") -> None:
        super().__init__()
        del self.query, self.key, self.value
        self.fused, self.parts = nn.Linear(8, 24), SPELLINGS[spelling]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed = nn.functional.scaled_dot_product_attention(*self.parts(self.fused(x)))
        return self.out(mixed.reshape(x.shape[0], 2, -1, 4).transpose(1, 2).flatten(-2))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_matrix_is_taken_apart_in_any_spelling(spelling: str) -> None:
    found = {each.rule: each for each in find_gauges(seeded(lambda: Fused(spelling)), tokens()).gauges}
    for rule, starts in (("query–key scale", [0, 0, 8, 8]), ("value–output scale", [16, 16, 0]), ("key bias", [8, 8])):
        assert [leg.start for leg in found[rule].legs] == starts and found[rule].channels == 8


class Pixels(nn.Module):
    """An attention of pixels: queries, keys and values by a convolution, whose channels are not the last axis."""

    def __init__(self) -> None:
        super().__init__()
        self.fused, self.out = nn.Conv2d(8, 24, 1), nn.Conv2d(8, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = self.fused(x).reshape(len(x), 3, 2, 4, -1).transpose(-1, -2).unbind(1)
        mixed = nn.functional.scaled_dot_product_attention(*parts)
        return self.out(mixed.transpose(-1, -2).reshape(x.shape)).tanh()


def test_an_attention_of_pixels_has_the_gauges_of_one_of_tokens() -> None:
    found = {
        each.rule: each for each in find_gauges(seeded(Pixels), tokens().mT[:, :, :4].unflatten(-1, (2, 2))).gauges
    }
    for rule, starts in (("query–key scale", [0, 0, 8, 8]), ("value–output scale", [16, 16, 0]), ("key bias", [8, 8])):
        assert [leg.start for leg in found[rule].legs] == starts and found[rule].channels == 8


class Idle(Attention):
    """Queries pass calls that hand back what they are given, in the way of norms that compute in another type."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            each(x).unflatten(-1, (2, 4)).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        query = query.to(torch.float64).contiguous().double().type_as(x)
        mixed = nn.functional.scaled_dot_product_attention(query.tanh().to(x.dtype), key, value)
        return self.out(mixed.transpose(1, 2).flatten(-2))


def test_calls_that_hand_back_what_they_are_given_are_no_steps() -> None:
    """What made the queries was looked for behind them without end."""
    found = {each.rule for each in find_gauges(seeded(Idle), tokens()).gauges}
    assert {"value–output scale", "key bias"} <= found and "query–key scale" not in found


def test_control_channels_that_do_not_lie_side_by_side_are_no_part() -> None:
    """Each head has its queries, keys and values together, so those of all heads are no range; or they are bent."""

    class Woven(Fused):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.parts = lambda z: z.unflatten(-1, (2, 12)).transpose(1, 2).chunk(3, -1)
            return super().forward(x)

    class Bent(Fused):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.parts = lambda z: tuple(each.tanh() for each in SPELLINGS["chunks"](z))
            return super().forward(x)

    for make in (Woven, Bent):
        found = find_gauges(seeded(make), tokens())
        assert not {each.rule for each in found.gauges} & {"query–key scale", "value–output scale", "key bias"}
    assert any(each.rule == "query–key scale" for each in find_gauges(seeded(Fused), tokens()).gauges)


@pytest.mark.parametrize("make", [Fused, lambda: nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)])
def test_attention_from_one_matrix(make: type[nn.Module]) -> None:
    found = {each.rule: each for each in find_gauges(seeded(make), tokens()).gauges}
    heads = {"query–key scale", "query–key rotation", "value–output scale", "value–output rotation"}
    assert heads <= set(found) and all(found[name].blocks == 2 for name in heads)
    assert [leg.start for leg in found["query–key scale"].legs] == [0, 0, 8, 8]


def test_a_swish_gate_scales_its_linear_branch() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.up, self.down = nn.Linear(3, 6), nn.Linear(3, 6), nn.Linear(6, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.down(nn.functional.silu(self.gate(x)) * self.up(x))

    found = find_gauges(seeded(Gated), rows())
    (scale,) = [each for each in found.gauges if each.rule == "rescaling"]
    assert scale.parameters == ("up.weight", "up.bias", "down.weight")
    (order,) = [each for each in found.gauges if each.rule == "permutation"]
    assert order.parameters == ("gate.weight", "gate.bias", "up.weight", "up.bias", "down.weight")
    # the permutation of one branch alone is proposed, measured, and refused
    assert any(each.gauge.rule == "permutation" and "moves by" in each.why for each in found.refused)


def test_dead_channels_are_not_seen() -> None:
    model = seeded(lambda: Chain(nn.functional.relu))
    with torch.no_grad():
        model.get_parameter("first.bias").fill_(-1e3)
    found = find_gauges(model, rows())
    unseen = {each.gauge.rule for each in found.refused if "do not see" in each.why}
    assert not found.gauges and unseen == {"rescaling", "permutation"}


GOOD = Gauge("mine", Group.POSITIVE, 5, (Leg("first.weight"), Leg("first.bias"), Leg("second.weight", 1, dual=True)))


def test_a_gauge_by_hand_is_measured() -> None:
    assert measured([GOOD], seeded(lambda: Chain(nn.functional.relu)), rows()) == (GOOD,)


@pytest.mark.parametrize(
    ("gauge", "error"),
    [
        (replace(GOOD, legs=(*GOOD.legs[:2], Leg("third.weight", 1, dual=True))), UnknownNameError),
        (replace(GOOD, legs=(Leg("first.weight", 2), *GOOD.legs[1:])), InvalidValueError),
        (replace(GOOD, channels=6), InvalidValueError),
        (replace(GOOD, legs=GOOD.legs[:2]), MeasurementError),  # one side only: no gauge at all
        (replace(GOOD, legs=(GOOD.legs[0], GOOD.legs[2])), MeasurementError),  # without the bias it is none
        ("rescaling", InvalidValueError),
    ],
)
def test_a_gauge_that_is_none_is_refused(gauge: Gauge, error: type[Exception]) -> None:
    with pytest.raises(error):
        measured([gauge], seeded(lambda: Chain(nn.functional.relu)), rows())


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gauge("none", Group.POSITIVE, 2, ()),
        lambda: Gauge("blocks", Group.ROTATION, 5, (Leg("a"),), blocks=2),
        lambda: Gauge("twice", Group.POSITIVE, 2, (Leg("a"), Leg("a", dual=True))),
        lambda: Gauge("text", "positive", 2, (Leg("a"),)),  # type: ignore[arg-type]
        lambda: FoundGauges(5),  # type: ignore[arg-type]
        lambda: FoundGauges((), ("why",)),  # type: ignore[arg-type]
        lambda: RefusedGauge("gauge", "why"),  # type: ignore[arg-type]
        lambda: Centre("beta", {2.0, 1.0}),  # type: ignore[arg-type]
        lambda: Leg("a", -1),
        lambda: Leg("a", torch.zeros(0), groups=2),  # type: ignore[arg-type]
        lambda: Leg(3),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_gauge_cannot_be_written(make: object) -> None:
    with pytest.raises(InvalidValueError):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        ("model", rows()),
        (nn.Identity(), rows()),
        (nn.Linear(3, 2), "inputs"),
        (nn.LazyLinear(2), rows()),
        (nn.Linear(3, 2, device="meta"), rows()),
        (nn.Linear(3, 2, dtype=torch.complex64), rows()),
        (nn.LSTM(3, 2), rows()),
    ],
)
def test_what_has_no_gauges_is_refused(model: nn.Module, inputs: torch.Tensor) -> None:
    with pytest.raises(InvalidValueError):
        find_gauges(model, inputs)


def test_outputs_that_are_not_finite_are_refused() -> None:
    with pytest.raises(MeasurementError, match="finite"):
        find_gauges(nn.Linear(3, 2), rows() * float("nan"))


def test_nothing_of_the_model_changes() -> None:
    model = Chain(nn.functional.relu).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    find_gauges(model, rows())
    assert model.training and all(torch.equal(before[name], value) for name, value in model.state_dict().items())


class Named(Attention):
    """The same attention, every argument by its name."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            torch.transpose(input=each(x).unflatten(-1, (2, 4)), dim0=1, dim1=2)
            for each in (self.query, self.key, self.value)
        )
        mixed = nn.functional.scaled_dot_product_attention(query=query, key=key, value=value)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class Product(nn.Module):
    """x A B, spelled in two ways."""

    def __init__(self, by_name: bool) -> None:
        super().__init__()
        self.a, self.b, self.by_name = nn.Parameter(torch.ones(3, 4)), nn.Parameter(torch.ones(4, 2)), by_name

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.by_name:
            return torch.mm(input=torch.matmul(x, other=self.a), mat2=self.b)
        return torch.mm(torch.matmul(x, self.a), self.b)


def test_arguments_by_name_are_read_like_those_by_place() -> None:
    placed, named = (find_gauges(seeded(lambda b=b: Product(b)), rows()).gauges for b in (False, True))
    assert placed == named and {gauge.group for gauge in placed} >= {Group.ROTATION, Group.POSITIVE}
    whole = seeded(lambda: nn.MultiheadAttention(8, 2))

    class Spelled(nn.Module):
        """torch's own attention, its function called by names."""

        def __init__(self, by_name: bool) -> None:
            super().__init__()
            self.inner, self.by_name = whole, by_name

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            own = self.inner
            given = {
                "embed_dim_to_check": 8,
                "num_heads": 2,
                "in_proj_weight": own.in_proj_weight,
                "in_proj_bias": own.in_proj_bias,
                "bias_k": None,
                "bias_v": None,
                "add_zero_attn": False,
                "dropout_p": 0.0,
                "out_proj_weight": own.out_proj.weight,
                "out_proj_bias": own.out_proj.bias,
                "training": False,
                "need_weights": False,
            }
            if self.by_name:
                return nn.functional.multi_head_attention_forward(query=x, key=x, value=x, **given)[0]
            return nn.functional.multi_head_attention_forward(x, x, x, **given)[0]

    placed, named = (find_gauges(Spelled(by_name), tokens()).gauges for by_name in (False, True))
    assert placed == named and len(named) >= 4


def test_an_attention_by_names_has_its_gauges() -> None:
    found = {gauge.rule for gauge in find_gauges(seeded(Named), tokens()).gauges}
    assert found >= {"query–key rotation", "value–output rotation", "query–key scale", "value–output scale"}


@pytest.mark.parametrize("inputs", [torch.ones(5, 4), (torch.ones(5, 3), torch.ones(5, 3)), (torch.ones(5, 3), "x")])
def test_inputs_that_the_model_does_not_take_get_one_sentence(inputs: object) -> None:
    model = seeded(lambda: Chain(nn.functional.relu))
    for ask in (lambda: find_gauges(model, inputs), lambda: measured([SCALE_OF_CHAIN], model, inputs)):
        with pytest.raises(MeasurementError, match="The model fails on these inputs"):
            ask()


def test_a_function_that_is_no_number_along_the_orbit_does_not_stay() -> None:
    """max(a, nan) is a in Python: a function that is NaN at the second move only must not pass as one that stays."""
    chain = seeded(lambda: Chain(nn.functional.relu)).double()
    there = moved(SCALE_OF_CHAIN, dict(chain.named_parameters()), Motion(2, 1.5))["first.bias"].detach()

    class Poisoned(nn.Module):
        def __init__(self, poison: float) -> None:
            super().__init__()
            self.first, self.second, self.poison = chain.first, chain.second, poison

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            met = (self.first.bias - there).abs().max() < 1e-9
            return self.second(self.first(x).relu()) + torch.where(met, self.poison, 0.0)

    assert measured([SCALE_OF_CHAIN], Poisoned(0.0), rows()) == (SCALE_OF_CHAIN,)  # the control
    with pytest.raises(MeasurementError, match=r"moves by 1.*e\+"):
        measured([SCALE_OF_CHAIN], Poisoned(1e9), rows())  # that point is met
    with pytest.raises(MeasurementError, match="is no number"):
        measured([SCALE_OF_CHAIN], Poisoned(torch.nan), rows())


@pytest.mark.parametrize("given", [{"seed": -1}, {"seed": 0.5}, {"size": 0}, {"size": -2.0}, {"powers": 1}])
def test_a_motion_that_is_none_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError):
        Motion(**given)


@pytest.mark.parametrize("size", [torch.nan, torch.inf, "8", 10**400])
def test_a_size_that_is_no_finite_number_is_refused(size: object) -> None:
    with pytest.raises(InvalidValueError, match="size of a motion"):
        Motion(size=size)


@pytest.mark.parametrize(("start", "fits"), [(0, False), (1, False), (2, False), (3, True), (4, True)])
def test_legs_that_overlap_are_refused(start: int, fits: bool) -> None:
    """Three channels from 0 and three from `start`; other axes and parameters are other places."""
    legs = (Leg("w", 0, True, start), Leg("w"), Leg("w", 1, start=1), Leg("b", start=1))
    if fits:
        assert Gauge("scale", Group.POSITIVE, 3, legs).legs == legs
    else:
        with pytest.raises(InvalidValueError, match=f"acts twice on index {start} of axis 0 of w"):
            Gauge("scale", Group.POSITIVE, 3, legs)


def test_integers_of_other_libraries_are_kept_as_integers() -> None:
    leg = Leg("w", numpy.int64(1), start=numpy.int32(2))  # type: ignore[arg-type]
    assert [type(value) for value in (leg.axis, leg.start)] == [int, int] and leg == Leg("w", 1, start=2)
    assert type(Motion(numpy.int64(3)).seed) is int  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "value"), hostile_values())
def test_parameters_and_channels_of_any_kind_are_refused_in_one_line(name: str, value: object) -> None:
    number = name == "numpy integer"  # of channels
    for refused in (lambda: moved(GOOD, value), lambda: replace(GOOD, channels=None if number else value)):
        with pytest.raises(DDTheoryError) as error:
            refused()
        assert str(error.value).isprintable()


class Called(nn.Module):
    """A hidden layer under a name that torch does not look at."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.called = name
        self._modules[name] = nn.Linear(2, 2)
        self.last = nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self._modules[self.called](x)))  # type: ignore[misc]


NAMES = [
    lambda name: Leg(name),
    lambda name: Kernel(name),
    lambda name: Kernel("gain", name, "bias"),
    lambda name: Kernel("gain", "offset", name),
    lambda name: Taker(Leg("weight"), name),
    lambda name: Centre(name, (1.0,)),
    lambda name: replace(GOOD, rule=name),
    lambda name: GOOD.check({name: torch.ones(1)}),
    lambda name: find_gauges(Called(name), torch.eye(2)),
    lambda name: DDCAdam(Called(name), inputs=torch.eye(2)),
    lambda name: DDCMuon([(name, nn.Parameter(torch.ones(2, 2)))], gauges=()),
    lambda name: read(Called(name), torch.eye(2), head=Gaussian(), n=100),
    lambda name: network_orders(Called(name).double(), {"last.weight": 1}),
    lambda name: Problem.from_module(Called(name).double(), torch.eye(2).double(), Gaussian()),
]


@pytest.mark.parametrize("use", NAMES)
def test_names_that_nothing_can_print_are_refused(use: Callable[[str], object]) -> None:
    """Half of a surrogate pair has no bytes; a report, a file or a terminal would fail on it long after."""
    with pytest.raises(InvalidValueError, match="half of a surrogate pair") as error:
        use("hidden\ud800")
    assert str(error.value).isprintable() and str(error.value).encode()


@pytest.mark.parametrize("use", NAMES[:8])
def test_names_of_no_letters_are_refused(use: Callable[[str], object]) -> None:
    with pytest.raises(InvalidValueError, match="is ''"):
        use("")


@pytest.mark.parametrize(
    "use",
    [
        lambda name: Leg(name, axis=-1),
        lambda name: Leg(name, groups=2),
        lambda name: Kernel("gain", name),
        lambda name: Centre(name, (math.inf,)),
        lambda name: replace(GOOD, rule=name, channels=0),
        lambda name: replace(GOOD, legs=(Leg(name), Leg(name))),
        lambda name: replace(GOOD, legs=(Leg(name, 5),)).check({name: torch.ones(2)}),
        lambda name: DDCAdam([(name, nn.Parameter(torch.ones(1).half()))], gauges=()),
    ],
)
def test_a_name_of_ten_thousand_signs_is_cut_where_it_is_refused(use: Callable[[str], object]) -> None:
    with pytest.raises(InvalidValueError) as error:
        use("-" * 10_000)
    assert len(str(error.value)) < 500


def test_control_names_of_other_alphabets_are_names() -> None:
    assert "λ 𝔸.weight" in str(find_gauges(seeded(lambda: Called("λ 𝔸")), rows()[:, :2]).gauges[0])


def test_inputs_that_no_memory_holds_are_refused() -> None:
    with pytest.raises(MeasurementError, match="The model fails on these inputs"):
        measured([GOOD], seeded(lambda: Chain(nn.functional.relu)), rows().float().flatten()[:1].expand(10**13))


# --- one matrix on both sides --------------------------------------------------------------------------------------


class Tied(nn.Module):
    """Wᵀφ(Wx + b): an autoencoder with one matrix."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.only, self.activation = nn.Linear(3, 4), activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(self.only(x)) @ self.only.weight


class OneMap(nn.Module):
    """Queries, keys and values by one map: rotations of it are undone behind, scales are none."""

    def __init__(self) -> None:
        super().__init__()
        self.only, self.last = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = self.only(x)
        return self.last(nn.functional.scaled_dot_product_attention(z, z, z))


class ValuesBack(nn.Module):
    """The map of the values is that of the output as well."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(4, 4) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = nn.functional.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x))
        return found @ self.value.weight


@pytest.mark.parametrize(
    ("make", "shape", "rules"),
    [
        (lambda: Tied(nn.Tanh()), (9, 3), {"sign flips", "permutation"}),
        (lambda: Tied(nn.ReLU()), (9, 3), {"permutation"}),
        (lambda: Tied(nn.Identity()), (9, 3), {"rotation", "sign flips", "permutation"}),
        (OneMap, (2, 5, 4), {"value–output rotation"}),
        (ValuesBack, (2, 5, 4), {"query–key scale", "query–key rotation", "key bias", "value–output rotation"}),
    ],
    ids=["tanh", "ReLU", "linear", "one map", "values back"],
)
def test_a_matrix_on_both_sides_of_a_rule_is_no_error(
    make: Callable[[], nn.Module], shape: tuple[int, ...], rules: set[str]
) -> None:
    """No scale of W and 1/scale of W at once; but OW is both sides of a rotation, and what else there is is found."""
    found = find_gauges(seeded(make), torch.randn(shape, generator=torch.Generator().manual_seed(0)))
    assert {gauge.rule for gauge in found.gauges} == rules


def test_by_hand_the_kernel_of_a_norm() -> None:
    """γ = (1, 2, 2) has κ = (2, 1, 1)/√6, and β = (3, 0, 0) gives κ·β = √6; with γ₂ = 0 it is the second channel."""
    gauge = Gauge("kernel", Group.KERNEL, 3, (Leg("w", 1),), kernel=Kernel("gain", "offset", "bias"))
    theta = {
        "w": torch.zeros(2, 3, dtype=torch.float64),
        "bias": torch.zeros(2, dtype=torch.float64),
        "gain": torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64),
        "offset": torch.tensor([3.0, 0.0, 0.0], dtype=torch.float64),
    }
    there = moved(gauge, theta)
    by = there["w"][:, 1] * 6**0.5
    assert torch.allclose(there["w"], by[:, None] * torch.tensor([2.0, 1.0, 1.0], dtype=torch.float64) / 6**0.5)
    assert torch.allclose(there["bias"], -by * 6**0.5) and bool((by != 0).all())
    assert gauge.parameters == ("w", "bias") and gauge.rows()["along"] == "1/gain"
    theta["gain"][1] = 0.0
    there = moved(gauge, theta)
    assert bool((there["w"] != 0).all(0).tolist() == [False, True, False]) and torch.equal(there["bias"], theta["bias"])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Gauge("k", Group.KERNEL, 3, (Leg("w", 1),)), "needs a kernel"),
        (lambda: Gauge("k", Group.SHIFT, 3, (Leg("w", 1),), kernel=Kernel("gain")), "needs a kernel"),
        (lambda: Gauge("k", Group.KERNEL, 3, (Leg("w", 1), Leg("v")), kernel=Kernel("gain")), "needs a kernel"),
        (lambda: Kernel("gain", "offset"), "name a bias"),
    ],
)
def test_a_kernel_that_says_nothing_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        make()


def test_a_kernel_must_fit_the_parameters() -> None:
    gauge = Gauge("kernel", Group.KERNEL, 3, (Leg("w", 1),), kernel=Kernel("gain"))
    with pytest.raises(InvalidValueError, match="needs 3 numbers in gain"):
        gauge.check({"w": torch.zeros(2, 3), "gain": torch.zeros(2)})
    with pytest.raises(UnknownNameError, match="gain"):
        gauge.check({"w": torch.zeros(2, 3)})


# --- heads that share keys, rotary positions, groups, centres, biases ----------------------------------------------


def test_heads_that_share_keys_and_values_move_together() -> None:
    """Two heads of keys for four of queries: a group for each head of keys, on the rows of the queries that meet it."""
    found = find_gauges(seeded(Shared), tokens()).gauges
    turns = [each for each in found if each.rule == "query–key rotation"]
    rows_of = [[(leg.start, leg.dual) for leg in each.legs if leg.parameter.endswith("weight")] for each in turns]
    assert rows_of == [[(0, False), (4, False), (0, True)], [(8, False), (12, False), (4, True)]]
    values = [each for each in found if each.rule == "value–output scale"]
    assert [[leg.start for leg in each.legs if leg.parameter == "out.weight"] for each in values] == [[0, 4], [8, 12]]
    broken = find_gauges(seeded(lambda: Shared(own=True)), tokens())
    assert not {"query–key rotation", "value–output scale"} & {each.rule for each in broken.gauges}


def test_what_commutes_with_rotary_positions_is_complex_and_no_more() -> None:
    """Shared heads too. Scales of single channels, and rotations of all of a head, are no gauges there."""
    found = find_gauges(seeded(lambda: Shared(rotary=True)), tokens()).gauges
    rules = [each.rule for each in found]
    assert rules.count("rotary query–key") == 2 and not {"query–key scale", "query–key rotation", "key bias"} & set(
        rules
    )
    one = next(each for each in found if each.rule == "rotary query–key")
    model = seeded(lambda: Shared(rotary=True))
    for other in (Group.POSITIVE, Group.ROTATION):
        with pytest.raises(MeasurementError, match="does not have the gauge"):
            measured([replace(one, group=other)], model, tokens())


def test_by_hand_a_complex_scale() -> None:
    """q = 1 + 2i and k = 3 − i: Re(z q · conj(k/z̄)) is Re(q k̄) for any z."""
    theta = {name: torch.tensor([[a], [b]], dtype=torch.float64) for name, a, b in (("q", 1, 2), ("k", 3, -1))}
    gauge = Gauge("turn", Group.COMPLEX, 2, (Leg("q"), Leg("k", dual=True)))
    there = moved(gauge, theta)
    before, after = (
        complex(*values["q"].flatten()) * complex(*values["k"].flatten()).conjugate() for values in (theta, there)
    )
    assert abs(before - after) < 1e-12 and float((there["q"] - theta["q"]).abs().min()) > 0.1
    with pytest.raises(InvalidValueError, match="even size"):
        Gauge("turn", Group.COMPLEX, 3, (Leg("q"), Leg("k", dual=True)))


def test_by_hand_a_grouped_kernel() -> None:
    """Two groups of one channel each, two outputs a group: channel 1 is heard by outputs 2 and 3 alone."""
    theta = {"in": torch.ones(2, 1, dtype=torch.float64), "kernel": torch.ones(4, 1, 1, dtype=torch.float64)}
    gauge = Gauge("scale", Group.POSITIVE, 2, (Leg("in"), Leg("kernel", 1, dual=True, groups=2)))
    there = moved(gauge, theta)
    c = there["in"].flatten()
    assert torch.allclose(there["kernel"].flatten(), 1 / torch.stack([c[0], c[0], c[1], c[1]]))
    with pytest.raises(InvalidValueError, match="groups"):
        Leg("kernel", 0, groups=2)
    with pytest.raises(InvalidValueError, match="Check axis, start, groups"):
        replace(gauge, channels=3).check({**theta, "in": torch.ones(3, 1)})


def test_rotations_of_what_a_grouped_kernel_reads_stay_in_a_group() -> None:
    (turn,) = [
        each for each in find_gauges(seeded(lambda: Grouped(lambda x: x)), images()).gauges if each.rule == "rotation"
    ]
    assert (turn.channels, turn.blocks) == (6, 2)
    with pytest.raises(MeasurementError, match="does not have the gauge"):
        measured([replace(turn, blocks=1)], seeded(lambda: Grouped(lambda x: x)), images())


def test_by_hand_a_scale_about_a_centre() -> None:
    """γ(z − μ)/σ + β with μ/σ = 3: halving γ = 2 moves β by 3(1 − 2)."""
    (gauge,) = [e for e in find_gauges(seeded(Frozen), rows()).gauges if e.group is Group.CENTRED]
    assert gauge.centre is not None and gauge.centre.ratio[3] == pytest.approx(2 / (0.1 + 1e-5) ** 0.5, rel=1e-6)
    own = Gauge("own", Group.CENTRED, 1, (Leg("w"), Leg("gain", dual=True)), centre=Centre("offset", (3.0,)))
    theta = {"w": torch.ones(1, 1).double(), "gain": torch.tensor([2.0]).double(), "offset": torch.zeros(1).double()}
    there = moved(own, theta)
    assert float(there["offset"]) == pytest.approx(3 * (float(there["gain"]) - 2)) and float(there["offset"]) != 0


def test_in_training_the_scale_before_a_batch_norm_is_another_one() -> None:
    """With statistics of the batch the map may be scaled alone; the table speaks of evaluation."""
    wrong = replace(
        next(e for e in find_gauges(seeded(Frozen), rows()).gauges if e.group is Group.CENTRED),
        centre=Centre("norm.bias", (0.0,) * 4),
    )
    with pytest.raises(MeasurementError, match="does not have the gauge"):
        measured([wrong], seeded(Frozen), rows())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Gauge("b", Group.BIAS, 3, (Leg("b"),)), "needs takers"),
        (lambda: Gauge("b", Group.POSITIVE, 3, (Leg("b"),), takers=(Taker(Leg("w", 1), "c"),)), "needs takers"),
        (lambda: Gauge("b", Group.CENTRED, 3, (Leg("w"), Leg("g", dual=True))), "a centre"),
        (lambda: Gauge("b", Group.CENTRED, 2, (Leg("w"), Leg("g", dual=True)), centre=Centre("o", (1.0,))), "a ratio"),
        (lambda: Gauge("b", Group.CENTRED, 1, (Leg("w"), Leg("g")), centre=Centre("o", (1.0,))), "last leg, dual"),
        (lambda: Centre("o", (float("inf"),)), "not all finite"),
        (lambda: Centre("o", 3.0), "give a list"),  # type: ignore[arg-type]
    ],
)
def test_what_takes_up_must_fit(make: Callable[[], object], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        make()


def test_takers_must_fit_the_parameters() -> None:
    gauge = Gauge("shift", Group.BIAS, 2, (Leg("b"),), takers=(Taker(Leg("w", 1), "c"),))
    theta = {"b": torch.zeros(2), "w": torch.zeros(3, 2), "c": torch.zeros(3)}
    gauge.check(theta)
    for wrong in ({"c": torch.zeros(2)}, {"c": torch.zeros(4)}, {"w": torch.zeros(3, 1)}):
        with pytest.raises(InvalidValueError):
            gauge.check({**theta, **wrong})


# --- what norms take out -------------------------------------------------------------------------------------------


class Blocks(nn.Module):
    """Tables, a token of its own and a norm whose offset adds to the stream; norms before the maps, and one at the end.

    `last` is what reads the stream at the end, `scale` is what an attention is multiplied with.
    """

    def __init__(self, last: nn.Module | None, scale: torch.Tensor | float = 0.5) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(7, 8), nn.Parameter(torch.ones(1, 9, 8))
        self.own, self.first = nn.Parameter(torch.ones(8)), nn.LayerNorm(8)
        self.before, self.attention = nn.LayerNorm(8), nn.MultiheadAttention(8, 2, batch_first=True)
        self.head, self.last, self.scale = nn.Linear(8, 3), last or nn.LayerNorm(8), scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        own = self.own.expand(len(x), 1, 8)
        stream = torch.cat([own, self.tokens(x) * 8**0.5], 1)
        stream = self.first(stream + self.positions[:, : stream.shape[1]])
        y = self.before(stream)
        stream = stream + self.scale * self.attention(y, y, y, need_weights=False)[0]
        found: torch.Tensor = self.head(self.last(stream)[:, 0])
        return found


def _writers(model: Callable[[], nn.Module]) -> set[tuple[str, ...]]:
    found = find_gauges(seeded(model), torch.arange(14).reshape(2, 7) % 7)
    assert all(each.gauge.rule != "normalisation shift" for each in found.refused)  # it is seen on the tape
    return {gauge.parameters for gauge in found.gauges if gauge.rule == "normalisation shift"}


TABLES = {("tokens.weight",), ("positions",), ("own",)}
STREAM = {("attention.out_proj.weight", "attention.out_proj.bias"), ("first.bias",)}


def test_by_hand_who_adds_to_a_stream_that_norms_alone_read() -> None:
    assert _writers(lambda: Blocks(None)) == TABLES | STREAM


@pytest.mark.parametrize(
    "last", [nn.Identity(), nn.RMSNorm(8), nn.GroupNorm(1, 8), nn.Tanh()], ids=lambda last: type(last).__name__
)
def test_control_what_reads_the_end_of_a_stream_sees_the_mean(last: nn.Module) -> None:
    """The first norm reads the tables all the same."""
    if isinstance(last, nn.GroupNorm):  # over tokens as well, so that the mean of one of them is seen
        last = nn.Sequential(Turned(), last, Turned())
    assert _writers(lambda: Blocks(last)) == TABLES


class Turned(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.transpose(1, 2)


def test_control_a_scale_for_each_channel_turns_the_shift() -> None:
    scale = torch.linspace(0.5, 1.0, 8, dtype=torch.float64)
    assert _writers(lambda: Blocks(None, scale)) == TABLES | {("first.bias",)}


def test_control_outputs_of_a_grouped_kernel_read_inputs_of_their_own() -> None:
    """Only its bias is shifted alike in all channels; that of a kernel of one group goes with its entries."""

    class Channels(nn.Module):
        def __init__(self, groups: int) -> None:
            super().__init__()
            self.first, self.norm = nn.Conv2d(4, 4, 2, groups=groups), nn.LayerNorm(4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.norm(self.first(x).permute(0, 2, 3, 1)).tanh()
            return found

    inputs = images().expand(-1, 4, -1, -1) * torch.arange(1, 5)[:, None, None]
    for groups, expected in ((1, ("first.weight", "first.bias")), (2, ("first.bias",)), (4, ("first.bias",))):
        found = find_gauges(seeded(lambda g=groups: Channels(g)), inputs).gauges
        assert [each.parameters for each in found if each.rule == "normalisation shift"] == [expected]


class Added(nn.Module):
    """xA + b, and norms of so many channels of it; the output is what they make, or the sum itself."""

    def __init__(self, size: int = 4, output: bool = False) -> None:
        super().__init__()
        self.a, self.b = nn.Parameter(torch.ones(3, 4)), nn.Parameter(torch.ones(4))
        self.size, self.output = size, output

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        stream = x @ self.a + self.b
        norm = nn.functional.layer_norm(stream.unflatten(-1, (-1, self.size)), (self.size,)).flatten(-2)
        return stream if self.output else norm.tanh()


@pytest.mark.parametrize(
    ("model", "expected"),
    [(Added, [("a", "b")]), (lambda: Added(2), []), (lambda: Added(output=True), [])],
    ids=["a bias in a call of its own", "norms of halves", "the sum is the output"],
)
def test_control_a_sum_is_proposed_once_and_where_whole_norms_alone_read_it(
    model: Callable[[], nn.Module], expected: list[tuple[str, ...]]
) -> None:
    found = find_gauges(seeded(model), rows())
    every = [*found.gauges, *(each.gauge for each in found.refused)]
    assert [each.parameters for each in every if each.rule == "normalisation shift"] == expected
