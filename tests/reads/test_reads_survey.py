"""One pass for all units: their magnitudes against a Jacobian of each sample, and where channels are found."""

from __future__ import annotations

import planted
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ddtheory as dd
from ddtheory.measure import Categorical, Gaussian, Problem
from ddtheory.reads.channels import Channels
from ddtheory.reads.proposal import joint
from ddtheory.reads.survey import Survey, survey


def surveyed(model: nn.Module, inputs: Tensor) -> Survey:
    return survey(Problem.from_module(model, inputs, Gaussian()))


def test_the_magnitude_of_a_unit_before_the_outputs_is_twice_its_cost() -> None:
    """Outputs are linear in what reads the last hidden layer, and K = ½E‖a h‖² for a Gaussian, to all orders."""
    plant = planted.hidden_layer("gelu", 0.3)
    found = surveyed(plant.model, plant.inputs)
    (channels,) = found.channels
    with torch.no_grad():
        hidden = plant.model[1](plant.model[0](plant.inputs))  # type: ignore[index]
        expected = hidden.square().mean(0) * plant.model[2].weight.square().sum(0)  # type: ignore[index]
    # E over the labels is a mean over four draws: exact for one output, and here known to some tenths
    assert torch.allclose(found.magnitudes[channels], expected, rtol=0.6)


@pytest.mark.parametrize("kind", ["layers", "images"])
def test_magnitudes_are_those_of_a_jacobian_of_every_sample(kind: str) -> None:
    """One output, so that no label is drawn: (∂f/∂log scale of what reads the unit)² in the mean over samples."""
    draw = planted.Draw(3)
    model: nn.Module
    if kind == "layers":
        model, inputs = (
            nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3), nn.GELU(), nn.Linear(3, 1)),
            draw(9, 3),
        )
        places = [("0", 1, "2.weight"), ("2", 2, "4.weight")]
    else:
        model = nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3 * 4, 1)
        )
        inputs, places = draw(9, 1, 6, 6), [("1", 1, "5.weight")]
    draw.fill(model)
    found = surveyed(model, inputs)
    by_layer = {channels.layer: channels for channels in found.channels}
    parameters = {name: value.detach() for name, value in model.named_parameters()}
    for layer, unit, reading in places:
        channels = by_layer[layer]
        width = parameters[reading].shape[1] // channels.count
        chosen = torch.zeros_like(parameters[reading])
        chosen[:, unit * width : (unit + 1) * width] = 1

        def scaled(t: Tensor, name: str = reading, mask: Tensor = chosen) -> Tensor:
            moved = {**parameters, name: parameters[name] * (1 + t * mask)}
            return torch.func.functional_call(model, moved, inputs)

        _, change = torch.func.jvp(scaled, (torch.zeros(()).double(),), (torch.ones(()).double(),))
        assert float(found.magnitudes[channels][unit]) == pytest.approx(float(change.square().mean()), rel=1e-9)


def described(channels: Channels) -> tuple[str, str, int, int]:
    return channels.kind, channels.layer, len(channels.made), channels.count


def test_channels_of_a_transformer() -> None:
    draw = planted.Draw(0)
    model = planted.Block()
    draw.fill(model)
    found = survey(Problem.from_module(model, torch.randint(0, 5, (6, 4)), Categorical()))
    assert {described(channels) for channels in found.channels} == {
        ("units", "gate", 2, 3),  # gate and up make the units together
        ("scales", "before", 1, 4),
        ("scales", "between", 1, 4),
        ("heads", "value", 1, 4),
        ("queries", "query", 1, 4),
    }
    (embedded,) = found.embedded
    assert embedded.parameter == "tokens.weight" and int(embedded.used.sum()) <= 5


class Shared(nn.Module):
    """One map that is used twice: its channels are read in two places."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(3, 3), nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.tanh(self.first(x))) + self.third(torch.sigmoid(self.first(2 * x)))


class Residual(nn.Module):
    """Hidden channels that somebody else sees too."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.first(x))
        return self.second(hidden) + hidden


@pytest.mark.parametrize("model", [Shared, Residual])
def test_channels_that_are_read_elsewhere_are_no_units(model: type[nn.Module]) -> None:
    draw = planted.Draw(0)
    assert not surveyed(draw.fill(model()), draw(8, 3)).channels


def test_batches_add_up() -> None:
    plant = planted.hidden_layer("tanh", 0.1)
    whole = surveyed(plant.model, plant.inputs)
    parts = survey(Problem.from_module(plant.model, plant.inputs, Gaussian(), batch_size=7))
    (channels,) = whole.channels
    assert torch.allclose(whole.grams[channels], parts.grams[channels], rtol=1e-12)


class Grouped(nn.Module):
    """A convolution in two groups with kernels of three by three, behind units of different means."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.grouped = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.out = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.grouped(torch.relu(self.first(x))))
        return self.out(hidden.mean((2, 3)))


def test_a_unit_of_a_convolution_in_groups_is_drawn_across_the_mean_of_its_own_group() -> None:
    torch.manual_seed(0)
    net = Grouped().double()
    with torch.no_grad():
        net.first.bias.copy_(torch.tensor([0.5, 1.0, 2.0, 3.0]))
    inputs = torch.randn(8, 1, 5, 5, dtype=torch.float64)
    found = surveyed(net, inputs)
    mean = torch.relu(net.first(inputs)).mean((0, 2, 3)).reshape(2, 2).detach()
    assert torch.allclose(found.means["grouped.weight"], mean, rtol=1e-12)
    (channels,) = [each for each in found.channels if each.layer == "grouped"]
    for unit in range(4):
        basis = torch.zeros(4, 1, dtype=torch.float64)
        basis[unit] = 1
        step = joint(channels, basis, found.problem.truth, found.means, unit, drawn=True)()["grouped.weight"][unit]
        own, other = (float((step.sum((1, 2)) * mean[group]).sum()) for group in (unit // 2, 1 - unit // 2))
        assert abs(own) < 1e-12 and abs(other) > 1e-3


def test_dead_units_of_a_convolution_in_groups_are_found() -> None:
    torch.manual_seed(1)
    net = Grouped().double()
    with torch.no_grad():
        for unit in (1, 2):
            net.grouped.weight[unit], net.grouped.bias[unit], net.out.weight[:, unit] = 0, 0, 0
    found = dd.read(net, torch.randn(8, 1, 5, 5, dtype=torch.float64), head=Gaussian(), n=1000)
    dead = {(row.layer, row.place): row.order for row in found.dead}
    assert dead == {("grouped", "unit 1"): 2, ("grouped", "unit 2"): 2}
