"""Derived orders against orders that float64 shows on the module itself: "exactly" is met, "at least" is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sympy
import torch
import torch.nn.functional as F
from architectures import Case, Residual, cases, generic
from hypothesis import given, settings
from hypothesis import strategies as st
from network_slopes import LADDER, RATIO, Readings, along, measured
from sympy import Integer, oo
from torch import Tensor, nn

from ddtheory import measure
from ddtheory.exact.orders.valuation import Valuation
from ddtheory.networks import NetworkOrders, network_orders

# powers are whole, so second moments of analytic networks have even rates, and moments of ReLU networks whole ones
# (a gate boundary has probability of order t^d): 0.3 leaves no room for a neighbour
NEAR = 0.3
# a second moment below this share vanishes in the rounding of the value that it is a deviation of
SMALL = 1e-22


def derived(orders: NetworkOrders) -> Iterator[tuple[str, str, int, Valuation]]:
    """Every order as that of a second moment."""
    yield "K", "", 0, orders.divergence
    kinds = (("activation", orders.activations), ("deviation", orders.deviations), ("signal", orders.signals))
    for kind, of_modules in kinds:
        for name, of_units in of_modules.items():
            for unit, order in enumerate(of_units.flat):
                yield kind, name, unit, 2 * order


def verdicts(orders: NetworkOrders, readings: Readings) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"met": [], "bound": [], "unread": [], "wrong": []}
    for kind, name, unit, order in derived(orders):
        slope = readings.slope(kind, name, unit)
        expected = math.inf if order.value == oo else float(order.value)
        if slope is None or (slope == math.inf and expected < math.inf and LADDER[0] ** expected < SMALL):
            verdict = "unread"
        elif order.exact:
            verdict = "met" if slope == expected or abs(slope - expected) < NEAR else "wrong"
        else:
            verdict = "bound" if slope > expected - NEAR else "wrong"
        found[verdict].append(f"{kind} of {name!r} at {unit}: derived {order}, measured {slope}")
    return found


def compare(case: Case) -> dict[str, list[str]]:
    orders = network_orders(case.model, case.scaling, shape=case.shape, loss=case.loss)
    return verdicts(orders, measured(case.model, case.scaling, case.shape, loss=case.loss))


@pytest.mark.long
@given(case=cases())
@settings(max_examples=30, derandomize=True)
def test_random_architectures(case: Case) -> None:
    found = compare(case)
    assert not found["wrong"]
    assert len(found["unread"]) <= 0.2 * sum(map(len, found.values()))


@pytest.mark.long
@given(case=cases(), first=st.integers(1, 3), second=st.integers(1, 3))
@settings(max_examples=25, derandomize=True)
def test_symbolic_powers_specialise(case: Case, first: int, second: int) -> None:
    """Powers 1 and 2 replaced by symbols a and b: every value of the symbols gives the orders of that path."""
    a, b = sympy.symbols("a b", positive=True, integer=True)
    symbols = {0: Integer(0), 1: a, 2: b}
    values = {0: 0, 1: first, 2: second}

    def replaced(by: dict[int, Any]) -> NetworkOrders:
        scaling = {
            name: {tuple(index): by[int(power)] for index, power in zip(indices(powers), powers.flatten(), strict=True)}
            for name, powers in case.scaling.items()
        }
        return network_orders(case.model, scaling, shape=case.shape, loss=case.loss)

    for general, special in zip(derived(replaced(symbols)), derived(replaced(values)), strict=True):
        value = general[3].value
        value = value if value == oo else value.xreplace({a: Integer(first), b: Integer(second)}).doit()
        assert special[3].value == value
        if general[3].exact:
            assert special[3].exact, (general, special)  # also where the arguments of a Min tie


def indices(powers: Tensor) -> list[list[int]]:
    return torch.ones_like(powers).nonzero().tolist()


class Attention(nn.Module):
    """Two heads by hand, from raw parameters, causal, with a residual that can be left out."""

    def __init__(self, width: int, residual: bool) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Parameter(torch.empty(width, width)) for _ in range(4))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        batch, positions, width = x.shape

        def heads(weight: Tensor) -> Tensor:
            return (x @ weight).view(batch, positions, 2, width // 2).transpose(1, 2)

        scores = heads(self.q) @ heads(self.k).transpose(-2, -1) / (width // 2) ** 0.5
        unseen = torch.ones(positions, positions, dtype=torch.bool).triu(1)
        weights = scores.masked_fill(unseen, float("-inf")).softmax(dim=-1)
        mixed = (weights @ heads(self.v)).transpose(1, 2).reshape(batch, positions, width) @ self.o
        return x + mixed if self.residual else mixed


class SelfAttention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.attention(x, x, x)[0]
        return x + mixed


class Exponentials(nn.Module):
    """Softmax and an RMS norm written out."""

    def __init__(self) -> None:
        super().__init__()
        self.scores, self.values = nn.Linear(3, 4), nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.exp(self.scores(x))
        mixed = weight / weight.sum(-1, keepdim=True) * self.values(x)
        return mixed * torch.rsqrt(mixed.pow(2).mean(-1, keepdim=True) + 0.5)


NETWORKS = {
    "attention": (lambda: nn.Sequential(Attention(4, False), Attention(4, False)), (3, 4)),
    "attention with residuals": (
        lambda: nn.Sequential(Attention(4, True), nn.LayerNorm(4), Attention(4, True)),
        (3, 4),
    ),
    "MultiheadAttention": (lambda: nn.Sequential(SelfAttention(4), nn.RMSNorm(4, eps=0.5), nn.Linear(4, 3)), (3, 4)),
    "convolution": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1), nn.GELU(), nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)
        ),
        (2, 4, 4),
    ),
    "exponentials": (Exponentials, (3,)),
    "group norm": (
        lambda: nn.Sequential(
            nn.ZeroPad2d(1),
            nn.Conv2d(2, 4, 2),
            nn.GroupNorm(2, 4, eps=0.5),
            nn.ELU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.LeakyReLU(),
            nn.Linear(4, 2),
        ),
        (2, 3, 3),
    ),
    "transformer": (
        lambda: nn.Sequential(
            nn.TransformerEncoderLayer(4, 2, 3, dropout=0.0, layer_norm_eps=0.5, batch_first=True, activation=F.gelu),
            nn.Linear(4, 2),
        ),
        (2, 4),
    ),
    "residual linear": (lambda: nn.Sequential(Residual(nn.Linear(3, 3)), nn.SiLU(), Residual(nn.Linear(3, 3))), (3,)),
}


@pytest.mark.parametrize("loss", ["squared", "cross-entropy"])
@pytest.mark.parametrize("name", NETWORKS)
def test_named_architectures(name: str, loss: str) -> None:
    build, shape = NETWORKS[name]
    generator = torch.Generator().manual_seed(3)
    for seed in range(2):
        model = generic(build(), seed)
        chances = torch.tensor([0.6, 0.25, 0.15])  # of the powers 0, 1, 2
        scaling = {
            key: torch.multinomial(chances, value.numel(), replacement=True, generator=generator).reshape(value.shape)
            for key, value in model.named_parameters()
        }
        whole = next(iter(scaling))
        scaling[whole] = torch.full_like(scaling[whole], seed + 1)
        found = compare(Case(model, scaling, shape, loss))
        assert not found["wrong"]
        assert len(found["met"]) > 0.5 * sum(map(len, found.values()))


def test_a_wrong_power_is_caught() -> None:
    """Control: the orders of one path against slopes along another."""
    model = generic(nn.Sequential(nn.Linear(3, 4, bias=False), nn.Tanh(), nn.Linear(4, 2, bias=False)), 0)
    powers = [1, 2, 0, 1]
    readings = measured(model, {"0.weight": torch.tensor(powers)[:, None].expand(4, 3)}, (3,))
    assert not verdicts(network_orders(model, {"0.weight": powers}), readings)["wrong"]
    for unit in range(4):
        changed = [power + (index == unit) for index, power in enumerate(powers)]
        assert verdicts(network_orders(model, {"0.weight": changed}), readings)["wrong"], unit
    assert verdicts(network_orders(model, {"2.weight": 1}), readings)["wrong"]


@pytest.mark.parametrize("head", ["squared", "cross-entropy"])
@pytest.mark.parametrize("activation", [nn.Tanh, nn.GELU, nn.ReLU])
def test_kronecker_factors(activation: type[nn.Module], head: str) -> None:
    """A and G as the measuring side of the house reads them, with labels of the model in expectation."""
    model = generic(nn.Sequential(nn.Linear(3, 4), activation(), nn.Linear(4, 3), activation(), nn.Linear(3, 3)), 8)
    scaling = {
        "0.weight": torch.tensor([1, 0, 2, 0])[:, None].expand(4, 3),
        "0.bias": torch.tensor([2, 0, 1, 0]),
        "2.weight": torch.tensor([[1, 0, 0, 1], [1, 2, 1, 1], [2, 0, 1, 0]]),
        "2.bias": torch.tensor([0, 1, 0]),
        "4.weight": torch.tensor([[0, 1, 2], [0, 1, 1], [0, 2, 1]]),
    }
    inputs = torch.randn(200, 3, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    at = {t: along(model, scaling, t).state_dict() for t in (2.0**-10, 2.0**-11)}
    problem = measure.Problem.from_module(
        model, inputs, measure.Gaussian() if head == "squared" else measure.Categorical()
    )
    orders = network_orders(model, scaling, loss=head)
    exact = 0
    for layer, derived_orders in orders.layers.items():
        coarse, fine = (measure.kronecker_factors(problem, layer, found) for found in at.values())
        sides = (
            (derived_orders.a, coarse.activation, fine.activation),
            (derived_orders.g, coarse.gradient, fine.gradient),
        )
        for of_units, one, two in sides:
            for unit, order in enumerate(of_units.flat):
                if not order.exact and two.entry(unit) == 0:  # a gate that no input opens
                    continue
                slope = math.log2(one.entry(unit) / two.entry(unit))
                # two radii near 1e-3: a next term of relative size t shifts the slope by t
                assert (
                    slope == pytest.approx(float(order.value), abs=0.05) if order.exact else slope > order.value - 0.05
                )
                exact += order.exact
    assert exact >= (10 if activation is nn.ReLU else 20)  # of 20; half of the gates are shut on all inputs
    assert max(order.value for order in orders.layers["0"].g.flat) >= 2


class Difference(nn.Module):
    """w x − tanh(w x): the terms of first order cancel, and (w x)³/3 remains."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Linear(2, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        z = self.w(x)
        return z - torch.tanh(z)


