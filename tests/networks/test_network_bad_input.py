"""What the calculus refuses, and that the message names the thing, its place, and a way out."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import sympy
import torch
import torch.nn.functional as F
from rich.console import Console
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, UndecidedError, UnknownNameError
from ddtheory.networks import network_orders


class Does(nn.Module):
    """A linear map and then any function of its output."""

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.function = function

    def forward(self, x: Tensor) -> object:
        return self.function(self.linear(x))


def plus_in_place(x: Tensor) -> Tensor:
    x += 1
    return x


def write_entry(x: Tensor) -> Tensor:
    x[0] = 0
    return x


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: torch.cosh(x), r"does not know the operation 'cosh', used in 1 \(Does\).*measure"),
        (lambda x: F.lp_pool1d(x, 2, 2), "does not know the operation 'lp_pool1d'"),
        (lambda x: x.abs(), "does not know the operation 'abs'"),
        (lambda x: x.detach(), "does not know the operation 'detach'"),
        (lambda x: torch.add(x, x, out=torch.empty(0)), r"'add' with these arguments.*out"),
        (lambda x: x if x.sum() > 0 else -x, r"1 \(Does\) looks at the value .*depends on data"),
        (lambda x: x * bool(x.mean()), "looks at the value"),
        (lambda x: F.elu(x, 2.0), "only alpha = 1"),
        (lambda x: x.to(torch.int64), "rounds"),
        (lambda x: F.pad(x, (0, 1), value=3.0), "Padding with 3.0"),
        (lambda x: x**0.3, "power 0.3"),
        (lambda x: x * x.max().item(), "does not know the operation 'max'"),
        (lambda x: x * float(x.mean()), "looks at the value"),
    ],
)
def test_operations_that_are_no_rule(function: Callable[[Tensor], Tensor], message: str) -> None:
    network = nn.Sequential(nn.Identity(), Does(function))
    with pytest.raises((UndecidedError, InvalidValueError), match=message):
        network_orders(network, {}, shape=(3,))


@pytest.mark.parametrize(
    "function", [plus_in_place, write_entry, lambda x: x.relu_(), lambda x: F.relu(x, inplace=True)]
)
def test_in_place_operations(function: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(InvalidValueError, match=r"(?s)the model \(Does\).*in place"):
        network_orders(Does(function), {})


def test_in_place_module_is_named() -> None:
    with pytest.raises(InvalidValueError, match=r"In 1 \(SiLU\).*inplace=False"):
        network_orders(nn.Sequential(nn.Linear(2, 2), nn.SiLU(inplace=True)), {})


@pytest.mark.parametrize("module", [nn.Dropout(0.1), nn.BatchNorm1d(4)])
def test_training_mode(module: nn.Module) -> None:
    network = nn.Sequential(nn.Linear(3, 4), module)
    with pytest.raises(InvalidValueError, match=r"In 1 \(.*model\.eval\(\)"):
        network_orders(network, {"0.weight": 1})
    assert str(network_orders(network.eval(), {"0.weight": 1}).divergence) == "2"


def test_attention_dropout() -> None:
    network = nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True)
    with pytest.raises(InvalidValueError, match="Dropout is active"):
        network_orders(Wrapped(network), {}, shape=(3, 4))


class Wrapped(nn.Module):
    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.attention(x, x, x)[0]
        return mixed


def test_batches_that_are_sequences() -> None:
    """An attention that is not batch_first would mix the inputs of the batch."""
    network = Wrapped(nn.MultiheadAttention(4, 2))
    with pytest.raises(InvalidValueError, match="batch_axis=1"):
        network_orders(network, {}, shape=(3, 4))
    scaling = {"attention.out_proj.weight": 1}
    right = network_orders(network, scaling, shape=(3, 4), batch_axis=1)
    first = Wrapped(nn.MultiheadAttention(4, 2, batch_first=True))
    first.load_state_dict(network.state_dict())
    assert right.divergence == network_orders(first, scaling, shape=(3, 4)).divergence
    assert right.activations["attention"].shape == (3, 4)


def test_a_batch_axis_that_counts_nothing() -> None:
    with pytest.raises(InvalidValueError, match=r"axis 0 does not count inputs"):
        network_orders(Does(lambda x: x.sum(0)), {})


def test_scaling_of_parameters_that_do_not_exist() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    with pytest.raises(UnknownNameError, match=r"no parameter named '0.weigth'. Did you mean 0.weight"):
        network_orders(network, {"0.weigth": 1})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (-1, "may be negative"),
        (0.5, "not exact"),
        (sympy.Symbol("p"), "Declare its symbols positive"),
        (sympy.Symbol("p", nonnegative=True), "may be 0 or positive"),
        ([1, 2], r"powers of shape \(2,\) for a tensor of shape \(4, 3\).*length 4"),
        ([[1, 2], [1]], "different lengths"),
        ({7: 1}, "no index of shape"),
        ({(0, 0, 0): 1}, "no index of shape"),
        ("1", "not exact"),
    ],
)
def test_powers_that_mean_nothing(given: object, message: str) -> None:
    with pytest.raises(InvalidValueError, match=f"The scaling of '0.weight': .*{message}"):
        network_orders(nn.Sequential(nn.Linear(3, 4)), {"0.weight": given})


def test_ways_to_write_powers() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    entries = torch.zeros(4, 3, dtype=torch.int64)
    entries[1] = 2
    ways = [{1: 2}, [0, 2, 0, 0], entries, entries.tolist(), entries.numpy(), sympy.Matrix(entries.tolist())]
    found = [network_orders(network, {"0.weight": way, "0.bias": [0, 1, 0, 0]}).as_json() for way in ways]
    assert all(other == found[0] for other in found)
    assert (
        network_orders(network, {"0.weight": entries > 0}).as_json()
        == network_orders(network, {"0.weight": {1: 1}}).as_json()
    )
    columns = network_orders(network, {"2.weight": {(..., 1): 1}})
    assert [str(order) for order in columns.layers["0"].g.flat] == ["0", "2", "0", "0"]


def test_tied_parameters_are_one() -> None:
    network = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Tanh(), nn.Linear(3, 3, bias=False))
    network[2].weight = network[0].weight
    assert str(network_orders(network, {"2.weight": 1}).divergence) == "4"
    with pytest.raises(InvalidValueError, match="tied"):
        network_orders(network, {"0.weight": 1, "2.weight": 1})


@pytest.mark.parametrize("norm", [nn.RMSNorm(4), nn.RMSNorm(4, eps=0.0), nn.LayerNorm(4, eps=0.0)])
def test_a_norm_of_what_vanishes(norm: nn.Module) -> None:
    network = nn.Sequential(nn.Linear(3, 4), norm)
    with pytest.raises(InvalidValueError, match=r"In 1 \(.*leaves its domain.*positive eps"):
        network_orders(network, {"0.weight": 1, "0.bias": 1})
    assert str(network_orders(network, {"0.weight": {0: 1}, "0.bias": {0: 1}}).divergence) == "2"


def test_a_norm_with_eps_of_what_vanishes() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.RMSNorm(4, eps=1e-3))
    assert str(network_orders(network, {"0.weight": 2, "0.bias": 3}).divergence) == "4"


@pytest.mark.parametrize("function", [torch.log, torch.sqrt, torch.reciprocal, lambda x: 1 / x, lambda x: x**-0.5])
def test_other_domains(function: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(InvalidValueError, match="leaves its domain"):
        network_orders(Does(function), {"linear.weight": 1, "linear.bias": 1})


def test_a_shape_that_is_missing_or_wrong() -> None:
    with pytest.raises(InvalidValueError, match="shape of one input is not known"):
        network_orders(nn.Conv1d(1, 1, 1), {})
    with pytest.raises(InvalidValueError, match=r"fails in the model \(Linear\).*give shape="):
        network_orders(nn.Linear(3, 2), {}, shape=(4,))


def test_choices() -> None:
    network = nn.Linear(3, 2)
    with pytest.raises(UnknownNameError, match="cross-entropy"):
        network_orders(network, {}, loss="crossentropy")
    with pytest.raises(UnknownNameError, match="Known: model, true"):
        network_orders(network, {}, labels="x")
    with pytest.raises(InvalidValueError, match="two logits or more"):
        network_orders(nn.Linear(3, 1), {}, loss="cross-entropy")
    with pytest.raises(InvalidValueError, match="samples is 0"):
        network_orders(network, {}, samples=0)
    with pytest.raises(InvalidValueError, match="finite tensor"):
        network_orders(network, {}, inputs=torch.full((2, 3), float("nan")))
    with torch.no_grad():
        network.weight[0, 0] = float("inf")
    with pytest.raises(InvalidValueError, match="'weight' is not finite"):
        network_orders(network, {})


def test_outputs_that_cannot_be_followed() -> None:
    with pytest.raises(UndecidedError, match="returns tuple"):
        network_orders(Does(lambda x: (x, x)), {})
    with pytest.raises(UndecidedError, match="returns Tensor"):
        network_orders(Does(lambda x: torch.ones(len(x), 2)), {})


def test_the_model_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.3), nn.Linear(4, 2)).float()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(InvalidValueError):
        network_orders(network, {"0.weight": 1})
    network_orders(network.eval(), {"0.weight": 1})
    after = network.state_dict()
    assert all(torch.equal(after[name], value) and after[name].dtype == value.dtype for name, value in before.items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_no_global_state_is_touched() -> None:
    state = torch.random.get_rng_state()
    network_orders(nn.Linear(3, 2).eval(), {"weight": 1})
    network = nn.Linear(3, 2)
    state = torch.random.get_rng_state()
    network_orders(network, {"weight": 1}, loss="cross-entropy")
    assert torch.equal(state, torch.random.get_rng_state())


def test_same_answer_twice() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    scaling = {"0.weight": {0: 1}, "0.bias": {0: 2}}
    assert network_orders(network, scaling) == network_orders(network, scaling)


def test_embeddings_and_given_inputs() -> None:
    network = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5))
    index = torch.arange(10).reshape(2, 5) % 5
    orders = network_orders(network, {"0.weight": {(..., 0): 1}}, inputs=index, loss="cross-entropy")
    assert [str(order) for order in orders.layers["1"].a.flat] == ["2", "0", "0"]
    assert str(orders.divergence) == "2"


def test_result_can_be_shown() -> None:
    orders = network_orders(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), {"0.weight": 1, "0.bias": 1})
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(orders)
    assert "Θ(t^(2))" in console.export_text()
    assert orders._repr_latex_() == r"$K(t) = \Theta\left(t^{2}\right)$"
    shown = orders.as_json()
    assert shown["divergence"] == {"order": "2", "guarantee": "exactly"}
    assert shown["layers"]["2"]["a"]["orders"][0] == {"order": "2", "guarantee": "exactly"}
    assert set(shown) == {
        "divergence",
        "loss",
        "labels",
        "activations",
        "deviations",
        "signals",
        "layers",
        "hypotheses",
    }
