"""Every argument of network_orders, handed what it does not want; and models that nobody can look into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch
from hostile_values import global_state, hostile_values
from torch import Tensor, nn
from torch.nn.utils import prune

from ddtheory.errors import DDTheoryError, InvalidValueError
from ddtheory.measure import Categorical, Problem, fisher_along, order
from ddtheory.networks import Valuations, network_orders

NETWORK = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).eval()
SCALING = {"0.weight": 1}

DOORS: dict[str, Callable[..., object]] = {
    "model": lambda v: network_orders(v, {}, shape=(3,)),
    "scaling": lambda v: network_orders(NETWORK, v),
    "powers": lambda v: network_orders(NETWORK, {"0.weight": v}),
    "index": lambda v: network_orders(NETWORK, {"0.weight": {v: 1}}),
    "power of an index": lambda v: network_orders(NETWORK, {"0.weight": {0: v}}),
    "shape": lambda v: network_orders(NETWORK, SCALING, shape=v),
    "size": lambda v: network_orders(NETWORK, SCALING, shape=(v,)),
    "inputs": lambda v: network_orders(NETWORK, SCALING, inputs=v),
    "loss": lambda v: network_orders(NETWORK, SCALING, loss=v),
    "labels": lambda v: network_orders(NETWORK, SCALING, labels=v),
    "batch_axis": lambda v: network_orders(NETWORK, SCALING, batch_axis=v),
    "samples": lambda v: network_orders(NETWORK, SCALING, samples=v),
    "seed": lambda v: network_orders(NETWORK, SCALING, seed=v),
}


def hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("door", DOORS)
def test_one_plain_sentence_or_an_answer(door: str) -> None:
    values = hostile_values()
    changes = global_state({"network": NETWORK})
    for name, value in values:
        if door == "index" and not hashable(value):
            continue
        try:
            DOORS[door](value)
        except DDTheoryError as error:
            shown = str(error)
            assert "\n" not in shown and 20 < len(shown) < 700, (name, shown)
        except Exception as error:
            raise AssertionError(f"{door} with {name}: {type(error).__name__}: {error}") from error
        assert not changes(), (name, changes())


def test_integers_of_numpy() -> None:
    given = {"samples": numpy.int64(4), "seed": numpy.uint8(1), "batch_axis": numpy.int8(0)}
    found = network_orders(NETWORK, {"0.weight": {numpy.int64(1): numpy.int32(2)}, "0.bias": {1: 2}}, **given)
    assert found == network_orders(NETWORK, {"0.weight": {1: 2}, "0.bias": {1: 2}}, samples=4, seed=1)
    for wrong in (True, 4.0, "4", numpy.bool_(True)):
        with pytest.raises(InvalidValueError, match="whole number"):
            network_orders(NETWORK, SCALING, samples=wrong)
    with pytest.raises(InvalidValueError, match="an index is an integer"):
        network_orders(NETWORK, {"0.weight": {True: 1}})  # once the whole tensor


class ComplexBuffer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1)
        self.register_buffer("c", torch.tensor(1j))

    def forward(self, x: Tensor) -> Tensor:
        return (self.linear(x) * self.c).imag


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.jit.script(nn.Linear(3, 2)), "scripted"),
        (lambda: torch.compile(nn.Linear(3, 2)), "compiled"),
        (lambda: nn.LazyLinear(2), "lazy module"),
        (lambda: nn.Linear(3, 2, device="meta"), "Load the weights"),
        (ComplexBuffer, "complex"),
    ],
)
def test_models_that_cannot_be_followed(make: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        network_orders(make(), {}, shape=(3,))


def test_a_pruned_model_is_followed() -> None:
    """The first row is under the mask: scaling it leaves K at zero, and scaling the second gives 2."""
    network = nn.Sequential(nn.Linear(3, 2, bias=False))
    prune.custom_from_mask(network[0], "weight", torch.tensor([[0.0] * 3, [1.0] * 3]))
    network(torch.ones(1, 3))
    orders = [str(network_orders(network, {"0.weight_orig": {row: 1}}, shape=(3,)).divergence) for row in (0, 1)]
    assert orders == ["∞", "2"]


def test_a_softmax_that_underflows_has_no_order() -> None:
    """Once K was said to vanish exactly at a gap of 2000; at a gap of 200 its order is 2, and so it is measured."""
    layer = nn.Linear(1, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0], [1.0]]))
        layer.bias.copy_(torch.tensor([2000.0, 0.0]))
    with pytest.raises(InvalidValueError, match="underflows"):
        network_orders(layer, {"weight": 1}, loss="cross-entropy")
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([200.0, 0.0]))
    assert str(network_orders(layer, {"weight": 1}, loss="cross-entropy").divergence) == "2"
    with torch.no_grad():
        layer.weight.zero_()
    problem = Problem.from_module(layer, torch.ones(2, 1), Categorical())
    assert order(fisher_along(problem, {"weight": torch.tensor([[0.0], [1.0]])})).k == 1  # K ~ t²


class Throws(list):  # type: ignore[type-arg]
    """A list of somebody else's kind."""

    def __iter__(self) -> Any:
        raise RuntimeError

    __repr__ = __iter__


@pytest.mark.parametrize("value", [Throws(), Throws([1]), object(), torch.zeros(1).expand(10**12)])
def test_what_cannot_be_read_is_refused(value: object) -> None:
    network = nn.Linear(2, 1)
    doors: list[Callable[[], object]] = [
        lambda: Valuations(value, ()),  # type: ignore[arg-type]
        lambda: network_orders(network, {"weight": value}),
        lambda: network_orders(network, {"weight": 1}, shape=value),  # type: ignore[arg-type]
    ]
    for door in doors:
        with pytest.raises(DDTheoryError):
            door()


@pytest.mark.parametrize("axis", [-3, 2])
def test_an_axis_that_is_not_there_is_refused(axis: int) -> None:
    with pytest.raises(InvalidValueError, match=r"axis|shape"):
        network_orders(nn.Linear(2, 1), {"weight": 1}, batch_axis=axis)