def test_cancellation_is_a_bound_that_is_kept() -> None:
    model = generic(Difference(), 1)
    orders = network_orders(model, {"w.weight": 1})
    assert (orders.divergence.value, orders.divergence.exact) == (2, False)
    moments = measured(model, {"w.weight": torch.ones(2, 2)}, (2,)).moments["K", ""]
    assert math.log(moments[1] / moments[2], RATIO) == pytest.approx(6, abs=NEAR)  # t from 1/64 to 1/256


def test_signs_that_depend_on_which_power_is_smaller() -> None:
    """relu(t^a x − t^b |…|): at a = b the gate may be shut everywhere, so a Min through it is a bound at the tie."""
    network = nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False), nn.ReLU())
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0], [1.0]]))
        network[2].weight.copy_(torch.tensor([[1.0, -2.0]]))
    a, b = sympy.symbols("a b", positive=True)
    general = network_orders(network, {"2.weight": [[a, b]]}).divergence
    assert str(general) == "≥ Min(2*a, 2*b)"
    assert str(network_orders(network, {"2.weight": [[1, 2]]}).divergence) == "2"
    assert str(network_orders(network, {"2.weight": [[1, 1]]}).divergence) == "≥ 2"


def test_a_shut_unit_leaves_the_next_gate_undecided() -> None:
    """relu(w relu(−1 + t^b x) + t^a): where b < a the sign is that of a term that no drawn input shows."""
    network = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1), nn.ReLU())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1.0)
        network[0].bias.fill_(-10.0)
    a, b = sympy.symbols("a b", positive=True)
    shown = [
        str(network_orders(network, {"0.weight": one, "2.bias": two}).signals["2"][0])
        for one, two in ((b, a), (1, 2), (2, 1))
    ]
    assert shown == ["≥ 0", "≥ 0", "0"]


