"""Tiles: each entry of each piece once, blocks whole, and no number that depends on where the cuts are."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ddtheory.errors import MeasurementError
from ddtheory.gauges import Gauge, Group, Leg, find_gauges
from ddtheory.optim import DDCAdam, adam
from ddtheory.optim.pieces import plan
from ddtheory.optim.tiles import units


class Convolutions(nn.Module):
    """Kernels whose channels lie along the first axis and along the second, and a norm between them."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(2, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 2), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(45, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.body(x))
        return found


def encoder() -> nn.Module:
    block = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=True)
    return nn.Sequential(block, nn.LayerNorm(8), nn.Linear(8, 3))


def drawn(make: Callable[[], nn.Module]) -> tuple[nn.Module, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        inputs = torch.randn((5, 2, 6, 6) if make is Convolutions else (5, 4, 8), dtype=torch.float64)
        return make().double(), inputs


def trained(
    model: nn.Module,
    inputs: Tensor,
    most_norm: float | None = None,
    between: Callable[[nn.Module], object] = bool,
) -> Tensor:
    """The outputs after four steps, after each of which something may happen to the model.

    The bias of attention keys is no part of them: the loss does not see it, and its gradient is rounding.
    """
    model = copy.deepcopy(model)
    gauges = [g for g in find_gauges(model, inputs, softmax=True).gauges if g.group in (Group.POSITIVE, Group.SHIFT)]
    optimizer = DDCAdam(model, 0.02, weight_decay=0.1, gauges=gauges, max_norm=most_norm)
    for _ in range(4):
        optimizer.zero_grad()
        logits = model(inputs).flatten(0, -2)
        nn.functional.cross_entropy(logits, torch.arange(len(logits)) % 3).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        between(model)
    found: Tensor = model(inputs).detach().log_softmax(-1)
    return found


@pytest.mark.parametrize("most", [1, 7, 30, 10**6])
def test_each_entry_is_in_one_tile(most: int) -> None:
    """Every tile adds one to what it covers of its piece."""
    legs = (Leg("a", 0, start=1), Leg("b", 1, dual=True), Leg("c"))
    shapes = {"a": (5, 3), "b": (4, 3), "c": (3,), "d": (2, 3, 2), "e": ()}
    tensors = {name: torch.zeros(shape) for name, shape in shapes.items()} | {"b": torch.zeros(3, 4).mT}
    assert tensors["b"].shape == (4, 3) and tensors["b"].stride() == (1, 4)
    found = units(plan([Gauge("three", Group.POSITIVE, 3, legs)], shapes), tensors, most)
    for unit in found:
        for tile in unit.tiles:
            view = tile.of(tensors[tile.piece.parameter])
            view += 1
            assert view.shape == tile.shape
            assert tile.axis != 0 or most > 100 or tile.shape[0] * view[:1].numel() <= max(most, view[:1].numel())
    assert all(torch.equal(tensor, torch.ones_like(tensor)) for tensor in tensors.values())


@pytest.mark.parametrize("make", [encoder, Convolutions])
@pytest.mark.parametrize("most_norm", [None, 0.1])
def test_where_the_cuts_are_changes_no_number(
    make: Callable[[], nn.Module], most_norm: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, inputs = drawn(make)
    whole = trained(model, inputs, most_norm)
    for most in (1, 13, 40):
        monkeypatch.setattr(adam, "_TOGETHER", most)
        assert torch.allclose(trained(model, inputs, most_norm), whole, rtol=1e-11, atol=1e-13)


def elsewhere(model: nn.Module) -> None:
    """Other memory for every parameter, and another order in it."""
    for value in model.parameters():
        value.data = value.detach().clone().mT.contiguous().mT if value.ndim > 1 else value.detach().clone()


def test_parameters_that_are_given_other_memory_are_followed() -> None:
    """What a step keeps between steps must not be what the parameters were."""
    model, inputs = drawn(encoder)
    found, expected = trained(model, inputs, None, elsewhere), trained(model, inputs)
    assert torch.allclose(found, expected, rtol=1e-11, atol=1e-13)


def test_a_state_that_is_loaded_into_one_that_has_stepped_is_the_one_that_counts() -> None:
    ends = []
    for steps in (0, 3):
        model = nn.Linear(2, 2, dtype=torch.float64)
        with torch.no_grad():
            model.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, -1.0]]))
        start = copy.deepcopy(model.state_dict())
        optimizer = DDCAdam(model, 0.1, gauges=[Gauge("rows", Group.POSITIVE, 2, (Leg("weight"),))])
        empty = copy.deepcopy(optimizer.state_dict())
        for _ in range(steps):
            model.weight.grad, model.bias.grad = torch.ones(2, 2).double(), torch.ones(2).double()
            optimizer.step()
        optimizer.load_state_dict(empty)
        model.load_state_dict(start)
        model.weight.grad, model.bias.grad = torch.tensor([[1.0, 0.0], [0.5, 2.0]]).double(), torch.ones(2).double()
        optimizer.step()
        ends.append(model.weight.detach().clone())
    assert torch.equal(*ends)


def test_a_parameter_without_a_gradient_stays_and_the_others_move() -> None:
    """Its blocks are measured all the same: W is stepped in units of ρ, and moves by η for each entry at first."""
    model = nn.Linear(2, 1, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[3.0, 4.0]]))
    before = model.weight.detach().clone()
    bias = float(model.bias.detach())
    optimizer = DDCAdam(model, 0.1, gauges=[Gauge("rows", Group.POSITIVE, 1, (Leg("weight"), Leg("bias")))])
    model.bias.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
    assert torch.equal(model.weight.detach(), before)
    assert float(model.bias.detach()) == pytest.approx(bias - 0.1 * 5.0, rel=1e-7)


def test_a_product_that_no_float_holds_moves_nothing() -> None:
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight.fill_(1e15)
    optimizer = DDCAdam(model, gauges=[Gauge("rows", Group.POSITIVE, 2, (Leg("weight"),))])
    model.weight.grad, model.bias.grad = torch.full((2, 2), 1e30), torch.ones(2)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(MeasurementError, match="nothing has moved: one of them is too large"):
        optimizer.step()
    assert str(before) == str(model.state_dict())