def test_closed_gates_are_a_bound() -> None:
    """relu(−w relu(t x)), w > 0, is zero: no drawn input opens both gates, so nothing is claimed beyond the bound."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False), nn.ReLU())
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[2].weight.fill_(-1.0)
    orders = network_orders(model, {"0.weight": 1})
    assert str(orders.divergence) == "≥ 2"
    with torch.no_grad():
        model[2].weight.fill_(1.0)
    assert str(network_orders(model, {"0.weight": 1}).divergence) == "2"


class Along(nn.Module):
    """Any function of z = 1 + t x, or of t x where the bias is left out."""

    def __init__(self, function: Callable[[Tensor], Tensor], bias: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3, bias=bias)
        self.function = function
        with torch.no_grad():
            self.linear.weight.copy_(torch.eye(3) + torch.ones(3, 3))
            if bias:
                self.linear.bias.fill_(1.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.linear(x))


SLOPE_AT_ONE = float(torch.func.grad(F.gelu)(torch.tensor(1.0, dtype=torch.float64)))


@pytest.mark.parametrize(
    ("function", "bias", "shown"),
    [
        (lambda z: torch.sigmoid(z) - z / 4, False, "≥ 2"),  # σ'(0) = 1/4
        (lambda z: torch.sigmoid(z) - z / 3, False, "2"),
        (lambda z: F.gelu(z) - SLOPE_AT_ONE * z, True, "≥ 2"),
        (lambda z: F.gelu(z) - z, True, "2"),
        (lambda z: F.softmax(z.sum(-1, keepdim=True) + torch.arange(3.0), -1), True, "≥ 2"),  # a shift of all scores
        (lambda z: F.softmax(z * torch.arange(3.0), -1), True, "2"),
        (lambda z: F.softmax(z, -1).sum(-1, keepdim=True), True, "≥ 2"),
        (lambda z: (z - z.mean(-1, keepdim=True)).sum(-1, keepdim=True), True, "≥ 2"),  # zero only up to rounding
        (lambda z: (z - z.mean(-1, keepdim=True))[..., :2].sum(-1, keepdim=True), True, "2"),
        (lambda z: z * z - 2 * z, True, "≥ 2"),  # (1 + tx)² − 2 (1 + tx) = t²x² − 1
        (lambda z: z * z - 3 * z, True, "2"),
        (lambda z: F.layer_norm(z, (3,)).sum(-1, keepdim=True), False, "≥ 2"),
    ],
)
def test_coefficients_decide_what_cancels(function: Callable[[Tensor], Tensor], bias: bool, shown: str) -> None:
    """Each cancellation has its control beside it: the same terms with another coefficient."""
    assert str(network_orders(Along(function, bias).double(), {"linear.weight": 1}).divergence) == shown


@pytest.mark.parametrize(("weights", "exact"), [((1.0, 1.0, 1.0), False), ((1.0, 2.0, 1.0), True)])
def test_signals_that_cancel(weights: tuple[float, ...], exact: bool) -> None:
    """The gradient of Σ w softmax(z) by z is zero when all w are equal."""
    network = Along(lambda z: (F.softmax(z, -1) * torch.tensor(weights)).sum(-1, keepdim=True), True).double()
    signals = network_orders(network, {}).signals["linear"]
    assert {(str(order.value), order.exact) for order in signals.flat} == {("0", exact)}


@pytest.mark.parametrize(("sign", "shown"), [(-1.0, "≥ 4"), (1.0, "4")])
def test_rounding_opens_no_gate(sign: float, shown: str) -> None:
    """relu(0 ± (t x)²), where the zero is a sum that float64 gives as 1e-16 of either sign."""

    class Rounded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 1, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            zero = (x - x.mean(-1, keepdim=True)).sum(-1, keepdim=True)
            return torch.relu(zero + sign * self.linear(x).square())

    assert str(network_orders(Rounded(), {"linear.weight": 1}).divergence) == shown
